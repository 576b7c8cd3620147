/* kernels_int.h - the one body of the quantized kernels, included once an instruction set and type (isa/integers.h).
 * SPDX-License-Identifier: MIT
 *
 * FL_8_BITS: a long run with one slope is looked up in a table, which is made of a short run. */
#define FL(word) FL_PASTE(FL_TYPE, word)
#define NUM FL(num)
#define WEIGHT FL(weight)

/* The product with one factor. Only its bits 31 ... 62 are taken, so that no 64-bit shift has to keep the sign. */
FL_INLINE int32_t FL(product)(int32_t x, const fl_side *side, int32_t away)
{
    const int64_t product = (int64_t)(int32_t)((uint32_t)x << side->left) * side->multiplier + side->first;
    const int32_t high = (int32_t)(uint32_t)((uint64_t)product >> 31);
    return (high + side->half + (high >> 31 & away)) >> side->right;
}

FL_INLINE NUM FL(rescaled)(const fl_rescaling *job, NUM q, int32_t slope)
{
    const int32_t least = (NUM)-1 > 0 ? 0 : -(1 << (8 * sizeof(NUM) - 1)), most = least + (1 << 8 * sizeof(NUM)) - 1;
    const int32_t x = q - job->input_zero_point;
    const int32_t above = FL(product)(x, &job->above, 0), below = FL(product)(x * slope, &job->below, job->away);
    const int32_t y = (x > 0 ? above : (below ^ job->negate) - job->negate) + job->output_zero_point;
    return (NUM)(y < least ? least : y > most ? most : y);
}

FL_FUNCTION void FL(rescale_row)(const fl_rescaling *job, const NUM *q, int32_t slope, NUM *out, size_t n)
{
    const fl_rescaling own = *job; /* which no store can change */
#ifdef FL_8_BITS
    if (n >= FL_TABLE_FROM) {
        NUM table[256];
        for (int i = 0; i < 256; i++)
            table[i] = (NUM)i;
        FL(rescale_row)(job, table, slope, table, 256);
        look_up((const uint8_t *)table, (const uint8_t *)q, (uint8_t *)out, n);
        return;
    }
#endif
    FL_VECTORS
    for (size_t i = 0; i < n; i++)
        out[i] = FL(rescaled)(&own, q[i], slope);
}

FL_INLINE void FL(rescale_each)(const fl_rescaling *job, const NUM *q, const WEIGHT *weight, NUM *out, size_t n)
{
    const fl_rescaling own = *job;
    FL_VECTORS
    for (size_t i = 0; i < n; i++)
        out[i] = FL(rescaled)(&own, q[i], weight[i] - own.weight_zero_point);
}

/* Elements begin ... end: runs with one slope, or where channels are last, with a slope an element. */
FL_FUNCTION void FL(rescale)(const fl_rescaling *job, size_t begin, size_t end)
{
    const NUM *const q = job->q;
    NUM *const out = job->out;
    WEIGHT copies[FL_STRIDE * FL_FEW];
    const WEIGHT *weight = job->weight;
    const size_t channels = job->channels;
    const int one = channels == 1, each = !one && job->inner == 1;
    size_t length = one ? end : each ? channels : job->inner;
    if (each && channels <= FL_FEW && end - begin > 4 * FL_STRIDE * FL_FEW) { /* short rows, joined */
        length = channels * FL_STRIDE;
        for (size_t i = 0; i < length; i++)
            copies[i] = weight[i % channels];
        weight = copies;
    }
    size_t i = begin, c = 0; /* where a run is entered, and in which channel */
    if (!one && begin) {
        i = begin % length;
        c = each ? 0 : begin / length % channels;
    }
    for (size_t at = begin, n; at < end; at += n, i = 0) {
        n = length - i < end - at ? length - i : end - at;
        if (each)
            FL(rescale_each)(job, q + at, weight + i, out + at, n);
        else
            FL(rescale_row)(job, q + at, weight ? weight[c] - job->weight_zero_point : 1, out + at, n);
        if (++c == channels)
            c = 0;
    }
}

#undef FL
#undef NUM
#undef WEIGHT
#undef FL_TYPE
#undef FL_8_BITS
