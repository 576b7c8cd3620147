/* sides.h - between which numbers the arguments of a side are, for each shift to the right that sides are joined with.
 * SPDX-License-Identifier: MIT */
struct Range {
    long least, most;
};
struct Side {
    Range multiplier, scale, bias, away;
};
struct Sides {
    int right;
    Side positive, negative;
};

enum { RIGHTS = 32 };
/* Of PReLU on 8 bits, for all that the contract allows; how many there are. */
int joined_sides(Sides found[RIGHTS]);
