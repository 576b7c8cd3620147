"""What the build asks of Python: ``_ffi.c``, and a digest of the C sources.

``python ffi_build.py _ffi.c`` writes a Python function for each function of the C headers, which cffi parses, and the
operations for entry.c. It is run at build time and not installed; nor is cffi needed then. In a source folder the
digest is asked for at import, so nothing that is slow to import is used for it.
"""

from __future__ import annotations

import itertools
import os
import re
import runpy
import sys
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cffi import FFI

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(HERE)
TABLE = os.path.join(PACKAGE, "_operations.py")
CSRC = os.path.join(os.path.dirname(PACKAGE), "csrc")
HEADERS = ("fastleaky.h", "fastleaky_threads.h", "fastleaky_quantized.h")
OWN = """
uintptr_t fl_xla_handler(int operation);
void fl_choose_isa(const fl_isa *isa);
const fl_isa *fl_chosen_isa(void);
const void *fl_chosen_isa_address(void);
"""
ARGUMENTS = {"pointer": "p", "size_t": "n", "int": "i", "float": "d", "double": "d"}  # in C: fl_argument's members
RESULTS = {"pointer": "PyLong_FromVoidPtr((void *)", "uintptr_t": "PyLong_FromSize_t(", "int": "PyLong_FromLong("}


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


def declarations(header: str) -> str:
    """What a C header declares, as cffi reads it."""
    with open(os.path.join(CSRC, header)) as file:
        return re.sub(r'^#.*\n|^extern "C" \{\n|^\}\n', "", file.read(), flags=re.MULTILINE)


def binding(name: str, function: FFI.CType) -> str:
    """The Python function for a C function: its arguments one by one, as module.c takes them."""
    kinds = [ARGUMENTS.get(given.kind) or ARGUMENTS[given.cname] for given in function.args]
    call = f"{name}({', '.join(f'a.at[{i}].{kind}' for i, kind in enumerate(kinds))})"
    result, value = function.result, "Py_NewRef(Py_None)"
    if result.cname == "char *":
        call, value = f"const char *const result = {call}", "PyUnicode_FromString(result)"
    elif result.cname != "void":
        call = f"{result.cname.replace(' *', ' const *')} const result = {call}"
        value = f"{RESULTS.get(result.kind) or RESULTS[result.cname]}result)"
    return f"""
_Static_assert({len(kinds)} <= FL_MOST_ARGUMENTS, "{name} has too many");
static PyObject *{name}_binding(PyObject *self, PyObject *const *args, Py_ssize_t given)
{{
    fl_arguments a;
    (void)self;
    if (!fl_begin(&a, "{"".join(kinds)}", args, given))
        return NULL;
    {call};
    fl_end(&a);
    return {value};
}}
"""


def bindings() -> str:
    """What module.h declares: each C function's binding and address."""
    from cffi import FFI

    ffi, code, rows = FFI(), "", ""
    for text in (*map(declarations, HEADERS), OWN):
        ffi.cdef(text)
        for result, name, parameters in re.findall(r"^(\w[\w ]* \**)(\w+)\(([^;]*)\);", text, re.MULTILINE):
            code += binding(name, ffi.typeof(f"{result}(*)({parameters})"))
            rows += f'    {{"{name}", {name}_binding, (void (*)(void)){name}}},\n'
    count = '_Static_assert(sizeof fl_bindings / sizeof *fl_bindings <= FL_MOST_FUNCTIONS + 1, "too many");\n'
    return f"{code}\nconst fl_binding fl_bindings[] = {{\n{rows}    {{0}}}};\n{count}"


def main(path: str) -> None:
    """Write the file."""
    includes = "".join(f'#include "{name}"\n' for name in (*HEADERS, "entry.h", "module.h"))
    with open(path, "w") as file:
        file.write(f'{includes}const char *const fl_digest = "{digest()}";\n{entries()}{bindings()}')


if __name__ == "__main__":
    main(*sys.argv[1:])
