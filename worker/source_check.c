#include "source_check.h"

#include "bmff.h"
#include "io.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file of ours has a handful; a hostile one may have a million of 8 bytes. */
#define BOXES_MAX 4096
#define COMPARE_BYTES 65536

const char *source_check_mp4(const char *path)
{
    struct stat st;
    bool has_index = false, is_cut = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    uint64_t at = 0, size = (uint64_t)st.st_size;
    for (int i = 0; i < BOXES_MAX && at < size && !is_cut; i++) {
        uint8_t head[16];
        struct bmff_header h;
        ssize_t n = pread(fd, head, sizeof(head), (off_t)at);
        if (n <= 0 || bmff_header(head, (size_t)n, &h) != RC_OK)
            break;
        has_index |= h.type == BMFF_FOURCC('m', 'o', 'o', 'v');
        if (h.size == 0)
            break;
        is_cut = h.size > size - at;
        at += h.size;
    }
    close(fd);
    if (is_cut && !has_index)
        return "The file was cut off: its index, which comes last, is missing.";
    if (is_cut)
        return "The file was cut off before its end.";
    return has_index ? NULL : "The file is damaged: it has no index.";
}

static enum rc compare(int src, int64_t offset, int part)
{
    static uint8_t a[COMPARE_BYTES], b[COMPARE_BYTES]; /* the worker has one thread */
    size_t n = 0, m = 0;
    for (int64_t at = 0;; at += (int64_t)n) {
        enum rc rc = io_read_at(part, a, sizeof(a), at, &n);
        if (rc != RC_OK || n == 0)
            return rc;
        rc = io_read_at(src, b, n, offset + at, &m);
        if (rc != RC_OK)
            return rc;
        if (m != n || memcmp(a, b, n) != 0)
            return RC_CONFLICT;
    }
}

enum rc source_holds(const char *src, int64_t offset, const char *part)
{
    int src_fd = open(src, O_RDONLY | O_CLOEXEC);
    int part_fd = open(part, O_RDONLY | O_CLOEXEC);
    enum rc rc = RC_NOT_FOUND;
    if (src_fd >= 0 && part_fd >= 0)
        rc = compare(src_fd, offset, part_fd);
    if (src_fd >= 0)
        close(src_fd);
    if (part_fd >= 0)
        close(part_fd);
    return rc;
}
