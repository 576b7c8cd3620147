"""Errors of the quantized operations: before anything is written, with the argument, its value and the rule."""

import re

import numpy as np
import pytest
from quantized_examples import leaky_parameters, prelu_parameters

import fastleaky
from fastleaky.quantized import LeakyReLU, PReLU

GOOD_LEAKY = {"q": np.zeros(6, np.int8), "negative_slope": 0.1, **leaky_parameters((0.1, 0.1), (0, 0))}
GOOD_PRELU = {"q": np.zeros((2, 3), np.int8), "weight": np.zeros(3, np.int8), **prelu_parameters("int8")}
WIDE = {"q": np.zeros((2, 3), np.int16), "input_zero_point": 0, "output_zero_point": 0}


def both_ways(**changed):
    return [("leaky_relu", changed), ("prelu", changed)]


def read_only(a):
    a.flags.writeable = False
    return a


BAD = [
    # the operation and what is changed, the error, what its message must say
    *[
        (*case, TypeError, f"q has type {np.dtype(kind)}; it must be int8, uint8 or int16")
        for kind in ("float32", "int32", "uint16", "int64", "bool", "object")
        for case in both_ways(q=np.zeros((2, 3), kind))
    ],
    *[(*case, TypeError, "q has type int64") for case in both_ways(q=[1, 2, 3])],
    *[(*case, TypeError, "q cannot be made an array") for case in both_ways(q=[[1], [2, 3]])],
    *[
        (*case, error, f"{name} is {value!r}; {rule}")
        for name in ("input_scale", "output_scale")
        for value, error, rule in (
            (0.0, ValueError, "as a float32 it must be positive and finite"),
            (-0.1, ValueError, "as a float32 it must be positive and finite"),
            (float("inf"), ValueError, "as a float32 it must be positive and finite"),
            (float("nan"), ValueError, "as a float32 it must be positive and finite"),
            (1e-46, ValueError, "as a float32 it must be positive and finite"),
            (1e39, ValueError, "as a float32 it must be positive and finite"),
            ("0.1", TypeError, "it must be a real number"),
            (None, TypeError, "it must be a real number"),
            (True, TypeError, "it must be a real number"),
            ([0.1], TypeError, "it must be a real number"),
        )
        for case in both_ways(**{name: value})
    ],
    ("prelu", {"weight_scale": -1.0}, ValueError, "weight_scale is -1.0; as a float32 it must be positive and finite"),
    *[
        (*case, error, f"{name} is {value!r}; {rule}")
        for name in ("input_zero_point", "output_zero_point")
        for value, error, rule in (
            (128, ValueError, "it must be in -128 ... 127, the range of int8"),
            (-129, ValueError, "it must be in -128 ... 127, the range of int8"),
            (10**30, ValueError, "it must be in -128 ... 127, the range of int8"),
            (0.0, TypeError, "it must be an integer"),
            (1.5, TypeError, "it must be an integer"),
            (None, TypeError, "it must be an integer"),
            (True, TypeError, "it must be an integer"),
        )
        for case in both_ways(**{name: value})
    ],
    ("prelu", {"weight_zero_point": 128}, ValueError, "weight_zero_point is 128; it must be in -128 ... 127"),
    ("leaky_relu", {"q": np.zeros(3, "u1"), "input_zero_point": -1}, ValueError, "it must be in 0 ... 255, the range"),
    ("leaky_relu", {**WIDE, "input_zero_point": 1}, ValueError, "input_zero_point is 1; of int16 it must be 0"),
    ("leaky_relu", {**WIDE, "output_zero_point": -1}, ValueError, "output_zero_point is -1; of int16 it must be 0"),
    ("prelu", {**WIDE, "weight_zero_point": 128}, ValueError, "weight_zero_point is 128; it must be in -128 ... 127"),
    *[
        ("leaky_relu", {"negative_slope": slope}, error, f"negative_slope is {slope!r}; {rule}")
        for slope, error, rule in (
            (float("nan"), ValueError, "as a float32 it must be finite"),
            (float("-inf"), ValueError, "as a float32 it must be finite"),
            (1e39, ValueError, "as a float32 it must be finite"),
            ("0.1", TypeError, "it must be a real number"),
            (None, TypeError, "it must be a real number"),
            (1j, TypeError, "it must be a real number"),
        )
    ],
    *[
        (*case, ValueError, "rounding is 'nearest'; for int8 it must be one of 'tflite', 'tflite-single'")
        for case in both_ways(rounding="nearest")
    ],
    *[(*case, TypeError, "rounding is 1; it must be a string") for case in both_ways(rounding=1)],
    ("leaky_relu", {**WIDE, "rounding": "xnnpack"}, ValueError, "rounding is 'xnnpack'; for int16 it must be one"),
    ("prelu", {"rounding": "xnnpack"}, ValueError, "rounding is 'xnnpack'; for int8 it must be one"),
    # 8 bits: x has 8 bits and a sign, its product with a slope 16; int16: 15 and 23
    *[
        (*case, ValueError, "input_scale / output_scale is 4194304.0; without its sign it must be less than 2**22")
        for case in both_ways(input_scale=2.0**22, output_scale=1.0)
    ],
    ("leaky_relu", {"input_scale": 1e30, "output_scale": 1e-30}, ValueError, "input_scale / output_scale is inf"),
    (
        "leaky_relu",
        {"negative_slope": -(2.0**23), "input_scale": 0.5, "output_scale": 1.0},
        ValueError,
        "negative_slope * input_scale / output_scale is -4194304.0; without its sign it must be less than 2**22",
    ),
    (
        "leaky_relu",
        {**WIDE, "input_scale": 2.0**15, "output_scale": 1.0},
        ValueError,
        "input_scale / output_scale is 32768.0; without its sign it must be less than 2**15",
    ),
    (
        "prelu",
        {"input_scale": 1.0, "weight_scale": 2.0**14, "output_scale": 1.0},
        ValueError,
        "weight_scale * input_scale / output_scale is 16384.0; without its sign it must be less than 2**14",
    ),
    (
        "prelu",
        {**WIDE, "input_scale": 1.0, "weight_scale": 2.0**7, "output_scale": 1.0},
        ValueError,
        "weight_scale * input_scale / output_scale is 128.0; without its sign it must be less than 2**7",
    ),
    *[
        ("leaky_relu", {"rounding": "xnnpack", **changed}, ValueError, f"{formula}; for 'xnnpack' it must be in 1/256")
        for changed, formula in (
            ({"output_scale": 0.1 * 257}, "input_scale / output_scale is 0.0038910505827516317"),
            ({"output_scale": 0.1 / 129}, "input_scale / output_scale is 129.0"),
            ({"negative_slope": 0.0}, "negative_slope * input_scale / output_scale is 0.0"),
            ({"negative_slope": 0.0039}, "negative_slope * input_scale / output_scale is 0.0038999998942017555"),
            ({"negative_slope": -128.0}, "negative_slope * input_scale / output_scale is -128.0"),
            ({"negative_slope": 128.5}, "negative_slope * input_scale / output_scale is 128.5"),
        )
    ],
    ("prelu", {"weight": np.zeros(3, "u1")}, TypeError, "weight has type uint8; for int8 data it must be int8"),
    ("prelu", {"weight": np.zeros(3, "f4")}, TypeError, "weight has type float32; for int8 data it must be int8"),
    ("prelu", {"weight": [1, 2, 3]}, TypeError, "weight has type int64; for int8 data it must be int8"),
    ("prelu", {"weight": None}, TypeError, "weight has type object"),
    ("prelu", {**WIDE, "weight": np.zeros(3, "i2")}, TypeError, "weight has type int16; for int16 data it"),
    ("prelu", {"weight": np.zeros(2, "i1")}, ValueError, "weight has 2 values for 3 channels (axis 1 of x with shape"),
    ("prelu", {"weight": np.zeros((1, 4), "i1")}, ValueError, "weight with shape (1, 4) does not broadcast"),
    ("prelu", {"weight": np.zeros((1, 1, 3), "i1")}, ValueError, "weight has shape (1, 1, 3)"),
    ("prelu", {"axis": 2}, ValueError, "axis 2 is out of range"),
    ("prelu", {"axis": None}, TypeError, "axis is None; it must be an integer"),
    *[
        (*case, error, f"out {rule}")
        for out, error, rule in (
            (np.zeros((4, 4), np.int8), ValueError, "has shape (4, 4); it must have q's"),
            (np.zeros((2, 3), np.uint8), TypeError, "has type uint8; it must have q's, int8"),
            (read_only(np.zeros((2, 3), np.int8)), ValueError, "is read-only"),
            ([0, 0], TypeError, "is list; it must be an array"),
        )
        for case in both_ways(q=np.zeros((2, 3), np.int8), out=out)
    ],
]


@pytest.mark.parametrize(("name", "changed", "error", "message"), BAD, ids=range(len(BAD)))
def test_message(name, changed, error, message):
    arguments = {**(GOOD_LEAKY if name == "leaky_relu" else GOOD_PRELU), **changed}
    out = arguments.setdefault("out", np.full(np.shape(GOOD_PRELU["q"]), 7, np.int8))
    before = np.array(out)
    with pytest.raises(error, match=re.escape(f"quantized.{name}: ")) as caught:
        getattr(fastleaky.quantized, name)(**arguments)
    assert message in str(caught.value)
    assert np.array_equal(out, before)


def test_errors_of_layers():
    leaky = leaky_parameters((0.1, 0.1), (0, 0))
    layer = LeakyReLU(0.1, np.int8, **leaky)
    with pytest.raises(TypeError, match="q has type uint8; this layer is for int8"):
        layer(np.zeros(3, np.uint8))
    with pytest.raises(TypeError, match="dtype is float32; it must be int8, uint8 or int16"):
        LeakyReLU(0.1, "float32", **leaky)
    with pytest.raises(TypeError, match="dtype is float64; it must be int8, uint8 or int16"):
        PReLU(np.zeros(3, np.int8), float, **prelu_parameters("int8"))
    with pytest.raises(TypeError, match="dtype is 'int7'; it must be int8, uint8 or int16"):
        LeakyReLU(0.1, "int7", **leaky)
