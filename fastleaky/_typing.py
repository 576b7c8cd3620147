"""The types of the annotations."""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

if TYPE_CHECKING:  # numpy.typing costs milliseconds at import
    from numpy.typing import ArrayLike
else:
    ArrayLike = Any

__all__ = ["Array", "ArrayLike"]
