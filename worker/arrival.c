#include "arrival_priv.h"

#include "encode.h"
#include "io.h"
#include "log.h"
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 20      /* between two looks at a file that grows */
#define BLIND_MS 200    /* likewise, without inotify */
#define MISSING_MS 50   /* until the next look for a file that is not there yet */
#define ASLEEP_MS 30000 /* without a byte */
#define TELL_MS 1000    /* between two notes in the store of how far it is */
/* What has to be there beyond the last picture of a segment: a decoder reads ahead, and
 * the picture that follows tells how long the last one is shown. */
#define MARGIN_US 500000

static void look_at(struct arrival *a);

/* ---- what is known of one ------------------------------------------------- */

const char *arrival_id(const struct arrival *a)
{
    return a->video.id;
}

const char *arrival_path(const struct arrival *a)
{
    return a->path;
}

int arrival_fd(const struct arrival *a)
{
    return a->fd;
}

int64_t arrival_size(const struct arrival *a)
{
    return a->size;
}

bool arrival_is_whole(const struct arrival *a)
{
    return a->whole;
}

const char *arrival_url(const struct arrival *a)
{
    return a->url[0] ? a->url : NULL;
}

const uint8_t *arrival_head(const struct arrival *a, size_t *n, int64_t *offset)
{
    int64_t end;
    return arrival_header_head(a->header, n, offset, &end);
}

int64_t arrival_reach_us(const struct arrival *a, int stream)
{
    return a->whole ? ARRIVAL_ALL : arrival_header_reach_us(a->header, stream);
}

bool arrival_is_open(const struct arrival *a)
{
    return arrival_header_is_open(a->header);
}

int64_t arrival_start_us(const struct arrival *a)
{
    return arrival_header_start_us(a->header);
}

int64_t arrival_segments(const struct arrival *a, int stream, const struct grid *g)
{
    int64_t us = arrival_reach_us(a, stream);
    return us == ARRIVAL_ALL ? grid_segments(g)
                             : grid_segments_before(g, us - MARGIN_US);
}

bool arrival_is_asleep(const struct arrival *a)
{
    return !a->whole && loop_now_ms() - a->grown_ms >= ASLEEP_MS;
}

enum rc arrival_packets(const struct arrival *a, const struct media_info *info,
                        struct packet_scan *out)
{
    return arrival_header_packets(a->header, info, out);
}

enum rc arrival_keyframes(const struct arrival *a, int stream, struct seek_points *sp)
{
    return arrival_header_keyframes(a->header, stream, sp);
}

struct arrival *arrivals_find(const struct arrivals *all, const char *video_id)
{
    struct arrival *a = all ? all->list : NULL;
    while (a && (!a->receiving || strcmp(a->video.id, video_id) != 0))
        a = a->next;
    return a && a->state == HEADER_KNOWN ? a : NULL;
}

/* ---- its end ---------------------------------------------------------------- */

static void stop_watching(struct arrival *a)
{
    loop_timer_cancel(a->all->w->loop, &a->look);
    loop_timer_cancel(a->all->w->loop, &a->sleep);
    loop_timer_cancel(a->all->w->loop, &a->tell);
    if (a->watch >= 0)
        inotify_rm_watch(a->all->inotify_fd, a->watch);
    a->watch = -1;
}

static void remove_it(struct arrival *a)
{
    struct arrival **p = &a->all->list;
    while (*p != a)
        p = &(*p)->next;
    *p = a->next;
    stop_watching(a);
    arrival_header_close(a->header);
    if (a->head_path[0])
        unlink(a->head_path);
    if (a->fd >= 0)
        close(a->fd);
    free(a);
}

struct arrival *arrival_hold(struct arrival *a)
{
    a->holders++;
    return a;
}

void arrival_let_go(struct arrival *a)
{
    if (a && --a->holders == 0 && !a->receiving)
        remove_it(a);
}

/* ---- how far it is ------------------------------------------------------------ */

/* How much of the timeline can be shown and heard; -1: there is no plan yet. */
static int64_t arrived_us(const struct arrival *a)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    int64_t least = a->video.duration_us < 0 ? INT64_MAX : a->video.duration_us;
    if (store_renditions(a->all->w->store, a->video.id, all, &n) != RC_OK)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int64_t us = arrival_reach_us(a, all[i].stream);
        if (us < least)
            least = us;
    }
    return n > 0 && least < INT64_MAX ? least : -1;
}

static void tell_store(struct arrival *a);

static void on_tell(void *arg)
{
    tell_store(arg);
}

/* About once a second, and only once there is a plan. */
static void tell_store(struct arrival *a)
{
    struct store *st = a->all->w->store;
    int64_t now = loop_now_ms();
    if (a->state != HEADER_KNOWN || a->tell.is_set)
        return;
    if (now - a->told_ms < TELL_MS) {
        loop_timer_set(a->all->w->loop, &a->tell, TELL_MS - (now - a->told_ms), on_tell,
                       a);
        return;
    }
    a->told_ms = now;
    if (a->video.duration_us < 0 &&
        store_video_get(st, a->video.id, &a->video) != RC_OK)
        return;
    int64_t us = arrived_us(a);
    if (us >= 0 && us != a->told_us &&
        store_video_arrived(st, a->video.id, us) == RC_OK)
        a->told_us = us;
}

/* ffmpeg is to see one file that can be searched: the head that was put together here,
 * and then the bytes of the growing one. */
static enum rc make_url(struct arrival *a)
{
    size_t n;
    int64_t offset, end, written = 0;
    char name[ID_LEN + 16];
    const uint8_t *head = arrival_header_head(a->header, &n, &offset, &end);
    if (!head)
        return RC_OK;
    if (strchr(a->path, '|')) /* which is what parts are told apart by */
        return RC_UNSUPPORTED;
    snprintf(name, sizeof(name), "tmp/%s.head", a->video.id);
    enum rc rc = site_path(&a->all->w->site, name, a->head_path);
    int fd = rc == RC_OK
                 ? open(a->head_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
                 : -1;
    if (fd < 0)
        return rc == RC_OK ? rc_from_errno(errno) : rc;
    rc = io_write_all(fd, head, n, &written);
    if (close(fd) < 0 && rc == RC_OK)
        rc = rc_from_errno(errno);
    if (rc == RC_OK)
        snprintf(a->url, sizeof(a->url),
                 "concat:%s|subfile,,start,%" PRId64 ",end,%" PRId64 ",,:%s",
                 a->head_path, offset, end, a->path);
    return rc;
}

static void read_header(struct arrival *a)
{
    a->state = arrival_header_read(a->header, a->size);
    enum rc made = a->state == HEADER_KNOWN ? make_url(a) : RC_OK;
    if (made != RC_OK) {
        a->state = HEADER_HOPELESS;
        log_warn("video %s: its head cannot be kept: %s", a->video.id, rc_name(made));
    } else if (a->state == HEADER_KNOWN) {
        enum rc rc = store_video_header_arrived(a->all->w->store, a->video.id);
        if (rc != RC_OK && rc != RC_EXISTS && rc != RC_NOT_FOUND)
            log_warn("video %s: cannot queue its probe: %s", a->video.id, rc_name(rc));
        jobs_look_soon(a->all->w);
    } else if (a->state == HEADER_HOPELESS) {
        log_info("video %s: %s", a->video.id, arrival_header_reason(a->header));
    }
}

static void on_sleep(void *arg)
{
    struct arrival *a = arg;
    encode_arrived(a->all->w, a);
}

static void grow(struct arrival *a, int64_t size)
{
    if (size <= a->size)
        return;
    a->size = size;
    a->grown_ms = loop_now_ms();
    loop_timer_set(a->all->w->loop, &a->sleep, ASLEEP_MS, on_sleep, a);
    if (a->state == HEADER_LOOKING)
        read_header(a);
    else if (a->state == HEADER_KNOWN)
        arrival_header_read(a->header, size);
    if (a->state != HEADER_KNOWN)
        return;
    encode_arrived(a->all->w, a);
    tell_store(a);
}

/* Of size bytes that are there, those that are sure to stay. Whoever writes bytes whose
 * checksum is still to be looked at has said so in the row before. */
static int64_t checked(struct arrival *a, int64_t size)
{
    struct video v;
    a->held_back = false;
    if (!a->video.upload_id[0])
        return size;
    if (store_video_get(a->all->w->store, a->video.id, &v) != RC_OK)
        return a->size;
    a->held_back = v.unchecked_from >= 0 && v.unchecked_from < size;
    return a->held_back ? v.unchecked_from : size;
}

/* Asks for one event, and none more until the next look: however fast bytes come in. */
static bool watch_for_more(struct arrival *a)
{
    char name[32];
    if (a->all->inotify_fd < 0)
        return false;
    snprintf(name, sizeof(name), "/proc/self/fd/%d", a->fd); /* whatever it is called */
    a->watch = inotify_add_watch(a->all->inotify_fd, name, IN_MODIFY | IN_ONESHOT);
    return a->watch >= 0;
}

static void on_look(void *arg)
{
    look_at(arg);
}

static void look_at(struct arrival *a)
{
    struct stat st;
    bool watching;
    if (!a->receiving || a->state == HEADER_HOPELESS)
        return;
    watching = a->watch >= 0 || watch_for_more(a);
    if (fstat(a->fd, &st) == 0)
        grow(a, checked(a, st.st_size));
    if (!watching)
        loop_timer_set(a->all->w->loop, &a->look, BLIND_MS, on_look, a);
}

static void on_inotify(void *arg)
{
    struct arrivals *all = arg;
    char buf[4096] __attribute__((aligned(8)));
    ssize_t n;
    while ((n = read(all->inotify_fd, buf, sizeof(buf))) > 0) {
        for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
            const struct inotify_event *ev = (const void *)(buf + at);
            at += (ssize_t)(sizeof(*ev) + ev->len);
            for (struct arrival *a = all->list; a; a = a->next) {
                if (a->watch != ev->wd)
                    continue;
                a->watch = -1;
                if (!a->look.is_set)
                    loop_timer_set(all->w->loop, &a->look, LOOK_MS, on_look, a);
            }
        }
    }
}

/* ---- which there are ------------------------------------------------------------ */

/* The index that was sent ahead, NULL if there is none. */
static const char *index_path(const struct arrival *a, char out[PATH_MAX])
{
    if (a->video.index_offset < 0 ||
        spool_index_path(&a->all->w->site, a->video.id, out) != RC_OK ||
        access(out, R_OK) != 0)
        return NULL;
    return out;
}

static enum rc open_arrival(struct arrival *a)
{
    enum rc rc = spool_part_path(&a->all->w->site, a->video.id, a->path);
    if (rc != RC_OK)
        return rc;
    a->fd = open(a->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (a->fd < 0)
        return rc_from_errno(errno);
    struct header_source source = {.fd = a->fd,
                                   .container = a->video.container,
                                   .file_size = a->video.size,
                                   .index = index_path(a, a->index),
                                   .index_max = a->all->w->config.index_max_mb << 20,
                                   .index_offset = a->video.index_offset};
    return arrival_header_open(&source, &a->header);
}

static void on_retry(void *arg)
{
    arrivals_look(arg);
}

static void begin(struct arrivals *all, const struct video *v)
{
    struct arrival *a = calloc(1, sizeof(*a));
    if (!a)
        return;
    *a = (struct arrival){.next = all->list,
                          .all = all,
                          .video = *v,
                          .fd = -1,
                          .watch = -1,
                          .grown_ms = loop_now_ms(),
                          .told_us = -1,
                          .receiving = true};
    all->list = a;
    enum rc rc = open_arrival(a);
    if (rc == RC_OK) {
        look_at(a);
        return;
    }
    remove_it(a);
    if (rc == RC_NOT_FOUND) /* the row comes a moment before the file */
        loop_timer_set(all->w->loop, &all->retry, MISSING_MS, on_retry, all);
    else
        log_warn("video %s: cannot follow its upload: %s", v->id, rc_name(rc));
}

struct roll {
    struct video seen[ARRIVALS_MAX];
    size_t n;
};

static enum rc call_roll(void *arg, const struct video *v)
{
    struct roll *roll = arg;
    if (v->container != CONTAINER_NONE && roll->n < ARRIVALS_MAX)
        roll->seen[roll->n++] = *v;
    return RC_OK;
}

static bool is_on(const struct roll *roll, const char *id)
{
    for (size_t i = 0; i < roll->n; i++)
        if (strcmp(roll->seen[i].id, id) == 0)
            return true;
    return false;
}

static bool is_followed(const struct arrivals *all, const char *id)
{
    for (const struct arrival *a = all->list; a; a = a->next)
        if (a->receiving && strcmp(a->video.id, id) == 0)
            return true;
    return false;
}

/* One that nothing could be told of, until its index came. */
static void forget_hopeless(struct arrivals *all, const struct video *v)
{
    for (struct arrival *a = all->list, *next; a; a = next) {
        next = a->next;
        if (a->receiving && a->state == HEADER_HOPELESS && a->holders == 0 &&
            a->video.index_offset < 0 && v->index_offset >= 0 &&
            strcmp(a->video.id, v->id) == 0)
            remove_it(a);
    }
}

/* Its row says something else now, or is gone. A file that was stored is whole. */
static void end(struct arrival *a)
{
    struct video v;
    struct stat st;
    bool stored = store_video_get(a->all->w->store, a->video.id, &v) == RC_OK;
    a->holders++;
    if (stored && fstat(a->fd, &st) == 0) {
        a->whole = true;
        if (a->state == HEADER_KNOWN) {
            grow(a, st.st_size);
            encode_arrived(a->all->w, a);
        }
    }
    a->receiving = false;
    stop_watching(a);
    arrival_let_go(a);
}

void arrivals_look(struct arrivals *all)
{
    static struct roll roll; /* large; the worker has one thread */
    roll.n = 0;
    if (store_video_each_receiving(all->w->store, call_roll, &roll) != RC_OK)
        return;
    for (struct arrival *a = all->list, *next; a; a = next) {
        next = a->next;
        if (a->receiving && !is_on(&roll, a->video.id))
            end(a);
    }
    for (struct arrival *a = all->list; a; a = a->next) {
        if (!a->receiving)
            continue;
        tell_store(a); /* it may have got its plan */
        if (a->held_back)
            look_at(a);
    }
    for (size_t i = 0; i < roll.n; i++) {
        forget_hopeless(all, &roll.seen[i]);
        if (!is_followed(all, roll.seen[i].id))
            begin(all, &roll.seen[i]);
    }
    encode_refresh(all->w);
}

enum rc arrivals_open(struct worker *w, struct arrivals **out)
{
    struct arrivals *all = calloc(1, sizeof(*all));
    if (!all)
        return RC_NOMEM;
    all->w = w;
    all->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (all->inotify_fd >= 0 &&
        loop_watch(w->loop, all->inotify_fd, on_inotify, all, &all->source) != RC_OK) {
        close(all->inotify_fd);
        all->inotify_fd = -1;
    }
    *out = all;
    return RC_OK;
}

void arrivals_close(struct arrivals *all)
{
    if (!all)
        return;
    loop_timer_cancel(all->w->loop, &all->retry);
    while (all->list)
        remove_it(all->list);
    loop_unwatch(all->w->loop, all->source);
    if (all->inotify_fd >= 0)
        close(all->inotify_fd);
    free(all);
}
