"""A C header for firmware: the parameters, weights and tables of a model's leaky ReLUs and PReLUs."""

import re
from collections.abc import Iterable
from itertools import accumulate
from textwrap import wrap

import numpy as np

from fastleaky._layout import plan
from fastleaky._typing import Array
from fastleaky.doctor.integers import ROUNDINGS, comparison, integers, layer
from fastleaky.doctor.model import C_NAMES, Activation, Model

HEADER = """\
/* {name}.h - the leaky ReLUs and PReLUs of {model}, for fastleaky's C library.
 *
 * Written by `python -m fastleaky doctor`. In the calls, isa is what fl_isa_best() returns. */
#ifndef {guard}_H
#define {guard}_H
#include "fastleaky_quantized.h"
#include <math.h>
{activations}
#endif
"""
QUANTIZED = {"int8", "uint8", "int16"}
IN_C = {"float32": "float", "float64": "double", "float16": "fl_f16", "bfloat16": "fl_bf16"}


def header(model: Model, file: str, name: str, rounding: str | None = None) -> str:
    """Return the text: all that there is of `model`, which a file holds, under names that begin with `name`."""
    name = re.sub(r"\W", "_", name, flags=re.ASCII).lstrip("_0123456789") or "model"
    rounding = rounding or ROUNDINGS[model.format][0]
    parts = [_part(activation, f"{name}_{i}", rounding) for i, activation in enumerate(model.activations)]
    text = HEADER.format(name=name, model=_plain(file), guard=name.upper(), activations="".join(parts))
    return text if re.search(r"\b(INFINITY|NAN)\b", text) else text.replace("#include <math.h>\n", "")


def _part(activation: Activation, name: str, rounding: str) -> str:
    """Return what there is of one activation."""
    try:
        lines = _lines(activation, name, rounding)
    except (TypeError, ValueError) as error:
        lines = [f"/* Nothing: {_plain(str(error))}. */"]
    sizes = "x".join("?" if size is None else str(size) for size in activation.x.shape or ())
    what = f"{activation.operator} {activation.name}, {sizes}, {activation.x.dtype} ({activation.place})"
    return "\n".join(["", f"/* {_plain(what)} */", *lines, ""])


def _lines(activation: Activation, name: str, rounding: str) -> list[str]:
    if activation.slopes is None:
        raise ValueError("its slopes are computed at run time")
    if activation.x.dtype in QUANTIZED:
        return _quantized(activation, activation.slopes, name, rounding)
    return _float(activation, activation.slopes, name)


def _quantized(activation: Activation, slopes: Array, name: str, wanted: str) -> list[str]:
    rounding, type_ = _rounding(activation, wanted), C_NAMES[activation.x.dtype]
    lines = []
    if rounding != "onnx":
        lines += [f"static const fl_quantization {name} = {layer(activation, rounding).in_c};"]
    if rounding != wanted == "onnx" and (other := comparison(activation, wanted)):
        different = f"{other['different'].get(rounding)} of {other['of']}"
        lines += [f"/* TensorFlow Lite's integers: ONNX Runtime gives others for {different} numbers. */"]
    if activation.weight is not None:
        lines += _numbers(f"{activation.weight.dtype}_t", f"{name}_weight", map(str, slopes.ravel()))
        return [*lines, *_prelu(activation, name, f"fl_prelu_{type_}(isa, &{name}, q")]
    if not _has_table(activation):
        return [*lines, *_leaky(activation, name, f"fl_leaky_relu_{type_}(isa, &{name}, q, out, {{n}})")]
    (table,), _ = integers(activation, rounding)
    lines += _numbers(f"{activation.x.dtype}_t", f"{name}_table", map(str, table))
    return [*lines, *_leaky(activation, name, f"fl_look_up_{type_}(isa, q, {name}_table, out, {{n}})")]


def _rounding(activation: Activation, wanted: str) -> str:
    """Return the rounding that is wanted, or "tflite" where who rounds so leaves the operation to somebody else.

    ONNX's needs a table, since the C library has no function for it.
    """
    if wanted == "xnnpack":
        try:
            layer(activation, wanted)
        except ValueError:
            return "tflite"
    return "tflite" if wanted == "onnx" and not _has_table(activation) else wanted


def _has_table(activation: Activation) -> bool:
    return activation.weight is None and activation.x.dtype != "int16"


def _float(activation: Activation, slopes: Array, name: str) -> list[str]:
    dtype = activation.x.dtype
    if dtype not in IN_C:
        raise ValueError(f"fastleaky has no {dtype}")
    if activation.weight is None:
        number = _literal(slopes)
        lines = [f"static const {'double' if dtype == 'float64' else 'float'} {name}_slope = {number};"]
        call = f"fl_leaky_relu_{C_NAMES[dtype]}(isa, x, out, {{n}}, {name}_slope)"
        return [*lines, *_leaky(activation, name, call)]
    if slopes.dtype.name != dtype:
        raise ValueError(f"its slopes are {slopes.dtype}")
    lines = _numbers(IN_C[dtype], f"{name}_weight", map(_literal, slopes.ravel()))
    return [*lines, *_prelu(activation, name, f"fl_prelu_{C_NAMES[dtype]}(isa, x")]


def _literal(value: Array) -> str:
    """Return a float as C reads it; of 16 bits, its bits."""
    if value.dtype.itemsize == 2:  # noqa: PLR2004
        return f"0x{int(value.view(np.uint16)):04x}"
    if not np.isfinite(value):
        return "NAN" if np.isnan(value) else "INFINITY" if value > 0 else "-INFINITY"
    return f"{value!s}f" if value.dtype == np.float32 else str(value)


def _numbers(type_: str, name: str, numbers: Iterable[str]) -> list[str]:
    """Return the definition of an array."""
    texts = list(numbers)
    rows = wrap(", ".join(texts), 110, initial_indent="    ", subsequent_indent="    ")
    return [f"static const {type_} {name}[{len(texts)}] = {{", *rows, "};"]


def _leaky(activation: Activation, name: str, call: str) -> list[str]:
    """Return how many elements there are, and a call on {n} of them."""
    if activation.x.shape is None or None in activation.x.shape:
        return [f"/* {call.format(n='n')}; */"]
    size = f"static const size_t {name}_elements = {activation.elements};"
    return [size, f"/* {call.format(n=f'{name}_elements')}; */"]


def _prelu(activation: Activation, name: str, call: str) -> list[str]:
    """Return the shape that the C library takes, and a call on it."""
    shape, weight = _layout(activation), f"{call}, {name}_weight, out"
    if shape is None:
        return [f"/* {weight}, outer, channels, inner); */"]
    sizes = f"static const size_t {name}_shape[3] = {{{', '.join(map(str, shape))}}}; /* outer, channels, inner */"
    return [sizes, f"/* {weight}, {', '.join(f'{name}_shape[{axis}]' for axis in range(3))}); */"]


def _layout(activation: Activation) -> tuple[int, int, int] | None:
    """Return the shape (outer, channels, inner); None if a size is not known, or if the channels are apart."""
    shape, slopes = activation.x.shape, np.asarray(activation.slopes).shape
    if shape is None or None in shape or len(slopes) > len(shape):
        return None
    sizes = [size or 0 for size in shape]
    aligned = (1,) * (len(sizes) - len(slopes)) + slopes
    varying = tuple(axis for axis, size in enumerate(aligned) if size > 1)
    if any(aligned[axis] != sizes[axis] for axis in varying):
        raise ValueError(f"slopes of shape {slopes} do not broadcast to {shape}")
    strides = tuple(accumulate(reversed(sizes[1:]), lambda a, b: a * b, initial=1))[::-1]
    layout = plan(tuple(sizes), strides, varying, ordered=False)
    return layout.shape if layout.in_c_order else None


def _plain(text: str) -> str:
    """Return text from a file as it may stand in a comment: without what ends one, or joins lines."""
    return re.sub(r"[^ -~]|[*?\\]", "_", text)
