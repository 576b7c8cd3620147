"""Parameters and numbers for the tests of the quantized operations."""

import numpy as np

import fastleaky

ENGINES = [name for name in fastleaky.backends() if name != "numba"]  # which has no quantized operations of its own
TYPES = ["int8", "uint8", "int16"]
ROUNDINGS = ["tflite", "tflite-single"]
SCALES = [(0.05, 0.05), (0.1, 0.03), (0.02, 0.11), (1 / 3, 1 / 128), (1e-3, 7.0), (10.0, 1e-3)]


def every(dtype):
    info = np.iinfo(dtype)
    return np.arange(info.min, info.max + 1).astype(dtype)


def zero_points(dtype):
    info = np.iinfo(dtype)
    middle = (info.min + info.max + 1) // 2
    pairs = [(middle, middle), (info.min, info.max), (info.max, info.min), (middle + 5, middle - 3)]
    return pairs if dtype != "int16" else [(0, 0)]


def leaky_parameters(scales, points, rounding="tflite"):
    names = ("input_scale", "output_scale", "input_zero_point", "output_zero_point", "rounding")
    return dict(zip(names, (*scales, *points, rounding), strict=True))


def prelu_parameters(dtype, scales=(0.05, 0.04), weight_scale=0.01, weight_zero_point=None, points=None, **more):
    points = points or zero_points(dtype)[-1]
    if weight_zero_point is None:
        weight_zero_point = {"int8": 3, "uint8": 120, "int16": -2}[dtype]
    weight = {"weight_scale": weight_scale, "weight_zero_point": weight_zero_point}
    return {**leaky_parameters(scales, points), **weight, **more}


def weights_of(dtype):
    return "int8" if dtype == "int16" else dtype


def draw(shape, dtype, seed=0):
    info = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(info.min, info.max, shape, dtype, endpoint=True)


def same(a, b):
    return a.dtype.newbyteorder("=") == b.dtype and a.shape == b.shape and np.array_equal(a, b)
