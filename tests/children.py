"""Python started anew, with the same fastleaky: as it was imported here, or as if parts of it were not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastleaky
from fastleaky._backends import choice

PACKAGE = Path(fastleaky.__file__).parent
HAS_C = "c" not in choice.unusable()
HAS_NUMBA = "numba" in fastleaky.backends()
needs_c = pytest.mark.skipif(not HAS_C, reason="the C kernels are not built here")
needs_numba = pytest.mark.skipif(not HAS_NUMBA, reason="Numba is not installed")

# Imports as if these modules were not there.
HIDE = """
import importlib.machinery, sys
found = importlib.machinery.PathFinder.find_spec
hidden = {hidden!r}
importlib.machinery.PathFinder.find_spec = lambda name, *rest: None if name in hidden else found(name, *rest)
"""
SHOW = """
import fastleaky, numpy as np, sys
y = fastleaky.leaky_relu(np.float32([10, -5, 0]), 0.1)
assert y.tolist() == [10, -0.5, 0], y
print(fastleaky.backend, *fastleaky.backends())
"""


def python(code, *options, folder=PACKAGE.parent, **environment):
    """Run code in a new Python that imports the same fastleaky; its output, or its error."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FASTLEAKY_")}
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        env={**inherited, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def words(code, *options, **others):
    child = python(code, *options, **others)
    assert child.returncode == 0, child.stderr
    return child.stdout.split()
