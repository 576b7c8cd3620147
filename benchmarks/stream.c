/* A copy by non-temporal stores: the bandwidth of memory where nothing that is written is read first. */
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>

static void line(char *to, const char *from)
{
    for (int i = 0; i < 4; i++)
        _mm_stream_si128((__m128i *)to + i, _mm_loadu_si128((const __m128i *)from + i));
}
static void finish(void) { _mm_sfence(); }
#elif defined(__aarch64__)
static void line(char *to, const char *from)
{
    __asm__ volatile("ldp q0, q1, [%1]\n\tldp q2, q3, [%1, 32]\n\tstnp q0, q1, [%0]\n\tstnp q2, q3, [%0, 32]"
                     :
                     : "r"(to), "r"(from)
                     : "v0", "v1", "v2", "v3", "memory");
}
static void finish(void) {}
#else
#error "no streaming stores are known for this processor"
#endif

void stream(char *to, const char *from, size_t n)
{
    size_t head = -(size_t)to & 63; /* whole cache lines, or the write-combining buffers spill half-full */
    if (head > n)
        head = n;
    memcpy(to, from, head);
    for (; head + 64 <= n; head += 64)
        line(to + head, from + head);
    memcpy(to + head, from + head, n - head);
    finish();
}
