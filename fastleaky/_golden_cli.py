"""``python -m fastleaky vectors`` and ``verify``: golden vectors written, and results of them compared."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from fastleaky import _golden, _vectors, _verify
from fastleaky._check import said


def _show(console: Console, verdict: _verify.Verdict) -> None:
    """Say how the results of one instruction set compare, and where they first differ."""
    total = len(_vectors.vectors())
    console.print(f"{verdict.who}: {verdict.compared} of {total} vectors compared, ", end="")
    console.print(said(len(verdict.differences)))
    for number in verdict.left_out:
        console.print(f"  left out: {number:03d} {_vectors.vectors()[number]}", style="yellow", soft_wrap=True)
    for first in verdict.differences[:1]:
        place = ", ".join(map(str, first.index))
        console.print(f"  {first.vector:03d} {_vectors.vectors()[first.vector]}", soft_wrap=True)
        console.print(f"  {first.result} is wrong in {first.wrong} places, first at index ({place}):")
        table = Table(box=None, show_header=False)
        for name, number in first.numbers.items():
            bits = f"{_golden.bits(number)[0]:0{2 * number.itemsize}x}"
            table.add_row(f"  {name}", f"0x{bits}", str(number))
        console.print(table)


def golden(console: Console, command: str, path: Path) -> int:
    """Run ``vectors`` or ``verify``; the result is the exit status."""
    try:
        if command == "vectors":
            for file in _golden.write(path):
                console.print(f"{file}: {file.stat().st_size} bytes", soft_wrap=True)
            return 0
        verdicts = _verify.verify(path)
    except (_verify.ResultsError, OSError) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 2
    for verdict in verdicts:
        _show(console, verdict)
    return int(any(verdict.differences for verdict in verdicts))
