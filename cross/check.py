"""The C library on every processor: cross-compiled, run on an emulator, checked bit for bit, counted and weighed.

``python cross/check.py`` does, for all targets, or for those that are named, these parts, or ``--only`` some:

checks        the programs of tests/c, with the golden vectors
instructions  instructions an element, beside the plain loop's and beside the goals of goals.toml
flash         bytes of flash and of stack that one function costs, on more cores
program       bytes that the check itself takes as firmware

It prints their tables, and fails if anything differs, is missing, was skipped, or misses its goal. ``--pages`` puts the
tables into the pages, too, and the instructions into fastleaky/doctor/cores.csv.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import conformance
import flash
import instructions
import program
from commands import ROOT, Lab, conclude
from rich.console import Console
from rich.progress import Progress
from sheets import Report, fill
from targets import TARGETS

PARTS = {
    "checks": conformance.report,
    "instructions": instructions.report,
    "flash": flash.report,
    "program": program.report,
}
PAGES = (ROOT / "docs" / "targets.md", ROOT / "docs" / "firmware.md")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    described, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=described, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = list(dict.fromkeys([*(target.name for target in TARGETS), *flash.CORES]))
    parser.add_argument("target", nargs="*", help=f"of {', '.join(known)}; all by default")
    parser.add_argument("--only", metavar="PARTS", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--markdown", action="store_true", help="print the tables as the pages have them")
    parser.add_argument("--pages", action="store_true", help="put the tables into docs/targets.md and docs/firmware.md")
    options = parser.parse_args()
    options.only = options.only.split(",")
    for given, there in ((options.target, known), (options.only, PARTS)):
        if unknown := sorted(set(given) - set(there)):
            parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(there)}")
    if options.pages and options.target:
        parser.error("--pages: the pages show all targets")
    return options


def find_out(parts: Sequence[str], targets: Sequence[str]) -> list[Report]:
    """Do the parts, one after the other."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(console=Console(stderr=True), transient=True) as progress,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        lab = Lab(Path(folder), pool, progress)
        return [PARTS[part](targets, lab) for part in PARTS if part in parts]


def show(console: Console, report: Report, *, in_markdown: bool) -> None:
    """Print what a part found."""
    for sheet in filter(lambda sheet: sheet.rows, report.sheets.values()):
        if in_markdown:
            console.print(f"{sheet.title}\n\n{sheet.markdown()}\n", markup=False, soft_wrap=True)
        else:
            sheet.show(console)
    for note in report.notes:
        console.print(note, markup=False)


def main() -> int:
    """Run the command line; the result is the exit status."""
    options = arguments()
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # meson and ninja
    reports = find_out(options.only, options.target)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    for report in reports:
        show(console, report, in_markdown=options.markdown)
    if options.pages:
        for page in PAGES:
            page.write_text(fill(page.read_text(), reports))
        for path, text in (file for report in reports for file in report.files.items()):
            path.write_text(text)
    outcomes = [outcome for report in reports for outcome in report.outcomes]
    conclude(console, outcomes)
    return int(any(error for _, error in outcomes))


if __name__ == "__main__":
    sys.exit(main())
