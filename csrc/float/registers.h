/* registers.h - a vector of FL_REGISTERS registers, and its operations from those on one register.
 * SPDX-License-Identifier: MIT
 *
 * An output may be an input, so the compiler moves no load before a store. Of a vector of several registers all loads
 * come first. A core that executes in order then waits once for them and for their products, and not once a register.
 *
 * R(word) is the operation on a register, which V(word) is for all of them; T(load) and T(store) are those on the type
 * in memory. The registers that have active lanes are the first ones. Arithmetic is on all: what is not stored, the
 * compiler leaves out, and inactive terms must be 0. */

#define FL_EACH_REGISTER(j) _Pragma("GCC unroll 4") for (size_t j = 0; j < FL_REGISTERS; j++)
#define FL_EACH_ACTIVE(j, n) FL_EACH_REGISTER(j) if (j * FL_PER_REGISTER < (n))
/* How many of n active lanes are those of the registers from j on, of one at most. */
#define FL_ACTIVE(n, j) ((n) - (j) * FL_PER_REGISTER < FL_PER_REGISTER ? (n) - (j) * FL_PER_REGISTER : FL_PER_REGISTER)

#if defined(FL_EXACT) || defined(FL_OWN_VECTORS)
typedef struct {
    R(vec) of[FL_REGISTERS];
} VEC;

FL_INLINE VEC V(set)(ACC s)
{
    VEC v;
    FL_EACH_REGISTER(j) v.of[j] = R(set)(s);
    return v;
}
FL_INLINE VEC V(mul)(VEC a, VEC b, size_t n)
{
    FL_EACH_REGISTER(j) a.of[j] = R(mul)(a.of[j], b.of[j], FL_PER_REGISTER);
    return (void)n, a;
}
FL_INLINE VEC V(add)(VEC a, VEC b, size_t n)
{
    FL_EACH_REGISTER(j) a.of[j] = R(add)(a.of[j], b.of[j], FL_PER_REGISTER);
    return (void)n, a;
}
FL_INLINE VEC V(select)(VEC x, VEC a, VEC b, size_t n)
{
    FL_EACH_REGISTER(j) b.of[j] = R(select)(x.of[j], a.of[j], b.of[j], FL_PER_REGISTER);
    return (void)n, b;
}
FL_INLINE VEC V(clamp)(VEC v, VEC limit, size_t n)
{
    FL_EACH_REGISTER(j) v.of[j] = R(clamp)(v.of[j], limit.of[j], FL_PER_REGISTER);
    return (void)n, v;
}
FL_INLINE VEC V(within)(VEC v, VEC limit, VEC a, size_t n)
{
    FL_EACH_REGISTER(j) a.of[j] = R(within)(v.of[j], limit.of[j], a.of[j], FL_PER_REGISTER);
    return (void)n, a;
}
FL_INLINE ACC V(reduce_add)(VEC v)
{
    for (size_t half = FL_REGISTERS / 2; half; half /= 2)
        for (size_t j = 0; j < half; j++)
            v.of[j] = R(add)(v.of[j], v.of[j + half], FL_PER_REGISTER);
    return R(reduce_add)(v.of[0]);
}
FL_INLINE VEC V(load)(const ACC *p, size_t n)
{
    VEC v = V(set)(0);
    FL_EACH_ACTIVE(j, n) v.of[j] = R(load)(p + j * FL_PER_REGISTER, FL_ACTIVE(n, j));
    return v;
}
FL_INLINE void V(store)(ACC *p, VEC v, size_t n)
{
    FL_EACH_ACTIVE(j, n) R(store)(p + j * FL_PER_REGISTER, v.of[j], FL_ACTIVE(n, j));
}
#endif

#ifdef FL_EXACT
FL_INLINE VEC FL(rounded)(VEC v)
{
    FL_EACH_REGISTER(j) FL_END_OF_STEP(v.of[j]);
    return v;
}
#else
FL_INLINE VEC FL(load)(const NUM *p, size_t n)
{
    VEC v = V(set)(0);
    FL_EACH_ACTIVE(j, n) v.of[j] = T(load)(p + j * FL_PER_REGISTER, FL_ACTIVE(n, j));
    return v;
}
FL_INLINE void FL(store)(NUM *p, VEC v, size_t n)
{
    FL_EACH_ACTIVE(j, n) T(store)(p + j * FL_PER_REGISTER, v.of[j], FL_ACTIVE(n, j));
}
FL_INLINE VEC FL(rounded)(VEC v)
{
    FL_EACH_REGISTER(j) v.of[j] = T(rounded)(v.of[j]);
    return v;
}
#endif

#if defined(FL_FTZ) && defined(FL_EXACT)
FL_INLINE VEC V(keep_positive)(VEC x, VEC y, size_t n)
{
    FL_EACH_REGISTER(j) x.of[j] = R(keep_positive)(x.of[j], y.of[j]);
    return (void)n, x;
}

typedef struct {
    R(keys) of[FL_REGISTERS];
} V(keys);

FL_INLINE V(keys) V(keys_of)(VEC v)
{
    V(keys) k;
    FL_EACH_REGISTER(j) k.of[j] = R(keys_of)(v.of[j]);
    return k;
}
FL_INLINE V(keys) V(keys_max)(V(keys) a, V(keys) b)
{
    FL_EACH_REGISTER(j) a.of[j] = R(keys_max)(a.of[j], b.of[j]);
    return a;
}
FL_INLINE V(keys) V(keys_min)(V(keys) a, V(keys) b)
{
    FL_EACH_REGISTER(j) a.of[j] = R(keys_min)(a.of[j], b.of[j]);
    return a;
}
FL_INLINE uint32_t V(reduce_max)(V(keys) k, size_t n)
{
    FL_EACH_ACTIVE(j, n) k.of[0] = j ? R(keys_max)(k.of[0], k.of[j]) : k.of[0];
    return R(reduce_max)(k.of[0]);
}
FL_INLINE uint32_t V(reduce_min)(V(keys) k, size_t n)
{
    FL_EACH_ACTIVE(j, n) k.of[0] = j ? R(keys_min)(k.of[0], k.of[j]) : k.of[0];
    return R(reduce_min)(k.of[0]);
}
FL_INLINE V(keys) V(unexplained)(VEC a, VEC b, VEC product, size_t n)
{
    V(keys) k = V(keys_of)(a);
    FL_EACH_ACTIVE(j, n) k.of[j] = R(unexplained)(a.of[j], b.of[j], product.of[j]);
    return k;
}
#endif

#undef FL_EACH_REGISTER
#undef FL_EACH_ACTIVE
#undef FL_ACTIVE
