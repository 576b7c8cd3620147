"""The size of the last cache, and from where on results are stored past it; csrc/threads/threads.c does it for C."""

import functools
import sys
from pathlib import Path

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


@functools.cache
def past_from() -> int:
    """Return how many bytes a call must touch: 3/4 of the last cache, or more than there are if nobody tells."""
    sizes = {}
    for index in CACHES.glob("index[0-9]"):
        try:
            level, size = int((index / "level").read_text()), (index / "size").read_text().strip()
            sizes[level] = int(size.removesuffix("K")) << 10
        except (OSError, ValueError):
            continue
    return sizes[max(sizes)] // 4 * 3 if sizes else sys.maxsize
