"""What the examples share: the digits, an optimizer, and the comparison of the backends."""

import argparse
import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

import fastleaky

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Labelled: TypeAlias = tuple[Array, Array]  # images as rows of 8 x 8 pixels from 0 to 16, and the digits that they show
Advance: TypeAlias = Callable[[], None]  # moves the progress bar on

TEST_IMAGES = 360


def split_digits(rng: np.random.Generator) -> tuple[Labelled, Labelled]:
    """Shuffle the images, and keep some of them for the test."""
    images, labels = load_digits(return_X_y=True)
    order = rng.permutation(len(labels))
    images, labels = images[order].astype(np.float32), labels[order]
    return (images[TEST_IMAGES:], labels[TEST_IMAGES:]), (images[:TEST_IMAGES], labels[:TEST_IMAGES])


def log_softmax(logits: Array) -> Array:
    """Return the logarithms of the probabilities of the classes, which lie along axis 1."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


class Adam:
    """Adam (Kingma and Ba 2015), which changes the parameters in place."""

    def __init__(self, parameters: Sequence[Array], learning_rate: float, betas: tuple[float, float]) -> None:
        self.learning_rate = learning_rate
        self.betas = betas
        self.state = [(parameter, np.zeros_like(parameter), np.zeros_like(parameter)) for parameter in parameters]
        self.steps = 0

    def step(self, gradients: Sequence[Array]) -> None:
        """Take one step down these gradients of the parameters."""
        self.steps += 1
        first, second = self.betas
        rate = self.learning_rate * (1 - second**self.steps) ** 0.5 / (1 - first**self.steps)
        for (parameter, mean, square), gradient in zip(self.state, gradients, strict=True):
            mean[...] += (1 - first) * (gradient - mean)
            square[...] += (1 - second) * (gradient * gradient - square)
            parameter[...] -= rate * mean / (np.sqrt(square) + 1e-8)


def one_blas_thread() -> threadpool_limits:
    """BLAS, which multiplies the matrices, may add in an order that depends on its threads.

    With one thread, the activations are all that could differ between two runs.
    """
    return threadpool_limits(1, user_api="blas")


@contextmanager
def progress_bar(steps: int) -> Iterator[Advance]:
    """Show how far the training is; what it yields is to be called `steps` times."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Training", total=steps)
        yield functools.partial(progress.advance, bar)


def compare_backends(console: Console, train: Callable[[Advance], Sequence[Array]], steps: int) -> bool:
    """Train with every backend and thread count; are the weights that `train` returns always the same?"""
    before = fastleaky.get_num_threads()
    pairs = [(name, threads) for name in fastleaky.backends() for threads in sorted({1, 2, before})]
    table = Table("backend", "threads", "SHA-256 of all that was learned", "", box=box.SIMPLE_HEAD)
    digests: list[str] = []
    with progress_bar(len(pairs) * steps) as advance:
        for name, threads in pairs:
            fastleaky.set_num_threads(threads)
            with fastleaky.use(name):
                weights = b"".join(array.tobytes() for array in train(advance))
            digests.append(hashlib.sha256(weights).hexdigest())
            verdict = "[green]identical[/]" if digests[-1] == digests[0] else "[bold red]DIFFERENT[/]"
            table.add_row(name, str(threads), f"{digests[-1][:40]}...", verdict)
    fastleaky.set_num_threads(before)
    console.print(table)
    return len(set(digests)) == 1


def parser(description: str, picture: str) -> argparse.ArgumentParser:
    """Make a command line with the options that all examples have; `picture` says what --plot draws."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--seed", type=int, default=0, help="of everything random (%(default)s)")
    purpose = result.add_mutually_exclusive_group()
    purpose.add_argument("--plot", metavar="FILE", help=f"draw {picture}")
    purpose.add_argument("--all-backends", action="store_true", help="compare the weights that the backends lead to")
    return result
