"""Files that are no models, or damaged ones: an error that names the file and the place, and never a crash."""

import re

import doctor_models as models
import flatbuffers
import numpy as np
import pytest
from children import python
from pages import ROOT

from fastleaky.doctor import files, protobuf
from fastleaky.doctor.model import ModelError
from fastleaky.doctor.report import report

MUTANTS = 1000
EXTREMES = ["ffffffff", "ffffff7f", "00000080", "00000000", "0000c07f", "0000807f"]  # integers, a NaN, an infinity
# In a process of its own, which may end, be endless, or take all memory without harm.
EXAMINE = """
import json, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (280, 280))
from fastleaky.doctor import files, firmware
from fastleaky.doctor.model import ModelError
from fastleaky.doctor.report import report
refused = 0
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        model = files.read(path)
    except ModelError as error:
        assert str(error).startswith(f"{path}: "), error
        refused += 1
        continue
    json.dumps(report(model, "cortex-m4"), allow_nan=False)
    firmware.header(model, path.name, path.stem)
print(refused)
"""


def message(path):
    with pytest.raises(ModelError) as error:
        files.read(path)
    return str(error.value)


@pytest.mark.parametrize("name", ["m.tflite", "m.onnx", "m.bin"])
@pytest.mark.parametrize(
    "content", [b"", b"x", b"no model at all, but a text", bytes(1000), b"\x89PNG\r\n\x1a\n" + bytes(64)]
)
def test_no_model(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert re.match(rf"{re.escape(str(path))}: byte \d+: ", message(path))


def test_each_prefix_is_refused_or_says_the_same(tmp_path):
    """A .tflite file is not refused where all that is missing is what nobody reads; an .onnx file always is."""
    for name, data in models.samples():
        path = tmp_path / name
        path.write_bytes(data)
        whole, taken = report(files.read(path), "cortex-m4"), 0
        for length in range(0, len(data), 7 if name == "m.tflite" else 1):
            path.write_bytes(data[:length])
            try:
                model = files.read(path)
            except ModelError as error:
                assert str(error).startswith(f"{path}: ")  # noqa: PT017
            else:
                assert report(model, "cortex-m4") == whole
                taken += 1
        assert taken == 0


def mutated(data, rng):
    """Return a file with one to three changes."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 3])):
        at, length = int(rng.integers(len(data))), int(rng.integers(1, 40))
        change = rng.choice(["byte", "bit", "extreme", "cut", "insert", "end"], p=[0.3, 0.3, 0.2, 0.1, 0.05, 0.05])
        if change == "byte":
            data[at] = rng.integers(256)
        elif change == "bit":
            data[at] ^= 1 << int(rng.integers(8))
        elif change == "extreme":
            data[at : at + 4] = bytes.fromhex(rng.choice(EXTREMES))
        elif change == "insert":
            data[at:at] = rng.bytes(length)
        elif length < len(data):
            del data[at : at + length if change == "cut" else None]
        data = data or bytearray(1)
    return bytes(data)


@pytest.mark.parametrize("format_", ["tflite", "onnx"])
def test_mutated_files(tmp_path, format_):
    rng, samples = np.random.default_rng(20), [one for one in models.samples() if one[0].endswith(format_)]
    for number in range(MUTANTS):
        name, data = samples[number % len(samples)]
        (tmp_path / f"{number:04d}-{name}").write_bytes(mutated(data, rng))
    child = python(EXAMINE.replace("sys.argv[1]", repr(str(tmp_path))), "-W", "error", folder=ROOT)
    assert child.returncode == 0, child.stderr
    assert MUTANTS / 10 < int(child.stdout) < MUTANTS * 9 / 10


def test_tables_that_overlap(tmp_path):
    """A table may be an element of many vectors, many times: the work stays in proportion to the file."""
    builder, many = flatbuffers.Builder(0), 300

    def table(slots, **vectors):
        builder.StartObject(slots)
        for slot, vector in vectors.items():
            builder.PrependUOffsetTRelativeSlot(int(slot.removeprefix("slot_")), vector, 0)
        return builder.EndObject()

    def repeated(element):
        builder.StartVector(4, many, 4)
        for _ in range(many):
            builder.PrependUOffsetTRelative(element)
        return builder.EndVector()

    graphs = repeated(table(5, slot_0=repeated(table(10))))
    builder.Finish(table(8, slot_2=graphs), b"TFL3")
    path = tmp_path / "m.tflite"
    path.write_bytes(builder.Output())
    assert re.search(r"tensor \d+ of subgraph \d+: there are more tables than bytes$", message(path))


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ("08", "byte 1: a number does not end, in ModelProto"),
        ("0880", "byte 1: a number does not end, in ModelProto"),
        ("080a3a01", "byte 2: 1 bytes should follow, and there are 0, in ModelProto"),
        ("080a3a05", "byte 2: 5 bytes should follow, and there are 0, in ModelProto"),
        ("080a3a020a09", "byte 4: 9 bytes should follow, and there are 0, in GraphProto"),
        ("080a3a040a020a07", "byte 6: 7 bytes should follow, and there are 0, in NodeProto"),
        ("080a00", "byte 2: no field begins with 0x00, in ModelProto"),
        ("080a0b", "byte 2: no field begins with 0x0b, in ModelProto"),
        ("0d0000", "byte 0: 4 bytes should follow, and there are 2, in ModelProto"),
        ("090000", "byte 0: 8 bytes should follow, and there are 2, in ModelProto"),
        ("08" + "ff" * 10, "byte 1: a number does not end, in ModelProto"),
        ("080a", "it is damaged, at a place that is not known"),
    ],
)
def test_places_in_protobuf(data, place):
    assert protobuf.damage(bytes.fromhex(data), models.onnx.ModelProto.DESCRIPTOR) == place
