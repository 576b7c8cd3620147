"""Slopes that are unusual: how many, and what follows from it."""

import numpy as np

from fastleaky._dtypes import limits, name_in_c
from fastleaky._typing import Array
from fastleaky.reference import quiet

FOLLOWS = {
    "NaN": "all that is not positive becomes NaN",
    "infinite": "both zeros become NaN",
    "subnormal": "processors and libraries that flush subnormal numbers to zero take 0 instead",
    "zero": "it is ReLU, but makes -0 of negative numbers and NaN of -inf",
    "negative": "the sign of zeros depends on the runtime, and training cannot start from the output",
    "above 1": "programs that compute max(x, slope * x) are wrong there",
}


@quiet
def unusual(slopes: Array) -> dict[str, int]:
    """Count the slopes of each of the kinds."""
    values = slopes.astype(np.float64)
    least = float(limits(slopes.dtype).smallest_normal) if name_in_c(slopes.dtype) else 0.0
    size = np.abs(values)
    kinds = {
        "NaN": np.isnan(values),
        "infinite": np.isinf(values),
        "subnormal": (size > 0) & (size < least),
        "zero": values == 0,
        "negative": values < 0,
        "above 1": values > 1,
    }
    return {kind: int(np.count_nonzero(where)) for kind, where in kinds.items() if where.any()}
