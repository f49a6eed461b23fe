#include "segments.h"

#include "bmff.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The size of a file whose top-level boxes fill it exactly; -1 for any other. */
static int64_t whole_file_size(int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    struct stat st;
    int64_t at = 0;
    int boxes = 0;
    if (fstat(fd, &st) == 0) {
        uint8_t head[16];
        struct bmff_header h;
        while (at < st.st_size) {
            ssize_t n = pread(fd, head, sizeof(head), at);
            if (n <= 0 || bmff_header(head, (size_t)n, &h) != RC_OK || h.size == 0)
                break;
            if (h.size > (uint64_t)(st.st_size - at))
                break;
            at += (int64_t)h.size;
            boxes++;
        }
    }
    close(fd);
    return boxes >= 2 && at == st.st_size ? at : -1;
}

static bool exists(int dir_fd, const char *name)
{
    struct stat st;
    return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The size of a good file; a damaged one is removed. */
static int64_t check(int dir_fd, const char *name)
{
    if (!exists(dir_fd, name))
        return -1;
    int64_t size = whole_file_size(dir_fd, name);
    if (size < 0)
        unlinkat(dir_fd, name, 0);
    return size;
}

enum rc segments_scan(int dir_fd, int64_t total, struct segments *out)
{
    struct segments s = {.total = total};
    s.bits = calloc((size_t)(total + 7) / 8 + 1, 1);
    if (!s.bits)
        return RC_NOMEM;
    s.has_init = check(dir_fd, "init.mp4") > 0;
    for (int64_t k = 0; k < total; k++) {
        char name[32];
        snprintf(name, sizeof(name), "%" PRId64 ".m4s", k);
        int64_t size = check(dir_fd, name);
        if (size > 0)
            segments_add(&s, k, size);
    }
    *out = s;
    return RC_OK;
}

void segments_free(struct segments *s)
{
    free(s->bits);
    s->bits = NULL;
}

bool segments_has(const struct segments *s, int64_t k)
{
    return k >= 0 && k < s->total && (s->bits[k / 8] >> (k % 8) & 1);
}

void segments_add(struct segments *s, int64_t k, int64_t bytes)
{
    if (k < 0 || k >= s->total || segments_has(s, k))
        return;
    s->bits[k / 8] |= (uint8_t)(1 << (k % 8));
    s->done++;
    s->bytes += bytes;
    if (bytes > s->peak_bytes)
        s->peak_bytes = bytes;
}

int64_t segments_next_hole(const struct segments *s, int64_t from)
{
    while (from < s->total && segments_has(s, from))
        from++;
    return from;
}
