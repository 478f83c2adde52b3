"""spikingjelly_cases.py: records spikingjelly.npz and spikingjelly.json from SpikingJelly 2.0.0 (torch
2.15.0, CPU), step by step.

    python3 -m venv v && v/bin/pip install torch spikingjelly==2.0.0 numpy
    v/bin/python tests/oracles/peers/spikingjelly_cases.py
"""
import math

import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate

import common
from common import Case


class Seen(torch.nn.Module):
    """A surrogate that tells the distances it saw."""

    def __init__(self, distance, function):
        super().__init__()
        self.distance, self.function = distance, function
        self.spiking = True

    def forward(self, x):
        self.distance.see(x)
        return self.function(x)


def grad(distance, function=None):
    function = function or surrogate.Sigmoid()
    return function if distance.native else Seen(distance, function)


def nodes(make, learn=()):
    """make(surrogate) -> a node; learn: {our name: its attribute}"""
    learn = dict(learn)

    def build(distance):
        layers = []
        for n in (common.N_HIDDEN, common.N_OUT):
            node = make(lambda function=None: grad(distance, function), n)

            def step(current, node=node):
                return node(current), node.v
            step.learn = {ours: getattr(node, theirs) for ours, theirs in learn.items()}
            layers.append(step)
        return layers
    return build


def cases():
    out = []
    resets = (('zero', 0.0, 'reset: zero'), ('subtract', None, 'reset: subtract'),
              ('value', -0.25, 'reset: value, reset_value: -0.25, start: -0.25'))
    for name, v_reset, ours in resets:
        for detach in (False, True):
            out.append(Case(
                'if-%s%s' % (name, '-detach' if detach else ''),
                'IFNode(v_reset=%s, detach_reset=%s)' % (v_reset, detach),
                '{model: if, dialect: spikingjelly, %s, detach: %s}' % (ours, str(detach).lower()),
                nodes(lambda g, n, r=v_reset, d=detach: neuron.IFNode(
                    v_reset=r, detach_reset=d, surrogate_function=g())), shift=0.15))
    for name, v_reset, ours in resets:
        for detach in (False, True):
            for decay in (True, False):
                out.append(Case(
                    'lif-%s%s-%s' % (name, '-detach' if detach else '', 'decay-input' if decay else 'raw-input'),
                    'LIFNode(tau=2.0, decay_input=%s, v_reset=%s, detach_reset=%s)' % (decay, v_reset, detach),
                    '{model: lif, dialect: spikingjelly, tau: 2, scaled: %s, %s, detach: %s}' % (str(decay).lower(), ours + (', rest: -0.25' if name == 'value' else ''), str(detach).lower()),
                    nodes(lambda g, n, r=v_reset, d=detach, i=decay: neuron.LIFNode(
                        tau=2.0, decay_input=i, v_reset=r, detach_reset=d, surrogate_function=g())),
                    level=3.0 if decay else 1.5, shift=0.45 if decay else 0.25, weight=1.4 if decay else 0.9))
    out.append(Case(
        'lif-tau-threshold', 'LIFNode(tau=4.0, v_threshold=0.75, v_reset=None)',
        '{model: lif, dialect: spikingjelly, tau: 4, threshold: 0.75, reset: subtract}',
        nodes(lambda g, n: neuron.LIFNode(tau=4.0, v_threshold=0.75, v_reset=None, surrogate_function=g())),
        level=3.0, shift=0.6, weight=1.4))
    for name, ours, function in (
            ('piecewise-quadratic', 'piecewise-quadratic', surrogate.PiecewiseQuadratic()),
            ('piecewise-quadratic-2', 'piecewise-quadratic, slope: 2', surrogate.PiecewiseQuadratic(2.0)),
            ('piecewise-exp', 'piecewise-exponential', surrogate.PiecewiseExp()),
            ('sigmoid-2', 'sigmoid, slope: 2', surrogate.Sigmoid(2.0)),
            ('soft-sign', 'soft-sign', surrogate.SoftSign()),
            ('super-spike', 'super-spike', surrogate.SuperSpike()),
            ('atan', 'atan', surrogate.ATan()),
            ('nonzero-sign-log-abs', 'nonzero-sign-log-abs', surrogate.NonzeroSignLogAbs()),
            ('erf', 'erf', surrogate.Erf()),
            ('piecewise-leaky-relu', 'piecewise-leaky-relu', surrogate.PiecewiseLeakyReLU()),
            ('squarewave-fourier-series', 'squarewave-fourier', surrogate.SquarewaveFourierSeries()),
            ('squarewave-fourier-series-4', 'squarewave-fourier, slope: 6, shape: 4', surrogate.SquarewaveFourierSeries(4, 6)),
            ('s2nn', 's2nn', surrogate.S2NN()),
            ('q-pseudo-spike', 'q-pseudo-spike', surrogate.QPseudoSpike()),
            ('leaky-k-relu', 'leaky-k-relu, shape: 0.1', surrogate.LeakyKReLU(0.1, 1.0)),
            ('fake-numerical-gradient', 'fake-numerical-gradient', surrogate.FakeNumericalGradient()),
            ('log-tailed-relu', 'log-tailed-relu, shape: 0.2', surrogate.LogTailedReLU(0.2)),
            ('deterministic-pass', 'straight-through', surrogate.DeterministicPass()),
            ('rect', 'rectangular, slope: 2', surrogate.Rect())):
        out.append(Case(
            'lif-surrogate-' + name, 'LIFNode(tau=2.0, decay_input=False, surrogate_function=%s)' % name,
            '{model: lif, dialect: spikingjelly, tau: 2, scaled: false, surrogate: %s}' % ours,
            nodes(lambda g, n, f=function: neuron.LIFNode(tau=2.0, decay_input=False,
                                                         surrogate_function=g(f)))))
    for decay in (True, False):
        for name, v_reset, ours in resets[:2]:
            out.append(Case(
                'plif-%s-%s' % (name, 'decay-input' if decay else 'raw-input'),
                'ParametricLIFNode(init_tau=2.5, decay_input=%s, v_reset=%s)' % (decay, v_reset),
                '{model: plif, dialect: spikingjelly, w: -0.40546510810816444, learn: [w], scaled: %s, %s}' % (str(decay).lower(), ours),
                nodes(lambda g, n, i=decay, r=v_reset: neuron.ParametricLIFNode(
                    init_tau=2.5, decay_input=i, v_reset=r, surrogate_function=g()), {'w': 'w'}),
                level=3.0 if decay else 1.5, shift=0.5 if decay else 0.25, weight=1.4 if decay else 0.9))
    for scale in (False, True):
        for name, v_reset, ours in resets[:2]:
            def klif(g, n, s=scale, r=v_reset):
                node = neuron.KLIFNode(scale_reset=s, tau=2.0, v_reset=r, surrogate_function=g())
                with torch.no_grad():
                    node.k.fill_(1.25)
                return node
            out.append(Case(
                'klif-%s%s' % (name, '-scaled' if scale else ''),
                'KLIFNode(scale_reset=%s, tau=2.0, v_reset=%s), k 1.25' % (scale, v_reset),
                '{model: klif, dialect: spikingjelly, tau: 2, k: 1.25, learn: [k], scale_reset: %s, %s}' % (str(scale).lower(), ours),
                nodes(klif, {'k': 'k'}), level=3.0, shift=0.45, weight=1.4))
    # ours start at rest, the peer's at v_reset: put there
    def at_rest(kind, v, **given):
        def make(g, n):
            node = kind(surrogate_function=g(), **given)
            node.v = v
            return node
        return nodes(make)
    out.append(Case('qif', 'QIFNode(), v from 0',
                    '{model: qif, test: greater-equal, detach: false, surrogate: sigmoid, slope: 4.4}',
                    at_rest(neuron.QIFNode, 0.0), level=3.0, shift=0.5, weight=1.4,
                    note='our surrogate sees the distance by |peak - reset|, 1.1'))
    out.append(Case('eif', 'EIFNode(), v from 0',
                    '{model: eif, rest: 0, rheobase: 0.8, delta: 1, peak: 1, reset: -0.1, tau: 2, decay: euler, detach: false, surrogate: sigmoid, slope: 4.4}',
                    at_rest(neuron.EIFNode, 0.0), level=3.0, shift=0.4, weight=1.4,
                    note='our surrogate sees the distance by |peak - reset|, 1.1'))
    out.append(Case('izhikevich', 'IzhikevichNode(a=0.1, b=0.2), v from -0.1',
                    '{model: izhikevich-2007, dialect: spikingjelly, capacitance: 2, curve: 1, rest: -0.1, threshold: 0.8, peak: 1, c: 0, a: 0.5, b: 0.1, d: 0.2}',
                    at_rest(neuron.IzhikevichNode, -0.1, a=0.1, b=0.2), level=3.0, shift=0.6, weight=1.4))
    for name, v_reset, ours in (('zero', 0.0, ''), ('subtract', None, ', reset: subtract')):
        out.append(Case('raf-' + name, 'RAFNode(b=-0.2, omega=1.0, v_reset=%s)' % v_reset,
                        '{model: resonate-and-fire, dialect: spikingjelly, tau: 5, frequency: %.9g%s}' % (500 / math.pi, ours),
                        nodes(lambda g, n, r=v_reset: neuron.RAFNode(v_reset=r, surrogate_function=g())),
                        level=2.0, shift=0.4))
    out.append(Case('gated-lif', 'GatedLIFNode(T=12), gates 0.3, -0.2, 0.4: its step, gated_lif_step',
                    '{model: glif, dialect: spikingjelly, alpha: 0.3, beta: -0.2, gamma: 0.4, w_tau: %.9g, w_threshold: 0, w_linear: %.9g, w_subtract: 0, w_conduct: 0, learn: [alpha, beta, gamma, w_tau, w_threshold, w_linear, w_subtract, w_conduct]}'
                    % (-math.log(3), -math.log(47)), gated, level=1.5, shift=0.15))
    for name, v_reset, ours in resets[:2]:
        out.append(Case(
            'cubalif-' + name, 'CUBALIFNode(v_reset=%s, surrogate_function=Rect(1.25))' % v_reset,
            '{model: cuba-lif, dialect: spikingjelly, alpha: 0.5, beta: 0.75, threshold: 0.5, surrogate: rectangular, slope: 2.5, %s}' % ours,
            nodes(lambda g, n, r=v_reset: neuron.CUBALIFNode(v_reset=r, surrogate_function=g(surrogate.Rect(1.25)))),
            shift=0.0))
    for name, v_reset, ours in resets[:2]:
        out.append(Case(
            'lif-recurrent-' + name, 'LinearRecurrentContainer(LIFNode(tau=2.0, decay_input=False, v_reset=%s), n, n)' % v_reset,
            '{model: lif, dialect: spikingjelly, tau: 2, scaled: false, %s}' % ours,
            recurrent(v_reset), recurrent='dense', shift=0.2))
    return out


def gated(distance):
    """The node takes a whole window of images and shows no membranes: its step with its parameters."""
    layers = []
    for n in (common.N_HIDDEN, common.N_OUT):
        node = neuron.GatedLIFNode(T=common.T, surrogate_function=grad(distance))
        with torch.no_grad():
            for gate, value in ((node.alpha, 0.3), (node.beta, -0.2), (node.gamma, 0.4)):
                gate.fill_(value)
        # one conductance for all steps
        learn = {'alpha': node.alpha, 'beta': node.beta, 'gamma': node.gamma, 'w_tau': node.tau,
                 'w_threshold': node.v_threshold, 'w_linear': node.linear_decay,
                 'w_subtract': node.v_subreset, 'w_conduct': torch.zeros((), requires_grad=True)}
        held = {'v': torch.zeros(common.B, n), 's': torch.zeros(common.B, n)}

        def step(current, node=node, learn=learn, held=held):
            held['s'], held['v'] = functional.gated_lif_step(
                current, held['v'], held['s'], *(p.sigmoid() for p in learn.values()),
                node.surrogate_function)
            return held['s'], held['v']
        step.learn = learn
        layers.append(step)
    return layers


def recurrent(v_reset):
    """The peer's own container with the drawn weights: its Linear takes [x, y of the step before]."""
    def build(distance):
        def node():
            return neuron.LIFNode(tau=2.0, decay_input=False, v_reset=v_reset, surrogate_function=grad(distance))
        inner, n = node(), common.N_HIDDEN
        box = layer.LinearRecurrentContainer(inner, n, n)
        second = node()

        def first(current, weights):
            class Own(torch.nn.Module):
                def forward(self, xy):
                    return common.linear(xy, torch.cat((torch.eye(n), weights[0]), 1), weights[1])
            box.rc = Own()
            return box(current), inner.v
        first.own_recurrence = True
        return [first, lambda current: (second(current), second.v)]
    return build


if __name__ == '__main__':
    common.record('spikingjelly', {'spikingjelly': '2.0.0', 'torch': torch.__version__.split('+')[0]}, cases())
