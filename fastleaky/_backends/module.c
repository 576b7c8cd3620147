/* module.c - the extension module: the functions of the C headers, by name and by address, and those of entry.c.
 * SPDX-License-Identifier: MIT */
#include "module.h"
#include <string.h>

static void release(fl_arguments *a)
{
    while (a->viewed)
        PyBuffer_Release(&a->views[--a->viewed]);
}

static void *pointer(fl_arguments *a, PyObject *given)
{
    if (given == Py_None)
        return NULL;
    if (PyLong_Check(given))
        return PyLong_AsVoidPtr(given);
    Py_buffer *const view = &a->views[a->viewed];
    if (PyObject_GetBuffer(given, view, PyBUF_SIMPLE))
        return NULL;
    a->viewed++;
    return view->buf;
}

int fl_begin(fl_arguments *a, const char *members, PyObject *const *args, Py_ssize_t given)
{
    a->viewed = 0;
    if ((size_t)given != strlen(members)) {
        PyErr_Format(PyExc_TypeError, "%zd arguments are given; it takes %zu", given, strlen(members));
        return 0;
    }
    for (Py_ssize_t i = 0; i < given; i++)
        switch (members[i]) {
        case 'p':
            a->at[i].p = pointer(a, args[i]);
            break;
        case 'n':
            a->at[i].n = PyLong_AsSize_t(args[i]);
            break;
        case 'i':
            a->at[i].i = (int)PyLong_AsLong(args[i]);
            break;
        default:
            a->at[i].d = PyFloat_AsDouble(args[i]);
        }
    if (PyErr_Occurred()) {
        release(a);
        return 0;
    }
    a->state = PyEval_SaveThread();
    return 1;
}

void fl_end(fl_arguments *a)
{
    PyEval_RestoreThread(a->state);
    release(a);
}

/* Add the bindings, and a dictionary of the C functions' addresses; 0 if that fails. */
static int add_bindings(PyObject *module)
{
    static PyMethodDef methods[FL_MOST_FUNCTIONS + 1]; /* Python keeps pointers to them */
    PyObject *const addresses = PyDict_New();
    int good = addresses != NULL;
    for (int i = 0; good && fl_bindings[i].name; i++) {
        const fl_binding *const b = &fl_bindings[i];
        PyObject *const address = PyLong_FromSize_t((size_t)b->function);
        good = address && !PyDict_SetItemString(addresses, b->name, address);
        Py_XDECREF(address);
        methods[i] = (PyMethodDef){b->name, (PyCFunction)(void (*)(void))b->binding, METH_FASTCALL, NULL};
    }
    good = good && !PyModule_AddFunctions(module, methods) && !PyModule_AddObjectRef(module, "addresses", addresses);
    Py_XDECREF(addresses);
    return good;
}

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "fastleaky._ffi", .m_size = -1, .m_methods = fl_entry_methods};

PyMODINIT_FUNC PyInit__ffi(void)
{
    PyObject *const module = PyModule_Create(&definition);
    if (!module || !add_bindings(module) || PyModule_AddStringConstant(module, "digest", fl_digest)) {
        Py_XDECREF(module);
        return NULL;
    }
#ifdef Py_GIL_DISABLED
    PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED); /* what calls share is atomic: see entry.c and threads.c */
#endif
    return module;
}
