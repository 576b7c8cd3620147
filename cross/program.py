"""What the check takes on a small board: check.c with the golden vectors, for a Cortex-M3, run there.

The same sources are compiled as docs/firmware.md says: without a build system, with -O2 and -DROOM=600.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from commands import ROOT, CommandError, Lab, find, run
from sheets import Report, Sheet
from targets import select

from fastleaky.golden import formats

TARGET = "cortex-m3"
ROOM = 600  # the least that check.c takes
GOLDEN = ("fl_vectors_", "fl_words_")  # what the arrays of vectors.h are called


def build(folder: Path) -> tuple[Path, Path]:
    """Compile and link the program, and once more so that it measures its stack."""
    (target,) = select([TARGET])
    formats.write(folder / "golden")
    compiler = [*target.words("c"), *target.words("cpu"), "-O2"]
    options = [f"-DROOM={ROOM}", f"-I{ROOT / 'csrc'}", f"-I{folder / 'golden'}"]
    objects = []
    for source in [*(ROOT / "csrc").glob("**/*.c"), ROOT / "tests" / "c" / "check.c"]:
        objects.append(str(folder / f"program-{source.stem}.o"))
        run([*compiler, *options, "-c", str(source), "-o", objects[-1]])
    link = [*compiler, *objects, *target.words("c_link_args")]
    program, measuring = folder / "program.elf", folder / "measuring.elf"
    run([*link, "-o", str(program)])
    run([*link, str(ROOT / "cross" / "stack.c"), "-Wl,--wrap=main", "-o", str(measuring)])
    return program, measuring


def weigh(program: Path, measuring: Path) -> dict[str, int]:
    """Run the program; the bytes that it takes, by what they are in the table."""
    (target,) = select([TARGET])
    printed = run([*target.wrapper, str(measuring)])
    find(r"^([1-9]\d*) passed, 0 failed", printed)
    tools = target.words("ar")[0].removesuffix("ar")
    sections = re.findall(r"^\.(\w+) +(\d+)", run([f"{tools}size", "-A", str(program)]), re.MULTILINE)
    size = {name: int(number) for name, number in sections}
    symbols = re.findall(r"^\w+ (\w+) \w (\w+)", run([f"{tools}nm", "-S", str(program)]), re.MULTILINE)
    return {
        "flash": size["init"] + size["text"] + size["data"],
        "of it vectors.h": sum(int(number, 16) for number, name in symbols if name.startswith(GOLDEN)),
        "RAM": size["data"] + size["bss"],
        "stack": int(find(r"^stack: (\d+) bytes", printed)),
    }


def report(names: Sequence[str], lab: Lab) -> Report:
    """Weigh the program, unless only other targets are named."""
    if names and TARGET not in names:
        return Report()
    try:
        (weight,) = lab.map("Weighing the check", lambda folder: weigh(*build(folder)), [lab.folder])
    except CommandError as error:
        return Report(outcomes=[("the check as firmware", str(error))])
    row = [f"check.c, ROOM={ROOM}, {TARGET}", *(f"{number}" for number in weight.values())]
    sheet = Sheet("Bytes that the check takes as firmware", ["program", *weight], [row])
    return Report({"program": sheet}, outcomes=[("the check as firmware", "")])
