#include "source_check.h"

#include "bmff.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A fragmented file has two or three for each second or so, a hostile one may have
 * millions of 8 bytes. */
#define BOXES_MAX 65536
#define COMPARE_BYTES 65536

/* What a walk over the boxes of a file finds. */
struct boxes_found {
    bool has_index;
    uint32_t cut; /* the box that the file ends inside of; 0: none */
};

static struct boxes_found walk(int fd, uint64_t size)
{
    struct boxes_found found = {0};
    uint64_t at = 0;
    for (int i = 0; i < BOXES_MAX && at < size && !found.cut; i++) {
        uint8_t head[16];
        struct bmff_header h;
        ssize_t n = pread(fd, head, sizeof(head), (off_t)at);
        if (n <= 0 || bmff_header(head, (size_t)n, &h) != RC_OK)
            break;
        found.has_index |= h.type == BMFF_FOURCC('m', 'o', 'o', 'v');
        if (h.size == 0)
            break;
        if (h.size > size - at)
            found.cut = h.type;
        at += h.size;
    }
    return found;
}

static enum rc look(const char *path, struct boxes_found *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rc_from_errno(errno);
    enum rc rc = fstat(fd, &st) < 0 ? rc_from_errno(errno) : RC_OK;
    if (rc == RC_OK)
        *out = walk(fd, (uint64_t)st.st_size);
    close(fd);
    return rc;
}

const char *source_check_mp4(const char *path)
{
    struct boxes_found found;
    if (look(path, &found) != RC_OK)
        return NULL;
    if (found.cut && !found.has_index)
        return "The file was cut off: its index, which comes last, is missing.";
    if (found.cut)
        return "The file was cut off before its end.";
    return found.has_index ? NULL : "The file is damaged: it has no index.";
}

bool source_is_cut(const char *path)
{
    struct boxes_found found;
    if (look(path, &found) != RC_OK)
        return false;
    switch (found.cut) {
    case BMFF_FOURCC('m', 'o', 'o', 'v'):
    case BMFF_FOURCC('m', 'd', 'a', 't'):
    case BMFF_FOURCC('m', 'o', 'o', 'f'):
    case BMFF_FOURCC('s', 't', 'y', 'p'): /* and these are before a moof */
    case BMFF_FOURCC('s', 'i', 'd', 'x'):
    case BMFF_FOURCC('e', 'm', 's', 'g'):
    case BMFF_FOURCC('p', 'r', 'f', 't'):
        return true;
    default: /* whatever somebody has put behind the video */
        return false;
    }
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
