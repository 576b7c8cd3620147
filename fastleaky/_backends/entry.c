/* entry.c - the public functions as Python calls them: a fast path to the kernels, and _api.py as the slow path.
 * SPDX-License-Identifier: MIT
 *
 * The fast path takes exact ndarrays of one type, aligned and in the machine's byte order, dense, and all in the same
 * order of axes. An output must be an input itself or disjoint from all inputs. All other calls, wrong ones too, go to
 * the general function with their arguments as they came, so that checks and messages stand there only.
 *
 * What an operation takes and gives is told by start(). After the import nothing changes but what set_isa() stores,
 * which is atomic. */
#include "entry.h"
#include <float.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "module.h"
#include "ndarray.h"

const size_t fl_itemsizes[FL_TYPES] = {4, 8, 2, 2};
static _Atomic(PyObject *) dtypes[FL_TYPES]; /* NULL: not seen yet */
static PyObject *(*new_like_array)(PyObject *like, int order, PyObject *dtype, int subclass);
static PyObject *(*empty)(int ndim, const Py_ssize_t *shape, PyObject *dtype, int fortran);
static _Atomic(const fl_isa *) isas[FL_TYPES]; /* for each type; NULL: always the slow path */

enum { RELEASE_FROM = 1 << 13 }; /* elements: below, another thread gains less than giving up the interpreter costs */
enum { MOST_ARGUMENTS = 3 * FL_MOST + 3 };
enum { KEEP_ORDER = 2, EMPTY = 184, NEW_LIKE_ARRAY = 277 }; /* of NumPy's C interface */

/* One operation, as start() is told of it. Its arguments are the inputs, the channel parameters and the numbers; then,
 * by name, one more input, the axis if there are channels, and the outputs. */
typedef struct {
    PyObject *general, *names[MOST_ARGUMENTS];
    double defaults[FL_MOST]; /* of the last numbers; 0 for None */
    int positive[FL_MOST];    /* must a number be positive and finite, unless it stays at its default? */
    int inputs, channel, numbers, results, required, positional, arguments;
    int more, axis; /* their places among the arguments, or 0 */
} operation;

static operation *operations;

/* Put the arguments in the order of their names; 0 if they do not fit the signature. */
static int bind(const operation *op, PyObject *const *args, Py_ssize_t given, PyObject *keywords, PyObject **bound)
{
    if (given > op->positional)
        return 0;
    for (Py_ssize_t i = 0; i < op->arguments; i++)
        bound[i] = i < given ? args[i] : NULL;
    for (Py_ssize_t k = 0, n = keywords ? PyTuple_Size(keywords) : 0; k < n; k++) {
        PyObject *const name = PyTuple_GetItem(keywords, k);
        int i = 0;
        while (i < op->arguments && op->names[i] != name) /* one that is not interned takes the slow path */
            i++;
        if (i == op->arguments || bound[i])
            return 0;
        bound[i] = args[given + k];
    }
    for (int i = 0; i < op->required; i++)
        if (!bound[i])
            return 0;
    return 1;
}

/* A call that takes the fast path. */
typedef struct {
    fl_call c;
    const ndarray *x, *more, *channel[FL_MOST], *results[FL_MOST];
    int type, axis; /* the axis of the channels, or -1 if there is only one */
    size_t itemsize;
} request;

static int parse_number(PyObject *given, int positive, double *number)
{
    if (!given || (given == Py_None && positive && !*number))
        return 1; /* it stays at its default */
    if (!PyFloat_Check(given) && !PyLong_CheckExact(given))
        return 0;
    *number = PyFloat_AsDouble(given);
    if (*number != -1 || !PyErr_Occurred())
        return !positive || (*number >= FLT_MIN && *number <= FLT_MAX); /* so it is in every type */
    PyErr_Clear();
    return 0;
}

static int parse_axis(PyObject *given, const ndarray *x, int *axis)
{
    int overflow = 0;
    const long at = given ? PyLong_AsLongAndOverflow(given, &overflow) : 1;
    if (overflow || at < -x->ndim || at >= x->ndim)
        return 0;
    *axis = (int)(at < 0 ? at + x->ndim : at);
    return 1;
}

/* Parse a channel parameter: one element, or one dimension and as many elements as x has along the axis. */
static int parse_channel(PyObject *given, PyObject *axis, request *call, const ndarray **parameter)
{
    const ndarray *const array = *parameter = well_behaved(given, call->x->dtype);
    if (!array || (axis && !PyLong_CheckExact(axis)))
        return 0;
    if (size_of(array) == 1)
        return 1;
    return parse_axis(axis, call->x, &call->axis) && array->ndim == 1 &&
           array->strides[0] == (Py_ssize_t)call->itemsize && array->shape[0] == call->x->shape[call->axis];
}

static int parse(const operation *op, PyObject *const *bound, request *call)
{
    PyObject *const x = bound[op->inputs - 1], *const *const parameters = bound + op->inputs;
    if (Py_TYPE(x) != ndarray_type)
        return 0;
    const PyObject *const dtype = ((const ndarray *)x)->dtype;
    call->type = 0;
    while (call->type < FL_TYPES && dtypes[call->type] != dtype)
        call->type++;
    if (call->type == FL_TYPES)
        return 0;
    call->itemsize = fl_itemsizes[call->type];
    call->x = (const ndarray *)x;
    for (int i = 0; i < op->inputs; i++) {
        const ndarray *const input = well_behaved(bound[i], dtype);
        if (!input || !same_layout(input, call->x))
            return 0;
        call->c.inputs[i] = input->data;
    }
    PyObject *const more = op->more ? bound[op->more] : NULL, *const axis = op->axis ? bound[op->axis] : NULL;
    call->c.more = NULL;
    if (more && more != Py_None) {
        const ndarray *const input = well_behaved(more, dtype);
        if (!input || !same_layout(input, call->x))
            return 0;
        call->c.more = input->data;
    }
    call->axis = -1;
    for (int i = 0; i < op->channel; i++)
        if (!parse_channel(parameters[i], axis, call, &call->channel[i]))
            return 0;
    if (op->axis && !op->channel && ((axis && !PyLong_CheckExact(axis)) || !parse_axis(axis, call->x, &call->axis)))
        return 0;
    for (int i = 0; i < op->numbers; i++) {
        call->c.numbers[i] = op->defaults[i];
        if (!parse_number(parameters[op->channel + i], op->positive[i], &call->c.numbers[i]))
            return 0;
    }
    if (!coalesce(call->x, call->itemsize, call->axis, op->results > 1, call->c.shape))
        return 0;
    for (int i = 0; i < op->channel; i++) {
        if (size_of(call->channel[i]) != call->c.shape[1])
            return 0;
        call->c.channel[i] = call->channel[i]->data;
    }
    return 1;
}

/* A new array: like x, like a channel parameter, or with a number for each channel. */
static PyObject *new_output(const operation *op, int i, const request *call)
{
    const ndarray *const like = i ? call->channel[i - 1] : call->x;
    if (i && !op->channel)
        return empty(1, &call->x->shape[call->axis], Py_NewRef(call->x->dtype), 0); /* it takes the reference */
    return new_like_array((PyObject *)like, KEEP_ORDER, NULL, 0);
}

/* Will an array do as output i? */
static int fits(const operation *op, int i, const request *call, PyObject *out)
{
    const ndarray *const array = well_behaved(out, call->x->dtype);
    if (!array || !(array->flags & WRITEABLE))
        return 0;
    if (i && !op->channel)
        return array->ndim == 1 && array->shape[0] == call->x->shape[call->axis] &&
               (array->shape[0] == 1 || array->strides[0] == (Py_ssize_t)call->itemsize);
    return same_layout(array, i ? call->channel[i - 1] : call->x);
}

/* An output, a new reference: the one given, if it will do, or a new array; NULL if it will not do. */
static const ndarray *output(const operation *op, int i, const request *call, PyObject *given)
{
    PyObject *const out = given == Py_None ? new_output(op, i, call) : Py_NewRef(given);
    if (!out) {
        PyErr_Clear(); /* the general function meets it too, and reports it */
        return NULL;
    }
    if (fits(op, i, call, out))
        return (const ndarray *)out;
    Py_DECREF(out);
    return NULL;
}

/* Get all outputs, with new references; 0 if one will not do. */
static int outputs(const operation *op, PyObject *given, request *call)
{
    const int several = op->results > 1 && given && given != Py_None;
    if (several && (!PyTuple_CheckExact(given) || PyTuple_Size(given) != op->results))
        return 0;
    for (int i = 0; i < op->results; i++) {
        PyObject *const out = several ? PyTuple_GetItem(given, i) : given && op->results == 1 ? given : Py_None;
        call->results[i] = output(op, i, call, out);
        if (!call->results[i])
            return 0;
        call->c.results[i] = call->results[i]->data;
    }
    return 1;
}

/* May the kernels write to the outputs? The first may be an input, and the others must be apart from it in any case. */
static int may_write(const operation *op, const request *call)
{
    const size_t channel_bytes = call->c.shape[1] * call->itemsize,
                 bytes = call->c.shape[0] * channel_bytes * call->c.shape[2];
    const fl_call *const c = &call->c;
    for (int r = 0; r < op->results; r++) {
        const size_t own = r ? channel_bytes : bytes;
        for (int i = 0; i < op->inputs; i++)
            if (c->results[0] != c->inputs[i] && !disjoint(c->results[r], own, c->inputs[i], bytes))
                return 0;
        if (c->more && c->results[r] != c->more && !disjoint(c->results[r], own, c->more, bytes))
            return 0;
        for (int i = 0; i < op->channel; i++)
            if (!disjoint(c->results[r], own, c->channel[i], channel_bytes))
                return 0;
        for (int i = 0; i < r; i++)
            if (!disjoint(c->results[r], own, c->results[i], i ? channel_bytes : bytes))
                return 0;
    }
    return 1;
}

static void compute(int number, int type, const fl_isa *isa, const fl_call *call)
{
    PyThreadState *const state = call->n >= RELEASE_FROM ? PyEval_SaveThread() : NULL;
    fl_operations[number].compute[type](isa, call);
    if (state)
        PyEval_RestoreThread(state);
}

/* Take the fast path, if it can be taken; else NULL, without an error. */
static PyObject *try_fast(int number, PyObject *const *args, Py_ssize_t given, PyObject *keywords)
{
    const operation *const op = &operations[number];
    PyObject *bound[MOST_ARGUMENTS], *result = NULL;
    request call;
    memset(&call.results, 0, sizeof call.results);
    if (!bind(op, args, given, keywords, bound) || !parse(op, bound, &call))
        return NULL;
    const fl_isa *const isa = isas[call.type];
    const size_t n = call.c.shape[0] * call.c.shape[1] * call.c.shape[2];
    if (!isa || n == 0)
        return NULL;
    call.c.n = n;
    if (outputs(op, bound[op->arguments - 1], &call) && may_write(op, &call)) {
        compute(number, call.type, isa, &call.c);
        result = op->results == 1 ? Py_NewRef((PyObject *)call.results[0]) : PyTuple_New(op->results);
        for (int i = 0; result && op->results > 1 && i < op->results; i++)
            PyTuple_SetItem(result, i, Py_NewRef((PyObject *)call.results[i]));
    }
    for (int i = 0; i < op->results; i++)
        Py_XDECREF((PyObject *)call.results[i]);
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

PyObject *fl_enter(int number, PyObject *const *args, Py_ssize_t given, PyObject *keywords)
{
    PyObject *const result = try_fast(number, args, given, keywords);
    return result || PyErr_Occurred() ? result : call_general(&operations[number], args, given, keywords);
}

/* Make one public function of a row of start(): the general function, its name, its text with the signature, the names
 * of the arguments, the defaults, which numbers must be positive, and the places of one more input and of the axis. */
static PyObject *make(int number, PyObject *row, PyObject *module)
{
    operation *const op = &operations[number];
    PyMethodDef *const method = calloc(1, sizeof *method);
    PyObject *names, *defaults, *positive;
    if (!method || !PyArg_ParseTuple(row, "OssO!O!O!ii", &op->general, &method->ml_name, &method->ml_doc, &PyTuple_Type,
                                     &names, &PyTuple_Type, &defaults, &PyTuple_Type, &positive, &op->more, &op->axis))
        return NULL;
    const fl_operation *const known = &fl_operations[number];
    op->inputs = known->inputs;
    op->channel = known->channel;
    op->numbers = known->numbers;
    op->results = known->results;
    const int with_default = (int)PyTuple_Size(defaults);
    op->arguments = (int)PyTuple_Size(names);
    op->positional = op->inputs + op->channel + op->numbers;
    op->required = op->positional - with_default;
    for (int i = 0; i < op->arguments; i++)
        op->names[i] = PyTuple_GetItem(names, i);
    for (int i = 0; i < with_default; i++)
        op->defaults[op->numbers - with_default + i] = PyFloat_AsDouble(PyTuple_GetItem(defaults, i));
    for (int i = 0; i < op->numbers; i++)
        op->positive[i] = PyObject_IsTrue(PyTuple_GetItem(positive, i));
    method->ml_meth = (PyCFunction)(void (*)(void))fl_operations[number].entry;
    method->ml_flags = METH_FASTCALL | METH_KEYWORDS;
    return PyCFunction_NewEx(method, NULL, module);
}

/* start(array type, float32, an array of that and of shape (2, 3) and strides (12, 4) at `address`, address, NumPy's
 * table of functions, the module's name, a row for each operation): the public functions. None if arrays are not what
 * we take them for; then the general functions must do. */
static PyObject *start(PyObject *self, PyObject *args)
{
    PyObject *table, *rows, *specimen, *module, *dtype;
    unsigned long long address;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOOKOUO!", &ndarray_type, &dtype, &specimen, &address, &table, &module, &PyTuple_Type,
                          &rows))
        return NULL;
    const ndarray *const array = well_behaved(specimen, dtype);
    if (!array || (uintptr_t)array->data != address || array->ndim != 2 || array->shape[0] != 2 ||
        array->shape[1] != 3 || array->strides[0] != 12 || array->strides[1] != 4 || !(array->flags & WRITEABLE))
        Py_RETURN_NONE;
    void *const *const functions = PyCapsule_GetPointer(table, NULL);
    PyObject *const made = PyTuple_New(fl_operation_count);
    operations = calloc((size_t)fl_operation_count, sizeof *operations);
    if (!functions || !made || !operations || PyTuple_Size(rows) != fl_operation_count)
        return NULL;
    *(void **)&new_like_array = functions[NEW_LIKE_ARRAY];
    *(void **)&empty = functions[EMPTY];
    Py_INCREF((PyObject *)ndarray_type);
    Py_INCREF(rows); /* kept, with all that is in them, as long as the functions: always */
    for (int i = 0; i < fl_operation_count; i++) {
        PyObject *const function = make(i, PyTuple_GetItem(rows, i), module);
        if (!function || PyTuple_SetItem(made, i, function))
            return NULL;
    }
    return made;
}

/* set_isa(number of the type, its dtype or None if that is not known, address of the fl_isa, or 0 for the slow path) */
static PyObject *set_isa(PyObject *self, PyObject *args)
{
    int type;
    PyObject *dtype;
    unsigned long long address;
    (void)self;
    if (!PyArg_ParseTuple(args, "iOK", &type, &dtype, &address))
        return NULL;
    if (dtype != Py_None && dtypes[type] != dtype)
        dtypes[type] = Py_NewRef(dtype); /* the one that NumPy has for the type, for good */
    isas[type] = (const fl_isa *)(uintptr_t)address;
    Py_RETURN_NONE;
}

static _Atomic(const fl_isa *) chosen_isa;
void fl_choose_isa(const fl_isa *isa) { chosen_isa = isa; }
const fl_isa *fl_chosen_isa(void) { return chosen_isa; }
const void *fl_chosen_isa_address(void) { return &chosen_isa; }

/* Take the next arguments as addresses of numbers of this size; 0 if a kernel cannot take one of them. */
static int addresses(PyObject *const **args, int count, size_t itemsize, const void **found)
{
    for (int i = 0; i < count; i++) {
        const uintptr_t at = (uintptr_t)PyLong_AsSize_t(*(*args)++);
        if (!at || at % itemsize)
            return 0;
        found[i] = (const void *)at;
    }
    return 1;
}

/* compute_at(number of the operation, number of the type, shape of x, number of slopes, addresses of the inputs, of the
 * channel parameters and of the results, numbers): a kernel, for arrays that are not NumPy's. They are in C order, and
 * the results apart from all others; the channels, if there are several slopes, lie along axis 1. False, and nothing is
 * done, if there is no fast path. */
static PyObject *compute_at(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    const int number = (int)PyLong_AsLong(args[0]), type = (int)PyLong_AsLong(args[1]);
    const fl_operation *const op = &fl_operations[number];
    const fl_isa *const isa = isas[type];
    const size_t slopes = PyLong_AsSize_t(args[3]), itemsize = fl_itemsizes[type];
    const Py_ssize_t ndim = PyTuple_Size(args[2]);
    fl_call c = {.n = 1};
    (void)self;
    (void)given;
    for (Py_ssize_t i = 0; i < ndim; i++)
        c.n *= PyLong_AsSize_t(PyTuple_GetItem(args[2], i));
    if (!isa || !c.n)
        Py_RETURN_FALSE;
    c.shape[0] = slopes == 1 ? 1 : PyLong_AsSize_t(PyTuple_GetItem(args[2], 0));
    c.shape[1] = slopes;
    c.shape[2] = c.n / c.shape[0] / slopes;
    args += 4;
    if (!addresses(&args, op->inputs, itemsize, c.inputs) || !addresses(&args, op->channel, itemsize, c.channel) ||
        !addresses(&args, op->results, itemsize, (const void **)c.results))
        Py_RETURN_FALSE;
    for (int i = 0; i < op->numbers; i++)
        c.numbers[i] = PyFloat_AsDouble(args[i]);
    compute(number, type, isa, &c);
    Py_RETURN_TRUE;
}

PyMethodDef fl_entry_methods[] = {{"start", start, METH_VARARGS, NULL},
                                  {"set_isa", set_isa, METH_VARARGS, NULL},
                                  {"compute_at", (PyCFunction)(void (*)(void))compute_at, METH_FASTCALL, NULL},
                                  {0}};
