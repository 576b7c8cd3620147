"""The kernels as XLA calls them: their registration, and their call in a JAX program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastleaky._backends import native
from fastleaky._extras import extra
from fastleaky._operations import OPERATIONS

with extra("jax"):
    import jax
    import jaxlib.version

KNOWN = "0.1 to 0.3"  # see xla_ffi.h


def register(name: str, address: int) -> None:
    """Register the handler at an address; an ImportError if the installed XLA does not support its interface."""
    try:
        jax.ffi.register_ffi_target(f"fastleaky_{name}", jax.ffi.pycapsule(address), platform="cpu")
    except Exception as error:
        raise ImportError(
            f"fastleaky.jax knows the versions {KNOWN} of XLA's interface to foreign functions; "
            f"jaxlib {jaxlib.version.__version__} has another: {error}"
        ) from error


def call(name: str, formula: Callable[..., Any], *arguments: Any) -> Any:
    """Apply an operation: its kernel on CPUs; on other platforms its formula, in JAX's own operations."""
    results = jax.eval_shape(formula, *arguments)
    kernel = jax.ffi.ffi_call(f"fastleaky_{name}", results, vmap_method="broadcast_all")
    return jax.lax.platform_dependent(*arguments, cpu=kernel, default=formula)


for _number, _name in enumerate(OPERATIONS):
    register(_name, native.extension().lib.fl_xla_handler(_number))
