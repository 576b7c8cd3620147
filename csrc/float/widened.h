/* widened.h - the words of a type that is computed in a wider one, FL_WIDE: all but load, store and stream, which are
 * written before; and the kernels.
 * SPDX-License-Identifier: MIT */
#define WORD(word) FL_PASTE(FL_TYPE, word)
#define WIDE(word) FL_PASTE(FL_WIDE, word)
#define VEC WIDE(vec)

typedef VEC WORD(vec);
typedef WIDE(live) WORD(live);
FL_INLINE WIDE(live) WORD(all)(void) { return WIDE(all)(); }
FL_INLINE WIDE(live) WORD(first)(size_t k) { return WIDE(first)(k); }
FL_INLINE VEC WORD(get)(const WIDE(num) * p, WIDE(live) k) { return WIDE(load)(p, k); }
FL_INLINE void WORD(put)(WIDE(num) * p, VEC v, WIDE(live) k) { WIDE(store)(p, v, k); }
/* A slope that is NaN gets no lower bits: then no NaN has any, no carry of bfloat16's rounding can run through one into
 * its sign, and it stays NaN without a test. (Products take over their factors' bits, or have only upper ones.) */
FL_INLINE VEC WORD(set)(WIDE(num) s) { return WIDE(set)(s == s ? s : fl_number_of(0x7fc00000)); }
FL_INLINE VEC WORD(mul)(VEC a, VEC b) { return WIDE(mul)(a, b); }
FL_INLINE VEC WORD(add)(VEC a, VEC b) { return WIDE(add)(a, b); }
FL_INLINE VEC WORD(pick)(VEC x, VEC a, VEC b) { return WIDE(pick)(x, a, b); }
FL_INLINE WIDE(num) WORD(fold)(VEC v) { return WIDE(fold)(v); }
#ifdef FL_STREAMS
FL_INLINE void WORD(fence)(void) { WIDE(fence)(); }
#endif

#undef WORD
#undef WIDE
#undef VEC
#include "float/kernels.h"
