"""The wheel for Windows, under Wine: ``python cross/check_windows.py`` takes it from the folder of tools/wheels.py.

There is a Python for Windows on PyPI: Panda3D's wheel brings CPython's own python311.dll and modules, for programs that
are made with it. The rest is made here: python.exe, which calls Py_Main; python3.dll, which passes the names of the
stable ABI on, as CPython's does. The modules in Python are those of the Python 3.11 that runs this. pip installs the
wheel and what it needs, and ``python -m fastleaky`` must end with "identical" for each backend.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import sysconfig
import tempfile
import time
import zipfile
from functools import partial
from pathlib import Path

from check_python import Target, compare, show, the_wheel
from commands import CommandError, Result, backends_here, run, zig
from python_dll import described, import_library, stable_abi
from rich.console import Console

CPYTHON = "panda3d==1.10.16"
NUMPY = "numpy<2"  # later ones ask Wine 8 for functions that it has not
PIP = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
FOR_WINDOWS = ["--platform=win_amd64", "--python-version=3.11", "--only-binary=:all:"]
NOT_COPIED = ("site-packages", "dist-packages", "lib-dynload", "test", "config-*", "__pycache__")
MAIN = """
__declspec(dllimport) int Py_Main(int argc, wchar_t **argv);
int wmain(int argc, wchar_t **argv) { return Py_Main(argc, argv); }
"""


def need() -> None:
    """See that all is there."""
    if sys.version_info[:2] != (3, 11):
        raise CommandError("the modules in Python must be those of Python 3.11, which is not this one")
    if shutil.which("wine") is None:
        raise CommandError("wine is missing: apt install wine")


def unpack(root: Path) -> None:
    """Put CPython together."""
    run([*PIP, "download", "--no-deps", *FOR_WINDOWS, f"--dest={root.parent}", CPYTHON])
    (archive,) = root.parent.glob("panda3d-*.whl")
    shutil.copytree(sysconfig.get_path("stdlib"), root / "Lib", ignore=shutil.ignore_patterns(*NOT_COPIED))
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            folder, _, name = member.filename.rpartition("/")
            if folder == "deploy_libs" and not name.startswith("api-ms-win"):  # which Wine has
                (root / name).write_bytes(opened.read(member))
    (root / "main.c").write_text(f"#include <wchar.h>{MAIN}")
    (root / "empty.c").touch()
    forwarded = {f"{name}=python311.{name}": word for name, word in stable_abi().items()}
    exports = described(root, "python3.dll", forwarded)
    library = import_library(root, "x86_64", "python311.dll", {"Py_Main": ""})
    compile_ = [zig(), "cc", "-target", "x86_64-windows-gnu", "-O2"]
    run([*compile_, "-municode", str(root / "main.c"), library, "-o", str(root / "python.exe")])
    run([*compile_, "-shared", str(root / "empty.c"), str(exports), "-o", str(root / "python3.dll")])


def python(root: Path, *arguments: str) -> str:
    """Run it; its output."""
    settings = {"WINEDEBUG": "-all", "WINEPREFIX": f"{root.parent}/prefix", "PYTHONUTF8": "1", "COLUMNS": "100"}
    return run(["wine", str(root / "python.exe"), *arguments], **settings)


def check(folder: Path, wheels: Path) -> Result:
    """Do everything."""
    target = Target("AMD64", "amd64", "Windows", (), tuple(backends_here()))
    result, root, start = Result(target.name), folder / "python", time.monotonic()
    try:
        need()
        unpack(root)
        site = root / "Lib" / "site-packages"
        run([*PIP, "install", *FOR_WINDOWS, f"--target={site}", str(the_wheel(wheels, "win_amd64")), NUMPY])
        compare(target, partial(python, root), result)
    except CommandError as error:
        result.error = str(error)
    result.seconds = time.monotonic() - start
    return result


def main() -> int:
    """Run the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheels", type=Path, default=Path("wheelhouse"), help="the folder of wheels (%(default)s)")
    with tempfile.TemporaryDirectory() as folder:
        result = check(Path(folder), parser.parse_args().wheels.resolve())
    show(Console(highlight=False, width=None if sys.stdout.isatty() else 140), [result])
    return int(bool(result.error))


if __name__ == "__main__":
    sys.exit(main())
