"""The door to ONNX's reference evaluator."""

import warnings

import onnx
from onnx.reference import ReferenceEvaluator

import fastleaky.onnx
from fuzzing.cases import Case
from fuzzing.door import Door, Results
from fuzzing.onnx_models import adapt, model


def call(case: Case, _: str) -> Results:
    """Evaluate a model; of a case that may be wrong, perhaps by ONNX's own operator."""
    made, given = model(case)
    if not case.right:
        warnings.simplefilter("ignore")
    results = ReferenceEvaluator(onnx.load_from_string(made), new_ops=fastleaky.onnx.OPS).run(None, given)
    return tuple(results) if case.right else (None,)


DOOR = Door(call, (TypeError, ValueError, OverflowError), adapt)
