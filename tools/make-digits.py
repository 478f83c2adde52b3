#!/usr/bin/env python3
"""Writes src/data/digits.inc from the table of the UCI digits: digits.csv or digits.csv.gz, 1,797
lines of 64 pixels (0 to 16) and the label.

usage: tools/make-digits.py digits.csv.gz > src/data/digits.inc"""
import gzip
import sys

HEAD = """\
/* The test part of "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak (1998),
 * UCI Machine Learning Repository, doi:10.24432/C50P49, licence CC BY 4.0; pixels and labels as
 * published, written as text: 64 pixels (row by row; '0'-'9' and 'a'-'g' are 0 to 16), then the
 * label. Made by tools/make-digits.py. */
"""


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    opener = gzip.open if sys.argv[1].endswith(".gz") else open
    with opener(sys.argv[1], "rt") as table:
        rows = [[int(float(x)) for x in line.split(",")] for line in table if line.strip()]
    bad = [r for r in rows if len(r) != 65 or max(r) > 16 or min(r) < 0 or r[64] > 9]
    if len(rows) != 1797 or bad:
        sys.exit("this is not the table of the UCI digits")
    print(HEAD, end="")
    for row in rows:
        print('"' + "".join("0123456789abcdefg"[v] for v in row) + '",')


main()
