"""The stack that a program takes at most, from its disassembly and the compiler's word on each function."""

from __future__ import annotations

import re


def deepest(disassembly: str, frames: dict[str, int]) -> int:
    """Bytes of stack that main's call takes at most: the frames of our functions that call each other.

    A call through a pointer is of a function whose address the nearest caller took that took any, or which the code
    does not name at all. The compiler's own library does not say what its functions take: they are left out.
    """
    begins = {int(at, 16): name for at, name in re.findall(r"^([0-9a-f]+) <(.*)>:", disassembly, re.MULTILINE)}
    called: dict[str, set[str]] = {name: set() for name in begins.values()}
    taken: dict[str, set[str]] = {name: set() for name in begins.values()}
    through_pointers = set()
    for line in disassembly.splitlines():
        if begin := re.match(r"([0-9a-f]+) <", line):
            function = begins[int(begin[1], 16)]
        elif named := re.search(r"\t([bcjt])?\S*\t.*<([^>+]+)>$", line):  # a branch, call or jump; or an address
            (called if named[1] else taken)[function].add(named[2])
        elif word := re.search(r"\t\.word\t0x([0-9a-f]+)$", line):
            taken[function].add(begins.get(int(word[1], 16) & ~1, ""))  # the lowest bit is Thumb's
        elif re.search(r"\t(blx?r?|bx|br|jalr|jr)\t(?!lr|ra\b)", line):
            through_pointers.add(function)
    unnamed = called.keys() - {"main"}.union(*called.values(), *taken.values())

    def depth(function: str, path: tuple[str, ...]) -> int:
        following = set(called[function])
        if function in through_pointers:
            pointers = (taken[name].intersection(called).difference(path) for name in reversed(path))
            following |= unnamed.union(next(filter(None, pointers), ()))
        frame = 0 if function == "main" else frames.get(function.split(".", maxsplit=1)[0], 0)
        return frame + max(
            (depth(name, (*path, name)) for name in following.intersection(called).difference(path)), default=0
        )

    return depth("main", ("main",))
