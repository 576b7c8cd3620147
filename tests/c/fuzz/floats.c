/* floats.c - libFuzzer on every function of fastleaky.h: an input is a call, its result is compared with contract.h.
 * SPDX-License-Identifier: MIT */
#include "fastleaky.h"
#include "fuzz/calls.h"

static const char *const operations[] = {"leaky_relu",
                                         "leaky_relu_backward",
                                         "prelu",
                                         "prelu_backward",
                                         "bias_leaky_relu",
                                         "bias_leaky_relu_backward",
                                         "scale_shift_leaky_relu",
                                         "scale_shift_prelu"};
enum { LEAKY, LEAKY_BACKWARD, PRELU, PRELU_BACKWARD, BIAS, BIAS_BACKWARD, SCALE_SHIFT, SCALE_SHIFT_PRELU, OPERATIONS };
enum { X, MORE, ROWS, ROWS_END = ROWS + 3, OUT = ROWS_END, SUMS }; /* MORE: a gradient, or a residual */
enum { ANY, MODERATE, SMALL };                                     /* numbers; of SMALL, products are hardly normal */

typedef struct {
    unsigned operation;
    int more, sums;                               /* is there such an array? */
    enum { APART, IN_X, IN_MORE, BOTH_X } places; /* where `out` is; BOTH_X: x is also the other input */
} call;

static call take_call(void)
{
    call c = {.operation = take_below(OPERATIONS)};
    const unsigned how = take();
    c.sums = c.operation == PRELU_BACKWARD || c.operation == BIAS_BACKWARD;
    c.more = c.operation == LEAKY_BACKWARD || c.sums || (c.operation >= SCALE_SHIFT && how / 4 % 2);
    c.places = how % 4;
    if (!c.more && c.places > IN_X)
        c.places = APART;
    operation = operations[c.operation];
    return c;
}

#define FOR_A_TYPE "fuzz/floats_type.h"
#include "types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const each[])(call) = {run_f32, run_f64, run_f16, run_bf16};
    if (!usable[0]) {
        fill_powers_f16();
        fill_powers_bf16();
    }
    begin(data, size);
    take_isa();
    const unsigned type = take_below(4);
    each[type](take_call());
    return 0;
}
