"""The quantized operations, on every backend that has them."""

from typing import Any

import numpy as np
from quantized_examples import ENGINES, ROUNDINGS, SCALES, TYPES, draw, prelu_parameters, weights_of, zero_points

import fastleaky
from fastleaky import quantized
from fastleaky._operations import Operation
from fuzzing.cases import ANYTHING, Case, chosen, lay
from fuzzing.door import Door, Results

LEAKY_RELU = Operation("leaky_relu", ("q",), numbers=("negative_slope",))
PRELU = Operation("prelu", ("q",), channel=("weight",))


def adapt(case: Case) -> None:
    """Make it a quantized case with the same shapes; of one that may be wrong, another argument may be anything."""
    rng, given, dtype = case.rng, case.given, chosen(case.rng, TYPES)
    case.operation, case.specification = PRELU if case.operation.channel else LEAKY_RELU, quantized.reference
    parameters = prelu_parameters(dtype, chosen(rng, SCALES), points=chosen(rng, zero_points(dtype)))
    parameters["rounding"] = chosen(rng, [*ROUNDINGS, "xnnpack"])
    case.right &= parameters["rounding"] in ROUNDINGS
    if case.operation is LEAKY_RELU:
        parameters = {name: value for name, value in parameters.items() if not name.startswith("weight")}
        given["negative_slope"] = given["negative_slope"] if not case.right else rng.uniform(-3, 3)
    if not case.right and rng.random() < 0.5:
        parameters[chosen(rng, list(parameters))] = chosen(rng, ANYTHING)
    case.others = parameters
    given["q"] = integers(case, given["x"], dtype)
    given["weight"] = integers(case, given["weight"], weights_of(dtype))


def integers(case: Case, value: Any, dtype: str) -> Any:
    """Return integers in the shape of an array; of a case that may be wrong, also the array itself."""
    if not isinstance(value, np.ndarray) or (not case.right and case.rng.random() < 0.2):
        return value
    return lay(case.rng, draw(value.shape, dtype, int(case.rng.integers(1000))))


def call(case: Case, backend: str) -> Results:
    """Call an operation."""
    with fastleaky.use(backend):
        return case.operation(quantized, case.given, **case.options)


DOOR = Door(call, adapt=adapt, variants=tuple(ENGINES))
