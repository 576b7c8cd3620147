"""What the machine can do at best: a copy, a streaming copy, and a NumPy call that computes next to nothing."""

from __future__ import annotations

import ctypes
import functools
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.peers.peer import MissingError, Peer, Prepared
from benchmarks.workloads import FORMATS, Case, Layer

COPY = "np.copyto"
STREAM = "streaming copy"
NEGATIVE = "np.negative"


def copy(_: Case, layers: list[Layer]) -> list[Prepared]:
    """Copy x: for NumPy a memcpy, which itself may stream large arrays."""
    return [Prepared([functools.partial(np.copyto, layer["out"], layer["x"]) for layer in layers], None)]


def negative(case: Case, layers: list[Layer]) -> list[Prepared]:
    """Negate x: what a NumPy ufunc costs."""
    outs: list[dict[str, Any]] = [{} if case.fresh else {"out": layer["out"]} for layer in layers]
    calls = [functools.partial(np.negative, layer["x"], **out) for layer, out in zip(layers, outs, strict=True)]
    return [Prepared(calls, None)]


@functools.cache
def compiled() -> Callable[..., None]:
    """Compile stream.c; once in a process."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise MissingError("there is no C compiler")
    source = pathlib.Path(__file__).parent.parent / "stream.c"
    with tempfile.TemporaryDirectory() as folder:
        library = pathlib.Path(folder) / "stream.so"
        command = [compiler, "-O2", "-shared", "-fPIC", str(source), "-o", str(library)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MissingError(f"{compiler} does not compile stream.c: {done.stderr.strip().splitlines()[-1]}")
        function: Callable[..., None] = ctypes.CDLL(str(library)).stream
    return function


def stream(_: Case, layers: list[Layer]) -> list[Prepared]:
    """Copy x by non-temporal stores; ctypes takes about a microsecond to call it."""
    function, pointer = compiled(), ctypes.c_void_p
    calls = []
    for layer in layers:
        out, x = (layer[name].ctypes.data_as(pointer) for name in ("out", "x"))  # which hold on to the arrays
        calls.append(functools.partial(function, out, x, ctypes.c_size_t(layer["x"].nbytes)))
    return [Prepared(calls, None)]


PEERS = (
    Peer(COPY, copy, home="numpy", threaded=False, dtypes=("float32", *FORMATS), arrays=2),
    Peer(STREAM, stream, home="numpy", threaded=False, arrays=2),
    Peer(NEGATIVE, negative, home="numpy", threaded=False, arrays=2),
)
LIMITS = tuple(peer.name for peer in PEERS)
