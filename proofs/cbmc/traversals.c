/* traversals.c - CBMC: a run of elements, by any vectors, of any length and alignment: each is read, then written once.
 * SPDX-License-Identifier: MIT
 *
 * Up to MOST elements; IN_PLACE: the output is the input. */
#include "model.h"

typedef FL_PASTE(TYPE, num) item;
enum { PAD = 16 / sizeof(item) };
#ifdef IN_PLACE
static item x[PAD + MOST], *const out = x;
#else
static item x[PAD + MOST], out[PAD + MOST];
#endif

int main(void)
{
    const size_t pad = nondet_size() % PAD, end = nondet_size();
    fl_arguments a;
    ASSUME(end <= MOST);
#ifdef SHAPE_SCALABLE
    most_lanes = nondet_size();
    ASSUME(16 <= most_lanes && most_lanes <= 32);
#endif
    a.x = x + pad;
    a.grad = x + pad;
    a.out = out + pad;
    a.nontemporal = a.out != a.x && nondet_int();
    memory.x = a.x, memory.grad = a.grad, memory.out = a.out;
    memory.watched = nondet_size();
    memory.asked = memory.watched - pad * sizeof(item) < end * sizeof(item);
    FL_PASTE(fl, FL_PASTE(TYPE, FL_PASTE(KERNEL, model)))(&a, 0, end);
    REQUIRE(memory.written == memory.asked, "each element is written");
    REACHED(memory.written, "an element was written");
    REACHED(end == MOST, "the longest run");
#if defined(SHAPE_STREAMS) && !defined(IN_PLACE)
    REACHED(memory.streamed, "a non-temporal store");
#endif
#ifdef SHAPE_FTZ
    REACHED(memory.flushed, "a scalar fallback");
#endif
}
