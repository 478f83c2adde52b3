"""Makes tests/oracles/losses.npz: values and gradients of snnTorch 1.0.0's losses (float32, one thread),
what tests/test_loss_oracles.c replays.

python3 -m venv v; v/bin/pip install torch snntorch==1.0.0; v/bin/python tests/oracles/losses.py

For each case NAME: NAME.value [1], NAME.grad [T,B,C]. Inputs, shared: spikes, membrane [T,B,C], labels
[B], targets [T,B,C]. Cases with several spike times have one sample and one neuron: snnTorch takes a
spike that it has found in one neuron out of all neurons and samples, which the library does not. Spike
times are given, or later for the label: of a label's time below the others', snnTorch's targets_convert
makes the others' time, its own defaults included.
"""
import os
import numpy as np
import snntorch.functional as SF
import torch

torch.set_num_threads(1)
rng = np.random.default_rng(4)
T, B, C = 9, 4, 6
spikes = (rng.random((T, B, C)) < 0.3).astype(np.float32)
spikes[:, 1, 2] = 0  # a silent neuron
spikes[:, 2, :] = 0  # a silent sample
membrane = rng.normal(0, 1.5, (T, B, C)).astype(np.float32)
labels = np.array([2, 0, 5, 3], np.int64)
pair = np.array([1, 0, 2, 2], np.int64)  # of 3 classes of two neurons
train = np.zeros((T, 1, 1), np.float32)
train[[1, 4, 6]] = 1
targets = rng.normal(0, 1, (B, C)).astype(np.float32)
out = dict(spikes=spikes, membrane=membrane, labels=labels.astype(np.int32), pair=pair.astype(np.int32),
           train=train, targets=targets)


def record(name, loss, x, label):
    x = torch.tensor(x, requires_grad=True)
    value = loss(x, torch.tensor(label))
    value.backward()
    out[name + ".value"] = np.array([value.item()], np.float32)
    out[name + ".grad"] = x.grad.numpy().astype(np.float32)


record("step-ce", SF.ce_rate_loss(), spikes, labels)
record("rate-ce", SF.ce_count_loss(), spikes, labels)
record("rate-ce.pair", SF.ce_count_loss(population_code=True, num_classes=3), spikes, pair)
record("membrane-max-ce", SF.ce_max_membrane_loss(), membrane, labels)
record("count-mse", SF.mse_count_loss(correct_rate=0.8, incorrect_rate=0.2), spikes, labels)
record("count-mse.hard", SF.mse_count_loss(correct_rate=1.0, incorrect_rate=0.0), spikes, labels)
record("count-mse.pair", SF.mse_count_loss(0.8, 0.2, population_code=True, num_classes=3), spikes, pair)
record("membrane-mse", SF.mse_membrane_loss(on_target=1.05, off_target=0.2), membrane, labels)
record("time-ce", SF.ce_temporal_loss(), spikes, labels)
record("time-ce.reciprocal", SF.ce_temporal_loss(inverse="reciprocal"), spikes, labels)
early = np.where(np.arange(C) == labels[:, None], 0, T - 1).astype(np.float32)
record("time-mse", SF.mse_temporal_loss(target_is_time=True), spikes, early)
record("time-mse.tolerance", SF.mse_temporal_loss(on_target=7, off_target=2, tolerance=2), spikes, labels)
record("time-mse.several", SF.mse_temporal_loss(on_target=[2, 4, 6], off_target=[0, 0, 0], multi_spike=True),
       train, np.array([0]))
# the documented meaning of the loss on regression targets, in plain PyTorch
x = torch.tensor(membrane, requires_grad=True)
value = torch.nn.functional.mse_loss(x, torch.tensor(targets).expand(T, B, C))
value.backward()
out["membrane-mse.real.value"] = np.array([value.item()], np.float32)
out["membrane-mse.real.grad"] = x.grad.numpy()
# temporal efficient training, as its authors' code has it (lambda 0.05, means 1)
x = torch.tensor(membrane, requires_grad=True)
ce, mse = torch.nn.CrossEntropyLoss(), torch.nn.MSELoss()
value = sum(ce(x[t], torch.tensor(labels)) for t in range(T)) / T
value = 0.95 * value + 0.05 * mse(x, torch.ones_like(x))
value.backward()
out["tet.value"] = np.array([value.item()], np.float32)
out["tet.grad"] = x.grad.numpy()
np.savez(os.path.join(os.path.dirname(os.path.abspath(__file__)), "losses.npz"), **out)
