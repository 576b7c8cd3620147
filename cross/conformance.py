"""Every bit on every processor: tests/c/check.c and check_quantized.c, run there with the golden vectors.

What check.c computes there for the vectors is verified here once more. A check that differs, is missing or was skipped
is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from commands import CommandError, Lab, find, run
from sheets import Report, Sheet
from targets import Board, Target, select

from fastleaky.golden import formats, verification

CHECKS = 2  # check.c and check_quantized.c


@dataclass
class Result:
    """What was seen on one processor."""

    board: str
    error: str = ""
    compiler: str = ""
    isa: str = ""
    passed: int = 0
    code: int = 0


def check(target: Target, folder: Path) -> list[Result]:
    """Build a target, and check it on each of its processors."""
    build = folder / target.name
    try:
        target.build(build, f"-Dvectors={folder / 'vectors'}")
    except CommandError as error:
        return [Result(name, str(error)) for name in target.boards]
    return [check_board(target, name, build) for name in target.boards]


def check_board(target: Target, name: str, build: Path) -> Result:
    """Check and weigh on one processor."""
    board = target.boards[name]
    try:
        passed = run_checks(board, build)
        printed = run([*target.wrapper, str(build / "results")], **board.environment)
        verify(printed, build / f"{name}.log")
        return Result(name, "", target.compiler, board.isa, passed, code_size(target, board.isa, build))
    except (CommandError, verification.ResultsError) as error:
        return Result(name, str(error))


def run_checks(board: Board, build: Path) -> int:
    """Run the programs of the tests; how many checks passed."""
    output = run(["meson", "test", "-C", str(build), "--no-rebuild", "-v"], **board.environment)
    verdicts = re.findall(r"^([1-9]\d*) passed, 0 failed", output, re.MULTILINE)
    golden = re.findall(r"^\w+: [1-9]\d* golden vectors, 0 more|^[1-9]\d* golden rows", output, re.MULTILINE)
    if len(verdicts) < CHECKS or len(golden) < CHECKS or not re.search(r"^Ok: +2", output, re.MULTILINE):
        raise CommandError(f"a check failed, was skipped, or did not end:\n{output[-2000:]}")
    chosen = find(r"^best: (\w+)", output)
    if chosen != board.isa:
        raise CommandError(f"{chosen} was chosen, where {board.isa} should have been")
    return sum(map(int, verdicts))


def verify(output: str, log: Path) -> None:
    """Compare what the target computed for the golden vectors with the specification, here."""
    log.write_text(output)
    for verdict in verification.verify(log):
        if verdict.differences or verdict.left_out:
            raise CommandError(f"golden vectors, computed there and compared here: {verdict}")


def code_size(target: Target, isa: str, build: Path) -> int:
    """Bytes of code and constants of one instruction set's kernels."""
    ar = target.words("ar")[0]
    (compiled,) = build.glob(f"libfastleaky.*.p/csrc_isa_{isa}.c.o")
    sizes = run([re.sub(r"\bar\b", "size", ar), str(compiled)]).splitlines()[1].split()
    return int(sizes[0])


def row(result: Result) -> list[str]:
    """Show a processor in the table."""
    if result.error:
        return [result.board, "", "", "[bold red]FAILED[/]", ""]
    return [result.board, result.compiler, result.isa, f"[green]{result.passed}[/]", f"{result.code}"]


def report(names: Sequence[str], lab: Lab) -> Report:
    """Check all targets, or those that are named."""
    formats.write(lab.folder / "vectors")
    found = lab.map("Checking", lambda target: check(target, lab.folder), select(names))
    results = [result for of_target in found for result in of_target]
    head = ["target", "compiler", "chosen", "checks", "bytes of code"]
    sheet = Sheet("Checks that passed, and bytes of all kernels", head, [row(result) for result in results], left=3)
    return Report({"checks": sheet}, outcomes=[(result.board, result.error) for result in results])
