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


def import_library(folder: Path, machine: str, dll: str = "python3.dll", names: dict[str, str] | None = None) -> str:
    """Write what a linker needs to know of a DLL; its path."""
    exports = "\n".join(f"{name} {word}" for name, word in (names or stable_abi()).items())
    described, library = folder / f"{dll}.def", folder / f"{dll}.a"
    described.write_text(f"LIBRARY {dll}\nEXPORTS\n{exports}\n")
    run([zig(), "dlltool", "-m", MACHINES[machine], "-d", str(described), "-l", str(library)])
    return str(library)
