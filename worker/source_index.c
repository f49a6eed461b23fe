#include "source_index.h"

#include "io.h"
#include "key_units.h"
#include "mp4_index.h"
#include "mp4_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096

static enum rc find_moov(int fd, uint64_t file_size, struct mp4_span *out)
{
    struct mp4_walk walk;
    uint8_t block[BLOCK];
    mp4_walk_init(&walk, file_size);
    while (!walk.done) {
        size_t n = 0;
        enum rc rc =
            io_read_at(fd, block, sizeof(block), (int64_t)mp4_walk_wants(&walk), &n);
        if (rc == RC_OK)
            rc = mp4_walk_feed(&walk, block, n);
        if (rc != RC_OK)
            return rc == RC_TRUNCATED ? RC_INVALID : rc;
    }
    *out = walk.moov;
    return walk.moov.size > 0 ? RC_OK : RC_UNSUPPORTED;
}

/* The caller frees *out. */
static enum rc read_moov(int fd, const struct mp4_span *moov, int64_t max,
                         uint8_t **out)
{
    size_t got = 0;
    if (moov->size > (uint64_t)max)
        return RC_TOO_LARGE;
    uint8_t *bytes = malloc((size_t)moov->size);
    if (!bytes)
        return RC_NOMEM;
    enum rc rc = io_read_at(fd, bytes, (size_t)moov->size, (int64_t)moov->offset, &got);
    if (rc == RC_OK && got < moov->size)
        rc = RC_INVALID;
    if (rc != RC_OK) {
        free(bytes);
        return rc;
    }
    *out = bytes;
    return RC_OK;
}

/* What is done with an index that is open. */
struct use {
    enum rc (*read)(void *arg, const struct mp4_index *index);
    void *arg;
};

static enum rc use_file(int fd, int64_t index_max, const struct use *use)
{
    struct mp4_index *index = NULL;
    struct mp4_span span;
    uint8_t *moov = NULL;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return rc_from_errno(errno);
    struct mp4_index_limits of_index = {.file_size = (uint64_t)st.st_size,
                                        .max_samples = MP4_SAMPLES_IN_LOOP};
    enum rc rc = find_moov(fd, (uint64_t)st.st_size, &span);
    if (rc == RC_OK)
        rc = read_moov(fd, &span, index_max, &moov);
    if (rc == RC_OK)
        rc = mp4_index_open(moov, (size_t)span.size, &of_index, &index);
    if (rc == RC_OK)
        rc = use->read(use->arg, index);
    mp4_index_close(index);
    free(moov);
    return rc;
}

static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

enum rc source_index_read(const char *path, int64_t index_max,
                          enum rc (*read)(void *arg, const struct mp4_index *index),
                          void *arg)
{
    const struct use use = {read, arg};
    int fd = open_file(path);
    if (fd < 0)
        return rc_from_errno(errno);
    enum rc rc = use_file(fd, index_max, &use);
    close(fd);
    return rc;
}

/* ---- packets of one stream ------------------------------------------------------ */

struct reading {
    struct source_index_takers *to;
    int fd, stream;
    struct key_units units;
};

static enum rc take_packet(void *arg, const struct mp4_index_packet *p)
{
    struct reading *r = arg;
    struct copy_packet packet = {.pts_us = p->pts_us,
                                 .dts_us = p->dts_us,
                                 .duration_us = p->duration_us,
                                 .bytes = p->bytes,
                                 .key = p->key,
                                 .discard = p->discard};
    /* Once it is clear that they will not do, the rest is of no interest. */
    bool open = r->to->sets && !r->to->sets->changed && !r->to->sets->not_refresh;
    if (p->key && r->to->has_sets && open)
        r->to->has_sets = key_units_read(&r->units, p->begin, p->bytes) == RC_OK;
    return copy_cuts_feed(r->to->cuts, &packet);
}

static enum rc feed(void *arg, const struct mp4_index *index)
{
    struct reading *r = arg;
    struct source_index_takers *to = r->to;
    if (mp4_index_fragmented(index) || r->stream < 0 ||
        (size_t)r->stream >= mp4_index_tracks(index))
        return RC_UNSUPPORTED;
    const struct mp4_track *track = mp4_index_track(index, (size_t)r->stream);
    if (track->several_entries)
        return RC_CONFLICT;
    to->has_sets = to->sets && track->entry &&
                   key_units_open(r->fd, track->entry, track->entry_size, to->sets,
                                  &r->units) == RC_OK;
    copy_cuts_start(to->cuts, mp4_index_first_us(index));
    return mp4_index_packets(index, (size_t)r->stream, take_packet, r);
}

enum rc source_index_packets(const char *path, int64_t index_max, int stream,
                             struct source_index_takers *takers)
{
    struct reading r = {.to = takers, .stream = stream};
    const struct use use = {feed, &r};
    takers->has_sets = false;
    r.fd = open_file(path);
    if (r.fd < 0)
        return rc_from_errno(errno);
    enum rc rc = use_file(r.fd, index_max, &use);
    close(r.fd);
    return rc;
}
