"""The table of operations, which drives the entries in C, the backends, checks, golden vectors, tests and benchmarks.

To add an operation, add a row here, its specification to reference.py, its public function to _api.py and __init__.py,
and its functions to the C library. The build reads this file too, so it imports only the standard library.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from fastleaky._typing import Array, Backend

TYPES = ("f32", "f64", "f16", "bf16")  # the element types, as C calls them: every operation has them all


class Operation(NamedTuple):
    """One operation. Its function has this name in fastleaky and in fastleaky.reference; in C, ``fl_NAME_TYPE``.

    Its arguments are, in this order, the inputs, the channel parameters and the numbers; then by name ``axis``, if
    there are channel parameters, and ``out``. Defaults are those of the public function.
    """

    name: str
    inputs: tuple[str, ...]  # arrays of one shape; the last is x
    channel: tuple[str, ...] = ()  # parameters with a value for each channel
    numbers: tuple[str, ...] = ()  # parameters with one value
    results: tuple[str, ...] = ("out",)  # the first has the shape of x; the others are sums, a value for each channel
    formula: str = ""  # backends in Python have kernels for some; the rest is computed as the specification says

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of all parameters."""
        return self.channel + self.numbers

    @property
    def positional(self) -> tuple[str, ...]:
        """The names of the arguments that may be given by position."""
        return self.inputs + self.parameters

    @property
    def keywords(self) -> tuple[str, ...]:
        """The names of the arguments that must be given by name."""
        return ("axis", "out") if self.channel else ("out",)

    def __call__(self, module: ModuleType, data: dict[str, Any], **options: Any) -> tuple[Array, ...]:
        """Apply this operation of `module`, fastleaky or its reference, to the data; always a tuple of results."""
        result = getattr(module, self.name)(*(data[name] for name in self.positional), **options)
        return result if isinstance(result, tuple) else (result,)

    def compute(
        self, backend: Backend, inputs: Sequence[Array], parameters: Sequence[Array | float], outs: Sequence[Array]
    ) -> None:
        """Let a backend compute it, on arrays as Backend describes them."""
        if len(outs) == 1:
            backend.elementwise(self, inputs, parameters, outs[0])
        else:
            backend.slope_gradient(*inputs, *parameters, *outs)


LEAKY = "x > 0 ? v : slope * v"  # v: the first input; slope: the parameter

OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("leaky_relu", ("x",), numbers=("negative_slope",), formula=LEAKY),
        Operation("leaky_relu_backward", ("grad", "x"), numbers=("negative_slope",), results=("dx",), formula=LEAKY),
        Operation("prelu", ("x",), channel=("weight",), formula=LEAKY),
        Operation("prelu_backward", ("grad", "x"), channel=("weight",), results=("dx", "dweight"), formula=LEAKY),
    )
}
