"""Which calls are ours: eager ones on regular tensors. All others are PyTorch's."""

import torch
from torch import Tensor
from torch._C import (
    _are_functorch_transforms_active,
    _get_tracing_state,
    _has_storage,
    _len_torch_dispatch_stack,
    _len_torch_function_stack,
)
from torch.autograd import forward_ad

from fastleaky.torch._kernels import TYPES

_CLASSES = frozenset({Tensor, torch.nn.Parameter})
_AS_FAST = frozenset({torch.float32, torch.float64})


def is_inference(tensor: Tensor) -> bool:
    """Is it a forward step alone, of a type for which PyTorch's is as fast? Then no other question need be asked."""
    return not torch.is_grad_enabled() and type(tensor) is Tensor and tensor.dtype in _AS_FAST


def is_ours(tensor: Tensor) -> bool:
    """Is an operation on this tensor just computed, neither compiled nor transformed nor recorded, and by us?"""
    return not (
        torch.compiler.is_compiling()
        or _are_functorch_transforms_active()
        or forward_ad._current_level >= 0  # noqa: SLF001 - forward-mode derivatives are on; nothing public tells
        or _get_tracing_state()
        or _len_torch_function_stack()
        or _len_torch_dispatch_stack()
    ) and is_regular(tensor)


def is_regular(tensor: Tensor) -> bool:
    """Is it a tensor in the processor's memory, of one of our types and of no subclass?

    Those without storage are sparse, of oneDNN, or wrapped by a transform. A negative one is a lazy negation.
    """
    return (
        type(tensor) in _CLASSES
        and tensor.is_cpu
        and tensor.dtype in TYPES
        and _has_storage(tensor)
        and not tensor.is_neg()
    )
