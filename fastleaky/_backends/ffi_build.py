"""What the build asks of Python: the declarations of the C headers for cffi, and a digest of the C sources.

Run at build time by ``python -m cffi.gen_src exec-python``, and not installed. In a source folder the digest is asked
for at import, so nothing that is slow to import is used for it.
"""

from __future__ import annotations

import itertools
import os
import re
import runpy
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cffi import FFI

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(HERE)
TABLE = os.path.join(PACKAGE, "_operations.py")
CSRC = os.path.join(os.path.dirname(PACKAGE), "csrc")
HEADERS = ("fastleaky.h", "fastleaky_threads.h", "fastleaky_quantized.h")


def digest() -> str:
    """A short hash of the C sources and the table of operations, to refuse kernels that were built from others."""
    paths = [TABLE]
    for top in (CSRC, PACKAGE):
        for folder, _, names in os.walk(top):
            paths += [os.path.join(folder, name) for name in names if name.endswith((".c", ".h", ".def"))]
    crc = 0
    for path in sorted(paths):
        with open(path, "rb") as file:
            crc = zlib.crc32(os.path.basename(path).encode() + file.read(), crc)
    return f"{crc:08x}"


def entries() -> str:
    """What entry.h declares: each operation's entries, and its C functions behind one signature."""
    table = runpy.run_path(TABLE)
    code, rows = "", ""
    for number, op in enumerate(table["OPERATIONS"].values()):
        fields = (("inputs", op.inputs), ("channel", op.channel), ("results", op.results), ("numbers", op.numbers))
        *arrays, numbers = [[f"c->{field}[{i}]" for i in range(len(names))] for field, names in fields]
        arrays.insert(1, ["c->more"] if op.more else [])
        shape = ["c->shape[0]", "c->shape[1]", "c->shape[2]"] if op.has_channels else ["c->n"]
        arguments = ", ".join(["isa", *itertools.chain(*arrays), *shape, *numbers])
        functions = [f"{op.name}_{type_}" for type_ in table["TYPES"]]
        for name in functions:
            code += f"static void {name}(const fl_isa *isa, const fl_call *c) {{ fl_{name}({arguments}); }}\n"
        code += (
            f"static PyObject *{op.name}(PyObject *self, PyObject *const *args, Py_ssize_t given, PyObject *names)\n"
        )
        code += f"{{ return (void)self, fl_enter({number}, args, given, names); }}\n"
        code += f"static struct xla_error *{op.name}_xla(const struct xla_call_frame *frame)\n"
        code += f"{{ return fl_xla_call({number}, frame); }}\n"
        counts = ", ".join(str(len(names)) for _, names in fields)
        rows += f"    {{{op.name}, {op.name}_xla, {{{', '.join(functions)}}}, {counts}}},\n"
    return f"{code}const fl_operation fl_operations[] = {{\n{rows}}};\nconst int fl_operation_count = {number + 1};\n"


def ffibuilder() -> FFI:
    """The extension module ``fastleaky._ffi``: the headers, the digest, and the operations for entry.c."""
    from cffi import FFI

    ffi = FFI()
    for name in HEADERS:
        with open(os.path.join(CSRC, name)) as header:
            ffi.cdef(re.sub(r'^#.*\n|^extern "C" \{\n|^\}\n', "", header.read(), flags=re.MULTILINE))
    ffi.cdef("static char *const fl_digest; uintptr_t fl_xla_handler(int operation);")
    ffi.cdef("void fl_choose_isa(const fl_isa *isa); const fl_isa *fl_chosen_isa(void);")
    ffi.cdef("const void *fl_chosen_isa_address(void);")
    prelude = [f'#include "{name}"' for name in HEADERS]
    prelude += ["#define PyInit__ffi fl_cffi_init", f'static const char *const fl_digest = "{digest()}";']
    prelude += ['#include "../fastleaky/_backends/entry.h"', entries()]
    ffi.set_source("fastleaky._ffi", "\n".join(prelude))
    return ffi
