"""Records optimisers.npz: PyTorch's optimisers and learning rates, in float64.

    python tests/oracles/optimisers.py        (torch 2.15.0, numpy)

Each optimiser moves 12 weights along the same 60 gradients, which do not depend on the weights; some
are 0, some change their sign at every step. Steps 1, 2, 3, 10, 30 and 60 are kept. A row of a
schedule holds the rates of 40 ticks. RMaxProp and QuickProp, which PyTorch has not, follow their
papers' formulae here. tests/test_optim.c has the same options by the same names.
"""
import os

import numpy as np
import torch

rng = np.random.default_rng(7)
STEPS, N, KEPT = 60, 12, [1, 2, 3, 10, 30, 60]
w0 = rng.normal(size=N).astype(np.float32)
g = rng.normal(size=(STEPS, N)).astype(np.float32)
g[:, 0] = 0  # never a gradient
g[::3, 1] = 0  # sometimes none
g[:, 2] = np.abs(g[:, 2])  # always the same sign
g[:, 3] = np.where(np.arange(STEPS) % 2, 1, -1) * np.abs(g[:, 3])  # always the other
g[:, 4] *= 1e-4
g[:, 5] *= 1e3

T = torch.optim
OPTIMISERS = {
    "sgd": lambda p: T.SGD(p, lr=0.01),
    "sgd_momentum": lambda p: T.SGD(p, lr=0.01, momentum=0.9, weight_decay=0.05),
    "sgd_dampening": lambda p: T.SGD(p, lr=0.01, momentum=0.8, dampening=0.3, weight_decay=0.05),
    "sgd_nesterov": lambda p: T.SGD(p, lr=0.01, momentum=0.9, nesterov=True, weight_decay=0.05),
    "adam": lambda p: T.Adam(p, lr=0.01),
    "adam_decay": lambda p: T.Adam(p, lr=0.01, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
    "adamw": lambda p: T.AdamW(p, lr=0.01),
    "adamw_decay": lambda p: T.AdamW(p, lr=0.01, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.5),
    "adamax": lambda p: T.Adamax(p, lr=0.01),
    "adamax_decay": lambda p: T.Adamax(p, lr=0.01, betas=(0.8, 0.95), weight_decay=0.1),
    "rmsprop": lambda p: T.RMSprop(p, lr=0.01),
    "rmsprop_momentum": lambda p: T.RMSprop(p, lr=0.001, alpha=0.9, eps=1e-4, momentum=0.7, weight_decay=0.1),
    "rprop": lambda p: T.Rprop(p, lr=0.01),
    "rprop_limits": lambda p: T.Rprop(p, lr=0.05, etas=(0.3, 1.5), step_sizes=(0.01, 0.2)),
}


def by_torch(make):
    p = torch.nn.Parameter(torch.tensor(w0, dtype=torch.float64))
    o, out = make([p]), []
    for t in range(STEPS):
        p.grad = torch.tensor(g[t], dtype=torch.float64)
        o.step()
        out.append(p.detach().numpy().copy())
    return np.array(out)[np.array(KEPT) - 1]


def rmaxprop(rate, alpha, eps, decay):
    """Zenke & Ganguli 2018: the step's size is rate / sqrt(v), v = max(alpha v, g^2)."""
    w, v, out = w0.astype(np.float64), np.zeros(N), []
    for t in range(STEPS):
        d = g[t] + decay * w
        v = np.maximum(alpha * v, d * d)
        w = w - rate * d / (np.sqrt(v) + eps)
        out.append(w)
    return np.array(out)[np.array(KEPT) - 1]


def quickprop(rate, growth, decay):
    """Fahlman 1988, weight by weight, as his program has it: S is -dE/dw, the descent."""
    out, w = [], w0.astype(np.float64)
    before, d = np.zeros(N), np.zeros(N)
    for t in range(STEPS):
        for i in range(N):
            slope = -(float(g[t, i]) + decay * w[i])
            sign = 1 if d[i] > 0 else -1
            step = 0.0
            if d[i] == 0 or sign * before[i] <= 0:
                step = rate * slope
            else:
                if sign * slope > 0:
                    step += rate * slope
                if sign * slope > growth / (1 + growth) * sign * before[i]:
                    step += growth * d[i]
                else:
                    step += slope / (before[i] - slope) * d[i]
            before[i], d[i] = slope, step
            w[i] += step
        out.append(w.copy())
    return np.array(out)[np.array(KEPT) - 1]


S = torch.optim.lr_scheduler
TICKS, RATE = 40, 0.5
SCHEDULES = {
    "linear": lambda o: S.LinearLR(o, 1.0, 0.1, total_iters=25),
    "cosine": lambda o: S.CosineAnnealingLR(o, T_max=30, eta_min=0.02 * RATE),
    "exponential": lambda o: S.ExponentialLR(o, gamma=0.93),
    "step": lambda o: S.StepLR(o, step_size=7, gamma=0.3),
    "multi_step": lambda o: S.MultiStepLR(o, milestones=[5, 12, 30], gamma=0.4),
    "warm_cosine": lambda o: S.SequentialLR(
        o, [S.LinearLR(o, 0.1, 1.0, total_iters=6), S.CosineAnnealingLR(o, T_max=34, eta_min=0.01 * RATE)], [6]),
    "warm_constant": lambda o: S.LinearLR(o, 0.2, 1.0, total_iters=10),
}


def rates(make):
    o = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    s, out = make(o), []
    for _ in range(TICKS):
        out.append(o.param_groups[0]["lr"])
        o.step()
        s.step()
    return np.array(out)


figures = np.round(1 / (1 + 0.2 * np.arange(TICKS)) + 0.03 * rng.random(TICKS), 4)
figures[12:20] = figures[11] * (1 - 5e-5)  # better, by less than the threshold


def plateau(rising, **options):
    o = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    s, out = S.ReduceLROnPlateau(o, "max" if rising else "min", **options), []
    for x in figures:
        out.append(o.param_groups[0]["lr"])
        s.step(100 * (1 - x) if rising else x)
    return np.array(out)


arrays = {"w0": w0, "g": g, "kept": np.array(KEPT, dtype=np.int32), "figures": figures}
arrays.update({name: by_torch(make) for name, make in OPTIMISERS.items()})
arrays["rmaxprop"] = rmaxprop(0.01, 0.9, 1e-8, 0)
arrays["rmaxprop_decay"] = rmaxprop(0.01, 0.7, 1e-4, 0.1)
arrays["quickprop"] = quickprop(0.001, 1.75, 0)
arrays["quickprop_decay"] = quickprop(0.001, 1.2, 0.1)
arrays.update({name: rates(make) for name, make in SCHEDULES.items()})
arrays["plateau"] = plateau(False, factor=0.5, patience=2, threshold=1e-3)
arrays["plateau_rest"] = plateau(False, factor=0.2, patience=1, threshold=1e-4, cooldown=3, min_lr=0.02 * RATE)
arrays["plateau_rising"] = plateau(True, factor=0.5, patience=2, threshold=1e-4)
np.savez(os.path.join(os.path.dirname(__file__), "optimisers.npz"), **arrays)
