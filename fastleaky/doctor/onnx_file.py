"""The leaky ReLUs and PReLUs of an .onnx file, also those between DequantizeLinear and QuantizeLinear."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fastleaky._extras import extra
from fastleaky._typing import Array
from fastleaky.doctor import protobuf
from fastleaky.doctor.model import (
    DAMAGE,
    MOST_LETTERS,
    Activation,
    Model,
    ModelError,
    Scales,
    Tensor,
    like_ours,
    reading,
    shape_of,
)

with extra("doctor"):
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import helper, numpy_helper

FLOATS = {"float16", "bfloat16", "float32", "float64"}
MICROSOFT = "com.microsoft"  # the domain of ONNX Runtime's own operators
OURS = {("", "LeakyRelu"): 1, ("", "PRelu"): 2, (MICROSOFT, "QLinearLeakyRelu"): 4}  # inputs that it must have
NUMPY_BROADCASTING = 7  # the operator set from which on slopes are broadcast as in NumPy; before, along axis 1
WITH_OPSETS = 3  # the version of ONNX's format from which on models say which operator sets they need
SAME_VALUES = ("Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Cast")  # what exporters put behind a slope


def read(data: bytes, folder: str = "") -> Model:
    """Return what there is of ours in the contents of a file; tensors may have files of their own in its folder."""
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except DecodeError as error:
        raise ModelError(protobuf.damage(data, proto.DESCRIPTOR)) from error
    if not proto.HasField("graph"):
        raise ModelError("byte 0: it has no graph, so it is no ONNX model, or an empty one")
    # Where a model is damaged in part, or not of this version of ONNX, the shapes are those that are declared.
    with contextlib.suppress(onnx.shape_inference.InferenceError, *DAMAGE):
        proto = onnx.shape_inference.infer_shapes(proto)
    if proto.ir_version >= WITH_OPSETS and not proto.opset_import:
        raise ModelError(f"byte {len(data)}: it ends without saying which operator sets it needs")
    model = Model("onnx", [], [])
    functions = [(f"function {_text(function.name)}, ", function) for function in proto.functions]
    for within, graph in [("", proto.graph), *functions]:
        imported = (*proto.opset_import, *getattr(graph, "opset_import", ()))
        opsets = {_domain(one): int(one.version) for one in imported} or {"": 1}
        for place, node, scope in _nodes(within, graph, _Scope(graph, folder)):
            with reading(place):
                domain, operator = _domain(node), _text(node.op_type)
                if (domain, operator) in OURS:
                    if domain not in opsets:
                        raise ValueError(f"no operator set is imported that has {operator}")
                    model.activations.append(_activation(place, node, scope, opsets[domain]))
                elif like_ours(operator):
                    model.skipped.append(f"{place}: {operator} of {domain or 'ONNX'}")
    return model


class _Scope:
    """What a graph says of the values that it names; the graph around it may know more."""

    def __init__(self, graph: Any, folder: str, outer: _Scope | None = None) -> None:
        self.folder, self.outer = folder, outer
        self.constants = {tensor.name: tensor for tensor in getattr(graph, "initializer", ())}
        values = [value for name in ("input", "output", "value_info") for value in getattr(graph, name, ())]
        # A function's inputs and outputs are names only.
        self.declared = {value.name: value.type.tensor_type for value in values if not isinstance(value, (str, bytes))}
        self.makers = {name: node for node in graph.node for name in node.output}
        self.quantizers = {node.input[0]: node for node in graph.node if _is(node, "QuantizeLinear")}

    def maker(self, name: str, *operators: str) -> Any | None:
        """Return the node that computes a value, if it is of one of these kinds."""
        node = self.makers.get(name)
        if node is None:
            return self.outer and self.outer.maker(name, *operators)
        return node if _is(node, *operators) else None

    def tensor(self, name: str) -> Tensor:
        """Return what is declared of a value."""
        if name in self.constants:
            constant = self.constants[name]
            return Tensor(_text(name), _dtype(constant.data_type), shape_of(constant.dims))
        if name in self.declared:
            declared = self.declared[name]
            sizes = (size.dim_value if size.HasField("dim_value") else -1 for size in declared.shape.dim)
            return Tensor(
                _text(name), _dtype(declared.elem_type), shape_of(sizes) if declared.HasField("shape") else None
            )
        return self.outer.tensor(name) if self.outer else Tensor(_text(name), "unknown", None)

    def constant(self, name: str) -> Array | None:
        """Return the values of a constant, or None if they are computed."""
        if name in self.constants:
            return _array(self.constants[name], self.folder)
        node = self.makers.get(name)
        if node is None:
            return self.outer.constant(name) if self.outer else None
        given = {one.name: helper.get_attribute_value(one) for one in node.attribute if node.op_type == "Constant"}
        if "value" in given:
            return _array(given["value"], self.folder)
        kinds = ("value_float", "value_floats")
        return next((np.array(given[kind], np.float32) for kind in kinds if kind in given), None)

    def integers(self, name: str, scale: str, zero_point: str = "") -> Tensor | None:
        """Return a quantized value, or None if it is none, or if its scale or its zero point is computed."""
        tensor, scales = self.tensor(name), self.constant(scale)
        if scales is None:
            return None
        zero_points = self.constant(zero_point) if zero_point else np.zeros(scales.shape, np.int64)
        if zero_points is None or zero_points.dtype.kind not in "iu":  # else they are of 8 bits, and floats
            return None
        if scales.size != zero_points.size:
            raise ValueError(f"{tensor.name} has {scales.size} scales and {zero_points.size} zero points")
        dtype = zero_points.dtype.name if zero_point else tensor.dtype
        return replace(tensor, dtype=dtype, scales=Scales(scales.ravel().astype(np.float32), zero_points.ravel()))

    def ends(self, x: str, y: str) -> tuple[Tensor, Tensor]:
        """Return the input and the output of a node; if both are converted from and to integers, those."""
        before, after = self.maker(x, "DequantizeLinear"), self.quantizers.get(y)
        if before and after:
            q, out = self.integers(*before.input), self.integers(after.output[0], *after.input[1:])
            if q and out:
                return q, out
        return self.tensor(x), self.tensor(y)

    def slopes(self, name: str) -> tuple[Tensor, Array | None]:
        """Return what is declared of a PRelu's slopes, and their values; quantized ones as integers."""
        weight, source = self.tensor(name), self.source(name)
        node = self.maker(source, "DequantizeLinear")
        values = self.constant(self.source(node.input[0]) if node else source)
        integers = self.integers(*node.input) if node else None
        if values is None or (node and integers is None):
            return weight, None
        if integers and integers.scales:
            if integers.scales.scale.size > 1:
                values = _dequantized(values, integers.scales, _attribute(node, "axis", 1))
            else:
                weight = replace(weight, dtype=integers.dtype, scales=integers.scales)
        elif weight.dtype in FLOATS:  # which may not be what is stored
            values = values.astype(weight.dtype)
        if weight.shape and None not in weight.shape:
            values = values.reshape(weight.shape)
        return replace(weight, shape=values.shape), values

    def source(self, name: str) -> str:
        """Return the value that nodes which only give it another shape or type have made this one of."""
        for _ in range(len(self.makers)):
            node = self.maker(name, *SAME_VALUES)
            if node is None:
                break
            name = node.input[0]
        return name


def _nodes(within: str, graph: Any, scope: _Scope) -> Iterator[tuple[str, Any, _Scope]]:
    """Yield the nodes of a graph, and of those in it, each with its place and what it can refer to."""
    for number, node in enumerate(graph.node):
        place = f"{within}node {number}"
        yield place, node, scope
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                part = f"{place}, {_text(attribute.name)}, "
                yield from _nodes(part, inner, _Scope(inner, scope.folder, scope))


def _activation(place: str, node: Any, scope: _Scope, opset: int) -> Activation:
    """Return a node of ours."""
    operator, inputs = node.op_type, list(node.input)
    if len(inputs) < OURS[_domain(node), operator] or not node.output:
        raise ValueError(f"{operator} has {len(inputs)} inputs and {len(node.output)} outputs")
    name = _text(node.name) or _text(node.output[0])
    if operator == "PRelu":
        x, y = scope.ends(inputs[0], node.output[0])
        weight, slopes = scope.slopes(inputs[1])
        if slopes is not None and slopes.ndim == 1 and opset < NUMPY_BROADCASTING and x.shape:
            slopes = slopes.reshape(-1, *(1,) * (len(x.shape) - 2))
        return Activation(place, name, operator, x, y, slopes, weight)
    slope = np.array(_attribute(node, "alpha", 0.01), np.float32)
    if operator == "LeakyRelu":
        return Activation(place, name, operator, *scope.ends(inputs[0], node.output[0]), slope)
    x_integers, y_integers = scope.integers(*inputs[:3]), scope.integers(node.output[0], *inputs[3:5])
    x, y = x_integers or scope.tensor(inputs[0]), y_integers or scope.tensor(node.output[0])
    return Activation(place, name, operator, x, y, slope)


def _dequantized(values: Array, scales: Scales, axis: int) -> Array:
    """Return the numbers that integers with a scale for each place along an axis stand for."""
    along = [-1 if at == axis % values.ndim else 1 for at in range(values.ndim)]
    shifted = values.astype(np.int64) - scales.zero_point.astype(np.int64).reshape(along)
    return shifted.astype(np.float32) * scales.scale.reshape(along)


def _is(node: Any, *operators: str) -> bool:
    """Is a node with an input of one of these kinds? ONNX Runtime has the conversions, too, for more types."""
    return node.op_type in operators and _domain(node) in {"", MICROSOFT} and len(node.input) > 0


def _attribute(node: Any, name: str, default: Any) -> Any:
    found = (one for one in node.attribute if one.name == name)
    return next((helper.get_attribute_value(one) for one in found), default)


def _array(tensor: Any, folder: str) -> Array:
    """Return the values of a constant."""
    shape_of(tensor.dims)
    try:
        values: Array = numpy_helper.to_array(tensor, folder)
    except onnx.checker.ValidationError as error:  # of the file that holds it
        raise ValueError(str(error)) from error
    return values


def _dtype(number: int) -> str:
    """Return NumPy's name of a type."""
    known = number in onnx.TensorProto.DataType.values() and number != onnx.TensorProto.UNDEFINED
    return helper.tensor_dtype_to_np_dtype(number).name if known else "unknown"


def _domain(proto: Any) -> str:
    domain = _text(proto.domain)
    return "" if domain == "ai.onnx" else domain


def _text(name: Any) -> str:
    """Return a name; protobuf gives one that is no UTF-8 as bytes."""
    text = name.decode(errors="backslashreplace") if isinstance(name, bytes) else str(name)
    return text[:MOST_LETTERS]
