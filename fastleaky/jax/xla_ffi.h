/* xla_ffi.h - XLA's interface to foreign functions, as far as handlers.c needs it.
 * SPDX-License-Identifier: MIT
 *
 * These structs are the same in its versions 0.1 (jaxlib 0.5) to 0.3 (jaxlib 0.10). A minor version only adds to their
 * ends, and XLA refuses a handler whose version it does not support. Each struct begins with its size in bytes. */
#ifndef FASTLEAKY_XLA_FFI_H
#define FASTLEAKY_XLA_FFI_H

#include <stddef.h>
#include <stdint.h>

enum { XLA_MAJOR = 0, XLA_OLDEST_MINOR = 1, XLA_NEWEST_MINOR = 3 };
enum { XLA_F16 = 10, XLA_F32 = 11, XLA_F64 = 12, XLA_BF16 = 16 };
enum { XLA_METADATA = 1, XLA_INVALID_ARGUMENT = 3 };

typedef struct xla_error xla_error;

typedef struct xla_extension {
    size_t size;
    int type;
    struct xla_extension *next;
} xla_extension;

typedef struct {
    size_t size;
    xla_extension *extensions;
    int major, minor;
} xla_version;

/* What a handler says of itself when it is registered. */
typedef struct {
    size_t size;
    xla_version version;
} xla_metadata;

typedef struct {
    xla_extension extension;
    xla_metadata *metadata;
} xla_metadata_extension;

typedef struct {
    size_t size;
    xla_extension *extensions;
    const char *message;
    int code;
} xla_error_arguments;

typedef struct {
    size_t size;
    xla_extension *extensions;
    xla_version version;
    const void *internal;
    xla_error *(*create_error)(xla_error_arguments *arguments);
} xla_api;

typedef struct {
    size_t size;
    xla_extension *extensions;
    int type;
    void *data;
    int64_t rank;
    const int64_t *dims;
} xla_buffer;

typedef struct {
    size_t size;
    xla_extension *extensions;
    int64_t count;
    const int *kinds;
    xla_buffer *const *buffers;
} xla_buffers;

typedef struct xla_call_frame {
    size_t size;
    xla_extension *extensions;
    const xla_api *api;
    void *context;
    int stage;
    xla_buffers arguments, results;
} xla_call_frame;

#endif
