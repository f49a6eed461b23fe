#include "arrival_priv.h"

#include "encode.h"
#include "io.h"
#include "log.h"
#include "mediadir.h"
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
#define ASLEEP_MS 30000 /* without a byte */

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

const char *arrival_refusal(const struct arrival *a)
{
    return a->state == HEADER_REFUSED ? arrival_header_reason(a->header) : NULL;
}

const char *arrival_url(const struct arrival *a)
{
    return a->url[0] ? a->url : NULL;
}

const char *arrival_head_path(const struct arrival *a)
{
    return a->url[0] ? a->head_path : NULL;
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

int64_t arrival_segments(int64_t reach_us, const struct grid *g)
{
    return reach_us == ARRIVAL_ALL
               ? grid_segments(g)
               : grid_segments_before(g, reach_us - ARRIVAL_MARGIN_US);
}

int64_t arrival_segments_copied(int64_t reach_us, const struct bounds *b)
{
    return reach_us == ARRIVAL_ALL
               ? b->n
               : bounds_segments_before(b, reach_us - ARRIVAL_MARGIN_US);
}

bool arrival_is_asleep(const struct arrival *a)
{
    return a->state == HEADER_REFUSED ||
           (!a->whole && loop_now_ms() - a->grown_ms >= ASLEEP_MS);
}

enum rc arrival_packets(const struct arrival *a, const struct media_info *info,
                        struct packet_scan *out)
{
    return arrival_header_packets(a->header, info, out);
}

const struct mp4_index *arrival_index(const struct arrival *a)
{
    return arrival_header_index(a->header);
}

enum rc arrival_keyframes(const struct arrival *a, int stream, struct seek_points *sp)
{
    return arrival_header_keyframes(a->header, stream, sp);
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

void arrival_remove(struct arrival *a)
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
        arrival_remove(a);
}

/* ---- how far it is ------------------------------------------------------------ */

/* ffmpeg is to see one file that can be searched: the head that was put together here,
 * and then the bytes of the growing one. */
static enum rc make_url(struct arrival *a)
{
    size_t n;
    int64_t offset, end, written = 0;
    char name[ID_LEN + STORE_OWNER_MAX + 16];
    const uint8_t *head = arrival_header_head(a->header, &n, &offset, &end);
    if (!head)
        return RC_OK;
    if (strchr(a->path, '|')) /* which is what parts are told apart by */
        return RC_UNSUPPORTED;
    /* Each worker has its own: it goes when its worker does. */
    snprintf(name, sizeof(name), "tmp/" MEDIADIR_TMP_PREFIX "%s.%s", a->video.id,
             a->all->w->owner);
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

/* The same is found, and then for good, when it is whole. */
static void tell_refused(const struct arrival *a)
{
    const char *why = arrival_header_reason(a->header);
    log_info("video %s: %s", a->video.id, why);
    enum rc rc = store_video_warn(a->all->w->store, a->video.id, why);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        log_warn("video %s: cannot keep a warning: %s", a->video.id, rc_name(rc));
}

static void read_header(struct arrival *a)
{
    a->state = arrival_header_read(a->header, a->seen);
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
    } else if (a->state == HEADER_REFUSED) {
        tell_refused(a);
    }
}

static void on_sleep(void *arg)
{
    struct arrival *a = arg;
    if (a->state == HEADER_KNOWN) /* all others tell of no reach */
        encode_arrived(a->all->w, a);
}

static void on_look(void *arg);

/* The header has not been through with what is there. */
static void look_again(struct arrival *a)
{
    int64_t ms = arrival_header_again_ms(a->header);
    if (ms >= 0)
        loop_timer_set(a->all->w->loop, &a->look, ms, on_look, a);
}

static void grow(struct arrival *a, int64_t size)
{
    if (size <= a->seen && arrival_header_again_ms(a->header) < 0)
        return;
    if (size > a->seen) {
        a->seen = size;
        a->grown_ms = loop_now_ms();
        loop_timer_set(a->all->w->loop, &a->sleep, ASLEEP_MS, on_sleep, a);
    }
    if (a->state == HEADER_LOOKING) {
        read_header(a);
    } else if (a->state == HEADER_KNOWN) {
        a->state = arrival_header_read(a->header, a->seen);
        if (a->state == HEADER_REFUSED) {
            tell_refused(a);
            encode_arrived(a->all->w, a);
        }
    }
    a->size = arrival_header_size(a->header);
    look_again(a);
    if (a->state != HEADER_KNOWN)
        return;
    encode_arrived(a->all->w, a);
    if (a->receiving)
        arrival_tell(a);
}

/* All of it is there: whoever holds it may have that once all was counted. */
static void finish(struct arrival *a)
{
    grow(a, a->video.size);
    a->whole = a->state == HEADER_KNOWN && a->size == a->video.size;
    a->counting = a->state == HEADER_KNOWN && !a->whole &&
                  arrival_header_again_ms(a->header) >= 0;
    encode_arrived(a->all->w, a);
}

/* How many bytes are there that are sure to stay. Whoever writes bytes whose checksum
 * is still to be looked at has said so in the row before, and takes that back after
 * what was wrong of them is cut off: so the size is asked for before the row and after
 * it. */
static int64_t checked_size(struct arrival *a)
{
    struct video v;
    struct stat before, after;
    int64_t size;
    a->held_back = false;
    if (fstat(a->fd, &before) < 0)
        return a->size;
    size = before.st_size;
    if (!a->video.upload_id[0])
        return size;
    if (store_video_get(a->all->w->store, a->video.id, &v) != RC_OK ||
        fstat(a->fd, &after) < 0)
        return a->size;
    if (after.st_size < size)
        size = after.st_size;
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
    arrival_look(arg);
}

void arrival_look_soon(struct arrival *a)
{
    if (!a->look.is_set)
        loop_timer_set(a->all->w->loop, &a->look, LOOK_MS, on_look, a);
}

void arrival_look(struct arrival *a)
{
    bool watching;
    if (a->counting) {
        finish(a);
        if (!a->counting) {
            encode_schedule_soon(a->all->w); /* which waited for that */
            arrival_let_go(a);
        }
        return;
    }
    if (!a->receiving || a->state == HEADER_HOPELESS || a->state == HEADER_REFUSED)
        return;
    watching = a->watch >= 0 || watch_for_more(a);
    grow(a, checked_size(a));
    if (!watching && !a->look.is_set)
        loop_timer_set(a->all->w->loop, &a->look, BLIND_MS, on_look, a);
}

/* ---- beginning and settling ------------------------------------------------------ */

/* The index that was sent ahead, NULL if there is none. */
static const char *index_path(const struct arrival *a, char out[PATH_MAX])
{
    if (a->video.index_offset < 0 ||
        spool_index_path(&a->all->w->site, a->video.id, out) != RC_OK ||
        access(out, R_OK) != 0)
        return NULL;
    return out;
}

/* An index is kept in memory, and a second time in the head that is made of it. */
static int64_t index_max(const struct arrival *a)
{
    int64_t max = a->all->w->config.index_max_mb << 20, room = arrivals_room(a->all);
    return max < room / 2 ? max : room / 2;
}

enum rc arrival_open(struct arrival *a)
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
                                   .index_max = index_max(a),
                                   .index_offset = a->video.index_offset};
    return arrival_header_open(&source, &a->header);
}

/* Its row says something else now, or is gone. Only a file that was stored, and of
 * which the row tells the size, is whole: what is still receiving is followed as
 * before. */
void arrival_settle(struct arrival *a)
{
    struct video v;
    struct stat st;
    enum rc rc = store_video_get(a->all->w->store, a->video.id, &v);
    if (rc == RC_OK ? v.state == VIDEO_RECEIVING : rc != RC_NOT_FOUND)
        return;
    a->holders++;
    if (rc == RC_OK && fstat(a->fd, &st) == 0 && st.st_size == v.size &&
        (a->state == HEADER_KNOWN || a->state == HEADER_REFUSED)) {
        a->video.size = v.size;
        finish(a);
    }
    a->receiving = false;
    stop_watching(a);
    if (a->counting)
        look_again(a);
    else
        arrival_let_go(a);
}
