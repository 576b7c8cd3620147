"""The public quantized operations: layers that are called many times, and functions that use a layer once."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastleaky._arguments import array, check_output, varying_axes
from fastleaky._layout import fast_path, plan
from fastleaky._typing import Array, ArrayLike
from fastleaky.quantized import _parameters as check
from fastleaky.quantized._layer import Layer
from fastleaky.quantized._selftest import integers


def leaky_relu(
    q: ArrayLike,
    negative_slope: float,
    *,
    input_scale: float,
    input_zero_point: int,
    output_scale: float,
    output_zero_point: int,
    rounding: str = "tflite",
    out: Array | None = None,
) -> Array:
    """Leaky ReLU of quantized numbers, rounded as the engine named by `rounding` rounds it.

    Parameters
    ----------
    q : array_like
        int8, uint8 or int16, of any shape and layout. An element stands for ``input_scale * (q - input_zero_point)``.
    negative_slope : float
        The slope for everything that is not positive: any finite number, also negative or above 1.
    input_scale, output_scale : float
        What one step of `q`, and of the result, stands for: positive and finite, and rounded to float32.
    input_zero_point, output_zero_point : int
        Which integer stands for zero: one of the type of `q`, and of int16 always 0.
    rounding : {"tflite", "tflite-single", "xnnpack"}, default "tflite"
        Whose bits to compute: see :mod:`fastleaky.quantized`.
    out : ndarray, optional
        Where to write: an array of the shape and type of `q`. It may be `q` itself, or overlap it in any way.

    Returns
    -------
    ndarray
        `out`, or a new array with the shape, type and memory order of `q`. What its type cannot hold becomes the
        smallest or the largest number that it can.

    Raises
    ------
    TypeError
        If an argument has a type other than said above.
    ValueError
        If a scale or a zero point is out of range, `rounding` is unknown or does not exist for the type of `q`, or
        `out` has another shape than `q` or is read-only. Also if ``input_scale / output_scale``, or that times
        `negative_slope`, is too large: for 8 bits ``2**22`` or more, for int16 ``2**15`` or more; XNNPACK's factors are
        at least 1/256, and at most 128.

    Notes
    -----
    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013; Jacob et al.,
    "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018.
    :class:`LeakyReLU` is the same for many calls.
    The specification is :func:`fastleaky.quantized.reference.leaky_relu`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastleaky import quantized
    >>> q = np.array([-128, -20, 0, 100], np.int8)
    >>> quantized.leaky_relu(q, 0.1, input_scale=0.5, input_zero_point=0, output_scale=0.25, output_zero_point=-10)
    array([-36, -14, -10, 127], dtype=int8)
    """
    layer = LeakyReLU(
        negative_slope,
        _quantized("quantized.leaky_relu", q).dtype,
        input_scale=input_scale,
        input_zero_point=input_zero_point,
        output_scale=output_scale,
        output_zero_point=output_zero_point,
        rounding=rounding,
    )
    return layer(q, out)


def prelu(
    q: ArrayLike,
    weight: ArrayLike,
    *,
    input_scale: float,
    input_zero_point: int,
    weight_scale: float,
    weight_zero_point: int,
    output_scale: float,
    output_zero_point: int,
    axis: int = 1,
    rounding: str = "tflite",
    out: Array | None = None,
) -> Array:
    """PReLU of quantized numbers, with quantized slopes.

    Parameters
    ----------
    q : array_like
        As for :func:`leaky_relu`.
    weight : array_like
        The slopes: of the type of `q`, or int8 if that is int16. An element stands for
        ``weight_scale * (weight - weight_zero_point)``. Shapes are as for :func:`fastleaky.prelu`: one element is
        shared by all of `q`; a 1-d array has a slope for each place along `axis` of `q`; an array with as many
        dimensions as `q` broadcasts to it, as in NumPy.
    input_scale, weight_scale, output_scale : float
        What one step stands for: positive and finite, and rounded to float32.
    input_zero_point, weight_zero_point, output_zero_point : int
        Which integer stands for zero: one of the type concerned, and of int16 always 0.
    axis : int, default 1
        The channel axis of `q`: -1 for NHWC, as TensorFlow Lite has it, 1 for NCHW. Looked at only for a 1-d weight of
        several values and a `q` of several dimensions.
    rounding : {"tflite", "tflite-single"}, default "tflite"
        Whose bits to compute: see :mod:`fastleaky.quantized`.
    out : ndarray, optional
        Where to write: an array of the shape and type of `q`. It may be `q` itself, or overlap any input in any way.

    Returns
    -------
    ndarray
        As for :func:`leaky_relu`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`leaky_relu`; also if `weight` has another type or shape than said above, or `axis` is out of
        range. ``input_scale * weight_scale / output_scale`` must be less than ``2**14``, for int16 less than ``2**7``.

    Notes
    -----
    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015; Jacob et al., "Quantization and Training of Neural
    Networks for Efficient Integer-Arithmetic-Only Inference", 2018.
    :class:`PReLU` is the same for many calls.
    The specification is :func:`fastleaky.quantized.reference.prelu`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastleaky import quantized
    >>> q, weight = np.array([[100, -100, -100]], np.int8), np.array([1, 1, 50], np.int8)
    >>> scales = {"input_scale": 0.5, "weight_scale": 0.01, "output_scale": 0.5}
    >>> zero_points = {"input_zero_point": 0, "weight_zero_point": 0, "output_zero_point": 0}
    >>> quantized.prelu(q, weight, **scales, **zero_points)
    array([[100,  -1, -50]], dtype=int8)
    """
    layer = PReLU(
        weight,
        _quantized("quantized.prelu", q).dtype,
        input_scale=input_scale,
        input_zero_point=input_zero_point,
        weight_scale=weight_scale,
        weight_zero_point=weight_zero_point,
        output_scale=output_scale,
        output_zero_point=output_zero_point,
        axis=axis,
        rounding=rounding,
    )
    return layer(q, out)


class _Applicable(Layer):
    """A layer that can be called."""

    name: str
    axis = 1

    def __call__(self, q: ArrayLike, out: Array | None = None) -> Array:
        """Apply the layer to an array of its type; `out` is as for the function."""
        op, compute = self.name, integers()
        regular = fast_path(q, out, self.dtype)
        if regular and self.weight is None:
            compute(self, *regular)
            return regular[1]
        qs = regular[0] if regular else _quantized(op, q, self.dtype)
        varying = () if self.weight is None else varying_axes(op, "weight", self.weight, qs, self.axis)
        layout = plan(qs.shape, qs.strides, varying, ordered=False)
        if regular and layout.in_c_order:
            compute(self, *(one.reshape(layout.shape) for one in regular))
            return regular[1]
        check_output(op, "out", out, qs, "q")
        dense = layout.dense(qs)
        target = layout.target(out, [dense])
        compute(self, dense, target)
        return layout.result(target, out, q)


class LeakyReLU(_Applicable):
    """A layer of quantized leaky ReLUs: its arguments are checked once, and its table is computed once.

    Parameters
    ----------
    negative_slope, input_scale, input_zero_point, output_scale, output_zero_point, rounding
        As for :func:`leaky_relu`.
    dtype : data type
        int8, uint8 or int16.

    Attributes
    ----------
    dtype : dtype
        The type of data.
    parameters : dict
        The other arguments, by their names.
    factors : tuple of float32
        What positive numbers are multiplied by, and what others are.
    table : ndarray
        The result for each number, in the order of the numbers' bits: 256 of them, or 65,536.

    Raises
    ------
    TypeError, ValueError
        As for :func:`leaky_relu`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastleaky import quantized
    >>> scales = {"input_scale": 0.5, "output_scale": 0.25}
    >>> layer = quantized.LeakyReLU(0.1, "int8", input_zero_point=0, output_zero_point=-10, **scales)
    >>> layer(np.array([-128, -20, 0, 100], np.int8))
    array([-36, -14, -10, 127], dtype=int8)
    """

    name = "quantized.leaky_relu"

    def __init__(
        self,
        negative_slope: float,
        dtype: Any,
        *,
        input_scale: float,
        input_zero_point: int,
        output_scale: float,
        output_zero_point: int,
        rounding: str = "tflite",
    ) -> None:
        type_ = check.element_type(self.name, "dtype is", dtype)
        parameters = check.numbers(
            self.name,
            type_,
            negative_slope=negative_slope,
            input_scale=input_scale,
            input_zero_point=input_zero_point,
            output_scale=output_scale,
            output_zero_point=output_zero_point,
        )
        roundings = check.TFLITE if type_ == check.INT16 else check.TFLITE + check.XNNPACK
        parameters["rounding"] = check.rounding(self.name, rounding, roundings, type_)
        super().__init__(type_, parameters)
        bits = check.BITS[type_]
        check.factors(self.name, "negative_slope", (bits, bits), self)


class PReLU(_Applicable):
    """A layer of quantized PReLUs: its arguments are checked once, and for 8 bits its tables are computed once.

    Parameters
    ----------
    weight : array_like
        As for :func:`prelu`; it is copied.
    dtype : data type
        int8, uint8 or int16.
    input_scale, input_zero_point, weight_scale, weight_zero_point, output_scale, output_zero_point, axis, rounding
        As for :func:`prelu`.

    Attributes
    ----------
    dtype : dtype
        The type of data.
    weight, axis, parameters
        The other arguments; the scales, zero points and the rounding by their names.
    factors : tuple of float32
        What positive numbers are multiplied by; and others, besides their slope.
    tables : ndarray
        The results for each number, in the order of the numbers' bits: for 8 bits a row for each slope that occurs; for
        int16 one row, with the results for a slope of 0.

    Raises
    ------
    TypeError, ValueError
        As for :func:`prelu`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastleaky import quantized
    >>> scales = {"input_scale": 0.5, "weight_scale": 0.01, "output_scale": 0.5}
    >>> zero_points = {"input_zero_point": 0, "weight_zero_point": 0, "output_zero_point": 0}
    >>> layer = quantized.PReLU(np.array([1, 1, 50], np.int8), "int8", **scales, **zero_points)
    >>> layer(np.array([[100, -100, -100]], np.int8))
    array([[100,  -1, -50]], dtype=int8)
    """

    name = "quantized.prelu"

    def __init__(
        self,
        weight: ArrayLike,
        dtype: Any,
        *,
        input_scale: float,
        input_zero_point: int,
        weight_scale: float,
        weight_zero_point: int,
        output_scale: float,
        output_zero_point: int,
        axis: int = 1,
        rounding: str = "tflite",
    ) -> None:
        type_ = check.element_type(self.name, "dtype is", dtype)
        weights, weight_type = array(self.name, "weight", weight), check.weight_type(type_)
        if weights.dtype != weight_type:
            raise TypeError(f"{self.name}: weight has type {weights.dtype}; for {type_} data it must be {weight_type}")
        parameters = check.numbers(
            self.name,
            type_,
            input_scale=input_scale,
            input_zero_point=input_zero_point,
            output_scale=output_scale,
            output_zero_point=output_zero_point,
        )
        parameters |= check.numbers(
            self.name, weight_type, weight_scale=weight_scale, weight_zero_point=weight_zero_point
        )
        parameters["rounding"] = check.rounding(self.name, rounding, check.TFLITE, type_)
        weights, self.axis = np.array(weights, order="C"), axis
        weights.flags.writeable = False
        super().__init__(type_, parameters, weights)
        bits = check.BITS[type_]
        check.factors(self.name, "weight_scale", (bits, bits + check.BITS[weight_type]), self)


def _quantized(op: str, q: ArrayLike, dtype: np.dtype[Any] | None = None) -> Array:
    """Return `q` as an ndarray of a quantized type, in its byte order."""
    qs = array(op, "q", q)
    native = check.element_type(op, "q has type", qs.dtype)
    if dtype not in (None, native):
        raise TypeError(f"{op}: q has type {qs.dtype}; this layer is for {dtype}")
    return qs
