"""The NumPy backend: the specification's bits, a piece that fits a cache at a time.

No pass chooses or branches, since on random signs that costs as much as ten multiplications. Instead the signs become
the bits of a factor, which is 1 or the slope: a number times 1 is itself.
"""

from collections.abc import Iterator

import numpy as np

from fastleaky import reference
from fastleaky._typing import Array
from fastleaky.reference import BLOCK, CHUNK, LANES, quiet

PIECE = 1 << 18  # elements: with fewer the calls cost more, some microseconds each; more would leave a cache of 4 MB
RUN = 512  # elements that lie together in a piece, if that can be: each run costs a pass 10 ns more

EIGHT_SIGNS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1).astype(bool)


@quiet
def leaky_relu(x: Array, slope: float, out: Array) -> None:
    """Write ``leaky_relu(x)``."""
    row, number = (1, 1, x.size), x.dtype.type(slope)
    if number > 0:
        prelu(x.reshape(row), np.full(1, number), out.reshape(row))
    else:
        leaky_relu_backward(x, x, slope, out)


@quiet
def leaky_relu_backward(grad: Array, x: Array, slope: float, dx: Array) -> None:
    """Write ``leaky_relu_backward(grad, x)``: the factors of eight elements at a time come from a table."""
    factors = np.where(EIGHT_SIGNS, x.dtype.type(1), x.dtype.type(slope))
    grad, x, dx = grad.reshape(-1), x.reshape(-1), dx.reshape(-1)
    end = x.size // 8 * 8
    dx[end:] = reference.leaky_relu_backward(grad[end:], x[end:], slope)
    positive = np.empty(min(PIECE, end), bool)  # once: new memory costs as much as a pass
    for start in range(0, end, PIECE):
        here = slice(start, min(start + PIECE, end))
        factor = _room(dx[here], grad[here])
        signs = np.packbits(np.greater(x[here], 0, out=positive[: here.stop - start]))
        factors.take(signs, axis=0, out=factor.reshape(-1, 8), mode="clip")
        np.multiply(grad[here], factor, out=dx[here])


@quiet
def prelu(x: Array, weight: Array, out: Array) -> None:
    """Write ``prelu(x)``."""
    low, high = weight.min(initial=np.inf), weight.max(initial=-np.inf)
    if low > 0 and (high <= 1 or low >= 1):  # then the answer is the larger, or the smaller, of two
        choose = np.maximum if high <= 1 else np.minimum
        for here, slope in _walk(x.shape, weight):
            scaled = np.multiply(slope, x[here], out=_room(out[here], x[here]))
            choose(x[here], scaled, out=out[here])
    else:
        for here, change in _walk(x.shape, _change(weight)):
            np.multiply(x[here], _factor(_mask(x[here]), change, x), out=out[here])


@quiet
def prelu_backward(grad: Array, x: Array, weight: Array, dx: Array, dweight: Array) -> None:
    """Write ``prelu_backward(grad, x)``."""
    outer, channels, inner = x.shape
    n, chunks = outer * inner, max(1, -(-outer * inner // CHUNK))
    sums = np.zeros((channels, chunks, CHUNK // BLOCK))  # of blocks
    done, rest = 0, np.zeros((0, 0), x.dtype)  # whole blocks of these channels; terms that do not fill one yet
    for here, change in _walk(x.shape, _change(weight)):
        mask = _mask(x[here])
        terms = grad[here] * x[here]
        np.bitwise_and(terms.view(mask.dtype), mask, out=terms.view(mask.dtype))
        np.multiply(grad[here], _factor(mask, change, x), out=dx[here])

        own = sums[here[1]].reshape(terms.shape[1], -1)
        terms = terms.swapaxes(0, 1).reshape(len(own), -1)
        if rest.size:
            terms = np.concatenate((rest, terms), axis=1)
        last = done * BLOCK + terms.shape[1] == n
        if last and n % BLOCK:
            terms = np.pad(terms, ((0, 0), (0, -n % BLOCK)))
        whole = terms.shape[1] // BLOCK
        own[:, done : done + whole] = _block_sums(terms[:, : whole * BLOCK])
        done, rest = 0 if last else done + whole, terms[:, whole * BLOCK :]
    # No sum of a block is -0, so to start with the first is to add it to +0.
    dweight[...] = np.add.accumulate(np.add.accumulate(sums, axis=2)[..., -1], axis=1)[:, -1]


def _room(out: Array, needed: Array) -> Array:
    """Where to put what comes in between: in ``out`` itself, which saves memory traffic, unless that is an input."""
    return np.empty_like(out) if np.may_share_memory(out, needed) else out


def _mask(x: Array) -> Array:
    """Integers of the size of ``x``: 0 where it is positive, else -1, which is all bits."""
    positive = (x > 0).view(np.int8)
    positive -= 1
    return np.asarray(positive, f"i{x.itemsize}")


def _change(weight: Array) -> Array:
    """By which bits each slope differs from 1."""
    bits = f"i{weight.itemsize}"
    change: Array = weight.view(bits) ^ np.ones(1, weight.dtype).view(bits)
    return change


def _factor(mask: Array, change: Array, like: Array) -> Array:
    """1 where the mask is 0, else the slope; the mask is overwritten."""
    mask &= change
    mask ^= np.ones(1, like.dtype).view(mask.dtype)
    factor: Array = mask.view(like.dtype)
    return factor


def _walk(shape: tuple[int, ...], row: Array, piece: int = PIECE) -> Iterator[tuple[tuple[slice, slice, slice], Array]]:
    """Go through an array, some channels at a time, each channel's elements in order.

    For each piece come its place and what belongs to it of ``row``, which has something for each channel.
    """
    outer, channels, inner = shape
    if not outer * channels * inner:
        return
    width = min(inner, piece)
    together = min(channels, max(1, max(RUN, piece // outer) // inner))
    rows = min(outer, max(1, piece // (together * width)))
    for c in range(0, channels, together):
        group = slice(c, c + together)
        wide = row[group].reshape(1, -1, 1)
        if inner < RUN and wide.size > 1:  # else NumPy would go through a piece in runs of `inner`
            wide = np.repeat(np.repeat(wide, inner, axis=2), rows, axis=0)
        for o in range(0, outer, rows):
            for i in range(0, inner, width):
                yield (slice(o, o + rows), group, slice(i, i + width)), wide[: outer - o]


def _block_sums(terms: Array) -> Array:
    """Sum each row of ``terms``, block by block."""
    steps = terms.reshape(len(terms), -1, BLOCK // LANES, LANES)
    in_rows = terms.strides[1] == terms.itemsize
    if in_rows:  # LANES numbers move as one item, to where long runs of them are added: that is twice as fast
        items = steps.view(f"V{LANES * terms.itemsize}").transpose(2, 0, 1, 3)
        lanes = np.add.reduce(np.ascontiguousarray(items).view(terms.dtype), axis=0, initial=0)
        lanes = np.ascontiguousarray(np.moveaxis(lanes, -1, 0))
    else:  # channels last
        lanes = np.moveaxis(np.add.reduce(steps, axis=2, initial=0), -1, 0)
    while len(lanes) > 1:  # the reductions above add in order, as NumPy does along all but the innermost axis
        half = len(lanes) // 2
        lanes = lanes[:half] + lanes[half:]
    return np.asarray(lanes[0])
