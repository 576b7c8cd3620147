/* x86.h - what the x86 instruction sets share: asking the processor, folding 128 bits, and storing past the cache.
 * SPDX-License-Identifier: MIT */
#include <cpuid.h>
#include <immintrin.h>

/* Bits of XCR0: the registers that the operating system saves at a task switch. A processor may have
 * AVX-512 and the system not save its registers; using them then would corrupt them silently. */
enum { XMM_YMM = 0x6, XMM_YMM_ZMM = 0xe6 };

/* Does the processor have the features `bits` of leaf 7's EBX and what came with AVX, and the system save the registers
 * `saved`? */
static inline int x86_has(unsigned bits, unsigned saved)
{
    const unsigned osxsave = 1u << 27, avx = 1u << 28, f16c = 1u << 29;
    unsigned a, b, c, d, xcr0, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (~c & (osxsave | avx | f16c)))
        return 0;
    __asm__ volatile("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));
    if ((xcr0 & saved) != saved || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return 0;
    return (b & bits) == bits;
}

FL_INLINE float f32_fold128(__m128 v)
{
    v = _mm_add_ps(v, _mm_movehl_ps(v, v));
    return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}

FL_INLINE double f64_fold128(__m128d v) { return _mm_cvtsd_f64(_mm_add_sd(v, _mm_unpackhi_pd(v, v))); }

/* Stores past the cache, 16 bytes at a time whatever the vector: NumPy's large arrays are aligned to 16, and the
 * processor collects them to lines. They come out of order, so that threads need a fence between. */
#define FL_STREAMS 1
FL_INLINE void f32_fence(void) { _mm_sfence(); }
FL_INLINE void f64_fence(void) { _mm_sfence(); }

/* What does not fit the cache comes from memory, and the processor's own foresight ends with a page: begin to load half
 * a page ahead, and 15 to 30 percent more come in. */
enum { FL_FAR = 2048 };
FL_INLINE void fetch(const void *p, int far) { _mm_prefetch((const char *)p + far, _MM_HINT_T0); }

/* A load waits for a store before it to an address with the same low twelve bits, and stores past the cache take long:
 * leaky ReLU takes 1.2 to 1.5 times as long where the output begins so little after an input in its page. (In the same
 * place it does no harm: there each load comes before the store.) */
static inline int runs_ahead(const void *out, const void *in) { return ((size_t)out - (size_t)in) % 4096 - 1 < 256; }
