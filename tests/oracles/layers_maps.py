"""Arrays for tests/test_layers_torch.c: convolution, its transpose, pooling, upsampling, cropping and
weights that are made, computed by PyTorch in double precision of float32 numbers.

    python tests/oracles/layers_maps.py      (needs torch, numpy)

A case NAME has NAME.x (input [4,...], two steps of two samples), NAME.p0 ... (parameters: weight, bias,
gain, sign or mask), NAME.y, NAME.g (dL/dy), NAME.gx and NAME.gp0 ... (gradients).
"""
import os
import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(3)
torch.set_default_dtype(torch.float64)
out = {}


def uniform(*shape, scale=1.0):
    return (scale * (2 * torch.rand(*shape) - 1)).float().double()


def spikes(*shape):
    return (torch.rand(*shape) < 0.3).double()


def record(name, fn, x, *params, trained=None):
    x = x.clone().requires_grad_()
    params = [p.clone().requires_grad_() for p in params]
    y = fn(x, *params)
    g = uniform(*y.shape)
    y.backward(g)
    arrays = {"x": x, "y": y, "g": g, "gx": x.grad}
    for i, p in enumerate(params):
        arrays[f"p{i}"] = p
        if p.grad is not None and (trained is None or i < trained):
            arrays[f"gp{i}"] = p.grad
    for key, value in arrays.items():
        out[f"{name}.{key}"] = value.detach().numpy().astype("f4")


B = 4
# ---- convolution
conv = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
turned = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def convolve(name, x, weight, bias=True, op=conv, outs=None, **options):
    axes = x.dim() - 2
    w = uniform(*weight, scale=0.5)
    b = [uniform(outs or weight[0], scale=0.5)] if bias else []
    record(name, lambda x, w, *b: op[axes](x, w, *b, **options), x, w, *b)


convolve("plane", uniform(B, 2, 5, 4), (3, 2, 3, 3))
convolve("tutorial", uniform(B, 1, 7, 6), (5, 1, 5, 5))
convolve("same", uniform(B, 2, 4, 3), (2, 2, 3, 3), padding="same")
convolve("same, even", uniform(B, 1, 4, 5), (2, 1, 4, 4), padding="same")
convolve("stride", uniform(B, 2, 7, 6), (3, 2, 3, 3), stride=2, padding=1)
convolve("dilation", uniform(B, 1, 6, 7), (2, 1, 3, 3), dilation=2, padding=2, bias=False)
convolve("axes", uniform(B, 2, 4, 7), (2, 2, 2, 3), stride=(1, 2), padding=(0, 2), dilation=(2, 1))
convolve("groups", uniform(B, 4, 4, 3), (4, 2, 3, 3), groups=2, padding=1)
convolve("each channel", uniform(B, 3, 5, 5), (6, 1, 3, 3), groups=3)
convolve("line", uniform(B, 3, 13), (4, 3, 4), stride=3, padding=2)
convolve("volume", uniform(B, 2, 3, 2, 3), (2, 2, 2, 2, 2), stride=(2, 1, 1), padding=1)
convolve("spikes", spikes(B, 3, 5, 6), (5, 3, 3, 3), padding=1)
convolve("turned", uniform(B, 4, 4, 5), (4, 3, 3, 3), op=turned, outs=3)
convolve("turned stride", uniform(B, 4, 3, 4), (4, 2, 3, 3), op=turned, outs=2, stride=2, padding=1,
         output_padding=1)
convolve("turned groups", uniform(B, 4, 3, 4), (4, 3, 2, 2), op=turned, outs=6, groups=2, dilation=2)
convolve("turned line", uniform(B, 2, 7), (2, 3, 5), op=turned, outs=3, stride=3, padding=1)
convolve("turned volume", uniform(B, 2, 2, 3, 3), (2, 2, 2, 2, 2), op=turned, outs=2, stride=2)
convolve("turned spikes", spikes(B, 3, 4, 4), (3, 2, 3, 3), op=turned, outs=2, stride=2)

# ---- pooling
record("max", lambda x: F.max_pool2d(x, 2), uniform(B, 2, 6, 5))
record("max, padded", lambda x: F.max_pool2d(x, 3, stride=2, padding=1), uniform(B, 2, 6, 5))
record("max of spikes", lambda x: F.max_pool2d(x, 2), spikes(B, 3, 6, 6))
record("max of a line", lambda x: F.max_pool1d(x, 3, stride=2), uniform(B, 2, 9))
record("max of a volume", lambda x: F.max_pool3d(x, 2), uniform(B, 1, 4, 4, 4))
record("average", lambda x: F.avg_pool2d(x, 3, stride=2, padding=1), uniform(B, 2, 6, 5))
record("average of places",
       lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False), uniform(B, 2, 6, 5))
record("average of spikes", lambda x: F.avg_pool2d(x, 2), spikes(B, 3, 6, 6))
record("sum", lambda x: F.avg_pool2d(x, (2, 3), stride=1, divisor_override=1), uniform(B, 2, 4, 5))
record("adaptive average", lambda x: F.adaptive_avg_pool2d(x, (3, 2)), uniform(B, 2, 7, 5))
record("adaptive max", lambda x: F.adaptive_max_pool2d(x, 3), uniform(B, 2, 7, 5))
record("global", lambda x: F.adaptive_avg_pool2d(x, 1), uniform(B, 3, 4, 5))

# ---- moved values
record("flatten", lambda x: x.flatten(1), uniform(B, 2, 3, 4))
record("crop", lambda x: F.pad(x, (-1, -2, -2, 0)), uniform(B, 2, 5, 6))
record("nearest", lambda x: F.interpolate(x, scale_factor=(2, 3), mode="nearest"), uniform(B, 2, 3, 4))
record("linear", lambda x: F.interpolate(x, scale_factor=2, mode="linear"), uniform(B, 2, 5))
record("bilinear", lambda x: F.interpolate(x, scale_factor=(2, 3), mode="bilinear"), uniform(B, 2, 3, 4))
record("trilinear", lambda x: F.interpolate(x, scale_factor=2, mode="trilinear"), uniform(B, 1, 2, 3, 2))


# ---- weights that are made, of a convolution and of a dense layer
def through(w, made):
    return w + (made - w).detach()


def rows(w):
    return w.abs().flatten(1).mean(1).reshape(-1, *[1] * (w.dim() - 1))


def ternary(w):
    large = w.abs() > 0.7 * w.abs().mean()
    return through(w, w.abs()[large].mean() * w.sign() * large)


def quantised(w, bits):
    step = w.abs().max() / (2 ** (bits - 1) - 1)
    return through(w, torch.round(w / step) * step)


def normed(w, gain):
    return torch._weight_norm(w, gain.reshape(-1, *[1] * (w.dim() - 1)), 0)


def standardised(w):
    return F.layer_norm(w.flatten(1), [w[0].numel()], eps=1e-5).reshape(w.shape)


made = {
    "binary": (lambda w: through(w, w.sign()), None),
    "xnor": (lambda w: rows(w) * through(w, w.sign()), None),
    "ternary": (ternary, None),
    "four bits": (lambda w: quantised(w, 4), None),
    "normed": (normed, lambda w: uniform(w.shape[0])),
    "standardised": (standardised, None),
    "dale": (lambda w, s: s.reshape(1, -1, *[1] * (w.dim() - 2)) * w.abs(),
             lambda w: spikes(w.shape[1]) * 2 - 1),
    "mask": (lambda w, m: m * w, lambda w: spikes(*w.shape)),
}
for name, (make, extra) in made.items():
    w, d = uniform(4, 2, 3, 3), uniform(5, 7)
    more = [extra(w)] if extra else []
    trained = 3 if name == "normed" else 2
    record("conv " + name, lambda x, w, b, *e: F.conv2d(x, make(w, *e), b), uniform(B, 2, 3, 4), w,
           uniform(4), *more, trained=trained)
    more = [extra(d)] if extra else []
    record("dense " + name, lambda x, w, b, *e: F.linear(x, make(w, *e), b), uniform(B, 7), d,
           uniform(5), *more, trained=trained)

here = os.path.dirname(os.path.abspath(__file__))
np.savez_compressed(os.path.join(here, "layers_maps.npz"), **out)
print(len(out), "arrays,", os.path.getsize(os.path.join(here, "layers_maps.npz")), "bytes")
