"""best.py: torch-best: what a careful user of PyTorch writes by hand. The loop of a neuron over time is
one autograd function, forward and backward under torch.compile; layers see all T·B rows in one
product, and an input that stands still is multiplied once."""
import torch

CHUNK = 25  # steps that are compiled as one kernel; more take minutes to compile

torch._dynamo.config.recompile_limit = 64
compiled = torch.compile(dynamic=False)


def atan(x):
    return 1 / (1 + (torch.pi / 2 * 2 * x) ** 2)


def fast_sigmoid(x):
    return 1 / (1 + 25 * x.abs()) ** 2


def _steps(i, v, beta, steps):
    """snnTorch's Leaky: the reset is taken off in the next step, and lets no gradient through"""
    vs = []
    for t in range(steps):
        v = beta * v + i[t if len(i) > 1 else 0] - (v > 1).float()
        vs.append(v)
    vs = torch.stack(vs)
    return vs, (vs > 1).float(), v


def _back(gs, gv, v, g, beta, surrogate, sum_only):
    gi = []
    for t in reversed(range(len(v))):
        g = beta * g + surrogate(v[t] - 1) * (0 if gs is None else gs[t])
        if gv is not None:
            g = g + gv[t]
        gi.append(g)
    if sum_only:
        return sum(gi)[None], g
    return torch.stack(gi[::-1]), g


forward_steps, backward_steps = compiled(_steps), compiled(_back)


class Leaky(torch.autograd.Function):
    """i [T or 1,B,...] -> spikes, membranes [T,B,...]"""

    @staticmethod
    def forward(ctx, i, T, beta, surrogate):
        ctx.set_materialize_grads(False)
        state, vs, ss = torch.zeros_like(i[0]), [], []
        for t in range(0, T, CHUNK):
            steps = min(CHUNK, T - t)
            v, s, state = forward_steps(i[t:t + steps] if len(i) > 1 else i, state, beta, steps)
            vs.append(v)
            ss.append(s)
        v, s = (vs[0], ss[0]) if len(vs) == 1 else (torch.cat(vs), torch.cat(ss))
        ctx.save_for_backward(v)
        ctx.rest = beta, surrogate, len(i) == 1
        return s, v

    @staticmethod
    def backward(ctx, gs, gv):
        v, = ctx.saved_tensors
        beta, surrogate, still = ctx.rest
        g, parts = torch.zeros_like(v[0]), []
        for t in reversed(range(0, len(v), CHUNK)):
            part = slice(t, t + CHUNK)
            gi, g = backward_steps(None if gs is None else gs[part], None if gv is None else gv[part],
                                   v[part], g, beta, surrogate, still)
            parts.append(gi)
        if still:
            return sum(parts), None, None, None
        return parts[0] if len(parts) == 1 else torch.cat(parts[::-1]), None, None, None


class LIF(torch.nn.Module):
    def __init__(self, T, beta, surrogate=atan):
        super().__init__()
        self.rest = T, beta, surrogate

    def forward(self, i):
        return Leaky.apply(i, *self.rest)


# ---- SpikingJelly's IFNode: reset to 0 in the step of the spike, which the gradient goes through ----

@compiled
def _if_steps(x):
    v, hs = torch.zeros_like(x[0]), []
    for t in range(len(x)):
        h = v + x[t]
        v = torch.where(h >= 1, 0, h)
        hs.append(h)
    hs = torch.stack(hs)
    return hs, (hs >= 1).float()


@compiled
def _if_back(gs, h):
    g, gx = torch.zeros_like(h[0]), []
    for t in reversed(range(len(h))):
        g = torch.where(h[t] >= 1, 0, g) + (gs[t] - g * h[t]) * atan(h[t] - 1)
        gx.append(g)
    return torch.stack(gx[::-1])


class _Integrate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        h, s = _if_steps(x)
        ctx.save_for_backward(h)
        return s

    @staticmethod
    def backward(ctx, gs):
        return _if_back(gs, *ctx.saved_tensors)


class IF(torch.nn.Module):
    def forward(self, x):
        return _Integrate.apply(x)


# ---- a recurrent layer: its product of every step cannot be joined, but its weights' gradient can ----

@compiled
def _recurrent_step(a, v, s, beta):
    v = beta * v + a - s
    return v, (v > 1).float()


@compiled
def _recurrent_back(gs, g, v, beta):
    return gs * atan(v - 1) + beta * g


class _Recurrent(torch.autograd.Function):
    @staticmethod
    def forward(ctx, i, w, b, beta):
        v = s = torch.zeros_like(i[0])
        vs, ss = torch.empty_like(i), torch.empty_like(i)
        turned = w.t().contiguous()
        i = i + b
        for t in range(len(i)):
            a = i[t] if t == 0 else torch.addmm(i[t], s, turned)
            v, s = _recurrent_step(a, v, s, beta)
            vs[t], ss[t] = v, s
        ctx.save_for_backward(vs, ss, w)
        ctx.beta = beta
        return ss

    @staticmethod
    def backward(ctx, gs):
        v, s, w = ctx.saved_tensors
        g, gi = torch.zeros_like(v[0]), torch.empty_like(v)
        for t in reversed(range(len(v))):
            total = gs[t] if t + 1 == len(v) else torch.addmm(gs[t], g, w)
            g = _recurrent_back(total, g, v[t], ctx.beta)
            gi[t] = g
        gw = gi[1:].flatten(0, 1).t() @ s[:-1].flatten(0, 1)
        return gi, gw, gi.sum((0, 1)), None


class Recurrent(torch.nn.Module):
    def __init__(self, n, beta):
        super().__init__()
        self.weight = torch.nn.Linear(n, n)
        self.beta = beta

    def forward(self, i):
        return _Recurrent.apply(i, self.weight.weight, self.weight.bias, self.beta)


# ---- a converted net's neuron: the threshold is taken off in the step of the spike ----

@compiled
def _integrate(x, v):
    ss = []
    for t in range(len(x)):
        h = v + x[t]
        s = (h >= 1).float()
        v = h - s
        ss.append(s)
    return torch.stack(ss), v


class Integrator(torch.nn.Module):
    def forward(self, x):
        v, ss = torch.zeros_like(x[0]), []
        for t in range(0, len(x), CHUNK):
            s, v = _integrate(x[t:t + CHUNK], v)
            ss.append(s)
        return torch.cat(ss)
