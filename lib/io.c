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
