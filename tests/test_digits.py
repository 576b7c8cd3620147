"""The example: what it prints, what it draws, and that its comparison of the backends can fail."""

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

import digits
import fastleaky


def test_units_die_with_relu_only(capsys, tmp_path):
    picture = tmp_path / "digits.png"
    assert digits.main(["--plot", str(picture)]) == 0  # all 30 epochs: after 10, BLAS' rounding still tells
    assert picture.read_bytes().startswith(b"\x89PNG")
    lines = capsys.readouterr().out.splitlines()
    rows = {name: line.split()[-3:] for line in lines for name in digits.NEGATIVE_SLOPES if f"  {name}  " in line}
    accuracy = {name: float(row[0].rstrip("%")) for name, row in rows.items()}
    dead = {name: int(row[1]) for name, row in rows.items()}
    assert all(0 <= dead[name] <= int(row[2]) <= 4 * 128 for name, row in rows.items())
    assert dead["ReLU"] > 2 * dead["PReLU"]
    assert accuracy["ReLU"] < 50 < accuracy["PReLU"] <= 100


def test_a_gentle_learning_rate():
    settings = digits.Settings(0.5, depth=2, width=32, epochs=5, seed=1, full_batch=False)
    for run in digits.train_all(settings, lambda: None).values():
        assert run.accuracy() > 0.9
        assert run.losses[-1] < run.losses[0] / 10
        assert len(run.dead) == len(run.losses) == 6
        assert max(run.dead) < 16


def test_all_backends(capsys):
    before = fastleaky.get_num_threads(), fastleaky.backend
    assert digits.main(["--all-backends", "--epochs", "1", "--depth", "2"]) == 0
    assert (fastleaky.get_num_threads(), fastleaky.backend) == before
    out = capsys.readouterr().out
    assert "DIFFERENT" not in out
    lines = [line.split() for line in out.splitlines()]
    for name in fastleaky.backends():
        assert {words[1] for words in lines if words[:1] == [name] and words[-1] == "identical"} >= {"1", "2"}, name


def test_a_difference_is_told(capsys, monkeypatch):
    right = fastleaky.leaky_relu_backward

    def wrong(grad, x, slope):
        return right(grad, x, slope + 1e-6 * (fastleaky.backend == "numpy"))

    monkeypatch.setattr(fastleaky, "leaky_relu_backward", wrong)
    assert digits.main(["--all-backends", "--epochs", "1", "--depth", "1", "--width", "16"]) == 1
    different = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "DIFFERENT" in line]
    assert set(different) == {"numpy"}
