"""Arrays for tests/test_layers_more.c: normalisation, attention, delays, joins, parallel neurons and
spiking LSTMs, computed by PyTorch in double precision; SLSTM by snnTorch where it runs.

    python tests/oracles/layers_more.py      (needs torch, snntorch, numpy)

A case NAME has NAME.x0 ... (inputs [T,B,...]), NAME.p0 ... (parameters before), NAME.y (output),
NAME.g (dL/dy), NAME.gx0 ..., NAME.gp0 ... (gradients), NAME.q2 ... (parameters that the forward
pass changes, afterwards), NAME.v, NAME.gv (membranes and dL/dv). Spikes come with NAME.near, their
least distance to the threshold.
"""
import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
out = {}


def rounded(x):
    return x.float().double()


def uniform(*shape, low=-1.0, high=1.0):
    return rounded(low + (high - low) * torch.rand(*shape))


class Spike(torch.autograd.Function):
    """[x >= 0] or [x > 0]; the derivative of the arctan surrogate, slope 2: 1 / (1 + (pi x)^2)"""

    @staticmethod
    def forward(ctx, x, strict):
        ctx.save_for_backward(x)
        return (x > 0).double() if strict else (x >= 0).double()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g / (1 + (np.pi * x) ** 2), None


def case(name, inputs, params, forward, changed=None, membrane=False):
    xs = [x.clone().requires_grad_() for x in inputs]
    ps = [p.clone().requires_grad_() if p is not None else None for p in params]
    result = forward(xs, ps)
    y, v = result if membrane else (result, None)
    g = uniform(*y.shape)
    loss = (g * y).sum()
    if membrane:
        gv = uniform(*v.shape)
        loss = loss + (gv * v).sum()
        out[f"{name}.v"], out[f"{name}.gv"] = v, gv
    loss.backward()
    for i, x in enumerate(xs):
        out[f"{name}.x{i}"] = x
        out[f"{name}.gx{i}"] = x.grad if x.grad is not None else torch.zeros_like(x)
    for i, p in enumerate(ps):
        if p is None:
            continue
        out[f"{name}.p{i}"] = p
        if p.grad is not None:
            out[f"{name}.gp{i}"] = p.grad
    for i, q in (changed() if changed else {}).items():
        out[f"{name}.q{i}"] = q
    out[f"{name}.y"], out[f"{name}.g"] = y, g


# ---- normalisation; parameters gamma, beta, mean, variance ----

T, B, C, H, W = 4, 3, 5, 2, 3


def running(rows, channels):
    return uniform(rows, channels), uniform(rows, channels, low=0.5, high=2)


def norm(name, shape, layer, train=True, step=False, scale=1.0):
    c = shape[0]
    x = uniform(T, B, *shape) + 0.3
    mean, var = running(1, c)
    bn = layer(c, momentum=0.1, eps=1e-5)
    bn.running_mean.copy_(mean[0])
    bn.running_var.copy_(var[0])
    bn.train(train)

    def forward(xs, ps):
        apply = lambda z: F.batch_norm(z, bn.running_mean, bn.running_var, scale * ps[0][0], ps[1][0],
                                       train, 0.1, 1e-5)
        if step:
            return torch.stack([apply(xs[0][t]) for t in range(T)])
        return apply(xs[0].flatten(0, 1)).unflatten(0, (T, B))

    after = lambda: {2: bn.running_mean[None].clone(), 3: bn.running_var[None].clone()}
    case(name, [x], [uniform(1, c), uniform(1, c), None, None], forward, after)
    out[f"{name}.p2"], out[f"{name}.p3"] = mean, var


norm("norm.flat", (C,), torch.nn.BatchNorm1d)
norm("norm.image", (C, H, W), torch.nn.BatchNorm2d)
norm("norm.step", (C, H, W), torch.nn.BatchNorm2d, step=True)
norm("norm.eval", (C, H, W), torch.nn.BatchNorm2d, train=False)
norm("norm.tdbn", (C, H, W), torch.nn.BatchNorm2d, scale=0.7 * 0.5)  # Zheng et al., alpha V_th


def bntt():
    x = uniform(T, B, C, H, W)
    mean, var = running(T, C)
    m, v = mean.clone(), var.clone()

    def forward(xs, ps):
        return torch.stack([F.batch_norm(xs[0][t], m[t], v[t], ps[0][t], None, True, 0.1, 1e-5)
                            for t in range(T)])

    case("norm.bntt", [x], [uniform(T, C), None, None], forward, lambda: {1: m.clone(), 2: v.clone()})
    out["norm.bntt.p1"], out["norm.bntt.p2"] = mean, var


def tebn():
    x = uniform(T, B, C, H, W)
    mean, var = running(1, C)
    m, v = mean[0].clone(), var[0].clone()

    def forward(xs, ps):
        y = F.batch_norm(xs[0].flatten(0, 1), m, v, ps[0][0], ps[1][0], True, 0.1, 1e-5)
        return y.unflatten(0, (T, B)) * ps[4][0].view(T, 1, 1, 1, 1)

    case("norm.tebn", [x], [uniform(1, C), uniform(1, C), None, None, uniform(1, T)], forward,
         lambda: {2: m[None].clone(), 3: v[None].clone()})
    out["norm.tebn.p2"], out["norm.tebn.p3"] = mean, var


bntt()
tebn()

# ---- joins: Fang et al. 2021, table 1 ----

case("sum.add", [uniform(T, B, 7) for _ in range(3)], [], lambda x, p: x[0] + x[1] + x[2])
case("sum.and", [uniform(T, B, 7) for _ in range(2)], [], lambda x, p: x[0] * x[1])
case("sum.iand", [uniform(T, B, 7) for _ in range(2)], [], lambda x, p: (1 - x[0]) * x[1])
case("concat", [uniform(T, B, 2, 3, 2), uniform(T, B, 3, 3, 2)], [], lambda x, p: torch.cat(x, 2))


def winners(xs, ps):
    kept = torch.zeros_like(xs[0]).scatter(-1, xs[0].topk(3, -1).indices, 1.0)
    return xs[0] * kept


case("k-winners", [uniform(T, B, 9)], [], winners)

# ---- delays, by linear interpolation of the shifted inputs ----

TD, MAX = 9, 4


def shifted(x, k):
    return torch.cat([torch.zeros_like(x[:1]).expand(k, *x.shape[1:]), x], 0)[: x.shape[0]]


def taps(x):
    return torch.stack([shifted(x, k) for k in range(MAX + 2)])


def weights_of(d):
    """[..., MAX + 2]: the share of each whole delay, a hat around d"""
    return F.relu(1 - (d[..., None] - torch.arange(MAX + 2.0)).abs())


spikes = (torch.rand(TD, B, 6) < 0.4).double()
case("delay", [uniform(TD, B, 6)], [uniform(1, 6, low=0.1, high=3.9)],
     lambda x, p: torch.einsum("ik,ktbi->tbi", weights_of(p[0][0]), taps(x[0])))
case("delay.channel", [uniform(TD, B, 3, 2, 2)], [uniform(1, 3, low=0.1, high=3.9)],
     lambda x, p: torch.einsum("ck,ktbchw->tbchw", weights_of(p[0][0]), taps(x[0])))
case("dense-delay", [spikes], [uniform(4, 6), uniform(4, 6, low=0.1, high=3.9), uniform(1, 4)],
     lambda x, p: torch.einsum("oi,oik,ktbi->tbo", p[0], weights_of(p[1]), taps(x[0])) + p[2][0])

# ---- attention ----

TA, HIDDEN, HEADS = 6, 2, 2


def temporal(x, p, both):
    """SpikingJelly's TemporalWiseAttention without its last relu; Yao et al. 2021 without the maximum"""
    flat = x[0].transpose(0, 1).flatten(2)
    mlp = lambda s: F.linear(F.relu(F.linear(s, p[0])), p[1])
    z = mlp(flat.mean(2)) + (mlp(flat.amax(2)) if both else 0)
    return x[0] * torch.sigmoid(z).t().reshape(TA, B, 1, 1, 1)


for name, both in (("temporal", False), ("temporal.max", True)):
    case(name, [uniform(TA, B, 2, 3, 2) + 0.4], [uniform(HIDDEN, TA) + 0.3, uniform(TA, HIDDEN)],
         lambda x, p: temporal(x, p, both))


def attention(xs, ps):
    """Spikformer's SSA from q, k, v on: [T,B,C,H,W] -> heads of C/heads features, N = H W tokens"""
    q, k, v = (x.flatten(3).unflatten(2, (HEADS, -1)).transpose(-1, -2) for x in xs)
    y = (q @ k.transpose(-2, -1)) @ v * 0.125
    return y.transpose(-1, -2).flatten(2, 3).unflatten(3, (2, 3))


qkv = [(torch.rand(2, B, 6, 2, 3) < 0.5).double() for _ in range(3)]
case("attention", qkv, [], attention)
case("attention.real", [uniform(2, B, 6, 2, 3) for _ in range(3)], [], attention)

# ---- parallel spiking neurons: Fang et al. 2023, eq. 5 to 9 ----

TP = 6


def parallel(name, inputs, weight, threshold, matrix):
    def forward(xs, ps):
        h = torch.einsum("ts,sbi->tbi", matrix(ps[0]), xs[0])
        x = h - ps[1][0].view(-1, 1, 1)
        out[f"{name}.near"] = x.detach().abs().min()
        return Spike.apply(x, False), h

    case(name, [inputs], [weight, threshold], forward, membrane=True)


def band(order):
    t = torch.arange(TP)
    lag = t[:, None] - t[None, :]
    return ((lag >= 0) & (lag < order)).double(), lag


parallel("psn.full", uniform(TP, B, 5), uniform(TP, TP), uniform(1, TP, low=0.1), lambda w: w)
parallel("psn.spikes", (torch.rand(TP, B, 70) < 0.4).double(), uniform(TP, TP),
         uniform(1, TP, low=0.1), lambda w: w)
parallel("psn.masked", uniform(TP, B, 5), uniform(TP, TP), uniform(1, TP, low=0.1),
         lambda w: w * (0.75 * band(3)[0] + 0.25))
parallel("psn.sliding", uniform(TP, B, 5), uniform(1, 3), uniform(1, 1, low=0.1),
         lambda w: band(3)[0] * w[0][(2 - band(3)[1]).clamp(0, 2)])

# ---- spiking LSTM ----

TL, IN, UNITS = 7, 5, 4


def lstm(name, inputs, units, reset, theta, peer):
    n = inputs.shape[2]
    bound = 1.5
    ps = [uniform(4 * units, n, low=-bound, high=bound), uniform(4 * units, units, low=-bound, high=bound),
          uniform(1, 4 * units), uniform(1, 4 * units)]

    def own(xs, p):
        h = c = torch.zeros(B, units)
        s, v = [], []
        for x in xs[0]:
            fired = (h.detach() > theta).double()
            i, f, g, o = (F.linear(x, p[0], p[2][0]) + F.linear(h, p[1], p[3][0])).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            h = h - fired * theta if reset == "subtract" else h - fired * h if reset == "zero" else h
            s.append(Spike.apply(h - theta, True))
            v.append(h)
        v = torch.stack(v)
        out[f"{name}.near"] = (v.detach() - theta).abs().min()
        return torch.stack(s), v

    def theirs(xs, p):
        """snnTorch's layer, with its parameters taken out so that gradients reach p"""
        import snntorch
        layer = snntorch.SLSTM(n, units, threshold=theta, reset_mechanism=reset,
                               spike_grad=lambda x: Spike.apply(x, True))
        for key, value in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), p):
            delattr(layer.lstm_cell, key)
            setattr(layer.lstm_cell, key, value if value.shape[0] > 1 else value[0])
        layer.threshold = torch.tensor(theta)
        syn, mem = layer.reset_mem()
        s, v = [], []
        for x in xs[0]:
            spk, syn, mem = layer(x, syn, mem)
            s.append(spk)
            v.append(mem)
        v = torch.stack(v)
        out[f"{name}.near"] = (v.detach() - theta).abs().min()
        return torch.stack(s), v

    case(name, [inputs], ps, theirs if peer else own, membrane=True)


for reset in ("none", "subtract", "zero"):
    lstm(f"lstm.{reset}", uniform(TL, B, UNITS, low=-2, high=2), UNITS, reset, 0.1, True)
lstm("lstm.wide", (torch.rand(TL, B, IN) < 0.5).double(), 3, "zero", 0.05, False)

arrays = {k: np.ascontiguousarray(v.detach().numpy().astype(np.float32)) for k, v in out.items()}
for key, value in arrays.items():
    if key.endswith(".near"):
        print(key, value)
        assert value > 1e-5, key
np.savez_compressed("tests/oracles/layers_more.npz", **arrays)
