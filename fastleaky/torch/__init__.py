"""fastleaky in PyTorch: the functions and modules of PyTorch, and its gradients, on the CPU at the speed of memory.

Exchange the modules of a model, and train as before::

    import fastleaky.torch

    fastleaky.torch.convert(model)

Eager operations on tensors in the processor's memory are computed by fastleaky. All else (compiled, transformed,
traced, on other devices) is left to PyTorch's own functions, so every model works as before.
"""

from fastleaky._extras import extra

with extra("torch"):
    import ml_dtypes  # noqa: F401 - NumPy's bfloat16
    import torch  # noqa: F401

from fastleaky.torch.functional import leaky_relu, prelu
from fastleaky.torch.fused import bias_leaky_relu, scale_shift_leaky_relu, scale_shift_prelu
from fastleaky.torch.modules import LeakyReLU, PReLU, convert, restore

__all__ = [
    "LeakyReLU",
    "PReLU",
    "bias_leaky_relu",
    "convert",
    "leaky_relu",
    "prelu",
    "restore",
    "scale_shift_leaky_relu",
    "scale_shift_prelu",
]
