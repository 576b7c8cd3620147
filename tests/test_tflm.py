"""The layers of examples/tflm for TensorFlow Lite Micro give the specification's numbers.

They are compiled against tests/tflm/stand_in.h, and call the kernels of the installed package.
"""

import ctypes
import itertools
import re
import shutil
import subprocess

import numpy as np
import pytest
from pages import ROOT
from quantized_examples import SCALES, draw, every, leaky_parameters, prelu_parameters, zero_points

from fastleaky import quantized, reference
from fastleaky.quantized import reference as reference_of_integers

ffi = pytest.importorskip("fastleaky._ffi", reason="TensorFlow Lite Micro is not tested: there is no C backend")
TYPES = {np.dtype(name): number for number, name in enumerate(("float32", "int8", "int16", "uint8"), 1)}
SHAPES = [  # of the input, of alpha
    ((2, 3, 4, 5), (1, 1, 5)),
    ((2, 3, 4, 5), (1, 1, 1, 5)),
    ((6, 5), (5,)),
    ((2, 3, 4, 5), (1,)),
    ((2, 3, 4, 5), ()),
    ((2, 3, 4, 5), (3, 4, 5)),
    ((2, 3, 4, 5), (2, 3, 4, 5)),
    ((2, 3, 4, 5), (3, 1, 1)),
    ((2, 3, 4, 5), (1, 4, 1)),
    ((2, 3, 4, 5), (3, 1, 5)),
    ((2, 3, 4, 5), (2, 1, 4, 1)),
    ((2, 1, 4, 5), (2, 3, 1, 5)),
    ((1, 1, 1), (2, 3, 5)),
    ((2, 0, 3), (3,)),
    ((), ()),
]


class Operand(ctypes.Structure):
    """A tensor, as layers.cc has it."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("rank", ctypes.c_int),
        ("dims", ctypes.c_int * 8),
        ("scale", ctypes.c_float),
        ("zero_point", ctypes.c_int32),
        ("data", ctypes.c_void_p),
    )


def operand(array, scale=0.0, zero_point=0):
    dims = (ctypes.c_int * 8)(*array.shape)
    return Operand(TYPES[array.dtype], array.ndim, dims, scale, zero_point, array.ctypes.data)


@pytest.fixture(scope="module", params=["tflite", "tflite-single"])
def rounding(request):
    return request.param


@pytest.fixture(scope="module")
def layer(rounding, tmp_path_factory):
    """Give the function that runs a layer: whether it was taken, and its output."""
    if shutil.which("g++") is None:
        pytest.skip("TensorFlow Lite Micro is not tested: there is no g++")
    folder, sources = tmp_path_factory.mktemp("tflm"), sorted((ROOT / "examples/tflm").iterdir())
    for name in {*re.findall(r'#include "(tensorflow/.*)"', "".join(source.read_text() for source in sources))}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('#include "stand_in.h"\n')
    flags = [
        "-std=c++11",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-DTFLITE_SINGLE_ROUNDING={int('single' in rounding)}",
    ]
    paths = [f"-I{folder}", f"-I{ROOT / 'csrc'}", f"-I{ROOT / 'tests/tflm'}"]
    compiled = [ROOT / "tests/tflm/layers.cc", *(source for source in sources if source.suffix == ".cc")]
    subprocess.run(["g++", *flags, *paths, *compiled, "-shared", "-fPIC", "-o", folder / "layers.so"], check=True)
    ctypes.CDLL(ffi.__file__, ctypes.RTLD_GLOBAL)  # the kernels
    run_layer = ctypes.CDLL(str(folder / "layers.so")).run_layer
    run_layer.argtypes = [*[ctypes.POINTER(Operand)] * 3, ctypes.c_float]

    def run(x, output, alpha=None, negative_slope=0.0, scales=((0.0, 0), (0.0, 0), (0.0, 0))):
        tensors = zip((x, alpha, output), scales, strict=True)
        given = [array if array is None else operand(array, *scale) for array, scale in tensors]
        status = run_layer(*given, negative_slope)
        assert status in {0, 1}, "a tensor was not given back"
        return status == 0

    return run


def of_tensors(given):
    """Scales and zero points of the input, of alpha, and of the output."""
    names = [name for name in ("input", "weight", "output") if f"{name}_scale" in given]
    found = {name: (given[f"{name}_scale"], given[f"{name}_zero_point"]) for name in names}
    return found["input"], found.get("weight", (0.0, 0)), found["output"]


def same_floats(a, b):
    a, b = (np.where(np.isnan(values), np.float32(np.nan), values) for values in (a, b))
    return np.array_equal(a.view("u4"), b.view("u4"))


def draw_floats(shape, seed):
    """Random bits: subnormals, infinities and NaNs are among them; and zeros."""
    bits = np.random.default_rng(seed).integers(0, 1 << 32, shape, "u4")
    return np.where(bits % 8 == 0, bits & 1 << 31, bits).astype("u4").view("f4")


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_leaky_relu_of_integers(layer, rounding, dtype):
    q = every(dtype)
    for scales, points, slope in itertools.product(SCALES, zero_points(dtype), (0.0, 0.1, 0.3, 1.5, -0.3)):
        given = leaky_parameters(scales, points, rounding)
        out = np.empty_like(q)
        assert layer(q, out, negative_slope=slope, scales=of_tensors(given))
        assert np.array_equal(out, quantized.leaky_relu(q, slope, **given))


@pytest.mark.parametrize(("shape", "alpha_shape"), SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_prelu_of_integers(layer, rounding, dtype, shape, alpha_shape):
    for scales in SCALES:
        q, alpha = draw(shape, dtype), draw(alpha_shape, "int8", 1)
        given = prelu_parameters(dtype, scales, rounding=rounding)
        x, slopes = np.broadcast_arrays(q, alpha)
        out = np.zeros(x.shape, dtype)
        assert layer(q, out, alpha, scales=of_tensors(given))
        assert np.array_equal(out, reference_of_integers.prelu(x, slopes, **given))


@pytest.mark.parametrize(("shape", "alpha_shape"), SHAPES, ids=str)
def test_prelu_of_floats(layer, shape, alpha_shape):
    x, alpha = draw_floats(shape, 0), draw_floats(alpha_shape, 1)
    out = np.zeros(np.broadcast_shapes(shape, alpha_shape), "f4")
    assert layer(x, out, alpha)
    with np.errstate(all="ignore"):
        assert same_floats(out, reference.prelu(*np.broadcast_arrays(x, alpha)))


@pytest.mark.parametrize("slope", [0.0, 0.3, -2.0, np.inf, np.nan])
def test_leaky_relu_of_floats(layer, slope):
    x = draw_floats((7, 11), 2)
    out = np.empty_like(x)
    assert layer(x, out, negative_slope=slope)
    with np.errstate(all="ignore"):
        assert same_floats(out, reference.leaky_relu(x, slope))


def test_layers_that_are_refused(layer):
    q, q16, x = np.zeros((2, 3), "i1"), np.zeros((2, 3), "i2"), np.zeros((2, 3), "f4")
    unit = (1.0, 0)
    units = (unit, unit, unit)
    assert not layer(q, q16, scales=units)
    assert not layer(q.view("u1"), q.view("u1"), scales=units)
    assert not layer(q, q, scales=((2.0**23, 0), unit, unit))
    assert layer(q, q, scales=((2.0**21, 0), unit, unit))
    assert not layer(q16, q16, scales=((1.0, 1), unit, unit))
    assert not layer(q16, q16, scales=(unit, unit, (1.0, 1)))
    for array, alpha in ((q, x), (x, q), (q16, q16), (q.view("u1"), q.view("u1"))):
        assert not layer(array, np.zeros_like(array), alpha, scales=units)
    for alpha in (np.zeros(2, "f4"), np.zeros((1, 2, 3), "f4"), np.zeros((3, 3), "f4")):
        assert not layer(x, np.zeros_like(x), alpha)
    assert not layer(q, np.zeros_like(q), q, scales=(unit, (2.0**15, 0), unit))
