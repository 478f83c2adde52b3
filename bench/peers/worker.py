"""worker.py check|turns TASK PEER FILE.npz THREADS: one peer in a process of its own.
check: a line of JSON, how far its spikes and gradients are from the engine's in FILE.
turns: "ready", then for each line read a run, and its milliseconds and bytes of memory in a line."""
import ctypes
import gc
import json
import re
import sys
import time
import warnings

import numpy as np
import torch

import table

warnings.filterwarnings('ignore')


def load(file):
    arrays = np.load(file)
    made = {k: torch.from_numpy(np.ascontiguousarray(arrays[k])) for k in arrays.files}
    made['label'] = made['label'].long()
    made['input'] = made['input'].float()
    return made


def build(task, peer, a):
    import tasks
    if task.startswith('stdp-'):
        a['neurons'] = int(task.split('-')[1])
    training = getattr(tasks, table.maker(task, peer))(a)
    training.take(a)
    return training


def check(task, peer, a):
    spikes, grads = build(task, peer, a).look()
    ours = [k for k in a if k.startswith('s.')]
    assert len(ours) == len(spikes), 'the peer shows %d layers of neurons, ours has %d' % (len(spikes), len(ours))
    layers = [float((a[k].float() != s).float().mean()) for k, s in zip(ours, spikes)]
    differ = sum(int((a[k].float() != s).sum()) for k, s in zip(ours, spikes))
    wanted = [k for k in a if k.startswith('g.')]
    assert len(wanted) == len(grads), 'the peer has %d gradients, ours has %d' % (len(grads), len(wanted))
    off, most = {}, 0.0
    for k, g in zip(wanted, grads):
        d = a[k].reshape(g.shape) - g
        off[k[2:]] = float(d.norm() / g.norm().clamp(min=1e-30))
        most = max(most, float(d.abs().max() / g.abs().max().clamp(min=1e-30)))
    parameters = sum(a[k].numel() for k in a if k.startswith('p.'))
    return {'parameters': parameters, 'differ': differ / sum(s.numel() for s in spikes), 'differ_layers': layers,
            'rates': [float(s.mean()) for s in spikes],
            'gradient': max(off.values(), default=0.0), 'gradient_most': most, 'gradients': off}


def size(key):
    return int(re.search(key + r':\s+(\d+)', open('/proc/self/status').read()).group(1)) * 1024


def loaded():
    """The size now; the peak counts from here on. What the allocator holds free goes back first."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    open('/proc/self/clear_refs', 'w').write('5')
    return size('VmRSS')


def turns(make):
    make().run()  # compiles, and loads what a library loads late: no memory of the task
    before = loaded()
    training = make()
    print('ready', flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        training.run()
        ms = 1e3 * (time.perf_counter() - began) / training.parts
        print('%.9g %d' % (ms, size('VmHWM') - before), flush=True)


def main():
    what, task, peer, file, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    a = load(file)
    if what == 'check':
        print(json.dumps(check(task, peer, a)))
    else:
        turns(lambda: build(task, peer, a))


if __name__ == '__main__':
    main()
