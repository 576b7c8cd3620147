"""The implementations of the operations, made from their table.

Numba sees the names of the arguments in the code, so an implementation is composed as text.
"""

import functools
import importlib
import inspect
from typing import Any

import numpy as np

from fastleaky import _api
from fastleaky._njit import layouts, parameters
from fastleaky._njit.errors import ArgumentError
from fastleaky._operations import Operation

# An error comes before anything is allocated: Numba does not free what a function holds when it raises one.
SOURCE = """\
def {name}({arguments}):
    ready()
    {own_axes}
    varying = {varying}
    if varying < 0{misfits}:
        raise ArgumentError("{name}", ({shapes},), ({given}), {axis})
    layout = plan({x}, varying, {ordered})
    shape = layout[1]
    {outs}
    run(({arrays},), shape, ({numbers}))
    return {results}
"""


@functools.cache
def implementation(operation: Operation, kernels: str) -> Any:
    """Return what Numba compiles for an operation, with the kernels of "c" or "numba"."""
    calls = importlib.import_module(f"fastleaky._njit.calls_to_{kernels}")
    names = {**vars(layouts), **vars(parameters), "ready": calls.ready, "run": calls.runner(operation)}
    names.update(np=np, ArgumentError=ArgumentError)
    exec(compile(source(operation), f"<fastleaky.{operation.name} in Numba>", "exec"), names)  # noqa: S102
    return names[operation.name]


def source(operation: Operation) -> str:
    """Return the text of that function."""
    inputs, channel, x = operation.inputs, operation.channel, operation.inputs[-1]
    more = (operation.more,) if operation.more else ()
    outs = [f"out{i}" for i in range(len(operation.results))]
    signature = inspect.signature(getattr(_api, operation.name)).parameters
    defaults = {name: "" if p.default is p.empty else f"={p.default}" for name, p in signature.items()}
    axes = {name: f"varying_axes({name}, {x}, axis)" for name in channel}
    if operation.has_channels and not channel:
        axes[x] = f"summed_axis({x}, axis)"
    misfits = [f" or shape_of({name}, {x}) != {x}.shape" for name in inputs[:-1] + more]
    misfits += [f" or not is_positive({name}, {x})" for name in operation.positive]
    rows = [f"row({name}, {name}_axes, varying, {x}, shape[1])" for name in channel]
    sums = list(map("in_shape_of({}, {})".format, channel, outs[1:])) or outs[1:]
    lines = "\n    ".join
    return SOURCE.format(
        name=operation.name,
        arguments=", ".join(name + default for name, default in defaults.items()),
        own_axes=lines(f"{name}_axes = {value}" for name, value in axes.items()),
        varying=" | ".join(["0", *(f"{name}_axes" for name in axes)]),
        misfits="".join(misfits),
        shapes=", ".join(f"shape_of({name}, {x})" for name in inputs + channel + more),
        given="".join(f"{name}, " for name in operation.numbers),
        axis="axis" if operation.has_channels else 1,
        x=x,
        ordered=len(outs) > 1,
        outs=lines(f"{out} = np.empty(shape{'[1]' if i else ''}, {x}.dtype)" for i, out in enumerate(outs)),
        arrays=", ".join([*(f"dense({name}, layout, {x})" for name in inputs + more), *rows, *outs]),
        numbers="".join(f"number({name}), " for name in operation.numbers),
        results=", ".join([f"restored(out0, layout, {x})", *sums]),
    )
