"""The quantized operations in C, with the instruction set that fastleaky has chosen."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from fastleaky._backends import choice
from fastleaky._backends.native import Native, extension
from fastleaky._typing import Array
from fastleaky.quantized import reference

if TYPE_CHECKING:
    from fastleaky.quantized._api import LeakyReLU, PReLU

ROUNDINGS = ("tflite", "tflite-single", "xnnpack")  # in the order of fl_rounding
TYPES = {"b": ("i8", "int8_t"), "B": ("u8", "uint8_t"), "h": ("i16", "int16_t")}


def quantization(layer: LeakyReLU | PReLU) -> dict[str, Any]:
    """Return what C is told of a layer, in the order of fl_quantization."""
    rounding, zero_points = layer.parameters["rounding"], {"weight_zero_point": 0, **layer.parameters}
    if rounding == "xnnpack":
        above, below = ((reference.of_256ths(factor), 0) for factor in layer.factors)
    else:
        above, below = (reference.quantize_multiplier(float(factor)) for factor in layer.factors)
    return {
        "rounding": ROUNDINGS.index(rounding),
        "above": above,
        "below": below,
        **{f"{name}_zero_point": zero_points[f"{name}_zero_point"] for name in ("input", "output", "weight")},
    }


class Kernels:
    """Both operations, for layers whose arrays are dense."""

    def __init__(self, isa: Any) -> None:
        module = extension()
        # What C is told of a layer, as long as there is that layer.
        self._layers: WeakKeyDictionary[LeakyReLU | PReLU, Any] = WeakKeyDictionary()
        self._isa, self._new, self._from_buffer = isa, module.ffi.new, module.ffi.from_buffer
        self._pointers = {char: module.ffi.typeof(f"{name}[]") for char, (_, name) in TYPES.items()}
        self._functions = {
            (operation, char): getattr(module.lib, f"fl_{operation}_{suffix}")
            for operation in ("leaky_relu", "prelu")
            for char, (suffix, _) in TYPES.items()
        }

    def _call(
        self, operation: str, layer: LeakyReLU | PReLU, arrays: tuple[Array, ...], shape: tuple[int, ...]
    ) -> None:
        pointers = [self._from_buffer(self._pointers[array.dtype.char], array) for array in arrays]
        told = self._layers.get(layer)
        if told is None:
            told = self._layers[layer] = self._new("fl_quantization *", quantization(layer))
        self._functions[operation, arrays[0].dtype.char](self._isa, told, *pointers, *shape)

    def leaky_relu(self, layer: LeakyReLU, q: Array, out: Array) -> None:
        """Write what the layer gives for `q`."""
        self._call("leaky_relu", layer, (q, out), (q.size,))

    def prelu(self, layer: PReLU, q: Array, out: Array) -> None:
        """Write what the layer gives for `q`, of shape (outer, channels, inner)."""
        self._call("prelu", layer, (q, layer.weight, out), q.shape)


@functools.cache
def _proven(isa: Any) -> Kernels | None:
    """The kernels of an instruction set, if they give the known answers; else None, and a warning."""
    from fastleaky.quantized._api import LeakyReLU, PReLU

    kernels = Kernels(isa)
    given: dict[str, Any] = {"input_scale": 0.3, "input_zero_point": 0, "output_scale": 0.2, "output_zero_point": 0}
    for dtype in ("int8", "uint8", "int16"):
        q = np.arange(-300, 300).astype(dtype)
        weight = np.array([3, 100]).astype("int8" if dtype == "int16" else dtype)
        leaky = LeakyReLU(0.1, dtype, **given)
        prelu = PReLU(weight, dtype, weight_scale=0.01, weight_zero_point=0, **given)
        leaky_out, prelu_out = np.empty_like(q), np.empty_like(q).reshape(-1, 2, 1)
        kernels.leaky_relu(leaky, q, leaky_out)
        kernels.prelu(prelu, q.reshape(-1, 2, 1), prelu_out)
        wanted = reference.prelu(q.reshape(-1, 2), weight, **prelu.parameters)
        if (leaky_out != reference.leaky_relu(q, **leaky.parameters)).any() or (prelu_out[..., 0] != wanted).any():
            message = f"fastleaky: the C kernels for {dtype} gave wrong numbers in a known case; NumPy is used instead"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
            return None
    return kernels


def chosen() -> Kernels | None:
    """The kernels of the backend that fastleaky has chosen, or None if that has none for integers."""
    floats = choice.backend(np.dtype(np.float32))
    return _proven(floats.isa) if isinstance(floats, Native) else None
