"""surrogate_values.py: records surrogates.npz: the derivative of every surrogate of snnTorch 1.0.0,
SpikingJelly 2.0.0 and Norse 1.1.0 (torch 2.15.0, CPU) by the peer's own autograd function, at 48
places x that are no corner of any. SSO is recorded without its noise: with torch.rand_like at 1/2.

    v/bin/python tests/oracles/peers/surrogate_values.py
"""
import warnings
from unittest import mock

warnings.filterwarnings('ignore')

import numpy as np
import torch
from norse.torch.functional import threshold as norse
from snntorch import surrogate as st
from spikingjelly.activation_based import surrogate as sj

import common

X = np.concatenate([np.linspace(-3.33, 3.27, 36), np.linspace(-0.171, 0.183, 12)]).astype(np.float32)


def derivative(function):
    x = torch.tensor(X, requires_grad=True)
    y = function(x)
    return torch.autograd.grad(y.sum(), x)[0].numpy()


class Leak(torch.autograd.Function):
    """LeakySpikeOperator as it stands; its backward returns one value too few for autograd"""
    forward = st.LeakySpikeOperator.forward
    backward = staticmethod(lambda ctx, g: (st.LeakySpikeOperator.backward(ctx, g), None))


out = {'x': X}
for name, function in {
        'straight_through_estimator': st.straight_through_estimator(), 'triangular': st.triangular(),
        'fast_sigmoid': st.fast_sigmoid(), 'fast_sigmoid_3': st.fast_sigmoid(3), 'atan': st.atan(),
        'atan_5': st.atan(5.0), 'heaviside': st.heaviside(), 'sigmoid': st.sigmoid(),
        'spike_rate_escape': st.spike_rate_escape(), 'spike_rate_escape_2_3': st.spike_rate_escape(2, 3),
        'LeakySpikeOperator': lambda x: Leak.apply(x, 0.1), 'SFS': st.SFS(), 'SFS_2_0': st.SFS(2, 0)}.items():
    out['snntorch.' + name] = derivative(function)
with mock.patch('torch.rand_like', lambda x: torch.full_like(x, 0.5)):
    out['snntorch.SSO_mean'] = derivative(st.SSO(0.3, 0.5))
for name, function in {
        'PiecewiseQuadratic': sj.PiecewiseQuadratic(), 'PiecewiseQuadratic_2': sj.PiecewiseQuadratic(2.0),
        'PiecewiseExp': sj.PiecewiseExp(), 'Sigmoid': sj.Sigmoid(), 'SoftSign': sj.SoftSign(),
        'SuperSpike': sj.SuperSpike(), 'ATan': sj.ATan(), 'NonzeroSignLogAbs': sj.NonzeroSignLogAbs(),
        'NonzeroSignLogAbs_3': sj.NonzeroSignLogAbs(3.0), 'Erf': sj.Erf(),
        'PiecewiseLeakyReLU': sj.PiecewiseLeakyReLU(), 'PiecewiseLeakyReLU_2': sj.PiecewiseLeakyReLU(2.0, 0.1),
        'SquarewaveFourierSeries': sj.SquarewaveFourierSeries(),
        'SquarewaveFourierSeries_8': sj.SquarewaveFourierSeries(8, 3), 'S2NN': sj.S2NN(),
        'S2NN_2': sj.S2NN(2.0, 0.5), 'QPseudoSpike': sj.QPseudoSpike(), 'QPseudoSpike_3': sj.QPseudoSpike(3.0),
        'LeakyKReLU': sj.LeakyKReLU(), 'LeakyKReLU_1': sj.LeakyKReLU(0.1, 2.0),
        'FakeNumericalGradient': sj.FakeNumericalGradient(), 'LogTailedReLU': sj.LogTailedReLU(0.0),
        'LogTailedReLU_1': sj.LogTailedReLU(0.1), 'DeterministicPass': sj.DeterministicPass(),
        'Rect': sj.Rect(), 'Rect_2': sj.Rect(2.0)}.items():
    out['spikingjelly.' + name] = derivative(function)
for method, alpha in (('super', 100.0), ('triangle', 0.3), ('tanh', 2.0), ('circ', 0.5), ('heavi_erfc', 2.0)):
    out['norse.' + method] = derivative(lambda x: norse.threshold(x, method, torch.tensor(alpha)))
common.write('surrogates', out)
print(len(out) - 1, 'surrogates')
