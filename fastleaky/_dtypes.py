"""The element types: which of NumPy's data types the operations take, and what C calls them.

A type is known by its scalar type, which no two libraries share. A character is not enough: ml_dtypes has given that of
bfloat16 to uint1 as well, and that of float16 to int1, whose elements have one byte.
"""

import sys
from typing import Any

import numpy as np

from fastleaky._operations import TYPES

_BUILTIN = dict(zip((np.float32, np.float64, np.float16), TYPES, strict=False))


def name_in_c(dtype: np.dtype[Any]) -> str:
    """Return what C calls a type, in either byte order; "" for a type that is not ours."""
    return _BUILTIN.get(dtype.type) or ("bf16" if is_bfloat16(dtype) else "")


def is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """Is it the bfloat16 of ml_dtypes? Without that module, no array has it."""
    return dtype.type is getattr(sys.modules.get("ml_dtypes"), "bfloat16", None)


def limits(dtype: Any) -> Any:
    """Return what np.finfo tells of a type; of bfloat16 it knows nothing."""
    if not is_bfloat16(np.dtype(dtype)):
        return np.finfo(dtype)
    import ml_dtypes

    return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
