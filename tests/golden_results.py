"""Results of the golden vectors, right and wrong ones, as a log and as an .npz hold them."""

import functools
import io
import itertools
import struct
import zipfile
import zlib

import numpy as np

from fastleaky import __main__ as cli
from fastleaky.golden import formats
from fastleaky.golden.vectors import vectors


def log(who="scalar", **changed):
    """What check.c prints with -DRESULTS, in Python; `changed` are whole vectors, by vNUMBER, for other results."""
    sections = [_right_section(number) for number in range(len(vectors()))]
    for name, results in changed.items():
        sections[int(name[1:])] = ([], b"") if results is None else _section(int(name[1:]), results)
    lines = itertools.chain(*(lines for lines, _ in sections))
    crc = zlib.crc32(b"".join(numbers for _, numbers in sections))
    return "\n".join([f"fl results {formats.FORMAT} {formats.digest():08x} {who}", *lines, f"fl end {crc:08x}", ""])


def _section(number, results):
    """The lines of a vector, and the bytes that its part of the CRC is made of."""
    words = [f"{word:0{2 * result.itemsize}x}" for result in results for word in formats.bits(result).tolist()]
    lines = [f"fl vector {number}", *(" ".join(["fl", *words[i : i + 8]]) for i in range(0, len(words), 8))]
    return lines, number.to_bytes(4, "little") + b"".join(bytes.fromhex(word)[::-1] for word in words)


@functools.cache
def _right_section(number):
    return _section(number, vectors()[number].wanted.values())


@functools.cache
def short_log():
    """The log of the first nine vectors."""
    return log(**dict.fromkeys(f"v{number}" for number in range(9, len(vectors()))))


@functools.cache
def right_arrays():
    """What an .npz has to hold."""
    inputs = {f"{number:03d}.{name}" for number, vector in enumerate(vectors()) for name in vector.given}
    return {name: array for name, array in formats.arrays().items() if name not in inputs}


def member(array, header=None):
    """An .npy, with another header if one is given."""
    file = io.BytesIO()
    np.save(file, array)
    if header is None:
        return file.getvalue()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + array.tobytes()


@functools.cache
def _right_members():
    return {name: member(array) for name, array in right_arrays().items()}


def archive(path, name, data):
    """An .npz of results, in which one member is other data."""
    with zipfile.ZipFile(path, "w") as file:
        for key, right in _right_members().items():
            file.writestr(f"{key}.npy", data if key == name else right)


def refused(capsys, path, message, command="verify"):
    """The command prints one line, which names the file, and exits with status 2."""
    assert cli.main([command, str(path)]) == 2
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert len(out) < 2000
    assert out.startswith(str(path.parent))
    assert message in out
    assert not err
