"""The errors of compiled code, with the texts of the public functions."""

from typing import Any

import numpy as np

from fastleaky import _arguments
from fastleaky._operations import OPERATIONS


class ArgumentError(ValueError):
    """Compiled code only finds that arguments do not fit. How they do not is found here, as for calls from Python."""

    def __init__(self, name: str, shapes: tuple[tuple[int, ...], ...], numbers: tuple[Any, ...], axis: int) -> None:
        operation = OPERATIONS[name]
        arrays = [np.broadcast_to(np.float32(0), shape) for shape in shapes]
        more = arrays.pop() if operation.more else None
        try:
            _arguments.parse(operation, (*arrays, *numbers), axis, more)
        except ValueError as error:
            super().__init__(*error.args)
