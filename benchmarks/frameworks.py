"""The frameworks that people call us from, and the goals for what they gain there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks import machine
from benchmarks.goals import Goal, against, speed, time
from benchmarks.parts import Extent
from benchmarks.peers import jax_, numba_, onnxruntime_, training
from benchmarks.results import Results, Timing
from benchmarks.workloads import Case, sweep_case, whole_case

QUICK_PRELU = (1, 26)  # the last version of ONNX Runtime whose PRelu is as fast as memory


class Framework(NamedTuple):
    """One framework: who is timed with it alone, and who with us inside."""

    title: str  # what it is without us
    library: str  # whose version counts
    theirs: str
    ours: str

    def name(self, versions: dict[str, str]) -> str:
        """Return the title with the version, if it is installed."""
        return " ".join([self.title, *([versions[self.library]] if self.library in versions else [])])

    def goal(self, what: str, *cases: Case, **bound: Any) -> Goal:
        """Ask for so much of the speed that it has alone; or for at most so much of the time."""
        quantity = time if "at_most" in bound else speed
        pairs = against(self.theirs, list(cases), self.ours)
        return Goal(what, self.name(machine.versions()), quantity, pairs, part="frameworks", **bound)


TORCH = Framework("PyTorch", "torch", training.EAGER, training.OURS)
RUNTIME = Framework("ONNX Runtime", "onnxruntime", onnxruntime_.CPU, onnxruntime_.OURS)
NUMBA = Framework("a loop in Numba", "numba", numba_.LOOP, numba_.OURS)
JAX = Framework("jnp.where in JAX", "jax", jax_.JAX, jax_.OURS)
FRAMEWORKS = (TORCH, RUNTIME, NUMBA, JAX)


def goals(extent: Extent) -> list[Goal]:
    """Return the table; a quick run has time for the smallest network and the shortest calls."""
    face, residual = "MobileFaceNet", "iresnet18"
    prelu, leaky = (sweep_case(6, f"{name}_backward", fresh=True) for name in ("prelu", "leaky_relu"))
    backward, forward = (
        Case("1x64x56x56", name, ((1, 64, 56, 56),), fresh=True) for name in ("prelu_backward", "leaky_relu")
    )
    large = Case("1x64x112x112", "prelu_backward", ((1, 64, 112, 112),))
    version = machine.versions().get(RUNTIME.library, "0.0")
    slow = tuple(map(int, version.split(".")[:2])) > QUICK_PRELU
    step = TORCH.goal(f"{face}, training step, batch of 1", whole_case(face, training=True), at_least=1.25)
    calls = [
        TORCH.goal("prelu, 64 elements in 8 channels, forward and backward", prelu, at_most=1),
        TORCH.goal("leaky_relu, 64 elements, forward and backward", leaky, at_most=1.35),
    ]
    if extent.quick:
        return [step, *calls]
    return [
        step,
        TORCH.goal(f"{face}, training step, batch of 16", whole_case(face, 16, training=True), at_least=1.35),
        TORCH.goal(f"{residual}, training step, batch of 4", whole_case(residual, 4, training=True), at_least=1.03),
        TORCH.goal("both networks, inference", whole_case(face), whole_case(residual), at_least=0.97),
        RUNTIME.goal(f"{face}, inference", whole_case(face), at_least=2.4 if slow else 1),
        RUNTIME.goal(f"{residual}, inference", whole_case(residual), at_least=1),
        *calls,
        NUMBA.goal("prelu_backward in @njit, 1x64x56x56", backward, at_least=3),
        NUMBA.goal("leaky_relu in @njit, 1x64x56x56", forward, at_most=1.05),
        JAX.goal("gradients of PReLU under jit, 1x64x112x112", large, at_least=1.3),
    ]


class Gain(NamedTuple):
    """A whole training step or inference, with and without us."""

    what: str
    framework: str
    theirs: Timing
    ours: Timing

    @property
    def ratios(self) -> list[float]:
        """How many times as fast it is with us, in each round."""
        return [theirs / ours for theirs, ours in zip(self.theirs.seconds, self.ours.seconds, strict=False)]


def gains(results: Results) -> Iterator[Gain]:
    """Find what was timed, framework by framework."""
    found = {(timing.peer, timing.case): timing for timing in results.select("goals", whole=True)}
    for framework in FRAMEWORKS:
        for (peer, case), theirs in found.items():
            if peer == framework.theirs and (framework.ours, case) in found:
                step = "training step" if "grad" in case.op.inputs else "inference"
                what = f"{case.name}, {step}, batch of {case.shapes[0][0]}"
                yield Gain(what, framework.name(results.machine["versions"]), theirs, found[framework.ours, case])
