"""The NumPy backend: large arrays in pieces that fit a cache.

On large arrays no pass selects or branches: on random signs that costs as much as ten multiplications. Instead each
number is multiplied by a factor, 1 or the slope, whose bits are computed from the sign. On small arrays only the number
of calls counts.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastleaky import reference
from fastleaky._backends.numpy_integers import integers
from fastleaky._backends.numpy_pieces import PIECE, pieces
from fastleaky._operations import LEAKY, Operation
from fastleaky._typing import Array
from fastleaky.reference import BLOCK, CHUNK, LANES, quiet, rounded, wide

__all__ = ["elementwise", "gradients", "integers"]

SMALL = 1 << 11  # elements: in smaller arrays a branch for each costs less than further calls
LEAST = 2.0**-126  # none of our types rounds a larger slope to 0

STEPS = BLOCK // LANES
EIGHT_SIGNS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1).astype(bool)


def elementwise(operation: Operation, inputs: Sequence[Array], parameters: Sequence[Any], out: Array) -> None:
    """Write the result of an operation."""
    if operation.formula != LEAKY:
        _as_specified(operation, inputs, parameters, out)
    elif reference.FLUSHES:
        out[...] = getattr(reference, operation.name)(*inputs, *parameters)
    else:
        _leaky(inputs[0], inputs[-1], parameters[0], out)


@quiet
def _as_specified(operation: Operation, inputs: Sequence[Array], parameters: Sequence[Any], out: Array) -> None:
    """Write what the specification gives, a piece at a time."""
    rows, numbers = parameters[: len(operation.channel)], parameters[len(operation.channel) :]
    specification, count = getattr(reference, operation.name), len(operation.inputs)
    for here, _ in pieces(out.shape, rows[0]):
        options = {operation.more: inputs[count][here]} if len(inputs) > count else {}
        given = [array[here] for array in inputs[:count]] + [row[here[1]] for row in rows]
        out[here] = specification(*given, *numbers, **options)


@quiet
def _leaky(v: Array, x: Array, slope: float | Array, out: Array) -> None:
    """Write ``v`` where ``x > 0``, else ``slope * v``; if the slope is a number, in any shape."""
    if x.size <= SMALL:
        if not isinstance(slope, float):
            _select(v, x > 0, slope[:, np.newaxis], out)
        elif v is x and LEAST <= slope <= 1:
            np.maximum(x, np.multiply(x, slope), out=out)
        else:
            _select(v, x > 0, x.dtype.type(slope), out)
        return
    forward = v is x
    if isinstance(slope, float):
        slope = np.array([slope], x.dtype)
        v, x, out = (array.reshape(1, 1, -1) for array in (v, x, out))
    low, high = slope.min(), slope.max()
    if forward and low > 0 and (high <= 1 or low >= 1):  # then the result is a maximum or a minimum
        choose = np.maximum if high <= 1 else np.minimum
        for here, factor in pieces(x.shape, slope):
            scaled = np.multiply(factor, x[here], out=_room(out[here], x[here]))
            choose(x[here], scaled, out=out[here])
    elif slope.size == 1:
        _look_up(v.reshape(-1), x.reshape(-1), slope, out.reshape(-1))
    else:
        for here, change in pieces(x.shape, _change(slope)):
            np.multiply(v[here], _factor(_mask(x[here]), change, x), out=out[here])


def _select(v: Array, positive: Array, slope: Any, out: Array) -> None:
    scaled = np.multiply(slope, v)
    np.putmask(scaled, positive, v)
    out[...] = scaled


def _look_up(v: Array, x: Array, slope: Array, out: Array) -> None:
    """Write the same with one slope: the factors of eight elements at a time come from a table."""
    factors = np.where(EIGHT_SIGNS, x.dtype.type(1), slope)
    end = x.size // 8 * 8
    out[end:] = reference.leaky_relu_backward(v[end:], x[end:], slope[0])
    positive = np.empty(min(PIECE, end), bool)  # allocated once: page faults cost as much as a pass
    for start in range(0, end, PIECE):
        here = slice(start, min(start + PIECE, end))
        factor = _room(out[here], v[here])
        signs = np.packbits(np.greater(x[here], 0, out=positive[: here.stop - start]))
        factors.take(signs, axis=0, out=factor.reshape(-1, 8), mode="clip")
        np.multiply(v[here], factor, out=out[here])


def gradients(operation: Operation, inputs: Sequence[Array], parameters: Sequence[Any], outs: Sequence[Array]) -> None:
    """Write the gradients: with respect to x, and the ordered sum for each channel."""
    if reference.FLUSHES:
        for out, result in zip(outs, getattr(reference, operation.name)(*inputs, *parameters), strict=True):
            out[...] = result
    elif operation.formula == LEAKY:
        _prelu_backward(*inputs, *parameters, *outs)
    else:
        grad, y = inputs
        _bias_leaky_relu_backward(grad, y, parameters, *outs)


@quiet
def _prelu_backward(grad: Array, x: Array, weight: Array, dx: Array, dweight: Array) -> None:
    if x.size <= SMALL:
        positive, terms = x > 0, grad * x
        np.putmask(terms, positive, 0)
        _select(grad, positive, weight[:, np.newaxis], dx)
        dweight[...] = _few_sums(terms)
        return
    sums = _Sums(x.shape, x.dtype)
    for here, change in pieces(x.shape, _change(weight)):
        mask = _mask(x[here])
        terms = grad[here] * x[here]
        np.bitwise_and(terms.view(mask.dtype), mask, out=terms.view(mask.dtype))
        np.multiply(grad[here], _factor(mask, change, x), out=dx[here])
        sums.add(here, terms)
    dweight[...] = sums.total()


@quiet
def _bias_leaky_relu_backward(grad: Array, y: Array, numbers: Sequence[Any], dx: Array, dbias: Array) -> None:
    if dx.size <= SMALL:
        dx[...] = reference.gradient_from_output(grad, y, *numbers)
        dbias[...] = rounded(_few_sums(wide(dx)), dbias.dtype)
        return
    sums = _Sums(dx.shape, wide(dbias).dtype)
    for here, _ in pieces(dx.shape, dbias):
        dx[here] = reference.gradient_from_output(grad[here], y[here], *numbers)
        sums.add(here, wide(dx[here]))
    dbias[...] = rounded(sums.total(), dbias.dtype)


class _Sums:
    """The ordered sums of an array's channels, from its terms in pieces."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        outer, channels, inner = shape
        self.n = outer * inner
        self.blocks = np.zeros((channels, -(-self.n // CHUNK), CHUNK // BLOCK))
        self.done, self.rest = 0, np.zeros((0, 0), dtype)  # blocks done of these channels; terms of the next block

    def add(self, here: tuple[slice, slice, slice], terms: Array) -> None:
        """Add the next piece."""
        own = self.blocks[here[1]].reshape(terms.shape[1], -1)
        terms = terms.swapaxes(0, 1).reshape(len(own), -1)
        last = self.done * BLOCK + self.rest.shape[1] + terms.shape[1] == self.n
        fill = -self.n % BLOCK if last else 0
        if fill or self.rest.size:
            rest = self.rest.reshape(len(own), -1)
            terms = np.concatenate((rest, terms, np.zeros((len(own), fill), terms.dtype)), axis=1)
        whole = terms.shape[1] // BLOCK
        end = whole * BLOCK
        sums = _block_sums(terms[:, :end].reshape(len(own), whole, STEPS, LANES))
        own[:, self.done : self.done + whole] = sums
        self.done, self.rest = 0 if last else self.done + whole, terms[:, end:]

    def total(self) -> Array:
        """Return the sums in float64."""
        return _in_order(_in_order(self.blocks))


def _few_sums(terms: Array) -> Array:
    """Return the ordered sums of an array of one piece and one chunk."""
    outer, channels, inner = terms.shape
    n = outer * inner
    blocks, steps = max(1, -(-n // BLOCK)), max(1, min(STEPS, -(-n // LANES)))  # a short block may stop
    filled = np.zeros((channels, blocks * steps * LANES), terms.dtype)
    filled[:, :n] = terms.swapaxes(0, 1).reshape(channels, n)
    return _in_order(_block_sums(filled.reshape(channels, blocks, steps, LANES)))


def _in_order(sums: Array) -> Array:
    """Add along the last axis in float64. No block sum is -0, so starting with the first equals starting at +0."""
    return np.add.accumulate(sums, axis=-1, dtype=np.float64)[..., -1]


def _room(out: Array, needed: Array) -> Array:
    """Return a temporary: ``out`` itself, which saves memory traffic, unless it overlaps what is ``needed``."""
    return np.empty_like(out) if np.may_share_memory(out, needed) else out


def _mask(x: Array) -> Array:
    """Return integers of the size of ``x``: 0 where it is positive, else -1."""
    positive = (x > 0).view(np.int8)
    positive -= 1
    return np.asarray(positive, f"i{x.itemsize}")


def _change(weight: Array) -> Array:
    """Return the bits in which each slope differs from 1."""
    bits = f"i{weight.itemsize}"
    change: Array = weight.view(bits) ^ np.ones(1, weight.dtype).view(bits)
    return change


def _factor(mask: Array, change: Array, like: Array) -> Array:
    """Return 1 where the mask is 0, else the slope; overwrites the mask."""
    mask &= change
    mask ^= np.ones(1, like.dtype).view(mask.dtype)
    factor: Array = mask.view(like.dtype)
    return factor


def _block_sums(terms: Array) -> Array:
    """Sum terms of the shape (rows, blocks, steps, LANES) to (rows, blocks)."""
    in_rows = terms.strides[-1] == terms.itemsize  # not if channels are last
    if in_rows and terms.size > SMALL:
        # twice as fast: LANES numbers are transposed as one item, so that long rows are added
        items = terms.view(f"V{LANES * terms.itemsize}").transpose(2, 0, 1, 3)
        lanes = np.add.reduce(np.ascontiguousarray(items).view(terms.dtype), axis=0, initial=0)
    else:
        lanes = np.add.reduce(terms, axis=2, initial=0)
    lanes = lanes.transpose(2, 0, 1)
    if in_rows:
        lanes = np.ascontiguousarray(lanes)
    while len(lanes) > 1:  # NumPy adds in order along all axes but the innermost
        half = len(lanes) // 2
        lanes = lanes[:half] + lanes[half:]
    return np.asarray(lanes[0])
