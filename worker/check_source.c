/*
 * check_source.c: what was uploaded, byte by byte.
 */
#include "site_check.h"

#include "log.h"
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK (1 << 20)

static void say(struct findings *out, const struct video *v, const char *what)
{
    struct finding *f = findings_add(out, "source", v->id, CURE_WARN, MEND_NOTHING, "");
    if (f)
        snprintf(f->sentence, sizeof(f->sentence), "%s", what);
}

/* RC_IO: it cannot be read, which the machine is to blame for. */
static enum rc hash(int fd, uint8_t out[STORE_CHECKSUM_SIZE])
{
    static uint8_t block[BLOCK];
    struct sha256_ctx sha;
    off_t at = 0;
    ssize_t n;
    sha256_init(&sha);
    while ((n = read(fd, block, sizeof(block))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return RC_IO;
        sha256_update(&sha, (size_t)n, block);
        /* What players and encoders read stays in the cache in its place. */
        (void)posix_fadvise(fd, at, n, POSIX_FADV_DONTNEED);
        at += n;
    }
    sha256_digest(&sha, STORE_CHECKSUM_SIZE, out);
    return RC_OK;
}

static void check_sum(const struct check *c, const struct video *v, int fd,
                      struct findings *out)
{
    uint8_t kept[STORE_CHECKSUM_SIZE], now[STORE_CHECKSUM_SIZE];
    bool known = false;
    if (store_video_checksum(c->store, v->id, kept, &known) != RC_OK || !known)
        return;
    if (hash(fd, now) != RC_OK)
        say(out, v, "its file cannot be read");
    else if (memcmp(kept, now, sizeof(now)) != 0)
        say(out, v, "its file has other bytes than when it was stored");
}

static void check_stored(const struct check *c, const struct video *v,
                         struct findings *out)
{
    char path[PATH_MAX], what[160];
    struct stat st;
    if (spool_src_path(c->site, v->id, path) != RC_OK)
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        say(out, v,
            fd < 0 && errno == ENOENT ? "its file is missing"
                                      : "its file cannot be opened");
    } else if (st.st_size != v->size) {
        snprintf(what, sizeof(what), "its file has %lld bytes, of %lld",
                 (long long)st.st_size, (long long)v->size);
        say(out, v, what);
    } else if (!c->quick) {
        check_sum(c, v, fd, out);
    }
    if (fd >= 0)
        close(fd);
}

/* Bytes of a chunk whose checksum nobody has looked at were acknowledged to nobody. */
static void check_receiving(const struct check *c, const struct video *v,
                            struct findings *out)
{
    char part[PATH_MAX], src[PATH_MAX], what[160];
    struct stat st;
    int64_t sure = v->received;
    int64_t age_ms = (int64_t)time(NULL) * 1000 - v->created_ms;
    if (v->unchecked_from >= 0 && v->unchecked_from < sure)
        sure = v->unchecked_from;
    if (spool_part_path(c->site, v->id, part) != RC_OK ||
        spool_src_path(c->site, v->id, src) != RC_OK)
        return;
    if (stat(part, &st) == 0) {
        if (st.st_size >= sure)
            return;
        snprintf(what, sizeof(what), "%lld bytes have come in, and there are %lld",
                 (long long)sure, (long long)st.st_size);
        say(out, v, what);
    } else if (stat(src, &st) < 0 && age_ms > c->config->settle_s * 1000) {
        say(out, v, "its upload is under way, and has no file");
    }
}

enum rc check_source(struct check *c, const struct check_rows *rows,
                     struct findings *out)
{
    const struct video *v = &rows->video;
    uint8_t sum[STORE_CHECKSUM_SIZE];
    bool known = true;
    c->files++;
    c->is_proved = true;
    if (v->state == VIDEO_RECEIVING) {
        check_receiving(c, v, out);
        return RC_OK;
    }
    check_stored(c, v, out);
    enum rc rc = store_video_checksum(c->store, v->id, sum, &known);
    c->is_proved = known;
    if (rc != RC_OK || known || check_is_live(rows, JOB_CHECKSUM, NULL))
        return rc;
    /* That of a file which is known to be wrong would make it right. */
    bool wrong = out->n > 0;
    struct finding *f = findings_add(out, "checksum", v->id,
                                     wrong ? CURE_NONE : CURE_STORE, MEND_CHECKSUM, "");
    if (f)
        snprintf(f->sentence, sizeof(f->sentence), "that of its file was never taken");
    return RC_OK;
}
