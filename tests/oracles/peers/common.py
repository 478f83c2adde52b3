"""common.py: what the recording scripts share: a small net of a peer's neurons, run and
differentiated in float32 on one thread, and written as PEER.npz (numbers) and PEER.json (what each
case is, and the net of ours that it corresponds to).

The net: dense 4 -> 5 with bias, neurons, dense 5 -> 3 with bias, neurons; T steps of B samples. With
recurrence, dense 5 -> 5 (and a bias where the peer has one), or a weight for each, from the first
neurons' spikes of the step before into the first neurons. With convolutional recurrence the input is
an image 1 x 3 x 4, the first layer and the recurrence are convolutions of kernel 3 to 2 channels of the
same size, and the second is dense 24 -> 3. Membranes are those that the peer shows after a step. The loss is
sum(gout * output spikes) + sum(greadout * output membranes), both of a fixed pattern (see pattern()).

Weights, inputs and loss are drawn until both layers fire in between 10 % and 90 % of all places and
no neuron of any step is nearer to its threshold than MARGIN: equality is no luck then. The least
distance is kept with each case.
"""
import json
import os

import numpy as np
import torch

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

T, B, N_IN, N_HIDDEN, N_OUT = 12, 2, 4, 5, 3
IMAGE, CHANNELS = (1, 3, 4), 2 # of convolutional recurrence
MARGIN = 1e-3
HERE = os.path.dirname(os.path.abspath(__file__))


def pattern(shape, step, modulus, scale):
    """element i of the flat array: ((i * step) mod modulus - modulus // 2) * scale"""
    i = np.arange(int(np.prod(shape)))
    values = ((i * step) % modulus - modulus // 2) * scale
    return torch.tensor(values.reshape(shape).astype(np.float32))


class Distance:
    """Wraps a peer's spike function and keeps the least |x| that it was asked for; native: leaves the
    function as it is, for the run whose numbers are kept (some peers have faster paths for functions
    that they know)."""

    def __init__(self, native=False):
        self.least = np.inf
        self.native = native

    def see(self, x):
        self.least = min(self.least, float(x.detach().abs().min()))

    def around(self, function):
        if self.native:
            return function

        def inner(x, *rest):
            self.see(x)
            return function(x, *rest)
        return inner


class Case:
    """name; peer: how the peer was called; neuron: our options, a YAML flow map (EACH: numbers one by
    one, in `note`), None: nothing of ours is the same, `note` says why; dt: our step [ms];
    below: a bound that the shown membranes stay under (snnTorch's undelayed reset resets again where
    what it left is above the threshold); above: one that some are above;
    build(distance) -> two layers, each a function (current, last spikes) -> (spikes, membrane) with
    its learnable parameters in .learn {our name: tensor}; recurrent: 'dense', 'one-to-one',
    'trained one-to-one', 'conv', ''."""

    def __init__(self, name, peer, neuron, build, recurrent='', bias_recurrent=True, readout=True,
                 level=1.5, weight=0.9, shift=0.25, note='', dt=1, below=np.inf, above=-np.inf):
        self.__dict__.update(locals())


def draw(case, seed):
    rng = np.random.default_rng(seed)
    f = lambda *shape: rng.standard_normal(shape).astype(np.float32)
    # inputs and weights on grids of 1/64 and 1/256: they pack well, and are exact
    grid = lambda a, g: np.round(a * g) / g
    conv = case.recurrent == 'conv'
    n_in, n_hidden = (12, CHANNELS * 12) if conv else (N_IN, N_HIDDEN)
    first = (CHANNELS, 1, 3, 3) if conv else (N_HIDDEN, N_IN)
    a = {'x': grid(rng.random((T, B, n_in)).astype(np.float32) * case.level, 64),
         'w1': grid(f(*first) * case.weight * 0.7 + case.shift, 256),
         'b1': grid(f(first[0]) * 0.1, 256),
         'w2': grid(f(N_OUT, n_hidden) * case.weight + case.shift * 1.6, 256),
         'b2': grid(f(N_OUT) * 0.1, 256)}
    if case.recurrent == 'dense':
        a['wr'] = grid(f(N_HIDDEN, N_HIDDEN) * 0.4, 256)
        if case.bias_recurrent:
            a['br'] = grid(f(N_HIDDEN) * 0.1, 256)
    if case.recurrent == 'trained one-to-one':
        a['wr'] = grid(f(N_HIDDEN) * 0.4, 256)
    if conv:
        a['wr'] = grid(f(CHANNELS, CHANNELS, 3, 3) * 0.2, 256)
        a['br'] = grid(f(CHANNELS) * 0.1, 256)
    return {k: torch.tensor(v.astype(np.float32), requires_grad=True) for k, v in a.items()}


def linear(x, w, b=None):
    return torch.nn.functional.linear(x, w, b)


def convolution(x, w, b):
    return torch.nn.functional.conv2d(x, w, b, padding=1)


def run(case, seed, native=False):
    distance = Distance(native)
    a = draw(case, seed)
    layers = case.build(distance)
    spikes, membranes = ([], []), ([], [])
    last = torch.zeros(B, N_HIDDEN)
    for t in range(T):
        if case.recurrent == 'conv':
            current = convolution(a['x'][t].view(B, *IMAGE), a['w1'], a['b1'])
        else:
            current = linear(a['x'][t], a['w1'], a['b1'])
        if getattr(layers[0], 'own_recurrence', False): # a recurrent class of the peer's own
            last, v = layers[0](current, (a['wr'], a.get('br')))
        else:
            if case.recurrent == 'dense':
                current = current + linear(last, a['wr'], a.get('br'))
            last, v = layers[0](current)
        spikes[0].append(last)
        membranes[0].append(v)
        s, v = layers[1](linear(last.flatten(1), a['w2'], a['b2']))
        spikes[1].append(s)
        membranes[1].append(v)
    out = {'s1': torch.stack(spikes[0]), 's2': torch.stack(spikes[1]),
           'v1': torch.stack(membranes[0]), 'v2': torch.stack(membranes[1])}
    loss = (out['s2'] * pattern(out['s2'].shape, 7, 11, 1 / 8)).sum()
    if case.readout:
        loss = loss + (out['v2'] * pattern(out['v2'].shape, 5, 13, 1 / 16)).sum()
    learned = {}
    for i, layer in enumerate(layers):
        for name, tensor in getattr(layer, 'learn', {}).items():
            learned['g.%d.%s' % (i + 1, name)] = tensor
    wanted = dict({'g.' + k: v for k, v in a.items()}, **learned)
    grads = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)
    for (k, v), g in zip(wanted.items(), grads):
        out[k] = torch.zeros_like(v) if g is None else g
    return dict(a, **out), distance.least


def fits(case, arrays, least):
    highest = max(float(arrays[k].detach().max()) for k in ('v1', 'v2'))
    if not least > MARGIN or not case.above < highest < case.below:
        return False
    for k in ('s1', 's2'):
        rate = float((arrays[k] != 0).float().mean())
        if not 0.1 <= rate <= 0.9:
            return False
    # a learned number's gradient is one sum: not one that cancels, of which rounding is left
    learned = [float(v.detach().abs().max()) for k, v in arrays.items() if k.startswith(('g.1.', 'g.2.'))]
    if learned and min(learned) < 0.02 * max(learned):
        return False
    finite = all(bool(torch.isfinite(v).all()) for v in arrays.values())
    return finite and float(arrays['g.w1'].abs().max()) > 1e-6


def record(peer, versions, cases):
    """Each case is one float32 vector, its arrays one after another in the order of `arrays`."""
    numbers, entries = {}, []
    for case in cases:
        for seed in range(4000):
            arrays, least = run(case, seed)
            if fits(case, arrays, least):
                seen, arrays = arrays, run(case, seed, native=True)[0]
                assert torch.equal(seen['s1'], arrays['s1']) and torch.equal(seen['s2'], arrays['s2'])
                break
        else:
            raise SystemExit('%s: no weights found' % case.name)
        flat = [v.detach().numpy().astype(np.float32) for v in arrays.values()]
        numbers[case.name] = np.concatenate([v.ravel() for v in flat])
        entries.append({'name': case.name, 'peer': case.peer, 'neuron': case.neuron,
                        'dt': case.dt, 'recurrent': case.recurrent, 'readout': case.readout, 'seed': seed,
                        'distance': float('%.3g' % least), 'note': case.note,
                        'arrays': [[k, list(v.shape)] for k, v in zip(arrays, flat)]})
        print('%-44s seed %4d distance %.2g' % (case.name, seed, least))
    write(peer, numbers)
    with open(os.path.join(HERE, peer + '.json'), 'w') as f:
        f.write('{"versions": %s,\n "cases": [\n' % json.dumps(versions))
        f.write(',\n'.join('  ' + json.dumps(e) for e in entries))
        f.write('\n]}\n')


def write(name, arrays):
    """As np.savez_compressed, with a fixed date: the same numbers give the same file."""
    import io
    import zipfile
    with zipfile.ZipFile(os.path.join(HERE, name + '.npz'), 'w') as z:
        for key, value in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(value), version=(1, 0))
            info = zipfile.ZipInfo(key + '.npy', (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, data.getvalue(), compresslevel=9)
