"""The names that Windows' python3.dll has, of the stable ABI, for linkers that have no Python for Windows."""

from __future__ import annotations

from pathlib import Path

from commands import run, zig

MACHINES = {"x86_64": "i386:x86-64", "aarch64": "arm64"}  # as dlltool calls them


def stable_abi() -> dict[str, str]:
    """Return the names of all functions and data, the latter with the word that .def files have for them."""
    import abi3info

    functions = {symbol.name: "" for symbol in abi3info.FUNCTIONS}
    return functions | {symbol.name: "DATA" for symbol in abi3info.DATAS}


def described(folder: Path, dll: str, names: dict[str, str]) -> Path:
    """Write the .def file of a DLL; its path."""
    path = folder / f"{dll}.def"
    path.write_text(f"LIBRARY {dll}\nEXPORTS\n" + "".join(f"{name} {word}\n" for name, word in names.items()))
    return path


def import_library(folder: Path, machine: str, dll: str, names: dict[str, str]) -> str:
    """Write what a linker needs to know of a DLL; its path."""
    library = str(folder / f"{dll}.a")
    run([zig(), "dlltool", "-m", MACHINES[machine], "-d", str(described(folder, dll, names)), "-l", library])
    return library
