"""What docs/proofs.md says is proved, and that each proof can fail: ``python proofs/check.py [NAME ...]``.

A proof is a C program that CBMC examines, a program that tries all cases, or one that asks z3. Then the faults of
faults.toml are planted in copies of csrc, one by one, and a proof that a fault names must fail. CBMC is the one of
PATH, or that of Debian 13, unpacked to build/cbmc. It ends in a table and a line ``N passed, M failed``.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from shapes import Shape, shapes

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "cross")]
from commands import CommandError, conclude, find, mirror, run  # noqa: E402
from planting import ROOT, Fault, faults  # noqa: E402

DEBIAN = ROOT / "build/cbmc"
PROGRAM = (
    "g++",
    "-std=gnu++20",
    "-fpermissive",
    "-w",
    "-Og",
)  # the C kernels, as C++; with -O1 it compiles for longer than it runs
SEEN = re.compile(r"WRONG: .*|exit status -\d+")  # of a program that ended by a signal
PROPERTY = re.compile(r"^\[\S+\] (?:file \S+ )?line \d+ (.*): (SUCCESS|FAILURE|UNKNOWN|ERROR)$", re.MULTILINE)
COUNTED = re.compile(r"^\*\* (\d+) of (\d+) failed", re.MULTILINE)
FAILED = 10  # CBMC's exit status when a property fails
PATIENCE = 600  # seconds


@dataclass(frozen=True)
class Options:
    """Where CBMC is, and whether there is time."""

    cbmc: list[str]
    long: bool


@dataclass(frozen=True)
class Verdict:
    """What became of a proof, or of a fault."""

    name: str
    properties: str
    seconds: float
    error: str = ""


class Terms:
    """All cases of one shape of vectors, on terms."""

    def __init__(self, shape: Shape) -> None:
        self.name, self.shape = f"terms {shape.name}", shape

    def holds(self, csrc: Path, options: Options) -> str:
        """Compile and run; how much was checked."""
        most = 200 if options.long else 32
        folders = [f"-I{folder}" for folder in (HERE / "terms", HERE / "small", HERE, csrc)]
        given = [*folders, *self.shape.defines, "-DCHANNELS=3", f"-DMOST={most}"]
        with tempfile.TemporaryDirectory() as folder:
            program = f"{folder}/terms"
            run([*PROGRAM, *given, str(HERE / "terms/terms.cc"), "-o", program])
            return find(r"^(\d+ jobs)$", run([program]))


class Bounded:
    """Runs of one shape of vectors of any length up to some vectors, for CBMC."""

    def __init__(self, shape: Shape, place: str) -> None:
        self.name, self.shape, self.place = f"cbmc {shape.name} {place}", shape, place

    def loops(self, most: int) -> list[str]:
        """How often each loop is unrolled: once more than it can run, which CBMC checks."""
        shape = self.shape
        step, flags = shape.registers * shape.lanes, shape.flags
        if "STREAMS" in flags:
            full = [most // (4 * step), 3] if not shape.halves or "UNROLLED" in flags else [most // step]
        else:
            full = [most // (16 if "SCALABLE" in flags else step)]
        short = [] if shape.registers == 1 or "MASKED" in flags else [shape.registers - 1]
        tail = [2 if "SCALABLE" in flags else shape.registers if "MASKED" in flags else shape.lanes - 1]
        function = f"{'f16' if shape.halves else 'f32'}{f'_{shape.registers}' * (shape.registers > 1)}_leaky_relu"
        bounds = {f"{function}_forward.{i}": bound for i, bound in enumerate(full + short + tail)}
        bounds |= {f"{function}_reverse.{i}": bound for i, bound in enumerate(full)} | {f"{function}_run.0": 2}
        return ["--unwindset", ",".join(f"{loop}:{bound + 1}" for loop, bound in bounds.items())]

    def holds(self, csrc: Path, options: Options) -> str:
        """Let CBMC examine it; how many properties there were."""
        shape = self.shape
        vectors = 6 if "STREAMS" in shape.flags else 3
        most = vectors * shape.registers * shape.lanes - 1
        folders = [f"-I{folder}" for folder in (HERE / "cbmc", HERE / "small", HERE, csrc)]
        given = [*shape.defines, "-DKERNEL=leaky_relu", f"-DMOST={most}", *["-DIN_PLACE"] * (self.place == "in place")]
        command = [*options.cbmc, "--slice-formula", "--unwind", str(shape.registers + 1), *self.loops(most)]
        return examined([*command, *folders, *given, str(HERE / "cbmc/traversals.c")])


class Integers:
    """The short cut for integers gives the integers of the exact products, for slopes of one sign; z3 proves it."""

    def __init__(self, slopes: str) -> None:
        self.name, self.slopes = f"integers {slopes}", slopes

    def holds(self, csrc: Path, _options: Options) -> str:
        """Compile and run; how many questions z3 has answered."""
        here = HERE / "integers"
        unused = ("-ffunction-sections", "-Wl,--gc-sections")  # the operations on arrays, which want kernels
        sources = [str(here / "requantize32.cc"), str(here / "sides.cc")]
        with tempfile.TemporaryDirectory() as folder:
            program = f"{folder}/integers"
            run([*PROGRAM, *unused, f"-I{here}", f"-I{csrc}", *sources, "-lz3", "-o", program])
            return find(r"^(\d+ queries)$", run([program, self.slopes]))


def examined(command: list[str]) -> str:
    """Run CBMC, for which all must hold but what is to be REACHED, and that must not; the number of properties."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    properties = PROPERTY.findall(done.stdout)
    counted = COUNTED.search(done.stdout)
    if done.returncode != FAILED or not counted or int(counted[2]) != len(properties):
        raise CommandError(f"exit status of CBMC: {done.returncode}\n{(done.stdout + done.stderr)[-2000:]}")
    reached = [result for what, result in properties if what.startswith("REACHED")]
    wrong = [f"WRONG: {what}" for what, result in properties if not what.startswith("REACHED") and result != "SUCCESS"]
    if wrong:
        raise CommandError("\n".join(wrong))
    if not reached or set(reached) != {"FAILURE"} or int(counted[1]) != len(reached):
        raise CommandError("something was not reached")
    return f"{len(properties)} properties"


Proof = Terms | Bounded | Integers


def proofs() -> list[Proof]:
    """All that there are."""
    found = shapes()
    runs = (Bounded(shape, place) for shape in found for place in ("apart", "in place"))
    return [*map(Integers, ("rising", "level", "falling")), *map(Terms, found), *runs]


def judged(name: str, proof: Proof, csrc: Path, options: Options) -> Verdict:
    """Run a proof."""
    start = time.monotonic()
    try:
        properties, error = proof.holds(csrc, options), ""
    except (CommandError, subprocess.TimeoutExpired) as wrong:
        properties, error = "", str(wrong)
    return Verdict(name, properties, time.monotonic() - start, error)


def refuted(fault: Fault, proof: Proof, options: Options) -> Verdict:
    """Plant a fault, for which the proof must fail, and not because it could not be run."""
    with tempfile.TemporaryDirectory() as folder:
        csrc = Path(folder) / "csrc"
        shutil.copytree(ROOT / "csrc", csrc)
        path = Path(folder) / fault.file
        path.write_text(fault.planted(path.read_text()))
        verdict = judged(f"fault: {fault.name}", proof, csrc, options)
    seen = SEEN.search(verdict.error)
    error = "" if seen else verdict.error or f"{proof.name} does not see it"
    return Verdict(verdict.name, seen[0] if seen else "", verdict.seconds, error)


def cbmc() -> list[str]:
    """Return the command that is CBMC; Debian 12 has none, and that of Debian 13 wants the libraries of its time."""
    if installed := shutil.which("cbmc"):
        return [installed]
    if not (DEBIAN / "usr/bin/cbmc").exists():
        DEBIAN.parent.mkdir(exist_ok=True)
        run(["mmdebstrap", "--variant=extract", "--include=cbmc", "trixie", str(DEBIAN), mirror()])
    (loader,) = (DEBIAN / "usr/lib").glob("*/ld-linux-*")
    return [str(loader), "--library-path", f"{loader.parent}:{DEBIAN / 'usr/lib'}", str(DEBIAN / "usr/bin/cbmc")]


def show(console: Console, verdicts: list[Verdict], version: str) -> None:
    """Print the table, and how many passed."""
    table = Table("proof, or fault and what sees it", "", "seconds", title=f"CBMC {version}")
    for verdict in verdicts:
        word = verdict.properties or "[bold red]FAILED[/]"
        table.add_row(verdict.name, word.replace("[", r"\[") if verdict.properties else word, f"{verdict.seconds:.1f}")
    console.print(table)
    conclude(console, [(verdict.name, verdict.error) for verdict in verdicts])


def main() -> int:
    """Run the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="*", help="of a proof or a fault, or a part of it; all by default")
    parser.add_argument("--long", action="store_true", help="larger arrays of terms")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time")
    given = parser.parse_args()
    options = Options(cbmc(), given.long)
    found = {proof.name: proof for proof in proofs()}
    planted = faults(HERE / "faults.toml")

    def wanted(name: str) -> bool:
        return not given.name or any(part in name for part in given.name)

    with ThreadPoolExecutor(given.jobs) as pool:
        waiting = [
            pool.submit(judged, name, proof, ROOT / "csrc", options) for name, proof in found.items() if wanted(name)
        ]
        waiting += [
            pool.submit(refuted, fault, found[name], options)
            for fault in planted
            for name in fault.seen_by
            if wanted(fault.name)
        ]
        verdicts = [each.result() for each in waiting]
    show(Console(highlight=False, width=150), verdicts, run([*options.cbmc, "--version"]).split()[0])
    return int(any(verdict.error for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
