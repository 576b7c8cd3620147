/* x86.h - what the x86 instruction sets share: cpuid, sums of 128 bits, non-temporal stores, prefetching.
 * SPDX-License-Identifier: MIT */
#include <cpuid.h>
#include <immintrin.h>

/* Bits of XCR0: the registers that the operating system saves at a task switch. A processor may have
 * AVX-512 and the system not save its registers; using them then would corrupt them silently. */
enum { XMM_YMM = 0x6, XMM_YMM_ZMM = 0xe6 };

/* 1 if the processor has AVX, F16C and the features `bits` of leaf 7's EBX, and the system saves the registers `saved`.
 */
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

FL_INLINE float f32_reduce_add128(__m128 v)
{
    v = _mm_add_ps(v, _mm_movehl_ps(v, v));
    return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}

FL_INLINE double f64_reduce_add128(__m128d v) { return _mm_cvtsd_f64(_mm_add_sd(v, _mm_unpackhi_pd(v, v))); }

/* Non-temporal stores take 16 bytes whatever the vector, because NumPy's large arrays are aligned to 16. The processor
 * combines them to cache lines. */
#define FL_STREAMS 1

/* Arrays that do not fit the cache come from memory, and the hardware prefetcher stops at the end of a page. Half a
 * page of distance gains 15 to 30 percent. */
enum { PREFETCH_DISTANCE = 2048 };
FL_INLINE void prefetch(const void *p, int distance) { _mm_prefetch((const char *)p + distance, _MM_HINT_T0); }

/* 4K aliasing: a load waits for an earlier store to an address with the same low twelve bits, and non-temporal stores
 * take long. Leaky ReLU takes 1.2 to 1.5 times as long where the output begins so little after an input modulo 4096.
 * Then arrays are traversed in reverse. (In place it does no harm: each load comes before its store.) */
static inline int aliases_4k(const void *out, const void *in) { return ((size_t)out - (size_t)in) % 4096 - 1 < 256; }
