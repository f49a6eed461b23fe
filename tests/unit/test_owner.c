/*
 * Workers are played by child processes: a lock that the kernel drops when its holder
 * dies can only be seen from outside.
 */
#include "owner.h"
#include "store_fixture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct site site;

static int setup(void **state)
{
    fixture_setup(state);
    struct fixture *f = *state;
    char path[PATH_MAX];
    strcpy(site.root, f->dir);
    assert_int_equal(site_path(&site, "run", path), RC_OK);
    assert_int_equal(mkdir(path, 0700), 0);
    return 0;
}

static bool there(const char *owner)
{
    char name[128], path[PATH_MAX];
    snprintf(name, sizeof(name), "run/%s.lock", owner);
    assert_int_equal(site_path(&site, name, path), RC_OK);
    return access(path, F_OK) == 0;
}

struct child {
    pid_t pid;
    char answer[STORE_OWNER_MAX + 1];
};

/* Starts a child that sends the text that fn makes, and then lives until it is killed.
 */
static struct child child_start(void (*fn)(char answer[STORE_OWNER_MAX + 1]))
{
    struct child c = {.answer = ""};
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    c.pid = fork();
    assert_true(c.pid >= 0);
    if (c.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        fn(c.answer);
        if (write(fds[1], c.answer, sizeof(c.answer)) != sizeof(c.answer))
            _exit(1);
        for (;;)
            pause();
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], c.answer, sizeof(c.answer)), sizeof(c.answer));
    close(fds[0]);
    return c;
}

static void child_kill(const struct child *c)
{
    assert_int_equal(kill(c->pid, SIGKILL), 0);
    assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
}

static void claim(char answer[STORE_OWNER_MAX + 1])
{
    int fd;
    if (owner_claim(&site, answer, &fd) != RC_OK)
        strcpy(answer, "no claim");
}

static void checkpoint(char answer[STORE_OWNER_MAX + 1])
{
    bool first = owner_may_checkpoint(&site);
    snprintf(answer, STORE_OWNER_MAX + 1, "%d%d", first, owner_may_checkpoint(&site));
}

static int bury(struct fixture *f)
{
    int jobs = -1;
    assert_int_equal(owner_bury_dead(&site, f->st, &jobs), RC_OK);
    return jobs;
}

/* ---- who lives ---------------------------------------------------------- */

static void each_worker_has_a_name_of_its_own_and_a_file(void **state)
{
    (void)state;
    char a[STORE_OWNER_MAX + 1], b[STORE_OWNER_MAX + 1];
    int fd_a, fd_b;
    assert_int_equal(owner_claim(&site, a, &fd_a), RC_OK);
    assert_int_equal(owner_claim(&site, b, &fd_b), RC_OK);
    assert_string_not_equal(a, b);
    assert_true(there(a) && there(b));
    owner_release(&site, a, fd_a);
    assert_true(!there(a) && there(b));
    owner_release(&site, b, fd_b);
    assert_false(there(b));
}

static void a_dead_workers_jobs_are_free_at_once(void **state)
{
    struct fixture *f = *state;
    int64_t age;
    struct child worker = child_start(claim);
    fixture_stored(f, "Film");
    struct job held = fixture_claim(f, worker.answer);
    assert_int_equal(store_worker_beat(f->st, worker.answer, worker.pid, ""), RC_OK);

    child_kill(&worker);
    assert_nothing_due(f); /* the lease alone would go on for 30 s */
    assert_int_equal(bury(f), 1);
    assert_false(there(worker.answer));
    assert_int_equal(store_worker_age(f->st, &age), RC_NOT_FOUND);
    struct job again = fixture_claim(f, "w");
    assert_int_equal(again.id, held.id);
    assert_fenced(f, &held);
    assert_int_equal(bury(f), 0);
}

static void a_living_worker_keeps_its_jobs(void **state)
{
    struct fixture *f = *state;
    int64_t age;
    struct child worker = child_start(claim);
    fixture_stored(f, "Film");
    struct job held = fixture_claim(f, worker.answer);
    assert_int_equal(store_worker_beat(f->st, worker.answer, worker.pid, ""), RC_OK);

    assert_int_equal(bury(f), 0);
    assert_true(there(worker.answer));
    assert_int_equal(store_job_check(f->st, &held), RC_OK);
    assert_int_equal(store_worker_age(f->st, &age), RC_OK);
    assert_nothing_due(f);
    child_kill(&worker);
}

static void only_the_dead_one_of_two_is_buried(void **state)
{
    struct fixture *f = *state;
    struct child dead = child_start(claim), alive = child_start(claim);
    fixture_stored(f, "Lost");
    struct job lost = fixture_claim(f, dead.answer);
    fixture_stored(f, "Kept");
    struct job kept = fixture_claim(f, alive.answer);

    child_kill(&dead);
    assert_int_equal(bury(f), 1);
    assert_true(there(alive.answer));
    assert_int_equal(store_job_check(f->st, &kept), RC_OK);
    assert_int_equal(fixture_claim(f, "w").id, lost.id);
    child_kill(&alive);
}

/* A worker looks for the dead while it holds its own lock. */
static void a_worker_does_not_bury_itself(void **state)
{
    struct fixture *f = *state;
    char name[STORE_OWNER_MAX + 1];
    int fd;
    assert_int_equal(owner_claim(&site, name, &fd), RC_OK);
    fixture_stored(f, "Film");
    struct job held = fixture_claim(f, name);
    assert_int_equal(bury(f), 0);
    assert_true(there(name));
    assert_int_equal(store_job_check(f->st, &held), RC_OK);
    owner_release(&site, name, fd);
}

static void files_of_other_kinds_are_left_alone(void **state)
{
    static const char *const names[] = {
        "worker-",
        "worker-abc",
        "worker-aaaaaaaaaaaaaaa1",
        "worker-aaaaaaaaaaaaaaaaa",
        "checkpoint",
        "lighttpd-aaaaaaaaaaaaaaaa",
    };
    struct fixture *f = *state;
    const size_t n = sizeof(names) / sizeof(*names);
    for (size_t i = 0; i < n; i++) {
        char name[128], path[PATH_MAX];
        snprintf(name, sizeof(name), "run/%s.lock", names[i]);
        assert_int_equal(site_path(&site, name, path), RC_OK);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
    }
    assert_int_equal(bury(f), 0);
    for (size_t i = 0; i < n; i++)
        assert_true(there(names[i]));
}

static void a_site_without_its_run_folder_is_an_error(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX], name[STORE_OWNER_MAX + 1];
    int fd = -7, jobs = -7;
    assert_int_equal(site_path(&site, "run", path), RC_OK);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(owner_claim(&site, name, &fd), RC_IO);
    assert_int_equal(owner_bury_dead(&site, f->st, &jobs), RC_IO);
    assert_int_equal(fd, -7);
    assert_int_equal(jobs, -7);
}

/* ---- who may checkpoint ------------------------------------------------- */

static void one_process_at_a_time_may_checkpoint(void **state)
{
    (void)state;
    struct child first = child_start(checkpoint);
    assert_string_equal(first.answer, "11");
    struct child second = child_start(checkpoint);
    assert_string_equal(second.answer, "00");

    child_kill(&second);
    child_kill(&first);
    struct child third = child_start(checkpoint);
    assert_string_equal(third.answer, "11");
    child_kill(&third);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_worker_has_a_name_of_its_own_and_a_file),
        TEST(a_dead_workers_jobs_are_free_at_once),
        TEST(a_living_worker_keeps_its_jobs),
        TEST(only_the_dead_one_of_two_is_buried),
        TEST(a_worker_does_not_bury_itself),
        TEST(files_of_other_kinds_are_left_alone),
        TEST(a_site_without_its_run_folder_is_an_error),
        TEST(one_process_at_a_time_may_checkpoint),
    };
    return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
