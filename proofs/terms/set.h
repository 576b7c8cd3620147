/* set.h - an instruction set whose numbers are terms, to run the kernels with: it includes them as isa/NAME.c do.
 * SPDX-License-Identifier: MIT
 *
 * Its shape is what SHAPE_... of the command line say. */
#define FL_NAME terms
#include "isa.h"

#include "float/half.h"
#include "term.h"
#define double Double
#include "float/arguments.h"
static inline Term f32_widen(Term v) { return v; }
static inline Term f32_narrow(Term v) { return v; }
static inline Term f32_scalar(Term v) { return v; }
static inline Term f16_widen(Term v) { return v; }
static inline Term f16_narrow(Term v) { return v; }
static inline Term f16_scalar(Term v) { return v; }
#define f16_num Term
#define f32_num Term
#define FL_FEW_CHANNELS 2
#define FL_CHANNEL_TILE 16

static uint32_t random_state = 1;
static uint32_t any() { return random_state = random_state * 1664525 + 1013904223, random_state >> 8; }

/* An array of leaves, between margins that nobody may touch. */
static bool wrong;
struct array {
    static constexpr size_t MARGIN = 64;
    std::vector<Term> whole;
    Term *begin;
    size_t n;
    static inline std::vector<const array *> all;
    array(operation op, size_t size, size_t pad) : whole(size + pad + 2 * MARGIN), n(size)
    {
        const size_t misaligned = (uintptr_t)whole.data() / sizeof(Term) % 4;
        begin = whole.data() + MARGIN - misaligned + pad;
        for (Term &t : whole)
            t = Term::leaf(op, (size_t)(&t - begin));
        all.push_back(this);
    }
    ~array() { all.pop_back(); }
    bool has_margins(operation op) const
    {
        bool good = true;
        for (const Term &t : whole)
            if (&t < begin || &t >= begin + n)
                good &= t.id == Term::leaf(op, (size_t)(&t - begin)).id;
        return good;
    }
    /* Are p ... p + k inside of it, or all outside of it and of its margins? */
    bool admits(const Term *p, size_t k) const
    {
        return p + k <= whole.data() || p >= whole.data() + whole.size() || (p >= begin && p + k <= begin + n);
    }
};
static void touch(const Term *p, size_t n)
{
    for (const array *each : array::all)
        wrong |= !each->admits(p, n);
}

/* How often vectors stored each element of the output. */
static const Term *output;
static std::vector<int> written;

#ifdef SHAPE_STREAMS
#define FL_STREAMS 1
enum { PREFETCH_DISTANCE = 2048 };
static inline void prefetch(const void *, int) {}
static inline int aliases_4k(const void *, const void *) { return any() % 2; }
static inline void _mm_sfence() {}
#endif

#ifdef SHAPE_SCALABLE
enum { ROOM = 40 };
static size_t most_lanes = 16;
#else
enum { ROOM = SHAPE_LANES };
static const size_t most_lanes = SHAPE_LANES;
#endif

struct vec {
    Term of[ROOM];
};
#define EACH_LANE(l) for (size_t l = 0; l < ROOM; l++)
typedef vec f32_vec;
static vec f32_set(Term s)
{
    vec v;
    EACH_LANE(l) v.of[l] = s;
    return v;
}
static void check_lanes(size_t n)
{
#if defined(SHAPE_SCALABLE) || defined(SHAPE_MASKED)
    wrong |= n < 1 || n > most_lanes;
#else
    wrong |= n != 1 && n != most_lanes;
#endif
}
static vec f32_load(const Term *p, size_t n)
{
    vec v = f32_set(0);
    check_lanes(n);
    touch(p, n);
    for (size_t l = 0; l < n; l++)
        v.of[l] = p[l];
    return v;
}
static void f32_store(Term *p, vec v, size_t n)
{
    check_lanes(n);
    touch(p, n);
    for (size_t l = 0; l < n; l++) {
        p[l] = v.of[l];
        if (p + l >= output && p + l < output + written.size())
            written[(size_t)(p + l - output)]++;
    }
}
static void f32_stream(Term *p, vec v, size_t n)
{
    wrong |= n * sizeof(Term) % 16 == 0 && (uintptr_t)p % 16;
    f32_store(p, v, n);
}
static vec f32_mul(vec a, vec b, size_t)
{
    EACH_LANE(l) a.of[l] = a.of[l] * b.of[l];
    return a;
}
static vec f32_add(vec a, vec b, size_t)
{
    EACH_LANE(l) a.of[l] = a.of[l] + b.of[l];
    return a;
}
static vec f32_select(vec x, vec a, vec b, size_t)
{
    EACH_LANE(l) b.of[l] = x.of[l] > 0 ? a.of[l] : b.of[l];
    return b;
}
static Term clamped(Term v, Term limit) { return v > limit ? limit : v < -limit ? -limit : v; }
static Term within(Term v, Term limit, Term a) { return v >= limit || -v >= limit ? 0 : a; }
static vec f32_clamp(vec v, vec limit, size_t)
{
    EACH_LANE(l) v.of[l] = clamped(v.of[l], limit.of[l]);
    return v;
}
static vec f32_within(vec v, vec limit, vec a, size_t)
{
    EACH_LANE(l) a.of[l] = within(v.of[l], limit.of[l], a.of[l]);
    return a;
}
static Term f32_reduce_add(vec v)
{
    for (size_t half = SHAPE_LANES / 2; half; half /= 2)
        for (size_t l = 0; l < half; l++)
            v.of[l] = v.of[l] + v.of[l + half];
    return v.of[0];
}
static vec f32_expand(vec v, size_t k)
{
    vec moved = f32_set(0);
    for (size_t l = k; l < ROOM; l++)
        moved.of[l] = v.of[l - k];
    return moved;
}
/* As RISC-V's vsetvl: of fewer elements than two vectors, the first may take more than a half. */
static size_t f32_lanes(size_t n)
{
    if (n <= most_lanes || n >= 2 * most_lanes)
        return n < most_lanes ? n : most_lanes;
    const size_t least = (n + 1) / 2;
    return least + any() % (most_lanes - least + 1);
}

/* Units that flush: any vector may need the scalar fallback. */
struct f32_keys {};
static f32_keys f32_keys_of(vec) { return {}; }
static f32_keys f32_keys_max(f32_keys, f32_keys) { return {}; }
static f32_keys f32_keys_min(f32_keys, f32_keys) { return {}; }
static f32_keys f32_unexplained(vec, vec, vec) { return {}; }
static uint32_t f32_reduce_max(f32_keys) { return any() % 2 ? 0xffffffff : 0; }
static uint32_t f32_reduce_min(f32_keys) { return any() % 2 ? 0xffffffff : 0; }
static vec f32_keep_positive(vec x, vec y) { return f32_select(x, x, y, 0); }
static uint32_t fl_bits_of(Term) { return any(); }

#define FL_TYPE f32
#include "shape.h"
#include "float/kernels.h"
#define KERNEL(word) fl_f32_##word##_terms

/* A type in memory that is not the type of computation; numbers are the same in both. */
#ifdef SHAPE_HALVES
#define f16_load f32_load
#define f16_store f32_store
#define f16_stream f32_stream
static vec f16_rounded(vec v) { return v; }
#define FL_TYPE f16
#define FL_COMPUTE f32
#include "shape.h"
#include "float/kernels.h"
#undef KERNEL
#define KERNEL(word) fl_f16_##word##_terms
#endif
