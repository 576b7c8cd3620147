"""The table of operations, which drives the entries in C, the backends, checks, golden vectors, tests and benchmarks.

To add an operation, add a row here, its specification to reference.py, its public function to _api.py and __init__.py,
and its functions to the C library. The build reads this file too, so it imports only the standard library.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from fastleaky._typing import Array, Backend, Parameter

LEAST, MOST = 2.0**-149, 2.0**127  # positive numbers of float32
TYPES = ("f32", "f64", "f16", "bf16")  # the element types, as C calls them: every operation has them all


class Operation(NamedTuple):
    """One operation. Its function has this name in fastleaky and in fastleaky.reference; in C, ``fl_NAME_TYPE``.

    Its arguments are, in this order, the inputs, the channel parameters and the numbers; then by name one more input,
    ``axis``, if there are channels, and ``out``. Defaults are those of the public function.
    """

    name: str
    inputs: tuple[str, ...]  # arrays of one shape; the last is x
    channel: tuple[str, ...] = ()  # parameters with a value for each channel
    numbers: tuple[str, ...] = ()  # parameters with one value
    results: tuple[str, ...] = ("out",)  # the first has the shape of x; the others are sums, a value for each channel
    formula: str = ""  # what backends in Python have code for; an element-wise one without is computed as specified
    more: str = ""  # one more input, or None
    positive: tuple[str, ...] = ()  # the numbers that must be positive and finite in the type of computation
    optional: tuple[str, ...] = ()  # the numbers that may be None; C takes 0 for that

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
        return (*([self.more] if self.more else []), *(["axis"] if self.has_channels else []), "out")

    @property
    def has_channels(self) -> bool:
        """Does it look at channels, for a parameter or for a sum?"""
        return bool(self.channel) or len(self.results) > 1

    def __call__(self, module: ModuleType, data: dict[str, Any], **options: Any) -> tuple[Array, ...]:
        """Apply this operation of `module`, fastleaky or its reference, to the data; always a tuple of results."""
        data = self.suited(data)
        if self.more:
            options = {self.more: data.get(self.more), **options}
        result = getattr(module, self.name)(*(data[name] for name in self.positional), **options)
        return result if isinstance(result, tuple) else (result,)

    def suited(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the data with those numbers positive and finite that must be, as a float32 too."""
        sizes = {name: abs(data[name]) for name in self.positive if type(data.get(name)) is float}
        return data | {name: size if LEAST <= size <= MOST else 1.0 for name, size in sizes.items()}

    def compute(
        self, backend: Backend, inputs: Sequence[Array], parameters: Sequence[Parameter], outs: Sequence[Array]
    ) -> None:
        """Let a backend compute it, on arrays as Backend describes them."""
        if len(outs) == 1:
            backend.elementwise(self, inputs, parameters, outs[0])
        else:
            backend.gradients(self, inputs, parameters, outs)


LEAKY = "x > 0 ? v : slope * v"  # v: the first input; slope: the parameter
BIAS = "clamp(leaky(x + bias) * gain)"
FROM_OUTPUT = "y > 0 ? d : slope * d"  # d: grad * gain, or 0 where y was clamped
SCALE_SHIFT = "leaky(x * scale + shift + residual)"
CLAMP = ("clamp",)
LIMITED = ("gain", *CLAMP)

OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("leaky_relu", ("x",), numbers=("negative_slope",), formula=LEAKY),
        Operation("leaky_relu_backward", ("grad", "x"), numbers=("negative_slope",), results=("dx",), formula=LEAKY),
        Operation("prelu", ("x",), channel=("weight",), formula=LEAKY),
        Operation("prelu_backward", ("grad", "x"), channel=("weight",), results=("dx", "dweight"), formula=LEAKY),
        Operation(
            "bias_leaky_relu",
            ("x",),
            channel=("bias",),
            numbers=("negative_slope", *LIMITED),
            formula=BIAS,
            positive=LIMITED,
            optional=CLAMP,
        ),
        Operation(
            "bias_leaky_relu_backward",
            ("grad", "y"),
            numbers=("negative_slope", *LIMITED),
            results=("dx", "dbias"),
            formula=FROM_OUTPUT,
            positive=("negative_slope", *LIMITED),
            optional=CLAMP,
        ),
        Operation(
            "scale_shift_leaky_relu",
            ("x",),
            channel=("scale", "shift"),
            numbers=("negative_slope",),
            formula=SCALE_SHIFT,
            more="residual",
        ),
        Operation(
            "scale_shift_prelu",
            ("x",),
            channel=("scale", "shift", "weight"),
            formula=SCALE_SHIFT,
            more="residual",
        ),
    )
}
PLAIN = {
    name: operation for name, operation in OPERATIONS.items() if operation.formula == LEAKY
}  # the others are fused
