/* ordered_sum.h - in the place of csrc's: smaller blocks and chunks, so that few terms reach every branch.
 * SPDX-License-Identifier: MIT */
#ifndef FL_ORDERED_SUM_H
#define FL_ORDERED_SUM_H

enum { FL_STRIDE = 16, FL_BLOCK = 2 * FL_STRIDE, FL_CHUNK = 2 * FL_BLOCK };

#endif
