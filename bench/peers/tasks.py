"""tasks.py: BENCHMARK's nets as each peer's documentation writes them, and as torch-best. A net's
parameters are in the order of the engine's; what its neurons give is read by hooks, in `look` only.

A maker, TASK_PEER(arrays of an exchange), returns a Training; table.py says which there are. Steps and
batch are the exchange's; a layer of another size than the engine's does not take its weights."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from table import STDP_STEPS


class Training:
    """run(): an iteration, timed. look(): spikes of each neuron layer [T,B,N] and gradients, in order;
    nothing is learned."""

    def __init__(self, net, x, loss, optimiser=None, layers=()):
        self.net, self.x, self.loss, self.layers = net, x, loss, layers
        self.optimiser = optimiser and optimiser(net.parameters())

    parts = 1  # of a run; times are of one

    def take(self, a):
        with torch.no_grad():
            for own, name in zip(self.net.parameters(), [k for k in a if k.startswith('p.')], strict=True):
                own.copy_(a[name].reshape(own.shape))

    def backward(self):
        self.net.zero_grad(set_to_none=True)
        if self.x.requires_grad:
            self.x.grad = None
        self.loss(self.net(self.x)).backward()

    def run(self):
        self.backward()
        if self.optimiser:
            self.optimiser.step()

    def look(self):
        spikes = watch(self.layers, self.backward)
        grads = [p.grad for p in self.net.parameters()]
        return spikes, grads + ([self.x.grad] if self.x.requires_grad else [])


def watch(layers, act):
    """what the neuron layers give while `act` runs: [T,B,N] each"""
    seen = [[] for _ in layers]
    first = lambda out: (out[0] if isinstance(out, tuple) else out).detach()
    hooks = [layer.register_forward_hook(lambda m, i, out, kept=kept: kept.append(first(out)))
             for layer, kept in zip(layers, seen)]
    act()
    for hook in hooks:
        hook.remove()
    return [(torch.stack(s) if len(s) > 1 else s[0]).flatten(2) for s in seen]


def steps(a):
    """of the engine's window: those of its spikes; an input that stands still has one"""
    return next(len(v) for k, v in a.items() if k.startswith('s.'))


def images(a):
    return a['input'].reshape(-1, 1, 28, 28)


def adam(rate):
    return lambda p: torch.optim.Adam(p, lr=rate, betas=(0.9, 0.999))


def at_each_step(out, y):
    """cross-entropy at every step; its mean over the batch"""
    return F.cross_entropy(out.flatten(0, 1), y.repeat(len(out)))


# ---- fc, fc-rate: 784-1000-10, membranes summed over time ----

class FcSnntorch(nn.Module):  # tutorial 5
    def __init__(self, T):
        import snntorch as snn
        super().__init__()
        self.T = T
        self.fc1 = nn.Linear(784, 1000)
        self.lif1 = snn.Leaky(beta=0.95)
        self.fc2 = nn.Linear(1000, 10)
        self.lif2 = snn.Leaky(beta=0.95)

    def forward(self, x):
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spk2_rec, mem2_rec = [], []
        for step in range(self.T):
            cur1 = self.fc1(x[step if len(x) > 1 else 0])
            spk1, mem1 = self.lif1(cur1, mem1)
            cur2 = self.fc2(spk1)
            spk2, mem2 = self.lif2(cur2, mem2)
            spk2_rec.append(spk2)
            mem2_rec.append(mem2)
        return torch.stack(spk2_rec), torch.stack(mem2_rec)


def fc_snntorch(a):
    net, y = FcSnntorch(steps(a)), a['label']
    criterion = nn.CrossEntropyLoss()

    def loss(out):
        value = torch.zeros(1)
        for step in range(net.T):
            value = value + criterion(out[1][step], y)
        return value.sum()
    return Training(net, a['input'], loss, adam(5e-4), [net.lif1, net.lif2])


class FcJelly(nn.Module):
    def __init__(self, T):
        from spikingjelly.activation_based import functional, layer, neuron, surrogate
        super().__init__()
        self.T = T
        lif = lambda **k: neuron.LIFNode(tau=20.0, decay_input=False, v_reset=None,
                                         surrogate_function=surrogate.ATan(), **k)
        self.fc1, self.lif1 = layer.Linear(784, 1000), lif()
        self.fc2, self.lif2 = layer.Linear(1000, 10), lif(store_v_seq=True)
        functional.set_step_mode(self, 'm')
        self.start = functional.reset_net

    def forward(self, x):
        self.start(self)
        if len(x) == 1:
            x = x.repeat(self.T, 1, 1)
        self.lif2(self.fc2(self.lif1(self.fc1(x))))
        return self.lif2.v_seq


def fc_spikingjelly(a):
    net, y = FcJelly(steps(a)), a['label']
    return Training(net, a['input'], lambda v: len(v) * at_each_step(v, y), adam(5e-4), [net.lif1, net.lif2])


def box(norse): # its input counts a twentieth: so does its threshold, and it is beta 0.95
    return norse.LIFBoxParameters(tau_mem_inv=torch.tensor(50.0), v_th=torch.tensor(0.05))


class FcNorse(nn.Module):
    def __init__(self, T):
        import norse.torch as norse
        super().__init__()
        self.T = T
        self.net = norse.SequentialState(nn.Linear(784, 1000), norse.LIFBoxCell(box(norse)),
                                         nn.Linear(1000, 10), norse.LIFBoxCell(box(norse)))

    def forward(self, x):
        state, voltages = None, []
        for step in range(self.T):
            _, state = self.net(x[step if len(x) > 1 else 0], state)
            voltages.append(state[-1].v)
        return torch.stack(voltages)


def fc_norse(a):
    net, y = FcNorse(steps(a)), a['label']
    return Training(net, a['input'], lambda v: len(v) * at_each_step(v, y), adam(5e-4), [net.net[1], net.net[3]])


class FcBest(nn.Module):
    def __init__(self, T):
        import best
        super().__init__()
        self.fc1, self.lif1 = nn.Linear(784, 1000), best.LIF(T, 0.95)
        self.fc2, self.lif2 = nn.Linear(1000, 10), best.LIF(T, 0.95)

    def forward(self, x):
        return self.lif2(self.fc2(self.lif1(self.fc1(x))[0]))[1]


def fc_best(a):
    net, y = FcBest(steps(a)), a['label']
    return Training(net, a['input'], lambda v: len(v) * at_each_step(v, y), adam(5e-4), [net.lif1, net.lif2])


# ---- conv: 12C5-MP2-64C5-MP2-10, cross-entropy of the spikes at every step ----

def conv_snntorch(a):  # tutorial 6
    import snntorch as snn
    from snntorch import functional, surrogate, utils
    lif = lambda **k: snn.Leaky(beta=0.5, spike_grad=surrogate.fast_sigmoid(slope=25), init_hidden=True, **k)
    net = nn.Sequential(nn.Conv2d(1, 12, 5), nn.MaxPool2d(2), lif(), nn.Conv2d(12, 64, 5),
                        nn.MaxPool2d(2), lif(), nn.Flatten(), nn.Linear(64 * 4 * 4, 10), lif(output=True))

    class Steps(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            utils.reset(self.net)
            return torch.stack([self.net(x)[0] for _ in range(T)])
    T, y, criterion = steps(a), a['label'], functional.ce_rate_loss()
    return Training(Steps(), images(a), lambda s: criterion(s, y), adam(1e-2),
                    [net[2], net[5], net[8]])


def conv_spikingjelly(a):
    from spikingjelly.activation_based import functional, layer, neuron, surrogate
    lif = lambda: neuron.LIFNode(tau=2.0, decay_input=False, v_reset=None, surrogate_function=surrogate.ATan())

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.still = nn.Sequential(layer.Conv2d(1, 12, 5), layer.MaxPool2d(2)) # once for all steps
            self.net = nn.Sequential(lif(), layer.Conv2d(12, 64, 5), layer.MaxPool2d(2), lif(),
                                     layer.Flatten(), layer.Linear(64 * 4 * 4, 10), lif())
            functional.set_step_mode(self.net, 'm')

        def forward(self, x):
            functional.reset_net(self)
            return self.net(self.still(x).unsqueeze(0).repeat(T, 1, 1, 1, 1))
    T, net, y = steps(a), Net(), a['label']
    return Training(net, images(a), lambda s: at_each_step(s, y), adam(1e-2),
                    [net.net[0], net.net[3], net.net[6]])


class ConvBest(nn.Module):
    def __init__(self, T):
        import best
        super().__init__()
        lif = lambda: best.LIF(T, 0.5, best.fast_sigmoid)
        self.conv1, self.lif1 = nn.Conv2d(1, 12, 5), lif()
        self.conv2, self.lif2 = nn.Conv2d(12, 64, 5), lif()
        self.fc, self.lif3 = nn.Linear(64 * 4 * 4, 10), lif()

    def forward(self, x):
        s, _ = self.lif1(F.max_pool2d(self.conv1(x), 2)[None])
        i = F.max_pool2d(self.conv2(s.flatten(0, 1)), 2)
        s, _ = self.lif2(i.view(len(s), -1, *i.shape[1:]))
        return self.lif3(self.fc(s.flatten(2)))[0]


def conv_best(a):
    net, y = ConvBest(steps(a)), a['label']
    return Training(net, images(a), lambda s: at_each_step(s, y), adam(1e-2),
                    [net.lif1, net.lif2, net.lif3])


# ---- csnn: SpikingJelly's net for Fashion-MNIST, mean squared error of the rates ----

def rate_error(s, y):
    return F.mse_loss(s.mean(0), F.one_hot(y, 10).float())


def sgd(p):
    return torch.optim.SGD(p, lr=0.1, momentum=0.9)


def csnn_spikingjelly(a):  # tutorial conv_fashion_mnist
    from spikingjelly.activation_based import functional, layer, neuron, surrogate
    node = lambda: neuron.IFNode(surrogate_function=surrogate.ATan())

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            block = lambda c: [layer.Conv2d(c, 128, 3, padding=1, bias=False), layer.BatchNorm2d(128), node(),
                               layer.MaxPool2d(2, 2)]
            self.conv_fc = nn.Sequential(*block(1), *block(128), layer.Flatten(),
                                         layer.Linear(128 * 7 * 7, 2048, bias=False), node(),
                                         layer.Linear(2048, 10, bias=False), node())
            functional.set_step_mode(self, 'm')

        def forward(self, x):
            functional.reset_net(self)
            return self.conv_fc(x.unsqueeze(0).repeat(T, 1, 1, 1, 1))
    T, net, y = steps(a), Net(), a['label']
    return Training(net, images(a), lambda s: rate_error(s, y), sgd,
                    [net.conv_fc[i] for i in (2, 6, 10, 12)])


class CsnnBest(nn.Module):
    def __init__(self, T):
        import best
        super().__init__()
        self.T = T
        self.conv1, self.norm1, self.if1 = nn.Conv2d(1, 128, 3, padding=1, bias=False), nn.BatchNorm2d(128), best.IF()
        self.conv2, self.norm2, self.if2 = nn.Conv2d(128, 128, 3, padding=1, bias=False), nn.BatchNorm2d(128), best.IF()
        self.fc1, self.if3 = nn.Linear(128 * 7 * 7, 2048, bias=False), best.IF()
        self.fc2, self.if4 = nn.Linear(2048, 10, bias=False), best.IF()

    def forward(self, x):
        s = self.if1(self.norm1(self.conv1(x))[None].expand(self.T, -1, -1, -1, -1))
        i = self.norm2(self.conv2(F.max_pool2d(s.flatten(0, 1), 2)))
        s = F.max_pool2d(self.if2(i.view(self.T, -1, *i.shape[1:])).flatten(0, 1), 2)
        return self.if4(self.fc2(self.if3(self.fc1(s.view(self.T, -1, 128 * 7 * 7)))))


def csnn_best(a):
    net, y = CsnnBest(steps(a)), a['label']
    return Training(net, images(a), lambda s: rate_error(s, y), sgd,
                    [net.if1, net.if2, net.if3, net.if4])


# ---- recurrent: 700-256(recurrent)-20, cross-entropy of the spikes at every step ----

class RecurrentSnntorch(nn.Module):
    def __init__(self):
        import snntorch as snn
        super().__init__()
        self.fc1 = nn.Linear(700, 256)
        self.lif1 = snn.RLeaky(beta=0.95, linear_features=256)
        self.fc2 = nn.Linear(256, 20)
        self.lif2 = snn.Leaky(beta=0.95)

    def forward(self, x):
        spk1, mem1 = self.lif1.init_rleaky()
        mem2, spk2_rec = self.lif2.init_leaky(), []
        for step in range(len(x)):
            spk1, mem1 = self.lif1(self.fc1(x[step]), spk1, mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spk2_rec.append(spk2)
        return torch.stack(spk2_rec)


def recurrent_snntorch(a):
    from snntorch import functional
    net, y, criterion = RecurrentSnntorch(), a['label'], functional.ce_rate_loss()
    return Training(net, a['input'], lambda s: criterion(s, y), adam(5e-4), [net.lif1, net.lif2])


class RecurrentBest(nn.Module):
    def __init__(self, T):
        import best
        super().__init__()
        self.fc1, self.lif1 = nn.Linear(700, 256), best.Recurrent(256, 0.95)
        self.fc2, self.lif2 = nn.Linear(256, 20), best.LIF(T, 0.95)

    def forward(self, x):
        return self.lif2(self.fc2(self.lif1(self.fc1(x))))[0]


def recurrent_best(a):
    net, y = RecurrentBest(steps(a)), a['label']
    return Training(net, a['input'], lambda s: at_each_step(s, y), adam(5e-4), [net.lif1, net.lif2])


# ---- layer: Linear and LIF, 500 steps, the loss is the sum of all spikes ----

def layer_parts(a):
    N = a['p.1.weight'].shape[0]
    return nn.Linear(N, N), a['input'].requires_grad_('g.input' in a)


def layer_snntorch(a):
    import snntorch as snn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.lif = layer_parts(a)[0], snn.Leaky(beta=0.95)

        def forward(self, x):
            mem, rec = self.lif.init_leaky(), []
            for step in range(len(x)):
                spk, mem = self.lif(self.fc(x[step]), mem)
                rec.append(spk)
            return torch.stack(rec)
    net = Net()
    return Training(net, layer_parts(a)[1], torch.sum, None, [net.lif])


def layer_spikingjelly(a):
    from spikingjelly.activation_based import functional, layer, neuron, surrogate

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            N = a['p.1.weight'].shape[0]
            self.fc = layer.Linear(N, N)
            self.lif = neuron.LIFNode(tau=16.0, decay_input=False, v_reset=None, surrogate_function=surrogate.ATan())
            functional.set_step_mode(self, 'm')

        def forward(self, x):
            functional.reset_net(self)
            return self.lif(self.fc(x))
    net = Net()
    return Training(net, layer_parts(a)[1], torch.sum, None, [net.lif])


def layer_norse(a):
    import norse.torch as norse

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = norse.SequentialState(layer_parts(a)[0], norse.LIFBoxCell(box(norse)))

        def forward(self, x):
            state, rec = None, []
            for step in range(len(x)):
                spk, state = self.net(x[step], state)
                rec.append(spk)
            return torch.stack(rec)
    net = Net()
    return Training(net, layer_parts(a)[1], torch.sum, None, [net.net[1]])


def layer_best(a):
    import best

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.lif = layer_parts(a)[0], best.LIF(steps(a), 0.95)

        def forward(self, x):
            return self.lif(self.fc(x))[0]
    net = Net()
    return Training(net, layer_parts(a)[1], torch.sum, None, [net.lif])


# ---- inference: 784-1200-1200-10 that integrates without a leak, forward only ----

class Inference(Training):
    def __init__(self, net, x, layers):
        super().__init__(net, x, None, None, layers)
        self.parts = x.shape[1]

    def run(self):
        with torch.no_grad():
            self.net(self.x)

    def look(self):
        return watch(self.layers, self.run), []


def inference_spikingjelly(a):
    from spikingjelly.activation_based import functional, layer, neuron

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            pair = lambda m, n: [layer.Linear(m, n, bias=False), neuron.IFNode(v_reset=None)]
            self.net = nn.Sequential(*pair(784, 1200), *pair(1200, 1200), *pair(1200, 10))
            functional.set_step_mode(self, 'm')

        def forward(self, x):
            functional.reset_net(self)
            return self.net(x)
    net = Net()
    return Inference(net, a['input'], [net.net[i] for i in (1, 3, 5)])


def inference_best(a):
    import best

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            sizes = (784, 1200, 1200, 10)
            self.fc = nn.ModuleList(nn.Linear(m, n, bias=False) for m, n in zip(sizes, sizes[1:]))
            self.fire = nn.ModuleList(best.Integrator() for _ in self.fc)

        def forward(self, x):
            for fc, fire in zip(self.fc, self.fire):
                x = fire(fc(x))
            return x
    net = Net()
    return Inference(net, a['input'], net.fire)


# ---- stream: one step of a convolutional net, batch 1 ----

class Stream(Training):
    def __init__(self, net, layers, reset, step):
        super().__init__(net, torch.zeros(1), None, None, layers)
        self.reset, self.step = reset, step

    def take(self, a):
        super().take(a)
        self.x = a['input'].reshape(-1, 1, 2, 34, 34)
        self.parts = len(self.x)
        with torch.no_grad():
            self.reset()

    def run(self):
        with torch.no_grad():
            for x in self.x:
                self.step(x)

    def look(self):
        self.reset()
        return watch(self.layers, self.run), []


def stream_snntorch(a):  # tutorial 7
    import snntorch as snn
    from snntorch import surrogate, utils
    lif = lambda **k: snn.Leaky(beta=0.5, spike_grad=surrogate.fast_sigmoid(slope=25), init_hidden=True, **k)
    net = nn.Sequential(nn.Conv2d(2, 12, 5), nn.MaxPool2d(2), lif(), nn.Conv2d(12, 32, 5),
                        nn.MaxPool2d(2), lif(), nn.Flatten(), nn.Linear(32 * 5 * 5, 10), lif(output=True))
    return Stream(net, [net[2], net[5], net[8]], lambda: utils.reset(net), net)


def stream_best(a):
    import best

    class Fire(nn.Module):  # for the hooks
        def forward(self, v):
            return (v > 1).float()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2, self.fc = nn.Conv2d(2, 12, 5), nn.Conv2d(12, 32, 5), nn.Linear(800, 10)
            self.fire = nn.ModuleList([Fire(), Fire(), Fire()])

        def forward(self, x, v1, v2, v3):
            v1 = 0.5 * v1 + F.max_pool2d(self.conv1(x), 2) - (v1 > 1).float()
            v2 = 0.5 * v2 + F.max_pool2d(self.conv2(self.fire[0](v1)), 2) - (v2 > 1).float()
            v3 = 0.5 * v3 + self.fc(self.fire[1](v2).flatten(1)) - (v3 > 1).float()
            return self.fire[2](v3), v1, v2, v3
    net, held = Net(), {}
    compiled = best.compiled(net.forward)

    def reset():
        held['v'] = (torch.zeros(1, 12, 15, 15), torch.zeros(1, 32, 5, 5), torch.zeros(1, 10))

    def step(x):
        _, *held['v'] = compiled(x, *held['v'])
    stream = Stream(net, list(net.fire), reset, step)

    def look():  # hooks do not see into compiled code: what is looked at is recomputed from its states
        reset()
        seen = [[], [], []]
        with torch.no_grad():
            for x in stream.x:
                step(x)
                for kept, v in zip(seen, held['v']):
                    kept.append((v > 1).float())
        return [torch.stack(s).flatten(2) for s in seen], []
    stream.look = look
    return stream


# ---- stdp: an image, learning on ----

class Stdp:
    """BindsNET's DiehlAndCook2015 as its examples/mnist/eth_mnist.py. Other equations than the engine's."""
    parts = 1

    def __init__(self, a, neurons):
        from bindsnet.models import DiehlAndCook2015
        self.net = DiehlAndCook2015(n_inpt=784, n_neurons=neurons, exc=22.5, inh=120, dt=1.0, norm=78.4,
                                    theta_plus=0.05, inpt_shape=(1, 28, 28))
        self.x, self.at = a['input'], 0

    def take(self, a):
        pass

    def run(self):
        from bindsnet.encoding import poisson
        image = self.x[0, self.at % self.x.shape[1]]
        self.at += 1
        spikes = poisson(datum=image * 63.75, time=STDP_STEPS, dt=1.0)  # Hz, the recipe's rate
        self.net.run(inputs={'X': spikes.view(STDP_STEPS, 1, 1, 28, 28)}, time=STDP_STEPS)
        self.net.reset_state_variables()


def stdp_bindsnet(a):
    return Stdp(a, a['neurons'])
