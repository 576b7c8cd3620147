/* ordered_sum.h - the slope gradient's sum, whose bits depend on nothing but the terms and their order.
 * SPDX-License-Identifier: MIT
 *
 * The terms of one slope, in C order of the logical array, are cut into blocks of FL_BLOCK. In a block,
 * lane l of FL_STRIDE lanes starts at +0 and adds terms l, l + FL_STRIDE, ... in order; then the upper half
 * of the lanes is added to the lower half until one is left (block.h, in the type of computation). The block
 * sums of a chunk of FL_CHUNK terms are added in order in double, and so are the chunks' sums (float_ops.c).
 *
 * Sixteen lanes are one AVX-512 register of floats, two of AVX2, four of SSE2 or NEON, and a group of four
 * at RISC-V's smallest vector length, so that each adds them in whole registers. A chunk is what threads
 * share out. A sum that starts at +0 is never -0, so a missing term or lane is as good as +0. */
#ifndef FL_ORDERED_SUM_H
#define FL_ORDERED_SUM_H

enum { FL_STRIDE = 16, FL_BLOCK = 128, FL_CHUNK = 128 * FL_BLOCK }; /* in terms */

#endif
