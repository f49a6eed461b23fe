/*
 * main.c: the daemon: reads its options, opens the site, and runs the loop until it is
 * told to stop.
 */
#include "worker.h"

#include "courtesy.h"
#include "disk.h"
#include "grants.h"
#include "jail_start.h"
#include "live.h"
#include "log.h"
#include "mediadir.h"
#include "old_folders.h"
#include "owner.h"
#include "passes.h"
#include "sweep.h"
#include "video_lists.h"
#include "wake.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEAT_MS 10000
#define SWEEP_MS 60000
#define DESCRIPTORS 16384
#define PASSES_MS 3600000
#define CHECKPOINT_MS 10000
#define CHECKPOINT_BYTES (1 << 20) /* of WAL; less waits until nothing is running */
#define STOP_MS 5000               /* for the children to go; they were killed */

struct options {
    const char *site;
    char *get;
    bool live;
};

/* Everything that lives as long as the daemon. */
struct daemon {
    struct worker w;
    struct wake *wake;
    struct live *live;
    struct grants *grants;
    struct passes *passes;
    struct disk *disk;
    struct loop_source *signals;
    struct loop_timer beat, sweep, checkpoint, stop;
    int signal_fd, lock_fd;
    char jail_lacks[JAIL_LACKS_MAX + 1];
    char refusal[STORE_TEXT_MAX + 1]; /* why it does not start; "": no such reason */
    bool started;
};

static void usage(FILE *to)
{
    fputs("usage: dropstream-worker [--site DIR] [--live] [--get KEY,…] [--help]\n"
          "  --site DIR  the site (default: $DROPSTREAM_SITE, else where the program "
          "is)\n"
          "  --live      show what happens on standard output\n"
          "  --get KEY,… print the value of each of these configuration keys on a line "
          "of its own, and end\n",
          to);
}

/* 0: go on; else the exit status plus one. */
static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"site", required_argument, NULL, 's'},
                                          {"live", no_argument, NULL, 'l'},
                                          {"get", required_argument, NULL, 'g'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 's':
            o->site = optarg;
            break;
        case 'l':
            o->live = true;
            break;
        case 'g':
            o->get = optarg;
            break;
        case 'h':
            usage(stdout);
            return 1;
        default:
            usage(stderr);
            return 3;
        }
    }
    if (optind == argc)
        return 0;
    usage(stderr);
    return 3;
}

/* ---- housekeeping ------------------------------------------------------- */

static void on_beat(void *arg)
{
    struct daemon *d = arg;
    int jobs = 0;
    loop_timer_set(d->w.loop, &d->beat, BEAT_MS, on_beat, d);
    enum rc rc =
        store_worker_beat(d->w.store, d->w.owner, (int)getpid(), d->jail_lacks);
    if (rc != RC_OK)
        log_error("cannot say that this worker lives: %s (%s)", rc_name(rc),
                  store_message(d->w.store));
    if (owner_bury_dead(&d->w.site, d->w.store, &jobs) == RC_OK && jobs > 0) {
        log_info("took over %d jobs of a dead worker", jobs);
        jobs_look(&d->w);
    }
}

static void on_sweep(void *arg)
{
    struct daemon *d = arg;
    loop_timer_set(d->w.loop, &d->sweep, SWEEP_MS, on_sweep, d);
    sweep_leftovers(&d->w);
    grants_sweep(d->grants);
}

static int64_t wal_bytes(const struct site *site)
{
    char path[PATH_MAX];
    struct stat st;
    if (site_path(site, "db/dropstream.db-wal", path) != RC_OK || stat(path, &st) < 0)
        return 0;
    return st.st_size;
}

static void on_checkpoint(void *arg)
{
    struct daemon *d = arg;
    loop_timer_set(d->w.loop, &d->checkpoint, CHECKPOINT_MS, on_checkpoint, d);
    int64_t bytes = wal_bytes(&d->w.site);
    if (bytes == 0 || (bytes < CHECKPOINT_BYTES && d->w.running > 0))
        return;
    if (!owner_may_checkpoint(&d->w.site))
        return;
    enum rc rc = store_checkpoint(d->w.store);
    if (rc != RC_OK && rc != RC_BUSY)
        log_error("cannot checkpoint: %s (%s)", rc_name(rc), store_message(d->w.store));
}

static void on_changed(void *arg)
{
    struct daemon *d = arg;
    grants_look(d->grants);
    passes_changed(d->passes);
    disk_changed(d->disk);
    jobs_look(&d->w);
    live_changed(d->live);
}

/* ---- signals and the end ------------------------------------------------ */

static void on_stop_timeout(void *arg)
{
    struct daemon *d = arg;
    log_warn("children did not end in time");
    loop_stop(d->w.loop);
}

static void stop(struct daemon *d)
{
    if (d->w.stopping)
        return;
    log_info("stopping, %d jobs go back to the queue", d->w.running);
    d->w.stopping = true;
    jobs_stop_all(&d->w);
    if (d->w.running == 0)
        loop_stop(d->w.loop);
    loop_timer_set(d->w.loop, &d->stop, STOP_MS, on_stop_timeout, d);
}

static void on_signal(void *arg)
{
    struct daemon *d = arg;
    struct signalfd_siginfo info;
    while (read(d->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            supervise_reap_all();
        else
            stop(d);
    }
}

static enum rc watch_signals(struct daemon *d)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return RC_IO;
    d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (d->signal_fd < 0)
        return RC_IO;
    return loop_watch(d->w.loop, d->signal_fd, on_signal, d, &d->signals);
}

/* ---- start -------------------------------------------------------------- */

/* What waits for a slow disk has its files open. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warn("no more than %ju files can be open", (uintmax_t)limit.rlim_cur);
}

static enum rc load(const struct options *o, struct site *site, struct config *config)
{
    char path[PATH_MAX], err[512];
    enum rc rc = o->site ? site_at(o->site, site) : site_find(site);
    if (rc != RC_OK) {
        fprintf(stderr, "dropstream-worker: no site here: give --site DIR\n");
        return rc;
    }
    rc = site_path(site, "etc/dropstream.conf", path);
    if (rc == RC_OK)
        rc = config_load(path, config, err, sizeof(err));
    if (rc == RC_INVALID)
        fprintf(stderr, "dropstream-worker: %s\n", err);
    else if (rc != RC_OK)
        fprintf(stderr, "dropstream-worker: cannot read %s: %s\n", path, rc_name(rc));
    return rc;
}

/* No value holds the end of a line. */
static int print_keys(const struct config *config, char *keys)
{
    char value[PATH_MAX], *key;

    while ((key = strsep(&keys, ","))) {
        if (config_get(config, key, value, sizeof(value)) != RC_OK) {
            fprintf(stderr, "dropstream-worker: no configuration key \"%s\"\n", key);
            return 2;
        }
        puts(value);
    }
    return 0;
}

static enum rc open_store(struct worker *w)
{
    char path[PATH_MAX];
    enum rc rc = clock_system(&w->clock);
    if (rc == RC_OK)
        rc = site_path(&w->site, "db/dropstream.db", path);
    if (rc == RC_OK)
        rc = store_open(path, &w->clock, &w->store);
    if (rc == RC_NETFS)
        log_error("%s lies on a network file system: SQLite's locks are not safe there",
                  path);
    else if (rc != RC_OK)
        log_error("cannot open the database: %s", rc_name(rc));
    return rc;
}

static void say_started(struct daemon *d)
{
    struct worker *w = &d->w;
    d->started = true;
    store_activity_add(w->store, ACTIVITY_INFO, "worker", NULL, "Worker started");
    log_info("worker started: site %s, %d jobs at once", w->site.root, w->slots);
}

/* Whoever starts it may try so again and again: it leaves one row, whatever it does. */
static void refuse(struct daemon *d)
{
    snprintf(d->refusal, sizeof(d->refusal),
             "A jail is required (see the setting `jail`), so no worker runs. %s",
             d->jail_lacks);
    enum rc rc = store_worker_refused(d->w.store, d->refusal);
    if (rc != RC_OK)
        log_error("cannot tell the site why: %s (%s)", rc_name(rc),
                  store_message(d->w.store));
}

static enum rc open_jail(struct daemon *d)
{
    enum rc rc = jail_start(&d->w.config, &d->w.site, &d->w.jail, d->jail_lacks);
    if (rc == RC_UNSUPPORTED)
        refuse(d);
    else if (*d->jail_lacks)
        log_warn("%s", d->jail_lacks);
    return rc;
}

static enum rc start(struct daemon *d, const struct options *o)
{
    struct worker *w = &d->w;
    int jobs = 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    w->slots =
        w->config.jobs > 0 ? (int)w->config.jobs : (int)(cores > 0 ? cores : 1) + 1;
    allow_descriptors();
    enum rc rc = open_store(w);
    if (rc == RC_OK)
        rc = loop_open(&w->loop);
    if (rc == RC_OK)
        rc = watch_signals(d);
    if (courtesy_of_session((int)w->config.nice) != RC_OK)
        log_warn("encoders stand back for the worker's own session only");
    /* Its memory is out of reach of whatever else runs as this user; and its own files
     * in /proc are root's from here on. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (rc == RC_OK)
        rc = owner_claim(&w->site, w->owner, &d->lock_fd);
    if (rc == RC_OK)
        rc = owner_bury_dead(&w->site, w->store, &jobs);
    /* What others left in tmp is theirs while they live. */
    if (rc == RC_OK)
        rc = mediadir_open_tmp(&w->site, owner_may_checkpoint(&w->site), &w->tmp_fd);
    if (rc == RC_OK)
        rc = syncer_open(w->loop, &w->syncer);
    if (rc == RC_OK)
        rc = staging_open(w->loop, w->syncer, w->tmp_fd, &w->staging);
    if (rc == RC_OK)
        rc = open_jail(d);
    if (rc == RC_OK)
        rc = arrivals_open(w, &w->arrivals);
    if (rc == RC_OK)
        rc = grants_open(w, &d->grants);
    if (rc == RC_OK)
        rc = passes_open(w, PASSES_MS, &d->passes);
    if (rc == RC_OK)
        rc = disk_open(w, &d->disk);
    if (rc == RC_OK)
        rc = wake_open(w->loop, &w->site, w->store, w->config.poll_ms, on_changed, d,
                       &d->wake);
    if (rc == RC_OK && o->live)
        rc = live_open(w, &d->live);
    if (rc != RC_OK)
        return rc;
    say_started(d);
    on_beat(d);
    on_sweep(d);
    on_changed(d);
    loop_timer_set(w->loop, &d->checkpoint, CHECKPOINT_MS, on_checkpoint, d);
    return RC_OK;
}

/* Jobs whose end could not be told are free with it. False: they are not, and the next
 * worker finds it dead. */
static bool say_stopped(const struct daemon *d)
{
    const struct worker *w = &d->w;
    int jobs;
    if (store_job_release_owner(w->store, w->owner, &jobs) != RC_OK)
        return false;
    if (d->started)
        store_activity_add(w->store, ACTIVITY_INFO, "worker", NULL, "Worker stopped");
    return store_worker_gone(w->store, w->owner) == RC_OK;
}

static void end(struct daemon *d)
{
    struct worker *w = &d->w;
    lists_close(w);
    old_folders_close(w);
    sweep_close(w);
    staging_close(w->staging);
    bool told = w->store && d->lock_fd >= 0 && say_stopped(d);
    live_close(d->live);
    wake_close(d->wake);
    disk_close(d->disk);
    passes_close(d->passes);
    grants_close(d->grants);
    loop_unwatch(w->loop, d->signals);
    if (told)
        owner_release(&w->site, w->owner, d->lock_fd);
    /* Last, as it may have to wait for a disk, and whoever stops us may not. */
    syncer_close(w->syncer);
    arrivals_close(w->arrivals);
    jail_close(w->jail);
    free(w->demands);
    store_close(w->store);
    loop_close(w->loop);
}

/* So that no file of ours ever gets the number of a standard stream. */
static void hold_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* live: the log is a file, and who waits for the worker looks elsewhere. */
static void say_not_started(const char *why, bool live)
{
    log_error("cannot start: %s", why);
    if (live)
        fprintf(stderr, "dropstream-worker: cannot start: %s\n", why);
}

int main(int argc, char **argv)
{
    static struct daemon d = {.signal_fd = -1, .lock_fd = -1, .w.tmp_fd = -1};
    struct options o = {0};
    hold_standard_streams();
    int stop_with = read_options(argc, argv, &o);
    if (stop_with)
        return stop_with - 1;
    if (load(&o, &d.w.site, &d.w.config) != RC_OK)
        return 1;
    if (o.get)
        return print_keys(&d.w.config, o.get);

    log_open("worker", d.w.config.log_level);
    if (o.live) {
        char path[PATH_MAX];
        if (site_path(&d.w.site, "log/worker.log", path) != RC_OK ||
            log_to_file(path) < 0)
            fprintf(stderr, "dropstream-worker: cannot write log/worker.log: %s\n",
                    strerror(errno));
    }
    enum rc rc = start(&d, &o);
    if (rc == RC_OK)
        rc = loop_run(d.w.loop);
    else
        say_not_started(*d.refusal ? d.refusal : rc_name(rc), o.live);
    end(&d);
    return rc == RC_OK ? 0 : 1;
}
