"""The fuzzer sees what it looks for: wrong bits, wrong errors, warnings, inputs that are written to, and crashes."""

import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import fastleaky

pytest.importorskip("ml_dtypes")
import fuzz
from fuzzing.cases import Case, draw_case
from fuzzing.door import Door

CASES = [draw_case(0, number) for number in range(60)]
RIGHT = next(i for i, case in enumerate(CASES) if case.right and case.given["x"].size > 1)
WRONG = next(i for i, case in enumerate(CASES) if case.wanted() is None)


def right(case: Case, _: str):
    return case.operation(fastleaky, case.given, **case.options)


def wrong_bits(case: Case, variant: str):
    results = right(case, variant)
    results[-1].flat[-1] += 1
    return results


def wrong_type(case: Case, variant: str):
    return [np.asarray(result, "f8" if result.dtype != "f8" else "f4") for result in right(case, variant)]


def missing(case: Case, variant: str):
    return right(case, variant)[1:]


def refuses(case: Case, _: str):
    raise ValueError(case.operation.name)


def overflows(case: Case, _: str):
    raise OverflowError(case.operation.name)


def warns(case: Case, variant: str):
    warnings.warn("look", stacklevel=1)
    return right(case, variant)


def writes(case: Case, variant: str):
    results = right(case, variant)
    case.given["grad"] = case.given["grad"] + 1
    return results


def takes_anything(*_):
    return (np.ones(3),)


@pytest.mark.parametrize("call", [wrong_bits, wrong_type, missing, refuses, overflows, warns, writes])
def test_a_right_case(call):
    assert fuzz.run_case(Door(right), 0, RIGHT) == {"results": 1}
    with pytest.raises((fuzz.FoundError, OverflowError, UserWarning, ValueError)) as caught:
        fuzz.run_case(Door(call), 0, RIGHT)
    assert call is not refuses or caught.type is fuzz.FoundError


@pytest.mark.parametrize("call", [overflows, takes_anything])
def test_a_wrong_case(call):
    assert fuzz.run_case(Door(right), 0, WRONG) == fuzz.run_case(Door(refuses), 0, WRONG) == {"errors": 1}
    with pytest.raises((fuzz.FoundError, OverflowError)):
        fuzz.run_case(Door(call), 0, WRONG)


# A script that has other doors, too: some that end their process in case 3, and one that takes nothing.
SCRIPT = f"""
import ctypes, os, sys
from types import SimpleNamespace
sys.path.insert(0, {str(Path(fuzz.__file__).parent)!r})
import fuzz
from fuzzing.door import Door

def refuse(case, _):
    raise ValueError

def ends(how):
    def call(case, _):
        if case.rng.bit_generator.seed_seq.entropy == [0, 3]:
            how()
        return case.wanted() or refuse(case, _)
    return Door(call)

def never_right(case):
    case.right = False

crash, exit = ends(lambda: ctypes.string_at(0)), ends(lambda: os._exit(0))
others = dict(crash=crash, exit=exit, refuse=Door(refuse), nothing=Door(refuse, adapt=never_right))
fuzz.DOORS += others
sys.modules.update({{f"fuzzing.{{name}}_": SimpleNamespace(DOOR=door) for name, door in others.items()}})
fuzz.main()
"""


@pytest.mark.parametrize(
    ("door", "said", "last"),
    [
        ("numpy", "results, ", r"\d+ cases, 0 failures"),
        ("crash", "Segmentation fault", "4 cases, 1 failures"),
        ("exit", "exit --seed 0 --case 3\n", "4 cases, 1 failures"),
        ("refuse", "an error for a case that is right", r"\d+ cases, 5 failures"),
        ("nothing", "nothing: there was no result at all", r"\d+ cases, 1 failures"),
    ],
)
def test_the_command(door, said, last, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    child = subprocess.run(
        [sys.executable, script, door, "--seconds", "1"], capture_output=True, text=True, check=False
    )
    assert said in child.stdout
    assert re.fullmatch(last, child.stdout.splitlines()[-1])
    assert child.returncode == (door != "numpy")
