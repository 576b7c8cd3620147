"""Wheels for many processors, from one machine: Zig's Clang compiles for all of them, and brings old C libraries.

``python tools/wheels.py [TARGET ...] [--out DIR]`` builds a wheel for each target, of the stable ABI, in an environment
that has fastleaky's extra ``wheels``. A wheel's contents, its ABI and, with glibc, its platform tag are then audited.

``--python PATH`` builds for a Python without a GIL, which has no stable ABI; its environment needs meson-python, meson,
ninja and wheel.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "cross"))
from commands import CommandError, Lab, conclude, find, run, zig  # noqa: E402
from python_dll import import_library, stable_abi  # noqa: E402

# What Python.h asks of the machine that they are compiled for, not of the one where Python was configured.
PYCONFIG = """
#ifdef _WIN32
#define HAVE_DECLSPEC_DLL 1
#define MS_WIN64 1
#define MS_WINDOWS 1
#define Py_ENABLE_SHARED 1
#else
#define _GNU_SOURCE 1
#define HAVE_PTHREAD_H 1
#define HAVE_UNISTD_H 1
#endif
#define HAVE_SSIZE_T 1
#define HAVE_STDINT_H 1
#define HAVE_SYS_TIME_H 1
#define HAVE_WCHAR_H 1
#define SIZEOF_INT __SIZEOF_INT__
#define SIZEOF_LONG __SIZEOF_LONG__
#define SIZEOF_LONG_LONG __SIZEOF_LONG_LONG__
#define SIZEOF_PID_T 4
#define SIZEOF_SIZE_T __SIZEOF_SIZE_T__
#define SIZEOF_VOID_P __SIZEOF_POINTER__
#define SIZEOF_WCHAR_T __SIZEOF_WCHAR_T__
"""
ASK = """
import json, sys, sysconfig
free = sysconfig.get_config_var("Py_GIL_DISABLED") or 0
print(json.dumps([sysconfig.get_path("include"), "%d.%d" % sys.version_info[:2], free]))
"""
WITHOUT_NUMBA = ("3.13",)  # PyPI has no wheel of Numba for it without a GIL
CROSS_FILE = """
[binaries]
c = ['{zig}', 'cc', '-target', '{triple}', '-I@DIRNAME@/python'{flags}]
ar = ['{zig}', 'ar']
[built-in options]
c_link_args = ['-s']
python.allow_limited_api = {limited}
{build_config}
[project options]
native = 'enabled'
binding = '@DIRNAME@/_ffi.c'
[host_machine]
system = '{system}'
cpu_family = '{family}'
cpu = '{family}'
endian = '{endian}'
"""


# The Python for Windows that is not there: PEP 739's description of it. Meson takes none for macOS, and needs none for
# Linux. It compares the platform with the machine that it runs on, which is x86-64, not with the target.
BUILD_CONFIG = {
    "schema_version": "1.0",
    "base_prefix": ".",
    "platform": "win-amd64",
    "language": {"version": "3.11"},
    "implementation": {"name": "cpython"},
    "abi": {"flags": [], "extension_suffix": ".pyd", "stable_abi_suffix": ".pyd"},
    "c_api": {"headers": "python"},
}


@dataclass(frozen=True)
class Interpreter:
    """The Python that wheels are built by, and for: with the stable ABI for all later ones, too."""

    path: str
    include: str
    version: str
    free_threaded: bool

    @classmethod
    def at(cls, path: str) -> Interpreter:
        """Ask the one at this path."""
        found = json.loads(run([path, "-c", ASK]))
        if not found[2] and path != sys.executable:
            raise CommandError(f"{path} has a GIL: wheels of the stable ABI are built by {sys.executable}")
        return cls(path, found[0], found[1], bool(found[2]))


@dataclass(frozen=True)
class Target:
    """A processor and a C library: as wheels' tags call them, and as Zig does."""

    platform: str
    triple: str
    flags: tuple[str, ...] = ()

    @property
    def machine(self) -> str:
        """The processor, as Linux's Python calls it."""
        named = find(r"(?:(?:linux|macosx)_\d+_\d+|win)_(\w+)", self.platform)
        return {"amd64": "x86_64", "arm64": "aarch64"}.get(named, named)

    @property
    def system(self) -> str:
        """The system, as Meson calls it."""
        return {"win": "windows", "mac": "darwin"}.get(self.platform[:3], "linux")

    def cross_file(self, python: Interpreter) -> str:
        """Return Meson's description of it."""
        family = {"armv7l": "arm", "ppc64le": "ppc64"}.get(self.machine, self.machine)
        return CROSS_FILE.format(
            zig=zig(),
            triple=self.triple,
            flags="".join(f", '{flag}'" for flag in self.flags),
            family=family,
            endian="big" if self.machine == "s390x" else "little",
            limited=str(not python.free_threaded).lower(),
            build_config="python.build_config = '@DIRNAME@/python.json'" * (self.system == "windows"),
            system=self.system,
        )


# Armv7-A of Debian and Raspberry Pi OS: NEON is chosen at run time.
ARM = ("-mcpu=generic+v7a+vfp3d16-neon",)
TARGETS = (
    Target("manylinux_2_17_x86_64", "x86_64-linux-gnu.2.17"),
    Target("manylinux_2_17_aarch64", "aarch64-linux-gnu.2.17"),
    Target("manylinux_2_17_armv7l", "arm-linux-gnueabihf.2.17", ARM),
    Target("manylinux_2_31_riscv64", "riscv64-linux-gnu.2.31"),
    Target("manylinux_2_17_s390x", "s390x-linux-gnu.2.17"),
    Target("manylinux_2_17_ppc64le", "powerpc64le-linux-gnu.2.19"),
    Target("musllinux_1_2_x86_64", "x86_64-linux-musl"),
    Target("musllinux_1_2_aarch64", "aarch64-linux-musl"),
    Target("musllinux_1_2_armv7l", "arm-linux-musleabihf", ARM),
    Target("win_amd64", "x86_64-windows-gnu"),
    Target("win_arm64", "aarch64-windows-gnu"),
    Target("macosx_11_0_arm64", "aarch64-macos.11.0"),
    Target("macosx_11_0_x86_64", "x86_64-macos.11.0"),
)


def describe_windows(target: Target, python: Interpreter, folder: Path) -> None:
    """Write what Meson and the linker need to know of a Python for Windows."""
    if python.free_threaded:
        raise CommandError("what Windows' DLL without a GIL has is not known here, but that of the stable ABI")
    library = import_library(folder, target.machine, "python3.dll", stable_abi())
    linked = {"link_extensions": True, "dynamic": library, "dynamic-stableabi": library}
    (folder / "python.json").write_text(json.dumps({**BUILD_CONFIG, "libpython": linked}))


def build(target: Target, python: Interpreter, folder: Path) -> Path:
    """Build a wheel in a folder of its own, and give it its tag."""
    shutil.copytree(python.include, folder / "python")
    (folder / "python" / "pyconfig.h").write_text(PYCONFIG + "#define Py_GIL_DISABLED 1\n" * python.free_threaded)
    run([sys.executable, str(ROOT / "fastleaky" / "_backends" / "ffi_build.py"), str(folder / "_ffi.c")])
    cross = folder / "cross.ini"
    cross.write_text(target.cross_file(python))
    if target.system == "windows":
        describe_windows(target, python, folder)
    pip = [python.path, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    settings = [f"--config-settings={key}" for key in (f"setup-args=--cross-file={cross}", f"build-dir={folder}/build")]
    run([*pip, *settings], _PYTHON_HOST_PLATFORM=f"linux-{target.machine}")
    (wheel,) = folder.glob("*.whl")
    if python.free_threaded:
        wheel = without_gil(wheel, python)
    tags = [sys.executable, "-m", "wheel", "tags", "--remove", f"--platform-tag={target.platform}", str(wheel)]
    return folder / run(tags).split()[-1]


def without_gil(wheel: Path, python: Interpreter) -> Path:
    """Repack a wheel: the name of its module without the building machine; and without Numba, where there is none."""
    run([sys.executable, "-m", "wheel", "unpack", f"--dest={wheel.parent}", str(wheel)])
    (folder,) = wheel.parent.glob("fastleaky-*/")
    (module,) = folder.glob("fastleaky/_ffi.*.so")
    module.rename(module.with_name("_ffi.so"))
    if python.version in WITHOUT_NUMBA:
        (metadata,) = folder.glob("*.dist-info/METADATA")
        metadata.write_text(re.sub(r"^Requires-Dist: numba.*\n", "", metadata.read_text(), flags=re.MULTILINE))
    wheel.unlink()
    run([sys.executable, "-m", "wheel", "pack", f"--dest-dir={wheel.parent}", str(folder)])
    return wheel


def audit(target: Target, wheel: Path) -> None:
    """See that a wheel holds what it should, and needs no more than its tag says."""
    run(["check-wheel-contents", str(wheel)])
    if "-abi3-" in wheel.name:
        run(["abi3audit", "--strict", str(wheel)])
    if target.platform.startswith("manylinux"):
        verdict = run(["auditwheel", "show", str(wheel)])
        tag = find(r'following platform tag:\s+"(\w+)"', verdict)
        if tag != target.platform:
            raise CommandError(f"{wheel.name} is {tag}:\n{verdict}")


def make(target: Target, python: Interpreter, lab: Lab, out: Path) -> tuple[str, str]:
    """Make a wheel for a target; its platform, and what is wrong."""
    try:
        wheel = build(target, python, lab.folder / target.platform)
        audit(target, wheel)
        wheel.replace(out / wheel.name)
    except CommandError as error:
        return target.platform, str(error)
    return target.platform, ""


def main() -> int:
    """Run the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(target.platform for target in TARGETS)
    parser.add_argument("target", nargs="*", help=f"a part of some of {names}; all by default")
    parser.add_argument("--out", type=Path, default=Path("wheelhouse"), help="the folder for them (%(default)s)")
    parser.add_argument("--python", default=sys.executable, metavar="PATH", help="a Python without a GIL, to build for")
    options = parser.parse_args()
    for part in options.target:
        if not any(part in target.platform for target in TARGETS):
            parser.error(f"no target has {part} in its name")
    options.out.mkdir(parents=True, exist_ok=True)
    os.environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]  # activated or not
    python = Interpreter.at(options.python)
    console = Console(highlight=False)
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(2) as pool,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        lab = Lab(Path(folder), pool, progress)
        wanted = [t for t in TARGETS if not options.target or any(part in t.platform for part in options.target)]
        outcomes = lab.map("Building", lambda target: make(target, python, lab, options.out), wanted)
    conclude(console, outcomes)
    return int(any(error for _, error in outcomes))


if __name__ == "__main__":
    sys.exit(main())
