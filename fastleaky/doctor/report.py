"""What there is to say of a model's leaky ReLUs and PReLUs, as the command prints it and as JSON has it."""

import math
from typing import Any

from fastleaky._typing import Array
from fastleaky.doctor import cost, integers, runtimes
from fastleaky.doctor.model import Activation, Model, Tensor
from fastleaky.doctor.slopes import unusual
from fastleaky.reference import quiet

Report = dict[str, Any]


def report(model: Model, core: str) -> Report:
    """Return all of it."""
    activations = [_activation(activation, model.format, core) for activation in model.activations]
    return {"format": model.format, "core": core, "activations": activations, "skipped": model.skipped}


def _activation(activation: Activation, format_: str, core: str) -> Report:
    slopes = activation.real_slopes
    return {
        "place": activation.place,
        "name": activation.name,
        "operator": activation.operator,
        "type": activation.x.dtype,
        "shape": None if activation.x.shape is None else list(activation.x.shape),
        "elements": activation.elements,
        "slopes": None if slopes is None else _slopes(slopes),
        "input": _scales(activation.x),
        "output": _scales(activation.y),
        "weight": activation.weight and _scales(activation.weight),
        "instructions": {
            kernel: cost.instructions(core, kernel, activation.elements) for kernel in cost.kernels(activation)
        },
        "integers": integers.comparison(activation, format_),
        "disagreements": runtimes.disagreements(activation, format_),
        "hints": list(runtimes.hints(activation, format_)),
    }


@quiet
def _slopes(slopes: Array) -> Report:
    values = slopes.ravel().astype(float).tolist()
    return {"values": [_number(value) for value in values], "unusual": unusual(slopes)}


def _number(value: float) -> float | str:
    """Return a number as JSON can have it."""
    return value if math.isfinite(value) else str(value)


def _scales(tensor: Tensor) -> Report | None:
    if tensor.scales is None:
        return None
    scale = [_number(value) for value in tensor.scales.scale.tolist()]
    return {"scale": scale, "zero_point": tensor.scales.zero_point.tolist()}
