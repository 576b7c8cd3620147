/* check_type.h - all that check.c has for an element type, which types.h says in macros.
 * SPDX-License-Identifier: MIT */

#include "numbers.h"

#include "contract.h"

#include "draw.h"

#include "buffers.h"

#include "plain.h"

#include "fused.h"

#include "shapes.h"
#ifdef FL_VECTORS_FORMAT
#include "golden.h"
#endif
