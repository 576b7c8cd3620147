"""What the figures were measured on, and with."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
from pathlib import Path

import fastleaky
from benchmarks import pinning

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
LIBRARIES = ("numpy", "numba", "torch", "onnxruntime", "ai-edge-litert", "openvino", "jax", "ncnn", "numexpr")


def processor() -> str:
    """Its name, as far as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in lines.items()}
    name = fields.get("model name") or fields.get("Model") or platform.machine()
    family = fields.get("cpu family")
    return f"{name}, family {family} model {fields.get('model')}" if family else name


def caches() -> dict[str, int]:
    """Bytes of each cache that holds data, of the first processor: L1, L2, L3."""
    found = {}
    for index in sorted(CACHES.glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found[f"L{level}"] = int(size[:-1]) * {"K": 2**10, "M": 2**20}[size[-1]]
    return found


def memory() -> int:
    """Bytes that are free for arrays; very many where the system does not tell."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 2**62


def versions() -> dict[str, str]:
    """Python's and those of everything that is timed and installed."""
    found = {"Python": platform.python_version(), "fastleaky": fastleaky.__version__}
    for library in LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def about() -> dict[str, object]:
    """Everything, for the results."""
    return {
        "processor": processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": len(pinning.cpus()),
        "caches": caches(),
        "backend": fastleaky.backend,
        "versions": versions(),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }
