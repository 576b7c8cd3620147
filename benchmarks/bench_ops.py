"""Every operation on layers of real networks, by every backend, beside a copy of the same array and PyTorch.

float32, random signs, outputs given where the callee takes them, one thread unless FASTLEAKY_NUM_THREADS says more.
A copy reads and writes one array; the operations read one (forward) or two (backward) and write one.
"""

import os

import numpy as np
import pytest

import fastleaky
from fastleaky._check import OPERATIONS
from fastleaky._workloads import WORKLOADS, moved, outputs

THREADS = int(os.environ.get("FASTLEAKY_NUM_THREADS", "1"))
LAYERS = {f"{workload.network}-{'x'.join(map(str, workload.shape))}": workload for workload in WORKLOADS}


def copy(_, given):
    """np.copyto, the limit that memory sets."""
    out = np.zeros_like(given["x"])
    return lambda: np.copyto(out, given["x"])


def ours(operation, given):
    """The backend in use."""
    options = outputs(operation, given)
    return lambda: operation(fastleaky, given, **options)


def torch_(operation, given):
    """PyTorch's kernels, called as directly as it allows; the weight's gradient needs its sum as well."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(THREADS)
    x, grad, weight = (torch.from_numpy(given[name]) for name in ("x", "grad", "weight"))
    slope, out = given["negative_slope"], torch.zeros_like(x)
    aten, weight_4d = torch.ops.aten, weight.view(1, -1, 1, 1)

    def prelu_backward():
        dx, terms = aten._prelu_kernel_backward(grad, x, weight_4d)  # noqa: SLF001 - there is no public name
        return dx, terms.sum((0, 2, 3))

    return {
        "leaky_relu": lambda: torch._C._nn.leaky_relu(x, slope, out=out),  # noqa: SLF001 - F.leaky_relu has no out=
        "leaky_relu_backward": lambda: aten.leaky_relu_backward(grad, x, slope, False, grad_input=out),  # noqa: FBT003
        "prelu": lambda: torch.prelu(x, weight),
        "prelu_backward": prelu_backward,
    }[operation.name]


@pytest.mark.parametrize("who", ["copy", *fastleaky.backends(), "torch"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", OPERATIONS)
def bench_operation(benchmark, name, layer, who):
    """Time one operation on one layer."""
    operation, given = OPERATIONS[name], LAYERS[layer].draw()
    benchmark.group = f"{name} {layer}"
    benchmark.extra_info["bytes"] = moved(operation, given) if who != "copy" else 2 * given["x"].nbytes
    before = fastleaky.get_num_threads()
    fastleaky.set_num_threads(THREADS)
    with fastleaky.use(who if who in fastleaky.backends() else fastleaky.backend):
        call = {"copy": copy, "torch": torch_}.get(who, ours)(operation, given)
        call()
        benchmark(call)
    fastleaky.set_num_threads(before)
