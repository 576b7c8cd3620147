"""What the doctor says of an activation: unusual slopes, other integers, instructions."""

import json

import doctor_models as models
import numpy as np
import pytest
from quantized_examples import every

from fastleaky import quantized
from fastleaky.doctor import cost, onnx_file, slopes, tflite_file
from fastleaky.doctor.report import report

KERNELS = ["leaky_relu_f32", "prelu_f32", "leaky_relu_i8", "leaky_relu_i16", "prelu_i8", "look_up_i8"]
COUNTED = """\
core,kernel,elements,instructions
"a board, small",leaky_relu_i8,64,40
"a board, small",leaky_relu_i8,512,10
"a board, small",leaky_relu_i8,4096,5
"a board, small",look_up_i8,64,6
"a board, small",look_up_i8,4096,4
"""


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """A table of costs that is small."""
    (tmp_path / "cores.csv").write_text(COUNTED)
    monkeypatch.setattr(cost, "TABLE", tmp_path / "cores.csv")
    cost.cores.cache_clear()
    yield "a board, small"
    cost.cores.cache_clear()


def examined(model, core="cortex-m4"):
    found = report(model, core)
    json.dumps(found, allow_nan=False)
    return found["activations"][0]


def of_tflite(operator, **more):
    return examined(tflite_file.read(models.tflite(operator)), **more)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0.1, 0.25, 1.0], {}),
        ([0.0, -0.0], {"zero": 2}),
        ([-0.1, 0.1], {"negative": 1}),
        ([1.5, 1.0], {"above 1": 1}),
        ([1e-40, -1e-45, 2.0**-126], {"subnormal": 2, "negative": 1}),
        ([np.inf, -np.inf], {"infinite": 2, "negative": 1, "above 1": 1}),
        ([np.nan], {"NaN": 1}),
    ],
)
def test_unusual_slopes(values, wanted):
    assert slopes.unusual(np.float32(values)) == wanted
    assert set(wanted) <= set(slopes.FOLLOWS)
    weight = np.float32(values).reshape(1, 1, -1)
    shape = (1, 4, 5, len(values))
    for made in (models.prelu("float32", weight, shape),):
        assert of_tflite(made)["slopes"]["unusual"] == wanted
    assert examined(onnx_file.read(models.onnx_prelu(weight=weight, shape=shape)))["slopes"]["unusual"] == wanted


@pytest.mark.parametrize(("dtype", "least"), [("float16", 2.0**-14), ("bfloat16", 2.0**-126), ("float64", 2.0**-1022)])
def test_subnormal_slopes_of_a_type(dtype, least):
    weight = np.array([least, least / 2]).reshape(1, 1, 2)
    found = examined(onnx_file.read(models.onnx_prelu(dtype, weight, (1, 4, 5, 2))))
    assert found["slopes"]["unusual"] == {"subnormal": 1}


def test_quantized_slopes_are_what_they_stand_for():
    weight = np.array([-128, 3, 4, 127], np.int8).reshape(1, 1, 4)
    found = of_tflite(models.prelu("int8", weight, (1, 4, 5, 4)))
    assert found["slopes"]["unusual"] == {"zero": 1, "negative": 1, "above 1": 1}
    assert found["slopes"]["values"][2] == pytest.approx(0.01)
    assert found["weight"] == {"scale": [pytest.approx(0.01)], "zero_point": [3]}


@pytest.mark.parametrize("dtype", models.QUANTIZED)
def test_other_integers_of_leaky_relu(dtype):
    (s, z), (t, p) = models.SCALES[dtype]
    given = {"input_scale": s, "input_zero_point": z, "output_scale": t, "output_zero_point": p}
    for slope in (0.1, -0.5):
        compared = of_tflite(models.leaky(dtype, slope))["integers"]
        q, slope_ = every(dtype), float(np.float32(slope))
        roundings = ["tflite-single"] + ["xnnpack"] * (dtype != "int16")
        results = {name: quantized.leaky_relu(q, slope_, **given, rounding=name) for name in ["tflite", *roundings]}
        wanted = {name: np.count_nonzero(results[name] != results["tflite"]) for name in roundings}
        assert (compared["base"], compared["of"], compared["impossible"]) == ("tflite", q.size, {})
        assert {name: compared["different"][name] for name in roundings} == wanted
        assert ("tflite-signed" in compared["different"]) == (slope < 0)
        assert (wanted["tflite-single"] > 0) == (slope > 0)  # 0.125 times a number can end in a half


@pytest.mark.parametrize("dtype", models.QUANTIZED)
def test_other_integers_of_prelu(dtype, monkeypatch):
    """Each slope counts as often as it occurs."""
    (_, z), (_, p) = models.SCALES[dtype]
    monkeypatch.setitem(models.SCALES, dtype, ((1.0, z), (0.64, p)))  # so that there are halves: 0.01 / 0.64 is 1 / 64
    (s, z), (t, p) = models.SCALES[dtype]
    given = {"input_scale": s, "input_zero_point": z, "output_scale": t, "output_zero_point": p}
    weight = np.repeat(models.weights(dtype), [1] * 15 + [5], axis=-1)
    compared = of_tflite(models.prelu(dtype, weight, (1, 4, 5, 20)))["integers"]
    q = np.repeat(every(dtype), 20).reshape(-1, 20)
    both = [
        quantized.prelu(q, weight.ravel(), axis=-1, weight_scale=0.01, weight_zero_point=3, rounding=name, **given)
        for name in ("tflite", "tflite-single")
    ]
    different = np.count_nonzero(both[0] != both[1])
    assert compared == {"base": "tflite", "of": q.size, "different": {"tflite-single": different}, "impossible": {}}
    assert different > 0


def test_onnx_is_compared_with_itself():
    compared = examined(onnx_file.read(models.qdq_leaky("int8")))["integers"]
    assert (compared["base"], compared["of"]) == ("onnx", 256)
    assert set(compared["different"]) == {"tflite", "tflite-single", "xnnpack"}
    assert any(compared["different"].values())


def test_reasons_why_integers_cannot_be_compared():
    def reasons(made):
        return examined(made)["integers"]["impossible"]

    tiny = tflite_file.read(models.tflite(models.leaky("int8", 1e-9)))
    assert list(reasons(tiny)) == ["xnnpack"]
    assert "1/256" in reasons(tiny)["xnnpack"]
    each = onnx_file.read(models.qdq_prelu("int8", scale=np.full(16, 0.01, np.float32)))
    assert set(reasons(each).values()) == {"its weight has 0 scales"}
    node = models.helper.make_node("PRelu", ["float_x", "float_x"], ["float_y"])
    assert set(reasons(onnx_file.read(models.converted(node, "int8"))).values()) == {
        "its slopes are computed at run time"
    }


def test_floats_have_no_integers():
    assert of_tflite(models.leaky("float32"))["integers"] is None


def test_instructions(counted):
    found = [of_tflite(models.leaky("int8", shape=(1, n)), core=counted)["instructions"] for n in (64, 512, 4096)]
    assert [one["leaky_relu_i8"] for one in found] == [64 * 40, 512 * 10, 4096 * 5]
    between, beyond, below = (
        of_tflite(models.leaky("int8", shape=(1, n)), core=counted)["instructions"] for n in (288, 7680, 1)
    )
    assert between["leaky_relu_i8"] == (64 * 40 + 512 * 10) / 2
    assert beyond == {"leaky_relu_i8": 7680 * 5, "look_up_i8": 7680 * 4}
    assert below["leaky_relu_i8"] == 64 * 40
    assert of_tflite(models.leaky("uint8"), core=counted)["instructions"].keys() == found[0].keys()
    assert of_tflite(models.prelu("int8"), core=counted)["instructions"] == {"prelu_i8": None}


def test_the_table_of_costs():
    table = cost.cores()
    assert "cortex-m4" in table
    for kernels in table.values():
        assert {"leaky_relu_f32", "prelu_f32", "leaky_relu_i8", "leaky_relu_i16", "prelu_i8", "look_up_i8"} <= set(
            kernels
        )
        assert all(list(sizes) == [64, 512, 4096] for sizes in kernels.values())
        assert all(number > 0 for sizes in kernels.values() for number in sizes.values())


def test_a_core_that_is_not_there():
    with pytest.raises(cost.CoreError, match=r"--core is z80; it must be one of: .*cortex-m4"):
        cost.known("z80")


def test_sizes_that_are_not_known_count_as_one():
    found = examined(onnx_file.read(models.onnx_leaky(shape=("N", 3, 4, 5))))
    assert (found["shape"], found["elements"]) == ([None, 3, 4, 5], 60)
