"""The operations with their derivatives, on arrays of the shape (outer, channels, inner).

A backward step has a derivative of its own, so there are derivatives of every order. That of leaky ReLU is the backward
step again; that of PReLU is what JAX makes of the formula.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from fastleaky.jax._handlers import call


def _leaky_relu_backward(grad: Any, x: Any, slope: Any) -> Any:
    return jnp.where(x > 0, grad, (slope * grad).astype(x.dtype))


def _leaky_relu(x: Any, slope: Any) -> Any:
    return _leaky_relu_backward(x, x, slope)


def _prelu(x: Any, weight: Any) -> Any:
    return _leaky_relu(x, weight[:, None])


def _prelu_backward(grad: Any, x: Any, weight: Any) -> list[Any]:
    return [_leaky_relu_backward(grad, x, weight[:, None]), jnp.where(x > 0, 0, grad * x).sum((0, 2))]


leaky_relu = jax.custom_vjp(functools.partial(call, "leaky_relu", _leaky_relu))
leaky_relu_backward = jax.custom_vjp(functools.partial(call, "leaky_relu_backward", _leaky_relu_backward))
prelu = jax.custom_vjp(functools.partial(call, "prelu", _prelu))
prelu_backward = jax.custom_vjp(functools.partial(call, "prelu_backward", _prelu_backward))

leaky_relu.defvjp(
    lambda x, slope: (leaky_relu(x, slope), (x, slope)),
    lambda saved, grad: (leaky_relu_backward(grad, *saved), jnp.zeros_like(saved[1])),  # the slope is a constant
)
leaky_relu_backward.defvjp(
    lambda grad, *rest: (leaky_relu_backward(grad, *rest), rest),
    lambda saved, grad: (leaky_relu_backward(grad, *saved), *map(jnp.zeros_like, saved)),
)
prelu.defvjp(
    lambda *given: (prelu(*given), given),
    lambda saved, grad: tuple(prelu_backward(grad, *saved)),
)
prelu_backward.defvjp(
    lambda *given: (prelu_backward(*given), given),
    lambda saved, grads: jax.vjp(_prelu_backward, *saved)[1](grads),
)
