/* plain.c - one lane of C, for every processor.
 * SPDX-License-Identifier: MIT */
#define FL_NAME plain
#include "../isa.h"

static int fl_available(void) { return 1; }

#define PLAIN(T, word)                                                                                                 \
    typedef T word(vec);                                                                                               \
    typedef int word(live);                                                                                            \
    FL_INLINE int word(all)(void) { return 1; }                                                                        \
    FL_INLINE int word(first)(size_t k) { return k > 0; }                                                              \
    FL_INLINE T word(load)(const T *p, int k) { return k ? *p : 0; }                                                   \
    FL_INLINE void word(store)(T * p, T v, int k)                                                                      \
    {                                                                                                                  \
        if (k)                                                                                                         \
            *p = v;                                                                                                    \
    }                                                                                                                  \
    FL_INLINE T word(set)(T s) { return s; }                                                                           \
    FL_INLINE T word(mul)(T a, T b) { return a * b; }                                                                  \
    FL_INLINE T word(add)(T a, T b) { return a + b; }                                                                  \
    FL_INLINE T word(pick)(T x, T a, T b) { return x > 0 ? a : b; }                                                    \
    FL_INLINE T word(fold)(T v) { return v; }

#define F32(word) f32_##word
PLAIN(float, F32)
#define FL_TYPE f32
#define FL_LANES 1
#define FL_TAIL 1
#include "../kernels.h"

#define F64(word) f64_##word
PLAIN(double, F64)
#define FL_TYPE f64
#define FL_LANES 1
#define FL_TAIL 1
#include "../kernels.h"

FL_TABLE
