"""The choice of the backend for integers: the one for floats, if it gives the known answers for integers too."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from fastleaky._backends import choice, numpy_integers
from fastleaky._typing import Array
from fastleaky.quantized import reference
from fastleaky.quantized._layer import Layer

Integers = Callable[[Layer, Array, Array], None]


def integers() -> Integers:
    """Return the function for integers of the backend that fastleaky has chosen."""
    backend: Any = choice.backend(np.dtype(np.float32))
    return _proven(backend)


@functools.cache
def _proven(backend: Any) -> Integers:
    """Return a backend's function for integers; or NumPy's, with a warning, if that gives a wrong answer."""
    given: dict[str, Any] = {"input_scale": 0.3, "input_zero_point": 0, "output_scale": 0.2, "output_zero_point": 0}
    given["rounding"] = "tflite"
    for dtype in map(np.dtype, ("int8", "uint8", "int16")):
        q = np.arange(-300, 300).astype(dtype).reshape(-1, 2, 1)
        weight = np.array([3, 100], dtype if dtype.itemsize == 1 else np.int8)
        leaky = Layer(dtype, {**given, "negative_slope": 0.1})
        prelu = Layer(dtype, {**given, "weight_scale": 0.01, "weight_zero_point": 0}, weight)
        answers = reference.leaky_relu(q, **leaky.parameters), reference.prelu(q, weight, **prelu.parameters)
        for layer, answer in zip((leaky, prelu), answers, strict=True):
            out = np.empty_like(q)
            backend.integers(layer, q, out)
            if (out != answer).any():
                message = (
                    f"fastleaky: the kernels for {dtype} gave wrong numbers in a known case; NumPy is used instead"
                )
                warnings.warn(message, RuntimeWarning, stacklevel=2)
                return numpy_integers.integers
    return backend.integers  # type: ignore[no-any-return]
