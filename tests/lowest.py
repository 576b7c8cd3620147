"""The lowest versions that pyproject.toml allows, as pip's constraints.

``python tests/lowest.py > lowest.txt``, and with ``PIP_CONSTRAINT=lowest.txt`` any of README.md's commands installs
just these. Everything that the package, its build and its tests require must have a lower bound.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def required() -> Iterator[Requirement]:
    """What the package, its build and its tests require; the extras of our own are followed."""
    settings = tomllib.loads(PYPROJECT.read_text())
    project = settings["project"]
    extras = project["optional-dependencies"]
    lines = [*settings["build-system"]["requires"], *project["dependencies"], *extras["test"]]
    while lines:
        requirement = Requirement(lines.pop())
        if requirement.name == project["name"]:
            lines += [line for extra in requirement.extras for line in extras[extra]]
        else:
            yield requirement


def constraints() -> str:
    """A line for each, without its marker: what is not asked for is not constrained either."""
    lines = set()
    for requirement in required():
        bounds = [bound.version for bound in requirement.specifier if bound.operator in {">=", "=="}]
        if len(bounds) != 1:
            raise ValueError(f"pyproject.toml gives {requirement} no lower bound, or several")
        lines.add(f"{requirement.name}=={bounds[0]}\n")
    return "".join(sorted(lines))


if __name__ == "__main__":
    print(constraints(), end="")  # noqa: T201
