/* float_ops_type.h - in the place of csrc's: the functions of terms, which take float_ops.c's plans.
 * SPDX-License-Identifier: MIT */
#ifndef FLOAT_OPS_OF_TERMS
#define FLOAT_OPS_OF_TERMS

static void put_terms(void *gradient, size_t at, const Double *sums, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((Term *)gradient)[at + i] = sums[i].term;
}

static void run_sum(const fl_isa *isa, fl_ordered_sum *kernel, fl_arguments *a, Term *gradient)
{
    batch b;
    b.kernel = kernel;
    b.gradient = gradient;
    b.put = put_terms;
    run_ordered_sum(isa, &b, a, sizeof(Term));
}

#endif
#undef FL_TYPE
#undef FL_COMPUTE
#undef FL_ROUNDED
