/* target.h - what the compiler builds for: all architecture conditions, and the attributes of functions.
 * SPDX-License-Identifier: MIT */
#ifndef FL_TARGET_H
#define FL_TARGET_H

#if defined(__x86_64__) || defined(__i386__)
#define FL_X86 1
#else
#define FL_X86 0
#endif
#if defined(__aarch64__)
#define FL_NEON 1
#else
#define FL_NEON 0
#endif
/* With -march=...+sve. On Linux also without it: there the set is chosen at run time. */
#if defined(__ARM_FEATURE_SVE) ||                                                                                      \
    (defined(__aarch64__) && defined(__linux__) && (defined(__clang__) ? __clang_major__ >= 19 : __GNUC__ >= 10))
#define FL_SVE 1
#else
#define FL_SVE 0
#endif
/* With -mfpu=neon. On Linux also without it: there the set is chosen at run time, and GCC and Clang 22 can compile one
 * function for another target. */
#if (defined(__ARM_NEON) && !defined(__aarch64__)) ||                                                                  \
    (defined(__ARM_PCS_VFP) && __ARM_ARCH >= 7 && defined(__linux__) &&                                                \
     (!defined(__clang__) || __clang_major__ >= 22))
#define FL_NEON32 1
#else
#define FL_NEON32 0
#endif
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 2)
#define FL_MVE 1
#else
#define FL_MVE 0
#endif
#if defined(__ARM_FEATURE_DSP) && __ARM_ARCH_PROFILE == 'M' && !FL_MVE
#define FL_DSP 1
#else
#define FL_DSP 0
#endif
/* Scalar instructions of 32-bit Arm that convert float16: Cortex-M has them in all its FPUs. */
#if !defined(__aarch64__) && defined(__ARM_FP) && ((__ARM_FP & 2) || (__ARM_ARCH_PROFILE == 'M' && (__ARM_FP & 4)))
#define FL_ARM_CONVERTS_HALVES 1
#else
#define FL_ARM_CONVERTS_HALVES 0
#endif
/* With -march=...v. On Linux also without it, as above, with Clang. */
#if (defined(__riscv_v_intrinsic) && __riscv_v_intrinsic >= 12000) ||                                                  \
    (defined(__riscv) && defined(__linux__) && defined(__clang__) && __clang_major__ >= 19)
#define FL_RVV 1
#else
#define FL_RVV 0
#endif
#if defined(__riscv_v_min_vlen) && __riscv_v_min_vlen >= 128
#define FL_RVV_IS_CERTAIN FL_RVV
#else
#define FL_RVV_IS_CERTAIN 0
#endif
/* With -msimd128. */
#ifdef __wasm_simd128__
#define FL_WASM 1
#else
#define FL_WASM 0
#endif

/* Without an FPU for the type a comparison is a call of some thirty instructions; of the bits it takes two. */
#ifndef FL_SOFT_F32
#if defined(__SOFTFP__) || (defined(__riscv) && !defined(__riscv_flen))
#define FL_SOFT_F32 1
#else
#define FL_SOFT_F32 0
#endif
#endif
#if FL_SOFT_F32 || (defined(__arm__) && !(__ARM_FP & 8)) || (defined(__riscv) && __riscv_flen < 64)
#define FL_SOFT_F64 1
#else
#define FL_SOFT_F64 0
#endif

/* Armv6-M and Armv8-M's baseline have no product of 64 bits; from Armv7-M on, cores saturate by an instruction. */
#if defined(__thumb__) && !defined(__thumb2__)
#define FL_SHORT_PRODUCTS 1
#else
#define FL_SHORT_PRODUCTS 0
#endif
#ifdef __ARM_FEATURE_SAT
#define FL_SATURATES 1
#else
#define FL_SATURATES 0
#endif

/* Bare metal and WebAssembly run what was compiled, or nothing. So there the scalar kernels exist only if no other set
 * is certain to run, or if FL_SCALAR=1 asks for them, as the checks do to compare. */
#ifndef FL_SCALAR
#if (FL_MVE || FL_DSP || FL_NEON || FL_NEON32 || FL_RVV_IS_CERTAIN || FL_WASM) && !defined(__linux__) &&               \
    !defined(__APPLE__) && !defined(_WIN32)
#define FL_SCALAR 0
#else
#define FL_SCALAR 1
#endif
#endif

/* Are there POSIX threads (threads/threads.c)? Emscripten calls itself Unix, and by default has none. MinGW brings them
 * to Windows. */
#if (defined(__unix__) || defined(__APPLE__) || defined(__MINGW32__)) && !defined(__wasm__)
#define FL_THREADS 1
#else
#define FL_THREADS 0
#endif

/* Bits are the promise. -ffast-math breaks it, and so does x87 arithmetic, which rounds twice. */
#if defined(__FAST_MATH__)
#error "fastleaky: -ffast-math would change results; compile without it"
#endif
#if __SIZEOF_INT__ < 4 || __SIZEOF_DOUBLE__ != 8
#error "fastleaky: for processors whose int has 32 bits and whose double has 64; AVR's have fewer"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ == 2
#error "fastleaky: x87 arithmetic rounds twice; compile with -msse2 -mfpmath=sse"
#endif

/* Stated here rather than in a build file, so that a plain `cc -O2 -c` is right. GCC's defaults contract a*b + c to
 * one rounding, even across intrinsics; turn small loops into calls of memset, which firmware may not have; and with
 * -ftrapping-math leave x > 0 ? v : v*a a branch, 40 times slower on random signs (4.4 ns an element for 0.1). */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#define FL_NO_LIBC __attribute__((no_builtin("memset", "memcpy")))
#define FL_NOINLINE __attribute__((noinline)) /* keeps a function's registers out of its caller's loops */
#else
#pragma GCC optimize("fp-contract=off", "no-trapping-math", "no-math-errno", "no-tree-loop-distribute-patterns",       \
                     "no-tree-slp-vectorize")
#define FL_NO_LIBC
#define FL_NOINLINE __attribute__((noinline, noclone))
#endif

/* The end of a step, which is rounded: Clang with -ffp-contract=fast obeys no pragma, but sees nothing behind this. */
#if defined(__clang__) && (defined(__x86_64__) || defined(__i386__))
#define FL_END_OF_STEP(v) __asm__("" : "+x"(v))
#elif defined(__clang__) && defined(__aarch64__)
#define FL_END_OF_STEP(v) __asm__("" : "+w"(v))
#else
#define FL_END_OF_STEP(v) (void)0
#endif

#define FL_PASTE_(a, b) a##_##b
#define FL_PASTE(a, b) FL_PASTE_(a, b)
#define FL_STRING_(a) #a
#define FL_STRING(a) FL_STRING_(a)

/* FL_IF(condition, code) is the code where the condition is 1, and nothing where it is 0. */
#define FL_IF_0(...)
#define FL_IF_1(...) __VA_ARGS__
#define FL_IF(condition, ...) FL_PASTE(FL_IF, condition)(__VA_ARGS__)

/* FL_TARGET, the extensions of an instruction set, is defined by isa/NAME.c before. */
#ifdef FL_TARGET
#define FL_EXPORT FL_NO_LIBC __attribute__((target(FL_TARGET)))
#else
#define FL_EXPORT FL_NO_LIBC
#endif
#define FL_FUNCTION FL_EXPORT static
#define FL_INLINE FL_FUNCTION inline __attribute__((always_inline))

#endif
