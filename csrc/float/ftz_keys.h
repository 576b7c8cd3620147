/* ftz_keys.h - finds the vectors in which a flush could matter, on units that flush subnormals to zero: 32-bit NEON and
 * Helium (MVE), whatever FPSCR says.
 * SPDX-License-Identifier: MIT
 *
 * Their scalar neighbours do not flush. So a vector in which a flush could matter is computed again by scalars. Loads,
 * stores and integer compares are exact in any case. Such an instruction set defines FL_FTZ, and more operations:
 *
 *   V(keys)                        a vector of magnitude keys, unsigned integers
 *   V(keys_of)(v)                  2 * |bits| - 1 of each lane: so 0 has the highest key, then NaN, then infinity; and
 *                                  the smallest numbers have the lowest
 *   V(keys_max)(k, k)  V(keys_min)(k, k)
 *   V(reduce_max)(k, n)  V(reduce_min)(k, n)
 *   V(unexplained)(a, b, product, n)  not 0 where the product is 0 or NaN, and neither a nor b is 0 */

#ifdef FL_EXACT
/* A product with such a key is 0 or NaN. It was flushed, unless a factor explains it. */
#define FL_UNSURE 0xff000000u
#define FL_UNEXPLAINED(a, b, product, n) V(reduce_max)(V(unexplained)(a, b, product, n), n)

/* Keys below this one are those of 0 < |t| < 2^-102. If a block has none, all its sums are multiples of 2^-125 (24 bits
 * below 2^-102), and none is subnormal. */
#define FL_TINY (2 * (25u << 23) - 1)

FL_INLINE int V(flushed)(VEC a, VEC b, VEC product, size_t n)
{
    return V(reduce_max)(V(keys_of)(product), n) >= FL_UNSURE && FL_UNEXPLAINED(a, b, product, n);
}

/* Two products, v * a and v * b. */
FL_INLINE int V(either_flushed)(VEC v, VEC a, VEC va, VEC b, VEC vb, size_t n)
{
    return V(reduce_max)(V(keys_max)(V(keys_of)(va), V(keys_of)(vb)), n) >= FL_UNSURE &&
           (FL_UNEXPLAINED(v, a, va, n) || FL_UNEXPLAINED(v, b, vb, n));
}

/* Has a number a key below `least`? */
FL_INLINE int V(has_less)(V(keys) keys, uint32_t least, size_t n) { return V(reduce_min)(keys, n) < least; }
FL_INLINE int V(has_tiny)(V(keys) keys, size_t n) { return V(has_less)(keys, FL_TINY, n); }

/* Could an operand, or the sum of two, or of three, be subnormal? */
FL_INLINE int V(sum_flushed)(VEC a, VEC b, size_t n)
{
    return V(has_tiny)(V(keys_min)(V(keys_of)(a), V(keys_of)(b)), n);
}
FL_INLINE int V(sums_flushed)(VEC a, VEC b, VEC c, size_t n)
{
    return V(has_tiny)(V(keys_min)(V(keys_of)(a), V(keys_min)(V(keys_of)(b), V(keys_of)(c))), n);
}

#undef FL_UNSURE
#undef FL_UNEXPLAINED
#undef FL_TINY
#endif

/* Numbers with this key or a higher one have exact products with a factor. Of a factor from 2^e on, those are at least
 * 2^-126 / 2^e, and normal; of a subnormal factor, only 0; of 0, all. */
FL_INLINE uint32_t FL(least_key)(ACC factor)
{
    const uint32_t size = fl_bits_of(factor) & 0x7fffffff, biased = size >> 23; /* e + 127 */
    if (!biased)
        return size ? 0xffffffff : 0;
    return ((biased < 127 ? 128 - biased : 1) << 24) - 1;
}
