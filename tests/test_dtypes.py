"""Every data type that NumPy and ml_dtypes know, for every argument: an answer if it is one of ours, else a TypeError.

It runs in new processes, since what a process has seen first must not decide how it takes what comes next.
"""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from layouts import LAYOUTS

import fastleaky
from examples import arrays_of
from fastleaky import quantized, reference
from fastleaky._backends.selftest import data, same_bits
from fastleaky._operations import OPERATIONS

ml_dtypes = pytest.importorskip("ml_dtypes")

FLOATS = [np.float32, np.float64, np.float16, ml_dtypes.bfloat16]
INTEGERS = [np.int8, np.uint8, np.int16]
SCALES = {"input_scale": 0.5, "input_zero_point": 0, "output_scale": 0.25, "output_zero_point": 0}
WEIGHT = {"weight_scale": 0.01, "weight_zero_point": 0}


def every_dtype():
    """Each type of both, in both byte orders; and those that are made of others."""
    scalars = [*np.sctypeDict.values(), *vars(ml_dtypes).values()]
    known = {np.dtype(t): None for t in scalars if isinstance(t, type) and issubclass(t, np.generic)}
    known = [np.dtype(dtype.str + "4") if dtype.itemsize == 0 else dtype for dtype in known]
    fields = {"low": ("u2", 0), "high": ("u2", 2)}
    known += map(np.dtype, ("M8[s]", "m8[us]", [("a", "f4")], [("a", "f4"), ("b", "i1")], (np.float32, fields), "O"))
    known.append(np.dtype("f4", metadata={"made": "here"}))
    return [*known, *(dtype.newbyteorder() for dtype in known)]


def refused(function, *arguments, **options):
    try:
        function(*arguments, **options)
    except TypeError as error:
        return "type" in str(error)
    return False


def check_floats(array):
    """A type in the place of each argument in turn."""
    array = array.reshape(-1, 4)
    ours, x = array.dtype.type in FLOATS, np.linspace(-2, 2, array.size, dtype="f4").reshape(array.shape)
    for operation in OPERATIONS.values():
        arrays, numbers = arrays_of(operation), dict.fromkeys(operation.numbers, 0.5)
        given = {**dict.fromkeys(arrays, array), **dict.fromkeys(operation.channel, array[0]), **numbers}
        float32 = {**dict.fromkeys(arrays, x), **dict.fromkeys(operation.channel, x[0]), **numbers}
        out = np.empty_like(array)
        out = (out, None) if len(operation.results) > 1 else out
        if ours:
            wanted = operation(reference, {name: as_native(value) for name, value in given.items()})
            for results in (operation(fastleaky, given), operation(fastleaky, given, out=out)):
                assert all(map(same_bits, map(as_native, results), wanted)), operation.name
        else:
            assert refused(operation, fastleaky, given), operation.name
        if array.dtype.type is not np.float32:
            assert refused(operation, fastleaky, float32, out=out)
        for name in {*arrays, *operation.channel} - {operation.inputs[-1]}:
            fine = {**float32, name: given[name]}
            assert (array.dtype.type is np.float32) != refused(operation, fastleaky, fine), (operation.name, name)


def as_native(value):
    return value.astype(value.dtype.newbyteorder("=")) if isinstance(value, np.ndarray) else value


def check_integers(array):
    """The same for the quantized operations."""
    q, ours = np.arange(-50, 50, dtype="i1"), array.dtype.type in INTEGERS
    for name, options in (("leaky_relu", SCALES), ("prelu", {**SCALES, **WEIGHT})):
        function = getattr(quantized, name)
        weight = np.ones(1, np.int8 if array.dtype.type is np.int16 else array.dtype) if ours else array[:1]
        slope = 0.5 if name == "leaky_relu" else weight
        if ours:
            wanted = getattr(quantized.reference, name)(as_native(array), as_native(slope), **options)
            for out in (None, np.empty_like(array)):
                assert np.array_equal(function(array, as_native(slope), **options, out=out), wanted)
        else:
            assert refused(function, array, slope, **options)
        if array.dtype.type is not np.int8:
            assert refused(function, q, 0.5 if name == "leaky_relu" else q[:1], **options, out=np.empty_like(array))
    if array.dtype.type is not np.int8:
        assert refused(quantized.prelu, q, array[:1], **SCALES, **WEIGHT)


def check(*first):
    """See every type treated as it should be, in a process that has met the types `first` before."""
    usable = fastleaky.backends()
    for backend in usable:
        with fastleaky.use(backend):
            for dtype in [*map(np.dtype, first), *every_dtype()]:
                ours = dtype.type in FLOATS + INTEGERS
                array = np.arange(-50, 50).astype(dtype) if ours else np.zeros(100, dtype)
                check_floats(array)
                check_integers(array)
    assert fastleaky.backends() == usable


ORDERS = ["float32, bfloat16, float16", "float16, bfloat16"]
if hasattr(ml_dtypes, "uint1"):  # which has the char of bfloat16, and int1 that of float16
    ORDERS += ["bfloat16, uint1", "uint1, bfloat16", "int1, float16"]


@pytest.mark.parametrize("first", ORDERS)
def test_every_dtype(first):
    code = (
        f"from ml_dtypes import *\nfrom numpy import float16, float32\nimport test_dtypes\ntest_dtypes.check({first})"
    )
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": str(Path(fastleaky.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr


@pytest.mark.parametrize("backend", fastleaky.backends())
def test_types_of_results(backend):
    """A result's type is the object that NumPy has for it, by which entry.c knows the types: not only an equal one."""
    with fastleaky.use(backend):
        for dtype, (name, layout) in itertools.product(map(np.dtype, FLOATS), LAYOUTS.items()):
            given = data(np.random.default_rng(0), (2, 3, 4, 5), dtype)
            given |= {of: layout(value) for of, value in given.items() if isinstance(value, np.ndarray)}
            results = [result for operation in OPERATIONS.values() for result in operation(fastleaky, given)]
            results += fastleaky.fold_batch_norm(*[abs(given["x"])] * 4, 1e-5)
            assert all(result.dtype is dtype for result in results), (dtype, name)
