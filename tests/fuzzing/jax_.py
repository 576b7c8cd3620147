"""The door to JAX: compiled or not, and its gradients."""

from typing import Any

import jax
import ml_dtypes
import numpy as np

import fastleaky.jax
from fastleaky import reference
from fuzzing.cases import Case, chosen, native
from fuzzing.door import Door, Results

jax.config.update("jax_enable_x64", True)
SMALL = 1e-18  # the product of two such is normal


@reference.quiet
def adapt(case: Case) -> None:
    """Give all arrays the type of x: the gradient, as JAX wants it; the weight, since XLA's cast flushes subnormals.

    So do its copies of bfloat16: there, numbers that are or may become subnormal are 0.
    """
    if not case.right:
        return
    dtype = case.given["x"].dtype
    for name in ("grad", "x", "weight"):
        case.given[name] = array = case.given[name].astype(dtype)
        if dtype == ml_dtypes.bfloat16:
            case.given[name] = np.where(abs(array) < SMALL, np.zeros_like(array), array)
    if dtype == ml_dtypes.bfloat16 and abs(case.given["negative_slope"]) < SMALL:
        case.given["negative_slope"] = 0.0


def call(case: Case, _: str) -> Results:
    """Call a function, or pull a gradient back through it."""
    *_, x = given = [array(case.given[name]) for name in case.operation.inputs]
    inputs, options = [x, *(array(case.given[name]) for name in case.operation.channel)], case.options
    numbers = [case.given[name] for name in case.operation.numbers]
    door = getattr(fastleaky.jax, case.operation.name.removesuffix("_backward"))
    function = chosen(case.rng, [jax.jit, lambda f: f])(lambda *inputs: door(*inputs, *numbers, **options))
    if len(given) == 1:
        return (function(*inputs),)
    gradients = jax.vjp(function, *inputs)[1](given[0])  # that of a Python number has a type of JAX's choice
    return tuple(grad if isinstance(value, jax.Array) else None for grad, value in zip(gradients, inputs, strict=True))


def array(value: Any) -> Any:
    """Return an array as JAX has it, and anything else as it is."""
    return jax.numpy.asarray(native(value)) if isinstance(value, np.ndarray) else value


DOOR = Door(call, (TypeError, ValueError, OverflowError, jax.errors.JaxRuntimeError), adapt)
