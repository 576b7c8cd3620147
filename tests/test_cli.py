"""``python -m fastleaky`` and the console script."""

import json
import subprocess
import sys

import pytest

import fastleaky
from examples import every_case
from fastleaky import __main__ as cli
from fastleaky.cli import check, workloads


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The whole command in a moment: small layers, and one case in fifty."""
    monkeypatch.setattr(workloads, "ROUNDS", 1)
    monkeypatch.setattr(workloads, "LEAST_SECONDS", 0)
    monkeypatch.setattr(workloads, "WORKLOADS", (workloads.Workload("tiny", (2, 3, 5, 5), 0.1),))
    some = every_case()[::51]
    monkeypatch.setattr(check, "cases", lambda: iter(some))


def test_everything(capsys):
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    assert f"The backend is {fastleaky.backend}" in out
    lines = [line.split() for line in out.splitlines()]
    for name in fastleaky.backends():
        assert any(words == [name] + ["identical"] * 5 for words in lines), name
    assert any(words[:1] == ["copy"] for words in lines)


@pytest.mark.parametrize("command", ["info", "check", "bench"])
def test_one_part(capsys, command):
    assert cli.main([command]) == 0
    out = capsys.readouterr().out
    assert ("The backend is" in out) == (command == "info")
    assert ("identical" in out) == (command == "check")
    assert ("copy" in out) == (command == "bench")


def test_json(capsys):
    assert cli.main(["--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["info"]["backend"] == fastleaky.backend
    assert report["info"]["usable"] == fastleaky.backends()
    assert list(report["check"]) == fastleaky.backends()
    assert all(row["different"] == 0 < row["cases"] for results in report["check"].values() for row in results.values())
    assert {row["backend"] for row in report["bench"]} == {"copy", *fastleaky.backends()}
    assert all(row["bytes_per_second"] > 0 for row in report["bench"])


def test_a_difference_is_told(capsys, monkeypatch):
    wrong = fastleaky.prelu
    monkeypatch.setattr(fastleaky, "prelu", lambda *args, **options: wrong(*args, **options) + 1)
    assert cli.main(["check"]) == 1
    out = capsys.readouterr().out
    assert "DIFFER" in out
    assert out.count("identical") == 4 * len(fastleaky.backends())


def test_as_a_command():
    child = subprocess.run([sys.executable, "-m", "fastleaky", "info"], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert f"fastleaky {fastleaky.__version__}" in child.stdout
    child = subprocess.run([sys.executable, "-m", "fastleaky", "dance"], capture_output=True, text=True, check=False)
    assert child.returncode == 2
    assert "invalid choice: 'dance'" in child.stderr
