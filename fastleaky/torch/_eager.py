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

_TYPES = frozenset({Tensor, torch.nn.Parameter})
_DTYPES = frozenset({torch.float32, torch.float64, torch.float16, torch.bfloat16})


def is_eager() -> bool:
    """Are operations just computed, and neither compiled nor transformed nor recorded?"""
    return not (
        torch.compiler.is_compiling()
        or _are_functorch_transforms_active()
        or forward_ad._current_level >= 0  # noqa: SLF001 - forward-mode derivatives are on; nothing public tells
        or _get_tracing_state()
        or _len_torch_function_stack()
        or _len_torch_dispatch_stack()
    )


def is_regular(tensor: Tensor) -> bool:
    """Is it a tensor in the processor's memory, of one of our types and of no subclass?

    Those without storage are sparse, of oneDNN, or wrapped by a transform.
    """
    return type(tensor) in _TYPES and tensor.is_cpu and _has_storage(tensor) and tensor.dtype in _DTYPES
