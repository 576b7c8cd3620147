"""The door to PyTorch: tensors, with and without gradients. What it leaves to PyTorch must be PyTorch's, errors too."""

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from operator import methodcaller
from types import ModuleType
from typing import Any
from unittest import mock

import ml_dtypes
import numpy as np
import torch

import fastleaky.torch
from fastleaky import reference
from fastleaky._backends.selftest import same_bits
from fastleaky._operations import OPERATIONS, PLAIN
from fastleaky.torch import functional
from fuzzing import torch_steps
from fuzzing.cases import Case, chosen, native
from fuzzing.door import Door, Results


def same(tensor: Any) -> Any:
    """Leave it as it is."""
    return tensor


def autocast() -> Any:
    """Compute in bfloat16 what is float32."""
    return torch.autocast("cpu")


MODES = [*[nullcontext] * 9, torch.no_grad, torch.inference_mode, autocast]
FORMS = [*[same] * 9, torch.Tensor.to_sparse, torch.Tensor.to_mkldnn, torch.Tensor.conj, torch.Tensor.clone]
FORMS += [methodcaller("to", "meta"), methodcaller("as_subclass", torch.nn.Parameter), methodcaller("expand", 2, -1)]


def adapt(case: Case) -> None:
    """Make it a case of PyTorch; it is right if PyTorch takes it, and with the specification's bits."""
    case.given = given = case.operation.suited(case.given)  # as the specification is called
    plain = case.operation.name in PLAIN
    given.setdefault("bias", given["weight"])  # the gradients of a bias are those of some bias
    if plain:
        case.axis = 1
    if case.right:
        x, rows = given["x"], [given[name] for name in parameters(case)]
        arrays = [given[name] for name in ("x", "grad", case.operation.more) if given.get(name) is not None]
        valid = plain or -x.ndim <= case.axis < x.ndim
        channels = x.shape[case.axis :][:1] if valid else ()
        case.right = valid and all(array.dtype.type is x.dtype.type for array in (*arrays, *rows))
        case.right &= type(given["negative_slope"]) in (int, float)
        case.right &= all(row.ndim < 2 and (row.size == 1 or row.shape == channels) for row in rows)
    if case.right and from_output(case):
        case.right = given["bias"].shape == channels and type(given["negative_slope"]) is float
        inputs = [native(given[name]) for name in ("x", "bias")]
        numbers = [given[name] for name in case.operation.numbers]
        given["y"] = reference.bias_leaky_relu(*inputs, *numbers, axis=case.axis) if case.right else given["y"]


def from_output(case: Case) -> bool:
    """Are gradients asked for that are computed from the output?"""
    return case.operation.name == "bias_leaky_relu_backward"


def parameters(case: Case) -> tuple[str, ...]:
    """Return the names of the channel parameters of the forward step."""
    return ("bias",) if from_output(case) else case.operation.channel


def call(case: Case, _: str) -> Results:
    """Call both, and compare."""
    mode, form = chosen(case.rng, MODES), chosen(case.rng, FORMS)
    case.right &= mode is nullcontext and form is same
    with mock.patch.object(functional, "SMALL", 0), mode():  # else most would be left to PyTorch
        ours, theirs = (results(module, case, form) for module in (fastleaky.torch, torch_steps))
    plain, fail = case.operation.name in PLAIN, isinstance(theirs, Exception)
    assert not plain or type(ours) is type(theirs), (ours, theirs)
    if isinstance(ours, Exception):
        case.right &= not fail
        raise ours
    if not fail and not from_output(case):  # whose gradients are 0 at the limit
        assert same_bits(ours[0], theirs[0]), theirs
    return ours if case.right else (None,) * len(ours)


def results(module: ModuleType, case: Case, form: Callable[[Any], Any]) -> Any:
    """Return the output, or the gradients, or the error, for inputs in some form."""
    backward, more = "grad" in case.operation.inputs, case.operation.more
    function = getattr(module, case.operation.name.removesuffix("_backward"))
    options = {} if case.operation.name in PLAIN else {"axis": case.axis}
    try:
        inputs = [tensor(case.given[name], backward) for name in ("x", *parameters(case))]
        formed = [form(made) if isinstance(made, torch.Tensor) else made for made in inputs]
        options |= {more: tensor(case.given[more])} if more else {}
        y = function(*formed, *(case.given[name] for name in case.operation.numbers), **options)
        if not backward:
            return (array(y),)
        y.backward(tensor(case.given["grad"]))
        return tuple(array(made.grad) for made in inputs)
    except Exception as error:  # noqa: BLE001 - to be compared
        return error


def tensor(value: Any, requires_grad: bool = False) -> Any:
    """Return an array as a tensor, in its layout if PyTorch has that, and anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    crashes = value.dtype.kind == "c" and not value.flags.aligned  # in PyTorch's own copy of it
    foreign = any(stride < 0 for stride in value.strides) or not value.dtype.isnative
    array = native(value) if crashes or foreign else value
    bits = array.view(np.int16) if array.dtype == ml_dtypes.bfloat16 else array
    with warnings.catch_warnings(action="ignore"):  # of an array that must not be written to
        made = torch.from_numpy(bits)
    made = made.view(torch.bfloat16) if bits is not array else made
    return made.requires_grad_() if requires_grad and made.is_floating_point() else made


def array(made: torch.Tensor) -> np.ndarray:
    """Return a tensor as an array."""
    made = made.detach()
    return made.view(torch.int16).numpy().view(ml_dtypes.bfloat16) if made.dtype is torch.bfloat16 else made.numpy()


DOOR = Door(call, (RuntimeError, TypeError, ValueError, OverflowError), adapt, operations=OPERATIONS)
