/* ndarray.h - NumPy's arrays as entry.c needs them: what lies where in memory, and in which order.
 * SPDX-License-Identifier: MIT */
#ifndef FASTLEAKY_NDARRAY_H
#define FASTLEAKY_NDARRAY_H

#include <Python.h>
#include <stdint.h>

/* The beginning of NumPy's array object. It is part of NumPy's binary interface, that of every compiled module that
 * reads an array; start() in entry.c sees that it is true all the same. */
typedef struct {
    PyObject_HEAD
    char *data;
    int ndim;
    Py_ssize_t *shape, *strides;
    PyObject *base, *dtype;
    int flags;
} ndarray;
enum { ALIGNED = 0x100, WRITEABLE = 0x400 };
enum { MOST_AXES = 8 };

static PyTypeObject *ndarray_type;

/* `object` as an aligned array of this dtype, or NULL. */
static const ndarray *well_behaved(PyObject *object, const PyObject *dtype)
{
    const ndarray *const array = (const ndarray *)object;
    return Py_TYPE(object) == ndarray_type && array->dtype == dtype && (array->flags & ALIGNED) ? array : NULL;
}

static size_t size_of(const ndarray *array)
{
    size_t size = 1;
    for (int i = 0; i < array->ndim; i++)
        size *= (size_t)array->shape[i];
    return size;
}

/* Do two arrays have one shape, and the same order of axes in memory if one of them is dense? */
static int same_layout(const ndarray *a, const ndarray *b)
{
    if (a->ndim != b->ndim)
        return 0;
    for (int i = 0; i < a->ndim; i++)
        if (a->shape[i] != b->shape[i] || (a->strides[i] != b->strides[i] && a->shape[i] != 1))
            return 0;
    return 1;
}

/* Coalesce the axes of a dense array to (outer, channels, inner): the channels along `axis`, or 1 if it is negative. 0
 * if the array is not dense, or if `ordered` and the other axes are not in C order. */
static int coalesce(const ndarray *array, size_t itemsize, int axis, int ordered, size_t shape[3])
{
    int axes[MOST_AXES], n = 0; /* from the innermost to the outermost, without those of length 1 */
    if (array->ndim > MOST_AXES)
        return 0;
    for (int i = array->ndim - 1; i >= 0; i--) {
        if (array->shape[i] == 1)
            continue;
        int j = n++;
        for (; j > 0 && array->strides[axes[j - 1]] > array->strides[i]; j--)
            axes[j] = axes[j - 1];
        axes[j] = i;
    }
    Py_ssize_t step = (Py_ssize_t)itemsize;
    size_t *group = &shape[2];
    shape[0] = shape[1] = shape[2] = 1;
    for (int j = 0, before = array->ndim; j < n; j++) {
        const int i = axes[j];
        if (array->strides[i] != step || (ordered && i != axis && i > before))
            return 0;
        step *= array->shape[i];
        if (i == axis) {
            shape[1] = (size_t)array->shape[i];
            group = &shape[0];
        } else {
            *group *= (size_t)array->shape[i];
            before = i;
        }
    }
    return 1;
}

static int disjoint(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    const uintptr_t p = (uintptr_t)a, q = (uintptr_t)b;
    return p + a_bytes <= q || q + b_bytes <= p;
}

#endif
