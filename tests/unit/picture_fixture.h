/*
 * picture_fixture.h: a video with a plan, of which a worker makes pictures; a script
 * stands in for ffmpeg.
 */
#ifndef DROPSTREAM_TEST_PICTURE_FIXTURE_H
#define DROPSTREAM_TEST_PICTURE_FIXTURE_H

#include "feed_fixture.h"

#include "mediadir.h"

#include <sqlite3.h>

#define LATER_MS 60000 /* more than what is postponed waits for */

#define UNBOUNDED "\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"

/* A sheet and the time of its one picture, as picture_stream.h takes them. */
#define SHEETS                                                                         \
    "\x1A\x45\xDF\xA3\x83xyz\x18\x53\x80\x67" UNBOUNDED "\x16\x54\xAE\x6B\x84tttt"     \
    "\x1F\x43\xB6\x75" UNBOUNDED "\xE7\x82\x3E\x80" /* ARGS_PICK_OFFSET_MS */          \
    "\xA3\x89\x81\x00\x00\x80sheet"                                                    \
    "\xA3\x85\x82\x00\x00\x80t"

static struct job job; /* as it began */

/* The one job there is is of this kind, and begins. ffmpeg: what stands in for it. */
static inline void begin_job(enum job_kind kind, const char *ffmpeg)
{
    sqlite3 *db;
    char *sql = sqlite3_mprintf("DELETE FROM jobs; INSERT INTO jobs (video_id, kind,"
                                " priority, created_ms) VALUES (%Q, %Q, 0, 0)",
                                video.id, job_kind_name(kind));
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    sqlite3_free(sql);
    put_file("ffmpeg", ffmpeg, strlen(ffmpeg), 0700);
    w.slots = 1;
    w.stopping = false;
    jobs_look(&w);
    w.stopping = true;
    assert_non_null(w.tasks);
    job = w.tasks->job;
    assert_int_equal(job.kind, kind);
}

static inline bool is_idle(void)
{
    return !w.tasks;
}

static inline void add_one(int fd, const char *name, const void *arg)
{
    (void)fd, (void)name;
    ++**(int *const *)arg;
}

static inline int files_in(int fd)
{
    int n = 0, *p = &n;
    mediadir_each(fd, add_one, &p);
    return n;
}

/* The job has ended, was put off, and begins anew: that was no try. */
static inline void assert_begins_later(void)
{
    assert_int_equal(files_in(w.tmp_fd), 0);
    w.stopping = false;
    jobs_look(&w);
    assert_null(w.tasks); /* not at once */
    fixture_tick(f, LATER_MS);
    jobs_look(&w);
    w.stopping = true;
    assert_non_null(w.tasks);
    assert_int_equal(w.tasks->job.id, job.id);
    assert_int_equal(w.tasks->job.failures, 0);
}

/* What stands in for the two programs that make small pictures: that which makes the
 * sheets gives the file `sheets`, and then does this. */
static inline void sheets_script(char out[2 * PATH_MAX], const char *then)
{
    snprintf(out, 2 * PATH_MAX,
             "#!/bin/sh\ncase \"$*\" in *tile=*) cat >/dev/null; cat %s/sheets; %s;; "
             "esac\n",
             w.site.root, then);
}

#endif
