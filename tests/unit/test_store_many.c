/*
 * test_store_many.c: many processes claim jobs at once, and each job is given to one of
 * them.
 *
 * DROPSTREAM_MANY_JOBS (1000): how many there are; DROPSTREAM_MANY_PROCESSES (16).
 */
#include "check.h"

#include "store_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 100000
#define LEASE_MS 30000 /* of a clock that stands still */

static int setting(const char *name, int fallback)
{
    const char *text = getenv(name);
    int n = text ? atoi(text) : fallback;

    assert_in_range(n, 1, JOBS_MAX);
    return n;
}

/* Claims until nothing is due, and writes down what it got. The last thing of a
 * process. */
static void claim_all(const struct fixture *f, int fd)
{
    struct store *st;
    struct job job;
    enum rc rc = store_open(f->path, &f->clock, &st);

    while (rc == RC_OK) {
        rc = store_job_claim(st, "w", LEASE_MS, STORE_KINDS_ALL, &job);
        if (rc == RC_OK && (job.fence != 1 || store_job_check(st, &job) != RC_OK))
            rc = RC_FENCED;
        if (rc == RC_BUSY) {
            rc = RC_OK;
            continue;
        }
        if (rc == RC_OK && write(fd, &job.id, sizeof(job.id)) != sizeof(job.id))
            rc = RC_IO;
    }
    _exit(rc == RC_NOT_FOUND ? 0 : 1);
}

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void no_job_is_claimed_twice_and_none_is_left(void **state)
{
    struct fixture *f = *state;
    static int64_t ids[JOBS_MAX + 1];
    int jobs = setting("DROPSTREAM_MANY_JOBS", 1000);
    int processes = setting("DROPSTREAM_MANY_PROCESSES", 16);
    char path[PATH_MAX + 32];

    for (int i = 0; i < jobs; i++)
        fixture_stored(f, "clip");
    store_close(f->st); /* a handle must not be taken through a fork */
    snprintf(path, sizeof(path), "%s/claimed", f->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (int i = 0; i < processes; i++) {
        pid_t pid = fork();
        if (pid == 0)
            claim_all(f, fd);
        assert_true(pid > 0);
    }
    int failed = 0, status;
    while (wait(&status) > 0)
        failed += status != 0;
    f->st = fixture_handle(f);
    assert_int_equal(failed, 0);

    ssize_t n = pread(fd, ids, sizeof(ids), 0);
    close(fd);
    assert_int_equal(n, jobs * (ssize_t)sizeof(ids[0]));
    qsort(ids, (size_t)jobs, sizeof(ids[0]), by_id);
    for (int i = 1; i < jobs; i++)
        assert_true(ids[i - 1] < ids[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_job_is_claimed_twice_and_none_is_left,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
