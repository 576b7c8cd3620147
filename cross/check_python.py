"""Wheels in clean roots: Debian's Python for each processor, under QEMU, with a wheel that pip installs there.

``python cross/check_python.py`` takes wheels from the folder that ``tools/wheels.py`` fills. A root has Debian's
Python, pip, NumPy and rich, and nothing of fastleaky's but the wheel. ``python -m fastleaky`` must end with "identical"
for each backend that the processor should have. On AArch64 and on s390x, which is big-endian, the tests follow: the
chosen backend goes through all but what LEFT_OUT names; each of the others gives the known answers, and goes through
OTHERS. Roots are entered by chroot in namespaces of their own, without binfmt.

``--numba`` has PyPI's Numba and NumPy installed where there are wheels for them, of hundreds of megabytes; their
compiling takes minutes under QEMU.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from commands import ROOT, CommandError, Result, backends_here, conclude, find, mirror, run
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

LEFT_OUT = {
    "sums_are_tested": "it looks at the tests' own data",
    "every_number": "check_quantized.c has the checksums of all of them",
    "every_pair": "check_quantized.c has the checksums of these, too",
    "lengths": "cross/check.py checks them in C, and more of them",
    "any_shape": "it is slow there, and what it draws is how Python lays arrays out",
    "partial_overlap": "Python copies there, before any kernel",
    "random": "what these draw is computed by NumPy alone",
    "fuzz": "wrong arguments are refused in Python",
    "guard_guards": "it starts a process, which an emulated one cannot",
    "does_not_import_it": "so does this",
}
OTHERS = "test_axes"
ENTER = 'for kept in proc dev; do mount --rbind "/$kept" "$0/$kept"; done; exec chroot "$0" "$@"'
PYTEST = """
import sys, hypothesis, pytest
slowly = {"suppress_health_check": [hypothesis.HealthCheck.too_slow], "derandomize": True, "database": None}
hypothesis.settings.register_profile("emulated", **slowly)
hypothesis.settings.load_profile("emulated")
sys.exit(pytest.main(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Target:
    """A root, and what must be true there."""

    machine: str  # as Python calls it
    architecture: str  # as Debian does
    suite: str
    emulator: tuple[str, ...]
    backends: tuple[str, ...]  # the first must be chosen
    tests: tuple[str, ...] = ()
    numba: bool = False  # install it, and NumPy, from PyPI
    on_demand: bool = False

    @property
    def name(self) -> str:
        """The processor and the suite."""
        return " ".join((self.machine, self.suite, *self.emulator[2:]))

    @property
    def packages(self) -> str:
        """What Debian installs."""
        names = ["pip", *("numpy", "rich") * (not self.numba), *("pytest", "hypothesis") * bool(self.tests)]
        return ",".join(["python3", "libstdc++6", *(f"python3-{name}" for name in names)])


def x86_64(suite: str) -> Target:
    """Return a root on the processor that runs it, with all that this has."""
    return Target("x86_64", "amd64", suite, (), tuple(backends_here()), numba=True)


RVV = "rv64,v=true,vext_spec=v1.0,elen=64,vlen=256"
SSE2 = ("c:sse2", "c:scalar", "numpy")
NEON32 = ("c:neon32", "c:scalar", "numpy")
PLAIN = ("c:scalar", "numpy")
PARTS = ("equal", "reference", "errors", "quantized")
# QEMU's own AArch64 has SVE, which would be chosen. On s390x there are no guard pages: plain C reads there what it
# reads everywhere. The processors that lack something must not meet an instruction that they do not know.
WITH_NUMBA = ("aarch64", "x86_64")  # where the wheel asks for it
CORTEX_A53 = ("qemu-aarch64-static", "-cpu", "cortex-a53")
TARGETS = (
    Target("aarch64", "arm64", "bookworm", CORTEX_A53, ("c:neon", *PLAIN), (*PARTS, "guard_pages")),
    Target("s390x", "s390x", "bookworm", ("qemu-s390x-static",), PLAIN, PARTS),
    Target("armv7l", "armhf", "bookworm", ("qemu-arm-static", "-cpu", "cortex-a7"), NEON32),
    Target("armv7l", "armhf", "bookworm", ("qemu-arm-static", "-cpu", "cortex-a9,neon=off"), PLAIN),
    Target("riscv64", "riscv64", "trixie", ("qemu-riscv64-static",), PLAIN),
    Target("riscv64", "riscv64", "trixie", ("qemu-riscv64-static", "-cpu", RVV), ("c:rvv", *PLAIN)),
    Target("x86_64", "amd64", "bookworm", ("qemu-x86_64-static", "-cpu", "Nehalem"), SSE2),
    x86_64("bookworm"),
    x86_64("trixie"),
    Target("armv7l", "armhf", "trixie", ("qemu-arm-static", "-cpu", "cortex-a7"), NEON32),
    Target("aarch64", "arm64", "trixie", CORTEX_A53, ("c:neon", *PLAIN), on_demand=True),
    Target("s390x", "s390x", "trixie", ("qemu-s390x-static",), PLAIN, on_demand=True),
    Target("ppc64le", "ppc64el", "bookworm", ("qemu-ppc64le-static",), PLAIN, on_demand=True),
)


def need(target: Target) -> None:
    """See that every tool is there."""
    for tool, package in {"mmdebstrap": "mmdebstrap", **dict.fromkeys(target.emulator[:1], "qemu-user-static")}.items():
        if shutil.which(tool) is None:
            raise CommandError(f"{tool} is missing: apt install {package}")


def unpack(target: Target, root: Path) -> None:
    """Unpack Debian's packages into a root, unless that was done before. None of their scripts is run."""
    done = root.with_suffix(".complete")
    if done.exists() and done.read_text() == target.packages:
        return
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    extract = ["mmdebstrap", "--mode=chrootless", "--variant=extract", "--skip=check/qemu"]
    wanted = [f"--architectures={target.architecture}", f"--include={target.packages}"]
    run([*extract, *wanted, target.suite, str(root), mirror()])
    for name in ("proc", "dev"):
        (root / name).mkdir(exist_ok=True)
    for name in ("bin", "lib", "lib64"):
        if (root / "usr" / name).exists() and not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")
    certificates = root / "etc" / "ssl" / "certs" / "ca-certificates.crt"  # which pip reads, needed or not
    certificates.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(run([sys.executable, "-m", "pip._vendor.certifi"]).strip(), certificates)
    done.write_text(target.packages)


def python(target: Target, root: Path, *arguments: str) -> str:
    """Run the target's Python in its root; its output."""
    emulator = list(target.emulator)
    if emulator:
        shutil.copy(str(shutil.which(emulator[0])), root / "emulator")
        emulator[0] = "/emulator"
    # Debian links BLAS when it installs, which is not done here.
    libraries = [f"/{path.parent.relative_to(root)}" for path in root.glob("usr/lib/*/*/lib[bl]*.so.3")]
    variables = {
        "PATH": "/usr/bin:/usr/sbin",
        "LD_LIBRARY_PATH": ":".join(libraries),
        "FASTLEAKY_EXPECT": ",".join(target.backends),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # plugins take as long as the tests
        "PYTHONPATH": "/site",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
    }
    enter = ["unshare", "--map-root-user", "--mount", "sh", "-euc", ENTER, str(root)]
    given = ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
    return run([*given, *enter, *emulator, "/usr/bin/python3", *arguments])


def the_wheel(wheels: Path, platform: str) -> Path:
    """Return the path of the wheel for a platform."""
    found = list(wheels.glob(f"fastleaky-*-abi3-{platform}.whl"))
    if len(found) != 1:
        raise CommandError(f"{wheels} has {len(found)} wheels for {platform}: run tools/wheels.py")
    return found[0]


def install(target: Target, root: Path, wheels: Path) -> None:
    """Have pip install a wheel, and what it needs if Debian has not brought it; and copy the tests."""
    wheel = the_wheel(wheels, f"manylinux*_{target.machine}")
    for old in (root / "wheels", root / "tests", *root.glob("usr/local/lib/python3*")):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(ROOT / "tests", root / "tests")
    shutil.copy(ROOT / "pyproject.toml", root)
    (root / "wheels").mkdir()
    shutil.copy(wheel, root / "wheels")
    options = ["--no-index", "--find-links=/wheels", "--root-user-action=ignore", "--break-system-packages"]
    if target.numba:
        version = python(target, root, "-c", "import platform; print(platform.python_version())").strip()
        kinds = [f"--platform=manylinux_2_{glibc}_{target.machine}" for glibc in (17, 24, 27, 28)]
        get = [sys.executable, "-m", "pip", "download", "--only-binary=:all:", f"--python-version={version}", *kinds]
        run([*get, f"--dest={root / 'wheels'}", str(wheel)])
    elif target.machine in WITH_NUMBA:
        options.append("--no-deps")
    python(target, root, "-m", "pip", "install", *options, "fastleaky")


def selection(target: Target) -> str:
    """Pytest's expression for what is run: no test of a backend that is not expected, since it would be skipped."""
    absent = {"numba", "c:sve"} - set(target.backends)
    return f"not ({' or '.join([*LEFT_OUT, *absent])}) and (not ({' or '.join(target.backends[1:])}) or {OTHERS})"


def check(target: Target, folder: Path, wheels: Path, progress: Progress) -> Result:
    """Do everything for a target."""
    task, start = progress.add_task(target.name, total=4), time.monotonic()
    result, root = Result(target.name), folder / re.sub(r"\W+", "-", target.name)
    steps: dict[str, Callable[[], None]] = {
        "unpack": lambda: unpack(target, root),
        "install": lambda: install(target, root, wheels),
        "compare": lambda: compare(target, partial(python, target, root), result),
        "test": lambda: test(target, root, result),
    }
    try:
        need(target)
        for name, step in steps.items():
            progress.update(task, description=f"{target.name}: {name}")
            step()
            progress.advance(task)
    except (CommandError, subprocess.TimeoutExpired) as error:
        result.error = str(error)
    progress.update(task, completed=4)
    result.seconds = time.monotonic() - start
    return result


def compare(target: Target, in_root: Callable[..., str], result: Result) -> None:
    """See that the right backends are there, and that each is identical with the specification."""
    parts = ["info", "check"]  # and no speeds, which mean nothing where they are emulated
    output = "".join(in_root("-m", "fastleaky", part) for part in parts)
    seen = re.search(r"with NumPy (\S+) and Python (\S+) on (\w+)", output)
    result.numpy, result.python, machine = seen.groups() if seen else ("", "", "")
    result.backend = find(r"^The backend is (\S+),", output)
    identical = re.findall(r"^ +(c:\w+|numba|numpy)(?: +identical){5} *$", output, re.MULTILINE)
    if (machine, result.backend, *identical) != (target.machine, target.backends[0], *target.backends):
        raise CommandError(f"{target.backends} should be identical, and the first of them chosen:\n{output[-3000:]}")


def test(target: Target, root: Path, result: Result) -> None:
    """Run the tests."""
    if not target.tests:
        return
    options = ["-q", "-ra", "-o", "addopts=", "-p", "no:logging", "-p", "no:cacheprovider", "-k", selection(target)]
    tests = [f"/tests/test_{name}.py" for name in target.tests]
    output = python(target, root, "-c", PYTEST, *options, *tests)
    verdict = re.search(r"^(\d+) passed, \d+ deselected in .*$", output, re.MULTILINE)
    if not verdict:
        raise CommandError(f"something was skipped:\n{output[-2000:]}")
    result.passed = int(verdict[1])


def show(console: Console, results: list[Result]) -> None:
    """Print the table, and then what went wrong."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("root", "Python", "NumPy", "chosen", "bits"):
        table.add_column(heading, no_wrap=True)
    for heading in ("tests", "seconds"):
        table.add_column(heading, justify="right")
    for result in results:
        verdict = "[bold red]FAILED[/]" if result.error else "[green]identical[/]"
        versions = (result.python, result.numpy, result.backend)
        table.add_row(result.name, *versions, verdict, str(result.passed or ""), f"{result.seconds:.0f}")
    console.print(table)
    if any(result.passed for result in results):
        console.print("left out: " + "; ".join(f"{name} ({why})" for name, why in LEFT_OUT.items()))
    conclude(console, [(result.name, result.error) for result in results])


def main() -> int:
    """Run the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="*", help="a part of the name of those that are wanted")
    parser.add_argument("--all", action="store_true", help="also those that the first ones hardly differ from")
    parser.add_argument("--wheels", type=Path, default=Path("wheelhouse"), help="the folder of wheels (%(default)s)")
    parser.add_argument("--numba", action="store_true", help="test Numba too, on AArch64")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="unpack to here, and only what is not there yet")
    options = parser.parse_args()
    named = [target for target in TARGETS if any(part in target.name for part in options.root)]
    targets = named or [target for target in TARGETS if options.all or not target.on_demand]
    if options.numba:
        targets = [
            replace(target, backends=(*target.backends[:-1], "numba", "numpy"), numba=True)
            if target.machine == "aarch64"
            else target
            for target in targets
        ]
    with (
        tempfile.TemporaryDirectory() as temporary,
        Progress(console=Console(stderr=True), transient=True) as progress,
        ThreadPoolExecutor(2) as pool,
    ):
        folder = (options.keep or Path(temporary)).resolve()
        results = list(pool.map(lambda target: check(target, folder, options.wheels, progress), targets))
    show(Console(highlight=False, width=None if sys.stdout.isatty() else 140), results)
    return int(any(result.error for result in results))


if __name__ == "__main__":
    sys.exit(main())
