"""Tables in Markdown, and the places of a page that wait for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str = "---:", left: int = 1) -> str:
    """Lay out a Markdown table: the first columns to the left, the others to the right."""
    rule = [*["---"] * left, *[align] * (len(head) - left)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def fill(page: str, room: str, made: Mapping[str, str]) -> str:
    """Put texts between the lines <!-- ROOM: NAME --> and <!-- ROOM end --> of a page, those that were made."""

    def place(found: re.Match[str]) -> str:
        name = found["name"]
        return f"<!-- {room}: {name} -->\n{made[name]}\n<!-- {room} end -->" if name in made else found[0]

    return re.sub(rf"<!-- {room}: (?P<name>[\w-]+) -->\n.*?<!-- {room} end -->", place, page, flags=re.DOTALL)
