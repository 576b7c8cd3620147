"""What the pages and the docstrings show is true: their Python is run here, all other code by .ci/run."""

import doctest
import re

import pytest
from conftest import FRAMEWORKS
from pages import PAGES, ROOT, blocks

import fastleaky
from fastleaky import _api, _fused
from fastleaky._backends import choice
from fastleaky.quantized import _api as quantized_api

FOLDERS = [
    ".github",
    "csrc",
    "fastleaky",
    "cross",
    "tools",
    "proofs",
    "firmware",
    "zephyr",
    "tests",
    "benchmarks",
    "examples",
    "docs",
    ".ci",
]
FILES = [f"/{path.relative_to(ROOT)}" for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
FILES += [f"/{path.name}" for path in ROOT.iterdir() if path.is_file()]
API = (ROOT / "docs/api.md").read_text()
GENERATED = {"vectors.h", "quantized.h"}
BY_SPHINX = ("{eval-rst}", "{literalinclude}")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_of_the_pages(page):
    for framework in (*FRAMEWORKS, "numba"):
        if re.search(rf"^(>>> )?import {framework}$", page.read_text(), re.MULTILINE):
            pytest.importorskip(framework)
    found = {}
    for block in blocks(page):
        if block.language == "python":
            exec(compile("\n" * block.line + block.code, page, "exec"), found)
        if block.language == "pycon":
            test = doctest.DocTestParser().get_doctest(block.code, found, page.name, str(page), block.line)
            runner = doctest.DocTestRunner(optionflags=OPTIONS)
            assert runner.run(test, clear_globs=False).failed == 0
            found = test.globs


def test_all_code_is_run():
    ci = "".join(path.read_text() for path in (ROOT / ".ci").iterdir())
    assert "tests/pages.py" in ci  # the programs in C
    named = []
    for page in PAGES:
        found = blocks(page)
        assert page.read_text().count("```") == 2 * len(found)
        assert {block.language for block in found} <= {"python", "pycon", "c", "sh", "cmake", "text", *BY_SPHINX}
        for block in found:
            if block.language == "cmake":
                assert block.code in (ROOT / block.comment.removeprefix("file: ")).read_text()
            if block.language == "sh":
                kind, _, rest = block.comment.partition(": ")
                assert kind in {"ci", "not run"}, block
                assert rest, block
                named += [rest] * (kind == "ci")
    assert len(named) == len(set(named))
    for name in named:
        assert re.search(rf"readme {name}\b", ci), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_named_on_the_pages(page):
    text = page.read_text()
    for name in {*re.findall(r"`([\w./-]+\.(?:[ch]|def|ini|py|sh|toml))`", text)} - GENERATED:
        assert "NAME" in name or any(file.endswith(f"/{name}") for file in FILES), name
    for name in re.findall(r"`([\w./-]+)/`", text):
        assert any(f"/{name}/" in file for file in FILES), name


def test_architecture_names_every_file():
    page = (ROOT / "docs/architecture.md").read_text()
    for file in FILES:
        folder, _, name = file.removeprefix("/csrc/").rpartition("/")
        if file.startswith("/csrc/") and f"`{folder}/NAME.{name[-1]}`" not in page:
            assert re.search(rf"[`/]{re.escape(name)}`", page), file


@pytest.mark.parametrize("module", [_api, _fused, choice, quantized_api])
def test_examples_of_the_docstrings(module):
    assert doctest.testmod(module).failed == 0


def test_public_names():
    assert set(fastleaky.__all__) <= {*dir(fastleaky), "backend", "quantized"}
    for name in fastleaky.__all__:
        assert getattr(fastleaky, name) is not None
        assert name in ("backend", "reference") or getattr(fastleaky, name).__doc__
        assert re.search(rf"[: .]{name}$", API, re.MULTILINE)
