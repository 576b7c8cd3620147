"""The code on the pages; ``python tests/pages.py DIR`` writes the programs in C there, and what they print."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ["README.md", "CONTRIBUTING.md", "benchmarks/README.md", "cross/README.md"]
PAGES = [*(ROOT / name for name in ROOMS), *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(r"(?:<!-- (.*?) -->\n)?^```(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code: where it is, the comment in the line before it, its language, and itself."""

    page: Path
    line: int
    comment: str
    language: str
    code: str


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    text = page.read_text()
    return [Block(page, text.count("\n", 0, found.start(2)) + 1, *found.groups("")) for found in BLOCK.finditer(text)]


def write_programs(folder: Path) -> None:
    """Write each program in C, and, from the block that follows it, what it prints."""
    folder.mkdir(parents=True)
    for page in PAGES:
        found = blocks(page)
        for block, following in zip(found, [*found, None][1:], strict=True):
            if block.language == "c":
                printed = following.code if following and following.language == "text" else ""
                name = f"{page.stem.lower()}-{block.line}"
                (folder / f"{name}.c").write_text(block.code)
                (folder / f"{name}.expected").write_text(printed)


if __name__ == "__main__":
    write_programs(Path(sys.argv[1]))
