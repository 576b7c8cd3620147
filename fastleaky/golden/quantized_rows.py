"""The golden rows of the quantized operations: a C header with checksums of the specified results."""

import itertools
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastleaky.quantized import reference
from fastleaky.quantized._api import LeakyReLU, PReLU
from fastleaky.quantized._layer import ROUNDINGS, every

FORMAT = 1  # tests/c/check_quantized.c knows it too
WEIGHTS = (-128, -77, -1, 0, 1, 33, 100, 127)
SCALES = ((0.05, 0.05), (0.02, 0.3), (0.5, 0.01))
SLOPES = (0.06, 0.2, -0.3)

HEADER = """\
/* quantized.h - golden rows of fastleaky's quantized operations: parameters, and the CRC-32 of what the specification
 * gives for all numbers of a type in the order of their bits; of PReLU, for each of the weights.
 *
 * Written by `python -m fastleaky vectors`; tests/c/check_quantized.c reads it. */
#define FL_QUANTIZED_FORMAT {format}
#include "fastleaky_quantized.h"

typedef struct {{
    char type; /* b: int8, B: uint8, h: int16; 0: the end */
    int prelu;
    fl_quantization how; /* rounding, positive, negative, zero points of the input, the output and the weight */
    uint32_t crc;
}} fl_quantized_row;

static const uint8_t fl_quantized_weights[] = {{{weights}}};
static const fl_quantized_row fl_quantized_rows[] = {{
{rows}    {{0, 0, {{FL_TFLITE, {{0, 0}}, {{0, 0}}, 0, 0, 0}}, 0}},
}};
"""


def _row(layer: LeakyReLU | PReLU, results: Any) -> str:
    little = results.astype(results.dtype.newbyteorder("<"))
    prelu = int(isinstance(layer, PReLU))
    return f"    {{'{layer.dtype.char}', {prelu}, {layer.in_c}, 0x{zlib.crc32(little.tobytes()):08x}}},\n"


def _rows() -> Iterator[str]:
    for dtype, rounding, (from_, to) in itertools.product(("int8", "uint8", "int16"), ROUNDINGS, SCALES):
        q = every(np.dtype(dtype))
        low, high = (0, 0) if dtype == "int16" else (int(q.min()) + 9, int(q.min()) + 150)
        given: dict[str, Any] = {
            "input_scale": from_,
            "input_zero_point": high,
            "output_scale": to,
            "output_zero_point": low,
            "rounding": rounding,
        }
        if (dtype, rounding) != ("int16", "xnnpack"):
            for slope in SLOPES:
                leaky = LeakyReLU(slope, dtype, **given)
                yield _row(leaky, reference.leaky_relu(q, slope, **given))
        if rounding != "xnnpack":
            weight = np.array(WEIGHTS, np.int8).view("u1" if dtype == "uint8" else "i1")
            prelu = PReLU(weight, dtype, weight_scale=0.007, weight_zero_point=int(weight[5]), **given)
            yield _row(prelu, reference.prelu(q[np.newaxis], weight[:, np.newaxis], axis=0, **prelu.parameters))


def header() -> str:
    """Return the text of quantized.h."""
    weights = ", ".join(str(weight % 256) for weight in WEIGHTS)
    return HEADER.format(format=FORMAT, weights=weights, rows="".join(_rows()))
