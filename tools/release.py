"""The version of a release, which stands in several files: ``python tools/release.py [VERSION | --tag TAG]``.

With a VERSION it is written to all of them, and what is unreleased in CHANGELOG.md gets its number and today's date.
With a TAG, as v0.2.0, it must be that of this tree, and what CHANGELOG.md says of it is printed. Without both, the
version is printed. It is an error if the files do not agree.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLACES = {  # file: where the version stands in it
    "meson.build": r"^  version: '(.*)',$",
    "CMakeLists.txt": r"^project\(fastleaky VERSION (\S+) ",
    "CITATION.cff": r"^version: (\S+)$",
    "docs/builds.md": r"fastleaky\.fastleaky\.(.*?)\.pack",
    "firmware/fastleaky.fastleaky.pdsc": r'(?:release version|Cversion)="(.*?)"',
    "firmware/library.properties": r"^version=(.*)$",
    "idf_component.yml": r"^version: (\S+)$",
    "library.json": r'^  "version": "(.*)",$',
}
DATES = {"CITATION.cff": r"^date-released: (\S+)$", "firmware/fastleaky.fastleaky.pdsc": r'release .*date="(.*?)"'}
UNRELEASED = "## Unreleased\n"


class ReleaseError(Exception):
    """The tree is not ready for what was asked."""


def found(places: dict[str, str], root: Path) -> dict[str, set[str]]:
    """Return what each file has in its places."""
    return {name: set(re.findall(where, (root / name).read_text(), re.MULTILINE)) for name, where in places.items()}


def the_one(places: dict[str, str], root: Path) -> str:
    """Return what stands in all places."""
    all_of_them = found(places, root)
    (one, *others) = set().union(*all_of_them.values()) or {""}
    if others or not all(all_of_them.values()):
        raise ReleaseError(f"files do not agree: {all_of_them}")
    return one


def replaced(text: str, where: str, new: str) -> str:
    """Return a text with another version, or date, in its places."""
    for match in reversed(list(re.finditer(where, text, re.MULTILINE))):
        text = text[: match.start(1)] + new + text[match.end(1) :]
    return text


def prepare(version: str, date: str, root: Path) -> None:
    """Write a version and its date to all files, the changelog among them."""
    changelog = (root / "CHANGELOG.md").read_text()
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ReleaseError(f"{version} is no version like 1.2.3")
    if changelog.count(UNRELEASED) != 1:
        raise ReleaseError(f"CHANGELOG.md has no section {UNRELEASED.strip()!r}")
    for places, new in ((PLACES, version), (DATES, date)):
        for name, where in places.items():
            path = root / name
            path.write_text(replaced(path.read_text(), where, new))
    (root / "CHANGELOG.md").write_text(changelog.replace(UNRELEASED, f"## {version} - {date}\n"))


def notes(tag: str, root: Path) -> str:
    """Return what the changelog says of the release with this tag."""
    version, date = the_one(PLACES, root), the_one(DATES, root)
    if tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag}, but the version {version}")
    heading = re.escape(f"## {version} - {date}")
    section = re.search(rf"^{heading}\n(.*?)(?=^## |\Z)", (root / "CHANGELOG.md").read_text(), re.MULTILINE | re.DOTALL)
    if not section:
        raise ReleaseError(f"CHANGELOG.md has no section '## {version} - {date}'")
    return section[1].strip()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted = parser.add_mutually_exclusive_group()
    wanted.add_argument("version", nargs="?", metavar="VERSION", help="of the next release, as 0.3.0")
    wanted.add_argument("--tag", help="of the release that this tree is, as v0.2.0")
    options = parser.parse_args()
    try:
        if options.version:
            prepare(options.version, datetime.now(UTC).date().isoformat(), ROOT)
        print(notes(options.tag, ROOT) if options.tag else the_one(PLACES, ROOT))
    except ReleaseError as error:
        sys.exit(f"release.py: {error}")


if __name__ == "__main__":
    main()
