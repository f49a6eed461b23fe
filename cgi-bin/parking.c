#include "parking.h"

#include "demand_writer.h"
#include "hangups.h"
#include "http.h"
#include "log.h"
#include "media_answer.h"
#include "promise.h"
#include "watcher.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOOK_MS = 500,       /* between looks at the files, should inotify say nothing */
    OTHER_FDS_MAX = 128, /* descriptors for all else: threads, store handles, log */
    CROWD = 64,          /* waits after which it is worth giving their memory back */
};

struct parking {
    const struct app *app;
    struct media_root root;
    char folder[PATH_MAX]; /* htdocs/media */
    struct watcher *watcher;
    struct hangups *hangups;
    struct demand_writer *writer;
    pthread_mutex_t lock; /* of waits, wants, fresh and stopping */
    struct waits *waits;
    bool fresh; /* waits has some that the waker has not asked the store about */
    struct promise_watch *promises; /* the waker's own */
    pthread_t waker;
    int wake_fd; /* tells the waker that the first one waits, or to stop */
    bool stopping;
};

static int64_t now_ms(const struct parking *p)
{
    return p->app->clock.boot_ms(p->app->clock.ctx);
}

/* ---- answers ----------------------------------------------------------------- */

static void answer(const struct parking *p, const struct wait *x)
{
    switch (x->end) {
    case WAIT_CAME:
        media_answer_file(x->request, &p->root, &x->ask.path);
        return;
    case WAIT_GONE:
        http_send_rc(x->request, RC_NOT_FOUND);
        return;
    case WAIT_REPLACED:
        media_answer_replaced(x->request);
        return;
    case WAIT_LEFT: /* it may still listen, as one that has only said all it will */
    case WAIT_EXPIRED:
        media_answer_not_yet(x->request);
    }
}

/* Answers and frees what has been taken out of the table; returns how many it was.
 * Holds no lock: an answer may have to wait for the server. */
static size_t answer_all(struct parking *p, struct wait *ended)
{
    char folder[MEDIA_FOLDER_MAX + 1];
    size_t n = 0;

    while (ended) {
        struct wait *x = ended;
        ended = x->next;
        answer(p, x);
        request_end(x->request);
        media_path_folder(&x->ask.path, folder);
        watcher_drop(p->watcher, folder);
        free(x);
        n++;
    }
    return n;
}

static bool is_there(const struct parking *p, const struct media_path *path)
{
    char file[MEDIA_FILE_MAX + 1], name[sizeof(p->folder) + sizeof(file)];
    struct stat st;

    media_path_file(path, file);
    snprintf(name, sizeof(name), "%s/%s", p->folder, file);
    return stat(name, &st) == 0 && S_ISREG(st.st_mode);
}

/* end: waits_came or waits_gone. */
static void take(struct parking *p,
                 void (*end)(struct waits *w, int64_t now_ms,
                             const struct media_path *path, struct wait **ended),
                 const struct media_path *path, struct wait **ended)
{
    pthread_mutex_lock(&p->lock);
    end(p->waits, now_ms(p), path, ended);
    if (*ended)
        demand_writer_wake(p->writer);
    pthread_mutex_unlock(&p->lock);
}

/* ---- a request that comes ---------------------------------------------------- */

static void wake_waker(struct parking *p)
{
    const uint64_t one = 1;

    if (write(p->wake_fd, &one, sizeof(one)) < 0)
        log_error("eventfd: %s", strerror(errno));
}

/* Into the table: from then on any thread may answer r, even before this returns. */
static enum rc park(struct parking *p, struct request *r, const struct wait_ask *ask)
{
    struct wait *ended = NULL;
    uint64_t id;
    bool first;
    enum rc rc;

    pthread_mutex_lock(&p->lock);
    first = waits_count(p->waits) == 0;
    rc = waits_add(p->waits, now_ms(p), ask, r, &id, &ended);
    if (rc == RC_OK) {
        request_keep(r);
        hangups_add(p->hangups, request_connection(r), id);
        p->fresh = true;
        demand_writer_wake(p->writer);
    }
    pthread_mutex_unlock(&p->lock);
    if (rc == RC_OK && first)
        wake_waker(p);
    answer_all(p, ended);
    return rc;
}

void parking_wait(struct parking *p, struct request *r, const struct wait_ask *ask)
{
    char folder[MEDIA_FOLDER_MAX + 1];
    struct wait *ended = NULL;
    enum rc rc;

    if (is_there(p, &ask->path)) {
        media_answer_file(r, &p->root, &ask->path);
        return;
    }
    /* Watched before it is parked, and looked at after that: whenever the file comes,
     * somebody sees it who also sees the wait. */
    media_path_folder(&ask->path, folder);
    rc = watcher_add(p->watcher, folder);
    if (rc == RC_OK) {
        rc = park(p, r, ask);
        if (rc == RC_OK) {
            if (is_there(p, &ask->path))
                take(p, waits_came, &ask->path, &ended);
            answer_all(p, ended);
            return;
        }
        watcher_drop(p->watcher, folder);
    }
    if (rc == RC_TOO_LARGE)
        media_answer_crowded(r);
    else
        http_send_rc(r, rc);
}

/* ---- the waker --------------------------------------------------------------- */

/* What one round of the waker takes out of the table. */
struct round {
    struct parking *p;
    struct wait *ended;
};

static void on_file(void *arg, const char *folder, const char *name)
{
    struct round *round = arg;
    char url[sizeof("/media/") + MEDIA_FILE_MAX + NAME_MAX];
    struct media_path path;

    /* Nobody waits for what is no segment (a playlist, say). */
    snprintf(url, sizeof(url), "/media/%s/%s", folder, name);
    if (media_path_parse(url, &path) == RC_OK)
        take(round->p, waits_came, &path, &round->ended);
}

static void on_hangup(void *arg, uint64_t id)
{
    struct round *round = arg;
    struct parking *p = round->p;

    pthread_mutex_lock(&p->lock);
    waits_left(p->waits, now_ms(p), id, &round->ended);
    if (round->ended)
        demand_writer_wake(p->writer);
    pthread_mutex_unlock(&p->lock);
}

/* Looks at each file that is waited for, and whether it is still promised; neither the
 * disk nor the store is asked with the lock held. */
static void look(struct round *round)
{
    struct parking *p = round->p;
    struct media_path *files = NULL;
    size_t n = 0;
    bool fresh;
    enum rc rc;

    pthread_mutex_lock(&p->lock);
    rc = waits_files(p->waits, &files, &n);
    fresh = p->fresh;
    p->fresh = p->fresh && rc != RC_OK;
    pthread_mutex_unlock(&p->lock);
    if (n == 0) {
        free(files);
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (is_there(p, &files[i]))
            take(p, waits_came, &files[i], &round->ended);
    n = promise_broken(p->promises, fresh, files, n);
    for (size_t i = 0; i < n; i++)
        take(p, waits_gone, &files[i], &round->ended);
    free(files);
}

/* ms to sleep at most; -1: until something happens. */
static int sleep_ms(struct parking *p, int64_t look_at)
{
    int64_t now = now_ms(p), ms, to_look = look_at > now ? look_at - now : 0;

    pthread_mutex_lock(&p->lock);
    ms = waits_next_expiry(p->waits, now);
    pthread_mutex_unlock(&p->lock);
    return (int)(ms > to_look ? to_look : ms);
}

/* A crowd leaves holes all over the heap; once the last has gone, they go as well. */
static void trim_after_crowd(struct parking *p, size_t *answered)
{
    bool empty;

    pthread_mutex_lock(&p->lock);
    empty = waits_count(p->waits) == 0;
    pthread_mutex_unlock(&p->lock);
    if (!empty || *answered < CROWD)
        return;
    malloc_trim(0);
    *answered = 0;
}

static bool must_stop(struct parking *p)
{
    bool stop;

    pthread_mutex_lock(&p->lock);
    stop = p->stopping;
    pthread_mutex_unlock(&p->lock);
    return stop;
}

static void *wake_up(void *arg)
{
    struct parking *p = arg;
    struct pollfd fds[] = {{.fd = p->wake_fd, .events = POLLIN},
                           {.fd = watcher_fd(p->watcher), .events = POLLIN},
                           {.fd = hangups_fd(p->hangups), .events = POLLIN}};
    int64_t look_at = 0;
    size_t answered = 0;

    while (!must_stop(p)) {
        struct round round = {.p = p};
        bool lost = false;
        uint64_t count;
        poll(fds, 3, sleep_ms(p, look_at));
        if (read(p->wake_fd, &count, sizeof(count)) > 0)
            look_at = now_ms(p) + LOOK_MS;
        watcher_read(p->watcher, on_file, &round, &lost);
        hangups_read(p->hangups, on_hangup, &round);
        if (lost || now_ms(p) >= look_at) {
            look(&round);
            look_at = now_ms(p) + LOOK_MS;
        }
        pthread_mutex_lock(&p->lock);
        waits_expire(p->waits, now_ms(p), &round.ended);
        if (round.ended)
            demand_writer_wake(p->writer);
        pthread_mutex_unlock(&p->lock);
        answered += answer_all(p, round.ended);
        trim_after_crowd(p, &answered);
    }
    return NULL;
}

/* ---- start and end ----------------------------------------------------------- */

/* Each wait holds a descriptor: as many as may be had, and no more waits than that. */
static size_t waits_max(const struct config *config)
{
    struct rlimit limit;
    size_t max = (size_t)config->waits;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return max;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= max + OTHER_FDS_MAX)
        return max;
    max = limit.rlim_cur > 2 * OTHER_FDS_MAX ? limit.rlim_cur - OTHER_FDS_MAX
                                             : OTHER_FDS_MAX;
    log_warn("only %zu requests may wait: the limit on open files is %llu", max,
             (unsigned long long)limit.rlim_cur);
    return max;
}

static enum rc set_folders(struct parking *p)
{
    enum rc rc = site_path(&p->app->site, "htdocs/media", p->folder);

    return rc == RC_OK ? media_root_set(&p->root, &p->app->site) : rc;
}

static enum rc open_parts(struct parking *p)
{
    const struct config *config = &p->app->config;
    const struct waits_limits limits = {
        .total = waits_max(config),
        .per_address = (size_t)config->waits_per_address,
        .wait_ms = config->wait_s * 1000,
    };
    char database[PATH_MAX];
    enum rc rc = set_folders(p);

    if (rc == RC_OK)
        rc = site_path(&p->app->site, "db/dropstream.db", database);
    if (rc == RC_OK)
        rc = waits_open(&limits, &p->waits);
    if (rc == RC_OK)
        rc = watcher_open(p->folder, &p->watcher);
    if (rc == RC_OK)
        rc = hangups_open(&p->hangups);
    if (rc == RC_OK && (p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
        rc = RC_IO;
    if (rc == RC_OK)
        rc = promise_watch_open(database, &p->app->clock, &p->promises);
    /* As plain CGI this is one of several, and the demands of the others count. */
    if (rc == RC_OK)
        rc = demand_writer_open(database, &p->app->clock, fcgi_is_server(),
                                waits_wants(p->waits), &p->lock, &p->writer);
    return rc;
}

static void close_parts(struct parking *p)
{
    demand_writer_close(p->writer);
    promise_watch_close(p->promises);
    watcher_close(p->watcher);
    hangups_close(p->hangups);
    waits_close(p->waits);
    if (p->wake_fd >= 0)
        close(p->wake_fd);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

enum rc parking_open(const struct app *app, struct parking **out)
{
    struct parking *p = calloc(1, sizeof(*p));
    enum rc rc;

    if (!p)
        return RC_NOMEM;
    p->app = app;
    p->wake_fd = -1;
    pthread_mutex_init(&p->lock, NULL);
    rc = open_parts(p);
    if (rc == RC_OK && pthread_create(&p->waker, NULL, wake_up, p) != 0)
        rc = RC_IO;
    if (rc != RC_OK) {
        close_parts(p);
        return rc;
    }
    *out = p;
    return RC_OK;
}

void parking_close(struct parking *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_mutex_unlock(&p->lock);
    wake_waker(p);
    pthread_join(p->waker, NULL);
    close_parts(p);
}
