"""norse_cases.py: records norse.npz and norse.json from Norse 1.1.0 (torch 2.15.0, CPU): its functional
steps, which its cells call. dt is Norse's 0.001 s.

    python3 -m venv v && v/bin/pip install torch norse==1.1.0 numpy
    v/bin/python tests/oracles/peers/norse_cases.py
"""
import warnings

warnings.filterwarnings('ignore')

import torch
import norse.torch.functional as F
from norse.torch.functional import (coba_lif, iaf, izhikevich, leaky_integrator, lif, lif_adex, lif_box,
                                    lif_ex, lif_refrac, lsnn)
from norse.torch.functional import reset as resets
from norse.torch.functional import threshold as threshold_file

import common
from common import Case

MODULES = [iaf, lif, lif_box, lif_ex, lif_adex, lsnn, izhikevich, coba_lif]
ORIGINAL = threshold_file.threshold
# a refractory test is no distance to the threshold: lif_refrac keeps the function as it is


def watched(distance):
    def inner(x, *rest):
        distance.see(x)
        return ORIGINAL(x, *rest)
    for module in MODULES:
        module.threshold = ORIGINAL if distance.native else inner


def steps(step, start, parameters, membrane=lambda s: s.v, adjoint=None):
    """step(input, state, parameters) -> (spikes, state); start(n) -> the state at rest"""
    def build(distance):
        watched(distance)
        layers = []
        for n in (common.N_HIDDEN, common.N_OUT):
            held = {'s': start(torch.zeros(common.B, n))}

            def layer(current, held=held):
                z, held['s'] = step(current, held['s'], parameters)
                return z, membrane(held['s'])
            layers.append(layer)
        return layers
    return build


def p_(**given):
    return {k: torch.tensor(v) if isinstance(v, float) and k != 'alpha' else v for k, v in given.items()}


def cases():
    out = []
    box = lif_box.LIFBoxParameters
    for name, method in (('value', resets.reset_value), ('subtract', resets.reset_subtract)):
        p = box(**p_(tau_mem_inv=400.0), method='super', alpha=10.0, reset_method=method)
        out.append(Case(
            'lif-box-' + name, 'lif_box_feed_forward_step(tau_mem_inv=400, alpha=10, reset_%s)' % name,
            '{model: lif, dialect: norse, tau: 2.5, reset: %s, surrogate: fast-sigmoid, slope: 1}' % ('zero' if name == 'value' else name),
            steps(lif_box.lif_box_feed_forward_step, lambda z: lif_box.LIFBoxFeedForwardState(z), p),
            level=3, shift=0.5, weight=1.4))
    for name, ours, method, alpha in (
            ('super', 'fast-sigmoid, slope: 1', 'super', 100.0),
            ('triangle', 'piecewise-linear, slope: 0.3', 'triangle', 0.3),
            ('tanh', 'tanh, slope: 2', 'tanh', 2.0),
            ('circ', 'circ, slope: 0.5', 'circ', 0.5),
            ('heavi-erfc', 'erfc, slope: 2', 'heavi_erfc', 2.0)):
        p = box(**p_(tau_mem_inv=400.0), method=method, alpha=torch.tensor(alpha))
        out.append(Case(
            'lif-box-surrogate-' + name, "lif_box_feed_forward_step(tau_mem_inv=400, method='%s', alpha=%g)" % (method, alpha),
            '{model: lif, dialect: norse, tau: 2.5, reset: zero, surrogate: %s}' % ours,
            steps(lif_box.lif_box_feed_forward_step, lambda z: lif_box.LIFBoxFeedForwardState(z), p),
            level=3, shift=0.5, weight=1.4))
    p = box(**p_(tau_mem_inv=250.0, v_leak=0.25, v_th=0.75, v_reset=-0.25), method='super', alpha=10.0)
    out.append(Case(
        'lif-box-leak-value', 'lif_box_feed_forward_step(tau_mem_inv=250, v_leak=0.25, v_th=0.75, v_reset=-0.25)',
        '{model: lif, dialect: norse, tau: 4, rest: 0.25, threshold: 0.75, reset: value, reset_value: -0.25, surrogate: fast-sigmoid, slope: 1}',
        steps(lif_box.lif_box_feed_forward_step, lambda z: lif_box.LIFBoxFeedForwardState(z), p),
        level=3, shift=0.5, weight=1.4))
    p = iaf.IAFParameters(method='super', alpha=10.0)
    out.append(Case('iaf', 'iaf_feed_forward_step(alpha=10)',
                    '{model: if, dialect: norse, reset: zero, surrogate: fast-sigmoid, slope: 1}',
                    steps(iaf.iaf_feed_forward_step, lambda z: iaf.IAFFeedForwardState(z), p), shift=0.15))
    current = dict(level=2.5, shift=0.5, weight=1.4)
    p = lif.LIFParameters(method='super', alpha=10.0)
    out.append(Case('lif', 'lif_feed_forward_step(alpha=10)',
                    '{model: cuba-lif, dialect: norse, reset: zero, surrogate: fast-sigmoid, slope: 1}',
                    steps(lif.lif_feed_forward_step, lambda z: lif.LIFFeedForwardState(z, z), p), **current))
    out.append(Case('lif-recurrent', 'lif_step(alpha=10): LIFRecurrentCell, autapses and all; detached resets',
                    '{model: cuba-lif, dialect: norse, reset: zero, detach: true, surrogate: fast-sigmoid, slope: 1}',
                    recurrent(lif.lif_step, lambda z: lif.LIFState(z, z, z), p), recurrent='dense', bias_recurrent=False, **current))
    p = lif_refrac.LIFRefracParameters(lif=p, rho_reset=torch.tensor(2.0))
    out.append(Case('lif-refractory', 'lif_refrac_feed_forward_step(alpha=10, rho_reset=2)',
                    None,
                    steps(lif_refrac.lif_refrac_feed_forward_step, lambda z: lif_refrac.LIFRefracFeedForwardState(
                        lif.LIFFeedForwardState(z, z), z.clone()), p, membrane=lambda s: s.lif.v),
                    note='holds the membrane of the step before while refractory, and differentiates the count',
                    **current))
    p = lsnn.LSNNParameters(**p_(tau_adapt_inv=100.0, beta=0.5), method='super', alpha=10.0)
    out.append(Case('lsnn', 'lsnn_feed_forward_step(tau_adapt_inv=100, beta=0.5, alpha=10), b from 1',
                    '{model: alif, dialect: norse, tau_adapt: 10, beta: 0.5}',
                    steps(lsnn.lsnn_feed_forward_step, lambda z: lsnn.LSNNFeedForwardState(z, z, z + 1), p),
                    **current))
    out.append(Case('lsnn-recurrent', 'lsnn_step(tau_adapt_inv=100, beta=0.5, alpha=10), b from 1: LSNNRecurrentCell, autapses and all',
                    '{model: alif, dialect: norse, tau_adapt: 10, beta: 0.5, detach: true}',
                    recurrent(lsnn.lsnn_step, lambda z: lsnn.LSNNState(z, z, z, z + 1), p),
                    recurrent='dense', bias_recurrent=False, **current))
    p = lif_ex.LIFExParameters(method='super', alpha=10.0)
    out.append(Case('lif-ex', 'lif_ex_feed_forward_step(alpha=10)', '{model: eif, dialect: norse}',
                    steps(lif_ex.lif_ex_feed_forward_step, lambda z: lif_ex.LIFExFeedForwardState(z, z), p),
                    level=2.5, shift=0.4, weight=1.2))
    out.append(Case('lif-ex-recurrent', 'lif_ex_step(alpha=10): LIFExRecurrentCell, autapses and all',
                    '{model: eif, dialect: norse}',
                    recurrent(lif_ex.lif_ex_step, lambda z: lif_ex.LIFExState(z, z, z), p),
                    level=2.5, shift=0.4, weight=1.2, recurrent='dense', bias_recurrent=False))
    p = lif_adex.LIFAdExParameters(method='super', alpha=10.0)
    out.append(Case('lif-adex', 'lif_adex_feed_forward_step(alpha=10)', '{model: adex, dialect: norse}',
                    steps(lif_adex.lif_adex_feed_forward_step,
                          lambda z: lif_adex.LIFAdExFeedForwardState(z, z, z), p),
                    level=2.5, shift=0.4, weight=1.2))
    p = izhikevich.IzhikevichParameters(a=0.02, b=0.2, c=-65.0, d=8.0, tau_inv=250.0, method='super', alpha=1.0)
    out.append(Case('izhikevich', 'izhikevich_feed_forward_step(a=0.02, b=0.2, c=-65, d=8, tau_inv=250, alpha=1), v from -70, u from -14',
                    '{model: izhikevich, dialect: norse, surrogate: k/(1+abs(k*x))^2, slope: 95}',
                    steps(izhikevich.izhikevich_feed_forward_step,
                          lambda z: izhikevich.IzhikevichState(z - 70, z - 14), p),
                    level=90, shift=0.6, weight=60, dt=0.25,
                    note='our surrogate sees the distance by |peak - c|, 95'))
    return out


def recurrent(step, start, p):
    """step(input, state, input weights, recurrent weights, parameters)"""
    def build(distance):
        watched(distance)
        layers = []
        for n in (common.N_HIDDEN, common.N_OUT):
            held = {'s': start(torch.zeros(common.B, n))}

            def layer(current, weights=(torch.zeros(n, n),), n=n, held=held):
                z, held['s'] = step(current, held['s'], torch.eye(n), weights[0], p)
                return z, held['s'].v
            layers.append(layer)
        layers[0].own_recurrence = True
        return layers
    return build


if __name__ == '__main__':
    common.record('norse', {'norse': '1.1.0', 'torch': torch.__version__.split('+')[0]}, cases())
