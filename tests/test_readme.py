"""What README.md and the docstrings show is true."""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

import fastleaky
from fastleaky import _api, quantized, reference
from fastleaky._backends import choice
from fastleaky.quantized import _api as quantized_api

README = Path(__file__).parent.parent / "README.md"


def test_python_of_the_readme():
    floats, integers = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    found = {}
    exec(floats, found)
    dx, dweight = reference.prelu_backward(found["grad"], found["x"], found["weight"])
    assert np.array_equal(found["dx"], dx)
    assert np.array_equal(found["dweight"], dweight)
    exec(integers, found)
    assert np.array_equal(found["y"], quantized.reference.leaky_relu(found["q"], 0.1, **found["scales"]))


@pytest.mark.parametrize("module", [_api, choice, quantized_api])
def test_examples_of_the_docstrings(module):
    assert doctest.testmod(module).failed == 0


def test_public_names():
    assert set(fastleaky.__all__) <= {*dir(fastleaky), "backend", "quantized"}
    for name in fastleaky.__all__:
        assert getattr(fastleaky, name) is not None
        assert name in ("backend", "reference") or getattr(fastleaky, name).__doc__
