/* terms.cc - the kernels, run on terms: for each shape of an array, each cut into parts and threads, each alignment and
 * in place or not, every output is the term that the contract of fastleaky.h names.
 * SPDX-License-Identifier: MIT */
#include "set.h"

#define FL_GRAIN 16
#include "float/float_ops.c"

/* A shape, and how it is computed. */
struct job {
    size_t outer, channels, inner;
    int threads, nontemporal;
    size_t pad; /* elements behind a multiple of 16 bytes */
    enum { APART, OVER_X, OVER_GRAD } out;
    size_t size() const { return outer * channels * inner; }
};

static job now;
static int threads_of(size_t) { return now.threads; }
static int is_nontemporal(size_t) { return now.nontemporal; }
/* Parts of any length, the last one first. */
static void run_parts(int, fl_task *task, const void *arguments, size_t n, size_t grain)
{
    for (size_t end = n; end;) {
        const size_t grains = (end - 1) / grain, begin = grains ? any() % (grains + 1) * grain : 0;
        task(arguments, begin, end);
        end = begin;
    }
}
static const fl_platform platform = {threads_of, run_parts, is_nontemporal};
static const fl_isa set = {"terms", NULL, 0, &platform};

struct operation_of_terms {
    const char *name;
    fl_task *kernel;
    fl_ordered_sum *sum;
    int inputs, parameters; /* arrays; parameters that each channel has its own of */
    Term (*result)(Term x, Term grad, const Term *parameter);
    Term (*term)(Term x, Term grad, const Term *parameter); /* of a sum */
};

static Term leaky(Term x, Term slope) { return x > 0 ? x : slope * x; }
static Term leaky_relu(Term x, Term, const Term *p) { return leaky(x, p[0]); }
static Term leaky_relu_backward(Term x, Term grad, const Term *p) { return x > 0 ? grad : p[0] * grad; }
static Term slope_term(Term x, Term grad, const Term *) { return x > 0 ? Term(0) : grad * x; }
static Term bias_leaky_relu(Term x, Term, const Term *p) { return clamped(leaky(x + p[0], p[1]) * p[2], p[3]); }
static Term bias_leaky_relu_backward(Term y, Term grad, const Term *p)
{
    const Term d = within(y, p[2], grad * p[1]);
    return y > 0 ? d : p[0] * d;
}
static Term scale_shift(Term x, Term, const Term *p) { return leaky(x * p[0] + p[1], p[2]); }
static Term scale_shift_residual(Term x, Term residual, const Term *p)
{
    return leaky(x * p[0] + p[1] + residual, p[2]);
}

static const operation_of_terms operations[] = {
    {"leaky_relu", KERNEL(leaky_relu), NULL, 1, 0, leaky_relu, NULL},
    {"leaky_relu_backward", KERNEL(leaky_relu_backward), NULL, 2, 0, leaky_relu_backward, NULL},
    {"prelu", KERNEL(prelu), NULL, 1, 1, leaky_relu, NULL},
    {"bias_leaky_relu", KERNEL(bias_leaky_relu), NULL, 1, 1, bias_leaky_relu, NULL},
    {"scale_shift_leaky_relu", KERNEL(scale_shift_leaky_relu), NULL, 1, 2, scale_shift, NULL},
    {"scale_shift_prelu", KERNEL(scale_shift_prelu), NULL, 1, 3, scale_shift, NULL},
    {"scale_shift_residual_leaky_relu", KERNEL(scale_shift_residual_leaky_relu), NULL, 2, 2, scale_shift_residual,
     NULL},
    {"scale_shift_residual_prelu", KERNEL(scale_shift_residual_prelu), NULL, 2, 3, scale_shift_residual, NULL},
    {"prelu_backward", NULL, KERNEL(prelu_backward), 2, 1, leaky_relu_backward, slope_term},
    {"bias_leaky_relu_backward", NULL, KERNEL(bias_leaky_relu_backward), 2, 0, bias_leaky_relu_backward,
     bias_leaky_relu_backward},
};

/* The ordered sum, as float/ordered_sum.h defines it. */
static Term sum_of_block(const Term *terms, size_t n)
{
    Term lanes[FL_STRIDE];
    for (size_t l = 0; l < FL_STRIDE; l++) {
        lanes[l] = 0;
        for (size_t i = l; i < n; i += FL_STRIDE)
            lanes[l] = lanes[l] + terms[i];
    }
    for (size_t half = FL_STRIDE / 2; half; half /= 2)
        for (size_t l = 0; l < half; l++)
            lanes[l] = lanes[l] + lanes[l + half];
    return lanes[0];
}
static Term ordered_sum(const std::vector<Term> &terms)
{
    Double sum = 0;
    for (size_t at = 0; at < terms.size(); at += FL_CHUNK) {
        Double chunk = 0;
        for (size_t i = at; i < at + FL_CHUNK && i < terms.size(); i += FL_BLOCK)
            chunk += sum_of_block(&terms[i], terms.size() - i < FL_BLOCK ? terms.size() - i : (size_t)FL_BLOCK);
        sum += chunk;
    }
    return sum.term;
}

static bool same(Term a, Term b) { return a.id == b.id; }

/* What is wrong with an operation on the shape of `now`, or nothing. */
static const char *fault_of(const operation_of_terms &o)
{
    const size_t n = now.size();
    all_terms.clear();
    wrong = false;
    written.assign(n, 0);
    array x(INPUT, n, now.pad), grad(GRADIENT, n, now.pad), apart(SHARED, n, now.pad),
        gradient(SHARED, now.channels, 0);
    Term *const out = now.out == job::OVER_X ? x.begin : now.out == job::OVER_GRAD ? grad.begin : apart.begin;
    fl_arguments a =
        arguments_of(o.inputs == 1 ? x.begin : grad.begin, x.begin, out, now.outer, now.channels, now.inner);
    std::vector<std::vector<Term>> parameters((size_t)o.parameters);
    for (size_t k = 0; k < 4; k++) {
        a.shared[k].f32 = (float)(k + 1);
        a.parameters[k] = NULL;
    }
    for (size_t k = 0; k < parameters.size(); k++) {
        for (size_t c = 0; c < now.channels; c++)
            parameters[k].push_back(Term::leaf(PARAMETER, k, c));
        a.parameters[k] = parameters[k].data();
    }
    output = out;
    if (o.sum)
        run_sum(&set, o.sum, &a, gradient.begin);
    else
        run_elementwise(&set, o.kernel, &a, sizeof(Term));
    if (wrong)
        return "a vector outside of an array, or with lanes or an alignment that the set does not have";
    std::vector<std::vector<Term>> terms(now.channels);
    for (size_t i = 0; i < n; i++) {
        const size_t c = i / now.inner % now.channels;
        const Term input = Term::leaf(INPUT, i), other = Term::leaf(GRADIENT, i);
        Term p[4];
        for (size_t k = 0; k < 4; k++)
            p[k] = k < parameters.size() ? parameters[k][c] : Term((float)(k + 1));
        if (!same(out[i], o.result(input, other, p)))
            return "an output is not its term";
#ifndef SHAPE_FTZ
        if (written[i] != 1)
            return "an output is written more than once";
#endif
        if (o.sum)
            terms[c].push_back(o.term(input, other, p));
    }
    if (!x.has_margins(INPUT) || !grad.has_margins(GRADIENT) || !apart.has_margins(SHARED) ||
        !gradient.has_margins(SHARED))
        return "written outside of an array";
    for (size_t c = 0; o.sum && c < now.channels; c++)
        if (!same(gradient.begin[c], ordered_sum(terms[c])))
            return "a sum is not its term";
    return NULL;
}

enum { LONG = 32 * SHAPE_LANES > 160 ? 32 * SHAPE_LANES : 160 };
static long checked;
static void check(const operation_of_terms &o)
{
    checked++;
    if (const char *fault = fault_of(o)) {
        std::printf("WRONG: %s of (%zu, %zu, %zu), %d threads, nontemporal %d, pad %zu, out %d: %s\n", o.name,
                    now.outer, now.channels, now.inner, now.threads, now.nontemporal, now.pad, (int)now.out, fault);
        std::exit(1);
    }
}

static void check_places(const operation_of_terms &o)
{
    for (int out = 0; out <= o.inputs; out++)
        for (now.nontemporal = 0; now.nontemporal <= !out; now.nontemporal++) {
            now.out = (decltype(now.out))out;
            check(o);
        }
}

static void check_threads(const operation_of_terms &o)
{
    now.pad = any() % 4;
#ifdef SHAPE_SCALABLE
    most_lanes = 16 + any() % 3 * 8;
#endif
    for (now.threads = 1; now.threads <= 2; now.threads++)
        check_places(o);
}

static void check_shape(const operation_of_terms &o, size_t outer, size_t inner)
{
    now.outer = outer, now.inner = inner;
    check_threads(o);
}

/* Runs that are long enough to begin at a multiple of a vector, rows that are joined, chunks that end within a row. */
static void check_long(const operation_of_terms &o, size_t from, size_t lengths)
{
    for (size_t n = from; n < from + lengths; n++) {
        check_shape(o, 1, n);
        check_shape(o, n, 1);
        check_shape(o, 3, n / 3);
    }
}

int main()
{
    for (const operation_of_terms &o : operations)
        for (now.channels = 1; now.channels <= (o.parameters || o.sum ? CHANNELS : 1); now.channels++) {
            for (now.inner = 1; now.inner <= MOST; now.inner++)
                for (now.outer = 1; now.size() <= MOST; now.outer++)
                    check_threads(o);
            check_long(o, LONG, 2);
        }
    for (const operation_of_terms &o : operations)
        for (now.channels = 7; o.sum && now.channels <= FL_CHANNEL_TILE + 3; now.channels += 6) /* several batches */
            check_long(o, 160, 1);
    std::printf("%ld jobs\n", checked);
}
