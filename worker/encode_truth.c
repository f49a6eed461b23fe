/*
 * encode_truth.c: what is on disk is what was promised, before anybody is told that it
 * is done. A segment was held against its promise when it was published; here it is
 * looked at once more, as others may have been at the files since, and other workers
 * before.
 */
#include "encode.h"

#include "bmff.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOOF BMFF_FOURCC('m', 'o', 'o', 'f')
#define AT_ONCE 4096 /* bytes: most of the moof boxes are smaller */

/* A segment while it is read. */
struct look {
    const struct encode *e;
    uint8_t *room; /* CUTTER_HEADER_MAX bytes */
    uint32_t timescale;
    int64_t k;
    int fd;
};

static enum rc open_file(const struct encode *e, const char *name, int *out)
{
    int fd = openat(e->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *out = fd;
    if (fd >= 0)
        return RC_OK;
    return errno == ENOENT || errno == ELOOP ? RC_CONFLICT : rc_from_errno(errno);
}

static enum rc read_timescale(struct look *l)
{
    int fd;
    size_t n = 0;
    enum rc rc = open_file(l->e, "init.mp4", &fd);
    if (rc != RC_OK)
        return rc;
    rc = io_read_at(fd, l->room, CUTTER_HEADER_MAX, 0, &n);
    close(fd);
    if (rc == RC_OK && cutter_timescale(l->room, n, &l->timescale) != RC_OK)
        rc = RC_CONFLICT;
    return rc;
}

/* A moof box of size bytes, of which n were read. */
static enum rc take_moof(struct look *l, int64_t at, uint64_t size, size_t n,
                         int64_t *frames)
{
    struct cutter_fragment f;
    enum rc rc = RC_OK;
    if (size > CUTTER_HEADER_MAX)
        return RC_CONFLICT;
    if (size > n)
        rc = io_read_at(l->fd, l->room, (size_t)size, at, &n);
    if (rc != RC_OK)
        return rc;
    if (n < size || cutter_read_moof(l->room, (size_t)size, &f) != RC_OK)
        return RC_CONFLICT;
    if (*frames == 0 && !encode_cut_begins(l->e, l->k, l->timescale, &f))
        return RC_CONFLICT;
    if (f.frames > INT32_MAX)
        return RC_CONFLICT;
    *frames += (int64_t)f.frames;
    return RC_OK;
}

static enum rc read_segment(struct look *l)
{
    int64_t at = 0, frames = 0;
    for (;;) {
        struct bmff_header h;
        size_t n = 0;
        enum rc rc = io_read_at(l->fd, l->room, AT_ONCE, at, &n);
        if (rc != RC_OK)
            return rc;
        if (n == 0)
            break;
        if (bmff_header(l->room, n, &h) != RC_OK || h.size == 0 || h.size > INT32_MAX)
            return RC_CONFLICT;
        if (h.type == MOOF)
            rc = take_moof(l, at, h.size, n, &frames);
        if (rc != RC_OK)
            return rc;
        at += (int64_t)h.size;
    }
    return frames == encode_segment_frames(l->e, l->k) ? RC_OK : RC_CONFLICT;
}

static enum rc look_at(struct look *l)
{
    char name[32];
    snprintf(name, sizeof(name), "%" PRId64 ".m4s", l->k);
    enum rc rc = open_file(l->e, name, &l->fd);
    if (rc == RC_OK) {
        rc = read_segment(l);
        close(l->fd);
    }
    if (rc == RC_CONFLICT)
        unlinkat(l->e->dir_fd, name, 0);
    return rc;
}

enum rc encode_truth(const struct encode *e, int64_t *wrong)
{
    struct look l = {.e = e, .room = malloc(CUTTER_HEADER_MAX)};
    if (!l.room)
        return RC_NOMEM;
    enum rc rc = read_timescale(&l);
    int64_t first = rc == RC_CONFLICT ? -1 : e->have.total;
    for (l.k = 0; rc == RC_OK && l.k < e->have.total; l.k++) {
        rc = look_at(&l);
        if (rc != RC_CONFLICT)
            continue;
        first = l.k < first ? l.k : first;
        rc = RC_OK;
    }
    free(l.room);
    if (rc == RC_OK && first < e->have.total)
        rc = RC_CONFLICT;
    if (rc == RC_CONFLICT)
        *wrong = first;
    return rc;
}
