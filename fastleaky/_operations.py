"""The table of operations: what checks, tests, golden vectors and benchmarks go through."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from fastleaky._typing import Array


@dataclass(frozen=True)
class Operation:
    """One of the four operations: the one table that checks, tests and benchmarks go through."""

    name: str
    inputs: tuple[str, ...]  # its arrays with the shape of x, in the order of the arguments
    parameter: str  # "negative_slope" or "weight", which follows them
    results: tuple[str, ...]

    def __call__(self, module: ModuleType, data: dict[str, Any], **options: Any) -> tuple[Array, ...]:
        """Apply this operation of `module`, fastleaky or its reference, to the data; always a tuple of results."""
        arguments = [data[name] for name in (*self.inputs, self.parameter)]
        result = getattr(module, self.name)(*arguments, **options)
        return result if isinstance(result, tuple) else (result,)


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("leaky_relu", ("x",), "negative_slope", ("out",)),
        Operation("leaky_relu_backward", ("grad", "x"), "negative_slope", ("dx",)),
        Operation("prelu", ("x",), "weight", ("out",)),
        Operation("prelu_backward", ("grad", "x"), "weight", ("dx", "dweight")),
    )
}
