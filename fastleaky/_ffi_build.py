"""What the build asks of Python: the declarations of fastleaky.h for cffi, and a digest of the C sources.

Run at build time by ``python -m cffi.gen_src exec-python``, and not installed. In a source folder the digest is asked
for at import, so nothing that is slow to import is used for it.
"""

from __future__ import annotations

import os
import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cffi import FFI

CSRC = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "csrc")


def digest() -> str:
    """A short hash of the C sources: kernels that were built from other sources than these can be told."""
    crc = 0
    for folder in ("", "isa"):
        for name in sorted(os.listdir(os.path.join(CSRC, folder))):
            if name.endswith((".c", ".h", ".def")):
                with open(os.path.join(CSRC, folder, name), "rb") as file:
                    crc = zlib.crc32(f"{folder}/{name}\n".encode() + file.read(), crc)
    return f"{crc:08x}"


def ffibuilder() -> FFI:
    """The extension module ``fastleaky._ffi``: all of fastleaky.h, and the digest."""
    from cffi import FFI

    with open(os.path.join(CSRC, "fastleaky.h")) as header:
        declarations = re.sub(r'^#.*\n|^extern "C" \{\n|^\}\n', "", header.read(), flags=re.MULTILINE)
    ffi = FFI()
    ffi.cdef(declarations + "static char *const fl_digest;")
    ffi.set_source("fastleaky._ffi", f'#include "fastleaky.h"\nstatic const char *const fl_digest = "{digest()}";')
    return ffi
