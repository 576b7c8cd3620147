"""The vector operations of the Numba kernels, on LANES numbers or one, and how kernels are compiled.

With scalar loops over arrays of lanes and terms, prelu_backward took 2 to 5 times as long as C.
"""

import platform
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

from fastleaky.reference import LANES

Kernel = Callable[..., Any]

HAS_NONTEMPORAL = platform.machine().lower() in {"x86_64", "amd64", "i386", "i686"}  # their non-temporal stores pay

primitive: Callable[[Kernel], Any] = intrinsic  # Numba's annotation gives the result the arguments of the maker


def jit(function: Kernel, signature: Any = None, *, parallel: bool = False) -> Any:
    """Compile a kernel for a signature; or, without one, a function of kernels, without an entry from Python."""
    inner = signature is None  # an entry from Python costs 20 % of the compile time
    njit: Any = numba.njit
    options = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": False,  # this and the next would be the caller's, where a user's function calls the kernel
        "forceinline": False,
        "parallel": parallel,
        "no_cpython_wrapper": inner,
        "no_cfunc_wrapper": inner,
    }
    try:
        return njit(signature, cache=True, **options)(function)
    except RuntimeError:  # no directory for the cache is writable
        return njit(signature, **options)(function)


class Lanes(types.Type):
    """A vector of LANES numbers in LLVM, which splits it into the registers of the processor."""

    def __init__(self, number: Any) -> None:
        super().__init__(f"Lanes({number})")
        self.number = number


class _Vector(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            manager, lanes, ir.VectorType(manager.lookup(lanes.number).get_value_type(), LANES)
        )


register_model(Lanes)(_Vector)


def _positive(builder: Any, x: Any) -> Any:
    return builder.fcmp_ordered(">", x, ir.Constant(x.type, None))


def _shuffled(builder: Any, vector: Any, order: list[int]) -> Any:
    return builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order))


def _place(context: Any, builder: Any, signature: Any, values: Any) -> tuple[Any, int]:
    """Return the address of element ``values[1]``, as a pointer to the third argument's type, and its alignment."""
    kind = context.get_value_type(signature.args[2])
    return _address(context, builder, signature, values, kind), signature.args[0].dtype.bitwidth // 8


def _address(context: Any, builder: Any, signature: Any, values: Any, kind: Any) -> Any:
    data = context.make_array(signature.args[0])(context, builder, values[0]).data
    return builder.bitcast(builder.gep(data, [values[1]]), kind.as_pointer())


@primitive
def load(_: Any, array: Any, _at: Any, like: Any) -> Any:
    """Load one number or LANES of them, as `like` is."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address, alignment = _place(context, builder, signature, values)
        return builder.load(address, align=alignment)

    return like(array, types.intp, like), emit


@primitive
def load_each(_: Any, rows: Any, _at: Any, like: Any) -> Any:
    """Load from each of several arrays."""
    row = rows.dtype
    one = like(row, types.intp, like)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        loaded = []
        for i in range(rows.count):
            array = builder.extract_value(values[0], i)
            address, alignment = _place(context, builder, one, (array, *values[1:]))
            loaded.append(builder.load(address, align=alignment))
        return context.make_tuple(builder, signature.return_type, loaded)

    return types.UniTuple(like, rows.count)(rows, types.intp, like), emit


@primitive
def store(_: Any, array: Any, _at: Any, value: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address, alignment = _place(context, builder, signature, values)
        builder.store(values[2], address, align=alignment)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), emit


@primitive
def store_nontemporal(_: Any, array: Any, _at: Any, value: Any) -> Any:
    """Store with a non-temporal hint; the address is a multiple of 16 bytes."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address, _ = _place(context, builder, signature, values)
        mark = builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)])
        builder.store(values[2], address, align=16).set_metadata("nontemporal", mark)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), emit


@primitive
def prefetch(_: Any, array: Any, _at: Any) -> Any:
    """Prefetch the cache line of an element, which may be beyond the end."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        byte, number = ir.IntType(8), ir.IntType(32)
        pointer = byte.as_pointer()
        intrinsic_ = builder.module.declare_intrinsic(
            "llvm.prefetch", (pointer,), ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        )
        to_read, to_keep, data_cache = (ir.Constant(number, argument) for argument in (0, 3, 1))
        address = _address(context, builder, signature, values, byte)
        builder.call(intrinsic_, [address, to_read, to_keep, data_cache])
        return context.get_dummy_value()

    return types.void(array, types.intp), emit


@primitive
def fence(_: Any) -> Any:
    """Order the non-temporal stores before all that follow."""

    def emit(context: Any, builder: Any, _: Any, __: Any) -> Any:
        if HAS_NONTEMPORAL:
            nothing = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse.sfence", (), nothing), [])
        return context.get_dummy_value()

    return types.void(), emit


@primitive
def mul(_: Any, a: Any, b: Any) -> Any:
    return a(a, b), lambda _, builder, __, values: builder.fmul(*values)


@primitive
def add(_: Any, a: Any, b: Any) -> Any:
    return a(a, b), lambda _, builder, __, values: builder.fadd(*values)


@primitive
def select(_: Any, x: Any, a: Any, b: Any) -> Any:
    """``x > 0 ? a : b``."""
    return a(x, a, b), lambda _, builder, __, values: builder.select(_positive(builder, values[0]), *values[1:])


@primitive
def clamp(_: Any, value: Any, limit: Any) -> Any:
    """``value``, but at most `limit` and at least ``-limit``; ``value`` where either is NaN."""

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        value, limit = values
        value = builder.select(builder.fcmp_ordered(">", value, limit), limit, value)
        least = builder.fneg(limit)
        return builder.select(builder.fcmp_ordered("<", value, least), least, value)

    return value(value, limit), emit


@primitive
def within(_: Any, value: Any, limit: Any, a: Any) -> Any:
    """``abs(value) >= limit ? 0 : a``."""

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        value, limit, a = values
        above = builder.fcmp_ordered(">=", value, limit)
        below = builder.fcmp_ordered("<=", value, builder.fneg(limit))
        return builder.select(builder.or_(above, below), ir.Constant(a.type, None), a)

    return a(value, limit, a), emit


@primitive
def zero(_: Any, like: Any) -> Any:
    return like(like), lambda _, __, ___, values: ir.Constant(values[0].type, None)


@primitive
def rounded(_: Any, number: Any, array: Any) -> Any:
    """Round a number to the type of an array."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return context.cast(builder, values[0], number, signature.return_type)

    return array.dtype(number, array), emit


@primitive
def splat(_: Any, number: Any) -> Any:
    """Copy a number to every lane."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _splat(context, builder, signature.return_type, values[0])

    return Lanes(number)(number), emit


@primitive
def splat_each(_: Any, numbers: Any) -> Any:
    """Copy each of several numbers to every lane of a vector of its own."""
    lanes = Lanes(numbers.dtype)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        many = [_splat(context, builder, lanes, builder.extract_value(values[0], i)) for i in range(numbers.count)]
        return context.make_tuple(builder, signature.return_type, many)

    return types.UniTuple(lanes, numbers.count)(numbers), emit


def _splat(context: Any, builder: Any, lanes: Lanes, number: Any) -> Any:
    nothing = ir.Constant(context.get_value_type(lanes), ir.Undefined)
    return _shuffled(builder, builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0)), [0] * LANES)


@primitive
def reduce_add(_: Any, lanes: Any) -> Any:
    """Add the upper half of the lanes to the lower half, until one is left."""

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        vector, half = values[0], LANES // 2
        while half:
            low, high = list(range(half)), list(range(half, 2 * half))
            vector, half = builder.fadd(_shuffled(builder, vector, low), _shuffled(builder, vector, high)), half // 2
        return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    return lanes.number(lanes), emit


@primitive
def opaque(_: Any, _number: Any) -> Any:
    """Hide a constant from LLVM, which would unroll the loop fully and run out of registers."""

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        kind = values[0].type
        return builder.asm(ir.FunctionType(kind, [kind]), "", "=r,0", values, side_effect=False)

    return types.intp(types.intp), emit
