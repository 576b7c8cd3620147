/* isa.h - what the compiler is building for, and the frame that every isa/NAME.c fills.
 * SPDX-License-Identifier: MIT
 *
 * An instruction set is one file, isa/NAME.c: it names itself (FL_NAME, FL_TARGET), includes this header,
 * says fl_available(), and then for each element type writes the words that kernels.h lists and includes
 * kernels.h; FL_ISA_END closes it. All architecture conditions of the library stand here. */
#ifndef FL_ISA_H
#define FL_ISA_H

#include "fastleaky.h"

#if defined(__x86_64__) || defined(__i386__)
#define FL_X86 1
#else
#define FL_X86 0
#endif
/* With -march=...v; and in any case where Linux can be asked and the compiler takes the target of a function. */
#if defined(__riscv_v_intrinsic) ||                                                                                    \
    (defined(__riscv) && defined(__linux__) && defined(__clang__) && __clang_major__ >= 19)
#define FL_RVV 1
#else
#define FL_RVV 0
#endif
#if defined(__aarch64__)
#define FL_NEON 1
#else
#define FL_NEON 0
#endif
/* With -mfpu=neon; and, as above, where Linux can be asked and the compiler takes the target of a function. */
#if (defined(__ARM_NEON) && !defined(__aarch64__)) ||                                                                  \
    (defined(__ARM_PCS_VFP) && __ARM_ARCH >= 7 && defined(__linux__) && !defined(__clang__))
#define FL_NEON32 1
#else
#define FL_NEON32 0
#endif
#ifdef __clang__
#define FL_NEON32_TARGET "neon"
#else
#define FL_NEON32_TARGET "fpu=neon"
#endif
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 2)
#define FL_MVE 1
#else
#define FL_MVE 0
#endif

/* Bare metal runs what it was compiled for, so the scalar kernels are there only if there are no others that are sure
 * to run; or if FL_SCALAR=1 asks for them, as the checks do to compare. */
#if defined(__riscv_v_min_vlen) && __riscv_v_min_vlen >= 128
#define FL_SURE_RVV FL_RVV
#else
#define FL_SURE_RVV 0
#endif
#ifndef FL_SCALAR
#if (FL_MVE || FL_NEON || FL_NEON32 || FL_SURE_RVV) && !defined(__linux__) && !defined(__APPLE__) && !defined(_WIN32)
#define FL_SCALAR 0
#else
#define FL_SCALAR 1
#endif
#endif

/* Bits are the promise. -ffast-math breaks it, and so does x87 arithmetic, which rounds twice. */
#if defined(__FAST_MATH__)
#error "fastleaky: -ffast-math would change results; compile without it"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ == 2
#error "fastleaky: x87 arithmetic rounds twice; compile with -msse2 -mfpmath=sse"
#endif

/* GCC's default contracts a*b + c to one rounding, even across intrinsics; it turns small loops into calls
 * of memset, which firmware may not have; and with -ftrapping-math, its default, it leaves x > 0 ? v : v*a a
 * branch, 40 times slower on random signs (4.4 ns an element for 0.1). Said here rather than in the build,
 * so that a plain `cc -O2 -c` is right. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#define FL_COMPILER __attribute__((no_builtin("memset", "memcpy")))
#define FL_ONCE noinline
#else
#define FL_ONCE noinline, noclone
#pragma GCC optimize("fp-contract=off", "no-trapping-math", "no-math-errno", "no-tree-loop-distribute-patterns")
#define FL_COMPILER
#endif

/* After the pragmas: GCC inlines nothing that was compiled by other rules, and a call out of AVX costs 100 ns. */
#include "float/half.h"

#define FL_PASTE_(a, b) a##_##b
#define FL_PASTE(a, b) FL_PASTE_(a, b)
#define FL_STRING_(a) #a
#define FL_STRING(a) FL_STRING_(a)

/* FL_IF(condition, code) is the code where the condition is 1, and nothing where it is 0. */
#define FL_IF_0(...)
#define FL_IF_1(...) __VA_ARGS__
#define FL_IF(condition, ...) FL_PASTE(FL_IF, condition)(__VA_ARGS__)

#ifdef FL_TARGET
#define FL_EXPORT FL_COMPILER __attribute__((target(FL_TARGET)))
#else
#define FL_EXPORT FL_COMPILER
#endif
#define FL_FUNCTION FL_EXPORT static
#define FL_INLINE FL_FUNCTION inline __attribute__((always_inline))
#define FL_APART __attribute__((FL_ONCE)) /* so that what it needs does not take registers of a loop */

/* The scalar of each element type, under the name the words are spelled with. */
typedef float f32_num;
typedef double f64_num;
typedef fl_f16 f16_num;
typedef fl_bf16 bf16_num;
static inline float f32_widen(float v) { return v; }
static inline double f64_widen(double v) { return v; }
static inline float f32_narrow(float v) { return v; }
static inline double f64_narrow(double v) { return v; }

/* A scalar result that is to stay one: Clang makes vectors of plain C, and those of 32-bit Arm flush subnormals. */
static inline float f32_scalar(float v)
{
#if FL_NEON32 || FL_MVE
    __asm__("" : "+t"(v));
#endif
    return v;
}
static inline double f64_scalar(double v) { return v; }

enum { FL_STREAM = 1, FL_STREAM_BACK = -1 }; /* how results go past the cache: from which end on (kernels.h) */

/* What a kernel is to do, on arrays of (outer, channels, inner): forward v is x, backward it is the gradient. */
typedef struct {
    const void *v, *x, *slope;
    union {
        float f32, f32_pair;
        double f64;
    } only; /* for select the slope, if there is only one: as it is computed with, which need not be how it is stored */
    void *out;
    size_t outer, channels, inner;
    int nontemporal; /* 1: the arrays do not fit the cache, and the output is not an input */
} fl_job;

static inline int channels_last(const fl_job *job) { return job->inner == 1 && job->channels > 1; }

/* What an instruction set offers for an element type: the kernels of kernels.h. Each can do a part of the job: the
 * elements begin ... end in the order of memory; or a chunk (ordered_sum.h) of at most FL_WIDTH channels, or where
 * these lie in rows, all their chunks. The lanes of their blocks are on the stack, of which firmware has little;
 * elsewhere memory is read in longer pieces, twice to three times as fast as in pieces of rows. FL_FEW: so few
 * channels that several rows are joined. */
#if defined(__linux__) || defined(__APPLE__)
enum { FL_WIDTH = 512 };
#else
enum { FL_WIDTH = 64 };
#endif
enum { FL_FEW = 16 };
typedef void fl_elementwise(const fl_job *job, size_t begin, size_t end);
typedef void fl_sum(const fl_job *job, size_t channel, size_t width, size_t first, size_t n, double *sums);

/* The instruction sets' numbers: their places in isas.def, and in each kernel's table (kernel_table.h). A table is
 * named by one public function alone. Where there is one set only, that calls its kernel directly; so a linker can
 * leave out the kernels of whatever a program does not call. */
#define FL_ISA(name, condition) FL_IF(condition, FL_INDEX_##name, )
enum {
#include "isas.def"
    FL_ISAS
};
#undef FL_ISA
#define FL_OF(isa, table) ((table)[FL_ISAS == 1 ? 0 : (isa)->index])
#define FL_KERNEL(word) FL_PASTE(FL_PASTE(fl, FL_TYPE), FL_PASTE(word, FL_NAME))

/* What an operating system adds (threads/threads.c); without it the caller does all the work.
 * threads: the number of threads for a job of so many elements. run: they call task(arg, begin, end) for parts that
 * together are 0 ... n; each is a multiple of `grain`. nontemporal: 1 if a job that touches so many bytes should use
 * non-temporal stores. */
typedef void fl_task(const void *arg, size_t begin, size_t end);
typedef struct {
    int (*threads)(size_t elements);
    void (*run)(int threads, fl_task *task, const void *arg, size_t n, size_t grain);
    int (*nontemporal)(size_t bytes);
} fl_platform;

struct fl_isa {
    const char *name;
    int (*available)(void);
    int index;
    const fl_platform *platform;
};

#define FL_ISA_END                                                                                                     \
    extern const fl_isa FL_PASTE(fl_isa, FL_NAME);                                                                     \
    const fl_isa FL_PASTE(fl_isa, FL_NAME) = {FL_STRING(FL_NAME), fl_available, FL_PASTE(FL_INDEX, FL_NAME), NULL};

#endif
