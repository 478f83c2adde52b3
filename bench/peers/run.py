#!/usr/bin/env python3
"""run.py: `make bench-peers`: the engine beside other frameworks, on BENCHMARK's tasks.

    bench/peers/run.py --rheobase build/rheobase --python VENV/bin/python [--task NAME]… [--peer NAME]…
                       [--quick | --check] [--threads N] [--json FILE] [--table FILE]

For each task and peer: the engine writes its weights, input, spikes and gradients, the peer computes the
same from them, and where both agree they are timed in turns, each in a process of its own on the same
cores. Needs no package itself; without the peers' environment our half and the floors still run."""
import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time

import table

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


PAUSE = 0.02 # seconds between turns, in which threads that wait for work by turning round go to sleep


class Failed(Exception):
    pass


def say(text):
    print('bench-peers: ' + text, file=sys.stderr, flush=True)


def environment(threads):
    return dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads),
                RHEOBASE_RECIPES=os.path.join(ROOT, 'recipes'))


def start(command, threads, **more):
    cores = sorted(os.sched_getaffinity(0))[:threads]
    return subprocess.Popen(command, cwd=ROOT, env=environment(threads), text=True,
                            preexec_fn=lambda: os.sched_setaffinity(0, cores), **more)


def output_of(command, threads):
    process = start(command, threads, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate()
    if process.returncode:
        raise Failed((err.strip().splitlines() or ['%s: exit %d' % (command[0], process.returncode)])[-1])
    return out


class Side:
    """A process that does a run for each line it reads."""

    def __init__(self, command, threads):
        self.error = tempfile.TemporaryFile('w+')
        self.process = start(command, threads, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.error)
        self.answer('ready')

    def answer(self, want=None):
        line = self.process.stdout.readline().strip()
        if not line or (want and line != want):
            self.process.kill()
            self.process.wait()
            self.error.seek(0)
            raise Failed((self.error.read().strip().splitlines() or ['no answer'])[-1])
        return line

    def run(self):
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        return [float(x) for x in self.answer().split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.error.close()


def sets(keys):
    return [word for key in keys for word in ('--set', key)]


class Bench:
    def __init__(self, options):
        self.o = options

    def threads(self, task):
        return 1 if task in table.SINGLE else self.o.threads

    def ours(self, task, *more):
        return [self.o.rheobase, 'bench', task, '--quiet', '--threads', str(self.threads(task)), *more]

    def worker(self, what, task, peer, file):
        return [self.o.python, os.path.join(HERE, 'worker.py'), what, task, peer, file, str(self.threads(task))]

    def counts(self, task):
        warm, runs = table.TASKS[task][1:3]
        return (1, 3) if self.o.quick else (warm, runs)

    def check(self, task, peer, file, keys):
        """how far both are apart; {} where the equations differ"""
        # of other equations only the images are taken
        same, threads = peer != 'bindsnet', self.threads(task)
        output_of(self.ours(task, '--exchange', file, *sets(keys)) if same else
                  self.ours('fc', '--exchange', file), threads)
        if not same:
            return {}
        found = json.loads(output_of(self.worker('check', task, peer, file), threads).splitlines()[-1])
        say('%s, %s: %.2e of the spikes differ, gradients by %.2e' % (task, peer, found['differ'], found['gradient']))
        return found

    def turns(self, task, keys, theirs):
        warm, runs = self.counts(task)
        ours, pairs = Side(self.ours(task, '--turns', *sets(keys)), self.threads(task)), []
        try:
            for i in range(warm + runs):
                time.sleep(PAUSE)
                a = ours.run()
                time.sleep(PAUSE)
                b = theirs.run() if theirs else [None, 0]
                if i >= warm:
                    pairs.append((a[0], a[1], b[0]))
        finally:
            ours.close()
        return pairs, a[2] / 1e6, b[1] / 1e6

    def compare(self, task, peer, keys, folder):
        file = os.path.join(folder, task + '.npz')
        try:
            found = self.check(task, peer, file, keys)
            wrong = table.unequal(found)
            if wrong:
                return dict(found, task=task, peer=peer, ratio=None, note=wrong)
            if self.o.check:
                return dict(found, task=task, peer=peer, ratio=None, note='equal, not timed' if found else 'not compared')
            theirs = Side(self.worker('turns', task, peer, file), self.threads(task))
            try:
                pairs, ours_mb, peer_mb = self.turns(task, keys, theirs)
            finally:
                theirs.close()
            kept_mb = found.get('parameters', 0) * 4 * table.TASKS[task][3] / 1e6
            row = table.summary(task, peer, found, pairs, (ours_mb, peer_mb, kept_mb))
            if not found:
                row['note'] = 'other equations: spikes are not compared'
        except Failed as failure:
            return {'task': task, 'peer': peer, 'ratio': None, 'note': 'did not run: %s' % failure}
        say('%s, %s: ours %.3g ms, theirs %.3g ms, ratio %.3g, floor %.3g ms' % (
            task, peer, row['ours_ms']['median'], row['peer_ms']['median'], row['ratio']['median'], row['floor_ms']))
        return row

    def alone(self, task):
        pairs, mb, _ = self.turns(task, (), None)
        return table.alone(task, pairs, mb)


def version(python):
    code = ('import torch,platform,importlib.metadata as m\n'
            'n=["torch","snntorch","spikingjelly","norse","bindsnet","numpy"]\n'
            'have={d.metadata["Name"].lower():d.version for d in m.distributions()}\n'
            'print(", ".join("%s %s"%(x,have[x]) for x in n if x in have)+", Python "+platform.python_version())')
    done = subprocess.run([python, '-c', code], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def cpu():
    for line in open('/proc/cpuinfo'):
        if line.startswith('model name'):
            return line.split(':')[1].strip()
    return platform.processor() or 'unknown'


def read():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rheobase', default='build/rheobase')
    parser.add_argument('--python', default='', help='of the environment that bench/peers/setup made')
    parser.add_argument('--task', action='append', choices=list(table.TASKS), metavar='NAME')
    parser.add_argument('--peer', action='append', choices=table.PEERS, metavar='NAME')
    parser.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument('--quick', action='store_true', help='1 warm-up and 3 runs: a look, no result')
    parser.add_argument('--check', action='store_true', help='show that both sides are equal, time nothing')
    parser.add_argument('--json', metavar='FILE')
    parser.add_argument('--table', metavar='FILE')
    options = parser.parse_args()
    options.rheobase = os.path.abspath(options.rheobase)
    options.python = os.path.abspath(options.python) if options.python else ''
    return options


def write(path, text):
    with open(path + '.new', 'w') as file:
        file.write(text)
    os.replace(path + '.new', path)


def keep(options, machine, command, rows):
    if options.json:
        write(options.json, json.dumps({'machine': machine, 'command': command, 'rows': rows}, indent=1) + '\n')
    if options.table:
        write(options.table, table.markdown(rows, machine, command))


def main():
    options = read()
    peers = version(options.python) if options.python else None
    if not peers:
        say('no environment with the peers (bench/peers/setup FOLDER makes one): our half and the floors only')
    commit = output_of([options.rheobase, '--version'], 1).strip()
    machine = {'machine': '%s, %d threads of %d' % (cpu(), options.threads, os.cpu_count()), 'rheobase': commit,
               'peers': peers or 'none', 'day': time.strftime('%Y-%m-%d')}
    command = 'bench/peers/run.py ' + shlex.join(a for a in sys.argv[1:])
    bench, rows = Bench(options), []
    with tempfile.TemporaryDirectory() as folder:
        for task in options.task or table.TASKS:
            names = {p: keys for p, keys in table.TASKS[task][0].items() if not options.peer or p in options.peer}
            if not peers:
                rows.append(bench.alone(task))
            else:
                rows += [bench.compare(task, peer, keys, folder) for peer, keys in names.items()]
            keep(options, machine, command, rows) # a run of half an hour may be cut
    print(table.markdown(rows, machine, command))
    return 1 if any(table.unequal(row) for row in rows) else 0


if __name__ == '__main__':
    sys.exit(main())
