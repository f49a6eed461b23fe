#include "io.h"

#include <errno.h>
#include <unistd.h>

enum rc io_write_all(int fd, const void *data, size_t n, int64_t *written)
{
    const char *p = data;

    while (n > 0) {
        /* A short write is no error; the next one tells why it was short. */
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return rc_from_errno(errno);
        p += done;
        n -= (size_t)done;
        *written += done;
    }
    return RC_OK;
}

enum rc io_read_at(int fd, void *out, size_t n, int64_t offset, size_t *got)
{
    size_t have = 0;

    while (have < n) {
        ssize_t r =
            pread(fd, (char *)out + have, n - have, (off_t)offset + (off_t)have);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return rc_from_errno(errno);
        if (r == 0)
            break;
        have += (size_t)r;
    }
    *got = have;
    return RC_OK;
}
