/* shape.h - what a set says of its vectors, from SHAPE_...: kernels.h forgets it after each type.
 * SPDX-License-Identifier: MIT */
#ifdef SHAPE_REGISTERS
#define FL_REGISTERS SHAPE_REGISTERS
#define FL_HEAVY_REGISTERS SHAPE_HEAVY
#define FL_PER_REGISTER SHAPE_LANES
#else
#define FL_LANES SHAPE_LANES
#endif
#ifdef SHAPE_MASKED
#define FL_MASKED
#endif
#ifdef SHAPE_SCALABLE
#define FL_SCALABLE
#endif
#ifdef SHAPE_UNROLLED
#define FL_UNROLLED
#endif
#ifdef SHAPE_EXPAND
#define FL_EXPAND
#endif
#ifdef SHAPE_FTZ
#define FL_FTZ
#endif
