"""The operators LeakyRelu and PRelu for ONNX's reference evaluator, computed by fastleaky.

ONNX's own backend tests, or any model, run through fastleaky so::

    from onnx.reference import ReferenceEvaluator

    import fastleaky.onnx

    evaluator = ReferenceEvaluator("model.onnx", new_ops=fastleaky.onnx.OPS)
"""

from typing import Any

import fastleaky
from fastleaky._dtypes import name_in_c
from fastleaky._extras import extra
from fastleaky._typing import Array

with extra("onnx"):
    from onnx.reference.op_run import OpRun
    from onnx.reference.ops.op_prelu import PRelu as PReluOfONNX

__all__ = ["OPS", "LeakyRelu", "PRelu"]

NUMPY_BROADCASTING = 7  # the operator set from which on slopes are broadcast as in NumPy; before, along axis 1


class LeakyRelu(OpRun):  # type: ignore[misc]
    """Leaky ReLU of float32, float64, float16 or bfloat16 tensors, by :func:`fastleaky.leaky_relu`."""

    def _run(self, x: Array, alpha: float) -> tuple[Array]:
        return (fastleaky.leaky_relu(x, float(alpha)),)


class PRelu(PReluOfONNX):  # type: ignore[misc]
    """PReLU of float32, float64, float16 or bfloat16 tensors, by :func:`fastleaky.prelu`.

    Left to ONNX's own operator are integers, and slopes that cannot be broadcast to ``x``, which it takes all the same.
    """

    def _run(self, x: Array, slope: Array) -> tuple[Any, ...]:
        if name_in_c(x.dtype) and x.dtype == slope.dtype:
            if self.run_params["opsets"].get("", NUMPY_BROADCASTING) < NUMPY_BROADCASTING:
                return (fastleaky.prelu(x, slope),)
            if _broadcasts(slope.shape, x.shape):
                return (fastleaky.prelu(x, slope.reshape((1,) * (x.ndim - slope.ndim) + slope.shape)),)
        result: tuple[Any, ...] = super()._run(x, slope)
        return result


OPS = [LeakyRelu, PRelu]


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    last = to[len(to) - len(shape) :]
    return len(shape) <= len(to) and all(size in (1, wanted) for size, wanted in zip(shape, last, strict=True))
