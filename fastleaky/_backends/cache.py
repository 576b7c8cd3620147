"""The threshold of non-temporal stores, from the size of the last cache; csrc/threads/threads.c does this for C."""

import functools
import sys
from pathlib import Path

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


@functools.cache
def nontemporal_threshold() -> int:
    """Return the bytes read and written from which on they pay: 3/4 of the last cache; never if its size is unknown."""
    sizes = {}
    for index in CACHES.glob("index[0-9]"):
        try:
            level, size = int((index / "level").read_text()), (index / "size").read_text().strip()
            sizes[level] = int(size.removesuffix("K")) << 10
        except (OSError, ValueError):
            continue
    return sizes[max(sizes)] // 4 * 3 if sizes else sys.maxsize
