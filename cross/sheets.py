"""What a part of the cross-check found: tables, for the terminal and for the pages, and what went wrong."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from commands import ROOT
from goals import Goal
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

sys.path.append(str(ROOT))  # behind the installed packages: the source folder has no compiled module
from benchmarks import markdown


@dataclass(frozen=True)
class Sheet:
    """A table, with rich's colours in its cells, and what it shows."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1  # columns of words

    def show(self, console: Console) -> None:
        """Print it."""
        view = Table(title=self.title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
        for column, heading in enumerate(self.head):
            view.add_column(heading, justify="left" if column < self.left else "right", no_wrap=column < self.left)
        for row in self.rows:
            view.add_row(*row)
        console.print(view)

    def markdown(self) -> str:
        """Return it as the pages have it."""
        rows = [[Text.from_markup(cell).plain for cell in row] for row in self.rows]
        return markdown.table(self.head, rows, left=self.left)


@dataclass
class Report:
    """What a part found: tables by the names of their places on the pages, notes, all that was done with its error.

    `files` are those that hold figures for programs, with their contents.
    """

    sheets: dict[str, Sheet] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    files: dict[Path, str] = field(default_factory=dict)

    def judge(self, name: str, found: Mapping[str, float], wanted: Mapping[str, Goal], error: str = "") -> None:
        """Add an outcome: the figures by what they are, the goals for some of them, an error that there was anyway."""
        errors = [error] if error else []
        for what, goal in wanted.items():
            if wrong := goal.error(found[what]):
                errors.append(f"{what}: {wrong}")
            if goal.why:
                self.notes.append(
                    f"* {name}: {what}: {goal.limit:.4g} at most, instead of {goal.at_most:.4g}: {goal.why}"
                )
        self.outcomes.append((name, "\n    ".join(["", *errors]) if errors else ""))


def fill(page: str, reports: Sequence[Report]) -> str:
    """Put the tables into their places of a page."""
    made = {name: sheet.markdown() for report in reports for name, sheet in report.sheets.items()}
    return markdown.fill(page, "cross", made)
