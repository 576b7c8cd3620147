/* scalar.h - the words of plain C, one lane, for the type FL_TYPE: for scalar.c, and for sets without that type.
 * SPDX-License-Identifier: MIT */
#define WORD(word) FL_PASTE(FL_TYPE, word)
#define NUM WORD(num)
#ifdef FL_WIDE
#define ACC FL_PASTE(FL_WIDE, num)
#define ROUNDED FL_PASTE(FL_WIDE, scalar)
#else
#define ACC NUM
#define ROUNDED WORD(scalar)
#endif

typedef ACC WORD(vec);
typedef int WORD(live);
FL_INLINE int WORD(all)(void) { return 1; }
FL_INLINE int WORD(first)(size_t k) { return k > 0; }
FL_INLINE ACC WORD(load)(const NUM *p, int k) { return k ? WORD(widen)(*p) : 0; }
FL_INLINE void WORD(store)(NUM *p, ACC v, int k) { *p = k ? WORD(narrow)(v) : *p; }
#ifdef FL_WIDE
FL_INLINE ACC WORD(get)(const ACC *p, int k) { return k ? *p : 0; }
FL_INLINE void WORD(put)(ACC *p, ACC v, int k) { *p = k ? v : *p; }
#endif
FL_INLINE ACC WORD(set)(ACC s) { return s; }
FL_INLINE ACC WORD(mul)(ACC a, ACC b) { return ROUNDED(a * b); }
FL_INLINE ACC WORD(add)(ACC a, ACC b) { return ROUNDED(a + b); }
FL_INLINE ACC WORD(pick)(ACC x, ACC a, ACC b) { return x > 0 ? a : b; }
FL_INLINE ACC WORD(fold)(ACC v) { return v; }

#undef ACC
#undef ROUNDED
#undef NUM
#undef WORD
#define FL_LANES 1
#define FL_TAIL 1
#include "float/kernels.h"
