"""Bytes of flash of each kernel, and bytes of stack, on the cores that firmware is written for.

``python tests/flash.py`` compiles the library for each core, as firmware does (-Os, freestanding), and prints the table
of README.md. Nothing is run: tests/cross.py does that.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from cross import ROOT, run

ARM = ("arm-none-eabi-gcc", "-mthumb")
HARD = "-mfloat-abi=hard"
RISCV = ("riscv64-unknown-elf-gcc",)
CORES = {
    "cortex-m0": (*ARM, "-mcpu=cortex-m0"),
    "cortex-m3": (*ARM, "-mcpu=cortex-m3"),
    "cortex-m4": (*ARM, "-mcpu=cortex-m4", HARD),
    "cortex-m7": (*ARM, "-mcpu=cortex-m7", HARD),
    "cortex-m33": (*ARM, "-mcpu=cortex-m33", HARD),
    "cortex-m55": (*ARM, "-mcpu=cortex-m55", HARD),
    "cortex-a7": (*ARM, "-mcpu=cortex-a7", "-mfpu=neon-vfpv4", HARD),
    "cortex-a53": ("aarch64-linux-gnu-gcc", "-mcpu=cortex-a53"),
    "rv32imac": (*RISCV, "-march=rv32imac", "-mabi=ilp32"),
    "rv32imafc": (*RISCV, "-march=rv32imafc", "-mabi=ilp32f"),
    "rv64gc": (*RISCV, "-march=rv64gc", "-mabi=lp64d"),
}
KERNELS = ("f32_select", "f32_backward", "f64_select", "f64_backward")


def weigh(core: str, folder: Path) -> tuple[str, ...]:
    """One row: the core, its best instruction set, the bytes of its kernels, of the rest, and of stack."""
    compiler, *flags = CORES[core]
    isa = {"cortex-m55": "mve", "cortex-a7": "neon32", "cortex-a53": "neon"}.get(core, "plain")
    sizes, stack = {}, {}
    for source in (ROOT / "csrc" / "isa" / f"{isa}.c", ROOT / "csrc" / "dispatch.c", ROOT / "csrc" / "ops.c"):
        compiled = folder / f"{core}-{source.stem}.o"
        options = ["-Os", "-ffreestanding", "-fstack-usage", f"-I{ROOT / 'csrc'}"]
        run([compiler, *flags, *options, "-c", str(source), "-o", str(compiled)])
        symbols = run([compiler.replace("gcc", "nm"), "-S", str(compiled)])
        sizes |= {name: int(size, 16) for size, name in re.findall(r"^\w+ (\w+) [tTrR] (\w+)$", symbols, re.MULTILINE)}
        used = compiled.with_suffix(".su").read_text()
        stack |= {name: int(size) for name, size in re.findall(r":(\w+)\t(\d+)", used)}
    rest = sum(sizes.values()) - sum(sizes[kernel] for kernel in KERNELS)
    deepest = (stack[kernel] for kernel in ("f32_backward", "f64_backward"))
    return (core, isa, *(str(n) for n in (*(sizes[kernel] for kernel in KERNELS), rest, *deepest)))


def main() -> int:
    """Print the table; the result is the exit status."""
    table = Table(box=box.MARKDOWN)
    for heading in ("core", "set"):
        table.add_column(heading)
    for heading in ("select f32", "backward f32", "select f64", "backward f64", "rest", "stack f32", "stack f64"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        for row in pool.map(lambda core: weigh(core, Path(folder)), CORES):
            table.add_row(*row)
    Console(width=120).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
