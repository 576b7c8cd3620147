"""The shapes of vectors that the float traversals are compiled for, read from csrc/isa."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SETS = Path(__file__).parent.parent / "csrc/isa"
FLAGS = ("MASKED", "SCALABLE", "UNROLLED", "EXPAND", "FTZ")
LINE = re.compile(r'^#define FL_(\w+)(?: +(\w+))?|^#include "float/(?:kernels|scalar)\.h"', re.MULTILINE)


@dataclass(frozen=True, order=True)
class Shape:
    """Vectors of `registers` of `lanes`, of `heavy` registers for some kernels; halves are computed as floats."""

    registers: int
    heavy: int
    lanes: int
    halves: bool
    flags: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called in the table and in faults.toml."""
        registers = f"{self.registers}/{self.heavy}x" if self.registers > 1 else ""
        return " ".join([f"{registers}{self.lanes}", *self.flags, *["HALVES"] * self.halves]).lower()

    @property
    def defines(self) -> list[str]:
        """What shape.h wants to be told."""
        given = [f"-DSHAPE_LANES={self.lanes}", *(f"-DSHAPE_{flag}" for flag in self.flags)]
        if self.registers > 1:
            given += [f"-DSHAPE_REGISTERS={self.registers}", f"-DSHAPE_HEAVY={self.heavy}"]
        return given + ["-DSHAPE_HALVES"] * self.halves


def shape_of(words: dict[str, str], *, streams: bool) -> Shape:
    """Return what the definitions ahead of an include of the kernels say."""
    registers = int(words.get("REGISTERS", 1))
    lanes = int(words.get("PER_REGISTER") or words.get("LANES") or 1)
    flags = (*(flag for flag in FLAGS if flag in words), *["STREAMS"] * streams)
    # Elsewhere halves take the very lines that floats do.
    halves = "COMPUTE" in words and (streams or registers > 1)
    return Shape(registers, int(words.get("HEAVY_REGISTERS", registers)), lanes, halves, flags)


def shapes() -> list[Shape]:
    """All that there are. Of a definition that stands in both branches of a condition, each is one."""
    found = set()
    for path in SETS.iterdir():
        words: dict[str, str] = {}
        streams = path.stem.startswith(("sse", "avx"))
        for line in LINE.finditer(path.read_text()):
            name, value = line.groups()
            if name is None or (name in words and "PER_REGISTER" in words):
                found.add(shape_of(words, streams=streams))
                words = {}
            if name is not None:
                words[name] = value
    return sorted(found)
