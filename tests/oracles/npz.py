"""Makes tests/oracles/stored.npz and deflated.npz with numpy (2.4): what tests/test_npy.c reads.

python3 tests/oracles/npz.py; the files come out byte for byte the same.
Element i (in C order) of a numbered array is (37 i mod 101 - 50) for signed, (37 i mod 101) for
unsigned numbers, that less 50 over 8 for floats, i mod 2 for bool: the test has the same formula.
"""
import os
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
arrays = {}


def numbered(dtype, shape):
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    kind = np.dtype(dtype).kind
    v = i * 37 % 101
    v = {"b": i % 2, "u": v, "i": v - 50, "f": (v - 50) / 8}[kind]
    return v.astype(dtype).reshape(shape)


for name in ("b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"):
    arrays[name] = numbered("|" + name if name[1] == "1" else "<" + name, (3, 4))
    if name[1] != "1":
        arrays[name + "_big"] = numbered(">" + name, (3, 4))
for shape in ((), (1,), (5,), (0, 7), (2, 3, 4), (2, 1, 3, 1, 2, 3)):
    label = "x".join(map(str, shape)) or "scalar"
    arrays["f4_" + label] = numbered("<f4", shape)
    arrays["i2_order_" + label] = np.array(numbered(">i2", shape), order="F")
arrays["edge_i1"] = np.array([-128, 127], "i1")
arrays["edge_i2"] = np.array([-32768, 32767], "<i2")
arrays["edge_u2"] = np.array([0, 65535], "<u2")
arrays["edge_i4"] = np.array([-(2**31), 2**31 - 1], "<i4")
arrays["edge_u4"] = np.array([0, 2**32 - 1], "<u4")
arrays["edge_i8"] = np.array([-(2**63), 2**63 - 1], "<i8")
arrays["edge_u8"] = np.array([0, 2**63 - 1], "<u8")
arrays["edge_f2"] = np.array([65504, 2**-24, 1023 * 2**-24, 2**-14, -0.0, np.inf, -np.inf, np.nan], "<f2")
np.savez(os.path.join(here, "stored.npz"), **arrays)
np.savez_compressed(os.path.join(here, "deflated.npz"), **arrays)
