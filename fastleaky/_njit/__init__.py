"""The operations inside a user's @njit. Numba calls `init`, our entry point for it, before it compiles anything."""


def init() -> None:
    """Tell Numba of the operations, and LLVM of their functions in C."""
    from fastleaky._njit import c_library, overloads

    c_library.publish()
    overloads.publish()
