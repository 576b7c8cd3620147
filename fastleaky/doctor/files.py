"""A model file of either format, told apart by its contents or its name."""

from pathlib import Path

from fastleaky.doctor.model import Model, ModelError


def read(path: Path) -> Model:
    """Return what there is of ours in a file; a ModelError, or an OSError, names the file."""
    data = path.read_bytes()
    try:
        if data[4:8] == b"TFL3":
            from fastleaky.doctor import tflite_file

            return tflite_file.read(data)
        if path.suffix == ".onnx":
            from fastleaky.doctor import onnx_file

            return onnx_file.read(data, str(path.parent))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    raise ModelError(f"{path}: byte 4: a .tflite file has TFL3 there, and an ONNX model's name ends in .onnx")
