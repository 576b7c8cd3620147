"""Time fastleaky beside its peers and the machine's limits: tables, pictures, and a verdict on each goal."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks import frameworks, fused, goals, machine, report
from benchmarks.lab import Lab, Run, Times, unsteady_runs
from benchmarks.parts import PARTS, Extent
from benchmarks.peers import PEERS, imports, limits, ours
from benchmarks.results import Results

ROOT = Path(__file__).parent.parent
ALWAYS = [peer.name for peer in (*ours.PEERS, *limits.PEERS, *imports.PEERS)]
RIVALS = [name for name in PEERS if name not in ALWAYS]
WANTS = ("goals", "frameworks", "fused", *PARTS)
OPEN = {"missed", "unsteady"}  # verdicts that may change
COLOURS = {"met": "green", "missed": "bold red", "unsteady": "yellow", "skipped": "dim"}


def needed(runs: list[Run]) -> int:
    """Bytes that a group needs: three arrays or four in each process, sessions and outputs of their own included."""
    processes = {PEERS[run.peer].process for run in runs}
    return 16 * max(run.case.elements for run in runs) * len(processes)


def measure(lab: Lab, results: Results, wants: Sequence[str], extent: Extent, bar: Progress) -> None:
    """Do everything that is wanted, one group after the other."""
    cpus = results.machine["cpus"]
    rivals = [name for name in RIVALS if name not in lab.skipped]
    peers = [name for name in PEERS if name in rivals or name in ALWAYS]
    work = [(goal, list(goals.groups(goal))) for goal in wanted_goals(wants, extent, rivals, cpus)]
    parts = [group for part in wants if part in PARTS for group in PARTS[part](extent, peers, cpus)]
    task = bar.add_task("", total=sum(len(divided) for _, divided in work) + len(parts))

    def step(name: str, runs: list[Run], unsteady: Callable[[Times], set[Run]] = unsteady_runs) -> Times:
        bar.update(task, description=name)
        fits = needed(runs) < machine.memory()
        if not fits:
            results.left_out.append(name)
        times = lab.measure(runs, unsteady) if fits else {}
        bar.advance(task)
        return times

    looks: list[Times] = []
    for goal, divided in work:
        looks.append({})
        for runs in divided:
            looks[-1] |= step(f"goals: {goal.what}", runs, goal.unsteady)
    for group in parts:
        results.add(group.part, step(f"{group.part}: {group.name}", list(group.runs)))
    # A neighbour's burst lasts longer than a few rounds: what was not met is looked at once more, and all rounds count.
    again = [(*one, look) for one, look in zip(work, looks, strict=True) if one[0].judge(look, {})["verdict"] in OPEN]
    if not extent.quick:
        bar.update(task, total=bar.tasks[task].completed + sum(len(divided) for _, divided, _ in again))
        for goal, divided, look in again:
            for runs in divided:
                join(look, runs, step(f"goals, once more: {goal.what}", runs, goal.unsteady))
    for (goal, _), look in zip(work, looks, strict=True):
        results.add("goals", look)
        results.goals.append(goal.judge(look, lab.skipped))
    results.skipped = lab.skipped


def wanted_goals(wants: Sequence[str], extent: Extent, rivals: list[str], cpus: int) -> list[goals.Goal]:
    """Return the tables' rows that are asked for."""
    table = goals.goals(extent, rivals, cpus) if "goals" in wants else []
    table += frameworks.goals(extent) if "frameworks" in wants else []
    table += fused.goals(extent, rivals) if "fused" in wants else []
    table += goals.formats() if "formats" in wants and not extent.quick else []
    matching = [goal for goal in table if extent.match in goal.what]
    if extent.match and not matching:
        raise SystemExit(f"No goal's name contains {extent.match!r}.")
    return matching


def join(times: Times, runs: list[Run], more: Times) -> None:
    """Add the rounds of a second look at some runs; what has failed there counts no more."""
    for run in set(runs) & times.keys():
        if run in more:
            times[run] += more[run]
        else:
            del times[run]


def show(console: Console, results: Results) -> None:
    """Print the table of goals, and what was skipped."""
    if results.goals:
        view = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("", "goal", "measured, the worst of them", "verdict"):
            view.add_column(heading, overflow="fold")
        for row in goal_rows(results):
            view.add_row(*row)
        console.print(view)
    console.print(escape(report.conditions(results)), soft_wrap=True)


def goal_rows(results: Results) -> Iterator[list[str]]:
    """Colour the cells of the table of goals."""
    for row in results.goals:
        verdict = f"[{COLOURS[row['verdict']]}]{row['verdict']}[/]"
        yield [escape(row["what"]), escape(row["asked"]), escape(report.measured(row)), verdict]


def publish(console: Console, results: Results, folder: Path, pages: list[Path]) -> None:
    """Write tables and pictures, and fill the places of other pages."""
    page = folder / "tables.md"
    page.write_text(report.markdown(results))
    made = [page]
    if importlib.util.find_spec("matplotlib"):
        from benchmarks import plots

        made += plots.save(results, folder)
    else:
        console.print("No pictures: matplotlib is not installed (pip install matplotlib).", style="yellow")
    if pages and results.quick:
        raise SystemExit("A quick run's figures are not for other pages.")
    for other in pages:
        other.write_text(report.insert(other.read_text(), results))
    made += pages
    for path in made:
        console.print(f"{path}", soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is 1 if a goal was missed, or could not be judged for unsteady repeats."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few small cases: does the suite work?")
    parser.add_argument("--only", metavar="PARTS", default=",".join(WANTS), help=f"some of {', '.join(WANTS)}")
    parser.add_argument("--match", metavar="TEXT", default="", help="only the goals whose name contains this")
    parser.add_argument("--peers", metavar="NAMES", help=f"some of {', '.join(RIVALS)}; or none")
    parser.add_argument("--out", metavar="DIR", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument(
        "--pages", metavar="FILE", type=Path, nargs="+", default=[], help="put the tables into these, too"
    )
    parser.add_argument(
        "--from", metavar="FILE", type=Path, dest="source", help="measure nothing: results of another run"
    )
    options = parser.parse_args(arguments)
    wants = options.only.split(",")
    rivals = (
        RIVALS if options.peers is None else [name for name in options.peers.split(",") if name not in {"", "none"}]
    )
    for given, known in ((wants, WANTS), (rivals, RIVALS)):
        unknown = set(given) - set(known)
        if unknown:
            parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(known)}")

    console = Console(highlight=False)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.source:
        results = Results.load(options.source)
    else:
        extent = Extent(options.quick, options.match)
        results = Results(extent.quick, extent.rounds, machine.about())
        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
        with (
            Lab(extent.rounds, extent.least_seconds, extent.batches, [*ALWAYS, *rivals]) as lab,
            Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bar,
        ):
            measure(lab, results, wants, extent, bar)
        results.save(options.out / "results.json")
    show(console, results)
    if options.match and options.pages:
        raise SystemExit("Some goals are not for other pages, which show all of them.")
    publish(console, results, options.out, options.pages)
    return int(any(row["verdict"] in OPEN for row in results.goals) and not results.quick)


if __name__ == "__main__":
    sys.exit(main())
