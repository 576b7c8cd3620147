"""Bytes of flash and of stack that a program pays for a function, on the cores that firmware is written for.

``python cross/flash.py`` compiles the library for each core, as firmware does (-Os, freestanding, and no warning is let
pass), sees that it calls nothing but what the compiler's own library has for arithmetic that the core lacks, links
programs that call one function (with --gc-sections, and without anything that starts them), and prints the tables of
docs/firmware.md. Nothing is run: cross/check.py does that.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from commands import ROOT, CommandError, run
from rich import box
from rich.console import Console
from rich.table import Table

ARM = ("arm-none-eabi", "gcc", "-mthumb")
RISCV = ("riscv64-unknown-elf", "gcc")
HARD = "-mfloat-abi=hard"
CLANG = "clang-19"  # for what GCC 12 does not know yet
CORES = {
    "cortex-m0": ("scalar", *ARM, "-mcpu=cortex-m0"),
    "cortex-m0plus": ("scalar", *ARM, "-mcpu=cortex-m0plus"),
    "cortex-m3": ("scalar", *ARM, "-mcpu=cortex-m3"),
    "cortex-m4": ("scalar", *ARM, "-mcpu=cortex-m4", HARD),
    "cortex-m7": ("scalar", *ARM, "-mcpu=cortex-m7", HARD),
    "cortex-m23": ("scalar", *ARM, "-mcpu=cortex-m23"),
    "cortex-m33": ("scalar", *ARM, "-mcpu=cortex-m33", HARD),
    "cortex-m55, soft": ("scalar", *ARM, "-mcpu=cortex-m55"),
    "cortex-m55": ("mve", *ARM, "-mcpu=cortex-m55", HARD),
    "cortex-m85": ("mve", "arm-none-eabi", CLANG, "-mcpu=cortex-m85", HARD),
    "cortex-a7": ("neon32", *ARM, "-mcpu=cortex-a7", "-mfpu=neon-vfpv4", HARD),
    "cortex-a53": ("neon", "aarch64-linux-gnu", "gcc", "-mcpu=cortex-a53"),
    "rv32imac": ("scalar", *RISCV, "-march=rv32imac", "-mabi=ilp32"),
    "rv32imafc": ("scalar", *RISCV, "-march=rv32imafc", "-mabi=ilp32f"),
    "rv64gc": ("scalar", *RISCV, "-march=rv64gc", "-mabi=lp64d"),
    "rv64gcv": ("rvv", "riscv64-unknown-elf", CLANG, "-march=rv64gcv", "-mabi=lp64d"),
}
PROGRAMS = {  # each calls one function, and its name in the table
    "leaky f32": "fl_leaky_relu_f32(fl_isa_best(), f, f, 8, 0.1f)",
    "prelu f32": "fl_prelu_f32(fl_isa_best(), f, f, f, 1, 2, 4)",
    "prelu_backward f32": "fl_prelu_backward_f32(fl_isa_best(), f, f, f, f, f, 1, 2, 4)",
    "prelu_backward f64": "fl_prelu_backward_f64(fl_isa_best(), d, d, d, d, d, 1, 2, 4)",
    "leaky f16": "fl_leaky_relu_f16(fl_isa_best(), h, h, 8, 0.1f)",
    "leaky i8": "fl_leaky_relu_i8(fl_isa_best(), &how, q, q, 8)",
    "prelu i8": "fl_prelu_i8(fl_isa_best(), &how, q, q, q, 1, 2, 4)",
    "look_up i8": "fl_look_up_i8(fl_isa_best(), q, q, q, 8)",
}
FUSED = {  # in tables of their own
    "bias f32": "fl_bias_leaky_relu_f32(fl_isa_best(), f, f, f, 1, 2, 4, 0.2f, 1.5f, 2)",
    "bias_backward f32": "fl_bias_leaky_relu_backward_f32(fl_isa_best(), f, f, f, f, 1, 2, 4, 0.2f, 1.5f, 2)",
    "scale_shift f32": "fl_scale_shift_leaky_relu_f32(fl_isa_best(), f, f, f, f, f, 1, 2, 4, 0.1f)",
    "scale_shift_prelu f32": "fl_scale_shift_prelu_f32(fl_isa_best(), f, f, f, f, f, f, 1, 2, 4)",
    "bias f16": "fl_bias_leaky_relu_f16(fl_isa_best(), h, h, h, 1, 2, 4, 0.2f, 1.5f, 2)",
    "scale_shift f16": "fl_scale_shift_leaky_relu_f16(fl_isa_best(), h, h, h, h, h, 1, 2, 4, 0.1f)",
}
MAIN = """
#include "fastleaky_quantized.h"
float f[8]; double d[8]; fl_f16 h[8]; int8_t q[256]; fl_quantization how;
int main(void) { %s; return 0; }
"""
LINKED = {  # where GCC 12 does not know the core: for what it does, the compiler's own library is the same
    "cortex-m85": ("-mthumb", "-mcpu=cortex-m55", HARD),
    "rv64gcv": ("-march=rv64gc", "-mabi=lp64d"),
}
OURS = re.compile(r"fl_|__aeabi_|__[a-z]+([sd]f|di)")  # and the compiler's own, for arithmetic


def deepest(disassembly: str, frames: dict[str, int]) -> int:
    """Bytes of stack that main's call takes at most: the frames of our functions that call each other.

    A call through a pointer is of a function whose address the nearest caller took that took any, or which the code
    does not name at all. The compiler's own library does not say what its functions take: they are left out.
    """
    begins = {int(at, 16): name for at, name in re.findall(r"^([0-9a-f]+) <(.*)>:", disassembly, re.MULTILINE)}
    called: dict[str, set[str]] = {name: set() for name in begins.values()}
    taken: dict[str, set[str]] = {name: set() for name in begins.values()}
    through_pointers = set()
    for line in disassembly.splitlines():
        if begin := re.match(r"([0-9a-f]+) <", line):
            function = begins[int(begin[1], 16)]
        elif named := re.search(r"\t([bcjt])?\S*\t.*<([^>+]+)>$", line):  # a branch, call or jump; or an address
            (called if named[1] else taken)[function].add(named[2])
        elif word := re.search(r"\t\.word\t0x([0-9a-f]+)$", line):
            taken[function].add(begins.get(int(word[1], 16) & ~1, ""))  # the lowest bit is Thumb's
        elif re.search(r"\t(blx?r?|bx|br|jalr|jr)\t(?!lr|ra\b)", line):
            through_pointers.add(function)
    unnamed = called.keys() - {"main"}.union(*called.values(), *taken.values())

    def depth(function: str, path: tuple[str, ...]) -> int:
        following = set(called[function])
        if function in through_pointers:
            pointers = (taken[name].intersection(called).difference(path) for name in reversed(path))
            following |= unnamed.union(next(filter(None, pointers), ()))
        frame = 0 if function == "main" else frames.get(function.split(".", maxsplit=1)[0], 0)
        return frame + max(
            (depth(name, (*path, name)) for name in following.intersection(called).difference(path)), default=0
        )

    return depth("main", ("main",))


def weigh(core: str, folder: Path) -> tuple[str, list[str], list[str]]:
    """The core and its instruction set, the text of each program, and its stack."""
    isa, tools, compiler, *flags = CORES[core]
    command = [f"{tools}-{compiler}"] if compiler == "gcc" else [compiler, f"--target={tools}"]
    options = ["-Os", "-ffreestanding", "-ffunction-sections", "-fdata-sections", f"-I{ROOT / 'csrc'}"]
    strict = ["-fstack-usage", "-Wall", "-Wextra", "-Werror"]
    objects, frames = [], {}
    for source in (ROOT / "csrc").glob("**/*.c"):
        if "linux" in tools and source.parent.name == "threads":
            continue  # elsewhere it compiles to nothing
        compiled = folder / f"{core}-{source.stem}.o"
        run([*command, *flags, *options, *strict, "-c", str(source), "-o", str(compiled)])
        foreign = [
            name for name in re.findall(r" U (\w+)", run([f"{tools}-nm", "-u", str(compiled)])) if not OURS.match(name)
        ]
        if foreign:
            raise CommandError(f"{core}: {source.name} calls {foreign}")
        objects.append(str(compiled))
        usage = compiled.with_suffix(".su")
        if usage.exists() and (source.parent.name != "isa" or source.stem == isa):
            used = usage.read_text()
            for name, size in re.findall(r":(\w+)(?:\.[\w.]*)?\t(\d+)", used):
                frames[name] = max(int(size), frames.get(name, 0))
    texts, stacks = [], []
    for call in (PROGRAMS | FUSED).values():
        program = folder / f"{core}-program"
        program.with_suffix(".c").write_text(MAIN % call)
        run([*command, *flags, *options, "-c", f"{program}.c", "-o", f"{program}.o"])
        link = [f"{tools}-gcc", *(flags if compiler == "gcc" else LINKED[core]), "-static", "-nostdlib"]
        run([*link, "-Wl,--gc-sections,-emain", f"{program}.o", *objects, "-lgcc", "-o", f"{program}.elf"])
        texts.append(run([f"{tools}-size", f"{program}.elf"]).splitlines()[1].split()[0])
        stacks.append(str(deepest(run([f"{tools}-objdump", "-d", "--no-show-raw-insn", f"{program}.elf"]), frames)))
    return f"{core} ({isa})", texts, stacks


def show(console: Console, weighed: dict[str, list[str]]) -> None:
    """Print the bytes for each core in two tables."""
    plain = len(PROGRAMS)
    for functions, part in ((PROGRAMS, slice(plain)), (FUSED, slice(plain, None))):
        table = Table(box=box.MARKDOWN)
        table.add_column("core", no_wrap=True)
        for function in functions:
            table.add_column(function, justify="right")
        for core, numbers in weighed.items():
            table.add_row(core, *numbers[part])
        console.print(table)


def main() -> int:
    """Print the tables; the result is the exit status."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        weighed = list(pool.map(lambda core: weigh(core, Path(folder)), CORES))
    console = Console(width=150)
    console.print("Bytes of flash of a program that calls one function:")
    show(console, {core: texts for core, texts, _ in weighed})
    console.print("Bytes of stack:")
    show(console, {core: stacks for core, _, stacks in weighed})
    return 0


if __name__ == "__main__":
    sys.exit(main())
