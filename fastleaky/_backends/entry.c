/* entry.c - the public functions as Python calls them: plain arrays go straight to the kernels, all else to _api.py.
 * SPDX-License-Identifier: MIT
 *
 * Plain means: exact ndarrays of one type, native and aligned, that lie densely in memory in one and the same order of
 * axes, and outputs that are an input itself or apart from all of them. Whatever is not plain, or
 * not allowed, is left to the general function, arguments and all, so that checks and messages stand there only.
 *
 * Nothing here changes after the import but what choose() stores, which is atomic: there is no other state. */
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include "ndarray.h"
#include "fastleaky_threads.h"

enum { TYPES = 4 }; /* float32, float64, float16, bfloat16 */
static const size_t itemsizes[TYPES] = {4, 8, 2, 2};
static _Atomic(PyObject *) dtypes[TYPES]; /* NULL: not seen yet */
static PyObject *(*new_like_array)(PyObject *like, int order, PyObject *dtype, int subclass);
static _Atomic(const fl_isa *) chosen[TYPES]; /* for each type; NULL: the general function does it */

enum { RELEASE_FROM = 1 << 13 }; /* elements: below, another thread gains less than giving up the interpreter costs */
enum { MOST_ARGUMENTS = 5 };
enum { KEEP_ORDER = 2, NEW_LIKE_ARRAY = 277 }; /* of NumPy's C interface */

typedef struct {
    const char *arguments[MOST_ARGUMENTS]; /* `positional` of them, and then those that need their name */
    int positional, required, backward, prelu;
    const char *signature;
    PyObject *general, *names[MOST_ARGUMENTS];
} operation;

static operation operations[] = {
    {{"x", "negative_slope", "out"}, 2, 1, 0, 0, "leaky_relu(x, negative_slope=0.01, *, out=None)", 0, {0}},
    {{"grad", "x", "negative_slope", "out"},
     3,
     2,
     1,
     0,
     "leaky_relu_backward(grad, x, negative_slope=0.01, *, out=None)",
     0,
     {0}},
    {{"x", "weight", "axis", "out"}, 2, 2, 0, 1, "prelu(x, weight, *, axis=1, out=None)", 0, {0}},
    {{"grad", "x", "weight", "axis", "out"},
     3,
     3,
     1,
     1,
     "prelu_backward(grad, x, weight, *, axis=1, out=None)",
     0,
     {0}},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

/* Put the arguments in the order of their names; 0 if they are not what the signature says. */
static int bind(const operation *op, PyObject *const *args, Py_ssize_t given, PyObject *keywords, PyObject **bound)
{
    if (given > op->positional)
        return 0;
    for (Py_ssize_t i = 0; i < MOST_ARGUMENTS; i++)
        bound[i] = i < given ? args[i] : NULL;
    for (Py_ssize_t k = 0, n = keywords ? PyTuple_Size(keywords) : 0; k < n; k++) {
        PyObject *const name = PyTuple_GetItem(keywords, k);
        int i = 0;
        while (i < MOST_ARGUMENTS && op->names[i] != name) /* names are interned; one that is not goes the long way */
            i++;
        if (i == MOST_ARGUMENTS || bound[i])
            return 0;
        bound[i] = args[given + k];
    }
    for (int i = 0; i < op->required; i++)
        if (!bound[i])
            return 0;
    return 1;
}

/* An output, a new reference: the one given, if it will do, or a new array; NULL if it will not do. */
static PyObject *output(PyObject *given, const ndarray *like)
{
    PyObject *const out = given == Py_None ? new_like_array((PyObject *)like, KEEP_ORDER, NULL, 0) : Py_NewRef(given);
    if (!out) {
        PyErr_Clear(); /* the general function meets it too, and says it */
        return NULL;
    }
    const ndarray *const array = plain(out, like->dtype);
    if (array && (array->flags & WRITEABLE) && alike(array, like))
        return out;
    Py_DECREF(out);
    return NULL;
}

/* What is to be computed. */
typedef struct {
    const ndarray *v, *x, *weight; /* v: the gradient, or forward x again */
    double slope;
    int type;
    size_t itemsize, shape[3];
} request;

static int take_slope(PyObject *given, request *wanted)
{
    wanted->slope = 0.01;
    if (!given)
        return 1;
    if (!PyFloat_Check(given) && !PyLong_CheckExact(given))
        return 0;
    wanted->slope = PyFloat_AsDouble(given);
    if (wanted->slope != -1 || !PyErr_Occurred())
        return 1;
    PyErr_Clear();
    return 0;
}

/* Take a weight of one element, or of one dimension and as many elements as x has along the axis, which is -1 if there
 * is only one slope. */
static int take_weight(PyObject *given, PyObject *given_axis, request *wanted, int *axis)
{
    const ndarray *const x = wanted->x, *const weight = plain(given, x->dtype);
    int overflow = 0;
    if (!weight || (given_axis && !PyLong_CheckExact(given_axis)))
        return 0;
    wanted->weight = weight;
    if (size_of(weight) == 1)
        return 1;
    const long at = given_axis ? PyLong_AsLongAndOverflow(given_axis, &overflow) : 1;
    if (overflow || at < -x->ndim || at >= x->ndim || weight->ndim != 1)
        return 0;
    *axis = (int)(at < 0 ? at + x->ndim : at);
    return weight->shape[0] == x->shape[*axis] && weight->strides[0] == (Py_ssize_t)wanted->itemsize;
}

static int take(const operation *op, PyObject *const *bound, request *wanted)
{
    PyObject *const x = bound[op->backward];
    int axis = -1;
    if (Py_TYPE(x) != ndarray_type)
        return 0;
    const PyObject *const dtype = ((const ndarray *)x)->dtype;
    while (wanted->type < TYPES && dtypes[wanted->type] != dtype)
        wanted->type++;
    if (wanted->type == TYPES)
        return 0;
    wanted->itemsize = itemsizes[wanted->type];
    wanted->x = plain(x, dtype);
    wanted->v = plain(bound[0], dtype);
    if (!wanted->x || !wanted->v || (wanted->v != wanted->x && !alike(wanted->v, wanted->x)))
        return 0;
    if (op->prelu ? !take_weight(bound[op->backward + 1], bound[op->positional], wanted, &axis)
                  : !take_slope(bound[op->backward + 1], wanted))
        return 0;
    return walk(wanted->x, wanted->itemsize, axis, op->prelu && op->backward, wanted->shape);
}

static void compute(const operation *op, const fl_isa *isa, const request *wanted, PyObject *const outs[2])
{
    const size_t *const s = wanted->shape;
#define COMPUTE(suffix, T, W)                                                                                          \
    do {                                                                                                               \
        const T *const v = (const T *)wanted->v->data, *const x = (const T *)wanted->x->data;                          \
        T *const out = (T *)((const ndarray *)outs[0])->data;                                                          \
        if (!op->prelu && !op->backward)                                                                               \
            fl_leaky_relu_##suffix(isa, x, out, s[2], (W)wanted->slope);                                               \
        else if (!op->prelu)                                                                                           \
            fl_leaky_relu_backward_##suffix(isa, v, x, out, s[2], (W)wanted->slope);                                   \
        else if (!op->backward)                                                                                        \
            fl_prelu_##suffix(isa, x, (const T *)wanted->weight->data, out, s[0], s[1], s[2]);                         \
        else                                                                                                           \
            fl_prelu_backward_##suffix(isa, v, x, (const T *)wanted->weight->data, out,                                \
                                       (T *)((const ndarray *)outs[1])->data, s[0], s[1], s[2]);                       \
    } while (0)
    if (wanted->type == 0)
        COMPUTE(f32, float, float);
    else if (wanted->type == 1)
        COMPUTE(f64, double, double);
    else if (wanted->type == 2)
        COMPUTE(f16, fl_f16, float);
    else
        COMPUTE(bf16, fl_bf16, float);
}

/* Do the outputs lie where the kernels may write? An output may be one of the arrays of its shape. */
static int may_write(const request *wanted, PyObject *const outs[2])
{
    const size_t weight_bytes = wanted->shape[1] * wanted->itemsize;
    const size_t bytes = wanted->shape[0] * weight_bytes * wanted->shape[2];
    const ndarray *const v = wanted->v, *const x = wanted->x, *const weight = wanted->weight;
    const ndarray *const out = (const ndarray *)outs[0], *const dweight = (const ndarray *)outs[1];
    if ((out->data != v->data && !apart(out, bytes, v, bytes)) ||
        (out->data != x->data && !apart(out, bytes, x, bytes)))
        return 0;
    if (weight && !apart(out, bytes, weight, weight_bytes))
        return 0;
    return !dweight || (apart(dweight, weight_bytes, v, bytes) && apart(dweight, weight_bytes, x, bytes) &&
                        apart(dweight, weight_bytes, out, bytes) && apart(dweight, weight_bytes, weight, weight_bytes));
}

/* Do it, if everything is plain; else NULL, without an error. */
static PyObject *attempt(const operation *op, PyObject *const *args, Py_ssize_t given, PyObject *keywords)
{
    PyObject *bound[MOST_ARGUMENTS], *outs[2] = {NULL, NULL}, *result = NULL;
    request wanted = {0};
    if (!bind(op, args, given, keywords, bound) || !take(op, bound, &wanted))
        return NULL;
    const fl_isa *const isa = chosen[wanted.type];
    const size_t n = wanted.shape[0] * wanted.shape[1] * wanted.shape[2];
    const int pair = op->prelu && op->backward;
    PyObject *out = bound[op->positional + op->prelu], *second = Py_None;
    if (!isa || n == 0)
        return NULL;
    if (!out)
        out = Py_None;
    if (pair && out != Py_None) {
        if (!PyTuple_CheckExact(out) || PyTuple_Size(out) != 2)
            return NULL;
        second = PyTuple_GetItem(out, 1);
        out = PyTuple_GetItem(out, 0);
    }
    outs[0] = output(out, wanted.x);
    if (outs[0] && pair)
        outs[1] = output(second, wanted.weight);
    if (outs[pair] && may_write(&wanted, outs)) {
        PyThreadState *const state = n >= RELEASE_FROM ? PyEval_SaveThread() : NULL;
        compute(op, isa, &wanted, outs);
        if (state)
            PyEval_RestoreThread(state);
        result = pair ? PyTuple_Pack(2, outs[0], outs[1]) : Py_NewRef(outs[0]);
    }
    Py_XDECREF(outs[0]);
    Py_XDECREF(outs[1]);
    return result;
}

static PyObject *call_general(const operation *op, PyObject *const *args, Py_ssize_t given, PyObject *keywords)
{
    PyObject *const positional = PyTuple_New(given), *const named = PyDict_New();
    PyObject *result = NULL;
    if (positional && named) {
        int failed = 0;
        for (Py_ssize_t i = 0; i < given; i++)
            PyTuple_SetItem(positional, i, Py_NewRef(args[i]));
        for (Py_ssize_t k = 0, n = keywords ? PyTuple_Size(keywords) : 0; k < n; k++)
            failed |= PyDict_SetItem(named, PyTuple_GetItem(keywords, k), args[given + k]);
        if (!failed)
            result = PyObject_Call(op->general, positional, named);
    }
    Py_XDECREF(positional);
    Py_XDECREF(named);
    return result;
}

static PyObject *call(const operation *op, PyObject *const *args, Py_ssize_t given, PyObject *keywords)
{
    PyObject *const result = attempt(op, args, given, keywords);
    return result || PyErr_Occurred() ? result : call_general(op, args, given, keywords);
}

#define ENTRY(i)                                                                                                       \
    static PyObject *entry_##i(PyObject *self, PyObject *const *args, Py_ssize_t given, PyObject *keywords)            \
    {                                                                                                                  \
        return (void)self, call(&operations[i], args, given, keywords);                                                \
    }
ENTRY(0)
ENTRY(1)
ENTRY(2)
ENTRY(3)
typedef PyObject *entry(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
static entry *const entries[OPERATIONS] = {entry_0, entry_1, entry_2, entry_3};

/* Make the public functions: start(array type, float32, an array of that and of shape (2, 3) and strides (12, 4) at
 * `address`, address, NumPy's table of functions, the module's name, the four general functions). None if arrays are
 * not what we take them for; then the general functions must do. */
static PyObject *start(PyObject *self, PyObject *args)
{
    PyObject *table, *general, *specimen, *module, *dtype;
    unsigned long long address;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOOKOUO!", &ndarray_type, &dtype, &specimen, &address, &table, &module, &PyTuple_Type,
                          &general))
        return NULL;
    const ndarray *const array = plain(specimen, dtype);
    if (!array || (uintptr_t)array->data != address || array->ndim != 2 || array->shape[0] != 2 ||
        array->shape[1] != 3 || array->strides[0] != 12 || array->strides[1] != 4 || !(array->flags & WRITEABLE))
        Py_RETURN_NONE;
    void *const *const functions = PyCapsule_GetPointer(table, NULL);
    PyObject *const made = PyTuple_New(OPERATIONS);
    if (!functions || !made || PyTuple_Size(general) != OPERATIONS)
        return NULL;
    *(void **)&new_like_array = functions[NEW_LIKE_ARRAY];
    Py_INCREF((PyObject *)ndarray_type);
    for (int i = 0; i < OPERATIONS; i++) { /* what is allocated here is there as long as the functions: always */
        operation *const op = &operations[i];
        PyMethodDef *const method = calloc(1, sizeof *method);
        op->general = Py_NewRef(PyTuple_GetItem(general, i));
        for (int k = 0; k < MOST_ARGUMENTS && op->arguments[k]; k++)
            op->names[k] = PyUnicode_InternFromString(op->arguments[k]);
        PyObject *const name = PyObject_GetAttrString(op->general, "__name__");
        PyObject *const doc = PyObject_GetAttrString(op->general, "__doc__");
        PyObject *const text = name && doc ? PyUnicode_FromFormat("%s\n--\n\n%S", op->signature, doc) : NULL;
        if (!method || !text)
            return NULL;
        method->ml_name = PyUnicode_AsUTF8AndSize(name, NULL);
        method->ml_doc = PyUnicode_AsUTF8AndSize(text, NULL);
        method->ml_meth = (PyCFunction)(void (*)(void))entries[i];
        method->ml_flags = METH_FASTCALL | METH_KEYWORDS;
        PyObject *const function = method->ml_name && method->ml_doc ? PyCFunction_NewEx(method, NULL, module) : NULL;
        if (!function || PyTuple_SetItem(made, i, function))
            return NULL;
    }
    return made;
}

/* choose(number of the type, its dtype or None if that is not known, address of the fl_isa, or 0 for the general
 * functions) */
static PyObject *choose(PyObject *self, PyObject *args)
{
    int type;
    PyObject *dtype;
    unsigned long long address;
    (void)self;
    if (!PyArg_ParseTuple(args, "iOK", &type, &dtype, &address))
        return NULL;
    if (dtype != Py_None && dtypes[type] != dtype)
        dtypes[type] = Py_NewRef(dtype); /* the one that NumPy has for the type, for good */
    chosen[type] = (const fl_isa *)(uintptr_t)address;
    Py_RETURN_NONE;
}

static PyMethodDef own[] = {{"start", start, METH_VARARGS, NULL}, {"choose", choose, METH_VARARGS, NULL}, {0}};

/* cffi's module, whose initialisation _ffi_build.py has renamed, with these two more. */
extern PyObject *fl_cffi_init(void);
PyMODINIT_FUNC PyInit__ffi(void)
{
    PyObject *const module = fl_cffi_init();
    if (module && PyModule_AddFunctions(module, own)) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
