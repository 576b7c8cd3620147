"""What the fuzzer must know of a door."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fastleaky._operations import PLAIN, Operation
from fuzzing.cases import Case, draw_case

Results = tuple[Any, ...]  # None where the door does not promise the specification's bits


class Door(NamedTuple):
    """A door, once its framework is imported."""

    call: Callable[[Case, str], Results]
    errors: tuple[type[BaseException], ...] = (TypeError, ValueError)
    adapt: Callable[[Case], None] = lambda _: None  # makes a case what the framework can say; it may be wrong then
    variants: tuple[str, ...] = ("",)  # each case is called so often
    operations: Mapping[str, Operation] = PLAIN  # those that it has

    def draw(self, seed: int, number: int) -> Case:
        """Draw a case for this door."""
        case = draw_case(seed, number, self.operations)
        self.adapt(case)
        return case
