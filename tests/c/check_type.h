/* check_type.h - all that check.c has for an element type, which it says in macros.
 * SPDX-License-Identifier: MIT */

#include "numbers.h"

#include "contract.h"

#include "buffers.h"

#include "plain.h"

#include "fused.h"

#include "shapes.h"
#ifdef FL_VECTORS_FORMAT
#include "golden.h"
#endif

#undef TYPE
#undef MANTISSA
#ifdef HALF
#undef LEAST
#else
#undef NUM
#undef ACC
#undef BITS
#undef W
#undef N
#endif
