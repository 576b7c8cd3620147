/* ordered_sum_kernel.h - the traversals and the kernel of an ordered sum, included once for each operation.
 * SPDX-License-Identifier: MIT
 *
 *   FL_OP           its body, which returns terms: FL(FL_OP)(row, i, n, each, policy)
 *   FL_PARAMETERS   1 if it has a parameter for each channel, else 0
 *   FL_SUM          the name of its kernel */
#define OP(word) FL(FL_PASTE(FL_OP, word))

/* Store n terms. A whole register is stored where it can be, which is fastest: there is room behind the last term. */
FL_INLINE void OP(collect)(const FL(row) * r, size_t i, size_t len, ACC *terms, fl_store_policy policy)
{
    FL_FOR_VECTORS(k, n, len, {
        const VEC t = FL(FL_OP)(r, i + k, n, 0, policy);
#ifdef FL_SCALABLE
        V(store)(terms + k, t, n);
#else
        V(store)(terms + k, t, n < FL_PER_REGISTER ? FL_PER_REGISTER : n);
#endif
    });
}

#ifdef FL_FTZ
/* noinline: keeps its register pressure out of the loops for whole blocks. */
FL_FUNCTION FL_NOINLINE double OP(part_of_block)(FL(block) * block, const FL(row) * r, size_t i, size_t n, size_t at,
                                                 int ends)
{
    OP(collect)(r, i, n, block->terms + at, FL_STORE);
    return ends ? FL(block_sum)(block, at + n) : 0;
}
FL_INLINE double OP(block_add)(FL(block) * block, const FL(row) * r, size_t i, size_t n, size_t at, int ends,
                               fl_store_policy policy)
{
    if (n < FL_BLOCK)
        return OP(part_of_block)(block, r, i, n, at, ends);
    OP(collect)(r, i, FL_BLOCK, block->terms, policy);
    return FL(block_sum)(block, FL_BLOCK);
}
#else

FL_INLINE void OP(add_group)(FL(group) * sums, const FL(row) * r, fl_store_policy policy)
{
    FL_EACH(j)
    {
        const size_t at = j * FL_LANES;
        FL(prefetch)(r, at, at, policy);
        const VEC terms = FL(FL_OP)(r, at, FL_LANES, 0, policy);
        FL_NTH(sums, j) = V(add)(FL_NTH(sums, j), terms, FL_LANES);
    }
}

/* Add n terms to the lanes from `lane` on; the other lanes add +0, which changes no sum. */
FL_INLINE void OP(add_few)(FL(group) * sums, const FL(row) * r, size_t n, size_t lane, fl_store_policy policy)
{
#if FL_LANES == 1
    for (size_t k = 0; k < n; k++)
        FL_NTH(sums, lane + k) = V(add)(FL_NTH(sums, lane + k), FL(FL_OP)(r, k, 1, 0, policy), 1);
#else
    FL(group) terms;
#ifdef FL_EXPAND
    FL_EACH(j)
    {
        const size_t at = j * FL_LANES, from = lane > at ? lane - at : 0, end = lane + n > at ? lane + n - at : 0;
        const size_t to = end < FL_LANES ? end : FL_LANES;
        FL_NTH(&terms, j) = V(set)(0);
        if (from < to)
            FL_NTH(&terms, j) = V(expand)(FL(FL_OP)(r, at + from - lane, to - from, 0, policy), from);
    }
#else
    ACC scratch[2 * FL_STRIDE] __attribute__((aligned(FL_LANES * sizeof(ACC))));
#ifdef FL_MASKED
    if (!lane) {
        FL_EACH(j)
        {
            const size_t at = j * FL_LANES, left = n > at ? n - at : 0;
            if (left >= FL_LANES)
                FL_NTH(&terms, j) = FL(FL_OP)(r, at, FL_LANES, 0, policy);
            else if (left)
                FL_NTH(&terms, j) = FL(FL_OP)(r, at, left, 0, policy);
            else
                FL_NTH(&terms, j) = V(set)(0);
        }
        FL(group_add)(sums, &terms);
        return;
    }
#endif
    FL(group_zero)(&terms);
    FL(group_store)(scratch, &terms);
    OP(collect)(r, 0, n, scratch + lane, policy);
    FL(group_load)(scratch, &terms);
#endif
    FL(group_add)(sums, &terms);
#endif
}

/* Add the n terms of a row from i on to a block that has `at` terms. Its sum, if it ends here. */
FL_INLINE double OP(block_add)(FL(block) * block, const FL(row) * r, size_t i, size_t n, size_t at, int ends,
                               fl_store_policy policy)
{
    const size_t lane = at % FL_STRIDE;
    FL(row) here = FL(moved)(r, i);
    FL(group) sums;
    if (at)
        FL(group_load)(block->terms, &sums);
    else
        FL(group_zero)(&sums);
    if (lane) {
        const size_t few = lane + n < FL_STRIDE ? n : FL_STRIDE - lane;
        OP(add_few)(&sums, &here, few, lane, policy);
        FL(advance)(&here, few);
        n -= few;
    }
    for (; n >= FL_STRIDE; n -= FL_STRIDE, FL(advance)(&here, FL_STRIDE))
        OP(add_group)(&sums, &here, policy);
    if (n)
        OP(add_few)(&sums, &here, n, 0, policy);
    if (ends)
        return FL(group_reduce)(&sums);
    FL(group_store)(block->terms, &sums);
    return 0;
}
#endif

/* Add a row of each channel, `at` terms after a chunk's begin. `last`: the last block ends with it; `whole`: so does
 * each block, and the row begins one. */
FL_INLINE void OP(add_rows)(const FL(rows) * rows, size_t at, int last, int whole, fl_store_policy policy)
{
    const size_t width = rows->width, len = rows->n, pitch = rows->pitch; /* which no store changes */
    const NUM *const slope = rows->slope;
    double *const sums = rows->sums, *const chunks = rows->chunks;
    FL(block) *const blocks = rows->blocks;
    FL(row) r = FL(moved)(&rows->first, 0);
    for (size_t c = 0; c < width; c++, FL(advance)(&r, pitch)) {
        double sum = chunks[c];
        if (FL_PARAMETERS)
            FL(share)(&r, 0, T(widen)(slope[c]));
        for (size_t i = 0, n, from = whole ? 0 : at % FL_BLOCK, left = FL_CHUNK - at; i < len; i += n, from = 0) {
            n = len - i < FL_BLOCK - from ? len - i : FL_BLOCK - from;
            const int ends = whole || from + n == FL_BLOCK || (last && i + n == len);
            sum += OP(block_add)(blocks + c, &r, i, n, from, ends, policy);
            left -= n;
            if (!left) {
                sums[c] += sum;
                sum = 0, left = FL_CHUNK;
            }
        }
        chunks[c] = sum;
    }
}
/* noinline: short rows find all that they need in registers. Whole blocks need less. */
FL_FUNCTION FL_NOINLINE void OP(add_any_rows)(const FL(rows) * rows, size_t at, int last, fl_store_policy policy)
{
    policy ? OP(add_rows)(rows, at, last, 0, FL_STREAM) : OP(add_rows)(rows, at, last, 0, FL_STORE);
}
FL_FUNCTION FL_NOINLINE void OP(add_whole_rows)(const FL(rows) * rows, size_t at, fl_store_policy policy)
{
    policy ? OP(add_rows)(rows, at, 1, 1, FL_STREAM) : OP(add_rows)(rows, at, 1, 1, FL_STORE);
}

/* n terms of each of `width` channels whose elements lie in rows, from place i of the first row on. The channels take
 * turns row by row, so that memory is read in its order. */
FL_INLINE void OP(sum_rows)(const fl_arguments *a, FL(rows) * rows, size_t i, size_t n, fl_store_policy policy)
{
    double chunks[FL(BLOCKS)];
    rows->chunks = chunks;
    for (size_t c = 0; c < rows->width; c++)
        rows->sums[c] = chunks[c] = 0;
    FL(advance)(&rows->first, i);
    for (size_t at = 0; n; n -= rows->n, i = 0) {
        rows->n = n < a->inner - i ? n : a->inner - i;
        if (at % FL_BLOCK == 0 && (rows->n == n || rows->n % FL_BLOCK == 0))
            OP(add_whole_rows)(rows, at, policy);
        else
            OP(add_any_rows)(rows, at, rows->n == n, policy);
        at = (at + rows->n) % FL_CHUNK;
        FL(advance)(&rows->first, a->channels * a->inner - i);
    }
    for (size_t c = 0; c < rows->width; c++)
        rows->sums[c] += chunks[c];
}

/* n terms of each of `width` channels that are last: the channels go down the rows together. Of few channels, FL_STRIDE
 * rows are one row with as many lanes. */
FL_INLINE void OP(sum_columns)(const fl_arguments *a, FL(rows) * rows, FL(columns) * columns, size_t n,
                               fl_store_policy policy)
{
    const size_t pitch = a->channels, width = rows->width;
    const int few = pitch <= FL_FEW_CHANNELS && width == pitch && n >= FL_STRIDE;
    FL(row) r = FL(moved)(&rows->first, 0);
    int tiny = 0;
    if (FL_PARAMETERS)
        r.each[0] = few ? FL(repeated)(columns->slopes, rows->slope, width, FL_STRIDE) : rows->slope;
    for (size_t c = 0; c < width; c++)
        rows->sums[c] = 0;
    for (size_t row = 0, joined; row < n; row += joined, FL(advance)(&r, joined * pitch)) {
        const size_t at = row % FL_BLOCK;
        ACC *const lane = columns->lanes + at % FL_STRIDE * width;
        joined = few && at % FL_STRIDE == 0 && n - row >= FL_STRIDE ? FL_STRIDE : 1;
        FL_FOR_VECTORS(c, k, joined * width, {
            FL(prefetch)(&r, c, c, policy);
            const VEC terms = FL(FL_OP)(&r, c, k, FL_PARAMETERS, policy);
            const VEC sum = at < FL_STRIDE ? V(set)(0) : V(load)(lane + c, k);
            V(store)(lane + c, FL(lanes_add)(sum, terms, k, &tiny), k);
        });
        const size_t terms = at + joined;
        if (terms < FL_BLOCK && row + joined < n)
            continue;
        FL(columns_reduce)(columns->lanes, width, terms < FL_STRIDE ? terms : FL_STRIDE, tiny, rows->sums);
        tiny = 0;
    }
}

extern fl_ordered_sum FL_KERNEL(FL_SUM);
FL_EXPORT void FL_KERNEL(FL_SUM)(const fl_arguments *a, size_t channel, size_t width, size_t first, size_t n,
                                 double *sums)
{
    union {
        FL(block) blocks[FL(BLOCKS)];
        FL(columns) columns;
    } state;
    const size_t inner = a->inner, row = first ? first / inner : 0;
    FL(rows) rows;
    rows.first = FL(row_at)(a, (row * a->channels + channel) * inner);
    rows.slope = FL_PARAMETERS ? (const NUM *)a->parameters[0] + channel : NULL;
    rows.width = width;
    rows.sums = sums;
    rows.pitch = inner;
    rows.blocks = state.blocks;
    if (channels_last(a)) {
        FL(policy)(a, rows.first.out, a->channels) ? OP(sum_columns)(a, &rows, &state.columns, n, FL_STREAM)
                                                   : OP(sum_columns)(a, &rows, &state.columns, n, FL_STORE);
        width = 0;
    }
    for (size_t i = first - row * inner; width; width -= rows.width, sums += rows.width) {
        const FL(row) begin = FL(moved)(&rows.first, 0);
        rows.width = width < FL(BLOCKS) ? width : FL(BLOCKS);
        rows.sums = sums;
        OP(sum_rows)(a, &rows, i, n, FL(policy)(a, begin.out + i, inner));
        rows.first = FL(moved)(&begin, rows.width * inner);
        if (FL_PARAMETERS)
            rows.slope += rows.width;
    }
    FL(fence)(a);
}

#undef OP
#undef FL_OP
#undef FL_PARAMETERS
#undef FL_SUM
