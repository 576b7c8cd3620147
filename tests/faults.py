"""Planted faults, on demand: does a test see each of those in faults.toml? ``python tests/faults.py [NAME ...]``.

A fault is put into a copy of the tree, what it concerns is built anew, and the tests that must see it are run: C
programs (PROGRAMS) or selections for pytest, which imports the copy. A fault that none of them sees has SURVIVED: a
test is missing. It ends in a table, the counts by area, and a line ``N passed, M failed``, in which a fault that was
seen passes, and so does one that is excused with a reason. ccache, if it is there, makes it much faster.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from planting import ROOT, Fault, FaultError, faults
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

sys.path.append(str(ROOT / "cross"))
from targets import select

TOGETHER = 2  # faults at a time
PATIENCE = 300  # seconds: what has not ended then has failed
NO_SUCH_TEST = (4, 5)  # exit statuses of pytest
AREAS = {  # the first of them whose pattern is in the file's and the fault's name
    "threads": r"threads|^fastleaky.*(thread|GIL)",
    "quantized": "quantized",
    "instruction sets in C": "^csrc/isa/",
    "floats in C": "^csrc/",
    "the way from Python to C": r"_backends/\w+\.[ch]",
    "Numba": r"numba|_njit",
    "NumPy": "numpy_",
    "layouts and arguments": "_layout|_apply|_arguments|_fused",
    "doors to frameworks": r"fastleaky/(torch|jax|onnxruntime|dask|onnx)",
    "doctor": "doctor",
    "firmware and cross-checks": "^(examples|cross)/",
    "the rest": "",
}
GCC = "gcc -O2 -fPIC"
TSAN = "clang-19 -O1 -g -fsanitize=thread"
AARCH64 = "aarch64-linux-gnu-gcc -O2"
RISCV = "clang-19 --target=riscv64-linux-gnu -O2"
WASM = "clang-19 --target=wasm32-wasi -O2 -msimd128 -DFL_SCALAR=1"
FUZZED = "clang-19 -O1 -fsanitize=address -fsanitize-coverage=func,inline-8bit-counters,pc-table"
FUZZER = ("-Itests/c -Wno-unused -fsanitize=fuzzer -pthread", "sh", "-c", '"$0" -max_total_time=60 -max_len=200')
RVV = ("qemu-riscv64", "-cpu", "rv64,v=true,vext_spec=v1.0,elen=64,vlen=128")


def on_board(name: str, program: str = "check_quantized") -> tuple[str, ...]:
    """Return a program for one of firmware's cores, which a cross file describes."""
    (target,) = select([name])
    compiler = [*target.words("c"), *target.words("cpu"), "-O2", "-DROOM=4200"]
    return shlex.join(compiler), program, shlex.join(target.words("c_link_args")), *target.wrapper


PROGRAMS = {  # the compiler with its flags for the library, the program, flags for the program; and what runs it
    "check": (GCC, "check", ""),
    "check with threads": (GCC, "check", "-DTHREADS"),
    "check on 32-bit Arm": ("arm-linux-gnueabihf-gcc -O2", "check", "-static", "qemu-arm", "-cpu", "cortex-a7"),
    "check on AArch64": (AARCH64, "check", "-static", "qemu-aarch64"),  # with SVE of 512 bits
    "check on AArch64 with FP16": (f"{AARCH64} -march=armv8.6-a+fp16+bf16", "check", "-static", "qemu-aarch64"),
    "check on RISC-V": (RISCV, "check", "-static", *RVV),
    "check on Cortex-M4": on_board("cortex-m4", "check"),
    "check on Cortex-M55": on_board("cortex-m55", "check"),
    "check as WebAssembly": (WASM, "check", "", "node", "cross/wasi-run.mjs"),
    "check as without an FPU": (f"{GCC} -DFL_SOFT_F32=1", "check", ""),
    "check with Clang, contracting": ("clang-19 -O3 -mfma -ffp-contract=fast", "check", ""),
    "check_quantized": (GCC, "check_quantized", ""),
    "check_quantized on 32-bit Arm": (
        *("arm-linux-gnueabihf-gcc -O2", "check_quantized", "-static"),
        *("qemu-arm", "-cpu", "cortex-a7"),
    ),
    "check_quantized on AArch64": (AARCH64, "check_quantized", "-static", "qemu-aarch64"),
    "check_quantized on RISC-V": (RISCV, "check_quantized", "-static", *RVV),
    "check_quantized on Cortex-M0": on_board("cortex-m0"),
    "check_quantized on Cortex-M4": on_board("cortex-m4"),
    "check_quantized on Cortex-M55": on_board("cortex-m55"),
    "check_quantized as WebAssembly": (WASM, "check_quantized", "", "node", "cross/wasi-run.mjs"),
    "fuzz/floats": (FUZZED, "fuzz/floats", *FUZZER),
    "fuzz/quantized": (FUZZED, "fuzz/quantized", *FUZZER),
    "stress": (GCC, "stress", ""),
    "stress with ThreadSanitizer": (TSAN, "stress", "-DNO_FORK"),
}


def area_of(fault: Fault) -> str:
    """Return what of the library a fault concerns."""
    return next(area for area, pattern in AREAS.items() if re.search(pattern, f"{fault.file} {fault.name}"))


@dataclass(frozen=True)
class Verdict:
    """Whether a fault was seen, and how."""

    fault: Fault
    seen: bool
    how: str

    @property
    def passed(self) -> bool:
        """Is all well?"""
        return self.seen or bool(self.fault.excused)

    @property
    def word(self) -> str:
        """The verdict, in colour."""
        return "[green]seen[/]" if self.seen else "[yellow]excused[/]" if self.passed else "[bold red]SURVIVED[/]"


def run(command: list[str], folder: Path, **environment: str) -> tuple[int, str]:
    """Run a command and all that it starts to its end, or for PATIENCE; its exit status and output."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FASTLEAKY_", "PYTEST_"))}
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return -signal.SIGKILL, f"WRONG: no end in {PATIENCE} seconds"
    return process.returncode, output


class Tree:
    """A copy of the tree, to plant faults in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in listed.stdout.rstrip("\0").split("\0"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        self._command([sys.executable, "fastleaky/_backends/ffi_build.py", "_ffi.c"])
        self.build_extension()

    def _command(self, command: list[str]) -> None:
        status, output = run(command, self.folder)
        if status:
            raise FaultError(f"{shlex.join(command[:8])} ...: exit status {status}\n{output[-2000:]}")

    def _objects(self, compiler: str, sources: list[str]) -> list[str]:
        ccache = ["ccache"] if shutil.which("ccache") else []
        objects = [f"{Path(source).name}.o" for source in sources]
        for source, result in zip(sources, objects, strict=True):
            self._command([*ccache, *shlex.split(compiler), "-Icsrc", "-c", source, "-o", result])
        return objects

    def _sources(self, folder: str) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(f"{folder}/**/*.c"))

    def _library(self, compiler: str) -> list[str]:
        return self._objects(compiler, self._sources("csrc"))

    def build_extension(self) -> None:
        """Compile what Python imports, beside the package, where it is found first; and what ONNX Runtime loads."""
        python = f"{GCC} -DPy_LIMITED_API=0x030b0000 -Ifastleaky/_backends -I{sysconfig.get_path('include')}"
        library = self._library(GCC)
        extension = self._objects(python, ["_ffi.c", *self._sources("fastleaky/_backends"), "fastleaky/jax/handlers.c"])
        provider = self._objects(f"{GCC} -DFL_VERSION='\"0.0.0\"'", self._sources("fastleaky/onnxruntime"))
        for objects, name in ((extension, "_ffi.abi3"), (provider, "onnxruntime/fastleaky_onnxruntime")):
            self._command(["gcc", "-shared", "-pthread", *library, *objects, "-lm", "-o", f"fastleaky/{name}.so"])

    def failure(self, check: str) -> str:
        """Run a check; what failed first, or nothing."""
        return self._program(check) if check in PROGRAMS else self._tests(check)

    def _program(self, check: str) -> str:
        compiler, program, flags, *emulator = PROGRAMS[check]
        objects = self._library(compiler)
        given = [*shlex.split(f"{compiler} {flags}"), "-Icsrc", f"tests/c/{program}.c"]
        self._command([*given, *objects, "-o", "program"])
        status, output = run([*emulator, "./program"], self.folder)
        if not status:
            return ""
        found = re.search(r"^DIFFERS.*|^.*WRONG.*|^SUMMARY:.*", output, re.MULTILINE)
        return f"{check}: {found[0] if found else f'exit status {status}'}"

    def _tests(self, check: str) -> str:
        pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *shlex.split(check)]
        with tempfile.TemporaryDirectory() as cache:
            status, output = run(pytest, self.folder, PYTHONDONTWRITEBYTECODE="1", NUMBA_CACHE_DIR=cache)
        if not status:
            return ""
        if status in NO_SUCH_TEST:
            raise FaultError(f"pytest {check}: exit status {status}\n{output[-2000:]}")
        found = re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE) or re.search("WRONG: (.*)", output)
        return found[1] if found else f"{check}: exit status {status}"

    def judge(self, fault: Fault) -> Verdict:
        """Plant a fault, run what must see it, and take it out again."""
        path = self.folder / fault.file
        original = path.read_text()
        path.write_text(fault.planted(original))
        in_c, rebuilt = path.suffix != ".py", False
        try:
            for check in fault.seen_by:
                if in_c and check not in PROGRAMS and not rebuilt:
                    self.build_extension()
                    rebuilt = True
                if failure := self.failure(check):
                    return Verdict(fault, seen=True, how=failure)
        except FaultError as error:
            return Verdict(fault, seen=False, how=str(error))
        finally:
            path.write_text(original)
            if rebuilt:
                self.build_extension()
        return Verdict(fault, seen=False, how=fault.excused)


def judged(wanted: list[Fault], folder: Path, progress: Progress) -> list[Verdict]:
    """Judge some faults, TOGETHER at a time, each in one of as many trees, in which all tests pass without them."""
    trees: SimpleQueue[Tree] = SimpleQueue()
    for i in range(TOGETHER):
        trees.put(Tree(folder / str(i)))

    @contextlib.contextmanager
    def a_tree() -> Iterator[Tree]:
        tree = trees.get()
        try:
            yield tree
        finally:
            trees.put(tree)
            progress.advance(task)

    def unplanted(check: str) -> None:
        with a_tree() as tree:
            if failure := tree.failure(check):
                raise FaultError(f"without any fault: {failure}")

    def judge(fault: Fault) -> Verdict:
        with a_tree() as tree:
            verdict = tree.judge(fault)
        progress.console.print(f"{verdict.word}  {fault.name}", highlight=False)  # all take hours
        return verdict

    checks = sorted({check for fault in wanted for check in fault.seen_by})
    task = progress.add_task("Planting", total=len(checks) + len(wanted))
    with ThreadPoolExecutor(TOGETHER) as pool:
        list(pool.map(unplanted, checks))
        return list(pool.map(judge, wanted))


def show(console: Console, verdicts: list[Verdict]) -> None:
    """Print the table, and how many passed."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("fault", "file", "", "seen by"):
        table.add_column(heading)
    for verdict in verdicts:
        table.add_row(verdict.fault.name, verdict.fault.file, verdict.word, verdict.how.replace("[", r"\["))
    console.print(table)
    summary = Table("area", "faults", "seen", "excused", "survived", box=box.SIMPLE_HEAD)
    for area in AREAS:
        here = [verdict for verdict in verdicts if area_of(verdict.fault) == area]
        seen, passed = sum(verdict.seen for verdict in here), sum(verdict.passed for verdict in here)
        if here:
            summary.add_row(area, *map(str, (len(here), seen, passed - seen, len(here) - passed)))
    console.print(summary)
    failed = sum(not verdict.passed for verdict in verdicts)
    console.print(f"{len(verdicts) - failed} passed, {failed} failed")


def main() -> int:
    """Run the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="*", help="of a fault, or a part of it; all by default")
    options = parser.parse_args()
    try:
        found = faults(Path(__file__).with_suffix(".toml"))
        unknown = [part for part in options.name if not any(part in fault.name for fault in found)]
        if unknown:
            parser.error(f"no fault has {', '.join(unknown)} in its name")
        wanted = [f for f in found if not options.name or any(part in f.name for part in options.name)]
        with (
            tempfile.TemporaryDirectory() as folder,
            Progress(console=Console(stderr=True), transient=True) as progress,
        ):
            verdicts = judged(wanted, Path(folder), progress)
    except FaultError as error:
        sys.exit(f"faults.py: {error}")
    show(Console(highlight=False, width=None if sys.stdout.isatty() else 160), verdicts)
    return int(not all(verdict.passed for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
