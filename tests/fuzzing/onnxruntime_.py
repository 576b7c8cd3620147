"""The door to ONNX Runtime: sessions with the provider, of one or two threads."""

import ml_dtypes
import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state

import fastleaky.onnxruntime
from fuzzing import onnx_models
from fuzzing.cases import Case
from fuzzing.door import Door, Results

OWN = [error for error in vars(onnxruntime_pybind11_state).values() if isinstance(error, type)]
ERRORS = (RuntimeError, TypeError, ValueError, *(error for error in OWN if issubclass(error, Exception)))


def adapt(case: Case) -> None:
    """Make it a node's case; bfloat16 cannot be passed."""
    onnx_models.adapt(case)
    case.right = case.right and case.given["x"].dtype.type is not ml_dtypes.bfloat16


def call(case: Case, _: str) -> Results:
    """Run a model; a float32 LeakyRelu is the CPU provider's."""
    made, given = onnx_models.model(case)
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, int(case.rng.integers(1, 3))
    results = fastleaky.onnxruntime.session(made, options).run(None, given)
    ours = case.right and (case.operation.channel or given["x"].dtype != np.float32)
    return tuple(results) if ours else (None,)


DOOR = Door(call, ERRORS, adapt)
