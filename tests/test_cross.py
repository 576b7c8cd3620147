"""The cross-checks' own code: what it reads, how it judges, and that its tables name what there is."""

import check
import flash
import goals
import instructions
import pytest
from commands import ROOT, CommandError
from sheets import Report, Sheet, fill
from stack_depth import deepest
from targets import TARGETS

from fastleaky.doctor import cost

COUNTED = "".join(
    f"{whose}_{function} {cost * n}\n"
    for n in instructions.SIZES
    for function in instructions.FUNCTIONS
    for whose, cost in (("fl", 2), ("plain", 3))
)


def test_counts():
    counts = list(instructions.parse("here", f"fl_isa_best 14\n{COUNTED}"))
    assert {(one.function, one.n) for one in counts} == {
        (function, n) for function in instructions.FUNCTIONS for n in instructions.SIZES
    }
    assert all((one.ours, one.plain) == (2, 3) for one in counts)


def test_counts_for_the_doctor(tmp_path, monkeypatch):
    """What is written is read again, but for a sum, of which no activation consists; and what there is has targets."""
    written = instructions.cores(list(instructions.parse("here, too", COUNTED)))
    known = set(cost.cores())
    (tmp_path / "cores.csv").write_text(written)
    monkeypatch.setattr(cost, "TABLE", tmp_path / "cores.csv")
    cost.cores.cache_clear()
    functions = set(instructions.FUNCTIONS) - {instructions.ORDERED}
    assert cost.cores() == {"here, too": {name: dict.fromkeys(instructions.SIZES, 2) for name in functions}}
    cost.cores.cache_clear()
    assert known <= {board for target in TARGETS for board in target.boards}


@pytest.mark.parametrize("lost", ["fl_prelu_i8", "plain_prelu_i8"])
def test_a_call_that_was_not_counted(lost):
    with pytest.raises(CommandError, match="prelu_i8: not 3 calls"):
        list(instructions.parse("here", COUNTED.replace(f"{lost} 8192\n", "").replace(f"{lost} 12288\n", "")))


def test_a_plain_loop_that_does_something_else():
    with pytest.raises(CommandError, match="prelu_i8"):
        list(instructions.parse("here", f"{COUNTED}prelu_i8 differs\n"))


@pytest.mark.parametrize(
    ("entry", "measured", "verdict"),
    [
        (3, 3.02, "met"),
        (3, 3.04, "missed"),
        ({"goal": 3, "limit": 4, "why": "so"}, 4.01, "limit"),
        ({"goal": 3, "limit": 4, "why": "so"}, 4.1, "missed"),
        ({"goal": 3, "limit": 4, "why": "so"}, 2.9, "stale"),
        (6, 5.2, "missed"),  # for the plain loop takes 5
        (None, 5.2, "missed"),
        ({"limit": 6, "why": "so"}, 5.2, "limit"),
    ],
)
def test_verdicts(entry, measured, verdict):
    goal = goals.goal(entry, otherwise=5, slack=1.01)
    assert goal.judge(measured) == verdict
    assert bool(goal.error(measured)) == (verdict in {"missed", "stale"})


@pytest.mark.parametrize("entry", [{"limit": 3}, {"goal": 3, "why": "so"}, {"at_most": 3}])
def test_wrong_entries(entry):
    with pytest.raises(ValueError, match=r"goals.toml"):
        goals.goal(entry)


def test_the_goals_name_what_there_is():
    wanted = goals.load()
    boards = {board for target in TARGETS for board in target.boards}
    for function, sizes in wanted["instructions"].items():
        assert function in instructions.FUNCTIONS
        for n, entries in sizes.items():
            assert int(n) in instructions.SIZES
            assert set(entries) <= boards
            assert all(goals.goal(entry, otherwise=1) for entry in entries.values())
    for core, entries in wanted["flash"].items():
        assert core in flash.CORES
        assert set(entries) <= {*flash.PROGRAMS, *flash.FUSED}
        assert all(goals.goal(entry) for entry in entries.values())


def test_a_missed_goal_fails():
    report = Report()
    report.judge("here", {"a": 2.0, "b": 2.0}, {"a": goals.Goal(3), "b": goals.Goal(1)})
    ((name, error),) = report.outcomes
    assert name == "here"
    assert "b: 2 instead of 1 at most" in error
    assert "a:" not in error


def test_cross_files_and_targets():
    assert {target.name for target in TARGETS} == {path.stem for path in (ROOT / "cross").glob("*.ini")}


def test_every_table_has_its_place():
    """And a place is filled from its table alone."""
    pages = "".join(page.read_text() for page in check.PAGES)
    sheets = [f"instructions-{n}" for n in instructions.SIZES]
    sheets += ["checks", "goals", "program", "flash", "flash-fused", "stack", "stack-fused"]
    for name in sheets:
        assert pages.count(f"<!-- cross: {name} -->\n") == 1
    report = Report({"goals": Sheet("", ["", "here"], [["a", "[green]1 of 2[/]"]])})
    page = "<!-- cross: goals -->\nold\n<!-- cross end -->\n<!-- cross: stack -->\nkept\n<!-- cross end -->\n"
    assert fill(page, [report]) == page.replace("old", "|  | here |\n| --- | ---: |\n| a | 1 of 2 |")


def test_deepest():
    """Main calls f, f calls g, or what it takes the address of: h; k is never reached."""
    disassembly = """
00000000 <main>:
   0:\tbl\t4 <f>
00000004 <f>:
   4:\tbl\t10 <g>
   8:\tblx\tr3
   c:\t.word\t0x00000015
00000010 <g>:
  10:\tbx\tlr
00000014 <h>:
  14:\tbx\tlr
00000018 <k>:
  18:\tbl\t18 <k>
"""
    assert deepest(disassembly, {"main": 1000, "f": 8, "g": 16, "h": 32, "k": 500}) == 8 + 32
