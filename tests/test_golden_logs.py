"""Logs of results: what differs is shown, what is damaged, truncated or of another version is refused."""

import io
import re
import sys

import numpy as np
import pytest

pytest.importorskip("ml_dtypes")

from golden_results import log, refused, short_log

from fastleaky import __main__ as cli
from fastleaky.golden import formats, verification
from fastleaky.golden.vectors import vectors

COUNT, HEAD, DIGEST = len(vectors()), f"results {formats.FORMAT}", f"{formats.digest():08x}"


def nudged(number, at):
    """A vector's results, of which the element `at` of the first is off by one bit."""
    first, *rest = (result.copy() for result in vectors()[number].wanted.values())
    words = first.ravel().view(f"u{first.itemsize}")
    words[at] = int(words[at]) ^ 1
    return [first, *rest]


@pytest.mark.parametrize("number", [1, 4, 25, 28, 40, 46, 50])
def test_the_first_wrong_element_is_shown(tmp_path, capsys, number):
    vector = vectors()[number]
    (tmp_path / "log").write_text(log(**{f"v{number}": nudged(number, 17)}))
    assert cli.main(["verify", str(tmp_path / "log")]) == 1
    out = capsys.readouterr().out
    first = next(iter(vector.wanted.values()))
    index = tuple(map(int, np.unravel_index(17, first.shape)))
    assert "1 DIFFER" in out
    assert f"{number:03d} {vector}" in out
    assert f"wrong in 1 places, first at index {index}" in out
    for name, array in vector.given.items():
        at = array[index] if np.ndim(array) > 1 else np.resize(array, first.shape[1]).astype(first.dtype)[index[1]]
        assert re.search(rf" {name} .*{re.escape(str(at))}", out)
    assert re.search(
        rf"expected +0x{formats.bits(first)[17]:0{2 * first.itemsize}x} +{re.escape(str(first[index]))}", out
    )
    assert re.search(rf"got +0x{formats.bits(nudged(number, 17)[0])[17]:0{2 * first.itemsize}x}", out)


def test_a_wrong_sum_is_shown(tmp_path, capsys):
    for sum_, parameter in (("dweight", "weight"), ("dbias", "gain")):
        found = ((i, vector) for i, vector in enumerate(vectors()) if "19x2x7" in str(vector) and sum_ in str(vector))
        number, vector = next(found)
        dx, sums = vector.wanted.values()
        (tmp_path / "log").write_text(log(**{f"v{number}": [dx, sums + np.array([0, 1], "f4")]}))
        assert cli.main(["verify", str(tmp_path / "log")]) == 1
        out = capsys.readouterr().out
        assert f"{sum_} is wrong in 1 places, first at index (1)" in out
        assert str(np.resize(vector.given[parameter], 2)[1]) in out


def test_what_was_left_out_is_said(tmp_path, capsys):
    (tmp_path / "log").write_text(log(v35=None))
    assert cli.main(["verify", str(tmp_path / "log")]) == 0
    assert f"left out: 035 {vectors()[35]}" in capsys.readouterr().out


def test_any_nan_is_as_good(tmp_path):
    results = [np.where(np.isnan(result), -np.nan, result) for result in vectors()[0].wanted.values()]
    (tmp_path / "log").write_text(log(v0=[result.astype("f4") for result in results]))
    assert not verification.verify(tmp_path / "log")[0].differences


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[:1], "holds no results"),
        (lambda text: text[:5000], "truncated or damaged: the line fl"),
        (lambda text: text[: text.index("fl vector 7")], "truncated: no line fl end"),
        (lambda text: text[: text.index("fl vector 7")] + text, "truncated: no line fl end"),
        (lambda text: text.replace(HEAD, "results 2"), "of format 2; this version of fastleaky has format 3"),
        (lambda text: text.replace(f"{HEAD} {DIGEST[0]}", f"{HEAD} x"), f"their digest is x{DIGEST[1:]}"),
        (lambda text: text.replace("3f800000", "3f800001", 1), "damaged: its CRC is"),
        (lambda text: text.replace("fl vector 7\n", "", 1), "vector 6 has 75 numbers; it must have 67"),
        (lambda text: text.replace("fl vector 8\n", "fl vector 7\n", 1), "vector 7: truncated or damaged: the line"),
        (lambda text: text.replace("fl vector 7\n", "fl vector seven\n", 1), "damaged: the line fl vector seven"),
        (lambda text: text.replace("fl vector 7\n", f"fl vector {COUNT}\n", 1), f"the line fl vector {COUNT}"),
        (lambda text: text.replace("fl vector 7\n", "fl vector -7\n", 1), "damaged: the line fl vector -7"),
        (lambda text: text.replace("fl vector 7\n", f"fl vector {'7' * 5000}\n", 1), "the line fl vector 777"),
        (lambda text: text.replace("fl vector 0\n", "", 1), "in or before vector 0: truncated or damaged: the line"),
        (lambda text: text.replace("00000000", "0000000x", 1), "in or before vector 0: truncated or damaged"),
        (lambda text: text.replace("00000000", "0000000000", 1), "in or before vector 0: truncated or damaged"),
        (lambda text: text.replace("fl end ", "fl end x"), "damaged: its CRC is x"),
        (lambda text: text.replace("fl end ", "fl end 0 "), "damaged: the line fl end 0 "),
        (lambda text: text + "fl vector 0\n", "after scalar: truncated or damaged: the line fl vector 0"),
        (lambda text: text.splitlines()[0] + "\nfl end 00000000\n", "truncated: it holds no vector"),
        (lambda text: text.replace(HEAD, "results one"), "of format one; this"),
        (lambda text: text.replace(HEAD, f"results {'2' * 5000}"), "of format 222"),
        (lambda text: text.replace(HEAD, "results"), f"damaged: the line fl results {DIGEST} scalar"),
        (lambda text: text.replace(f"{HEAD} {DIGEST}", f"{HEAD} digest"), "another version: their digest is digest"),
        (lambda text: text * (verification.MOST_RESULTS + 1), "holds results more than 100 times"),
    ],
)
def test_a_bad_log_is_refused(tmp_path, capsys, spoil, message):
    (tmp_path / "log").write_text(spoil(short_log()))
    refused(capsys, tmp_path / "log", message)


def test_a_long_line_is_passed_over(tmp_path, capsys):
    """It is read in pieces, of which none is taken for a line."""
    (tmp_path / "log").write_text("x" * verification.LONGEST_LINE + "fl results 7 8 9\n" + log())
    assert cli.main(["verify", str(tmp_path / "log")]) == 0
    assert f"{COUNT} of {COUNT}" in capsys.readouterr().out


def test_names_are_only_quoted(tmp_path, capsys):
    """A log says who made it: neither that nor the name of a file does anything to a terminal."""
    unruly = "[/b][red]:x:\x1b]0;\x07\x1b[2J\u202e"  # markup, an emoji, escapes, letters from right to left
    ruled = r"[/b][red]:x:\x1b]0;\x07\x1b[2J\u202e"
    paths = [tmp_path / unruly.replace("/", ""), tmp_path / "[red]\x1b\n\udcff.npz"]
    for path, status in zip(paths, (0, 2), strict=True):
        path.write_text(log(unruly))
        assert cli.main(["verify", str(path)]) == status
    right, wrong = capsys.readouterr().out.splitlines()
    assert right == f"{ruled}: {COUNT} of {COUNT} vectors compared, identical"
    assert wrong.startswith(rf"{tmp_path}/[red]\x1b\n\udcff.npz: truncated or damaged: BadZipFile")
    paths[0].write_text(log(unruly).replace("fl end", "fl stop"))
    refused(capsys, paths[0], f"{ruled.replace('/', '')}, {ruled}, in or before vector {COUNT - 1}")


def test_a_console_that_knows_few_letters(tmp_path, monkeypatch):
    (tmp_path / "log").write_text(log("Größe"), encoding="utf-8")
    with io.TextIOWrapper(io.BytesIO(), "ascii") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert cli.main(["verify", str(tmp_path / "log")]) == 0
        out.flush()
        assert out.buffer.getvalue().startswith(rf"Gr\xf6\xdfe: {COUNT} of {COUNT}".encode())


def test_results_of_a_wrong_size_are_refused(tmp_path):
    short = [result.ravel()[:-1] for result in vectors()[5].wanted.values()]
    (tmp_path / "log").write_text(log(v5=short))
    with pytest.raises(verification.ResultsError, match="vector 5 has 66 numbers; it must have 67"):
        verification.verify(tmp_path / "log")
