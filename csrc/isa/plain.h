/* plain.h - the words of plain C, one lane, for the type FL_TYPE: for plain.c, and for sets without that type.
 * SPDX-License-Identifier: MIT */
#define WORD(word) FL_PASTE(FL_TYPE, word)
#define NUM WORD(num)

typedef NUM WORD(vec);
typedef int WORD(live);
FL_INLINE int WORD(all)(void) { return 1; }
FL_INLINE int WORD(first)(size_t k) { return k > 0; }
FL_INLINE NUM WORD(load)(const NUM *p, int k) { return k ? *p : 0; }
FL_INLINE void WORD(store)(NUM *p, NUM v, int k) { *p = k ? v : *p; }
FL_INLINE NUM WORD(set)(NUM s) { return s; }
FL_INLINE NUM WORD(mul)(NUM a, NUM b) { return WORD(scalar)(a * b); }
FL_INLINE NUM WORD(add)(NUM a, NUM b) { return WORD(scalar)(a + b); }
FL_INLINE NUM WORD(pick)(NUM x, NUM a, NUM b) { return x > 0 ? a : b; }
FL_INLINE NUM WORD(fold)(NUM v) { return v; }

#undef NUM
#undef WORD
#define FL_LANES 1
#define FL_TAIL 1
#include "../kernels.h"
