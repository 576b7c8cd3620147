"""The C library on every processor: cross-compiled, run on an emulator, checked bit for bit, counted and weighed.

``python cross/check.py`` does, for all targets, or for those that are named, these parts, or ``--only`` some:

checks        the programs of tests/c, with the golden vectors
instructions  instructions an element, beside the plain loop's and beside the goals of goals.toml

It prints their tables, and fails if anything differs, is missing, was skipped, or misses its goal. ``--pages`` puts the
tables into the pages, too.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import conformance
import instructions
from commands import ROOT, Lab, conclude
from rich.console import Console
from rich.progress import Progress
from sheets import Report, fill
from targets import TARGETS, Target

PARTS = {"checks": conformance.report, "instructions": instructions.report}
PAGES = (ROOT / "docs" / "targets.md", ROOT / "docs" / "firmware.md")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    described, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=described, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = [target.name for target in TARGETS]
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


def find_out(targets: list[Target], parts: list[str]) -> list[Report]:
    """Do the parts, one after the other."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(console=Console(stderr=True), transient=True) as progress,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        lab = Lab(Path(folder), pool, progress)
        return [PARTS[part](targets, lab) for part in PARTS if part in parts]


def main() -> int:
    """Run the command line; the result is the exit status."""
    options = arguments()
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # meson and ninja
    reports = find_out(
        [target for target in TARGETS if not options.target or target.name in options.target], options.only
    )
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    for report in reports:
        for sheet in report.sheets.values():
            if options.markdown:
                console.print(f"{sheet.title}\n\n{sheet.markdown()}\n", markup=False, soft_wrap=True)
            else:
                sheet.show(console)
        for note in report.notes:
            console.print(note, markup=False)
    if options.pages:
        for page in PAGES:
            page.write_text(fill(page.read_text(), reports))
    outcomes = [outcome for report in reports for outcome in report.outcomes]
    conclude(console, outcomes)
    return int(any(error for _, error in outcomes))


if __name__ == "__main__":
    sys.exit(main())
