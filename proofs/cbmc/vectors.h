/* vectors.h - an instruction set's vector operations, on vectors that know only where their lanes are from.
 * SPDX-License-Identifier: MIT
 *
 * What arithmetic gives has no effect on where a traversal goes, but for the flushes of FL_FTZ: there either is tried.
 */
typedef struct {
    size_t from; /* the element that lane 0 was loaded from */
} model_vec;

static inline model_vec model_both(model_vec a, model_vec b)
{
    if (a.from == NOWHERE || a.from == b.from)
        return b;
    return (model_vec){b.from == NOWHERE ? a.from : MIXED};
}

/* The operations on a register of the type ACC, whose names begin with V. */
#define MODEL_REGISTER(V, ACC)                                                                                         \
    typedef model_vec V##_vec;                                                                                         \
    FL_INLINE model_vec V##_set(ACC s) { return (void)s, (model_vec){NOWHERE}; }                                       \
    FL_INLINE model_vec V##_mul(model_vec a, model_vec b, size_t n) { return (void)n, model_both(a, b); }              \
    FL_INLINE model_vec V##_add(model_vec a, model_vec b, size_t n) { return (void)n, model_both(a, b); }              \
    FL_INLINE model_vec V##_select(model_vec x, model_vec a, model_vec b, size_t n)                                    \
    {                                                                                                                  \
        return (void)n, model_both(x, model_both(a, b));                                                               \
    }                                                                                                                  \
    FL_INLINE model_vec V##_clamp(model_vec v, model_vec limit, size_t n) { return (void)n, model_both(v, limit); }    \
    FL_INLINE model_vec V##_within(model_vec v, model_vec limit, model_vec a, size_t n)                                \
    {                                                                                                                  \
        return (void)n, model_both(v, model_both(limit, a));                                                           \
    }                                                                                                                  \
    FL_INLINE ACC V##_reduce_add(model_vec v) { return (void)v, (ACC)0; }                                              \
    FL_INLINE model_vec V##_expand(model_vec v, size_t k) { return (void)v, (void)k, (model_vec){NOWHERE}; }           \
    FL_INLINE size_t V##_lanes(size_t n)                                                                               \
    {                                                                                                                  \
        const size_t lanes = n < most_lanes || n >= 2 * most_lanes ? n : nondet_size();                                \
        ASSUME(lanes >= n / 2 + n % 2 || lanes >= most_lanes);                                                         \
        return lanes < most_lanes ? lanes : most_lanes;                                                                \
    }

/* Loads and stores of the type NUM, whose names begin with T. */
#define MODEL_MEMORY(T, NUM)                                                                                           \
    FL_INLINE model_vec T##_load(const NUM *p, size_t n)                                                               \
    {                                                                                                                  \
        REQUIRE(has_lanes(n), "active lanes that the set has");                                                        \
        return (model_vec){model_read(p, n, sizeof(NUM))};                                                             \
    }                                                                                                                  \
    FL_INLINE void T##_store(NUM *p, model_vec v, size_t n)                                                            \
    {                                                                                                                  \
        REQUIRE(has_lanes(n), "active lanes that the set has");                                                        \
        model_write(p, n, sizeof(NUM), v.from);                                                                        \
    }                                                                                                                  \
    FL_INLINE void T##_stream(NUM *p, model_vec v, size_t n)                                                           \
    {                                                                                                                  \
        REQUIRE(n * sizeof(NUM) % 16 || (uintptr_t)p % 16 == 0, "streamed to a multiple of 16 bytes");                 \
        memory.streamed = 1;                                                                                           \
        T##_store(p, v, n);                                                                                            \
    }                                                                                                                  \
    FL_INLINE model_vec T##_rounded(model_vec v) { return v; }

/* Flushes: nobody knows. */
typedef struct {
    char nothing;
} model_keys;
#define MODEL_KEYS(V)                                                                                                  \
    typedef model_keys V##_keys;                                                                                       \
    FL_INLINE model_keys V##_keys_of(model_vec v) { return (void)v, (model_keys){0}; }                                 \
    FL_INLINE model_keys V##_keys_max(model_keys a, model_keys b) { return (void)b, a; }                               \
    FL_INLINE model_keys V##_keys_min(model_keys a, model_keys b) { return (void)b, a; }                               \
    FL_INLINE model_keys V##_unexplained(model_vec a, model_vec b, model_vec product)                                  \
    {                                                                                                                  \
        return (void)a, (void)b, (void)product, (model_keys){0};                                                       \
    }                                                                                                                  \
    FL_INLINE uint32_t V##_reduce_max(model_keys k) { return (void)k, (uint32_t)nondet_int(); }                        \
    FL_INLINE uint32_t V##_reduce_min(model_keys k) { return (void)k, (uint32_t)nondet_int(); }                        \
    FL_INLINE model_vec V##_keep_positive(model_vec x, model_vec y) { return model_both(x, y); }
