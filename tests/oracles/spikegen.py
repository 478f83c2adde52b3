"""Makes tests/oracles/spikegen.npz: spikes of snnTorch 1.0.0's spikegen (float32), what
tests/test_coding_codes.c replays.

python3 -m venv v; v/bin/pip install torch snntorch==1.0.0; v/bin/python tests/oracles/spikegen.py

static [2,40]: features 0 ... 1 with zeros, ones and values at the thresholds; series [30,6]: a random walk
with steps of exactly the threshold. Latency cases are [T,2,40]; `near.NAME` is each case's least distance
of a spike time from a half, where rounding turns: equal spikes are no luck. Delta cases are [30,6].
"""
import os
import numpy as np
import torch
from snntorch import spikegen

torch.set_num_threads(1)
rng = np.random.default_rng(11)
static = rng.random((2, 40)).astype(np.float32)
static[:, 0], static[:, 1], static[:, 2], static[:, 3] = 0, 1, 0.01, 0.2
static[0, 4:12] = np.arange(8, dtype=np.float32) / 255
series = np.cumsum(rng.choice([-0.5, -0.25, 0, 0.125, 0.25, 0.75], (30, 6)), 0).astype(np.float32)
out = dict(static=static, series=series)
T = 20
cases = {
    "log": dict(tau=5, threshold=0.01, bypass=True),
    "log-normalise": dict(tau=5, threshold=0.01, normalize=True),
    "log-clip": dict(tau=5, threshold=0.2, normalize=True, clip=True),
    "log-first": dict(tau=2, threshold=0.1, normalize=True, first_spike_time=3),
    "linear": dict(tau=12, threshold=0.01, linear=True),
    "linear-normalise": dict(tau=5, threshold=0.01, linear=True, normalize=True),
    "linear-clip": dict(tau=5, threshold=0.2, linear=True, normalize=True, clip=True),
    "linear-first": dict(tau=5, threshold=0.2, linear=True, normalize=True, first_spike_time=4),
}
for name, options in cases.items():
    x = torch.tensor(static)
    out["latency." + name] = spikegen.latency(x, num_steps=T, **options).numpy().astype(np.uint8)
    some = {k: v for k, v in options.items() if k not in ("clip", "bypass")}
    times, _ = spikegen.latency_code(x, num_steps=T, **some)
    near = (times - times.floor() - 0.5).abs()
    out["near." + name] = near.min().numpy().reshape(1)
for name, options in {
    "on": dict(threshold=0.25),
    "on-pad": dict(threshold=0.25, padding=True),
    "off": dict(threshold=0.5, off_spike=True),
    "off-pad": dict(threshold=0.25, padding=True, off_spike=True),
}.items():
    out["delta." + name] = spikegen.delta(torch.tensor(series), **options).numpy().astype(np.int8)
np.savez_compressed(os.path.join(os.path.dirname(os.path.abspath(__file__)), "spikegen.npz"), **out)
