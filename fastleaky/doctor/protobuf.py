"""Where bytes stop being a protobuf message: its own library only says that they do."""

from collections.abc import Iterator
from typing import Any

VARINT, EIGHT_BYTES, DELIMITED, FOUR_BYTES = 0, 1, 2, 5  # the kinds of a field on the wire
MOST_BITS = 64


class _DamageError(Exception):
    """Bytes are no field."""


def damage(data: bytes, message: Any) -> str:
    """Return the place where bytes stop being a message of a type (its descriptor), and what is wrong there."""
    return _damage(memoryview(data), 0, len(data), message) or "it is damaged, at a place that is not known"


def _damage(data: memoryview, at: int, end: int, message: Any) -> str:
    try:
        for number, begin, stop in _fields(data, at, end):
            field = message.fields_by_number.get(number)
            inner = field and field.message_type
            if inner and (inside := _damage(data, begin, stop, inner)):
                return inside
    except _DamageError as error:
        return f"{error}, in {message.name}"
    return ""


def _fields(data: memoryview, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the fields: the number, and where the content begins and ends; of numbers, nothing."""
    while at < end:
        start = at
        key, at = _varint(data, at, end)
        number, kind = key >> 3, key & 7
        if number == 0 or kind not in {VARINT, EIGHT_BYTES, DELIMITED, FOUR_BYTES}:
            raise _DamageError(f"byte {start}: no field begins with {data[start]:#04x}")
        length = {EIGHT_BYTES: 8, FOUR_BYTES: 4}.get(kind, 0)
        if kind in {VARINT, DELIMITED}:
            length, at = _varint(data, at, end)
        begin, at = at, at if kind == VARINT else at + length
        if at > end:
            raise _DamageError(f"byte {start}: {length} bytes should follow, and there are {end - begin}")
        yield number, begin if kind == DELIMITED else at, at


def _varint(data: memoryview, at: int, end: int) -> tuple[int, int]:
    """Return an integer of seven bits a byte, and where it ends."""
    value = shift = 0
    for place in range(at, min(end, at + MOST_BITS // 7 + 1)):
        value |= (data[place] & 0x7F) << shift
        if data[place] < 0x80:  # noqa: PLR2004 - the last byte's sign
            return value, place + 1
        shift += 7
    raise _DamageError(f"byte {at}: a number does not end")
