/* loops.h - FL_FOR_VECTORS(i, n, len, step): run `step` for i = 0 ... len, on n elements from i on.
 * SPDX-License-Identifier: MIT
 *
 * First FL_STEP elements at a time, which are a vector, or fewer registers of it; then a register; then what a tail
 * takes. In all but the tail, n is a constant. */

#define FL_STEPS(i, n, len, step)                                                                                      \
    for (; (len) - i >= n; i += n) {                                                                                   \
        step;                                                                                                          \
    }
#ifdef FL_SCALABLE
#define FL_FULL(i, n, len, step)                                                                                       \
    {                                                                                                                  \
        const size_t n = V(lanes)(SIZE_MAX);                                                                           \
        FL_STEPS(i, n, len, step)                                                                                      \
    }
#elif defined(FL_STREAMS) && (defined(FL_EXACT) || defined(FL_UNROLLED))
/* Four steps are written out. Where another thread shares the core, a loop of one is bound by its instructions (45
 * GB/s, and 65 with four); and the compiler sees which of the four begin a cache line. Most 16-bit types gain nothing,
 * and it would be 300 kB. */
#define FL_FULL(i, n, len, step)                                                                                       \
    {                                                                                                                  \
        enum { n = FL_LANES };                                                                                         \
        while ((len) - i >= 4 * FL_LANES) {                                                                            \
            step;                                                                                                      \
            i += n;                                                                                                    \
            step;                                                                                                      \
            i += n;                                                                                                    \
            step;                                                                                                      \
            i += n;                                                                                                    \
            step;                                                                                                      \
            i += n;                                                                                                    \
        }                                                                                                              \
        FL_STEPS(i, n, len, step)                                                                                      \
    }
#else
#define FL_FULL(i, n, len, step)                                                                                       \
    {                                                                                                                  \
        enum { n = FL_STEP };                                                                                          \
        FL_STEPS(i, n, len, step)                                                                                      \
    }
#endif
#if FL_PER_REGISTER < FL_LANES && !defined(FL_MASKED)
#define FL_SHORT(i, n, len, step)                                                                                      \
    if (FL_HEAVY_STEP < FL_STEP && (len) - i >= FL_HEAVY_STEP) {                                                       \
        enum { n = FL_HEAVY_STEP };                                                                                    \
        step;                                                                                                          \
        i += n;                                                                                                        \
    }                                                                                                                  \
    {                                                                                                                  \
        enum { n = FL_PER_REGISTER };                                                                                  \
        FL_STEPS(i, n, len, step)                                                                                      \
    }
#else
#define FL_SHORT(i, n, len, step)
#endif
#ifdef FL_SCALABLE
#define FL_TAIL(left) V(lanes)(left)
#elif defined(FL_MASKED)
#define FL_TAIL(left) ((left) < FL_PER_REGISTER ? (left) : FL_PER_REGISTER)
#else
#define FL_TAIL(left) 1
#endif
#define FL_FOR_VECTORS(i, n, len, step)                                                                                \
    do {                                                                                                               \
        size_t i = 0;                                                                                                  \
        FL_FULL(i, n, len, step)                                                                                       \
        FL_SHORT(i, n, len, step)                                                                                      \
        for (size_t n; i < (len); i += n) {                                                                            \
            n = FL_TAIL((len) - i);                                                                                    \
            step;                                                                                                      \
        }                                                                                                              \
    } while (0)
