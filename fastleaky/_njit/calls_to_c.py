"""How compiled code calls the C library."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import register_jitable

from fastleaky._backends.numba_intrinsics import primitive
from fastleaky._njit.c_library import CHOSEN_ISA, NAMES
from fastleaky._operations import Operation

NO_C = (
    "fastleaky: this function was compiled for the C kernels, and comes from Numba's cache; but there are none here "
    "any longer. Delete the cache (the .nbi and .nbc files in __pycache__)."
)


@primitive
def isa(_: Any) -> Any:
    """Read the chosen instruction set."""

    def emit(context: Any, builder: Any, _: Any, __: Any) -> Any:
        module, word = builder.module, context.get_value_type(types.uintp)
        return builder.load(module.globals.get(CHOSEN_ISA) or ir.GlobalVariable(module, word, CHOSEN_ISA))

    return types.uintp(), emit


@register_jitable
def ready() -> None:
    """Raise an error if there is no C any longer."""
    if isa() == 0:
        raise RuntimeError(NO_C)


def runner(operation: Operation) -> Any:
    """Return what calls the C function of an operation; its arrays are dense."""

    @primitive
    def call(_: Any, isa: Any, arrays: Any, shape: Any, numbers: Any) -> Any:
        element = arrays[0].dtype

        def emit(context: Any, builder: Any, _: Any, values: Any) -> Any:
            isa, *tuples = values
            given, sizes, parameters = [cgutils.unpack_tuple(builder, value) for value in tuples]
            pointers = [
                builder.ptrtoint(context.make_array(kind)(context, builder, array).data, isa.type)
                if isinstance(kind, types.Array)
                else isa.type(0)
                for kind, array in zip(arrays, given, strict=True)
            ]
            rounded = [context.cast(builder, *number, element) for number in zip(parameters, numbers, strict=True)]
            arguments = [isa, *pointers, *(sizes if operation.has_channels else sizes[2:]), *rounded]
            kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
            name = f"fl_{operation.name}_{NAMES[element]}"
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)
            return context.get_dummy_value()

        return types.void(isa, arrays, shape, numbers), emit

    @register_jitable
    def run(arrays: Any, shape: Any, numbers: Any) -> None:
        call(isa(), arrays, shape, numbers)

    return run
