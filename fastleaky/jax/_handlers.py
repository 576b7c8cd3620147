"""The kernels as XLA calls them: their registration, and their call in a JAX program."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from typing import Any

from fastleaky._backends import native
from fastleaky._extras import extra
from fastleaky._operations import OPERATIONS

with extra("jax"):
    import jax
    import jaxlib.version


def check_interface(header: str) -> None:
    """Check the version of XLA's interface to foreign functions; an ImportError names it if we do not know it.

    XLA checks it too, but only when it starts, and then no CPU is left to JAX. A new minor version is compatible.
    """
    version = re.findall(r"^#define XLA_FFI_API_(?:MAJOR|MINOR) (\d+)$", header, re.MULTILINE)
    if not (0, 1) <= tuple(map(int, version)) < (1,):
        raise ImportError(
            f"fastleaky.jax knows the versions 0.1 to 0.3 of XLA's interface to foreign functions, and can use a later "
            f"0.x; jaxlib {jaxlib.version.__version__} has version {'.'.join(version) or 'unknown'}"
        )


def call(name: str, formula: Callable[..., Any], *arguments: Any) -> Any:
    """Apply an operation: its kernel on CPUs; on other platforms its formula, in JAX's own operations."""
    results = jax.eval_shape(formula, *arguments)
    kernel = jax.ffi.ffi_call(f"fastleaky_{name}", results, vmap_method="broadcast_all")
    return jax.lax.platform_dependent(*arguments, cpu=kernel, default=formula)


def register() -> None:
    """Register the handler of each operation."""
    try:
        library = native.extension()
    except ImportError as error:
        raise ImportError(f"fastleaky.jax needs the C kernels: {error}") from error
    for number, name in enumerate(OPERATIONS):
        handler = jax.ffi.pycapsule(library.fl_xla_handler(number))
        jax.ffi.register_ffi_target(f"fastleaky_{name}", handler, platform="cpu")


if not hasattr(jax, "ffi"):
    raise ImportError(f"fastleaky.jax needs JAX 0.5 or later; this is {jax.__version__}")
with (
    contextlib.suppress(FileNotFoundError),  # a package without headers: XLA alone checks
    open(os.path.join(jax.ffi.include_dir(), "xla", "ffi", "api", "c_api.h"), encoding="utf-8") as _file,
):
    check_interface(_file.read())
register()
