/* entry.h - what ffi_build.py generates from the table of operations, as entry.c uses it.
 * SPDX-License-Identifier: MIT */
#ifndef FASTLEAKY_ENTRY_H
#define FASTLEAKY_ENTRY_H

#include <Python.h>
#include "fastleaky_threads.h"

enum { FL_TYPES = 4, FL_MOST = 3 }; /* element types; inputs, channel parameters, numbers or results of an operation */

/* The arguments of one call in C. */
typedef struct {
    const void *inputs[FL_MOST], *channel[FL_MOST];
    void *results[FL_MOST];
    double numbers[FL_MOST];
    size_t shape[3], n; /* (outer, channels, inner), and their product */
} fl_call;

/* One operation: the function that Python calls, which calls fl_enter with the operation's number, and its function
 * for each type. */
typedef struct {
    PyObject *(*entry)(PyObject *self, PyObject *const *args, Py_ssize_t given, PyObject *keywords);
    void (*compute[FL_TYPES])(const fl_isa *isa, const fl_call *call);
} fl_operation;

extern const fl_operation fl_operations[];
extern const int fl_operation_count;
PyObject *fl_enter(int operation, PyObject *const *args, Py_ssize_t given, PyObject *keywords);

#endif
