/* kernels_type.h - in the place of csrc's: the loops over arrays, which are left out.
 * SPDX-License-Identifier: MIT */
#undef FL_TYPE
#undef FL_8_BITS
