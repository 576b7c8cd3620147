"""The comparison of results of the golden vectors, computed elsewhere, with the specification."""

import math
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from fastleaky._typing import Array
from fastleaky.golden import formats
from fastleaky.golden.vectors import DTYPES, Vector, vectors

Found = dict[int, dict[str, Array]]  # a vector's number: its results by name

# A file may be damaged or malicious: it decides neither what is run nor how much memory is used.
LARGEST_ARCHIVE = 1 << 22  # bytes: an uncompressed vectors.npz has a quarter of that
LONGEST_HEADER = 1 << 10  # bytes: NumPy writes 128
LONGEST_LINE = 1 << 19  # characters: enough for all numbers of any vector
LONGEST_WORD = 80  # of what a message quotes
MOST_RESULTS = 100  # in a log

INTEGERS = tuple(map(np.dtype, ("i8", "i4", "u8", "u4")))
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class ResultsError(ValueError):
    """A file cannot be compared: it has another version, or is truncated, damaged, or no such file."""


@dataclass
class Difference:
    """The first wrong element of a vector, and the numbers that it depends on."""

    vector: int
    result: str
    index: tuple[int, ...]
    wrong: int  # elements of this result
    numbers: dict[str, Any]  # the inputs there, "got" and "expected", all of the vector's type


@dataclass
class Verdict:
    """The outcome for the results of one instruction set."""

    who: str
    compared: int = 0
    left_out: list[int] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def verify(path: Path) -> list[Verdict]:
    """Compare a file of results: a log of what check.c printed, or an .npz with the names of vectors.npz."""
    if not path.is_file():
        raise ResultsError(f"{path}: there is no such file, or it is a folder, a pipe or a device")
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
    wrong = np.argwhere((formats.bits(got) != formats.bits(wanted)).reshape(wanted.shape))
    if not wrong.size:
        return None
    index = tuple(wrong[0].tolist())
    channel, numbers = index[wanted.ndim > 1], {}
    for argument, given in vector.given.items():
        values = np.atleast_1d(np.asarray(given, wanted.dtype))
        if values.ndim == 1:
            numbers[argument] = values[channel if values.size > 1 else 0]
        elif wanted.ndim > 1:  # a sum depends on all of them
            numbers[argument] = values[index]
    numbers |= {"got": got[index], "expected": wanted[index]}
    return Difference(number, name, index, len(wrong), numbers)


def _check_kind(path: Path, form: str, digest: str) -> None:
    if form != str(formats.FORMAT):
        raise ResultsError(f"{path}: of format {form}; this version of fastleaky has format {formats.FORMAT}")
    if digest != f"{formats.digest():08x}":
        raise ResultsError(
            f"{path}: made from the vectors of another version: their digest is {digest}, that of this version's "
            f"is {formats.digest():08x}; write them anew with python -m fastleaky vectors"
        )


@contextmanager
def _reading(where: str) -> Iterator[None]:
    """Turn every exception and warning of a library that reads a damaged file into a ResultsError."""
    try:
        with warnings.catch_warnings(action="error"):
            yield
    except Exception as error:
        raise ResultsError(f"{where}: truncated or damaged: {error!r}") from error


def _read_npz(path: Path) -> Iterator[tuple[str, Found]]:
    if path.stat().st_size > LARGEST_ARCHIVE:
        raise ResultsError(f"{path}: of {path.stat().st_size} bytes; results have at most {LARGEST_ARCHIVE}")
    with _reading(str(path)):
        archive = zipfile.ZipFile(path)
    with archive:
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise ResultsError(f"{path}: damaged: two of its arrays have one name")
        if not {"format.npy", "digest.npy"} <= set(names):
            raise ResultsError(f"{path}: no golden vectors: format and digest are missing")
        form, digest = (int(_unpack(archive, name, (), INTEGERS)) for name in ("format", "digest"))
        _check_kind(path, str(form), f"{digest:08x}")
        found: Found = {}
        for number, vector in enumerate(vectors()):
            found[number] = {}
            for name, wanted in vector.wanted.items():
                dtype = formats.stored(wanted).dtype
                array = _unpack(archive, f"{number:03d}.{name}", wanted.shape, [dtype])
                found[number][name] = array.view(wanted.dtype)
    yield path.name, found


def _unpack(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtypes: Collection[np.dtype[Any]]) -> Array:
    """Read an array, after its declarations in the archive and in its own header are checked."""
    where = f"{archive.filename}: {name}"
    try:
        member = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise ResultsError(f"{archive.filename}: truncated: {name} is missing") from None
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ResultsError(f"{where} is compressed in a way that NumPy has not")
    most = LONGEST_HEADER + math.prod(shape) * max(dtype.itemsize for dtype in dtypes)
    if member.file_size > most:
        raise ResultsError(f"{where} has {member.file_size} bytes; it must have at most {most}")
    with _reading(where), archive.open(member) as packed:
        file = BytesIO(packed.read(most))  # the declared size may be a lie
        declared, fortran, dtype = HEADERS[np.lib.format.read_magic(file)](file, LONGEST_HEADER)
    if declared != shape or dtype not in dtypes:
        wanted = " or ".join(map(str, dtypes))
        raise ResultsError(f"{where} is {dtype} of shape {declared}; it must be {wanted} of shape {shape}")
    with _reading(where):
        return np.frombuffer(file.read(), dtype).reshape(shape, order="F" if fortran else "C")


def _lines(path: Path) -> Iterator[list[str]]:
    """Yield the words of the lines that begin with fl, as check.c prints them, among any others."""
    whole = True
    with path.open(encoding="utf-8", errors="replace") as file:
        while line := file.readline(LONGEST_LINE):
            if whole and line.startswith("fl "):
                yield [word[:LONGEST_WORD] for word in line.split()[1:]]
            whole = line.endswith("\n")


def _read_log(path: Path) -> Iterator[tuple[str, Found]]:
    """Read what check.c prints: results FORMAT DIGEST WHO, and for each vector: vector NUMBER, its words; end CRC."""
    sections = 0
    lines = _lines(path)
    for line in lines:
        match line:
            case ["results", form, digest, who]:
                sections += 1
                if sections > MOST_RESULTS:
                    raise ResultsError(f"{path}: holds results more than {MOST_RESULTS} times")
                _check_kind(path, form, digest)
                yield who, _read_section(f"{path}, {who}", lines)
            case ["results", *_]:
                raise _damaged(str(path), line)
            case _ if sections:
                raise _damaged(f"{path}, after {who}", line)
    if not sections:
        raise ResultsError(f"{path}: holds no results: no line begins with fl results")


def _damaged(where: str, line: list[str]) -> ResultsError:
    return ResultsError(f"{where}: truncated or damaged: the line fl {' '.join(line[:9])}")


def _read_section(where: str, lines: Iterator[list[str]]) -> Found:
    """Read the lines up to fl end."""
    left = {str(number): number for number in range(len(vectors()))}
    found: dict[int, bytearray] = {}
    crc = number = 0
    for line in lines:
        match line:
            case ["results", *_]:
                break
            case ["end", sent]:
                if not found:
                    raise ResultsError(f"{where}: truncated: it holds no vector")
                if sent != f"{crc:08x}":
                    raise ResultsError(f"{where}: damaged: its CRC is {sent}, that of its numbers {crc:08x}")
                return {number: _results(where, number, numbers) for number, numbers in found.items()}
            case ["vector", name] if name in left:
                number = left.pop(name)
                found[number] = bytearray()
                crc = zlib.crc32(number.to_bytes(4, "little"), crc)
            case _ if number in found and (numbers := _numbers(line, DTYPES[vectors()[number].type].itemsize)):
                found[number] += numbers
                crc = zlib.crc32(numbers, crc)
                if len(found[number]) > sum(wanted.nbytes for wanted in vectors()[number].wanted.values()):
                    _results(where, number, found[number])  # says so, before there are more
            case _:
                raise _damaged(f"{where}, in or before vector {number}", line)
    raise ResultsError(f"{where}: truncated: no line fl end")


def _numbers(line: list[str], size: int) -> bytes:
    """Return hexadecimal words as little-endian numbers of `size` bytes; nothing if one is not such a number."""
    try:
        numbers = [bytes.fromhex(word)[::-1] for word in line]
    except ValueError:
        return b""
    return b"".join(numbers) if all(len(number) == size for number in numbers) else b""


def _results(where: str, number: int, numbers: bytearray) -> dict[str, Array]:
    vector = vectors()[number]
    dtype = DTYPES[vector.type]
    sizes = [wanted.size for wanted in vector.wanted.values()]
    words = np.frombuffer(numbers, f"<u{dtype.itemsize}").astype(f"u{dtype.itemsize}").view(dtype)
    if words.size != sum(sizes):
        raise ResultsError(f"{where}: vector {number} has {words.size} numbers; it must have {sum(sizes)}")
    parts = np.split(words, np.cumsum(sizes)[:-1])
    return {name: part.reshape(wanted.shape) for part, (name, wanted) in zip(parts, vector.wanted.items(), strict=True)}
