"""The constants of tests/test_random.c, from an implementation of Philox4x32-10 apart from ours.

python3 tests/oracles/philox.py checks itself against Random123's known answers, then prints them.
"""
import math

M = 0xFFFFFFFF


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & M, (a >> 32) ^ c[3] ^ k[1], a & M]
        k = [(k[0] + 0x9E3779B9) & M, (k[1] + 0xBB67AE85) & M]
    return c


def key_of(seed, node, purpose):
    return philox([node, purpose, 0, 0], [seed & M, seed >> 32])[:2]


def element(key, show, i):
    return philox([i // 4, 0, 0, show], key)


def normal(key, show, i):
    word = element(key, show, i)
    r0, r1 = word[i % 4 // 2 * 2 : i % 4 // 2 * 2 + 2]
    radius = math.sqrt(-2 * math.log((r0 + 0.5) / 2**32))
    angle = 2 * math.pi * r1 / 2**32
    return radius * (math.cos(angle) if i % 2 == 0 else math.sin(angle))


def below(key, show, last):
    mask = 2 ** max(1, last.bit_length()) - 1
    attempt = 0
    while True:
        for r in philox([last, attempt, 1, show], key):
            if r & mask <= last:
                return r & mask
        attempt += 1


def permutation(key, show, n):
    out = []
    for i in range(n):  # inside-out Fisher-Yates
        j = below(key, show, i)
        out.append(i)
        out[i], out[j] = out[j], i
    return out


assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
key = key_of(0x123456789ABCDEF0, 7, 3)
print("key", [hex(k) for k in key])
print("uniform", [(element(key, 9, i)[i % 4] >> 8) for i in (0, 5)], "* 2^-24")
print("normal", [repr(normal(key, 9, i)) for i in (0, 5)])
print("permutation", permutation(key, 9, 10))
