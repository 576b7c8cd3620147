"""What the build asks of Python: the declarations of fastleaky.h for cffi, and a digest of the C sources.

Run at build time by ``python -m cffi.gen_src exec-python``; not installed.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cffi import FFI

CSRC = Path(__file__).parent.parent / "csrc"


def digest() -> str:
    """A short hash of the C sources: kernels built from other sources than these can be told."""
    sha = hashlib.sha256()
    for path in sorted(path for path in CSRC.rglob("*") if path.suffix in {".c", ".h", ".def"}):
        sha.update(path.relative_to(CSRC).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return sha.hexdigest()[:16]


def ffibuilder() -> FFI:
    """The extension module ``fastleaky._ffi``: all of fastleaky.h, and the digest."""
    from cffi import FFI

    header = (CSRC / "fastleaky.h").read_text()
    declarations = re.sub(r'^#.*\n|^extern "C" \{\n|^\}\n', "", header, flags=re.MULTILINE)
    ffi = FFI()
    ffi.cdef(declarations + "static char *const fl_digest;")
    ffi.set_source("fastleaky._ffi", f'#include "fastleaky.h"\nstatic const char *const fl_digest = "{digest()}";')
    return ffi
