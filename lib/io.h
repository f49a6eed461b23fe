/*
 * io.h: writing all of it.
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

#endif
