"""Bytes of flash and of stack that a program pays for a function, on the cores that firmware is written for.

The library is compiled for each core, as firmware does (-Os, freestanding, and no warning is let pass). It may call
nothing but what the compiler's own library has for arithmetic that the core lacks. Programs that call one function are
linked with --gc-sections, and without anything that starts them. Nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import goals
from commands import ROOT, CommandError, Lab, run
from sheets import Report, Sheet
from stack_depth import deepest

ARM = ("arm-none-eabi", "gcc", "-mthumb")
RISCV = ("riscv64-unknown-elf", "gcc")
HARD = "-mfloat-abi=hard"
BARE = ("-U__linux__", "-U__unix__")  # a compiler for Linux, of which firmware has nothing
CLANG = "clang-19"  # for what GCC 12 does not know yet
CORES = {
    "cortex-m0": ("scalar", *ARM, "-mcpu=cortex-m0"),
    "cortex-m0plus": ("scalar", *ARM, "-mcpu=cortex-m0plus"),
    "cortex-m3": ("scalar", *ARM, "-mcpu=cortex-m3"),
    "cortex-m4": ("dsp", *ARM, "-mcpu=cortex-m4", HARD),
    "cortex-m7": ("dsp", *ARM, "-mcpu=cortex-m7", HARD),
    "cortex-m23": ("scalar", *ARM, "-mcpu=cortex-m23"),
    "cortex-m33": ("dsp", *ARM, "-mcpu=cortex-m33", HARD),
    "cortex-m55, soft": ("dsp", *ARM, "-mcpu=cortex-m55"),
    "cortex-m55": ("mve", *ARM, "-mcpu=cortex-m55", HARD),
    "cortex-m85": ("mve", "arm-none-eabi", CLANG, "-mcpu=cortex-m85", HARD),
    "cortex-a7": ("neon32", *ARM, "-mcpu=cortex-a7", "-mfpu=neon-vfpv4", HARD),
    "cortex-a53": ("neon", "aarch64-linux-gnu", "gcc", "-mcpu=cortex-a53", *BARE),
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
    "leaky i16": "fl_leaky_relu_i16(fl_isa_best(), &how, s, s, 8)",
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
float f[8]; double d[8]; fl_f16 h[8]; int16_t s[8]; int8_t q[256]; fl_quantization how;
int main(void) { %s; return 0; }
"""
LINKED = {  # where GCC 12 does not know the core: for what it does, the compiler's own library is the same
    "cortex-m85": ("-mthumb", "-mcpu=cortex-m55", HARD),
    "rv64gcv": ("-march=rv64gc", "-mabi=lp64d"),
}
OURS = re.compile(r"fl_|__aeabi_|__[a-z]+([sd]f|di)")  # and the compiler's own, for arithmetic


@dataclass
class Weight:
    """Bytes that a program takes on a core, by the function that it calls; what went wrong, if anything."""

    core: str
    flash: dict[str, int] = field(default_factory=dict)
    stack: dict[str, int] = field(default_factory=dict)
    error: str = ""

    def goals(self, wanted: dict[str, dict[str, float]]) -> dict[str, goals.Goal]:
        """Return the goals for flash, of the functions that have one."""
        entries = wanted.get(self.core, {})
        made = {function: goals.goal(entries.get(function)) for function in self.flash}
        return {function: goal for function, goal in made.items() if goal}


class Core:
    """The library compiled for one core."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.isa, self.tools, self.compiler, *self.flags = CORES[name]
        self.objects: list[str] = []
        self.frames: dict[str, int] = {}
        for source in sorted((ROOT / "csrc").glob("**/*.c")):
            self.compile_source(source)

    def compile(self, source: Path, compiled: Path, *options: str) -> None:
        """Compile a file as firmware does."""
        compiler = [f"{self.tools}-gcc"] if self.compiler == "gcc" else [self.compiler, f"--target={self.tools}"]
        firmware = ["-Os", "-ffreestanding", "-ffunction-sections", "-fdata-sections", f"-I{ROOT / 'csrc'}"]
        run([*compiler, *self.flags, *firmware, *options, "-c", str(source), "-o", str(compiled)])

    def compile_source(self, source: Path) -> None:
        """Compile a file of the library, and note what its functions take of the stack."""
        compiled = self.folder / f"{self.name}-{source.stem}.o"
        self.compile(source, compiled, "-fstack-usage", "-Wall", "-Wextra", "-Werror")
        called = re.findall(r" U (\w+)", run([f"{self.tools}-nm", "-u", str(compiled)]))
        if foreign := [name for name in called if not OURS.match(name)]:
            raise CommandError(f"{source.name} calls {foreign}")
        self.objects.append(str(compiled))
        usage = compiled.with_suffix(".su")
        if usage.exists() and (source.parent.name != "isa" or source.stem == self.isa):
            for function, size in re.findall(r":(\w+)(?:\.[\w.]*)?\t(\d+)", usage.read_text()):
                self.frames[function] = max(int(size), self.frames.get(function, 0))

    def weigh(self, call: str) -> tuple[int, int]:
        """Return the bytes of flash and of stack of a program that makes a call."""
        program = self.folder / f"{self.name}-program"
        source, compiled, linked = (program.with_suffix(suffix) for suffix in (".c", ".o", ".elf"))
        source.write_text(MAIN % call)
        self.compile(source, compiled)
        flags = self.flags if self.compiler == "gcc" else LINKED[self.name]
        options = [*flags, "-static", "-nostdlib", "-Wl,--gc-sections,-emain"]
        run([f"{self.tools}-gcc", *options, str(compiled), *self.objects, "-lgcc", "-o", str(linked)])
        flash = run([f"{self.tools}-size", str(linked)]).splitlines()[1].split()[0]
        disassembly = run([f"{self.tools}-objdump", "-d", "--no-show-raw-insn", str(linked)])
        return int(flash), deepest(disassembly, self.frames)


def weigh(name: str, folder: Path) -> Weight:
    """Weigh each function on a core."""
    weight = Weight(name)
    try:
        core = Core(name, folder)
        for function, call in (PROGRAMS | FUSED).items():
            weight.flash[function], weight.stack[function] = core.weigh(call)
    except CommandError as error:
        weight.error = str(error)
    return weight


def table(weights: Sequence[Weight], what: str, functions: Sequence[str], wanted: dict[str, dict[str, float]]) -> Sheet:
    """Show the bytes of flash or of stack of some functions."""
    rows = []
    for weight in weights:
        goal = weight.goals(wanted) if what == "flash" else {}
        cells = [
            goal[function].colour(size, f"{size}") if function in goal else f"{size}"
            for function, size in getattr(weight, what).items()
            if function in functions
        ]
        rows.append([f"{weight.core} ({CORES[weight.core][0]})", *cells])
    return Sheet(f"Bytes of {what} of a program that calls one function", ["core", *functions], rows)


def report(names: Sequence[str], lab: Lab) -> Report:
    """Weigh on all cores, or on those that are named, and judge."""
    wanted = goals.load()["flash"]
    cores = [core for core in CORES if not names or core in names]
    weights = lab.map("Weighing", lambda core: weigh(core, lab.folder), cores)
    made = Report()
    for what in ("flash", "stack"):
        made.sheets[what] = table(weights, what, list(PROGRAMS), wanted)
        made.sheets[f"{what}-fused"] = table(weights, what, list(FUSED), wanted)
    for weight in weights:
        made.judge(f"{weight.core}: flash", weight.flash, weight.goals(wanted), weight.error)
    return made
