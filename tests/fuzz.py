"""The fuzzer: ``python tests/fuzz.py [DOOR...] [--seconds 60] [--seed 0]``.

Each door gets random calls. It must give the bits of the specification, or, for a call that may be wrong, one of the
errors that its users know. It may not write to its inputs, warn, or crash: so each door runs in a process of its own,
which notes the number of each case before it. The last line is ``N cases, N failures``.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from fuzzing.cases import Case, draw_case, native
from fuzzing.door import Door
from rich.console import Console

from fastleaky._backends.selftest import same_bits

DOORS = ["numpy", "quantized", "dask", "jax", "numba", "onnx", "onnxruntime", "torch"]
MOST_FAILURES = 5  # then a door has seen enough
PATIENCE = 300  # seconds that a door may take longer than it should
say = Console(highlight=False, markup=False, soft_wrap=True).print


class FoundError(Exception):
    """A door has not done what it promises."""


def run_case(door: Door, seed: int, number: int) -> Counter[str]:
    """Run one case; return how many results and errors there were."""
    outcomes: Counter[str] = Counter()
    wanted = None
    for variant in door.variants:
        case = door.draw(seed, number)
        before = inputs(case)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                results = door.call(case, variant)
        except door.errors as error:
            if case.right:
                raise FoundError(f"{variant}: an error for a case that is right") from error
            outcomes["errors"] += 1
            results = None
        for name, bits in inputs(case).items():
            if bits != before[name] and case.given[name] is not case.out:
                raise FoundError(f"{variant}: {name} has changed")
        if results is not None:
            wanted = wanted or door.draw(seed, number).wanted()
            compare(variant, results, wanted)
            outcomes["results"] += 1
    return outcomes


def inputs(case: Case) -> dict[str, bytes]:
    """Return the contents of the arrays."""
    return {name: value.tobytes() for name, value in case.given.items() if isinstance(value, np.ndarray)}


def compare(variant: str, results: tuple[object, ...], wanted: tuple[np.ndarray, ...] | None) -> None:
    """Raise an error unless the results are those that the specification gives."""
    for i, (result, specified) in enumerate(zip(results, wanted or [None] * len(results), strict=True)):
        if result is None:
            continue
        if specified is None:
            raise FoundError(f"{variant}: {result!r}, where the specification has no result")
        if not same_bits(native(np.asarray(result)), native(specified)):
            raise FoundError(f"{variant}: result {i} is {result!r}\nand should be {specified!r}")


def load(name: str) -> Door:
    """Import a door, and its framework."""
    door: Door = importlib.import_module(f"fuzzing.{name}_").DOOR
    return door


def fuzz(name: str, seconds: float, seed: int, progress: Path) -> None:
    """Run cases until the time is over. Note the number of each; at the end, how many there were of each outcome."""
    np.set_printoptions(threshold=20)
    door = load(name)
    tally: Counter[str] = Counter()
    begin = time.monotonic()
    with progress.open("r+b", buffering=0) as file:
        while (elapsed := time.monotonic() - begin) < seconds and tally["failures"] < MOST_FAILURES:
            os.pwrite(file.fileno(), b"%d" % tally["cases"], 0)
            try:
                tally.update(run_case(door, seed, tally["cases"]))
            except KeyboardInterrupt:
                raise
            except BaseException:  # noqa: BLE001 - whatever else a door raises is what we look for
                tally["failures"] += 1
                case = door.draw(seed, tally["cases"])
                say(shown(name, seed, tally["cases"], case), traceback.format_exc(limit=-4), sep="\n")
            tally["cases"] += 1
        tally["seconds"] = round(elapsed)
        os.pwrite(file.fileno(), json.dumps(tally).encode(), 0)


def shown(name: str, seed: int, number: int, case: Case) -> str:
    """Show a case, and how to run it again."""
    return f"FAILED  python tests/fuzz.py {name} --seed {seed} --case {number}\n{case}"


def watch(name: str, seconds: float, seed: int) -> Counter[str]:
    """Fuzz a door in a process of its own; what ends that is a failure of the case that it had begun."""
    with tempfile.NamedTemporaryFile("r") as progress:
        options = [name, "--seconds", str(seconds), "--seed", str(seed), "--progress", progress.name]
        command = [sys.executable, "-X", "faulthandler", sys.argv[0], *options]
        try:
            child = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds + PATIENCE, check=False
            )
            output, end = child.stdout, f"ended with {child.returncode}"
        except subprocess.TimeoutExpired as error:
            output, end = error.stdout or b"", "did not end"
        note = json.loads(progress.read() or "0")
    tally: Counter[str] = Counter(note) if isinstance(note, dict) else Counter(cases=note + 1, failures=1)
    say(output.decode(errors="replace"), end="")
    if not isinstance(note, dict):
        say(shown(name, seed, note, draw_case(seed, note)), f"the process {end} here", sep="\n")
    elif not tally["results"] and not tally["failures"]:
        say(f"FAILED  {name}: there was no result at all")
        tally["failures"] = 1
    rate = tally["cases"] / (tally["seconds"] or 1)
    counts = ", ".join(f"{tally[what]} {what}" for what in ("results", "errors", "failures"))
    say(f"{name}: {tally['cases']} cases, {rate:.0f} a second: {counts}")
    return tally


def main() -> None:
    """Fuzz the doors, as many at once as there are processors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("doors", nargs="*", metavar="DOOR", help=f"of {', '.join(DOORS)}; without, all")
    parser.add_argument("--seconds", type=float, default=60, help="for each door")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="doors at once")
    parser.add_argument("--case", type=int, help="run this one only, in this process")
    parser.add_argument("--progress", type=Path, help=argparse.SUPPRESS)  # in a child: where the number goes
    args = parser.parse_args()
    names = args.doors or DOORS
    if unknown := set(names) - set(DOORS):
        parser.error(f"no doors: {', '.join(sorted(unknown))}")
    if args.case is not None:
        faulthandler.enable()
        door = load(names[0])
        say(str(door.draw(args.seed, args.case)))
        say(str(dict(run_case(door, args.seed, args.case))))
    elif args.progress:
        fuzz(names[0], args.seconds, args.seed, args.progress)
    else:
        with ThreadPoolExecutor(args.jobs) as pool:
            tallies = list(pool.map(lambda name: watch(name, args.seconds, args.seed), names))
        total = sum(tallies, Counter())
        say(f"{total['cases']} cases, {total['failures']} failures")
        sys.exit(total["failures"] > 0)


if __name__ == "__main__":
    main()
