"""fastleaky.torch in models: exchanged modules, whole networks, and what PyTorch does with models."""

import copy
import io
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("torch")
pytest.importorskip("ml_dtypes")

import torch
from children import python, words
from tensors import equal, one_thread
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

import fastleaky.torch
from benchmarks.networks import NETWORKS, SIZE
from fastleaky.torch import functional


def saved(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def small_net():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.PReLU(8), nn.Conv2d(8, 8, 3), nn.LeakyReLU(0.2), nn.PReLU())


def types(model):
    return [type(module) for module in model.modules()]


def converted(model):
    model = copy.deepcopy(model)
    assert fastleaky.torch.convert(model) > 0
    return model


def step(model, x):
    """The output and all gradients of one training step."""
    model.zero_grad()
    y = model(x)
    y.square().mean().backward()
    return y.detach(), [parameter.grad.clone() for parameter in model.parameters()]


@pytest.fixture(autouse=True)
def _no_tensor_is_small(monkeypatch):
    monkeypatch.setattr(functional, "SMALL", 0)


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def test_convert_and_restore():
    model = small_net()
    before, state = types(model), list(model.state_dict())
    assert fastleaky.torch.convert(model) == 3
    assert types(model)[2::2] == [fastleaky.torch.PReLU, fastleaky.torch.LeakyReLU]
    assert types(model)[-1] is fastleaky.torch.PReLU
    assert list(model.state_dict()) == state
    assert repr(model) == repr(small_net())
    assert fastleaky.torch.convert(model) == 0
    assert fastleaky.torch.restore(model) == 3
    assert types(model) == before
    assert fastleaky.torch.restore(model) == 0


def test_the_model_itself_and_shared_modules():
    shared = nn.PReLU()
    assert fastleaky.torch.convert(nn.Sequential(shared, nn.Sequential(shared))) == 1
    assert type(shared) is fastleaky.torch.PReLU
    assert fastleaky.torch.convert(nn.LeakyReLU()) == 1


class Own(nn.PReLU):
    """It may compute anything."""


def test_what_is_left_alone():
    model = nn.Sequential(Own(), parametrizations.weight_norm(nn.PReLU(3)), nn.ReLU(), nn.RReLU())
    before = types(model)
    assert fastleaky.torch.convert(model) == 0
    assert types(model) == before


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model)), saved])
def test_copies(copied):
    theirs, x = small_net(), torch.randn(2, 3, 8, 8)
    other = copied(converted(theirs))
    assert types(other) == types(converted(theirs))
    assert torch.equal(other(x), theirs(x))
    theirs.load_state_dict(other.state_dict())
    other.load_state_dict(theirs.state_dict())


def test_hooks_and_pruning_stay():
    model, seen = nn.Sequential(nn.PReLU(3)), []
    model[0].register_forward_hook(lambda *_: seen.append("forward"))
    model[0].register_full_backward_hook(lambda *_: seen.append("backward"))
    prune.random_unstructured(model[0], "weight", amount=1)
    assert fastleaky.torch.convert(model) == 1
    y = model(torch.randn(2, 3, requires_grad=True))
    y.sum().backward()
    assert seen == ["forward", "backward"]
    assert model[0].weight_orig.grad.shape == (3,)


NCHW, NHWC = torch.contiguous_format, torch.channels_last


@pytest.mark.parametrize(("name", "memory_format"), [(name, NCHW) for name in NETWORKS] + [("MobileFaceNet", NHWC)])
def test_networks(name, memory_format):
    """Inference has the same bits; a training step differs by the rounding of the slopes' gradients alone."""
    theirs = NETWORKS[name]().to(memory_format=memory_format)
    ours = converted(theirs)
    x = torch.randn(2, 3, SIZE, SIZE).to(memory_format=memory_format)
    with torch.inference_mode():
        assert equal(ours(x), theirs(x))
    (y, got), (z, wanted) = step(ours, x), step(theirs, x)
    assert torch.equal(y, z)
    for (parameter, _), grad, other in zip(ours.named_parameters(), got, wanted, strict=True):
        if grad.dim() == 1 and isinstance(ours.get_submodule(parameter.rpartition(".")[0]), nn.PReLU):
            assert torch.allclose(grad, other, rtol=1e-3, atol=1e-4 * other.abs().max().item())
        else:
            assert torch.equal(grad, other), parameter


def test_in_training_mode_with_autocast():
    theirs = small_net().train()
    x = torch.randn(2, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        (y, got), (z, wanted) = step(converted(theirs), x), step(theirs, x)
    assert equal(y, z)
    assert all(torch.allclose(a, b, rtol=0.05, atol=0.01) for a, b in zip(got, wanted, strict=True))


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_checkpointed(use_reentrant):
    model = converted(small_net())
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    wanted = step(model, x)
    model.zero_grad()
    y = checkpoint(model, x, use_reentrant=use_reentrant)
    y.square().mean().backward()
    assert equal((y.detach(), [parameter.grad for parameter in model.parameters()]), wanted)


def same_gradients(theirs, ours, x):
    return all(
        torch.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in zip(step(ours, x)[1], step(theirs, x)[1], strict=True)
    )


@pytest.mark.parametrize("context", [torch.autograd.graph.save_on_cpu, torch.autograd.detect_anomaly])
@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_saved_and_watched(context):
    theirs, x = small_net(), torch.randn(2, 3, 8, 8)
    with context():
        assert same_gradients(theirs, converted(theirs), x)


@pytest.mark.filterwarnings("ignore:.torch.jit.*is deprecated:DeprecationWarning")
def test_compiled():
    theirs, x = small_net(), torch.randn(2, 3, 8, 8)
    ours = converted(theirs)
    torch.compiler.reset()
    assert same_gradients(theirs, torch.compile(ours, fullgraph=True, backend="aot_eager"), x)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_exported(strict):
    theirs, x = small_net().eval(), torch.randn(2, 3, 8, 8)
    exported = torch.export.export(converted(theirs), (x,), strict=strict)
    assert {"prelu", "leaky_relu"} <= {node.name for node in exported.graph.nodes}
    assert torch.equal(exported.module()(x), theirs(x))


def test_gradients_of_each_image():
    theirs, x = small_net(), torch.randn(2, 3, 8, 8)
    weights = dict(theirs.named_parameters())

    def of_each(model):
        def loss(weights, image):
            return torch.func.functional_call(model, weights, (image[None],)).square().mean()

        return torch.func.vmap(torch.func.grad(loss), (None, 0))(weights, x)

    assert equal(list(of_each(converted(theirs)).values()), list(of_each(theirs).values()))


def test_threads_that_train_at_once():
    model = converted(small_net())
    inputs = [torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) for seed in range(8)]

    def gradients(x):
        y = model(x)
        return [y.detach(), *torch.autograd.grad(y.square().mean(), list(model.parameters()))]

    wanted = [gradients(x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        assert all(equal(got, one) for got, one in zip(pool.map(gradients, inputs), wanted, strict=True))


# One of two processes, each with one half of the images: it prints whether the gradients are those of one process, and
# their digest.
DISTRIBUTED = """
import copy, hashlib, os, sys, torch, torch.distributed, fastleaky.torch
torch.set_num_threads(1)
rank = int(os.environ["RANK"])
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.PReLU(8), torch.nn.Conv2d(8, 4, 3), torch.nn.PReLU())
fastleaky.torch.convert(model)
images = torch.randn(8, 3, 16, 16)
alone = copy.deepcopy(model)
alone(images).square().mean().backward()
torch.distributed.init_process_group("gloo", init_method=os.environ["MEETING"], rank=rank, world_size=2)
both = torch.nn.parallel.DistributedDataParallel(model)
both(images[4 * rank : 4 * rank + 4]).square().mean().backward()
pairs = [(a.grad, b.grad) for a, b in zip(model.parameters(), alone.parameters(), strict=True)]
close = all(torch.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in pairs)
digest = hashlib.sha256(b"".join(a.numpy().tobytes() for a, _ in pairs)).hexdigest()
torch.distributed.destroy_process_group()
print(close, digest)
"""


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no torch.distributed")
def test_distributed(tmp_path):
    def run(rank):
        return words(DISTRIBUTED, RANK=str(rank), MEETING=(tmp_path / "meeting").as_uri())

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, range(2))
    assert first == second
    assert first[0] == "True"


# PyTorch's own threads hang in a forked child of a process that has used them, so there is one.
FORKED = """
import numpy as np, torch, fastleaky.torch
torch.set_num_threads(1)
big = torch.randn(2, 16, 1 << 14)

def gradients():
    x, weight = big.clone().requires_grad_(), torch.full((16,), 0.25, requires_grad=True)
    fastleaky.torch.prelu(x, weight).sum().backward()
    return torch.cat([x.grad.reshape(-1), weight.grad])

class Images(torch.utils.data.Dataset):
    def __len__(self):
        return 6
    def __getitem__(self, i):
        fastleaky.set_num_threads(2)
        fastleaky.leaky_relu(big.numpy())
        return gradients()

fastleaky.set_num_threads(2)
fastleaky.leaky_relu(big.numpy())
wanted = gradients()
for batch in torch.utils.data.DataLoader(Images(), batch_size=2, num_workers=2, multiprocessing_context="fork"):
    assert torch.equal(batch, torch.stack([wanted, wanted]))
print("done")
"""


def test_forked_workers_after_threads_were_used():
    child = python(FORKED)
    assert child.stdout.split() == ["done"], child.stderr
