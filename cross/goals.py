"""What the library may cost on other processors (goals.toml), and whether it keeps to that."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from commands import ROOT

COLOURS = {"met": "green", "limit": "yellow", "missed": "bold red", "stale": "bold red"}


@dataclass(frozen=True)
class Goal:
    """A number that may not be exceeded; if a goal cannot be had, the limit that holds instead, and the reason."""

    at_most: float
    limit: float | None = None
    why: str = ""
    slack: float = 1  # times which it may be exceeded, where goals are round numbers

    def judge(self, measured: float) -> str:
        """Return the verdict: a limit that is not needed is stale."""
        met = measured <= self.slack * self.at_most
        if self.limit is None:
            return "met" if met else "missed"
        return "stale" if met else "limit" if measured <= self.slack * self.limit else "missed"

    def colour(self, measured: float, text: str) -> str:
        """Colour a cell of a table."""
        return f"[{COLOURS[self.judge(measured)]}]{text}[/]"

    def error(self, measured: float) -> str:
        """What is wrong, in words."""
        verdict = self.judge(measured)
        if verdict == "missed":
            return f"{measured:.4g} instead of {self.at_most if self.limit is None else self.limit:.4g} at most"
        if verdict == "stale":
            return f"{measured:.4g} is within the goal, {self.at_most:.4g}: take its limit out of goals.toml"
        return ""


def load() -> dict[str, Any]:
    """Read the file of goals."""
    return tomllib.loads((ROOT / "cross" / "goals.toml").read_text())


def goal(entry: float | dict[str, Any] | None, otherwise: float | None = None, slack: float = 1) -> Goal | None:
    """Make a goal of an entry of the file, if there is one, and of what holds anyway."""
    given: dict[str, Any] = entry if isinstance(entry, dict) else {"goal": entry}
    if unknown := given.keys() - {"goal", "limit", "why"}:
        raise ValueError(f"goals.toml: there is no {unknown} in {entry}, but goal, limit and why")
    if ("limit" in given) != ("why" in given):
        raise ValueError(f"goals.toml: a limit and its reason belong together: {entry}")
    bounds = [bound for bound in (given.get("goal"), otherwise) if bound is not None]
    return Goal(min(bounds), given.get("limit"), given.get("why", ""), slack) if bounds else None
