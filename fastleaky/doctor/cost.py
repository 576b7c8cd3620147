"""What an activation costs on a core: instructions, from the table that ``cross/check.py --pages`` writes."""

import csv
import functools
from pathlib import Path

import numpy as np

from fastleaky.doctor.model import C_NAMES, Activation

TABLE = Path(__file__).with_name("cores.csv")


class CoreError(Exception):
    """A core is not in the table."""


@functools.cache
def cores() -> dict[str, dict[str, dict[int, float]]]:
    """Return the table: by core and kernel, the instructions an element of calls on so many."""
    found: dict[str, dict[str, dict[int, float]]] = {}
    with TABLE.open(newline="") as file:
        for row in csv.DictReader(file):
            kernel = found.setdefault(row["core"], {}).setdefault(row["kernel"], {})
            kernel[int(row["elements"])] = float(row["instructions"])
    return found


def known(core: str) -> str:
    """Return a core, which must be one of the table."""
    if core not in cores():
        raise CoreError(f"--core is {core}; it must be one of: {'; '.join(cores())}")
    return core


def kernels(activation: Activation) -> list[str]:
    """Return the kernels that can compute it: the function, and of 8 bits the look-up in a table that is kept."""
    type_ = C_NAMES.get(activation.x.dtype, activation.x.dtype).replace("u8", "i8")  # the same but for the sign
    function = f"{activation.operation}_{type_}"
    return [function, "look_up_i8"] if function == "leaky_relu_i8" else [function]


def instructions(core: str, kernel: str, elements: int) -> float | None:
    """Return the instructions of a call on so many elements, or None if none was counted.

    Between the sizes that were counted it is interpolated; beyond the last, an element costs what it does there.
    """
    counted = cores()[core].get(kernel)
    if counted is None:
        return None
    sizes = sorted(counted)
    if elements > sizes[-1]:
        return counted[sizes[-1]] * elements
    return float(np.interp(elements, sizes, [counted[size] * size for size in sizes]))
