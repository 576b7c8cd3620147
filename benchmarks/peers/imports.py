"""What an import costs, in a Python of its own."""

from __future__ import annotations

import functools
import subprocess
import sys

from benchmarks.peers.peer import Peer, Prepared
from benchmarks.workloads import Case, Layer


def prepare(module: str, _: Case, __: list[Layer]) -> list[Prepared]:
    """Start Python and import a module as it is installed: -P keeps the source folder out."""
    command = [sys.executable, "-P", "-c", f"import {module}"]
    return [Prepared([functools.partial(subprocess.run, command, check=True, capture_output=True)], None)]


PEERS = tuple(
    Peer(f"import {module}", functools.partial(prepare, module), home="import", threaded=False, everywhere=False)
    for module in ("numpy", "fastleaky")
)
