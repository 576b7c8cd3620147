"""Results of the golden vectors, computed elsewhere, against the specification."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastleaky import _golden
from fastleaky._typing import Array
from fastleaky._vectors import DTYPES, Vector, vectors

Found = dict[int, dict[str, Array]]  # a vector's number: its results by name


class ResultsError(ValueError):
    """A file cannot be compared: it is of another version, truncated, damaged, or something else."""


@dataclass
class Difference:
    """The first element that is wrong in a vector: what it is and everything that it was made of."""

    vector: int
    result: str
    index: tuple[int, ...]
    wrong: int  # elements of this result
    numbers: dict[str, Any]  # the inputs there, "got" and "expected", all of the vector's type


@dataclass
class Verdict:
    """What the comparison of one instruction set's results came to."""

    who: str
    compared: int = 0
    left_out: list[int] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def verify(path: Path) -> list[Verdict]:
    """Compare a file of results: a log with what check.c printed, or an .npz with arrays named as in vectors.npz."""
    read = _read_npz if zipfile.is_zipfile(path) or path.suffix == ".npz" else _read_log
    return [_compare(who, found) for who, found in read(path)]


def _compare(who: str, found: Found) -> Verdict:
    verdict = Verdict(who)
    for number, vector in enumerate(vectors()):
        if number not in found:
            verdict.left_out.append(number)
            continue
        verdict.compared += 1
        differences = (_difference(number, vector, name, found[number][name]) for name in vector.wanted)
        verdict.differences += [difference for difference in differences if difference][:1]
    return verdict


def _difference(number: int, vector: Vector, name: str, got: Array) -> Difference | None:
    wanted = vector.wanted[name]
    wrong = np.argwhere((_golden.bits(got) != _golden.bits(wanted)).reshape(wanted.shape))
    if not wrong.size:
        return None
    index = tuple(wrong[0].tolist())
    slope = np.atleast_1d(np.asarray(vector.given[vector.operation.parameter], wanted.dtype))
    channel = index[wanted.ndim > 1] if slope.size > 1 else 0
    inputs = {name: vector.given[name][index] for name in vector.operation.inputs} if wanted.ndim > 1 else {}
    numbers = {**inputs, "slope": slope[channel], "got": got[index], "expected": wanted[index]}
    return Difference(number, name, index, len(wrong), numbers)


def _check_kind(path: Path, form: int, digest: int) -> None:
    if form != _golden.FORMAT:
        raise ResultsError(f"{path}: of format {form}; this version of fastleaky has format {_golden.FORMAT}")
    if digest != _golden.digest():
        raise ResultsError(
            f"{path}: made from the vectors of another version: their digest is {digest:08x}, that of this version's "
            f"is {_golden.digest():08x}; write them anew with python -m fastleaky vectors"
        )


def _read_npz(path: Path) -> Iterator[tuple[str, Found]]:
    with path.open("rb") as file:
        try:
            with np.load(file) as npz:
                arrays = dict(npz)
        except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, NotImplementedError, OSError) as error:
            raise ResultsError(f"{path}: truncated or damaged: {error}") from None
    if not {"format", "digest"} <= arrays.keys():
        raise ResultsError(f"{path}: no golden vectors: format and digest are missing")
    _check_kind(path, int(arrays["format"]), int(arrays["digest"]))
    found: Found = {}
    for number, vector in enumerate(vectors()):
        found[number] = {}
        for name, wanted in vector.wanted.items():
            array = arrays.get(f"{number:03d}.{name}")
            if array is None:
                raise ResultsError(f"{path}: truncated: {number:03d}.{name} is missing")
            dtype = _golden.stored(wanted).dtype
            if (array.shape, array.dtype) != (wanted.shape, dtype):
                raise ResultsError(
                    f"{path}: {number:03d}.{name} is {array.dtype} of shape {array.shape}; it must be {dtype} of shape "
                    f"{wanted.shape}"
                )
            found[number][name] = array.view(wanted.dtype)
    yield path.name, found


def _read_log(path: Path) -> Iterator[tuple[str, Found]]:
    """Lines that check.c marked with fl, among any others: results FORMAT DIGEST WHO, vector NUMBER, words, end CRC."""
    lines = [line.split()[1:] for line in path.read_text(errors="replace").splitlines() if line.startswith("fl ")]
    starts = [i for i, line in enumerate(lines) if line[:1] == ["results"]]
    if not starts:
        raise ResultsError(f"{path}: holds no results: no line begins with fl results")
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        try:
            _, form, digest, who = lines[start]
            form_, digest_ = int(form), int(digest, 16)
        except ValueError:
            raise ResultsError(f"{path}: damaged: the line fl {' '.join(lines[start])}") from None
        _check_kind(path, form_, digest_)
        yield who, _read_section(f"{path}, {who}", lines[start + 1 : stop])


def _read_section(where: str, lines: list[list[str]]) -> Found:
    if not lines or lines[-1][:1] != ["end"]:
        raise ResultsError(f"{where}: truncated: no line fl end")
    words: dict[int, list[str]] = {}
    crc = number = 0
    try:
        for line in lines[:-1]:
            if line[0] == "vector":
                number = int(line[1])
                words[number] = []
                crc = zlib.crc32(number.to_bytes(4, "little"), crc)
            else:
                words[number] += line
                crc = zlib.crc32(b"".join(bytes.fromhex(word)[::-1] for word in line), crc)
        sent = int(lines[-1][1], 16)
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise ResultsError(f"{where}: damaged: in or before vector {number}: {error}") from None
    if not words:
        raise ResultsError(f"{where}: truncated: it holds no vector")
    if crc != sent:
        raise ResultsError(f"{where}: damaged: its CRC is {sent:08x}, that of its numbers {crc:08x}")
    return {number: _results(where, number, hexadecimal) for number, hexadecimal in words.items()}


def _results(where: str, number: int, hexadecimal: Iterable[str]) -> dict[str, Array]:
    if number >= len(vectors()):
        raise ResultsError(f"{where}: vector {number} is not one of the {len(vectors())}")
    vector = vectors()[number]
    dtype = DTYPES[vector.type]
    unsigned: Array = np.array([int(word, 16) for word in hexadecimal], f"u{dtype.itemsize}")
    words = unsigned.view(dtype)
    sizes = [wanted.size for wanted in vector.wanted.values()]
    if words.size != sum(sizes):
        raise ResultsError(f"{where}: vector {number} has {words.size} numbers; it must have {sum(sizes)}")
    parts = np.split(words, np.cumsum(sizes)[:-1])
    return {name: part.reshape(wanted.shape) for part, (name, wanted) in zip(parts, vector.wanted.items(), strict=True)}
