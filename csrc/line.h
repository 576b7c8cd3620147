/* line.h - a short cut for 8 bits and one slope: two lines in 16 bits, where they give just the same.
 * SPDX-License-Identifier: MIT
 *
 * However a product is rounded, on either side of 0 the result is floor(x * factor + half) for real numbers; and where
 * the slope is no larger than on the upper side, the larger of the two lines is the one that counts. In 16 bits a
 * factor is shorter. The table of all 256 results says whether that matters, and which half serves: a factor leaves
 * some room for it, or none, and then the next factor is tried. (None served in 1 of 100 random layers whose scales are
 * equal, in 14 where they differ: those look the table up.) Mostly one half serves both lines, which saves
 * instructions.
 *
 * Words, for FL_LINE bytes in two vectors of int16_t: line_vec and line_bits, which are signed or not and know C's
 * operators; line_bytes, with line_load and line_store; line_low, line_upper: the half of the bytes, times 256; join:
 * both halves saturated; line_set; line_larger; line_high: bits 16 ... 31 of the product; line_shift. */

typedef struct {
    int16_t zero_point, factor[2], half, apart; /* of the upper line and the lower, whose half is so much larger */
    int shift;
} FL(lines);

/* The room for a half: what it must be at least, and at most, where that has its bits inverted. */
typedef struct {
    line_vec least, not_most;
} FL(line_room);

FL_INLINE line_vec FL(times_128)(line_bits times_256)
{
    return (NUM)-1 > 0 ? (line_vec)(times_256 >> 1) : (line_vec)times_256 >> 1;
}

FL_INLINE line_vec FL(line_half)(const FL(lines) * l, int apart, line_bits q)
{
    const line_vec x = FL(times_128)(q) - line_set(l->zero_point);
    const line_vec upper = line_high(x, line_set(l->factor[0])), lower = line_high(x, line_set(l->factor[1]));
    const line_bits moved = (line_bits)lower + (line_bits)line_set(l->apart);
    const line_bits larger = (line_bits)line_larger(upper, apart ? (line_vec)moved : lower);
    return line_shift((line_vec)(larger + (line_bits)line_set(l->half)), l->shift);
}

FL_INLINE void FL(line_each)(const FL(lines) * l, int apart, const NUM *q, NUM *out, size_t n)
{
    const FL(lines) own = *l;
    for (size_t i = 0; i < n; i += FL_LINE) {
        const line_bytes v = line_load(q + i);
        line_store(out + i,
                   FL(join)(FL(line_half)(&own, apart, line_low(v)), FL(line_half)(&own, apart, line_upper(v))));
    }
}

FL_FUNCTION void FL(line_run)(const FL(lines) * l, const NUM *q, NUM *out, size_t n)
{
    if (l->apart)
        FL(line_each)(l, 1, q, out, n);
    else
        FL(line_each)(l, 0, q, out, n);
}

FL_INLINE line_vec FL(line_bound)(line_vec so_far, line_vec next, line_vec where)
{
    return line_larger(so_far, (next & where) | (line_set(INT16_MIN) & ~where));
}

FL_INLINE void FL(line_bind)(FL(line_room) * room, const FL(lines) * l, int i, line_bits q, line_bits result)
{
    const int16_t low = (NUM)-1 > 0 ? 0 : -128 * 128, high = (NUM)-1 > 0 ? 255 * 128 : 127 * 128;
    const line_vec x = FL(times_128)(q) - line_set(l->zero_point), y = FL(times_128)(result);
    const line_vec here = i ? x <= 0 : x >= 0, last = line_set((int16_t)((1 << l->shift) - 1));
    const line_vec missing = line_shift(y, 7 - l->shift) - line_high(x, line_set(l->factor[i]));
    room->least = FL(line_bound)(room->least, missing, here & (y > line_set(low)));
    room->not_most = FL(line_bound)(room->not_most, ~(missing + last), here & (y < line_set(high)));
}

/* The middle of the room; whether there is any. */
FL_INLINE int FL(line_middle)(FL(line_room) room, int16_t *middle)
{
    int least = INT16_MIN, most = INT16_MAX;
    for (int k = 0; k < FL_LINE / 2; k++) {
        least = room.least[k] > least ? room.least[k] : least;
        most = ~room.not_most[k] < most ? ~room.not_most[k] : most;
    }
    *middle = (int16_t)((least + most) >> 1);
    return least <= most;
}

/* The room that line i's factor, or else the next, leaves on this line's side of the table; whether there is any. */
FL_FUNCTION int FL(line_side)(FL(lines) * l, int i, const NUM *numbers, const NUM *table, FL(line_room) * room,
                              int16_t *half)
{
    for (const int beyond = l->factor[i] + 2; l->factor[i] < beyond; l->factor[i]++) {
        room->least = room->not_most = line_set(INT16_MIN);
        for (int k = 0; k < 256; k += FL_LINE) {
            const line_bytes q = line_load(numbers + k), result = line_load(table + k);
            FL(line_bind)(room, l, i, line_low(q), line_low(result));
            FL(line_bind)(room, l, i, line_upper(q), line_upper(result));
        }
        if (FL(line_middle)(*room, half))
            return 1;
    }
    return 0;
}

/* The lines of a table, if there are any. */
FL_FUNCTION int FL(lines_of)(const fl_rescaling *job, int32_t slope, const NUM table[256], FL(lines) * l)
{
    const fl_side *const a = &job->above, *const b = &job->below;
    const int64_t upper = (int64_t)a->multiplier * (1 << a->left);
    const int64_t lower = (int64_t)b->multiplier * (job->negate ? -slope : slope) * (1 << b->left);
    int64_t factor[2];
    FL(line_room) room[2];
    int16_t half[2], shared;
    NUM numbers[256];
    int one, differs = 0;
    l->zero_point = (int16_t)(job->input_zero_point * 128);
    l->shift = 7; /* less 1, so that 2^15 is more than any sum */
    do {
        if (l->shift-- == 0)
            return 0;
        factor[0] = upper >> (21 + a->right - l->shift);
        factor[1] = lower >> (21 + b->right - l->shift);
    } while (factor[0] >= INT16_MAX - 1 || factor[1] < INT16_MIN);
    if (factor[1] > factor[0])
        return 0;
    for (int i = 0; i < 256; i++)
        numbers[i] = (NUM)i;
    for (int i = 0; i < 2; i++) {
        l->factor[i] = (int16_t)factor[i];
        if (!FL(line_side)(l, i, numbers, table, room + i, half + i))
            return 0;
    }
    room[0].least = line_larger(room[0].least, room[1].least);
    room[0].not_most = line_larger(room[0].not_most, room[1].not_most);
    one = FL(line_middle)(room[0], &shared);
    l->half = one ? shared : half[0];
    l->apart = one ? 0 : (int16_t)(half[1] - half[0]);
    FL(line_run)(l, numbers, numbers, 256);
    for (int i = 0; i < 256; i++)
        differs |= numbers[i] ^ table[i];
    return !differs;
}
