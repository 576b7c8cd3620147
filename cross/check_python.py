"""The Python package on other processors: Debian's Python under QEMU, with the extension cross-compiled.

``python cross/check_python.py`` unpacks Debian 12's Python for AArch64, with PyPI's NumPy for it, and for s390x, which
is big-endian, with Debian's NumPy 1.24. Nothing is installed: no root, no chroot, no binfmt. It fails if other backends
are there than should be, or if a test fails, is missing or is skipped. ``--numba`` adds PyPI's Numba for AArch64, which
is 200 MB more and minutes of compiling.

The chosen backend goes through all of the target's tests but what LEFT_OUT names; each of the others must give the
known answers, and goes through OTHERS.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from commands import ROOT, CommandError, Result, conclude, run
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
SHOW = """
import platform, numpy, fastleaky
print(platform.machine(), platform.python_version(), numpy.__version__, fastleaky.backend, *fastleaky.backends())
"""
PYTEST = """
import sys, hypothesis, pytest
slowly = {"suppress_health_check": [hypothesis.HealthCheck.too_slow], "derandomize": True, "database": None}
hypothesis.settings.register_profile("emulated", **slowly)
hypothesis.settings.load_profile("emulated")
sys.exit(pytest.main(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Target:
    """A processor, as GNU, Debian and PyPI call it, what to get for it, and the backends that it must have."""

    name: str
    architecture: str
    debian: tuple[str, ...]
    wheels: tuple[str, ...]
    backends: tuple[str, ...]  # the first must be chosen
    tests: tuple[str, ...]
    emulator: tuple[str, ...] = ()  # options for QEMU


AARCH64 = Target(
    "aarch64",
    "arm64",
    ("libstdc++6",),
    ("numpy", "cffi", "pytest", "hypothesis"),
    ("c:neon", "c:scalar", "numpy"),
    ("equal", "reference", "errors", "guard_pages", "quantized"),
    ("-cpu", "cortex-a53"),  # QEMU's own has SVE, which would be chosen
)
S390X = Target(
    "s390x",
    "s390x",
    tuple(f"python3-{name}" for name in ("numpy", "cffi", "pytest", "hypothesis")),
    (),
    ("c:scalar", "numpy"),
    ("equal", "reference", "errors", "quantized"),  # no guard pages: plain C reads there what it reads everywhere
)


def need(target: Target) -> None:
    """See that every tool is there."""
    cross = f"{target.name}-linux-gnu"
    tools = {"mmdebstrap": "mmdebstrap", f"{cross}-gcc": f"gcc-{cross}", f"qemu-{target.name}": "qemu-user"}
    for tool, package in tools.items():
        if shutil.which(tool) is None:
            raise CommandError(f"{tool} is missing: apt install {package}")


def download(target: Target, folder: Path) -> None:
    """Unpack Python for a target, and what the tests import; unless that was done before."""
    done = folder / "complete"
    if done.exists() and done.read_text() == repr(target):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    packages = ",".join(("python3", "libpython3.11-dev", *target.debian))
    extract = ["mmdebstrap", "--mode=chrootless", "--variant=extract", "--skip=check/qemu"]  # as any user
    architecture = f"--architectures={target.architecture}"
    run([*extract, architecture, f"--include={packages}", "bookworm", str(folder / "root")])
    if target.wheels:
        kinds = [f"--platform=manylinux_2_{glibc}_{target.name}" for glibc in (17, 28)]
        install = [sys.executable, "-m", "pip", "install", "--only-binary=:all:", "--python-version=3.11", *kinds]
        run([*install, "--target", str(folder / "site"), *target.wheels])
    done.write_text(repr(target))


def build(target: Target, folder: Path) -> None:
    """Make a folder of the package, as it is installed, and its tests."""
    package = folder / "package"
    shutil.rmtree(package, ignore_errors=True)
    for source in (ROOT / "pyproject.toml", *(ROOT / "fastleaky").glob("**/*.py"), *(ROOT / "tests").glob("*.py")):
        copy = package / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    (package / "fastleaky" / "_backends" / "ffi_build.py").unlink()
    binding = str(folder / "_ffi.c")
    run([sys.executable, str(ROOT / "fastleaky/_backends/ffi_build.py"), binding])
    compiler = [f"{target.name}-linux-gnu-gcc", "-std=c11", "-O3", "-fPIC", "-shared", "-pthread"]
    compiler += ["-DPy_LIMITED_API=0x030b0000"]
    headers = folder / "root" / "usr" / "include"
    includes = [f"-I{ROOT / 'csrc'}", f"-I{headers / 'python3.11'}", "-idirafter", str(headers)]
    folders = ("csrc", "fastleaky/_backends", "fastleaky/jax")  # ONNX Runtime's provider is a library of its own
    sources = [str(source) for folder in folders for source in (ROOT / folder).glob("**/*.c")]
    run([*compiler, *includes, binding, *sources, "-lm", "-o", str(package / "fastleaky" / "_ffi.abi3.so")])


def python(target: Target, folder: Path, *arguments: str) -> str:
    """Run the target's Python in the package's folder; its output."""
    root = folder / "root"
    # Debian links BLAS when it installs, which is not done here. QEMU does not look for these folders in the root.
    libraries = root / "usr" / "lib" / f"{target.name}-linux-gnu"
    path = f"LD_LIBRARY_PATH={libraries / 'blas'}:{libraries / 'lapack'}"
    emulator = [f"qemu-{target.name}", *target.emulator, "-L", str(root), "-E", path]
    return run(
        ["env", f"--chdir={folder / 'package'}", *emulator, str(root / "usr" / "bin" / "python3.11"), *arguments],
        PYTHONPATH=str(folder / "site"),
        FASTLEAKY_EXPECT=",".join(target.backends),
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",  # plugins take as long as the tests
    )


def selection(target: Target) -> str:
    """Pytest's expression for what is run: no test of a backend that is not expected, since it would be skipped."""
    absent = {"numba", "c:sve"} - set(target.backends)
    return f"not ({' or '.join([*LEFT_OUT, *absent])}) and (not ({' or '.join(target.backends[1:])}) or {OTHERS})"


def check(target: Target, folder: Path, progress: Progress) -> Result:
    """Do everything for a target."""
    task, start = progress.add_task(target.name, total=4), time.monotonic()
    result = Result(target.name)
    try:
        need(target)
        for step in (download, build):
            progress.update(task, description=f"{target.name}: {step.__name__}", advance=1)
            step(target, folder)
        progress.update(task, description=f"{target.name}: test", advance=1)
        examine(target, folder, result)
    except (CommandError, subprocess.TimeoutExpired) as error:
        result.error = str(error)
    progress.update(task, completed=4)
    result.seconds = time.monotonic() - start
    return result


def examine(target: Target, folder: Path, result: Result) -> None:
    """See which backends there are, and run the tests."""
    machine, result.python, result.numpy, result.backend, *backends = python(target, folder, "-c", SHOW).split()
    if (machine, result.backend, *backends) != (target.name, target.backends[0], *target.backends):
        raise CommandError(f"{machine} chose {result.backend} of {backends}; it must be the first of {target.backends}")
    options = ["-q", "-ra", "-o", "addopts=", "-p", "no:logging", "-p", "no:cacheprovider", "-k", selection(target)]
    tests = [f"tests/test_{name}.py" for name in target.tests]
    output = python(target, folder, "-c", PYTEST, *options, *tests)
    verdict = re.search(r"^(\d+) passed, \d+ deselected in .*$", output, re.MULTILINE)
    if not verdict:
        raise CommandError(f"something was skipped:\n{output[-2000:]}")
    result.passed = int(verdict[1])


def show(console: Console, results: list[Result]) -> None:
    """Print the table, and then what went wrong."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("target", "Python", "NumPy", "chosen"):
        table.add_column(heading, no_wrap=True)
    for heading in ("tests", "seconds"):
        table.add_column(heading, justify="right")
    for result in results:
        verdict = "[bold red]FAILED[/]" if result.error else f"[green]{result.passed} passed[/]"
        table.add_row(result.name, result.python, result.numpy, result.backend, verdict, f"{result.seconds:.0f}")
    console.print(table)
    console.print("left out: " + "; ".join(f"{name} ({why})" for name, why in LEFT_OUT.items()))
    conclude(console, [(result.name, result.error) for result in results])


def main() -> int:
    """Run the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numba", action="store_true", help="test Numba too, on AArch64")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="download to here, and only what is not there yet")
    options = parser.parse_args()
    aarch64 = AARCH64
    if options.numba:
        backends = ("c:neon", "c:scalar", "numba", "numpy")
        aarch64 = replace(AARCH64, wheels=(*AARCH64.wheels, "numba"), backends=backends)

    with (
        tempfile.TemporaryDirectory() as temporary,
        Progress(console=Console(stderr=True), transient=True) as progress,
        ThreadPoolExecutor() as pool,
    ):
        folder = (options.keep or Path(temporary)).resolve()
        results = list(pool.map(lambda target: check(target, folder / target.name, progress), (aarch64, S390X)))
    show(Console(highlight=False), results)
    return int(any(result.error for result in results))


if __name__ == "__main__":
    sys.exit(main())
