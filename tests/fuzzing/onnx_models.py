"""The cases as ONNX models with one node."""

import numpy as np
from onnx_models import assembled, declared

from fastleaky import reference
from fastleaky._operations import OPERATIONS
from fuzzing.cases import Case, native


@reference.quiet
def adapt(case: Case) -> None:
    """Make it a forward operation, with a slope as a node has it: of x's type, and aligned with its last axes."""
    case.operation = OPERATIONS[case.operation.name.removesuffix("_backward")]
    if case.right:
        case.given["weight"] = reference.along(case.given["weight"], case.given["x"], case.axis)
        case.given["negative_slope"] = np.float32(case.given["negative_slope"])


def model(case: Case) -> tuple[bytes, dict[str, np.ndarray]]:
    """Return the model and its inputs; a TypeError if ONNX has no such model."""
    try:
        return _model(case)
    except Exception as error:
        raise TypeError("no model") from error


def _model(case: Case) -> tuple[bytes, dict[str, np.ndarray]]:
    """Some sizes are not stated; a weight may be a constant, and lack axes of size 1 in front."""
    names = ["x", *case.operation.channel]
    arrays = {name: native(np.asarray(case.given[name])) for name in names}
    if case.right and case.operation.channel:
        shape = arrays["weight"].shape
        ones = next((axis for axis, size in enumerate(shape) if size != 1), len(shape))
        arrays["weight"] = arrays["weight"].reshape(shape[case.rng.integers(ones + 1) :])
    constants = [name for name in case.operation.channel if case.rng.random() < 0.5]
    stated = {
        name: declared(array, _sizes(case, name, array))
        for name, array in {**arrays, "y": arrays["x"]}.items()
        if name not in constants
    }
    output = {"y": stated.pop("y")}
    numbers = {"alpha": float(case.given["negative_slope"])} if case.operation.numbers else {}
    node = ("LeakyRelu" if numbers else "PRelu", names, "y", numbers)
    made = assembled([node], stated, output, [(name, arrays[name]) for name in constants])
    return made.SerializeToString(), {name: array for name, array in arrays.items() if name not in constants}


def _sizes(case: Case, name: str, array: np.ndarray) -> list[int | None]:
    """Return the sizes that a model states: of right cases at least those that the provider must know."""
    needed = [case.right and (name == "weight" or case.given["weight"].shape[axis] != 1) for axis in range(array.ndim)]
    return [n if known or case.rng.random() < 0.7 else None for n, known in zip(array.shape, needed, strict=True)]
