"""What the build asks of Python: the declarations of the C headers for cffi, and a digest of the C sources.

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

HERE = os.path.dirname(os.path.abspath(__file__))
CSRC = os.path.join(os.path.dirname(os.path.dirname(HERE)), "csrc")
HEADERS = ("fastleaky.h", "fastleaky_threads.h", "fastleaky_quantized.h")


def digest() -> str:
    """A short hash of the C sources: kernels that were built from other sources than these can be told."""
    crc = 0
    for top in (CSRC, HERE):
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                if name.endswith((".c", ".h", ".def")):
                    with open(os.path.join(folder, name), "rb") as file:
                        crc = zlib.crc32(f"{os.path.basename(folder)}/{name}\n".encode() + file.read(), crc)
    return f"{crc:08x}"


def ffibuilder() -> FFI:
    """The extension module ``fastleaky._ffi``: all of the headers, and the digest; entry.c adds to it."""
    from cffi import FFI

    ffi = FFI()
    for name in HEADERS:
        with open(os.path.join(CSRC, name)) as header:
            ffi.cdef(re.sub(r'^#.*\n|^extern "C" \{\n|^\}\n', "", header.read(), flags=re.MULTILINE))
    ffi.cdef("static char *const fl_digest;")
    prelude = [f'#include "{name}"' for name in HEADERS]
    prelude += ["#define PyInit__ffi fl_cffi_init", f'static const char *const fl_digest = "{digest()}";']
    ffi.set_source("fastleaky._ffi", "\n".join(prelude))
    return ffi
