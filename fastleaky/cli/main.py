"""``python -m fastleaky``: which backend was chosen and why, whether all are right, and how fast they are."""

import argparse
import json
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import fastleaky
from fastleaky._backends import choice
from fastleaky._operations import PLAIN
from fastleaky.cli import check as comparison
from fastleaky.cli import workloads
from fastleaky.quantized._layer import ROUNDINGS

Report = dict[str, Any]
WITH_PATH = {
    "vectors": "the folder to write to",
    "verify": "the file to read",
    "doctor": "a model, .tflite or .onnx",
}


def info() -> Report:
    """Return the chosen backend, the usable ones, and why the others are not."""
    chosen = fastleaky.backend
    return {
        "version": fastleaky.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "threads": fastleaky.get_num_threads(),
        "backend": chosen,
        "usable": fastleaky.backends(),
        "unusable": choice.unusable(),
    }


def check(progress: Progress) -> Report:
    """Compare every usable backend with the specification; count the cases and differences of each operation."""
    cases = list(comparison.cases())
    results: Report = {}
    for backend in progress.track(fastleaky.backends(), description="Checking"):
        bar = progress.add_task(backend, total=len(cases))
        tried: Counter[str] = Counter()
        different: Counter[str] = Counter()
        with fastleaky.use(backend):
            for case in cases:
                tried[case.operation.name] += 1
                different[case.operation.name] += not case.agrees(fastleaky)
                progress.advance(bar)
        results[backend] = {name: {"cases": tried[name], "different": different[name]} for name in tried}
        progress.remove_task(bar)
    return results


def bench(progress: Progress, threads: int) -> list[Report]:
    """Time every operation of every backend on every layer, and a copy of the same array."""
    rows = [(workload, operation) for workload in workloads.WORKLOADS for operation in PLAIN.values()]
    results = []
    before = fastleaky.get_num_threads()
    fastleaky.set_num_threads(threads)
    for workload, operation in progress.track(rows, description="Timing"):
        results += [vars(speed) for speed in workloads.speeds(workload, operation, fastleaky.backends())]
    fastleaky.set_num_threads(before)
    return results


def show_info(console: Console, report: Report) -> None:
    """Print what `info` found."""
    console.print(
        f"[bold]fastleaky {report['version']}[/] with NumPy {report['numpy']} and Python {report['python']} "
        f"on {report['machine']}, at most {report['threads']} thread{'s'[: report['threads'] > 1]} a call"
    )
    forced = ", as FASTLEAKY_BACKEND says" if choice.is_forced() else ", the best that is usable here"
    console.print(f"The backend is [bold green]{report['backend']}[/]{forced}.")
    others = [name for name in report["usable"] if name != report["backend"]]
    console.print(f"Usable too: {', '.join(others)}.")
    for name, reason in report["unusable"].items():
        console.print(f"Not usable: {name}, because {reason}.")
    console.print()


def show_table(console: Console, report: Report) -> None:
    """Print one table: speeds on each layer, and the comparison with the specification."""
    checked, speeds = report.get("check", {}), report.get("bench", [])
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for column in (*PLAIN, "fused"):
        table.add_column(column.replace("_backward", "\n_backward"), justify="right", no_wrap=True)

    by_layer: dict[str, dict[str, dict[str, float]]] = {}
    for speed in speeds:
        backends = by_layer.setdefault(speed["network"], {})
        backends.setdefault(speed["backend"], {})[speed["operation"]] = speed["bytes_per_second"]
    for workload in workloads.WORKLOADS if by_layer else ():
        table.add_section()
        table.add_row(f"[bold]{workload.network}[/]", *[""] * 3, "x".join(map(str, workload.shape)))
        for backend, row in by_layer[workload.network].items():
            table.add_row(f"  {backend}", *(f"{row[name] / 1e9:.1f} GB/s" for name in PLAIN))

    if checked:
        table.add_section()
        table.add_row("[bold]bits[/]")
    for backend, row in checked.items():
        different = {name: counts["different"] for name, counts in row.items()}
        fused = sum(different[name] for name in different.keys() - PLAIN.keys())
        table.add_row(f"  {backend}", *map(comparison.formatted, (*map(different.__getitem__, PLAIN), fused)))
    console.print(table)
    if by_layer:
        console.print(
            "Speeds: bytes read and written in a second; float32, random signs, out= given, "
            f"threads: {report['threads']}; the median of {workloads.ROUNDS} rounds in turn. "
            "The limit is the line copy, np.copyto on the same array."
        )
    if checked:
        cases = sum(result["cases"] for row in checked.values() for result in row.values())
        console.print(f"Bits: {cases} results compared with the specification, fastleaky.reference.")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="fastleaky", description=__doc__)
    parser.add_argument(
        "command",
        nargs="?",
        choices=["info", "check", "bench", *WITH_PATH],
        help="only the choice of backends, the comparison with the specification, or the speeds (all by default); "
        "or: write the golden vectors; verify results of them; examine a model",
    )
    parser.add_argument("path", nargs="?", type=Path, help="; ".join(map(": ".join, WITH_PATH.items())))
    parser.add_argument("--json", action="store_true", help="print JSON, for machines")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads that a timed call may use (1)")
    of_doctor = parser.add_argument_group("doctor")
    of_doctor.add_argument("--core", metavar="NAME", help="the processor whose instructions are told (cortex-m4)")
    of_doctor.add_argument("--emit-c", type=Path, metavar="FILE", help="write parameters and tables for firmware, in C")
    of_doctor.add_argument("--rounding", choices=[*ROUNDINGS, "onnx"], help="of these tables (that of the format)")
    options = parser.parse_args(arguments)
    if options.threads < 1:
        parser.error(f"--threads is {options.threads}; it must be at least 1")
    if (options.path is None) == (options.command in WITH_PATH):
        needs = "needs a path" if options.path is None else "takes no path"
        parser.error(f"{options.command or 'fastleaky'} {needs}")
    if options.command != "doctor" and (options.core or options.emit_c or options.rounding):
        parser.error("--core, --emit-c and --rounding belong to doctor")
    return options


def run_with_path(console: Console, options: argparse.Namespace) -> int:
    """Run a command with a path; the result is the exit status."""
    if options.command == "doctor":
        from fastleaky.cli import doctor

        return doctor.doctor(console, options)
    try:
        from fastleaky.cli import golden
    except ImportError as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 2
    return golden.golden(console, options.command, options.path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is the exit status, 1 if any backend differs from the specification."""
    options, console = parse(arguments), Console(highlight=False)
    if options.path:
        return run_with_path(console, options)
    wants = {options.command} if options.command else {"info", "check", "bench"}
    report: Report = {"info": info()}
    if not options.json and "info" in wants:
        show_info(console, report["info"])
    with Progress(console=Console(stderr=True), transient=True) as progress:
        if "check" in wants:
            report["check"] = check(progress)
        if "bench" in wants:
            report["threads"] = options.threads
            report["bench"] = bench(progress, options.threads)

    if options.json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    elif wants != {"info"}:
        show_table(console, report)
    different = sum(row["different"] for backend in report.get("check", {}).values() for row in backend.values())
    return int(different > 0)
