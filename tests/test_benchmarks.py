"""The benchmark suite itself: its verdicts, its refusals, and that each peer computes what it is timed for."""

import importlib
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import figures, frameworks, fused, goals, parts, report
from benchmarks.__main__ import join, wanted_goals
from benchmarks.goals import Goal, Pair
from benchmarks.lab import Lab, Run
from benchmarks.peers import PEERS, activations, limits, ours, torch_, torch_compile
from benchmarks.peers.peer import MissingError, Peer, Prepared
from benchmarks.results import Results
from benchmarks.worker import Desk, Sampler, WrongError, check, timer
from benchmarks.workloads import SIGNS, Case, draw, network_case, sweep_case, whole_case
from fastleaky import reference
from fastleaky._operations import OPERATIONS
from fastleaky.cli.workloads import NETWORKS

ROOT = Path(__file__).parent.parent
SMALL = Case("small", "leaky_relu", ((2, 8, 5, 7),), 0.1)
OURS, THEIRS = Run(ours.OURS, SMALL), Run(limits.COPY, SMALL)


def judged(mine, others, **bound):
    goal = Goal("a", "b", goals.speed, [Pair(OURS, THEIRS)], **bound)
    return goal.judge({OURS: mine, THEIRS: others}, {})


def test_sizes_of_networks():
    """As counted in the networks' own sources."""
    elements = {network.name: network_case(network).elements for network in NETWORKS}
    assert elements["YOLOv3-tiny"] == 5_948_800
    assert elements["YOLOv4-tiny"] == 6_121_856
    assert elements["iresnet50"] == 3_713_024
    assert elements["MobileFaceNet"] == 3_161_088


@pytest.fixture
def networks():
    pytest.importorskip("torch").set_num_threads(1)
    return importlib.import_module("benchmarks.networks")


def prelus(networks, net):
    """The shapes of what a network's PReLUs are given."""
    shapes = []
    for layer in net.modules():
        if isinstance(layer, networks.nn.PReLU):
            layer.register_forward_hook(lambda _, inputs, __: shapes.append(tuple(inputs[0].shape[1:])))
    with networks.torch.inference_mode():
        net(networks.torch.zeros(1, 3, networks.SIZE, networks.SIZE))
    return shapes


def test_whole_networks_have_the_activations_of_the_table(networks):
    """MobileFaceNet's first layers aside, where InsightFace has more channels than the paper."""
    layers = {network.name: sorted(network.layers) for network in NETWORKS}
    assert sorted(prelus(networks, networks.iresnet(3, 4, 14, 3))) == layers["iresnet50"]
    paper = prelus(networks, networks.mobilefacenet())
    assert paper[:2] == [(64, 56, 56)] * 2
    assert sorted([(128, 56, 56)] * 2 + paper[2:]) == layers["MobileFaceNet"]
    counts = [sum(p.numel() for p in make().parameters()) for make in networks.NETWORKS.values()]
    assert counts == [1_200_512, 24_025_088]


@pytest.mark.parametrize("name", ["MobileFaceNet", "iresnet18"])
def test_whole_networks_are_the_same_with_us(networks, name):
    """To the last bit in inference, and in the loss of every step: the weights stay."""
    torch = networks.torch
    images = torch.randn(2, 3, networks.SIZE, networks.SIZE, generator=torch.Generator().manual_seed(1))
    theirs, ours = networks.NETWORKS[name](), networks.NETWORKS[name]()
    assert importlib.import_module("fastleaky.torch").convert(ours) == len(prelus(networks, theirs))
    assert all(isinstance(a, type(b)) for a, b in zip(ours.modules(), theirs.modules(), strict=True))
    with torch.inference_mode():
        assert torch.equal(ours(images), theirs(images))
    steps = [networks.training_step(net, images) for net in (theirs, ours)]
    losses = [step() for step in steps * 2]
    assert len(set(map(float, losses))) == 1
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.any(b.grad != 0)
        assert torch.allclose(a.grad, b.grad, rtol=1e-3, atol=1e-3 * float(b.grad.abs().max()))


@pytest.mark.parametrize("name", ["MobileFaceNet", "iresnet18"])
def test_whole_networks_are_exported(networks, name):
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    net = networks.NETWORKS[name]()
    images = networks.torch.randn(1, 3, networks.SIZE, networks.SIZE)
    file = networks.onnx_model(net, images)
    nodes = [node.op_type for node in onnx.load_from_string(file).graph.node]
    assert nodes.count("PRelu") == len(prelus(networks, net))
    session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])
    with networks.torch.inference_mode():
        wanted = net(images).numpy()
    assert np.allclose(session.run(None, {"x": images.numpy()})[0], wanted, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("framework", [frameworks.TORCH, frameworks.RUNTIME], ids=lambda framework: framework.library)
def test_whole_networks_are_run_with_us_and_without(networks, framework):
    pytest.importorskip(framework.library)
    case = whole_case("MobileFaceNet")
    calls = [PEERS[name].prepare(case, draw(case))[0].calls[0] for name in (framework.theirs, framework.ours)]
    if framework is frameworks.TORCH:
        ours = [any("fastleaky" in type(layer).__module__ for layer in call.func.modules()) for call in calls]
    else:
        ours = ["FastleakyExecutionProvider" in call.func.__self__.get_providers() for call in calls]
    assert ours == [False, True]
    with networks.torch.inference_mode():
        theirs, ours = (np.asarray(call()) for call in calls)
    assert np.allclose(theirs, ours, rtol=1e-4, atol=1e-4 * np.abs(ours).max())


@pytest.mark.parametrize("negative", SIGNS)
@pytest.mark.parametrize("channels_last", [False, True])
def test_signs_are_as_said(negative, channels_last):
    case = Case("", "prelu_backward", ((2, 8, 50, 50), (2, 3, 5, 5)), negative=negative, channels_last=channels_last)
    for layer, shape in zip(draw(case), case.shapes, strict=True):
        assert layer["x"].shape == layer["out"].shape == layer["grad"].shape == shape
        assert (layer["x"].strides[1] == 4) == channels_last
        assert not (layer["x"] == 0).any()
        assert (layer["x"] < 0).mean() == pytest.approx(negative, abs=0.1 if negative else 0)
    assert abs(np.sign(draw(case)[0]["grad"]).mean()) < 0.1


FORMATS = [(name, dtype) for name, peer in PEERS.items() for dtype in peer.dtypes if dtype != "float32"]


@pytest.mark.parametrize(("name", "dtype"), FORMATS)
@pytest.mark.parametrize("operation", ["leaky_relu", "prelu"])
def test_each_peer_computes_its_formats(name, dtype, operation):
    peer = PEERS[name]
    if why := peer.missing():
        pytest.skip(f"{name}: {why}")
    case = replace(SMALL, operation=operation, dtype=dtype)
    assert peer.prepare(case, draw(case))
    check(peer, case)
    if name == ours.OURS:
        check(peer, replace(case, channels_last=True))


def test_arrays_begin_apart():
    layer = draw(sweep_case(16, "prelu_backward"))[0]
    starts = sorted(layer[name].ctypes.data % 4096 for name in ("x", "out", "grad"))
    assert all(start % 64 == 0 for start in starts)
    assert min(np.diff([*starts, starts[0] + 4096])) > 1000


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # Inductor's imports
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", PEERS)
def test_each_peer_computes_it(name, operation):
    peer = PEERS[name]
    if why := peer.missing():
        pytest.skip(f"{name}: {why}")
    cases = [
        replace(SMALL, operation=operation, shared=shared, fresh=fresh) for shared, fresh in [(0, 0), (0, 1), (1, 0)]
    ]
    cases.append(replace(SMALL, operation=operation, channels_last=True))
    cases.append(sweep_case(6, operation))
    try:
        for case in cases[: 1 if name == torch_compile.COMPILED else None]:  # which takes seconds for each
            check(peer, case)
        ways = peer.prepare(cases[0], draw(cases[0]))
    except MissingError as error:
        pytest.skip(f"{name}: {error}")
    assert ways or name not in (ours.OURS, limits.COPY)


@pytest.mark.parametrize("operation", fused.FUSED)
def test_each_argument_of_fused_operations_counts(operation):
    """So a peer that leaves one of them out is found."""
    case = replace(SMALL, operation=operation, residual=bool(OPERATIONS[operation].more))
    (layer,) = draw(case)
    wanted = case.op(reference, layer)[0]
    for name in (*case.op.positional, *([case.op.more] if case.residual else [])):
        assert not np.allclose(wanted, case.op(reference, {**layer, name: layer[name] * 1.5})[0], rtol=1e-5)


@pytest.mark.parametrize("operation", fused.NORMALIZED)
def test_only_ours_is_given_a_residual(operation):
    case = replace(SMALL, operation=operation, residual=True)
    check(PEERS[ours.OURS], case)
    with pytest.raises(WrongError):
        check(PEERS["NumPy, np.where"], case)


def test_operations_with_as_many_arrays_share_them():
    desk = Desk(1)
    forward, backward = (replace(SMALL, operation=name) for name in ("bias_leaky_relu", "bias_leaky_relu_backward"))
    assert desk.arrays(forward) is desk.arrays(SMALL)
    residual = replace(SMALL, operation="scale_shift_prelu", residual=True)
    assert desk.arrays(residual) is desk.arrays(backward) is not desk.arrays(forward)


@pytest.mark.parametrize("name", activations.NAMES)
def test_other_activations_are_what_they_are_called(name):
    torch = pytest.importorskip("torch")
    peer = PEERS[f"{name} (PyTorch)"]
    case = replace(SMALL, operation="leaky_relu_backward")
    (layer,) = draw(case)
    x = torch_.tensor(layer["x"]).requires_grad_()
    y = getattr(torch.nn.functional, name.lower())(x)
    y.backward(torch_.tensor(layer["grad"]))
    for one, wanted in ((SMALL, y.detach()), (case, x.grad)):
        peer.prepare(one, [layer])[0].calls[0]()
        assert np.allclose(layer["out"], wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_cases_are_compiled_one_by_one():
    """However many there are in a process."""
    torch = pytest.importorskip("torch")
    peer, case = PEERS[torch_compile.COMPILED], replace(SMALL, operation="scale_shift_leaky_relu")
    with importlib.import_module("torch._dynamo.config").patch(recompile_limit=1):
        for shape in case.shapes[0], (1, 4, 4, 4):
            one = replace(case, shapes=(shape,))
            try:
                ((call,),) = (ways.calls for ways in peer.prepare(one, draw(one)))
            except MissingError as error:
                pytest.skip(f"{error}")
            with torch.inference_mode():
                assert call()[0][0].shape == shape


def test_nothing_is_compiled_without_a_compiler(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(torch_compile.shutil, "which", lambda _: None)
    with pytest.raises(MissingError, match=r"no C\+\+ compiler"):
        torch_compile.prepare(replace(SMALL, operation="bias_leaky_relu"), [])


def test_a_wrong_peer_is_found():
    def wrong(case, layers):
        (right,) = PEERS[ours.OURS].prepare(case, layers)
        return [replace(right, read=lambda value: (value * 1.001,))]

    with pytest.raises(WrongError, match="out of leaky_relu differs"):
        check(Peer("wrong", wrong), SMALL)


@pytest.mark.parametrize("name", [limits.COPY, limits.STREAM])
@pytest.mark.parametrize("elements", [1, 15, 16, 17, 63, 1000])
def test_a_copy_copies(name, elements):
    case = Case("", "leaky_relu", ((elements,),))
    layers = draw(case)
    layers[0] |= {"x": layers[0]["x"][1:], "out": layers[0]["out"][1:]}
    try:
        (prepared,) = PEERS[name].prepare(case, layers)
    except MissingError as error:
        pytest.skip(f"{name}: {error}")
    timer(prepared).timeit(1)
    assert np.array_equal(layers[0]["out"], layers[0]["x"])


def test_calls_are_spelled_out():
    seen = []

    def function(*args, **options):
        seen.append((args, options))

    calls = [limits.functools.partial(function, 1, b=2), limits.functools.partial(function)]
    timer(Prepared(calls, None)).timeit(2)
    assert seen == [((1,), {"b": 2}), ((), {})] * 2


def test_a_sampler_repeats_short_calls():
    sampler = Sampler(Prepared([limits.functools.partial(math.sqrt, 2.0)], None), 1e-3)
    assert sampler.times > 1000
    assert 0 < sampler.sample() < 1e-5


def test_a_desk_tells_what_went_wrong():
    def broken(*_):
        raise RuntimeError("no luck")

    desk = Desk(1)
    assert desk.open("key", Peer("broken", broken), SMALL, 1e-5) == {"why": "RuntimeError: no luck"}
    assert desk.open("key", Peer("cannot", lambda *_: []), SMALL, 1e-5) == {"why": ""}
    assert desk.open("key", PEERS[limits.COPY], SMALL, 1e-5) == {}
    assert desk.samplers["key"].sample() > 0


def test_doubt():
    assert figures.doubt([1, 1, 1, 1]) == 0
    assert figures.doubt([1.0, 1.1, 0.9]) == pytest.approx(0.1)
    assert figures.doubt([1.0, 1.1, 1.0, 0.9, 1.0, 1.0, 1.0, 1.0, 100.0]) == pytest.approx(
        0.05
    )  # one disturbed: no harm
    assert figures.doubt([1.0, 1.1, 0.9] * 40) < figures.doubt([1.0, 1.1, 0.9] * 10)
    assert figures.steady([1.0, 1.01, 0.99])
    assert not figures.steady([1.0, 1.5, 0.7])
    assert not figures.steady([1.0, 1.0])  # too few to tell


def test_the_doubt_holds_what_it_says():
    """In 95 of 100 runs, about, the true median lies so near."""
    rng = np.random.default_rng(0)
    for count in (9, 18, 36):
        runs = 1 + 0.1 * rng.standard_normal((1000, count))
        near = [abs(figures.middle(run) - 1) <= figures.doubt(run) * figures.middle(run) for run in runs.tolist()]
        assert 0.9 < np.mean(near) < 0.995


def test_one_of_many_does_not_miss_by_chance():
    """In 95 of 100 rows, all of 50 medians lie in their intervals."""
    rng = np.random.default_rng(0)
    rows = (1 + 0.1 * rng.standard_normal((400, 50, 36))).tolist()
    ends = [[figures.interval(repeats, 50) for repeats in row] for row in rows]
    assert 0.93 < np.mean([all(low <= 1 <= high for low, high in row) for row in ends]) <= 1
    assert not all(low <= 1 <= high for row in rows for low, high in map(figures.interval, row))


@pytest.mark.parametrize(
    ("bound", "verdict"),
    [
        ({"at_least": 1.9}, "met"),
        ({"at_least": 2.1}, "missed"),
        ({"at_most": 1.9}, "missed"),
        ({"at_most": 2.1}, "met"),
    ],
)
def test_verdicts(bound, verdict):
    row = judged([1.0, 10.0, 1.0], [2.0, 20.0, 2.0], **bound)  # rounds are compared one by one
    assert row["verdict"] == verdict
    assert row["figure"] == 2


@pytest.mark.parametrize(("at_least", "verdict"), [(0.1, "met"), (2.5, "unsteady"), (5, "missed")])
def test_unsteady_repeats_may_settle_a_verdict(at_least, verdict):
    """But they give no figure: only between what it lies."""
    row = judged([1.0, 1.0, 1.0], [2.0, 3.0, 4.0], at_least=at_least)
    assert row["verdict"] == verdict
    assert not row["steady"]
    results = Results(quick=False, rounds=3, machine={}, goals=[row])
    shown = verdict if verdict == "met" else f"**{verdict}**"
    assert report.goals(results).splitlines()[-1] == f"| a | at least {at_least} x b | 2 to 4 x b | {shown} |"


def test_the_worst_verdict_counts():
    """A pair that misses counts more than one that is not settled, and that more than one that is met."""
    pairs = [Pair(Run(ours.OURS, case), Run(limits.COPY, case)) for case in (replace(SMALL, name=n) for n in "abc")]
    goal = Goal("a", "b", goals.speed, pairs, at_least=2)
    theirs = {"a": [3.0] * 3, "b": [1.0, 2.5, 3.0], "c": [1.9] * 3}
    for count, wanted in ((1, "met"), (2, "unsteady"), (3, "missed")):
        used = pairs[:count]
        times = {pair.ours: [1.0] * 3 for pair in used} | {p.theirs: theirs[p.ours.case.name] for p in used}
        row = goal.judge(times, {})
        assert (row["verdict"], row["where"]) == (wanted, "abc"[count - 1])


def test_settled_pairs_are_timed_no_more():
    cases = [replace(SMALL, name=name) for name in "abc"]
    pairs = [Pair(Run(ours.OURS, cases[0]), Run(limits.COPY, case)) for case in cases]
    out = float("nan")  # of the round
    theirs = [9.0] * 9 + [out] * 18, [1.0, 2, 3] * 9, [8.0] * 18 + [out] * 9
    times = {pairs[0].ours: [1.0] * 27, **{pair.theirs: seconds for pair, seconds in zip(pairs, theirs, strict=True)}}
    goal = Goal("a", "b", goals.speed, pairs, at_least=2)
    assert goal.unsteady(times) == {pairs[1].ours, pairs[1].theirs}
    times[pairs[1].theirs] = [3.0] * 27
    assert goal.unsteady(times) == set()
    times[pairs[2].theirs] = [2.1, 2.5, 2.9] * 6 + [out] * 9  # met, but the worst, whose figure is shown
    assert goal.unsteady(times) == {pairs[2].ours, pairs[2].theirs}


def test_a_second_look():
    """Its rounds count beside the first ones; what failed there does not count at all."""
    a, b, c = (Run(ours.OURS, replace(SMALL, name=name)) for name in "abc")
    times = {a: [1.0], b: [2.0], c: [3.0]}
    join(times, [a, b], {a: [4.0]})
    assert times == {a: [1.0, 4.0], c: [3.0]}


def test_the_worst_pair_decides():
    twice = Run(limits.COPY, replace(SMALL, name="twice"))
    goal = Goal("a", "b", goals.speed, [Pair(OURS, THEIRS), Pair(Run(ours.OURS, twice.case), twice)], at_least=1.5)
    times = {OURS: [1.0] * 3, THEIRS: [1.0] * 3, Run(ours.OURS, twice.case): [1.0] * 3, twice: [2.0] * 3}
    row = goal.judge(times, {})
    assert (row["verdict"], row["figure"], row["where"]) == ("missed", 1, "small")
    del times[THEIRS]  # and what was not timed does not
    assert goal.judge(times, {})["verdict"] == "met"


def test_what_is_missing_is_told():
    row = Goal("a", "b", goals.speed, [Pair(OURS, THEIRS)], at_least=1).judge({}, {limits.COPY: "not installed"})
    assert row["verdict"] == "skipped"
    assert row["why"] == f"{limits.COPY} is not installed"


def test_quantities():
    backward = replace(SMALL, operation="leaky_relu_backward")
    times = {Run(ours.OURS, backward): [3.0], THEIRS: [1.0]}
    pair = Pair(Run(ours.OURS, backward), THEIRS)
    assert pair.repeats(goals.time, times) == [3]
    assert pair.repeats(goals.speed, times) == [1 / 3]
    assert pair.repeats(goals.bandwidth, times) == [0.5]  # three arrays in three seconds; two in one
    assert pair.repeats(goals.milliseconds, times) == [2000]


def test_groups_have_nothing_in_common():
    table = goals.goals(parts.Extent(), ["PyTorch", "JAX"], cpus=2)
    assert len({(goal.what, goal.versus) for goal in table}) == len(table)
    for goal in table:
        divided = list(goals.groups(goal))
        runs = [run for group in divided for run in group]
        assert len(runs) == len(set(runs))
        for pair in goal.pairs:
            assert any(pair.ours in group and pair.theirs in group for group in divided)


@pytest.mark.parametrize(("version", "bound"), [("1.26.0", 1), ("1.32.0", 2.4), (None, 1)])
def test_goals_for_frameworks_name_versions(monkeypatch, version, bound):
    """ONNX Runtime's own PRelu was quick until 1.26."""
    monkeypatch.setattr(frameworks.machine, "versions", lambda: {"onnxruntime": version} if version else {})
    table = {(goal.what, goal.versus): goal for goal in frameworks.goals(parts.Extent())}
    assert table["MobileFaceNet, inference", f"ONNX Runtime {version or ''}".rstrip()].at_least == bound
    assert {goal.part for goal in table.values()} == {"frameworks"}


@pytest.mark.parametrize(("cache", "held", "images"), [(2**20, 1, 1), (2**25, 3, 1), (480 * 2**20, 4, 15)])
def test_goals_for_fused_operations(monkeypatch, cache, held, images):
    """Where the arrays lie in or past this machine's last cache, the bounds differ."""
    monkeypatch.setattr(fused.machine, "caches", lambda: {"L1": 2**15, "L2": cache})
    table = {
        (goal.what, goal.versus): goal for goal in fused.goals(parts.Extent(), ["PyTorch", "JAX", "fastleaky.jax"])
    }
    assert {goal.part for goal in table.values()} == {"fused"}
    what = "bias_leaky_relu, gain, clamp"
    inside, past = (table[f"{what}, {where}", "leaky_relu"] for where in ("inside", "past the cache"))
    assert (inside.at_most, past.at_most) == (1.35, 1.15)
    assert len(inside.pairs) + len(past.pairs) == len(table[what, "PyTorch"].pairs) == len(fused.GAN)
    assert len(inside.pairs) == held
    assert past.pairs[-1].ours.case.shapes == ((images, 128, 256, 256),)
    residual = table["the same with a residual", "leaky_relu_backward"]
    assert {pair.ours.case.arrays for pair in residual.pairs} == {pair.theirs.case.arrays for pair in residual.pairs}
    fastest = table["all batch norms and activations of networks", "the fastest peer"]
    assert {pair.theirs.peer for pair in fastest.pairs} == {"PyTorch", "JAX"}
    assert {pair.ours.case.operation for pair in fastest.pairs} == set(fused.NORMALIZED)


def test_only_some_goals():
    extent = parts.Extent(match="the NumPy backend")
    chosen = wanted_goals(["goals", "formats"], extent, [], 1)
    assert len(chosen) == 3
    assert all("the NumPy backend" in goal.what for goal in chosen)
    with pytest.raises(SystemExit, match="contains 'nothing'"):
        wanted_goals(["goals"], parts.Extent(match="nothing"), [], 1)


def test_one_processor_leaves_threads_out():
    for goal in goals.goals(parts.Extent(), [], cpus=1):
        if "threads" in goal.what:
            assert goal.judge({}, {})["verdict"] == "skipped"


def test_lab():
    """Each peer has a process; one that dies is left out and reported."""
    with Lab(rounds=3, least_seconds=1e-5, peers=[ours.OURS, limits.COPY]) as lab:
        assert lab.skipped["PyTorch"] == "not asked for"
        times = lab.measure([OURS, THEIRS, Run("PyTorch", SMALL)])
        assert {run: len(seconds) for run, seconds in times.items()} == {OURS: 3, THEIRS: 3}
        (worker,) = lab.workers.values()
        worker.process.kill()
        assert lab.measure([THEIRS]) == {}
        assert "ended (-9)" in lab.skipped[limits.COPY]
        assert OURS in lab.measure([OURS])  # in a new process


def sample_results():
    machine = {
        "processor": "P",
        "system": "S",
        "cpus": 1,
        "caches": {"L1": 2**15},
        "versions": {"torch": "2"},
        "date": "D",
        "backend": "c",
    }
    results = Results(quick=False, rounds=3, machine=machine, skipped={"JAX": "not installed"})
    for n, peer in enumerate([ours.OURS, limits.COPY, limits.STREAM, limits.NEGATIVE, "PyTorch", "ncnn"], start=1):
        for exponent in (2, 6, 10, 14):
            for operation in ("leaky_relu", "prelu_backward"):
                results.add("sweep", {Run(peer, sweep_case(exponent, operation)): [n * 2.0**exponent * 1e-9] * 3})
            results.add("latency", {Run(peer, sweep_case(exponent, fresh=True)): [n * 1e-6] * 3})
        for network in NETWORKS[:4]:
            for backward in (False, True):
                results.add("networks", {Run(peer, network_case(network, backward=backward)): [n**3 * 1e-3] * 3})
    results.add("networks", {Run(ours.OURS, network_case(NETWORKS[4])): [1.0, 2.0, 3.0]})
    for n, framework in enumerate((frameworks.TORCH, frameworks.RUNTIME), start=2):
        for training in (False, True)[: 3 - n + 1]:
            case = whole_case("MobileFaceNet", 16, training=training)
            results.add("goals", {Run(framework.ours, case): [1e-3] * 3, Run(framework.theirs, case): [n * 1e-3] * 3})
    layer, network = fused.cases("bias_leaky_relu", fused.SMALL[:1])[0], fused.network_cases(parts.Extent())[0]
    results.add("goals", {Run(ours.OURS, network): [5e-4] * 3})  # for another goal: the last counts
    for n, peer in enumerate([ours.OURS, "PyTorch", "torch.compile"], start=1):
        results.add("goals", {Run(peer, layer): [n * 1e-4] * 3, Run(peer, network): [n * 1e-3] * 3})
    results.add("goals", {Run(ours.OURS, replace(layer, operation="leaky_relu")): [9e-5] * 3})
    for group in parts.compared(parts.Extent(), [], 1):
        results.add("activations", {run: [n * 1e-3] * 3 for n, run in enumerate(group.runs, start=1)})
    results.goals.append(judged([1.0] * 3, [2.0] * 3, at_least=1))
    return results


def test_tables():
    made = {name: text for name, (_, text) in report.tables(sample_results()).items()}
    lines = made["networks"].splitlines()
    assert lines[0] == "|  | YOLOv3-tiny | YOLOv4-tiny | DCGAN | StyleGAN2 | iresnet50 |"
    assert lines[2] == "| fastleaky | **1** | **1** | **1** | **1** | **1,000 to 3,000** |"
    assert "| *np.copyto* | 8 | 8 | 8 | 8 |  |" in lines  # a limit is never the best
    assert made["whole"].splitlines()[2:] == [
        "| MobileFaceNet, inference, batch of 16 | PyTorch 2 | 2 | 1 | 2.00 |",
        "| MobileFaceNet, training step, batch of 16 | PyTorch 2 | 2 | 1 | 2.00 |",
        "| MobileFaceNet, inference, batch of 16 | ONNX Runtime | 3 | 1 | 3.00 |",
    ]
    assert made["fused-layers"].splitlines()[2:] == ["| bias_leaky_relu, 1x64x28x28 | 200 | 300 | 100 | 90 |"]
    assert made["fused-networks"].splitlines()[0] == "|  | YOLOv3-tiny |"
    assert "| fastleaky | **1** |" in made["fused-networks"].splitlines()
    lines = made["activations"].splitlines()
    assert lines[2:4] == ["| leaky ReLU, fastleaky | **1** | **1** |", "| PReLU, fastleaky | 2 | 2 |"]
    assert lines[-1] == "| GELU | 9 | 9 |"
    assert made["goals"].splitlines()[2] == "| a | at least 1 x b | 2 x b | met |"
    assert "JAX: not installed" in report.markdown(sample_results())
    place = "<!-- benchmarks: {} -->\n{}\n<!-- benchmarks end -->\n"
    page = place.format("goals", "old") + place.format("none", "x")
    filled = report.insert(page, sample_results())
    assert made["goals"] in filled
    assert "old" not in filled
    assert "\nx\n" in filled
    assert report.insert(filled, sample_results()) == filled


def test_results_are_kept(tmp_path):
    results = sample_results()
    results.save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json") == results
    (tmp_path / "results.json").write_text(json.dumps({"format": 0}))
    with pytest.raises(ValueError, match="format 0"):
        Results.load(tmp_path / "results.json")


def test_pictures(tmp_path):
    plots = pytest.importorskip("benchmarks.plots", reason="matplotlib is not installed")
    made = plots.save(sample_results(), tmp_path)
    names = ["bandwidth", "latency", "networks", "networks-backward", "whole", "activations"]
    assert [path.name for path in made] == [f"{name}.png" for name in names]
    assert all(1000 < path.stat().st_size < 200_000 for path in made)


def test_everything(tmp_path):
    """The whole command, quickly."""
    command = [sys.executable, "-m", "benchmarks", "--quick", "--out", str(tmp_path)]
    child = subprocess.run([*command, "--peers", "none"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert "nothing to go by" in child.stdout
    assert "PyTorch: not asked for" in child.stdout
    results = Results.load(tmp_path / "results.json")
    assert {timing.part for timing in results.timings} == {"goals", *parts.PARTS}
    assert {ours.OURS, limits.COPY} <= {timing.peer for timing in results.timings}
    again = [*command, "--from", str(tmp_path / "results.json"), "--pages", str(tmp_path / "page.md")]
    child = subprocess.run(again, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "not for other pages" in child.stderr


def test_unknown_names():
    for arguments, message in ((["--peers", "nobody"], "there is no nobody"), (["--only", "x"], "there is no x")):
        command = [sys.executable, "-m", "benchmarks", *arguments]
        child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert child.returncode == 2
        assert message in child.stderr
