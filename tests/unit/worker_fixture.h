/*
 * worker_fixture.h: a worker that has a site of one's own, its store and its loop, and
 * does nothing but what a test has it do.
 */
#ifndef DROPSTREAM_TEST_WORKER_FIXTURE_H
#define DROPSTREAM_TEST_WORKER_FIXTURE_H

#include "accounts_fixture.h"
#include "loop_turns.h"

#include "log.h"
#include "worker.h"

#include <sys/stat.h>
#include <unistd.h>

/* More than there are bits in whatever a test has done bit by bit. */
#define BITS_MAX 30

static struct fixture *f;
static struct worker w;
static int media_fd; /* of htdocs/media */

static inline void worker_fixture_setup(void **state)
{
    char path[PATH_MAX + 16];

    fixture_setup(state);
    f = *state;
    snprintf(path, sizeof(path), "%s/htdocs", f->dir);
    assert_int_equal(mkdir(path, 0755), 0);
    w = (struct worker){.clock = f->clock};
    snprintf(w.site.root, sizeof(w.site.root), "%s", f->dir);
    assert_int_equal(site_open_media(&w.site, &media_fd), RC_OK);
    w.store = fixture_handle(f);
    assert_int_equal(loop_open(&w.loop), RC_OK);
    log_open("test", LOG_ERROR);
}

static inline int worker_fixture_teardown(void **state)
{
    loop_close(w.loop);
    store_close(w.store);
    close(media_fd);
    return fixture_teardown(state);
}

/* A path of the site; the next one takes its place. */
static inline const char *worker_fixture_path(const char *name)
{
    static char path[PATH_MAX];

    assert_int_equal(site_path(&w.site, name, path), RC_OK);
    return path;
}

/* To the end of what is done bit by bit. */
static inline void turn_to_the_end(void)
{
    loop_turn_times(w.loop, BITS_MAX);
}

#endif
