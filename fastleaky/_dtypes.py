"""The element types: NumPy's data types, and their names in C.

A type is recognised by its scalar type. The type character is not enough: ml_dtypes uses that of bfloat16 for uint1
too, and that of float16 for int1.
"""

import sys
from typing import Any

import numpy as np

from fastleaky._operations import TYPES

_BUILTIN = dict(zip((np.float32, np.float64, np.float16), TYPES, strict=False))


def name_in_c(dtype: np.dtype[Any]) -> str:
    """Return the name in C of a type in either byte order, or "" if it is none of ours."""
    return _BUILTIN.get(dtype.type) or ("bf16" if is_bfloat16(dtype) else "")


def is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """Is it the bfloat16 of ml_dtypes? If that module was never imported, no array has it."""
    return dtype.type is getattr(sys.modules.get("ml_dtypes"), "bfloat16", None)


def limits(dtype: Any) -> Any:
    """Return np.finfo of a type, also of bfloat16, which NumPy does not know."""
    if not is_bfloat16(np.dtype(dtype)):
        return np.finfo(dtype)
    import ml_dtypes

    return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
