"""The errors of compiled code, with the texts of the public functions."""

import numpy as np

from fastleaky import _arguments
from fastleaky._operations import OPERATIONS


class ArgumentError(ValueError):
    """Compiled code only finds that shapes do not fit. What is wrong is found here, by the checks of Python calls."""

    def __init__(self, name: str, shapes: tuple[tuple[int, ...], ...], axis: int) -> None:
        operation = OPERATIONS[name]
        arrays = [np.broadcast_to(np.float32(0), shape) for shape in shapes]
        try:
            _arguments.parse(operation, (*arrays, *(0.0 for _ in operation.numbers)), axis)
        except ValueError as error:
            super().__init__(*error.args)
