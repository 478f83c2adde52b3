"""snntorch_cases.py: records snntorch.npz and snntorch.json from snnTorch 1.0.0 (torch 2.15.0, CPU).

    python3 -m venv v && v/bin/pip install torch snntorch==1.0.0 numpy
    v/bin/python tests/oracles/peers/snntorch_cases.py
"""
import warnings

import snntorch as snn
import torch
from snntorch import surrogate

import common
from common import Case

warnings.filterwarnings('ignore')


def leaky(make, state=1, recurrent=False, learn=(), width=None):
    """make(spike_grad, n) -> a neuron; state: how many states its call takes besides the current"""
    def build(distance):
        layers = []
        for n in (common.N_HIDDEN, common.N_OUT):
            first = n == common.N_HIDDEN
            neuron = make(distance, n, first)
            held = {'s': None}

            def layer(current, neuron=neuron, held=held):
                out = neuron(current) if held['s'] is None else neuron(current, *held['s'])
                held['s'] = out[1:] if not isinstance(neuron, (snn.RLeaky, snn.RSynaptic)) else out
                return out[0], out[-1]
            layer.learn = {name: getattr(neuron, name) for name in learn}
            layers.append(layer)
        return layers
    return build


def grad(distance, function=None):
    return distance.around(function or surrogate.atan())


def cases():
    out = []
    # every reset, reset time; the delayed ones detach, the undelayed ones let the gradient through
    for reset in ('subtract', 'zero', 'none'):
        for delay in (True, False):
            if reset == 'none' and not delay:
                continue
            out.append(Case(
                'leaky-%s-%s' % (reset, 'next' if delay else 'same'),
                "Leaky(beta=0.875, reset_mechanism='%s', reset_delay=%s)" % (reset, delay),
                '{model: lif, dialect: snntorch, beta: 0.875, reset: %s%s}' % (reset, '' if delay else ', when: same'),
                leaky(lambda d, n, first, reset=reset, delay=delay: snn.Leaky(
                    beta=0.875, reset_mechanism=reset, reset_delay=delay, spike_grad=grad(d))),
                shift=0.1 if reset == 'none' else 0.25, below=float('inf') if delay else 1))
    out.append(Case(
        'leaky-subtract-same-again', "Leaky(beta=0.875, reset_mechanism='subtract', reset_delay=False)",
        '{model: lif, dialect: snntorch, beta: 0.875, reset: subtract, when: same}',
        leaky(lambda d, n, first: snn.Leaky(
            beta=0.875, reset_mechanism='subtract', reset_delay=False, spike_grad=grad(d))),
        shift=0.4, above=1, note='where more than a threshold is left, it is taken off once more'))
    # every surrogate
    for name, ours, function in (
            ('straight-through', 'straight-through', surrogate.straight_through_estimator()),
            ('triangular', 'snntorch-triangular', surrogate.triangular()),
            ('fast-sigmoid', 'fast-sigmoid', surrogate.fast_sigmoid()),
            ('fast-sigmoid-5', 'fast-sigmoid, slope: 5', surrogate.fast_sigmoid(5)),
            ('atan-3', 'atan, slope: 3', surrogate.atan(3.0)),
            ('heaviside', 'heaviside', surrogate.heaviside()),
            ('sigmoid', 'sigmoid', surrogate.sigmoid()),
            ('spike-rate-escape', 'spike-rate-escape', surrogate.spike_rate_escape()),
            ('spike-rate-escape-2', 'spike-rate-escape, slope: 3, shape: 2', surrogate.spike_rate_escape(2, 3)),
            ('lso', 'leaky-spike', lambda x: surrogate.LeakySpikeOperator.apply(x, 0.1)),
            ('sfs', 'sparse-fast-sigmoid, shape: -0.5', surrogate.SFS(25, -0.5)),
            ('sso-no-noise', 'stochastic-spike, slope: 1e-30', surrogate.SSO(0, 0))):
        note = ''
        if name == 'lso':
            note = 'the operator itself: its factory LSO() makes StochasticSpikeOperator and fails'
            class Leak(torch.autograd.Function):
                forward = surrogate.LeakySpikeOperator.forward
                backward = staticmethod(lambda ctx, g: (surrogate.LeakySpikeOperator.backward(ctx, g), None))
            function = lambda x, Leak=Leak: Leak.apply(x, 0.1)
        out.append(Case(
            'leaky-surrogate-' + name, 'Leaky(beta=0.875, spike_grad=%s)' % name,
            '{model: lif, dialect: snntorch, beta: 0.875, surrogate: %s}' % ours,
            leaky(lambda d, n, first, function=function: snn.Leaky(beta=0.875, spike_grad=grad(d, function))),
            note=note))
    # learnable, one for all and one for each neuron; clamped
    out.append(Case(
        'leaky-learn', 'Leaky(beta=0.8, threshold=0.9, learn_beta=True, learn_threshold=True)',
        '{model: lif, dialect: snntorch, beta: 0.8, threshold: 0.9, learn: [beta, threshold]}',
        leaky(lambda d, n, first: snn.Leaky(beta=0.8, threshold=0.9, learn_beta=True, learn_threshold=True,
                                            spike_grad=grad(d)), learn=('beta', 'threshold'))))
    out.append(Case(
        'leaky-learn-zero-same', "Leaky(beta=0.8, threshold=0.9, learn_beta=True, learn_threshold=True, reset_mechanism='zero', reset_delay=False)",
        '{model: lif, dialect: snntorch, beta: 0.8, threshold: 0.9, reset: zero, when: same, learn: [beta, threshold]}',
        leaky(lambda d, n, first: snn.Leaky(beta=0.8, threshold=0.9, learn_beta=True, learn_threshold=True,
                                            reset_mechanism='zero', reset_delay=False,
                                            spike_grad=grad(d)), learn=('beta', 'threshold'))))
    each = {5: [0.5, 0.625, 0.75, 0.875, 0.9375], 3: [0.9375, 0.75, 0.5]}
    for reset in ('subtract', 'zero'):
        out.append(Case(
            'leaky-learn-each-' + reset, "Leaky(beta=each neuron's, learn_beta=True, learn_threshold=True, reset_mechanism='%s')" % reset,
            '{model: lif, dialect: snntorch, reset: %s, beta: EACH, learn: [beta, threshold], per: neuron}' % reset,
            leaky(lambda d, n, first, reset=reset: snn.Leaky(
                beta=torch.tensor(each[n]), threshold=torch.ones(n), learn_beta=True, learn_threshold=True,
                reset_mechanism=reset, spike_grad=grad(d)), learn=('beta', 'threshold')),
            note='beta of neuron j: 0.5 0.625 0.75 0.875 0.9375, and 0.9375 0.75 0.5'))
    out.append(Case(
        'leaky-inhibition', 'Leaky(beta=0.875, inhibition=True)',
        '{model: lif, dialect: snntorch, beta: 0.875, inhibition: true}',
        leaky(lambda d, n, first: snn.Leaky(beta=0.875, inhibition=True, spike_grad=grad(d))),
        note='neurons above the threshold that are not let spike are reset all the same'))
    # Lapicque: Euler's decay, the zero reset takes the input with it
    for reset in ('subtract', 'zero', 'none'):
        out.append(Case(
            'lapicque-' + reset, "Lapicque(R=5, C=1.6, time_step=1, reset_mechanism='%s')" % reset,
            '{model: lapicque, dialect: snntorch, R: 5, C: 1.6, reset: %s}' % reset,
            leaky(lambda d, n, first, reset=reset: snn.Lapicque(
                R=5, C=1.6, time_step=1, reset_mechanism=reset, spike_grad=grad(d))),
            level=2, shift=0.2 if reset == 'none' else 0.35))
    for reset in ('subtract', 'zero', 'none'):
        for delay in (True, False):
            if reset == 'none' and not delay:
                continue
            out.append(Case(
                'synaptic-%s-%s' % (reset, 'next' if delay else 'same'),
                "Synaptic(alpha=0.5, beta=0.75, reset_mechanism='%s', reset_delay=%s)" % (reset, delay),
                '{model: cuba-lif, dialect: snntorch, alpha: 0.5, beta: 0.75, reset: %s, when: %s}' % (reset, 'next' if delay else 'same'),
                leaky(lambda d, n, first, reset=reset, delay=delay: snn.Synaptic(
                    alpha=0.5, beta=0.75, reset_mechanism=reset, reset_delay=delay, spike_grad=grad(d))),
                shift=0.0 if reset == 'none' else 0.2 if delay else 0.05,
                level=1.5 if delay else 0.75, weight=0.9 if delay else 0.6, below=float('inf') if delay else 1))
    out.append(Case(
        'synaptic-learn', 'Synaptic(alpha=0.5, beta=0.75, learn_alpha=True, learn_beta=True, learn_threshold=True)',
        '{model: cuba-lif, dialect: snntorch, alpha: 0.5, beta: 0.75, learn: [alpha, beta, threshold]}',
        leaky(lambda d, n, first: snn.Synaptic(alpha=0.5, beta=0.75, learn_alpha=True, learn_beta=True,
                                               learn_threshold=True, spike_grad=grad(d)),
              learn=('alpha', 'beta', 'threshold'))))
    for reset in ('subtract', 'zero', 'none'):
        out.append(Case(
            'alpha-' + reset, "Alpha(alpha=0.75, beta=0.5, reset_mechanism='%s')" % reset,
            '{model: alpha, alpha: 0.75, beta: 0.5, reset: %s}' % reset,
            leaky(lambda d, n, first, reset=reset: snn.Alpha(
                alpha=0.75, beta=0.5, reset_mechanism=reset, spike_grad=grad(d))), shift=0.3, level=2))
    for reset in ('subtract', 'zero', 'none'):
        out.append(Case(
            'rleaky-one-' + reset, "RLeaky(beta=0.75, V=0.5 each, all_to_all=False, reset_mechanism='%s')" % reset,
            '{model: lif, dialect: snntorch, beta: 0.75, reset: %s%s}' % (reset, ', when: next' if reset == 'zero' else ''),
            leaky(lambda d, n, first, reset=reset: rleaky(d, n, first, reset), learn=()), recurrent='one-to-one',
            shift=0.0 if reset == 'none' else 0.2))
    out.append(Case(
        'delta-leaky', 'DeltaLeaky(delta_threshold=0.75, beta=0.75, learn_beta=True)',
        '{model: delta-leaky, dialect: snntorch, beta: 0.75, threshold: 0.75, learn: [beta]}', delta))
    out.append(Case(
        'rleaky-one-learn', 'RLeaky(beta=0.75, V=each, all_to_all=False)',
        '{model: lif, dialect: snntorch, beta: 0.75}', recurrent_layers(snn.RLeaky, snn.Leaky, Each, V=0.5, all_to_all=False, beta=0.75),
        recurrent='trained one-to-one'))
    out.append(Case(
        'rleaky-conv', 'RLeaky(beta=0.75, all_to_all=True, conv2d_channels=2, kernel_size=3)',
        '{model: lif, dialect: snntorch, beta: 0.75}',
        recurrent_layers(snn.RLeaky, snn.Leaky, Kernels, conv2d_channels=common.CHANNELS, kernel_size=3, beta=0.75),
        recurrent='conv', level=0.75, weight=0.5, shift=0.1))
    out.append(Case(
        'rleaky-all', 'RLeaky(beta=0.75, all_to_all=True, linear_features=n)',
        '{model: lif, dialect: snntorch, beta: 0.75}',
        recurrent_layers(snn.RLeaky, snn.Leaky, Weights, linear_features=common.N_HIDDEN, beta=0.75), recurrent='dense'))
    out.append(Case(
        'rsynaptic-all', 'RSynaptic(alpha=0.5, beta=0.75, all_to_all=True, linear_features=n)',
        '{model: cuba-lif, dialect: snntorch, alpha: 0.5, beta: 0.75}',
        recurrent_layers(snn.RSynaptic, snn.Synaptic, Weights, linear_features=common.N_HIDDEN, alpha=0.5, beta=0.75),
        recurrent='dense', shift=0.15))
    return out


def delta(distance):
    layers = []
    for n in (common.N_HIDDEN, common.N_OUT):
        neuron = snn.DeltaLeaky(delta_threshold=0.75, beta=0.75, learn_beta=True, spike_grad=grad(distance))
        held = {'m': (None, None)}

        def layer(current, neuron=neuron, held=held):
            s, held['m'] = neuron(current, held['m'])
            return s, held['m'][0]
        layer.learn = {'beta': neuron.beta}
        layers.append(layer)
    return layers


def rleaky(d, n, first, reset):
    return snn.RLeaky(beta=0.75, V=0.5 if first else 0.0, all_to_all=False, learn_recurrent=False, reset_mechanism=reset,
                      spike_grad=grad(d))


class Weights(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.weights = weights

    def forward(self, s):
        return common.linear(s, *self.weights)


class Kernels(Weights):
    def forward(self, s):
        return common.convolution(s, *self.weights)


class Each(Weights):
    def forward(self, s):
        return s * self.weights[0]


def recurrent_layers(make, plain, drawn, **given):
    """The peer's own recurrent class with the drawn weights for its own; common.run adds nothing."""
    def build(distance):
        neuron = make(spike_grad=grad(distance), **given)
        held = {}

        def first(current, weights):
            neuron.recurrent = drawn(weights)
            out = neuron(current, *held['s']) if held else neuron(current)
            held['s'] = out
            return out[0], out[-1]
        first.own_recurrence = True
        kept = {k: v for k, v in given.items() if k in ('alpha', 'beta')}
        second = leaky(lambda d, n, f: plain(spike_grad=grad(d), **kept))(distance)[1]
        return [first, second]
    return build


if __name__ == '__main__':
    common.record('snntorch', {'snntorch': '1.0.0', 'torch': torch.__version__.split('+')[0]}, cases())
