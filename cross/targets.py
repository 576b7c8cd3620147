"""The processors that the cross-checks emulate, and how the C library is compiled for them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from commands import ROOT, CommandError, find, run

RVV = "rv64,v=true,vext_spec=v1.0,elen=64,vlen="
SVE = "max,sve-default-vector-length="  # in bytes


@dataclass(frozen=True)
class Board:
    """A processor to run a target's programs on."""

    isa: str  # the instruction set that must be chosen there
    cpu: str = ""  # QEMU_CPU
    c_args: str = ""  # of a build to count, where those of the cross file are not for this very processor

    @property
    def environment(self) -> dict[str, str]:
        """What chooses it."""
        return {"QEMU_CPU": self.cpu} if self.cpu else {}


@dataclass(frozen=True)
class Target:
    """A cross file, its boards by the names that the tables call them, and its tools."""

    name: str
    boards: dict[str, Board]
    tools: dict[str, str]  # command: how to install it

    @property
    def cross_file(self) -> Path:
        """Meson's description of the target."""
        return ROOT / "cross" / f"{self.name}.ini"

    def words(self, key: str) -> list[str]:
        """Return the strings that an entry of the cross file has."""
        return re.findall(r"'([^']*)'", find(rf"^{key} = (.*)", self.cross_file.read_text()))

    @property
    def wrapper(self) -> list[str]:
        """The command that runs a program there."""
        return [word.replace("@DIRNAME@", str(ROOT / "cross")) for word in self.words("exe_wrapper")]

    @property
    def counted(self) -> bool:
        """Does QEMU run it, whose plugin counts instructions?"""
        return "qemu" in self.wrapper[0]

    @property
    def compiler(self) -> str:
        """Name and version of the compiler."""
        command = self.words("c")[0]
        version = find(r"\b(\d+\.\d+)\.\d+", run([command, "--version"]))
        return f"{'clang' if 'clang' in command else 'gcc'} {version}"

    def build(self, folder: Path, *options: str, c_args: str = "", programs: tuple[str, ...] = ()) -> None:
        """Compile the library and some programs, or all of them, with Meson's options; `c_args` as in a cross file."""
        for tool, install in {"meson": "pip install meson ninja", **self.tools}.items():
            if shutil.which(tool) is None:
                raise CommandError(f"{tool} is missing: {install}")
        cross = ["--cross-file", str(self.cross_file)]
        if c_args:
            changed = folder.with_suffix(".ini")
            changed.write_text(f"[built-in options]\nc_args = {c_args}\n")
            cross += ["--cross-file", str(changed)]
        run(["meson", "setup", str(folder), str(ROOT), *cross, "-Ddefault_library=static", *options])
        run(["meson", "compile", "-C", str(folder), *programs])


def _tools(triplet: str) -> dict[str, str]:
    processor = triplet.partition("-")[0]
    return {f"{triplet}-gcc": f"apt install gcc-{triplet}", f"qemu-{processor}": "apt install qemu-user"}


def _linux(name: str, triplet: str, isa: str) -> Target:
    return Target(name, {name: Board(isa)}, _tools(triplet))


def _firmware(name: str, isa: str, c_args: str = "") -> Target:
    triplet = "riscv64-unknown-elf" if name == "riscv32" else "arm-none-eabi"
    emulator, package = ("riscv32", "misc") if name == "riscv32" else ("arm", "arm")
    tools = {
        f"{triplet}-gcc": f"apt install gcc-{triplet} picolibc-{triplet}",
        f"qemu-system-{emulator}": f"apt install qemu-system-{package}",
    }
    return Target(name, {name: Board(isa, c_args=c_args)}, tools)


TARGETS = (
    _linux("aarch64", "aarch64-linux-gnu", "neon"),
    _linux("aarch64-fp16", "aarch64-linux-gnu", "neon"),
    Target(
        "aarch64-sve",
        {
            f"aarch64-sve, {bits} bits": Board(isa, f"{SVE}{bits // 8}", "['-march=armv8.2-a+sve']")
            for bits, isa in ((128, "neon"), (256, "sve"), (512, "sve"), (2048, "sve"))
        },
        _tools("aarch64-linux-gnu"),
    ),
    Target(
        "armhf",
        {
            "armhf": Board("neon32", "cortex-a7"),
            "armhf, no NEON": Board("scalar", "cortex-a9,neon=off"),
        },
        _tools("arm-linux-gnueabihf"),
    ),
    _linux("armhf-neon", "arm-linux-gnueabihf", "neon32"),
    _linux("riscv64", "riscv64-linux-gnu", "scalar"),
    Target(
        "riscv64-rvv",
        {
            "riscv64-rvv, no vectors": Board("scalar", "rv64"),
            **{
                f"riscv64-rvv, {bits} bits": Board("rvv", f"{RVV}{bits}", "['-march=rv64gcv']")
                for bits in (128, 256, 512, 1024)
            },
        },
        {
            "clang-19": "apt install clang-19",
            **_tools("riscv64-linux-gnu"),
        },
    ),
    _linux("s390x", "s390x-linux-gnu", "scalar"),
    _firmware("cortex-m0", "scalar"),
    _firmware("cortex-m3", "scalar"),
    _firmware("cortex-m4", "dsp"),
    _firmware("cortex-m7", "dsp"),
    _firmware("cortex-m23", "scalar"),
    _firmware("cortex-m33", "dsp"),
    _firmware("cortex-m55", "mve", "cpu"),
    _firmware("riscv32", "scalar"),
    Target(
        "wasm32",
        {"wasm32": Board("wasm")},
        {
            "clang-19": "apt install clang-19 wasi-libc libclang-rt-19-dev-wasm32",
            "wasm-ld-19": "apt install lld-19",
            "llvm-ar-19": "apt install llvm-19",
            "node": "apt install nodejs",
        },
    ),
)


def select(names: Sequence[str]) -> list[Target]:
    """Return the targets of these names; all, if there are none."""
    return [target for target in TARGETS if not names or target.name in names]
