"""Faults to plant: a text that occurs once in a file of the tree, and what takes its place."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


class FaultError(Exception):
    """A fault, or the unchanged tree, is not what it must be: nothing can be learnt from it."""


@dataclass(frozen=True)
class Fault:
    """An entry of a file of faults."""

    name: str
    file: str
    old: str
    new: str
    seen_by: list[str]
    excused: str = ""

    def planted(self, text: str) -> str:
        """Return the file's text with the fault."""
        if text.count(self.old) != 1 or self.old == self.new:
            raise FaultError(f"{self.name}: its old text is in {self.file} {text.count(self.old)} times, not once")
        return text.replace(self.old, self.new)


def faults(path: Path) -> list[Fault]:
    """All that a file has, each still in its place."""
    with path.open("rb") as file:
        found = [Fault(**entry) for entry in tomllib.load(file)["fault"]]
    if len({fault.name for fault in found}) < len(found):
        raise FaultError("two faults have one name")
    for fault in found:
        fault.planted((ROOT / fault.file).read_text())
    return found
