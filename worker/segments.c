#include "segments.h"

#include "bmff.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* *size: where the top-level boxes of the file end; -1 if they do not fill it exactly.
 */
static enum rc measure(int fd, int64_t *size)
{
    struct stat st;
    int64_t at = 0;
    int boxes = 0;
    if (fstat(fd, &st) < 0)
        return rc_from_errno(errno);
    while (S_ISREG(st.st_mode) && at < st.st_size) {
        uint8_t head[16];
        struct bmff_header h;
        ssize_t n = pread(fd, head, sizeof(head), at);
        if (n < 0)
            return rc_from_errno(errno);
        if (bmff_header(head, (size_t)n, &h) != RC_OK || h.size == 0)
            break;
        if (h.size > (uint64_t)(st.st_size - at))
            break;
        at += (int64_t)h.size;
        boxes++;
    }
    *size = boxes >= 2 && at == st.st_size ? at : -1;
    return RC_OK;
}

static enum rc look(int dir_fd, const char *name, int64_t *size, bool *exists)
{
    *size = -1;
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *exists = fd >= 0 || errno != ENOENT;
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP ? RC_OK : rc_from_errno(errno);
    enum rc rc = measure(fd, size);
    close(fd);
    return rc;
}

enum rc segments_measure(int dir_fd, const char *name, int64_t *size)
{
    bool exists;
    return look(dir_fd, name, size, &exists);
}

/* A damaged one is removed; and none that was not there, as another worker may put it
 * there by now, if this one was frozen. */
static enum rc check(int dir_fd, const char *name, int64_t *size)
{
    bool exists;
    enum rc rc = look(dir_fd, name, size, &exists);
    if (rc == RC_OK && exists && *size < 0)
        unlinkat(dir_fd, name, 0);
    return rc;
}

/* "57.m4s" is 57; -1: the name is none of a segment. */
static int64_t number_of(const char *name)
{
    char again[32];
    int64_t k = strtoll(name, NULL, 10);
    snprintf(again, sizeof(again), "%" PRId64 ".m4s", k);
    return strcmp(again, name) == 0 ? k : -1;
}

static enum rc open_folder(int dir_fd, DIR **out)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    enum rc rc = d ? RC_OK : rc_from_errno(errno);
    if (!d && fd >= 0)
        close(fd);
    *out = d;
    return rc;
}

/* *name: of the next entry; NULL: there is none. */
static enum rc next_entry(DIR *d, const char **name)
{
    errno = 0;
    const struct dirent *entry = readdir(d);
    *name = entry ? entry->d_name : NULL;
    return !entry && errno != 0 ? rc_from_errno(errno) : RC_OK;
}

struct segments_scan {
    int dir_fd;
    DIR *dir; /* of those that are promised few may exist */
    struct segments found;
};

enum rc segments_scan_open(int dir_fd, int64_t total, struct segments_scan **out)
{
    struct segments_scan *s = calloc(1, sizeof(*s));
    int64_t size;
    enum rc rc = RC_NOMEM;
    if (!s)
        return rc;
    *s = (struct segments_scan){.dir_fd = dir_fd, .found = {.total = total}};
    s->found.bits = calloc((size_t)(total + 7) / 8 + 1, 1);
    if (s->found.bits)
        rc = check(dir_fd, "init.mp4", &size);
    if (rc == RC_OK)
        rc = open_folder(dir_fd, &s->dir);
    if (rc != RC_OK) {
        segments_scan_close(s);
        return rc;
    }
    s->found.has_init = size > 0;
    *out = s;
    return RC_OK;
}

static enum rc check_segment(struct segments_scan *s, const char *name)
{
    int64_t k = number_of(name), size;
    if (k < 0 || k >= s->found.total)
        return RC_OK;
    enum rc rc = check(s->dir_fd, name, &size);
    /* A folder that changes may give a name twice. */
    if (size > 0 && !segments_has(&s->found, k)) {
        segments_add(&s->found, k);
        s->found.bytes += size;
    }
    return rc;
}

enum rc segments_scan_some(struct segments_scan *s, int n, bool *over,
                           struct segments *out)
{
    const char *name = "";
    enum rc rc = RC_OK;
    for (int i = 0; rc == RC_OK && name && i < n; i++) {
        rc = next_entry(s->dir, &name);
        if (rc == RC_OK && name)
            rc = check_segment(s, name);
    }
    if (rc != RC_OK)
        return rc;
    *over = name == NULL;
    if (*over) {
        *out = s->found;
        s->found.bits = NULL;
    }
    return RC_OK;
}

void segments_scan_close(struct segments_scan *s)
{
    if (!s)
        return;
    if (s->dir)
        closedir(s->dir);
    segments_free(&s->found);
    free(s);
}

enum rc segments_remove_some(int dir_fd, int n, bool *over)
{
    const char *name = "";
    DIR *d;
    enum rc rc = open_folder(dir_fd, &d);
    if (rc != RC_OK)
        return rc;
    while (n > 0 && (rc = next_entry(d, &name)) == RC_OK && name) {
        if (number_of(name) < 0)
            continue;
        if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT) {
            rc = RC_IO;
            break;
        }
        n--;
    }
    closedir(d);
    *over = rc == RC_OK && !name;
    return rc;
}

int64_t segments_bytes(int dir_fd, int64_t from, int64_t end)
{
    int64_t bytes = 0;
    char name[32];
    struct stat st;
    for (int64_t k = from; k < end; k++) {
        snprintf(name, sizeof(name), "%" PRId64 ".m4s", k);
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            bytes += st.st_size;
    }
    return bytes;
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

void segments_add(struct segments *s, int64_t k)
{
    if (k < 0 || k >= s->total || segments_has(s, k))
        return;
    s->bits[k / 8] |= (uint8_t)(1 << (k % 8));
    s->done++;
}

void segments_lose(struct segments *s, int64_t k)
{
    if (!segments_has(s, k))
        return;
    s->bits[k / 8] &= (uint8_t) ~(1 << (k % 8));
    s->done--;
}

/* The first one from … end - 1 that exists (or, there false, does not), else end. Eight
 * at a time where it can: a day has 43200 of them. */
static int64_t next_that(const struct segments *s, int64_t from, int64_t end,
                         bool there)
{
    const uint8_t skip = there ? 0x00 : 0xff;
    while (from < end && segments_has(s, from) != there) {
        if (from % 8 == 0 && s->bits[from / 8] == skip)
            from += 8;
        else
            from++;
    }
    return from < end ? from : end;
}

int64_t segments_next_hole(const struct segments *s, int64_t from)
{
    return next_that(s, from, s->total, false);
}

int64_t segments_next_present(const struct segments *s, int64_t from)
{
    return next_that(s, from, s->total, true);
}

bool segments_none(const struct segments *s, int64_t from, int64_t end)
{
    return from >= end || next_that(s, from, end, true) == end;
}
