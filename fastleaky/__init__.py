"""Leaky ReLU and PReLU, forward and backward, on CPUs: the same bits everywhere, at the speed of memory.

The operations take and return NumPy arrays::

    y = fastleaky.leaky_relu(x, 0.1)
    dx = fastleaky.leaky_relu_backward(grad, x, 0.1)
    y = fastleaky.prelu(x, weight)
    dx, dweight = fastleaky.prelu_backward(grad, x, weight)

The fused ones do what stands before an activation in the same pass, with the bits of the separate steps::

    y = fastleaky.bias_leaky_relu(x, bias, 0.2, gain=2**0.5, clamp=256.0)
    dx, dbias = fastleaky.bias_leaky_relu_backward(grad, y, 0.2, gain=2**0.5, clamp=256.0)
    y = fastleaky.scale_shift_leaky_relu(x, *fastleaky.fold_batch_norm(gamma, beta, mean, var, eps), 0.1)

SIMD C, Numba or NumPy does the work: ``fastleaky.backend`` says which, ``python -m fastleaky`` says why. All of them
give the bits of :mod:`fastleaky.reference`, the specification. :mod:`fastleaky.quantized` has leaky ReLU and PReLU of
8-bit and 16-bit integers.
"""

from typing import TYPE_CHECKING

from fastleaky import _api, reference
from fastleaky._api import (
    bias_leaky_relu,
    bias_leaky_relu_backward,
    fold_batch_norm,
    leaky_relu,
    leaky_relu_backward,
    prelu,
    prelu_backward,
    scale_shift_leaky_relu,
    scale_shift_prelu,
)
from fastleaky._backends import native
from fastleaky._backends.choice import BackendError, backends, use
from fastleaky._backends.threads import get_num_threads, set_num_threads

if TYPE_CHECKING:
    from fastleaky import quantized

    backend: str
    __version__: str
else:
    globals().update(native.entries(_api))

__all__ = [
    "BackendError",
    "backend",
    "backends",
    "bias_leaky_relu",
    "bias_leaky_relu_backward",
    "fold_batch_norm",
    "get_num_threads",
    "leaky_relu",
    "leaky_relu_backward",
    "prelu",
    "prelu_backward",
    "quantized",
    "reference",
    "scale_shift_leaky_relu",
    "scale_shift_prelu",
    "set_num_threads",
    "use",
]


def __getattr__(name: str) -> object:
    if name == "backend":
        from fastleaky._backends import choice

        return choice.current()
    if name == "quantized":  # imported when it is first used
        import importlib

        return importlib.import_module("fastleaky.quantized")
    if name == "__version__":
        import importlib.metadata

        return importlib.metadata.version("fastleaky")
    raise AttributeError(f"module 'fastleaky' has no attribute {name!r}")
