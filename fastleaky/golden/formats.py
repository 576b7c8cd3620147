"""The files of the golden vectors: a C header for firmware, an .npz archive, a manifest in text."""

import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import fastleaky
from fastleaky._operations import OPERATIONS
from fastleaky._typing import Array
from fastleaky.golden import quantized_rows
from fastleaky.golden.vectors import DTYPES, Vector, vectors
from fastleaky.reference import quiet

FORMAT = 3  # of these files and of results; tests/c/check.c knows it too

HEADER = """\
/* vectors.h - golden vectors of fastleaky {version}: inputs, and what the specification makes of them, as bits.
 *
 * Written by `python -m fastleaky vectors`; tests/c/check.c reads it. A row of fl_vectors_TYPE is a call, its columns
 * are the enumeration below. Arrays are runs of fl_words_TYPE: x (or y), and grad (or the residual; 0 if there is none)
 * begin at the column of their name and repeat after `period` elements, as out (or dx) does after `out_period`; the
 * parameters have a value for each channel, or one; sum has one for each channel. Any NaN is as good as any other. */
#define FL_VECTORS_FORMAT {format}
#define FL_VECTORS_DIGEST 0x{digest:08x}u /* CRC-32 of all numbers below, least byte first: see crc() in common.h */
#include <stdint.h>

enum fl_vector_operation {{ {operations} }};
#define FL_NAMES {names}
enum fl_vector {{ {columns} }};
"""
COLUMNS = (
    "operation",
    *("outer", "channels", "inner"),
    *("x", "grad", "period"),
    *("out", "sum", "out_period"),
    *(f"parameter_{i}" for i in range(max(len(operation.parameters) for operation in OPERATIONS.values()))),
)


class Table:
    """The calls of one element type, and their numbers as unsigned integers; equal runs are stored once."""

    def __init__(self, type_: str) -> None:
        self.unsigned = f"<u{DTYPES[type_].itemsize}"
        self.words: list[int] = []
        self.rows: list[list[int]] = []
        self._starts: dict[bytes, int] = {}
        for vector in vectors():
            if vector.type == type_:
                self.rows.append(self._row(vector))

    def _row(self, vector: Vector) -> list[int]:
        out, *sums = vector.wanted.values()
        operation, period, given = vector.operation, vector.period, vector.given
        parameters = [np.atleast_1d(np.asarray(given[name], out.dtype)) for name in operation.parameters]
        others = [name for name in (*operation.inputs[:-1], operation.more) if name in given]
        out_period = period if all(values.size == 1 for values in parameters) else out.size
        row = [
            list(OPERATIONS).index(operation.name),
            *out.shape,
            self._run(given[operation.inputs[-1]], period),
            self._run(given[others[0]], period) if others else 0,
            period,
            self._run(out, out_period),
            self._run(sums[0], sums[0].size) if sums else 0,
            out_period,
            *(self._run(values, values.size) for values in parameters),
        ]
        return row + [0] * (len(COLUMNS) - len(row))

    def _run(self, array: Array, period: int) -> int:
        run = bits(array)[:period]
        start = self._starts.setdefault(run.tobytes(), len(self.words))
        if start == len(self.words):
            self.words += run.tolist()
        return start

    def crc(self, before: int) -> int:
        """CRC-32 of the table and of the numbers, continued from another."""
        table = zlib.crc32(np.array(self.rows, "<u4").tobytes(), before)
        return zlib.crc32(np.array(self.words, self.unsigned).tobytes(), table)


@quiet
def bits(array: Array) -> Array:
    """Return the bits of an array in C order, with one NaN for all."""
    numbers = np.where(np.isnan(array), np.array(np.nan, array.dtype), array).ravel()
    return numbers.view(f"u{array.dtype.itemsize}")


def stored(array: Any) -> Any:
    """Return what an .npz stores for an array: of bfloat16, which it does not know, the bits."""
    return array.view(np.uint16) if getattr(array, "dtype", None) == DTYPES["bf16"] else array


@cache
def digest() -> int:
    """Return a checksum, which tells these vectors from those of another version."""
    crc = 0
    for type_ in DTYPES:
        crc = Table(type_).crc(crc)
    return crc


def header() -> str:
    """Return the text of vectors.h."""
    text = HEADER.format(
        version=fastleaky.__version__,
        format=FORMAT,
        digest=digest(),
        operations=", ".join(f"FL_{name.upper()}" for name in OPERATIONS),
        names=", ".join(f'"golden {name}"' for name in OPERATIONS),
        columns=", ".join(f"FL_{name.upper()}" for name in (*COLUMNS, "columns")),
    )
    for type_, dtype in DTYPES.items():
        table = Table(type_)
        rows = "".join(f"    {{{', '.join(map(str, row))}}},\n" for row in table.rows)
        words = [f"0x{word:0{2 * dtype.itemsize}x}," for word in table.words]
        lines = "".join(f"    {' '.join(words[i : i + 8])}\n" for i in range(0, len(words), 8))
        text += f"\nstatic const uint16_t fl_vectors_{type_}[][FL_COLUMNS] = {{\n{rows}}};\n"
        text += f"static const uint{8 * dtype.itemsize}_t fl_words_{type_}[] = {{\n{lines}}};\n"
    return text + "#define FL_VECTORS_END 1\n"


def arrays() -> dict[str, Any]:
    """Return the arrays of the .npz: `NUMBER.NAME` for each argument and result, format and digest."""
    named = {
        f"{number:03d}.{name}": stored(array)
        for number, vector in enumerate(vectors())
        for name, array in {**vector.given, **vector.wanted}.items()
    }
    return {"format": FORMAT, "digest": digest(), **named}


def manifest() -> str:
    """Return the manifest: one line for each vector."""
    lines = (f"{number:03d} {vector}\n" for number, vector in enumerate(vectors()))
    return (
        f"Golden vectors of fastleaky {fastleaky.__version__}, format {FORMAT}, digest {digest():08x}.\n"
        "vectors.h holds them for C; in vectors.npz the array x of vector 007 is named 007.x, bfloat16 as uint16.\n"
        "Arrays are (outer, channels, inner), with one slope for each channel.\n\n" + "".join(lines)
    )


def write(folder: Path) -> list[Path]:
    """Write all files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / name for name in ("vectors.h", "vectors.npz", "MANIFEST.txt", "quantized.h")]
    files[0].write_text(header())
    np.savez_compressed(files[1], **arrays())
    files[2].write_text(manifest())
    files[3].write_text(quantized_rows.header())
    return files
