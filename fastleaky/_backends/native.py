"""The C backend, by functions made of the C headers at build time, and those with a fast path to it (entry.c)."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from fastleaky._backends import threads
from fastleaky._dtypes import name_in_c
from fastleaky._operations import OPERATIONS, TYPES, Operation
from fastleaky._typing import Array, Parameter
from fastleaky.reference import HALF, NUMPY_2

if TYPE_CHECKING:
    from fastleaky.quantized._layer import Layer

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(HERE)
NOT_COMPILED = (
    "fastleaky was installed without its compiled module: there was no working C compiler or no Python.h then "
    "(pip install -v tells which)"
)
INTEGERS = {"b": "i8", "B": "u8", "h": "i16"}  # names in C by type character


class SourceFolderError(ImportError):
    """Python imported the source folder, for which there is no compiled module."""


@functools.cache
def extension() -> ModuleType:
    """Return the compiled module; an ImportError says why there is none.

    In the repository's root the source folder shadows the installed package, which has the compiled module. That one is
    used if it was built from the C sources of this folder.
    """
    try:
        return importlib.import_module("fastleaky._ffi")
    except ModuleNotFoundError:
        if os.path.exists(os.path.join(HERE, "ffi_build.py")):
            return _installed_extension()
        raise ImportError(NOT_COMPILED) from None


def _installed_extension() -> ModuleType:
    from fastleaky._backends import ffi_build

    elsewhere = [os.path.join(os.path.abspath(folder), "fastleaky") for folder in sys.path]
    spec = PathFinder.find_spec("fastleaky._ffi", elsewhere)
    if spec is None or spec.loader is None:
        if any(os.path.exists(os.path.join(folder, "__init__.py")) for folder in elsewhere if folder != PACKAGE):
            raise ImportError(NOT_COMPILED)
        raise SourceFolderError(f"{PACKAGE} is the source folder, and fastleaky is not installed: run pip install .")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.digest != ffi_build.digest():
        sys.modules.pop("fastleaky._ffi", None)  # else the next import would get it
        raise SourceFolderError(
            f"the installed {module.__file__} was built from other C sources than those beside {PACKAGE}: "
            "run pip install . again"
        )
    sys.modules["fastleaky._ffi"] = module
    return module


class Native:
    """The backend of one C instruction set."""

    def __init__(self, isa: int) -> None:
        self.isa, self._module = isa, extension()
        # Each layer's fl_quantization, as long as there is the layer.
        self._layers: WeakKeyDictionary[Layer, Array] = WeakKeyDictionary()

    def elementwise(
        self, operation: Operation, inputs: Sequence[Array], parameters: Sequence[Parameter], out: Array
    ) -> None:
        """Write the result of an operation."""
        self.gradients(operation, inputs, parameters, (out,))

    def gradients(
        self, operation: Operation, inputs: Sequence[Array], parameters: Sequence[Parameter], outs: Sequence[Array]
    ) -> None:
        """Write the results of an operation."""
        rows, numbers = parameters[: len(operation.channel)], parameters[len(operation.channel) :]
        shape = outs[0].shape if operation.has_channels else (outs[0].size,)
        more = [None] * (len(operation.inputs) + bool(operation.more) - len(inputs))
        self._call(
            operation.name,
            (*inputs, *more, *rows, *outs),
            (*shape, *(0.0 if number is None else number for number in numbers)),
        )

    def integers(self, layer: Layer, q: Array, out: Array) -> None:
        """Write what a quantized layer gives."""
        parameters = self._layers.get(layer)
        if parameters is None:
            parameters = self._layers[layer] = np.hstack([*layer.fixed_point.values()]).astype(np.int32)
        operation, shape = ("leaky_relu", (q.size,)) if layer.weight is None else ("prelu", q.shape)
        arrays = (q, out) if layer.weight is None else (q, layer.weight, out)
        getattr(self._module, f"fl_{operation}_{INTEGERS[q.dtype.char]}")(self.isa, parameters, *arrays, *shape)

    def _call(self, operation: str, arrays: Sequence[Any], rest: Sequence[Any]) -> None:
        name = name_in_c(arrays[0].dtype)
        half = arrays[0].itemsize == HALF  # the buffer protocol has no bfloat16
        buffers = [array.view(np.uint16) if half and array is not None else array for array in arrays]
        getattr(self._module, f"fl_{operation}_{name}")(self.isa, *buffers, *rest)


def instruction_sets() -> dict[str, int | None]:
    """Every instruction set of the build, best first: its address if this processor can run it, else None."""
    module = extension()
    threads.tell(module.fl_set_num_threads)
    found: dict[str, int | None] = {}
    while isa := module.fl_isa_threaded(module.fl_isa_at(len(found))):
        found[module.fl_isa_name(isa)] = isa if module.fl_isa_available(isa) else None
    return found


ENTRIES = True  # tests switch the fast path off


def entries(general: ModuleType) -> dict[str, Any]:
    """Return the public functions of `general` by name: with a fast path to C, if there is C."""
    functions = {name: getattr(general, name) for name in OPERATIONS}
    try:
        module = extension()
    except ImportError:
        return functions
    umath = importlib.import_module("numpy._core._multiarray_umath" if NUMPY_2 else "numpy.core._multiarray_umath")
    table = umath._ARRAY_API  # noqa: SLF001 - it is what compiled modules take from there
    specimen = np.zeros((2, 3), np.float32)
    address = specimen.__array_interface__["data"][0]
    rows = tuple(_described(operation, functions[name]) for name, operation in OPERATIONS.items())
    made = module.start(np.ndarray, specimen.dtype, specimen, address, table, "fastleaky", rows)
    return dict(zip(OPERATIONS, made, strict=True)) if made else functions


def _described(operation: Operation, function: Any) -> tuple[Any, ...]:
    """Return what entry.c must know of an operation; its signature is that of the general function."""
    signature = inspect.signature(function)
    bare = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    text = f"{operation.name}{signature.replace(parameters=bare, return_annotation=signature.empty)}\n--\n\n"
    names = tuple(map(sys.intern, (*operation.positional, *operation.keywords)))
    defaults = tuple(0.0 if value is None else value for value in function.__defaults__ or ())
    positive = tuple(name in operation.positive for name in operation.numbers)
    places = [names.index(name) if name in names else 0 for name in (operation.more, "axis")]
    return (function, operation.name, text + function.__doc__, names, defaults, positive, *places)


def choose(backend: Native | None) -> None:
    """Let code that is compiled once and called later, as that of JAX, use a backend from now on."""
    with contextlib.suppress(ImportError):
        extension().fl_choose_isa(backend.isa if backend else None)


def compute_at() -> Callable[..., bool]:
    """Return the fast path for arrays that are not NumPy's, as entry.c describes it. Without C it is never taken."""
    try:
        function: Callable[..., bool] = extension().compute_at
    except ImportError:
        return lambda *_: False
    return function


def set_backend(backend: object, name: str, dtype: np.dtype[Any] | None = None) -> None:
    """Let the fast path use a backend for a type, if that is C; else there is no fast path."""
    try:
        module = extension()
    except ImportError:
        return
    isa = backend.isa if isinstance(backend, Native) and ENTRIES else 0
    module.set_isa(TYPES.index(name), dtype, isa)
