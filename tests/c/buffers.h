/* buffers.h - the arrays of an element type, and whether a kernel wrote what it should and nothing else.
 * SPDX-License-Identifier: MIT */

static NUM T(x)[ROOM], T(grad)[ROOM], T(slope)[ROOM], T(want)[ROOM];
static ACC T(terms)[ROOM];
static NUM T(out)[ROOM + 2 * GUARD], T(dslope)[ROOM + 2 * GUARD], T(want_dslope)[ROOM];

/* Is `buffer + GUARD + shift` equal to `want`, and everything around it still as it was filled? */
static int T(exactly)(const NUM *buffer, size_t shift, const NUM *want, size_t n)
{
    const NUM untouched = N(77);
    for (size_t i = 0; i < GUARD; i++) {
        if (i < GUARD + shift && buffer[i] != untouched)
            return 0;
        if (buffer[GUARD + shift + n + i - shift] != untouched && i >= shift)
            return 0;
    }
    return T(same)(buffer + GUARD + shift, want, n);
}

static void T(fill)(NUM *buffer, size_t n)
{
    const NUM untouched = N(77);
    for (size_t i = 0; i < n + 2 * GUARD; i++)
        buffer[i] = untouched;
}
