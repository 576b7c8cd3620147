"""How many threads a call may use: from the environment, the processors, or a control group."""

import math
import os

import pytest
from children import python, words

from fastleaky._backends import threads


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5", "²", "9" * 5000])
def test_nonsense_in_num_threads(monkeypatch, number):
    monkeypatch.setenv("FASTLEAKY_NUM_THREADS", number)
    with pytest.raises(ValueError, match="it must be an integer of at least 1") as caught:
        threads.at_start()
    assert str(caught.value).startswith(f"FASTLEAKY_NUM_THREADS is {number!r}; ")


def test_num_threads_from_the_environment():
    count = "import fastleaky; print(fastleaky.get_num_threads())"
    assert words(count, FASTLEAKY_NUM_THREADS="5") == ["5"]
    child = python(count, FASTLEAKY_NUM_THREADS="0")
    assert child.returncode == 1
    assert "FASTLEAKY_NUM_THREADS is '0'; it must be an integer of at least 1" in child.stderr


def test_other_bounds_on_threads(monkeypatch):
    monkeypatch.delenv("FASTLEAKY_NUM_THREADS", raising=False)
    for number in ("3", "3,2"):
        monkeypatch.setenv("OMP_NUM_THREADS", number)
        assert threads.at_start() == 3
    for nonsense in ("", "many", "0", "-1", "9" * 5000):  # it is not ours to complain of
        monkeypatch.setenv("OMP_NUM_THREADS", nonsense)
        assert threads.at_start() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("FASTLEAKY_NUM_THREADS", "2")
    assert threads.at_start() == 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_affinity_bounds_threads():
    count = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); import fastleaky; "
    assert words(count + "print(fastleaky.get_num_threads())") == ["1"]


GROUPS = {
    "version 2": ("0::/a/b", {"a/b/cpu.max": "150000 100000", "a/cpu.max": "max 100000"}, 1.5),
    "version 2, a parent's": ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "50000 100000"}, 0.5),
    "version 2, in a container": ("0::/unseen", {"cpu.max": "200000 100000"}, 2.0),
    "version 1": (
        "4:cpuacct,cpu:/a\n1:name=systemd:/",
        {"cpu/a/cpu.cfs_quota_us": "30000", "cpu/a/cpu.cfs_period_us": "10000"},
        3.0,
    ),
    "version 1, without": ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "10000"}, math.inf),
    "nothing": ("0::/", {}, math.inf),
    "nonsense": ("what is this", {"cpu.max": "100 100"}, math.inf),
}


@pytest.mark.parametrize(("own", "files", "wanted"), GROUPS.values(), ids=GROUPS)
def test_quota(tmp_path, own, files, wanted):
    (tmp_path / "own").write_text(own + "\n")
    for name, text in files.items():
        file = tmp_path / "mounted" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    assert threads.quota(str(tmp_path / "own"), str(tmp_path / "mounted")) == wanted
    assert threads.quota(str(tmp_path / "none"), str(tmp_path / "mounted")) == math.inf
