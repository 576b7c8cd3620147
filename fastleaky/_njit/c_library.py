"""What LLVM is told of the C library.

Numba's cache on disk outlives the process. So compiled code refers to the C functions by name, and reads the address of
the chosen instruction set where it stands. In a process without C that is 0, and the functions are not called.
"""

import ctypes

import llvmlite.binding as llvm
from numba.core import types

from fastleaky._backends import native
from fastleaky._operations import OPERATIONS, TYPES

NAMES = dict(zip((types.float32, types.float64), TYPES, strict=False))  # Numba has no other of ours on CPUs
CHOSEN_ISA = "fl_chosen_isa"

_no_isa = ctypes.c_size_t(0)


def publish() -> None:
    """Tell LLVM where the functions and the instruction set are."""
    for name in (CHOSEN_ISA, *(f"fl_{name}_{type_}" for name in OPERATIONS for type_ in NAMES.values())):
        llvm.add_symbol(name, _address(name))


def _address(name: str) -> int:
    try:
        module = native.extension()
    except ImportError:  # without an address, cached code that needs it could not be loaded
        return ctypes.addressof(_no_isa)
    address: int = module.fl_chosen_isa_address() if name == CHOSEN_ISA else module.addresses[name]
    return address
