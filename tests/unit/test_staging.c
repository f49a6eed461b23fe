/* What replaces a file is on disk before it does, and nobody waits for that. */
#include "check.h"
#include "loop_turns.h"

#include "mediadir.h"
#include "tempdir.h"

#include "staging.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- a disk that is slow, or fails ---------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_held;
static int syncs, fails_with;

int fsync(int fd)
{
    pthread_mutex_lock(&lock);
    while (is_held)
        pthread_cond_wait(&changed, &lock);
    syncs++;
    int err = fails_with;
    pthread_mutex_unlock(&lock);
    errno = err;
    return err ? -1 : (int)syscall(SYS_fsync, fd);
}

static void hold(bool on)
{
    pthread_mutex_lock(&lock);
    is_held = on;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static bool had_syncs(int n)
{
    pthread_mutex_lock(&lock);
    bool had = syncs >= n;
    pthread_mutex_unlock(&lock);
    return had;
}

/* ---- a folder -------------------------------------------------------------------- */

static char dir[PATH_MAX];
static int dir_fd, tmp_fd;
static struct loop *loop;
static struct syncer *syncer;
static struct staging *staging;

static int setup(void **state)
{
    (void)state;
    tempdir_make(dir);
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(dir_fd, "tmp", 0700), 0);
    tmp_fd = openat(dir_fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(loop_open(&loop), RC_OK);
    assert_int_equal(syncer_open(loop, &syncer), RC_OK);
    assert_int_equal(staging_open(loop, syncer, tmp_fd, &staging), RC_OK);
    syncs = fails_with = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hold(false);
    staging_close(staging);
    syncer_close(syncer);
    loop_close(loop);
    assert_int_equal(unlinkat(dir_fd, "tmp", AT_REMOVEDIR), 0); /* nothing is left */
    close(tmp_fd);
    close(dir_fd);
    tempdir_remove(dir);
    return 0;
}

static void assert_holds(const char *name, const char *text)
{
    bool exists = false, same = false;
    assert_int_equal(mediafile_holds(dir_fd, name, text, strlen(text), &exists, &same),
                     RC_OK);
    assert_true(same);
}

static enum rc put(const char *name, const char *text, bool *wrote)
{
    return staging_put(staging, dir_fd, name, text, strlen(text), wrote);
}

static void note_one(int fd, const char *name, const void *arg)
{
    (void)fd, (void)name;
    **(bool *const *)arg = false;
}

static bool is_tmp_empty(void)
{
    bool is_empty = true, *p = &is_empty;
    mediadir_each(tmp_fd, note_one, &p);
    return is_empty;
}

/* Somebody who wants a file to hold a text. */
struct wish {
    struct staging_waiter waiter;
    const char *name, *text;
    int asked;
    enum rc rc;
};

static void ask(void *arg)
{
    struct wish *w = arg;
    bool wrote;
    w->asked++;
    w->rc = put(w->name, w->text, &wrote);
    if (w->rc == RC_PENDING)
        staging_wait(staging, &w->waiter, w->name, ask, w);
}

/* ---- tests ------------------------------------------------------------------------
 */

static void a_new_name_is_there_at_once(void **state)
{
    (void)state;
    bool wrote = false;
    hold(true);
    assert_int_equal(put("a", "one", &wrote), RC_OK);
    assert_true(wrote);
    assert_holds("a", "one");
    wrote = false;
    assert_int_equal(put("a", "one", &wrote), RC_OK);
    assert_false(wrote);
}

static void a_file_is_replaced_once_the_other_is_on_disk(void **state)
{
    (void)state;
    bool wrote = false;
    struct wish w = {.name = "a", .text = "two"};
    assert_int_equal(put("a", "one", &wrote), RC_OK);
    hold(true);
    ask(&w);
    assert_int_equal(w.rc, RC_PENDING);
    loop_turn_for(loop, 50);
    assert_int_equal(w.asked, 1);
    assert_holds("a", "one");
    hold(false);
    loop_turn_until(loop, w.rc == RC_OK, "the file to be replaced");
    assert_holds("a", "two");
    assert_true(had_syncs(1));
}

static void those_who_want_different_things_get_them_in_turn(void **state)
{
    (void)state;
    bool wrote;
    struct wish w[] = {{.name = "a", .text = "two"},
                       {.name = "a", .text = "three"},
                       {.name = "b", .text = "two"}};
    assert_int_equal(put("a", "one", &wrote), RC_OK);
    assert_int_equal(put("b", "one", &wrote), RC_OK);
    for (size_t i = 0; i < 3; i++)
        ask(&w[i]);
    for (size_t i = 0; i < 3; i++)
        loop_turn_until(loop, w[i].rc == RC_OK, "wish %zu", i);
    assert_holds("b", "two");
}

static void what_nobody_asks_for_again_is_dropped(void **state)
{
    (void)state;
    bool wrote;
    assert_int_equal(put("a", "one", &wrote), RC_OK);
    assert_int_equal(put("a", "two", &wrote), RC_PENDING);
    loop_turn_until(loop, is_tmp_empty(), "it to be dropped");
    assert_holds("a", "one");
    assert_int_equal(put("a", "two", &wrote), RC_PENDING);
}

static void who_is_forgotten_is_not_called(void **state)
{
    (void)state;
    bool wrote;
    struct wish gone = {.name = "a", .text = "two"},
                other = {.name = "b", .text = "two"};
    assert_int_equal(put("a", "one", &wrote), RC_OK);
    assert_int_equal(put("b", "one", &wrote), RC_OK);
    ask(&gone);
    ask(&other);
    staging_forget(staging, &gone.waiter);
    staging_forget(staging, &gone.waiter);
    loop_turn_until(loop, other.rc == RC_OK, "the other");
    assert_int_equal(gone.asked, 1);
}

static void it_is_known_of_which_video_somebody_waits(void **state)
{
    (void)state;
    struct staging_waiter waiter = {.waits = false}, grows = {.waits = false};
    staging_wait(staging, &grows, NULL, ask, NULL);
    assert_false(staging_is_awaited(staging, "a"));
    staging_wait(staging, &waiter, "a", ask, NULL);
    assert_true(staging_is_awaited(staging, "a"));
    assert_false(staging_is_awaited(staging, "b"));
    staging_forget(staging, &waiter);
    assert_false(staging_is_awaited(staging, "a"));
    staging_forget(staging, &grows);
}

/* A guard that notes how much is written by then, and holds or does not. */
struct gate {
    enum rc refuses; /* RC_OK: it does not */
    int called;
    off_t written; /* B that are in tmp */
};

static void add_size(int fd, const char *name, const void *arg)
{
    struct stat st;
    assert_int_equal(fstatat(fd, name, &st, 0), 0);
    **(off_t *const *)arg += st.st_size;
}

static enum rc gate_hold(void *arg, enum rc (*act)(void *act_arg), void *act_arg)
{
    struct gate *g = arg;
    off_t *sum = &g->written;
    g->called++;
    g->written = 0;
    mediadir_each(tmp_fd, add_size, &sum);
    if (g->refuses != RC_OK)
        return g->refuses;
    return act(act_arg);
}

static enum rc put_gated(struct gate *g, const char *text)
{
    const struct staging_guard guard = {gate_hold, g};
    bool wrote;
    return staging_put_guarded(staging, &guard, dir_fd, "a", text, strlen(text),
                               &wrote);
}

static void a_guard_holds_for_a_file_that_is_written(void **state)
{
    (void)state;
    struct gate g = {.refuses = RC_OK};
    assert_int_equal(put_gated(&g, "one"), RC_OK);
    assert_int_equal(g.called, 1);
    assert_int_equal(g.written, 3);
    assert_int_equal(put_gated(&g, "second"), RC_PENDING);
    assert_int_equal(g.called, 1);
    enum rc rc = RC_PENDING;
    loop_turn_until(loop, (rc = put_gated(&g, "second")) != RC_PENDING, "it");
    assert_int_equal(rc, RC_OK);
    assert_int_equal(g.called, 2);
    assert_int_equal(g.written, 6);
    assert_holds("a", "second");
}

static void what_its_guard_does_not_let_in_leaves_nothing(void **state)
{
    (void)state;
    struct gate g = {.refuses = RC_FENCED};
    bool exists, same;
    assert_int_equal(put_gated(&g, "one"), RC_FENCED);
    assert_int_equal(mediafile_holds(dir_fd, "a", "one", 3, &exists, &same), RC_OK);
    assert_false(exists);
    assert_true(is_tmp_empty());
    g.refuses = RC_OK;
    assert_int_equal(put_gated(&g, "one"), RC_OK);
    g.refuses = RC_FENCED;
    enum rc rc = RC_PENDING;
    loop_turn_until(loop, (rc = put_gated(&g, "two")) != RC_PENDING, "it");
    assert_int_equal(rc, RC_FENCED);
    assert_holds("a", "one");
    assert_true(is_tmp_empty());
}

static void a_disk_that_fails_leaves_what_was_there(void **state)
{
    (void)state;
    bool wrote;
    struct wish w = {.name = "a", .text = "two"};
    assert_int_equal(put("a", "one", &wrote), RC_OK);
    fails_with = EIO;
    ask(&w);
    loop_turn_until(loop, w.rc != RC_PENDING, "the failure");
    assert_int_equal(w.rc, RC_IO);
    assert_holds("a", "one");
    fails_with = 0;
    ask(&w);
    loop_turn_until(loop, w.rc == RC_OK, "the next try");
    assert_holds("a", "two");
}

static void count(void *arg, enum rc rc)
{
    *(int *)arg += rc == RC_OK ? 1 : 100;
}

static void an_order_is_told_of_once_unless_it_is_forgotten(void **state)
{
    (void)state;
    struct sync_order *first, *second;
    static int a, b;
    int fds[2] = {dup(dir_fd), dup(tmp_fd)}, one = dup(dir_fd);
    a = b = 0;
    hold(true);
    assert_int_equal(syncer_sync(syncer, fds, 2, count, &a, &first), RC_OK);
    assert_int_equal(syncer_sync(syncer, &one, 1, count, &b, &second), RC_OK);
    assert_non_null(first);
    syncer_forget(second);
    syncer_forget(NULL);
    loop_turn_for(loop, 20);
    assert_int_equal(a, 0);
    hold(false);
    loop_turn_until(loop, had_syncs(3), "all syncs");
    loop_turn_until(loop, a == 1, "the first");
    assert_int_equal(b, 0);
    assert_int_equal(fcntl(fds[1], F_GETFD), -1);
}

static void what_is_under_way_at_the_end_leaves_nothing(void **state)
{
    (void)state;
    bool wrote;
    struct sync_order *order;
    int told = 0, fd = dup(dir_fd);
    assert_int_equal(put("a", "one", &wrote), RC_OK);
    hold(true);
    assert_int_equal(put("a", "two", &wrote), RC_PENDING);
    assert_int_equal(syncer_sync(syncer, &fd, 1, count, &told, &order), RC_OK);
    hold(false); /* teardown does the rest */
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_name_is_there_at_once),
        TEST(a_file_is_replaced_once_the_other_is_on_disk),
        TEST(those_who_want_different_things_get_them_in_turn),
        TEST(what_nobody_asks_for_again_is_dropped),
        TEST(who_is_forgotten_is_not_called),
        TEST(it_is_known_of_which_video_somebody_waits),
        TEST(a_guard_holds_for_a_file_that_is_written),
        TEST(what_its_guard_does_not_let_in_leaves_nothing),
        TEST(a_disk_that_fails_leaves_what_was_there),
        TEST(an_order_is_told_of_once_unless_it_is_forgotten),
        TEST(what_is_under_way_at_the_end_leaves_nothing),
    };
    return cmocka_run_group_tests_name("staging", tests, NULL, NULL);
}
