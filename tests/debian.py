"""README.md's own two commands in clean Debian roots, and the C library with the newest Debian's compilers.

``python tests/debian.py`` unpacks each root of CASES with mmdebstrap, puts the source distribution of the last
commit there, and runs the commands with GCC or with Clang as the only compiler; a warning in our C is an error. It
fails if C was not chosen, or if a test fails, is missing or is skipped. The newest Debian's GCC and Clang compile the C
library and run its checks. As root, from an environment with fastleaky's ``dev`` extra; the host's mirror, proxies and
certificates are used.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import lowest
from rich import box
from rich.console import Console
from rich.table import Table

sys.path.append(str(Path(__file__).parent.parent / "cross"))
from commands import ROOT, CommandError, Result, backends_here, conclude, mirror, run

PROGRAMS = ("check", "check_quantized")

COMPILERS = ("gcc", "clang")
PART = "tests/test_cli.py tests/test_dtypes.py tests/test_entry.py tests/test_equal.py tests/test_errors.py"
# What may be skipped: frameworks that no extra of ours installs for the tests.
SKIPPED = (
    r"could not import '(torch|onnxruntime|onnx|jax|dask(\.array)?)'|LiteRT is not tested|"
    r": not installed \(pip install (torch|ai-edge-litert|onnx|openvino|jax|ncnn|numexpr)"
)
ENTER = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'
SHOW = """
import pathlib, platform, re, fastleaky._ffi, numpy
built = pathlib.Path(fastleaky._ffi.__file__).read_bytes()
compilers = re.findall(rb"clang version [0-9.]+|GCC: \\([^)]*\\) [0-9.]+", built)
print(min(compilers, key=lambda name: name.startswith(b"GCC")).decode().split()[-1], end=" ")
print(platform.python_version(), numpy.__version__, fastleaky.backend)
"""


@dataclass(frozen=True)
class Case:
    """A suite of Debian, its compilers, and whether the lowest versions of all requirements are wanted."""

    suite: str
    compilers: tuple[str, ...]
    lowest: bool = False
    python: bool = True  # or the C library alone


CASES = {
    "bookworm-gcc": Case("bookworm", ("gcc",)),
    "bookworm-clang": Case("bookworm", ("clang",)),
    "bookworm-lowest": Case("bookworm", ("gcc",), lowest=True),
    "trixie-gcc": Case("trixie", ("gcc",)),
    "trixie-clang": Case("trixie", ("clang",)),
    "sid": Case("sid", COMPILERS, python=False),
}


def readme(pattern: str) -> str:
    """What README.md says where this pattern's group is."""
    found = re.search(pattern, (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    if not found:
        raise CommandError(f"README.md has nothing like {pattern}")
    return found[1]


def command(name: str) -> str:
    """README.md's code block that follows the line <!-- ci: NAME -->."""
    return readme(rf"^<!-- ci: {name} -->\n```sh\n(.*?)^```")


def unpack(case: Case, root: Path) -> None:
    """Make a clean root with what README.md asks for, from the host's mirror; unless that was done before."""
    done = root.with_suffix(".complete")
    packages = readme(r"Debian:\s*`apt install gcc ([^`]*)`").split()
    wanted = ["libc6-dev"] if not case.python else [*packages, "python3-venv"]
    include = ",".join((*case.compilers, *wanted))
    if done.exists() and done.read_text() == include:
        return
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    settings = root.with_suffix(".apt")  # proxies, and how old a mirror may be
    settings.write_text(run(["apt-config", "dump", "Acquire", "--format", '%F "%v";%n']))
    options = ["--mode=root", "--variant=apt", f"--include={include}", f"--aptopt={settings}"]
    options += ["--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/share/doc/*"]
    run(["mmdebstrap", *options, case.suite, str(root), mirror()])
    done.write_text(include)


def furnish(case: Case, root: Path) -> dict[str, str]:
    """Unpack the source distribution in a root, with the host's settings of the network; the variables to set there."""
    shutil.rmtree(root / "fastleaky", ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        run([sys.executable, "-m", "build", "--sdist", f"--outdir={folder}", str(ROOT)])
        (archive,) = Path(folder).iterdir()
        (root / "fastleaky").mkdir()
        run(["tar", "--extract", f"--file={archive}", f"--directory={root}/fastleaky", "--strip-components=1"])
    for name in ("resolv.conf", "pip.conf", "xdg/pip", "ssl/certs"):
        host, guest = Path("/etc", name), root / "etc" / name
        guest.parent.mkdir(parents=True, exist_ok=True)
        if guest.is_dir():
            shutil.rmtree(guest)  # not to write through its links, which from here point to the host's own files
        else:
            guest.unlink(missing_ok=True)
        if host.is_dir():
            shutil.copytree(host, guest, ignore_dangling_symlinks=True)
        elif host.exists():
            shutil.copyfile(host, guest)
    network = re.compile(r"(PIP|SSL)_\w+|\w+_PROXY|\w+_CA_BUNDLE", re.IGNORECASE)
    settings = {name: value for name, value in os.environ.items() if network.fullmatch(name)}
    settings.pop("PIP_FIND_LINKS", None)  # folders of the host
    settings |= {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
    settings |= {"PIP_CONFIG_SETTINGS": "setup-args=-Dwerror=true", "FASTLEAKY_EXPECT": expected()}
    if case.lowest:
        (root / "lowest.txt").write_text(lowest.constraints())
        settings |= {"PIP_CONSTRAINT": "/lowest.txt", "PIP_BUILD_CONSTRAINT": "/lowest.txt"}
    return settings


def expected() -> str:
    """The backends that must be there: what FASTLEAKY_EXPECT says, or else all that this processor has."""
    return os.environ.get("FASTLEAKY_EXPECT") or ",".join(backends_here())


def inside(root: Path, script: str, settings: dict[str, str]) -> str:
    """Run a script in the sources in a root, with mounts and processes of its own; its output."""
    variables = [f"{name}={value}" for name, value in settings.items()]
    enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", ENTER, str(root)]
    return run([*enter, "env", "-i", *variables, "bash", "-euc", f"exec 2>&1; cd /fastleaky\n{script}"])


def check(name: str, root: Path, *, part: bool) -> Result:
    """Do everything for a case."""
    case, start, result = CASES[name], time.monotonic(), Result(name)
    try:
        unpack(case, root)
        settings = furnish(case, root)
        if case.python:
            examine(case, root, settings | ({"PYTEST_ADDOPTS": PART} if part else {}), result)
        else:
            examine_c(case, root, settings, result, levels=("-O2",) if part else ("-O2", "-O3"))
    except (CommandError, subprocess.TimeoutExpired) as error:
        result.error = str(error)
    result.seconds = time.monotonic() - start
    return result


def examine(case: Case, root: Path, settings: dict[str, str], result: Result) -> None:
    """Run README.md's two commands, and look at what they made."""
    absent = " ".join({*COMPILERS} - {*case.compilers})
    inside(root, f"if command -v {absent}; then exit 1; fi", settings)
    tried = inside(root, command("try"), settings)
    show = inside(root, f".venv/bin/python -I -c '{SHOW}'", settings)
    result.compiler, result.python, result.numpy, result.backend = show.split()
    wanted = settings["FASTLEAKY_EXPECT"].split(",")[0]
    if result.backend != wanted or f"The backend is {wanted}" not in tried:
        raise CommandError(f"{result.backend} was chosen, where {wanted} should have been:\n{tried[-2000:]}")
    result.compiler = f"{case.compilers[0]} {result.compiler}"
    output = inside(root, command("test"), settings)
    unseen = [line for line in re.findall(r"^SKIPPED .*|^.*NOT TESTED.*", output, re.MULTILINE) if not forgiven(line)]
    verdict = re.search(r"(\d+) passed(?!.*(failed|error))[^\n]* in ", output)
    if unseen or not verdict:
        raise CommandError("\n".join(["something was skipped, or failed:", *unseen, output[-1000:]]))
    result.passed = int(verdict[1])


def forgiven(line: str) -> bool:
    """Whether this may go untested: another framework, or an instruction set that the processor has not."""
    absent = re.search(r"\b(c:\w+)", line)
    return bool(re.search(SKIPPED, line)) or bool(absent and absent[1] not in expected())


def examine_c(case: Case, root: Path, settings: dict[str, str], result: Result, levels: tuple[str, ...]) -> None:
    """Compile the C library in all ways, and run its checks."""

    def one(way: tuple[str, str]) -> int:
        flags, folder = " ".join(way), "build" + "".join(way)
        output = inside(
            root,
            f"mkdir {folder}; cd {folder}; cc='{flags} -Wall -Wextra -Werror -I../csrc'\n"
            "$cc -c $(find ../csrc -name '*.c')\n"
            f"for program in {' '.join(PROGRAMS)}; do\n"
            "  $cc -DTHREADS ../tests/c/$program.c *.o -pthread -o $program && ./$program | tail -n 1; done",
            settings,
        )
        verdicts = re.findall(r"^([1-9]\d*) passed, 0 failed$", output, re.MULTILINE)
        if len(verdicts) != len(PROGRAMS):
            raise CommandError(f"{flags}: a check failed, or did not end:\n{output[-2000:]}")
        return sum(map(int, verdicts))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        result.passed = sum(pool.map(one, product(case.compilers, levels)))
    versions = [inside(root, f"{compiler} -dumpversion", settings).strip() for compiler in case.compilers]
    result.compiler = ", ".join(map(" ".join, zip(case.compilers, versions, strict=True)))


def show(console: Console, results: list[Result]) -> None:
    """Print the table, and then what went wrong."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("root", "compiler", "Python", "NumPy", "chosen"):
        table.add_column(heading, no_wrap=True)
    for heading in ("tests", "seconds"):
        table.add_column(heading, justify="right")
    for result in results:
        verdict = "[bold red]FAILED[/]" if result.error else f"[green]{result.passed} passed[/]"
        seen = (result.compiler, result.python, result.numpy, result.backend)
        table.add_row(result.name, *seen, verdict, f"{result.seconds:.0f}")
    console.print(table)
    conclude(console, [(result.name, result.error) for result in results])


def main() -> int:
    """Run the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--part", action="store_true", help="not all tests, but what compilers and versions change")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="unpack to here, and only what is not there yet")
    options = parser.parse_args()
    unknown = set(options.case) - CASES.keys()
    if unknown:
        parser.error(f"unknown case {', '.join(sorted(unknown))}")
    if shutil.which("mmdebstrap") is None:
        parser.error("mmdebstrap is missing: apt install mmdebstrap")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # for apt, which fetches as a user of its own
        results = [check(name, folder / name, part=options.part) for name in options.case or CASES]
    show(Console(highlight=False, width=None if sys.stdout.isatty() else 120), results)
    return int(any(result.error for result in results))


if __name__ == "__main__":
    sys.exit(main())
