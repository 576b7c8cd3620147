"""A small network in the manner of Darknet: convolution, batch norm, leaky ReLU; shortcuts; gradients. All in NumPy.

A convolution is a product of its weights and the patches of its input (im2col). Arrays are (count, channels, height,
width). Training keeps the output of an activation, not its input: leaky ReLU works in place, and its backward step
needs no more than the sign, which is the same. At inference a batch norm is a scale and a shift, and
``fastleaky.scale_shift_leaky_relu`` applies them, the shortcut and the activation in one pass.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import fastleaky
from common import Array


class Layer(NamedTuple):
    """A convolution's settings, as in Darknet's files of networks."""

    outputs: int
    size: int
    stride: int = 1
    shortcut: bool = False  # is the input of the layer before it added?


LAYERS = (
    Layer(16, 3),
    Layer(32, 3, stride=2),
    Layer(64, 3, stride=2),
    Layer(32, 1),
    Layer(64, 3, shortcut=True),
    Layer(128, 3, stride=2),
    Layer(64, 1),
    Layer(128, 3, shortcut=True),
)
DTYPE = np.float32
NEGATIVE_SLOPE = 0.1
EPSILON = 1e-5  # of the batch norms
MOMENTUM = 0.1  # of their running statistics


class Convolution:
    """A convolution with a bias, as a matrix product."""

    def __init__(self, inputs: int, layer: Layer, rng: np.random.Generator) -> None:
        fan_in = inputs * layer.size**2
        self.layer = layer
        self.weight: Array = (rng.standard_normal((layer.outputs, fan_in)) * np.sqrt(2 / fan_in)).astype(DTYPE)
        self.bias: Array = np.zeros(layer.outputs, DTYPE)
        self.parameters = [self.weight, self.bias]

    def products(self, x: Array) -> Array:
        """Multiply all patches by the weights."""
        margin = self.layer.size // 2
        self.padded = np.pad(x, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
        windows = self.windows(self.padded)
        count, _, _, _, height, width = windows.shape
        self.patches = windows.reshape(count, -1, height * width)
        return np.asarray(self.weight @ self.patches).reshape(count, -1, height, width)

    def products_backward(self, grad: Array) -> tuple[Array, Array]:
        """Return the gradients for the input and the weights."""
        count, _, height, width = grad.shape
        rows = grad.reshape(count, -1, height * width)
        dweight = (rows @ self.patches.swapaxes(1, 2)).sum(axis=0)
        dpadded = np.zeros_like(self.padded)
        windows = self.windows(dpadded)
        dpatches = (self.weight.T @ rows).reshape(windows.shape)
        for i, j in np.ndindex(windows.shape[2:4]):
            windows[:, :, i, j] += dpatches[:, :, i, j]
        margin = self.layer.size // 2
        return dpadded[:, :, margin : dpadded.shape[2] - margin, margin : dpadded.shape[3] - margin], dweight

    def windows(self, padded: Array) -> Array:
        """View the pixels that each weight meets: (count, channels, rows, columns of the weights, height, width)."""
        size, stride = self.layer.size, self.layer.stride
        windows: Array = sliding_window_view(padded, (size, size), (2, 3), writeable=True)
        return windows[:, :, ::stride, ::stride].transpose(0, 1, 4, 5, 2, 3)

    def forward(self, x: Array) -> Array:
        """Convolve."""
        return self.products(x) + along(self.bias)

    def backward(self, grad: Array) -> Array:
        """Return the gradient for the input."""
        dx, dweight = self.products_backward(grad)
        self.gradients = [dweight, grad.sum(axis=(0, 2, 3))]
        return dx


class Block(Convolution):
    """Convolution, batch norm and leaky ReLU. The last two, with the shortcut between them, are done by one method."""

    def __init__(self, inputs: int, layer: Layer, rng: np.random.Generator) -> None:
        super().__init__(inputs, layer, rng)
        self.gamma, self.var = np.ones((2, layer.outputs), DTYPE)
        self.mean = np.zeros(layer.outputs, DTYPE)
        self.parameters.append(self.gamma)

    def train(self, z: Array, shortcut: Array | None) -> Array:
        """Normalize by the batch's own mean and variance."""
        mean, var = z.mean(axis=(0, 2, 3)), z.var(axis=(0, 2, 3))
        self.mean += MOMENTUM * (mean - self.mean)
        self.var += MOMENTUM * (var - self.var)
        self.factor = 1 / np.sqrt(var + EPSILON)
        self.normalized = (z - along(mean)) * along(self.factor)
        y = self.normalized * along(self.gamma) + along(self.bias)
        if shortcut is not None:
            y += shortcut
        self.y = fastleaky.leaky_relu(y, NEGATIVE_SLOPE, out=y)
        return self.y

    def train_backward(self, grad: Array) -> tuple[Array, Array]:
        """Return the gradients for the input and the shortcut; `grad` is overwritten."""
        grad = fastleaky.leaky_relu_backward(grad, self.y, NEGATIVE_SLOPE, out=grad)  # y has the sign of its input
        dgamma, dbias = (grad * self.normalized).sum(axis=(0, 2, 3)), grad.sum(axis=(0, 2, 3))
        count = grad.size // len(dbias)
        dz = grad - along(dbias / count) - self.normalized * along(dgamma / count)
        dx, dweight = self.products_backward(dz * along(self.gamma * self.factor))
        self.gradients = [dweight, dbias, dgamma]
        return dx, grad

    def fold(self) -> None:
        """Make a scale and a shift of the batch norm, with the running mean and variance."""
        self.scale, self.shift = fastleaky.fold_batch_norm(self.gamma, self.bias, self.mean, self.var, EPSILON)

    def fused(self, z: Array, shortcut: Array | None) -> Array:
        """Scale, shift, add and activate in one pass."""
        return fastleaky.scale_shift_leaky_relu(z, self.scale, self.shift, NEGATIVE_SLOPE, residual=shortcut, out=z)

    def unfused(self, z: Array, shortcut: Array | None) -> Array:
        """Do the same in three or four passes."""
        z *= along(self.scale)
        z += along(self.shift)
        if shortcut is not None:
            z += shortcut
        return fastleaky.leaky_relu(z, NEGATIVE_SLOPE, out=z)


Activation: TypeAlias = Callable[[Block, Array, Array | None], Array]  # one of Block's three methods


def along(channels: Array) -> Array:
    """Let a value for each channel broadcast to (count, channels, height, width)."""
    return channels[:, None, None]


class Network:
    """Blocks, and a convolution as the head. The image may have any size."""

    def __init__(self, outputs: int, rng: np.random.Generator) -> None:
        channels = [1, *(layer.outputs for layer in LAYERS)]
        self.blocks = [Block(inputs, layer, rng) for inputs, layer in zip(channels, LAYERS, strict=False)]
        self.head = Convolution(channels[-1], Layer(outputs, 1), rng)
        self.layers = [*self.blocks, self.head]
        self.parameters = [array for layer in self.layers for array in layer.parameters]

    def forward(self, images: Array, activation: Activation = Block.fused) -> Array:
        """Return the outputs of the head."""
        before, x = images, images
        for block in self.blocks:
            before, x = x, activation(block, block.products(x), before if block.layer.shortcut else None)
        return self.head.forward(x)

    def backward(self, grad: Array) -> list[Array]:
        """Return the gradients for the parameters, from that for the outputs in training."""
        grad = self.head.backward(grad)
        skipped: Array | None = None
        for block in reversed(self.blocks):
            dx, dshortcut = block.train_backward(grad)
            grad = dx if skipped is None else dx + skipped
            skipped = dshortcut if block.layer.shortcut else None
        return [gradient for layer in self.layers for gradient in layer.gradients]

    def fold(self) -> None:
        """Prepare inference."""
        for block in self.blocks:
            block.fold()
