/* module.h - the C functions of the headers as ffi_build.py generates Python functions for them.
 * SPDX-License-Identifier: MIT */
#ifndef FASTLEAKY_MODULE_H
#define FASTLEAKY_MODULE_H

#include <Python.h>

enum { FL_MOST_FUNCTIONS = 255, FL_MOST_ARGUMENTS = 16 /* of each */ };

typedef union {
    void *p;
    size_t n;
    int i;
    double d;
} fl_argument;

/* The arguments of a call in C; the buffers that it uses; the interpreter's thread, which waits for it. */
typedef struct {
    fl_argument at[FL_MOST_ARGUMENTS];
    Py_buffer views[FL_MOST_ARGUMENTS];
    int viewed;
    PyThreadState *state;
} fl_arguments;

/* Take the arguments, each as the member of fl_argument that `members` names, and give up the interpreter; 0 if they
 * are wrong. A pointer is given as a buffer, an address, or None. */
int fl_begin(fl_arguments *a, const char *members, PyObject *const *args, Py_ssize_t given);

/* Take the interpreter back, and release the buffers. */
void fl_end(fl_arguments *a);

typedef struct {
    const char *name;
    PyObject *(*binding)(PyObject *self, PyObject *const *args, Py_ssize_t given);
    void (*function)(void);
} fl_binding;

extern const fl_binding fl_bindings[]; /* the last has no name */
extern const char *const fl_digest;    /* of the C sources */
extern PyMethodDef fl_entry_methods[]; /* of entry.c */

#endif
