"""Bytes of flash of each kernel, and of stack of each kind of function, on the cores that firmware is written for.

``python tests/flash.py`` compiles the library for each core, as firmware does (-Os, freestanding, and no warning is let
pass), sees that it calls nothing but what the compiler's own library has for arithmetic that the core lacks, and prints
the table of README.md. Nothing is run: tests/cross.py does that.
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

from cross import ROOT, CrossError, run

ARM = ("arm-none-eabi", "gcc", "-mthumb")
RISCV = ("riscv64-unknown-elf", "gcc")
HARD = "-mfloat-abi=hard"
CLANG = "clang-19"  # for what GCC 12 does not know yet
CORES = {
    "cortex-m0": ("plain", *ARM, "-mcpu=cortex-m0"),
    "cortex-m0plus": ("plain", *ARM, "-mcpu=cortex-m0plus"),
    "cortex-m3": ("plain", *ARM, "-mcpu=cortex-m3"),
    "cortex-m4": ("plain", *ARM, "-mcpu=cortex-m4", HARD),
    "cortex-m7": ("plain", *ARM, "-mcpu=cortex-m7", HARD),
    "cortex-m23": ("plain", *ARM, "-mcpu=cortex-m23"),
    "cortex-m33": ("plain", *ARM, "-mcpu=cortex-m33", HARD),
    "cortex-m55, soft": ("plain", *ARM, "-mcpu=cortex-m55"),
    "cortex-m55": ("mve", *ARM, "-mcpu=cortex-m55", HARD),
    "cortex-m85": ("mve", "arm-none-eabi", CLANG, "-mcpu=cortex-m85", HARD),
    "cortex-a7": ("neon32", *ARM, "-mcpu=cortex-a7", "-mfpu=neon-vfpv4", HARD),
    "cortex-a53": ("neon", "aarch64-linux-gnu", "gcc", "-mcpu=cortex-a53"),
    "rv32imac": ("plain", *RISCV, "-march=rv32imac", "-mabi=ilp32"),
    "rv32imafc": ("plain", *RISCV, "-march=rv32imafc", "-mabi=ilp32f"),
    "rv64gc": ("plain", *RISCV, "-march=rv64gc", "-mabi=lp64d"),
    "rv64gcv": ("rvv", "riscv64-unknown-elf", CLANG, "-march=rv64gcv", "-mabi=lp64d"),
}
SUM = ("sum", "rows", "whole_rows", "piece")
PARTS = {  # of the code: the functions that it is
    **{
        f"{kernel} {t}": tuple(f"{t}_{name}" for name in names)
        for t in ("f32", "f64")
        for kernel, names in (("select", ("select",)), ("sum", SUM))
    },
    **{t: tuple(f"{t}_{name}" for name in ("select", *SUM)) for t in ("f16", "bf16")},
}
INTEGERS = re.compile(r"(i8|u8|i16)_|look_up|short|fl_integers_")  # and all of quantized.c
# Of the stack: what each public function calls, and what that calls; one of those that stand in parentheses.
STACK = {
    **{f"forward {t}": (f"fl_prelu_{t}", "select_all", "select_part", f"{t}_select") for t in ("f32", "f64")},
    **{
        f"backward {t}": (
            *(f"fl_prelu_backward_{t}", "sum_all", "sum_part", f"{t}_sum"),
            *((f"{t}_rows", f"{t}_whole_rows"), f"{t}_piece"),
        )
        for t in ("f32", "f64")
    },
    "int": (
        *(("fl_prelu_i8", "fl_leaky_relu_i8"), "do_all", "do_part", "i8_rescale"),
        *(("i8_rescale_run", "i8_rescale_rows"), ("i8_rescale_short", "i8_rescale_columns", "i8_line_run", "look_up")),
        "shorten",
    ),
}
OURS = re.compile(r"fl_|__aeabi_|__[a-z]+([sd]f|di)")  # and the compiler's own, for arithmetic


def weigh(core: str, folder: Path) -> tuple[str, ...]:
    """One row: the core, its best instruction set, the bytes of its kernels, of the rest, and of stack."""
    isa, tools, compiler, *flags = CORES[core]
    command = [f"{tools}-{compiler}"] if compiler == "gcc" else [compiler, f"--target={tools}"]
    options = ["-Os", "-ffreestanding", "-fstack-usage", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'csrc'}"]
    sizes: dict[str, int] = {}
    stack: dict[str, int] = {}
    for source in (*(ROOT / "csrc").glob("*.c"), *(ROOT / "csrc" / "isa").glob("*.c")):
        compiled = folder / f"{core}-{source.stem}.o"
        run([*command, *flags, *options, "-c", str(source), "-o", str(compiled)])
        foreign = [
            name for name in re.findall(r" U (\w+)", run([f"{tools}-nm", "-u", str(compiled)])) if not OURS.match(name)
        ]
        if foreign:
            raise CrossError(f"{core}: {source.name} calls {foreign}")
        if source.stem in (isa, "dispatch", "ops", "quantized"):
            symbols = run([f"{tools}-nm", "-S", str(compiled)])
            for n, name in re.findall(r"^\w+ (\w+) [tTrR] (\w+)[\w.]*$", symbols, re.MULTILINE):  # of a clone, too
                of_integers = source.stem == "quantized" or INTEGERS.match(name)
                key = f"int {name}" if of_integers else name
                sizes[key] = sizes.get(key, 0) + int(n, 16)
            used = compiled.with_suffix(".su").read_text()
            stack |= {name: int(n) for name, n in re.findall(r":(\w+)(?:\.[\w.]*)?\t(\d+)", used)}
    parts = [sum(sizes.pop(name, 0) for name in names) for names in PARTS.values()]
    parts.append(sum(sizes.pop(name) for name in list(sizes) if name.startswith("int ")))
    rest = sum(sizes.values())
    deepest = [
        sum(max(stack.get(name, 0) for name in ((names,) if isinstance(names, str) else names)) for names in calls)
        for calls in STACK.values()
    ]
    return (core, isa, *(str(n) for n in (*parts, rest, *deepest)))


def main() -> int:
    """Print the table; the result is the exit status."""
    table = Table(box=box.MARKDOWN)
    for heading in ("core", "set"):
        table.add_column(heading)
    for heading in (*PARTS, "int", "rest", *(f"stack {name}" for name in STACK)):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        for row in pool.map(lambda core: weigh(core, Path(folder)), CORES):
            table.add_row(*row)
    Console(width=200).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
