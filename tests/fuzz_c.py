"""libFuzzer on the C library: ``python tests/fuzz_c.py [TARGET...] [--seconds 60]``.

A target is a program of tests/c/fuzz. It makes a call of any input, and compares the result with the contract in plain
C. AddressSanitizer and UndefinedBehaviorSanitizer watch; with ``--fast`` they do not, and pages that cannot be read do:
that is for many calls. ``--merge`` writes TARGET_seed_corpus.zip anew, the inputs from which all begins: those of it,
and what was found, that together reach every function. The input that failed is written to build/fuzz, where the
program is that runs it again. The last line is ``N calls, N failures``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests/c/fuzz"
BUILD = ROOT / "build/fuzz"
TARGETS = ["floats", "quantized"]
# Without UBSan's checks of pointers, which take it most of its time, and are AddressSanitizer's business here.
SANITIZERS = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
SANITIZERS += ["-fno-sanitize=null,object-size,alignment,pointer-overflow"]
FAST = ["-O2"]
# Of the library alone, and by functions: each kernel is one, and by edges there are five times fewer calls.
COVERAGE = "-fsanitize-coverage=func,inline-8bit-counters,pc-table"
INCLUDED = ["-gline-tables-only", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'csrc'}", f"-I{ROOT / 'tests/c'}"]
say = Console(highlight=False, markup=False, soft_wrap=True).print
OPTIONS = [
    "-max_len=200",
    "-len_control=0",
    "-entropic=0",
    "-use_counters=0",
    "-reduce_inputs=0",
    "-print_final_stats=1",
]


def compiled(source: Path, flags: list[str]) -> Path:
    """Compile a file; return the object."""
    result = BUILD / f"{source.stem}.o"
    ccache = ["ccache"] if shutil.which("ccache") else []
    subprocess.run([*ccache, "clang-19", *INCLUDED, *flags, "-c", source, "-o", result], check=True)
    return result


def build(targets: list[str], flags: list[str], jobs: int) -> None:
    """Compile the library, and a program for each target."""
    BUILD.mkdir(parents=True, exist_ok=True)
    library = sorted((ROOT / "csrc").glob("**/*.c"))
    with ThreadPoolExecutor(jobs) as pool:
        objects = list(pool.map(lambda source: compiled(source, [*flags, COVERAGE]), library))
        for target in targets:
            own = compiled(FOLDER / f"{target}.c", [*flags, "-O2", "-Wno-unused"])
            link = [*flags, "-fsanitize=fuzzer", own, *objects, "-pthread", "-o", BUILD / target]
            subprocess.run(["clang-19", *link], check=True)


def fuzz(target: str, seconds: int, *, merge: bool) -> tuple[int, bool]:
    """Run a target; return the number of calls, and whether it failed."""
    seeds = FOLDER / f"{target}_seed_corpus.zip"
    with tempfile.TemporaryDirectory() as name:
        corpus, kept = Path(name) / "corpus", Path(name) / "kept"
        for folder in (corpus, kept):
            folder.mkdir()
        if seeds.exists():
            shutil.unpack_archive(seeds, corpus)
        artifacts = f"-artifact_prefix={BUILD / target}-"
        command = [BUILD / target, *OPTIONS, f"-max_total_time={seconds}", artifacts, corpus]
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if run.returncode:
            say(re.sub(r"^#\d+\s.*\n", "", run.stdout + run.stderr, flags=re.MULTILINE))
        elif merge:
            subprocess.run(
                [BUILD / target, "-merge=1", "-use_counters=0", kept, corpus], capture_output=True, check=True
            )
            shutil.make_archive(str(seeds.with_suffix("")), "zip", kept)
    found = re.search(r"number_of_executed_units: (\d+)", run.stderr)
    calls = int(found[1]) if found else 0
    say(f"{target}: {calls} calls, {calls // max(1, seconds)} a second; exit status {run.returncode}")
    return calls, bool(run.returncode) or not calls


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; without, both at once")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--jobs", type=int, default=2, help="at once")
    parser.add_argument("--fast", action="store_true", help="without sanitizers")
    parser.add_argument("--merge", action="store_true")
    args = parser.parse_args()
    targets = args.targets or TARGETS
    if unknown := set(targets) - set(TARGETS):
        parser.error(f"no targets: {', '.join(sorted(unknown))}")
    build(targets, FAST if args.fast else SANITIZERS, args.jobs)
    with ThreadPoolExecutor(args.jobs) as pool:
        runs = list(pool.map(lambda target: fuzz(target, args.seconds, merge=args.merge), targets))
    failures = sum(failed for _, failed in runs)
    say(f"{sum(calls for calls, _ in runs)} calls, {failures} failures")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
