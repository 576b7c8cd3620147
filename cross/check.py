"""The C library on every processor: cross-compiled, run on an emulator, checked bit for bit, counted and weighed.

``python cross/check.py`` builds the library for each Meson cross file in cross/, runs tests/c/check.c and
check_quantized.c there under QEMU with the golden vectors, verifies here what check.c computes for them there, and ends
in one table: the compiler, the instruction set that was chosen, the checks that passed, instructions an element
(float32), and bytes of code. It fails if anything differs, is missing, or was skipped.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from commands import ROOT, CommandError, conclude, run
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from fastleaky.golden import formats, verification

CHECKS = 2  # check.c and check_quantized.c
CALLS = 2  # of each function, in count.c
RVV = "rv64,v=true,vext_spec=v1.0,elen=64,vlen="


@dataclass(frozen=True)
class Target:
    """A cross file, the processors to run it on, each with the instruction set that it must choose, and its tools."""

    name: str
    boards: dict[str, tuple[str | None, str]]  # what to call it: QEMU_CPU, the instruction set
    tools: dict[str, str]  # command: how to install it


def _linux(name: str, triplet: str, isa: str) -> Target:
    tools = {f"{triplet}-gcc": f"apt install gcc-{triplet}", f"qemu-{name}": "apt install qemu-user"}
    return Target(name, {name: (None, isa)}, tools)


def _firmware(name: str, isa: str) -> Target:
    triplet = "riscv64-unknown-elf" if name == "riscv32" else "arm-none-eabi"
    emulator, package = ("riscv32", "misc") if name == "riscv32" else ("arm", "arm")
    tools = {
        f"{triplet}-gcc": f"apt install gcc-{triplet} picolibc-{triplet}",
        f"qemu-system-{emulator}": f"apt install qemu-system-{package}",
    }
    return Target(name, {name: (None, isa)}, tools)


TARGETS = (
    _linux("aarch64", "aarch64-linux-gnu", "neon"),
    Target(
        "armhf",
        {"armhf": ("cortex-a7", "neon32"), "armhf, no NEON": ("cortex-a9,neon=off", "scalar")},
        {"arm-linux-gnueabihf-gcc": "apt install gcc-arm-linux-gnueabihf", "qemu-arm": "apt install qemu-user"},
    ),
    _linux("riscv64", "riscv64-linux-gnu", "scalar"),
    Target(
        "riscv64-rvv",
        {
            "riscv64-rvv, no vectors": ("rv64", "scalar"),
            **{f"riscv64-rvv, {bits} bits": (f"{RVV}{bits}", "rvv") for bits in (128, 256, 512, 1024)},
        },
        {
            "clang-19": "apt install clang-19",
            "riscv64-linux-gnu-gcc": "apt install gcc-riscv64-linux-gnu",
            "qemu-riscv64": "apt install qemu-user",
        },
    ),
    _linux("s390x", "s390x-linux-gnu", "scalar"),
    _firmware("cortex-m0", "scalar"),
    _firmware("cortex-m3", "scalar"),
    _firmware("cortex-m4", "scalar"),
    _firmware("cortex-m7", "scalar"),
    _firmware("cortex-m33", "scalar"),
    _firmware("cortex-m55", "mve"),
    _firmware("riscv32", "scalar"),
)


@dataclass
class Result:
    """What was seen on one processor."""

    board: str
    compiler: str = ""
    isa: str = ""
    passed: int = 0
    error: str = ""
    forward: float = 0.0
    backward: float = 0.0
    code: int = 0


def build(target: Target, folder: Path) -> Path:
    """Cross-compile everything for a target."""
    for tool, install in {"meson": "pip install meson ninja", **target.tools}.items():
        if shutil.which(tool) is None:
            raise CommandError(f"{tool} is missing: {install}")
    build = folder / target.name
    cross = str(ROOT / "cross" / f"{target.name}.ini")
    options = ["-Ddefault_library=static", f"-Dvectors={folder / 'vectors'}"]
    run(["meson", "setup", str(build), str(ROOT), "--cross-file", cross, *options])
    run(["meson", "compile", "-C", str(build)])
    return build


def board(build: Path, name: str, cpu: str | None, isa: str, plugin: Path) -> Result:
    """Check, count and weigh on one processor."""
    environment = {"QEMU_CPU": cpu} if cpu else {}
    output = run(["meson", "test", "-C", str(build), "--no-rebuild", "-v"], **environment)
    chosen = re.search(r"^best: (\w+)", output, re.MULTILINE)
    verdicts = re.findall(r"^([1-9]\d*) passed, 0 failed", output, re.MULTILINE)
    golden = re.findall(r"^\w+: [1-9]\d* golden vectors, 0 more|^[1-9]\d* golden rows", output, re.MULTILINE)
    if not chosen or len(verdicts) < CHECKS or len(golden) < CHECKS or not re.search(r"^Ok: +2", output, re.MULTILINE):
        raise CommandError(f"a check failed, was skipped, or did not end:\n{output[-2000:]}")
    result = Result(name, compiler_of(build), chosen[1], sum(map(int, verdicts)))
    if chosen[1] != isa:
        raise CommandError(f"{chosen[1]} was chosen, where {isa} should have been")

    wrapper = re.findall(r"'([^']*)'", re.search(r"exe_wrapper = \[(.*)\]", cross_file(build))[1])
    wrapper = [part.replace("@DIRNAME@", str(ROOT / "cross")) for part in wrapper]
    verify(run([*wrapper, str(build / "results")], **environment), build / f"{name}.log")
    counted = run([*wrapper, str(build / "count")], QEMU_PLUGIN=str(plugin), **environment)
    result.forward = per_element(counted, "fl_leaky_relu_f32")
    result.backward = per_element(counted, "fl_prelu_backward_f32")
    result.code = code_size(build, isa)
    return result


def per_element(counted: str, function: str) -> float:
    """Instructions an element, of what count_plugin.c printed: the difference between calls on 2048 and on 1024."""
    counts = re.findall(rf"^{function} (\d+)$", counted, re.MULTILINE)
    if len(counts) != CALLS:
        raise CommandError(f"{function}: not {CALLS} calls were counted:\n{counted[-2000:]}")
    return (int(counts[1]) - int(counts[0])) / 1024


def verify(output: str, log: Path) -> None:
    """Compare what the target computed for the golden vectors with the specification, here."""
    log.write_text(output)
    for verdict in verification.verify(log):
        if verdict.differences or verdict.left_out:
            raise CommandError(f"golden vectors, computed there and compared here: {verdict}")


def cross_file(build: Path) -> str:
    """Return the text of the cross file that a build was made with."""
    return (ROOT / "cross" / f"{build.name}.ini").read_text()


def compiler_of(build: Path) -> str:
    """Name and version of the compiler."""
    command = re.findall(r"'([^']*)'", re.search(r"^c = (.*)", cross_file(build), re.MULTILINE)[1])[0]
    version = re.search(r"\b(\d+\.\d+)\.\d+", run([command, "--version"]))
    return f"{'clang' if 'clang' in command else 'gcc'} {version[1]}"


def code_size(build: Path, isa: str) -> int:
    """Bytes of code and constants of one instruction set's kernels."""
    ar = re.search(r"^ar = '(.*)'", cross_file(build), re.MULTILINE)[1]
    (compiled,) = build.glob(f"libfastleaky.*.p/csrc_isa_{isa}.c.o")
    sizes = run([ar.removesuffix("ar") + "size", str(compiled)]).splitlines()[1].split()
    return int(sizes[0])


def check(target: Target, folder: Path, plugin: Path, progress: Progress, task: int) -> list[Result]:
    """Build a target, and check it on each of its processors."""
    results = []
    try:
        built = build(target, folder)
    except (CommandError, subprocess.TimeoutExpired) as error:
        built = error
    for name, (cpu, isa) in target.boards.items():
        try:
            if isinstance(built, Exception):
                raise built
            results.append(board(built, name, cpu, isa, plugin))
        except (CommandError, verification.ResultsError, subprocess.TimeoutExpired) as error:
            results.append(Result(name, error=str(error)))
        progress.advance(task)
    return results


def show(console: Console, results: list[Result], *, markdown: bool) -> None:
    """Print the table, and then what went wrong."""
    table = Table(box=box.MARKDOWN if markdown else box.SIMPLE_HEAD, pad_edge=markdown)
    for heading in ("target", "compiler", "chosen"):
        table.add_column(heading, no_wrap=True)
    for heading in ("checks", "forward", "backward", "code"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        if result.error:
            table.add_row(result.board, "", "", "[bold red]FAILED[/]")
            continue
        counts = (f"{result.forward:.2f}", f"{result.backward:.2f}", f"{result.code}")
        table.add_row(result.board, result.compiler, result.isa, f"[green]{result.passed}[/]", *counts)
    console.print(table)
    console.print(
        "checks: those that passed; forward, backward: instructions for one more element of leaky_relu and of "
        "prelu_backward, float32, soft floats included; code: bytes of all kernels"
    )
    conclude(console, [(result.board, result.error) for result in results])


def main() -> int:
    """Run the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", nargs="*", help=f"of {', '.join(target.name for target in TARGETS)}; all by default")
    parser.add_argument("--markdown", action="store_true", help="print the table as docs/targets.md has it")
    options = parser.parse_args()
    unknown = set(options.target) - {target.name for target in TARGETS}
    if unknown:
        parser.error(f"unknown target {', '.join(sorted(unknown))}")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # meson and ninja
    wanted = [target for target in TARGETS if not options.target or target.name in options.target]

    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(console=Console(stderr=True), transient=True) as progress,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        formats.write(Path(folder) / "vectors")
        plugin = Path(folder) / "libcount.so"
        run(["cc", "-O2", "-shared", "-fPIC", "-o", str(plugin), str(ROOT / "cross" / "count_plugin.c")])
        task = progress.add_task("Checking", total=sum(len(target.boards) for target in wanted))
        found = pool.map(lambda target: check(target, Path(folder), plugin, progress, task), wanted)
        results = [result for of_target in found for result in of_target]
    show(Console(highlight=False, width=None if sys.stdout.isatty() else 120), results, markdown=options.markdown)
    return int(any(result.error for result in results))


if __name__ == "__main__":
    sys.exit(main())
