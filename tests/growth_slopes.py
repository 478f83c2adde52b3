"""Slopes, cliffs and drawings of tools/growth, by hand-made numbers."""
import importlib.machinery
import importlib.util
import os
import sys
import unittest
import xml.dom.minidom

sys.dont_write_bytecode = True
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tools', 'growth')
loader = importlib.machinery.SourceFileLoader('growth', path)
growth = importlib.util.module_from_spec(importlib.util.spec_from_loader('growth', loader))
loader.exec_module(growth)

X = [1.0, 2.0, 4.0, 8.0, 16.0]


class Growth(unittest.TestCase):
    def test_fit(self):
        for power in (0, 1, 2):
            slope, offset = growth.fit(X, [3 * x ** power for x in X])
            self.assertAlmostEqual(slope, power)
            self.assertAlmostEqual(2.718281828459045 ** offset, 3)

    def test_cliffs(self):
        self.assertEqual(growth.cliffs(X, X, 1), [])
        self.assertEqual(growth.cliffs(X, [1 + x for x in X], 1), []) # a constant part
        self.assertEqual(growth.cliffs(X, [1, 2, 4 * 1.6, 8, 16], 1), [2]) # a single point
        self.assertEqual(growth.cliffs(X, [1, 2, 4 * 1.4, 8, 16], 1), [])
        self.assertEqual(growth.cliffs(X, [1, 2, 4, 8 * 1.6, 16 * 1.6], 1), [3]) # a step that stays
        self.assertEqual(growth.cliffs(X, [1, 2, 4, 8, 16 * 1.6], 1), [4]) # the last
        self.assertEqual(growth.cliffs(X, [x ** 2 for x in X], 2), [])
        self.assertEqual(growth.cliffs(X, [x ** 2 for x in X], 1), [1, 2, 3, 4])

    def test_chained(self):
        # the machine slows down threefold in the second round, on all points alike
        self.assertEqual(growth.chained([[1, 2, 6], [3, 6, 18], [1, 2, 6]]), [1, 2, 6])
        # and once within a round
        self.assertEqual(growth.chained([[1, 2, 4], [1, 20, 4], [1, 2, 4]]), [1, 2, 4])

    def test_page(self):
        cost = ('steep', 'a thing', 'size', 1, [])
        rows = [(cost, X, [1, 2, 4, 8 * 1.6, 16 * 1.6], 7)]
        text = growth.markdown(rows, 'M', 'tools/growth --out x')
        row = [line for line in text.splitlines() if line.startswith('| steep')]
        self.assertEqual(len(row), 1)
        self.assertIn('| 1 … 16 | 1 … 25.6 |', row[0])
        self.assertIn('| 8 | 7 |', row[0]) # the cliff
        self.assertIn('tools/growth --out x', text)
        drawn = xml.dom.minidom.parseString(growth.svg(rows * 5).encode())
        circles = drawn.getElementsByTagName('circle')
        self.assertEqual(len(circles), 25)
        self.assertEqual(len([c for c in circles if c.getAttribute('fill') == '#c22']), 5)


if __name__ == '__main__':
    unittest.main()
