"""The leaky ReLUs and PReLUs of a .tflite file.

A FlatBuffer is all offsets, without a checksum, and the library that reads it verifies nothing. So each table that is
needed is looked at once, and so is the extent of all data: what reaches beyond the file's end is damaged or truncated.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastleaky._extras import extra
from fastleaky._typing import Array
from fastleaky.doctor.model import MOST_LETTERS, Activation, Model, Scales, Tensor, like_ours, reading, real, shape_of

with extra("doctor"):
    import tflite
    from flatbuffers.number_types import Uint8Flags

IDENTIFIER = b"TFL3"  # at byte 4
OURS = {"LEAKY_RELU": 1, "PRELU": 2}  # how many inputs they have
TENSOR_NAME, CUSTOM_CODE = 10, 6  # slots of strings, of which the library takes what there is
TYPES = {number: name.lower() for name, number in vars(tflite.TensorType).items() if not name.startswith("_")}


def read(data: bytes) -> Model:
    """Return what there is of ours in the contents of a file."""
    file = _File(data)
    model = Model("tflite", [], [])
    graphs = list(file.each("subgraph", file.root, "Subgraphs"))
    for found, table in graphs:
        of = f" of {found.split(',')[0]}" if len(graphs) > 1 else ""
        graph = _Graph(file, [_extent(*one) for one in file.each("tensor", table, "Tensors", of)])
        for place, operator in file.each("operator", table, "Operators", of):
            with reading(place):
                name, custom = file.codes[_index(operator.OpcodeIndex(), file.codes, "operator code")]
                inputs, outputs = graph.ends(operator)
                if name in OURS:
                    model.activations.append(graph.activation(place, name, operator, inputs, outputs))
                elif name == "DEQUANTIZE" and inputs and outputs:
                    graph.dequantized[outputs[0]] = inputs[0]
                elif like_ours(custom):
                    model.skipped.append(f"{place}: a custom operator, {custom}")
    return model


class _File:
    """A model, and those of its parts to which others refer by a number."""

    def __init__(self, data: bytes) -> None:
        self.data, self.seen = data, 0
        with reading("byte 0, the root table"):
            self.root = tflite.Model.GetRootAs(data)
        self.codes = [_code(*found) for found in self.each("operator code", self.root, "OperatorCodes")]
        self.buffers = [self._buffer(*found) for found in self.each("buffer", self.root, "Buffers")]

    def each(self, what: str, table: Any, member: str, of: str = "") -> Iterator[tuple[str, Any]]:
        """Yield the tables of a vector, each with its place; all together no more than the file has room for."""
        with reading(f"the {what}s{of}"):
            count = getattr(table, f"{member}Length")()
        for number in range(count):
            self.seen += 1
            with reading(f"{what} {number}{of}"):
                found = getattr(table, member)(number)
                if self.seen > len(self.data):
                    raise ValueError("there are more tables than bytes")
            yield f"{what} {number}{of}, byte {found._tab.Pos}", found  # noqa: SLF001 - the only way to the position

    def _buffer(self, place: str, table: Any) -> Array:
        with reading(place):
            if table.Offset() <= 1:
                return _vector(table, "Data")
            return np.frombuffer(
                self.data, np.uint8, table.Size(), table.Offset()
            )  # behind the FlatBuffer: it is large


class _Graph:
    """The tensors of a subgraph, and which of them are dequantized from which."""

    def __init__(self, file: _File, tensors: list[Any]) -> None:
        self.file, self.tensors = file, tensors
        self.dequantized: dict[int, int] = {}

    def ends(self, operator: Any) -> list[list[int]]:
        """Return the tensors that go in, and those that come out; -1 stands for one that is left out."""
        found = [[int(i) for i in _vector(operator, end) if i >= 0] for end in ("Inputs", "Outputs")]
        for end in found:
            for i in end:
                _index(i, self.tensors, "tensor")
        return found

    def activation(self, place: str, name: str, operator: Any, inputs: list[int], outputs: list[int]) -> Activation:
        """Return an operator of ours."""
        if (len(inputs), len(outputs)) != (OURS[name], 1):
            raise ValueError(f"{name} has {len(inputs)} inputs and {len(outputs)} outputs")
        x, y, *weights = (_tensor(self.tensors[i]) for i in (inputs[0], outputs[0], *inputs[1:]))
        if not weights:
            return Activation(place, y.name, name, x, y, _alpha(operator))
        return Activation(place, y.name, name, x, y, self._slopes(inputs[1]), weights[0])

    def _slopes(self, i: int) -> Array | None:
        """Return the values of a constant, also of one that is stored in another type; None if they are computed."""
        tensor = _tensor(self.tensors[i])
        if i not in self.dequantized:
            return self._values(i)
        values, stored = self._values(self.dequantized[i]), _tensor(self.tensors[self.dequantized[i]])
        return values if values is None else real(values, stored.scales, tensor.dtype)

    def _values(self, i: int) -> Array | None:
        table = self.tensors[i]
        tensor = _tensor(table)
        data = self.file.buffers[_index(table.Buffer(), self.file.buffers, "buffer")]
        if not len(data):
            return None
        dtype, sizes = np.dtype(tensor.dtype), [size or 0 for size in tensor.shape or ()]
        return data.view(dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(sizes)


def _code(place: str, table: Any) -> tuple[str, str]:
    with reading(place):
        number = max(table.DeprecatedBuiltinCode(), table.BuiltinCode())  # the first has one byte
        return tflite.BUILTIN_OPCODE2NAME.get(number, f"builtin {number}"), _string(table, CUSTOM_CODE)


def _alpha(operator: Any) -> Array:
    table, options = operator.BuiltinOptions(), tflite.LeakyReluOptions()
    if table is None or operator.BuiltinOptionsType() != tflite.BuiltinOptions.LeakyReluOptions:
        raise ValueError("LEAKY_RELU has no LeakyReluOptions")
    options.Init(table.Bytes, table.Pos)
    return np.array(options.Alpha(), np.float32)


def _tensor(table: Any) -> Tensor:
    shape = _vector(table, "ShapeSignature" if table.ShapeSignatureLength() else "Shape")
    type_ = TYPES.get(table.Type(), "unknown")
    return Tensor(_string(table, TENSOR_NAME), type_, shape_of(shape), _scales(table))


def _extent(place: str, table: Any) -> Any:
    """See that all that belongs to a tensor lies in the file."""
    with reading(place):
        _vector(table, "Shape")
        _string(table, TENSOR_NAME)
        if quantization := table.Quantization():
            _vector(quantization, "Scale")
            _vector(quantization, "ZeroPoint")
    return table


def _scales(table: Any) -> Scales | None:
    quantization = table.Quantization()
    if quantization is None or not quantization.ScaleLength():
        return None
    scale, zero_point = _vector(quantization, "Scale"), _vector(quantization, "ZeroPoint")
    if len(zero_point) not in (0, len(scale)):
        raise ValueError(f"a tensor has {len(scale)} scales and {len(zero_point)} zero points")
    return Scales(scale, zero_point if len(zero_point) else np.zeros(len(scale), np.int64))


def _vector(table: Any, member: str) -> Array:
    """Return a vector of numbers, empty if there is none."""
    found = getattr(table, f"{member}AsNumpy")()
    return np.empty(0, np.uint8) if isinstance(found, int) else found


def _string(table: Any, slot: int) -> str:
    at = table._tab.Offset(slot)  # noqa: SLF001 - the only way to a string's length
    characters = table._tab.GetVectorAsNumpy(Uint8Flags, at)[:MOST_LETTERS] if at else np.empty(0)  # noqa: SLF001
    return characters.tobytes().decode(errors="backslashreplace")


def _index(index: int, of: list[Any], what: str) -> int:
    if not 0 <= index < len(of):
        raise ValueError(f"it refers to {what} {index} of {len(of)}")
    return index
