/* sve.c - Arm's scalable vectors (SVE) of any length from 256 bits on. Two registers hold the sixteen floats of a block
 * at the smallest length, four the sixteen doubles; so a vector here is a tuple of so many registers.
 * SPDX-License-Identifier: MIT */
#define FL_NAME sve
#define FL_TARGET "+sve"
#include "isa.h"
#if FL_SVE
#include <arm_sve.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif

/* At 128 bits a block would not fit these tuples, and NEON takes up to a third fewer instructions. */
FL_FUNCTION int fl_available(void)
{
#ifdef __linux__
    if (!(getauxval(AT_HWCAP) & 1ul << 22)) /* HWCAP_SVE */
        return 0;
#endif
    uint64_t bytes;
    __asm__ volatile("rdvl %0, #1" : "=r"(bytes)); /* volatile: Clang 22 takes svcntb() ahead of the test above */
    return bytes >= 32;
}

/* An expression for each register k of a tuple, and the tuple of its values. */
#define AT(number, ...)                                                                                                \
    ({                                                                                                                 \
        enum { k = number };                                                                                           \
        __VA_ARGS__;                                                                                                   \
    })
#define EACH_2(...) AT(0, __VA_ARGS__), AT(1, __VA_ARGS__)
#define EACH_4(...) EACH_2(__VA_ARGS__), AT(2, __VA_ARGS__), AT(3, __VA_ARGS__)
#define TUPLE_2(...) svcreate2(EACH_2(__VA_ARGS__))
#define TUPLE_4(...) svcreate4(EACH_4(__VA_ARGS__))

/* The operations for one type T of N bits, in tuples of X registers. Arithmetic is done in all lanes. */
#define SVE(name, T, N, X)                                                                                             \
    typedef svfloat##N##_t name##_register;                                                                            \
    typedef svfloat##N##x##X##_t name##_vec;                                                                           \
    FL_INLINE size_t name##_lanes(size_t n)                                                                            \
    {                                                                                                                  \
        const size_t most = X * svcntb() / sizeof(T);                                                                  \
        return n < most ? n : most;                                                                                    \
    }                                                                                                                  \
    /* the lanes of register k that are among the first n of a tuple */                                                \
    FL_INLINE svbool_t name##_first(size_t n, size_t k)                                                                \
    {                                                                                                                  \
        return svwhilelt_b##N((uint64_t)(k * svcntb() / sizeof(T)), (uint64_t)n);                                      \
    }                                                                                                                  \
    FL_INLINE name##_vec name##_load(const T *p, size_t n) { return TUPLE_##X(svld1_vnum(name##_first(n, k), p, k)); } \
    FL_INLINE void name##_store(T *p, name##_vec v, size_t n)                                                          \
    {                                                                                                                  \
        EACH_##X(svst1_vnum(name##_first(n, k), p, k, svget##X(v, k)));                                                \
    }                                                                                                                  \
    FL_INLINE name##_vec name##_set(T s) { return TUPLE_##X(svdup_f##N(s)); }                                          \
    FL_INLINE name##_register name##_product(name##_register a, name##_register b)                                     \
    {                                                                                                                  \
        name##_register product = svmul_x(svptrue_b##N(), a, b);                                                       \
        FL_END_OF_STEP(product);                                                                                       \
        return product;                                                                                                \
    }                                                                                                                  \
    FL_INLINE name##_vec name##_mul(name##_vec a, name##_vec b, size_t n)                                              \
    {                                                                                                                  \
        return (void)n, TUPLE_##X(name##_product(svget##X(a, k), svget##X(b, k)));                                     \
    }                                                                                                                  \
    FL_INLINE name##_register name##_sum(name##_register a, name##_register b)                                         \
    {                                                                                                                  \
        return svadd_x(svptrue_b##N(), a, b);                                                                          \
    }                                                                                                                  \
    FL_INLINE name##_vec name##_add(name##_vec a, name##_vec b, size_t n)                                              \
    {                                                                                                                  \
        return (void)n, TUPLE_##X(name##_sum(svget##X(a, k), svget##X(b, k)));                                         \
    }                                                                                                                  \
    FL_INLINE name##_vec name##_select(name##_vec x, name##_vec a, name##_vec b, size_t n)                             \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        return TUPLE_##X(svsel(svcmpgt(svptrue_b##N(), svget##X(x, k), 0), svget##X(a, k), svget##X(b, k)));           \
    }                                                                                                                  \
    FL_INLINE name##_register name##_clamped(name##_register v, name##_register limit)                                 \
    {                                                                                                                  \
        const name##_register least = svneg_x(svptrue_b##N(), limit);                                                  \
        v = svsel(svcmpgt(svptrue_b##N(), v, limit), limit, v);                                                        \
        return svsel(svcmplt(svptrue_b##N(), v, least), least, v);                                                     \
    }                                                                                                                  \
    FL_INLINE name##_vec name##_clamp(name##_vec v, name##_vec limit, size_t n)                                        \
    {                                                                                                                  \
        return (void)n, TUPLE_##X(name##_clamped(svget##X(v, k), svget##X(limit, k)));                                 \
    }                                                                                                                  \
    FL_INLINE name##_vec name##_within(name##_vec v, name##_vec limit, name##_vec a, size_t n)                         \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        return TUPLE_##X(                                                                                              \
            svdup_f##N##_m(svget##X(a, k), svacge(svptrue_b##N(), svget##X(v, k), svget##X(limit, k)), 0));            \
    }                                                                                                                  \
    FL_INLINE T name##_lane0(name##_register v) { return svlasta(svpfalse(), v); }

/* Through memory, since where a lane is depends on the length. A register has at least eight floats. */
SVE(f32, float, 32, 2)
FL_INLINE float f32_reduce_add(f32_vec v)
{
    const svbool_t eight = svptrue_pat_b32(SV_VL8);
    float lanes[16];
    f32_store(lanes, v, 16);
    svfloat32_t sum = f32_sum(svld1(eight, lanes), svld1(eight, lanes + 8));
    sum = f32_sum(sum, svext(sum, sum, 4));
    sum = f32_sum(sum, svext(sum, sum, 2));
    return f32_lane0(f32_sum(sum, svext(sum, sum, 1)));
}

SVE(f64, double, 64, 4)
FL_INLINE double f64_reduce_add(f64_vec v)
{
    const svbool_t four = svptrue_pat_b64(SV_VL4);
    double lanes[16];
    f64_store(lanes, v, 16);
    svfloat64_t sum = f64_sum(f64_sum(svld1(four, lanes), svld1(four, lanes + 8)),
                              f64_sum(svld1(four, lanes + 4), svld1(four, lanes + 12)));
    sum = f64_sum(sum, svext(sum, sum, 2));
    return f64_lane0(f64_sum(sum, svext(sum, sum, 1)));
}

/* A product ends a step, register by register: no tuple is a register to the compiler. */
#undef FL_END_OF_STEP
#define FL_END_OF_STEP(v) (void)0

#define FL_TYPE f32
#define FL_LANES 16
#define FL_SCALABLE
#include "float/kernels.h"

#define FL_TYPE f64
#define FL_LANES 16
#define FL_SCALABLE
#include "float/kernels.h"

/* The 16 bits of a number are the lower half of a lane in memory's order, where the conversions have them, too. */
FL_INLINE svuint32_t half_load(const uint16_t *p, size_t n, size_t k)
{
    return svld1uh_vnum_u32(f32_first(n, k), p, (int64_t)k);
}
FL_INLINE void half_store(uint16_t *p, svuint32_t v, size_t n, size_t k)
{
    svst1h_vnum(f32_first(n, k), p, (int64_t)k, v);
}

FL_INLINE svfloat32_t f16_of(svuint32_t h) { return svcvt_f32_x(svptrue_b32(), svreinterpret_f16(h)); }
FL_INLINE svuint32_t f16_narrowed(svfloat32_t v) { return svreinterpret_u32(svcvt_f16_x(svptrue_b32(), v)); }
FL_INLINE f32_vec f16_load(const f16_num *p, size_t n) { return TUPLE_2(f16_of(half_load(p, n, k))); }
FL_INLINE void f16_store(f16_num *p, f32_vec v, size_t n) { EACH_2(half_store(p, f16_narrowed(svget2(v, k)), n, k)); }
FL_INLINE f32_vec f16_rounded(f32_vec v) { return TUPLE_2(f16_of(f16_narrowed(svget2(v, k)))); }
#define FL_TYPE f16
#define FL_COMPUTE f32
#define FL_LANES 16
#define FL_SCALABLE
#include "float/kernels.h"

FL_INLINE svfloat32_t bf16_of(svuint32_t h) { return svreinterpret_f32(svlsl_x(svptrue_b32(), h, 16)); }
FL_INLINE svuint32_t bf16_narrowed(svfloat32_t v) /* as half.h does it, but for NaN: see splat() in float/row.h */
{
    const svbool_t all = svptrue_b32();
    const svuint32_t b = svreinterpret_u32(v), odd = svand_x(all, svlsr_x(all, b, 16), 1);
    return svlsr_x(all, svadd_x(all, svadd_x(all, b, 0x7fff), odd), 16);
}
FL_INLINE f32_vec bf16_load(const bf16_num *p, size_t n) { return TUPLE_2(bf16_of(half_load(p, n, k))); }
FL_INLINE void bf16_store(bf16_num *p, f32_vec v, size_t n)
{
    EACH_2(half_store(p, bf16_narrowed(svget2(v, k)), n, k));
}
FL_INLINE f32_vec bf16_rounded(f32_vec v) { return TUPLE_2(bf16_of(bf16_narrowed(svget2(v, k)))); }
#define FL_TYPE bf16
#define FL_COMPUTE f32
#define FL_LANES 16
#define FL_SCALABLE
#include "float/kernels.h"

#include "quantized/requantization.h"

#define FL_INTS 0
#define FL_INTS_ACTIVE
typedef svint32x2_t i32_vec;
typedef svint32_t i32_register;
FL_INLINE size_t i32_active(size_t n) { return f32_lanes(n); }
FL_INLINE i32_register i32_requantized(const fl_sides *sides, i32_register x, i32_register factor, i32_register bias)
{
    const fl_side *const a = &sides->positive, *const b = &sides->negative;
    const svbool_t all = svptrue_b32(), positive = svcmpgt(all, x, 0);
    x = svmul_x(all, x, svsel(positive, svdup_s32(a->scale), factor));
    x = svmulh_x(all, x, svsel(positive, svdup_s32(a->multiplier), svdup_s32(b->multiplier)));
    x = svadd_x(all, x, svsel(positive, svdup_s32(a->bias), bias));
    return svasr_x(all, x, (uint32_t)a->right);
}
/* A register of the values of the slopes, or the one value of all. */
FL_INLINE i32_register i32_of_slopes(const int32_t *values, int each, size_t n, size_t k)
{
    return each ? svld1_vnum(f32_first(n, k), values, (int64_t)k) : svdup_s32(*values);
}
FL_INLINE i32_vec i32_requantize(const fl_sides *sides, i32_vec x, const int32_t *factor, const int32_t *bias, int each,
                                 size_t n)
{
    return TUPLE_2(
        i32_requantized(sides, svget2(x, k), i32_of_slopes(factor, each, n, k), i32_of_slopes(bias, each, n, k)));
}
FL_INLINE i32_vec i8_load(const int8_t *q, int32_t zero, size_t n)
{
    return TUPLE_2(svsub_x(svptrue_b32(), svld1sb_vnum_s32(f32_first(n, k), q, k), zero));
}
FL_INLINE i32_vec u8_load(const uint8_t *q, int32_t zero, size_t n)
{
    return TUPLE_2(svsub_x(svptrue_b32(), svld1ub_vnum_s32(f32_first(n, k), q, k), zero));
}
FL_INLINE i32_vec i16_load(const int16_t *q, int32_t zero, size_t n)
{
    return (void)zero, TUPLE_2(svld1sh_vnum_s32(f32_first(n, k), q, k));
}
FL_INLINE i32_register i32_within(i32_register v, int32_t least, int32_t most)
{
    return svmin_x(svptrue_b32(), svmax_x(svptrue_b32(), v, least), most);
}
FL_INLINE void i8_store(int8_t *p, i32_vec v, size_t n)
{
    EACH_2(svst1b_vnum(f32_first(n, k), p, k, i32_within(svget2(v, k), -128, 127)));
}
FL_INLINE void u8_store(uint8_t *p, i32_vec v, size_t n)
{
    EACH_2(svst1b_vnum(f32_first(n, k), p, k, svreinterpret_u32(i32_within(svget2(v, k), 0, 255))));
}
FL_INLINE void i16_store(int16_t *p, i32_vec v, size_t n)
{
    EACH_2(svst1h_vnum(f32_first(n, k), p, k, i32_within(svget2(v, k), -32768, 32767)));
}

/* The table is in `pieces` registers, of which each gives 0 for an index out of its range. (A register's length may be
 * no power of two: then indices wrap around to lanes behind the table's end, which are 0.) */
FL_INLINE void look_up_in(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n, int pieces)
{
    const size_t length = svcntb();
    const svuint8x4_t parts = TUPLE_4(svld1_vnum(svwhilelt_b8((uint64_t)(k * length), (uint64_t)256), table, k));
    for (size_t i = 0; i < n; i += length) {
        const svbool_t active = svwhilelt_b8((uint64_t)i, (uint64_t)n);
        const svuint8_t at = svld1(active, q + i);
        svuint8_t found = svtbl(svget4(parts, 0), at);
#define PART(k) svtbl(svget4(parts, k), svsub_x(svptrue_b8(), at, (uint8_t)(k * length)))
        if (pieces > 1)
            found = svorr_x(svptrue_b8(), found, PART(1));
        if (pieces > 2)
            found = svorr_x(svptrue_b8(), svorr_x(svptrue_b8(), found, PART(2)), PART(3));
#undef PART
        svst1(active, out + i, found);
    }
}
#define FL_LOOK_UP
extern fl_task fl_bytes_look_up_neon;
FL_FUNCTION void look_up(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    if (svcntb() >= 256)
        look_up_in(table, q, out, n, 1);
    else if (svcntb() >= 128)
        look_up_in(table, q, out, n, 2);
    else if (svcntb() >= 64)
        look_up_in(table, q, out, n, 4);
    else { /* eight pieces would take more instructions than NEON's four of 64 bytes */
        fl_quantized_arguments args;
        args.weight = table, args.q = q, args.out = out;
        fl_bytes_look_up_neon(&args, 0, n);
    }
}
#include "quantized/kernels.h"

FL_ISA_END
#endif
