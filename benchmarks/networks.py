"""Two networks for face recognition, as people train them in PyTorch and run them in ONNX Runtime."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

SIZE = 112  # of the square images
EMBEDDING = 512
# MobileFaceNet's bottlenecks: expansion, channels, repeats, and the stride of the first (Chen et al. 2018, table 1).
BOTTLENECKS = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))


class Residual(nn.Module):  # type: ignore[misc] # mypy is not shown PyTorch, which not everyone has
    """The sum of a body and a shortcut."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: Any) -> Any:
        """Add both up."""
        return self.body(x) + self.shortcut(x)


def convolution(inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """Convolve and normalize; a size of 3 keeps the image's, or halves it."""
    layer = nn.Conv2d(inputs, outputs, size, stride, padding=int(size == 3), groups=groups, bias=False)  # noqa: PLR2004
    return [layer, nn.BatchNorm2d(outputs)]


def bottleneck(inputs: int, outputs: int, expansion: int, stride: int) -> nn.Module:
    """Expand, convolve each channel alone, and project."""
    wide = expansion * inputs
    body = nn.Sequential(
        *(*convolution(inputs, wide), nn.PReLU(wide)),
        *(*convolution(wide, wide, 3, stride, groups=wide), nn.PReLU(wide)),
        *convolution(wide, outputs),
    )
    return Residual(body, nn.Identity()) if (inputs, stride) == (outputs, 1) else body


def mobilefacenet() -> nn.Sequential:
    """MobileFaceNet with ArcFace's embedding of 512 numbers: 1.2 million parameters."""
    layers = [*convolution(3, 64, 3, 2), nn.PReLU(64), *convolution(64, 64, 3, groups=64), nn.PReLU(64)]
    channels = 64
    for expansion, outputs, repeats, first in BOTTLENECKS:
        for stride in (first, *[1] * (repeats - 1)):
            layers.append(bottleneck(channels, outputs, expansion, stride))
            channels = outputs
    layers += [*convolution(channels, EMBEDDING), nn.PReLU(EMBEDDING)]
    return network(layers, convolution(EMBEDDING, EMBEDDING, 7, groups=EMBEDDING), EMBEDDING)


def iresnet(*repeats: int) -> nn.Sequential:
    """InsightFace's residual network; 2, 2, 2, 2 make iresnet18, of 24 million parameters."""
    layers = [*convolution(3, 64, 3), nn.PReLU(64)]
    inputs = 64
    for outputs, count in zip((64, 128, 256, 512), repeats, strict=True):
        for stride in (2, *[1] * (count - 1)):
            body = [nn.BatchNorm2d(inputs), *convolution(inputs, outputs, 3), nn.PReLU(outputs)]
            body += convolution(outputs, outputs, 3, stride)
            shortcut = convolution(inputs, outputs, 1, stride) if stride > 1 else []
            layers.append(Residual(nn.Sequential(*body), nn.Sequential(*shortcut)))
            inputs = outputs
    return network(layers, [nn.BatchNorm2d(inputs)], inputs * (SIZE // 16) ** 2)


def network(features: list[nn.Module], head: list[nn.Module], outputs: int) -> nn.Sequential:
    """Join both and an embedding of the head's outputs; random weights, the same in every run, keep numbers in size."""
    embedding = [nn.Flatten(), nn.Linear(outputs, EMBEDDING, bias=False), nn.BatchNorm1d(EMBEDDING)]
    made = nn.Sequential(nn.Sequential(*features), nn.Sequential(*head, *embedding))
    generator = torch.Generator().manual_seed(0)
    for layer in made.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=0.25, generator=generator)
    return made.eval()


NETWORKS: dict[str, Callable[[], nn.Sequential]] = {
    "MobileFaceNet": mobilefacenet,
    "iresnet18": lambda: iresnet(2, 2, 2, 2),
}


def training_step(net: nn.Sequential, images: Any) -> Callable[[], Any]:
    """Make a step of stochastic gradient descent, which returns the loss: the cosines tell as many persons apart.

    The learning rate is 0, so that each step has the same numbers. The head's normalizations stay as in inference,
    since a batch of one image has no variance.
    """
    labels = torch.arange(len(images))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0, momentum=0.9, weight_decay=5e-4)
    net[0].train()

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(nn.functional.normalize(net(images)), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def onnx_model(net: nn.Sequential, images: Any) -> bytes:
    """Export a network as an ONNX file."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of this exporter: the newer one needs onnxscript
        torch.onnx.export(net, (images,), file, input_names=["x"], output_names=["y"], dynamo=False)
    return file.getvalue()
