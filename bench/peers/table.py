"""table.py: which peers a task has, statistics, and the tables that are written. Standard library only:
without the peers' environment our half still runs."""

# SpikingJelly takes the reset off in the step of the spike and lets the gradient through it; the
# engine then does the same: keys of its recipe for that peer
JELLY = ('neuron.dialect=spikingjelly', 'neuron.reset=subtract', 'neuron.tau=0', 'neuron.scaled=false',
         'neuron.surrogate=atan', 'neuron.slope=2')
# Norse too, to 0, with a surrogate of its own; its input counts 1/tau, and so does the threshold here
NORSE = ('neuron.dialect=norse', 'neuron.reset=zero', 'neuron.beta=0', 'neuron.tau=20', 'neuron.threshold=0.05',
         'neuron.surrogate=fast-sigmoid', 'neuron.slope=1')
ALL = {'snntorch': (), 'spikingjelly': JELLY, 'torch-best': ()}
WITH_NORSE = dict(ALL, norse=NORSE)
# it takes v - v/tau: with tau 16 that rounds as our beta v does, so no spike of millions hangs on it
LAYER = dict(WITH_NORSE, spikingjelly=JELLY + ('neuron.beta=0.9375',))
# other equations, so no spikes are compared: steps of 1 ms, nothing shown again
STDP_STEPS = 250
STDP = {'bindsnet': ('code.steps=%d' % STDP_STEPS, 'code.step=1', 'code.duration=0', 'code.least=0')}

# task: (peers, warm-ups, timed runs, floats kept for a parameter: value, gradient, moments)
TASKS = {
    'fc': (WITH_NORSE, 5, 21, 4),
    'fc-rate': (WITH_NORSE, 5, 21, 4),
    'conv': (ALL, 3, 10, 4),
    'csnn': ({'spikingjelly': (), 'torch-best': ()}, 3, 10, 3),
    'recurrent': ({'snntorch': (), 'torch-best': ()}, 3, 10, 4),
    'layer-512': (LAYER, 3, 10, 2),
    'layer-1024': (LAYER, 3, 10, 2),
    'layer-2048': (LAYER, 3, 10, 2),
    'layer-4096': (LAYER, 3, 10, 2),
    'layer-1024-input': (LAYER, 3, 10, 2),
    # not Norse: through its reset the gradients of 500 steps grow to 5e24 here, and beyond float32 there
    'layer-1024-20': ({peer: keys for peer, keys in LAYER.items() if peer != 'norse'}, 3, 10, 2),
    'layer-1024-5': (LAYER, 3, 10, 2),
    'layer-1024-1': (LAYER, 3, 10, 2),
    'inference': ({'spikingjelly': (), 'torch-best': ()}, 5, 21, 1),
    'stream': ({'snntorch': (), 'torch-best': ()}, 3, 10, 1),
    'stdp-100': (STDP, 3, 10, 1),
    'stdp-400': (STDP, 3, 10, 1),
}
PEERS = sorted({peer for row in TASKS.values() for peer in row[0]})
SINGLE = ('stream', 'stdp-100', 'stdp-400') # on one thread: their steps are too short for more
MOST_SPIKES = 1e-4   # share that may differ
MOST_GRADIENT = 1e-3 # norm of the difference by the array's norm, of the worst array


def maker(task, peer):
    """the function of tasks.py"""
    return '%s_%s' % ({'fc-rate': 'fc'}.get(task, task.split('-')[0]), peer.split('-')[-1])


def unequal(found):
    """why both may not be compared; '': they may. found: of a check, {} where there is none"""
    if found.get('differ', 0) <= MOST_SPIKES and found.get('gradient', 0) <= MOST_GRADIENT:
        return ''
    return 'NOT EQUAL, not timed: spikes %.1e, gradients %.1e' % (found['differ'], found['gradient'])


def quantile(values, q):
    """the q-quantile, between neighbours in a straight line"""
    v = sorted(values)
    at = q * (len(v) - 1)
    low = int(at)
    return v[low] + (at - low) * (v[min(low + 1, len(v) - 1)] - v[low])


def spread(values):
    return {'median': quantile(values, 0.5), 'p10': quantile(values, 0.1), 'p90': quantile(values, 0.9)}


def summary(task, peer, check, turns, mb):
    """turns: [(our ms, floor's ms, the peer's ms)], one pair each; mb: ours, the peer's, and what both
    must keep: parameters, gradients, moments"""
    ours, floor, theirs = zip(*turns)
    kept = mb[2]
    return {'task': task, 'peer': peer, 'runs': len(turns), 'ours_ms': spread(ours), 'peer_ms': spread(theirs),
            'ratio': spread([t / o for o, f, t in turns]), 'floor_ms': quantile(floor, 0.5),
            'over_floor': spread([o / f for o, f, t in turns]), 'ours_mb': mb[0], 'peer_mb': mb[1],
            'kept_mb': kept, 'memory_ratio': (mb[1] - kept) / max(mb[0] - kept, 1e-3), **check}


def alone(task, turns, mb):
    """our half"""
    ours, floor, _ = zip(*turns)
    return {'task': task, 'peer': None, 'runs': len(turns), 'ours_ms': spread(ours), 'peer_ms': None, 'ratio': None,
            'floor_ms': quantile(floor, 0.5), 'over_floor': spread([o / f for o, f, t in turns]), 'ours_mb': mb,
            'peer_mb': None}


def fastest(rows):
    """of each task, the row of the peer that took least time, in the tasks' order"""
    best = {}
    for row in rows:
        if 'ratio' in row and row['ratio'] is not None:
            if row['task'] not in best or row['peer_ms']['median'] < best[row['task']]['peer_ms']['median']:
                best[row['task']] = row
    return best


def number(x):
    return '–' if x is None else '%.3g' % x if x < 100 else '%.0f' % x


def cells(row, first):
    name = '**%s**' % row['task'] if first else row['task']
    note = row.get('note', '')
    if 'differ' in row and not unequal(row):
        note = 'spikes %.1e, gradients %.1e' % (row['differ'], row['gradient'])
    if 'ours_ms' not in row:
        return [name, row['peer'] or '–'] + ['–'] * 7 + [note]
    r, over = row['ratio'], row['over_floor']
    return [name, row['peer'] or '–', number(row['ours_ms']['median']),
            number(row['peer_ms'] and row['peer_ms']['median']),
            '–' if r is None else '%s (%s to %s)' % tuple(number(r[k]) for k in ('median', 'p10', 'p90')),
            number(row['floor_ms']), number(over['median']), number(row['ours_mb']), number(row['peer_mb']), note]


HEAD = ['task', 'peer', 'ours ms', 'peer ms', 'peer ÷ ours (10 % to 90 %)', 'floor ms', '÷ floor', 'ours MB',
        'peer MB', 'differ']


def markdown(rows, machine, command):
    """bench/RESULTS.md"""
    best = fastest(rows)
    lines = ['# Beside other frameworks', '', 'Made by `%s`.' % command, '']
    lines += ['* %s: %s' % (k, v) for k, v in machine.items()]
    lines += ['', 'Both sides compute the same before they are timed: `differ` tells the share of spikes that differ '
              '(at most 1e-4) and', 'the norm of a gradient\'s difference by its own, of the worst array (at most '
              '1e-3). Times are medians of turns A B A B;', 'the ratio is taken pair by pair. Bold: the fastest '
              'peer. MB: peak resident size less the size after loading.', '[docs/bench.md](../docs/bench.md) says '
              'how all of it is measured.', '', '| ' + ' | '.join(HEAD) + ' |', '|' + '---|' * len(HEAD)]
    lines += ['| ' + ' | '.join(cells(row, best.get(row['task']) is row)) + ' |' for row in rows]
    return '\n'.join(lines) + '\n'
