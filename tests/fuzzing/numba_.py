"""The operations inside @njit: for some types only, since compilation takes a second for each."""

from typing import Any

import numba
import numpy as np
from numba.core.errors import NumbaError

import fastleaky
from fastleaky._backends.selftest import draw
from fuzzing.cases import Case, chosen, lay, native
from fuzzing.door import Door, Results


def leaky_relu(x, slope):
    return fastleaky.leaky_relu(x, slope)


def leaky_relu_backward(grad, x, slope):
    return fastleaky.leaky_relu_backward(grad, x, slope)


def prelu(x, weight, axis):
    return fastleaky.prelu(x, weight, axis=axis)


def prelu_backward(grad, x, weight, axis):
    return fastleaky.prelu_backward(grad, x, weight, axis=axis)


FUNCTIONS = {function.__name__: function for function in (leaky_relu, leaky_relu_backward, prelu, prelu_backward)}
# Dimensions of the arrays and of the weight, by element type. Arrays of any layout and mutability fit.
DIMENSIONS = {np.dtype("f4"): [(2, 1), (4, 4)], np.dtype("f8"): [(3, 1), (3, 3)]}

COMPILED_ANEW = 0.1  # of the cases that may be wrong


def compiled(name: str) -> Any:
    """Compile a function for these dimensions; and once more for contiguous arrays."""
    inputs = 1 + name.endswith("_backward")
    rest = [numba.float64] if name.startswith("leaky") else [numba.int64]
    signatures = []
    for dtype, dimensions in DIMENSIONS.items():
        for ndim, weight_ndim in dimensions:
            x, weight = (general(dtype, n) for n in (ndim, weight_ndim))
            signatures.append((*[x] * inputs, *[weight] * name.startswith("prelu"), *rest))
    row = numba.float32[::1]
    signatures.append((*[numba.float32[:, ::1]] * inputs, *[row] * name.startswith("prelu"), *rest))
    return numba.njit(list(dict.fromkeys(signatures)))(FUNCTIONS[name])


def general(dtype: np.dtype[Any], ndim: int) -> Any:
    """Return the type that any array of a type and dimensions can be passed as."""
    return numba.types.Array(numba.from_dtype(dtype), ndim, "A", readonly=True)


COMPILED = {name: compiled(name) for name in FUNCTIONS}


def adapt(case: Case) -> None:
    """Redraw the arrays of a right case in dimensions that are compiled; for 16-bit types, nothing is."""
    if not case.right:
        return
    case.given["negative_slope"] = float(case.given["negative_slope"])
    x, rng = case.given["x"], case.rng
    dtype = x.dtype.newbyteorder("=")
    case.right = dtype in DIMENSIONS
    if case.right:
        ndim, weight_ndim = chosen(rng, DIMENSIONS[dtype])
        shape = ((1,) * ndim + x.shape)[-ndim:]
        case.axis = int(rng.integers(-ndim, ndim))
        broadcast = [1] * ndim
        broadcast[case.axis] = shape[case.axis]
        shapes = {"x": shape, "grad": shape, "weight": broadcast if weight_ndim > 1 else shape[case.axis]}
        case.given.update({name: lay(rng, draw(rng, shapes[name], dtype, "special")) for name in shapes})


def typed(value: Any) -> Any:
    """Return an array aligned and in the machine's byte order: with signatures given, Numba confuses the others."""
    regular = not isinstance(value, np.ndarray) or (value.dtype.isnative and value.flags.aligned)
    return value if regular else native(value)


def call(case: Case, _: str) -> Results:
    """Call what is compiled; with types that it is not compiled for, let Numba compile it now and then."""
    name = case.operation.name
    function = COMPILED[name]
    if not case.right and case.rng.random() < COMPILED_ANEW:
        function = numba.njit(FUNCTIONS[name])
    given = [typed(case.given[argument]) for argument in case.operation.positional]
    results = function(*given, *case.options.values())
    return results if isinstance(results, tuple) else (results,)


DOOR = Door(call, (TypeError, ValueError, NumbaError, OverflowError), adapt)  # the last for an axis of 100 bits
