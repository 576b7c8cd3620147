"""An Arduino library and a CMSIS-Pack of the C library: ``python firmware/archives.py DIR`` writes both.

Arduino wants the sources in a folder of another name, and a pack the list of its sources; no other build needs a file
that is not in the repository. Both say at which address the library is found: ``--url URL``.
"""

from __future__ import annotations

import argparse
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
ABOUT = ("LICENSE", "README.md", "CHANGELOG.md")
PACK = Path("firmware/fastleaky.fastleaky.pdsc")
PROPERTIES = Path("firmware/library.properties")
NOWHERE = "https://localhost/"  # the address in both files, which must have one


def sources() -> list[Path]:
    """All of csrc/ that firmware has a use for, headers too."""
    found = (path.relative_to(ROOT) for path in (ROOT / "csrc").rglob("*") if path.suffix in {".c", ".h", ".def"})
    return sorted(path for path in found if "threads" not in path.as_posix())


def write(archive: Path, members: dict[str, bytes]) -> Path:
    """Write an archive whose bytes depend on nothing but its members."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return archive


def files(paths: list[Path]) -> dict[str, bytes]:
    """Files of the repository, under their own names."""
    return {path.as_posix(): (ROOT / path).read_bytes() for path in paths}


def version() -> str:
    """Return the version that library.properties has; tools/release.py compares it with all others."""
    lines = (ROOT / PROPERTIES).read_text().splitlines()
    return next(line.removeprefix("version=") for line in lines if line.startswith("version="))


def arduino(folder: Path, url: str) -> Path:
    """Write the archive that Arduino's *Add .ZIP Library* takes."""
    members = {f"src/{path.relative_to('csrc')}": (ROOT / path).read_bytes() for path in sources()}
    members |= files([Path(name) for name in ABOUT])
    members["library.properties"] = (ROOT / PROPERTIES).read_text().replace(NOWHERE, url).encode()
    return write(folder / f"fastleaky-{version()}.zip", {f"fastleaky/{name}": data for name, data in members.items()})


def description(url: str) -> bytes:
    """Return the pack's description with its list of sources."""
    tree = ET.parse(ROOT / PACK)  # noqa: S314 - our own file
    next(tree.iter("url")).text = url
    listed = next(tree.iter("files"))
    for path in sources():
        if path.suffix == ".c":
            ET.SubElement(listed, "file", category="source", name=path.as_posix())
    ET.indent(tree)
    return ET.tostring(tree.getroot(), "UTF-8", xml_declaration=True) + b"\n"


def pack(folder: Path, url: str) -> Path:
    """Write the CMSIS-Pack."""
    members = files([*sources(), *(Path(name) for name in ABOUT)])
    return write(folder / f"{PACK.stem}.{version()}.pack", {PACK.name: description(url), **members})


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument("--url", default=NOWHERE, help="where the library is published")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for archive in (arduino(options.folder, options.url), pack(options.folder, options.url)):
        print(archive)


if __name__ == "__main__":
    main()
