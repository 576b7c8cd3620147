"""``python -m fastleaky vectors`` and ``verify``: write golden vectors, compare their results."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from fastleaky.cli.check import formatted
from fastleaky.cli.console import print_text
from fastleaky.golden import formats, vectors, verification


def _show(console: Console, verdict: verification.Verdict) -> None:
    """Print how the results of one instruction set compare, and where they first differ."""
    total = len(vectors.vectors())
    print_text(console, f"{verdict.who}: {verdict.compared} of {total} vectors compared, ", end="")
    console.print(formatted(len(verdict.differences)))
    for number in verdict.left_out:
        console.print(f"  left out: {number:03d} {vectors.vectors()[number]}", style="yellow", soft_wrap=True)
    for first in verdict.differences[:1]:
        place = ", ".join(map(str, first.index))
        console.print(f"  {first.vector:03d} {vectors.vectors()[first.vector]}", soft_wrap=True)
        console.print(f"  {first.result} is wrong in {first.wrong} places, first at index ({place}):")
        table = Table(box=None, show_header=False)
        for name, number in first.numbers.items():
            bits = f"{formats.bits(number)[0]:0{2 * number.itemsize}x}"
            table.add_row(f"  {name}", f"0x{bits}", str(number))
        console.print(table)


def golden(console: Console, command: str, path: Path) -> int:
    """Run ``vectors`` or ``verify``; the result is the exit status."""
    try:
        if command == "vectors":
            for file in formats.write(path):
                print_text(console, f"{file}: {file.stat().st_size} bytes")
            return 0
        verdicts = verification.verify(path)
    except (verification.ResultsError, OSError) as error:
        wrong = f"{error.filename or path}: {error.strerror or error}" if isinstance(error, OSError) else str(error)
        print_text(console, wrong, "red")
        return 2
    for verdict in verdicts:
        _show(console, verdict)
    return int(any(verdict.differences for verdict in verdicts))
