/* entry.h - what ffi_build.py generates from the table of operations, as entry.c uses it.
 * SPDX-License-Identifier: MIT */
#ifndef FASTLEAKY_ENTRY_H
#define FASTLEAKY_ENTRY_H

#include <Python.h>
#include "fastleaky_threads.h"

enum { FL_TYPES = 4, FL_MOST = 3 }; /* element types; inputs, channel parameters, numbers or results of an operation */

/* The arguments of one call in C. */
typedef struct {
    const void *inputs[FL_MOST], *more, *channel[FL_MOST]; /* more: one more input, or NULL */
    void *results[FL_MOST];
    double numbers[FL_MOST];
    size_t shape[3], n; /* (outer, channels, inner), and their product */
} fl_call;

struct xla_call_frame;
struct xla_error;

/* One operation: the functions that Python and XLA call, which call fl_enter and fl_xla_call with the operation's
 * number; its function for each type; and the numbers of its arguments and results. */
typedef struct {
    PyObject *(*entry)(PyObject *self, PyObject *const *args, Py_ssize_t given, PyObject *keywords);
    struct xla_error *(*handler)(const struct xla_call_frame *frame);
    void (*compute[FL_TYPES])(const fl_isa *isa, const fl_call *call);
    int inputs, channel, results, numbers;
} fl_operation;

extern const fl_operation fl_operations[];
extern const int fl_operation_count;
extern const size_t fl_itemsizes[FL_TYPES];

PyObject *fl_enter(int operation, PyObject *const *args, Py_ssize_t given, PyObject *keywords);
struct xla_error *fl_xla_call(int operation, const struct xla_call_frame *frame);
uintptr_t fl_xla_handler(int operation); /* its address */

/* The instruction set of the chosen backend, for code that is compiled once and called later; and where it stands. */
void fl_choose_isa(const fl_isa *isa);
const fl_isa *fl_chosen_isa(void);
const void *fl_chosen_isa_address(void);

#endif
