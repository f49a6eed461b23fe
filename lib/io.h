/*
 * io.h: writing and reading all of it.
 */
#ifndef DROPSTREAM_IO_H
#define DROPSTREAM_IO_H

#include "rc.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Writes all n bytes to fd, through short writes and signals. *written grows by what
 * was written, also where the end is an error. RC_NOSPACE, RC_IO.
 */
enum rc io_write_all(int fd, const void *data, size_t n, int64_t *written);

/* Reads n bytes at offset, through short reads and signals; *got is less only where the
 * file ends. RC_IO. */
enum rc io_read_at(int fd, void *out, size_t n, int64_t offset, size_t *got);

#endif
