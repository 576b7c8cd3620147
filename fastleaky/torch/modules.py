"""The modules, and their exchange in a model."""

from torch import Tensor, nn

from fastleaky.torch.functional import leaky_relu, prelu


class PReLU(nn.PReLU):
    """PReLU as a module: ``torch.nn.PReLU``, computed by fastleaky.

    Its arguments, its state and its output are those of PyTorch's module; see :func:`prelu`.

    Examples
    --------
    >>> import torch, fastleaky.torch
    >>> fastleaky.torch.PReLU(2)(torch.tensor([[1.0, -1.0]]))
    tensor([[ 1.0000, -0.2500]], grad_fn=<PReLUBackward>)
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name of PyTorch's argument
        """Return the output."""
        return prelu(input, self.weight)


class LeakyReLU(nn.LeakyReLU):
    """Leaky ReLU as a module: ``torch.nn.LeakyReLU``, computed by fastleaky.

    Its arguments and its output are those of PyTorch's module; see :func:`leaky_relu`.

    Examples
    --------
    >>> import torch, fastleaky.torch
    >>> fastleaky.torch.LeakyReLU(0.5)(torch.tensor([1.0, -1.0]))
    tensor([ 1.0000, -0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Return the output."""
        return leaky_relu(input, self.negative_slope, self.inplace)


_OURS = {nn.PReLU: PReLU, nn.LeakyReLU: LeakyReLU}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}


def convert(model: nn.Module) -> int:
    """Exchange PyTorch's PReLU and LeakyReLU modules in a model for those of fastleaky, in place.

    Their parameters, hooks and names stay. Subclasses are left alone, parametrized modules too, since they may compute
    something else.

    Parameters
    ----------
    model : torch.nn.Module
        The model, which may be one of these modules itself.

    Returns
    -------
    int
        How many modules were exchanged.

    Examples
    --------
    >>> import torch, fastleaky.torch
    >>> model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.PReLU(8), torch.nn.LeakyReLU(0.1))
    >>> fastleaky.torch.convert(model)
    2
    >>> fastleaky.torch.restore(model)
    2
    """
    return _exchange(model, _OURS)


def restore(model: nn.Module) -> int:
    """Exchange the modules of fastleaky in a model for PyTorch's own, in place: the inverse of :func:`convert`.

    A model saved as a whole then loads where fastleaky is not installed. A state_dict loads anywhere as it is.

    Parameters
    ----------
    model : torch.nn.Module
        The model.

    Returns
    -------
    int
        How many modules were exchanged.
    """
    return _exchange(model, _THEIRS)


def _exchange(model: nn.Module, classes: dict[type[nn.Module], type[nn.Module]]) -> int:
    found = [module for module in model.modules() if type(module) in classes]
    for module in found:
        module.__class__ = classes[type(module)]
    return len(found)
