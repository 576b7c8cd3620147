/* broadcast.h - how a slope is broadcast to x, in the shapes that the kernels take.
 * SPDX-License-Identifier: MIT */
#ifndef FL_BROADCAST_H
#define FL_BROADCAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_RANK = 64 };

typedef struct {
    const int64_t *dims;
    size_t rank;
} shape;

/* The size of the slope along an axis of x: as in NumPy, the last axes are those in common. */
static inline int64_t slope_size(shape slope, shape x, size_t axis)
{
    return axis + slope.rank < x.rank ? 1 : slope.dims[axis + slope.rank - x.rank];
}

/* Is x * slope certain to have the shape of x? An unknown size is -1. */
static inline bool broadcasts(shape slope, shape x)
{
    if (x.rank > MAX_RANK || slope.rank > x.rank)
        return false;
    for (size_t i = 0; i < x.rank; i++) {
        const int64_t size = slope_size(slope, x, i);
        if (size != 1 && (size < 0 || size != x.dims[i]))
            return false;
    }
    return true;
}

/* Neighbouring axes of x, along which all slopes differ, or none. */
typedef struct {
    size_t size;
    bool varies;
} group;

/* x as an array of images with the shape (outer, channels, inner), and one slope a channel. Nearly always there is one
 * image; more if the slope varies along axes that are not neighbours. They lie along the first groups. */
typedef struct {
    group groups[MAX_RANK];
    size_t count; /* of groups that are not inside an image */
    size_t outer, channels, inner;
} broadcast;

/* Take the last group as an axis of the image, if it is of that kind. */
static inline size_t take(broadcast *b, bool varies)
{
    return b->count && b->groups[b->count - 1].varies == varies ? b->groups[--b->count].size : 1;
}

static inline broadcast broadcast_of(shape slope, shape x)
{
    broadcast b;
    b.count = 0;
    for (size_t i = 0; i < x.rank; i++) {
        const size_t size = (size_t)x.dims[i];
        const bool varies = slope_size(slope, x, i) != 1;
        if (size != 1 && b.count && b.groups[b.count - 1].varies == varies)
            b.groups[b.count - 1].size *= size;
        else if (size != 1)
            b.groups[b.count++] = (group){size, varies};
    }
    b.inner = take(&b, false);
    b.channels = take(&b, true);
    b.outer = take(&b, false);
    return b;
}

/* Where an image's slopes begin: the digits of its number are its place along the groups. */
static inline size_t first_slope(const broadcast *b, size_t image)
{
    size_t first = 0, stride = b->channels;
    for (size_t i = b->count; i > 0; i--) {
        const group *const g = &b->groups[i - 1];
        if (g->varies) {
            first += image % g->size * stride;
            stride *= g->size;
        }
        image /= g->size;
    }
    return first;
}

#endif
