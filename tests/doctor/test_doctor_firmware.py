"""The header for firmware: compiled, called as its own comments say, and compared with fastleaky.quantized."""

import ctypes
import re
import shutil
import subprocess

import doctor_models as models
import numpy as np
import pytest
from pages import ROOT
from quantized_examples import every

import fastleaky
from fastleaky import quantized
from fastleaky.doctor import firmware, onnx_file, tflite_file
from fastleaky.doctor.integers import integers

library = pytest.importorskip("fastleaky._ffi", reason="there is no C library to call")
if shutil.which("gcc") is None:
    pytest.skip("there is no gcc", allow_module_level=True)

C = {"int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "float32": "float", "float64": "double"}
C |= {"float16": "fl_f16", "bfloat16": "fl_bf16"}
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wpedantic"]
SHAPES = {"int8": (1, 16, 16, 16), "uint8": (1, 16, 16, 16), "int16": (1, 256, 256, 16)}
ROUNDINGS = ["tflite", "tflite-single", "xnnpack"]


def numbers(dtype, shape):
    """Return an array with every number in each channel, the last axis."""
    if dtype in models.QUANTIZED:
        return np.repeat(every(dtype), shape[-1]).reshape(shape)
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


@pytest.fixture
def results(tmp_path):
    """Return what the library gives for the activations of a model when it is called as the header says."""
    ctypes.CDLL(library.__file__, ctypes.RTLD_GLOBAL)

    def of(model, inputs, **options):
        (tmp_path / "m.h").write_text(firmware.header(model, "m.bin", "m", **options))
        calls = re.findall(r"/\* (fl_\w+\(isa, .*\);) \*/", (tmp_path / "m.h").read_text())
        assert len(calls) == len(inputs)
        program = '#include "m.h"\n'
        for i, (call, x) in enumerate(zip(calls, inputs, strict=True)):
            type_, name = C[x.dtype.name], "q" if x.dtype.name in models.QUANTIZED else "x"
            program += f"void run_{i}(const {type_} *{name}, {type_} *out);\n"
            program += f"void run_{i}(const {type_} *{name}, {type_} *out)\n{{\n"
            program += f"    const fl_isa *isa = fl_isa_best();\n    {call}\n}}\n"
        (tmp_path / "run.c").write_text(program)
        compiled = tmp_path / f"run{len(list(tmp_path.iterdir()))}.so"
        command = ["gcc", *STRICT, "-O1", "-shared", "-fPIC", f"-I{ROOT / 'csrc'}", "run.c", "-o", str(compiled)]
        subprocess.run(command, cwd=tmp_path, check=True)
        called, outs = ctypes.CDLL(str(compiled)), [np.empty_like(x) for x in inputs]
        for i, (x, out) in enumerate(zip(inputs, outs, strict=True)):
            getattr(called, f"run_{i}")(x.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p))
        return outs

    return of


def given(dtype, rounding, *, weight=False):
    (s, z), (t, p) = models.SCALES[dtype]
    scales = {"input_scale": s, "input_zero_point": z, "output_scale": t, "output_zero_point": p, "rounding": rounding}
    return scales | {"weight_scale": 0.01, "weight_zero_point": 3} if weight else scales


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_tflite(results, rounding):
    """The integers of each rounding for every number; those of "tflite" where XNNPACK leaves the work to others."""
    made = [make(dtype, shape=SHAPES[dtype]) for dtype in models.QUANTIZED for make in (models.leaky, models.prelu)]
    inputs = [numbers(operator.x.dtype, operator.x.shape) for operator in made]
    outs = results(tflite_file.read(models.tflite(*made)), inputs, rounding=rounding)
    for operator, q, out in zip(made, inputs, outs, strict=True):
        dtype, weight = operator.x.dtype, operator.weight
        by_others = rounding == "xnnpack" and (weight is not None or dtype == "int16")
        how = given(dtype, "tflite" if by_others else rounding, weight=weight is not None)
        if weight is None:
            wanted = quantized.leaky_relu(q, float(np.float32(0.1)), **how)
        else:
            wanted = quantized.prelu(q, weight.contents.ravel(), axis=-1, **how)
        assert np.array_equal(out, wanted), operator


def test_xnnpack_leaves_small_factors_to_others(results):
    model = tflite_file.read(models.tflite(models.leaky("int8", 1e-3, SHAPES["int8"])))
    q = numbers("int8", SHAPES["int8"])
    (out,) = results(model, [q], rounding="xnnpack")
    assert np.array_equal(out, quantized.leaky_relu(q, 1e-3, **given("int8", "tflite")))


def test_onnx(results):
    """Tables have ONNX's integers; where there is no table, TensorFlow Lite's, and it is said how many differ."""
    for make in (models.qdq_leaky, models.qlinear_leaky):
        model = onnx_file.read(make("int8"))
        q = np.resize(every("int8"), models.SHAPE)
        (out,) = results(model, [q])
        (table,), _ = integers(model.activations[0], "onnx")
        assert np.array_equal(out, table[q.view(np.uint8)])
    model = onnx_file.read(models.qdq_prelu("int8"))
    q = np.resize(every("int8"), models.SHAPE)
    (out,) = results(model, [q])
    how = given("int8", "tflite", weight=True)
    assert np.array_equal(out, quantized.prelu(q, models.weights("int8").ravel(), axis=-1, **how))
    text = firmware.header(model, "m.onnx", "m")
    (other,) = re.findall(r"ONNX Runtime gives others for (\d+) of 4096 numbers", text)
    both = [integers(model.activations[0], rounding)[0] for rounding in ("onnx", "tflite")]
    times = integers(model.activations[0], "onnx")[1]
    assert int(other) == np.count_nonzero(both[0] != both[1], axis=1) @ times


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_floats(results, dtype):
    x = numbers(dtype, models.SHAPE)
    (out,) = results(onnx_file.read(models.onnx_leaky(dtype, -0.3)), [x])
    assert out.tobytes() == fastleaky.leaky_relu(x, float(np.float32(-0.3))).tobytes()
    (out,) = results(onnx_file.read(models.onnx_prelu(dtype)), [x])
    assert out.tobytes() == fastleaky.prelu(x, models.weights("float32").ravel().astype(dtype), axis=-1).tobytes()


@pytest.mark.parametrize("shape", [(16, 1, 1), (4, 5, 16), (5, 1), (1,), (1, 4, 1, 1), (4, 5, 1)])
def test_layouts(results, shape):
    weight = models.weights("float32", 320).ravel()[: int(np.prod(shape))].reshape(shape)
    size = (1, 16, 5, 4) if shape == (16, 1, 1) else models.SHAPE
    x = numbers("float32", size)
    (out,) = results(onnx_file.read(models.onnx_prelu(weight=weight, shape=size)), [x])
    aligned = weight.reshape((1,) * (4 - weight.ndim) + weight.shape)
    assert np.array_equal(out, fastleaky.prelu(x, aligned))


def test_slopes_that_are_no_numbers(results):
    weight = np.float32([np.inf, -np.inf, np.nan, 1e-40, -0.0, 3.4e38, 0.1, 1]).reshape(1, 1, 8)
    x = numbers("float32", (1, 4, 5, 8))
    model = onnx_file.read(models.onnx_prelu(weight=weight, shape=x.shape))
    (out,) = results(model, [x])
    assert np.array_equal(out, fastleaky.prelu(x, weight.ravel(), axis=-1), equal_nan=True)
    assert "math.h" in firmware.header(model, "m", "m")
    assert "math.h" not in firmware.header(onnx_file.read(models.onnx_leaky()), "m", "m")


def test_what_cannot_be_computed_says_why():
    computed = models.onnx_file([models.helper.make_node("PRelu", ["x", "x"], ["y"])])
    apart = models.onnx_prelu(weight=models.weights("float32", 64).reshape(4, 1, 16))
    free = models.onnx_leaky(shape=("N", 3))
    texts = [firmware.header(onnx_file.read(data), "m", "m") for data in (computed, apart, free)]
    assert "/* Nothing: its slopes are computed at run time. */" in texts[0]
    assert "m_0_weight, out, outer, channels, inner); */" in texts[1]
    assert "/* fl_leaky_relu_f32(isa, x, out, n, m_0_slope); */" in texts[2]


@pytest.mark.parametrize("name", ["*/ no comment /*", "a\\\nb", "??/", 'é"\x1b[31m', "n" * 3000])
def test_names_cannot_leave_their_comment(tmp_path, name):
    def rename(made):
        made.subgraphs[0].tensors[1].name = name

    model = tflite_file.read(models.edited(models.tflite(models.leaky()), rename))
    text = firmware.header(model, name, name)
    assert text.isascii()
    (tmp_path / "m.h").write_text(text)
    (tmp_path / "m.c").write_text('#include "m.h"\nextern int nothing;\n')
    command = ["gcc", *STRICT, "-fsyntax-only", f"-I{ROOT / 'csrc'}", "m.c"]
    subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++")
def test_cplusplus(tmp_path):
    operators = [models.leaky(dtype) for dtype in SHAPES] + [models.prelu(dtype) for dtype in (*SHAPES, "float32")]
    (tmp_path / "m.h").write_text(firmware.header(tflite_file.read(models.tflite(*operators)), "m", "m"))
    (tmp_path / "m.cc").write_text('#include "m.h"\nint main() { return m_0.rounding + m_1_table[0]; }\n')
    command = ["g++", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{ROOT / 'csrc'}", "m.cc"]
    subprocess.run(command, cwd=tmp_path, check=True)
