/* test_watcher.c: files that appear are told, in folders that are watched only. */
#include "check.h"

#include "tempdir.h"
#include "watcher.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char dir[PATH_MAX];
    struct watcher *w;
    char told[256]; /* "folder/name " of each */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    tempdir_make(f->dir);
    assert_int_equal(chdir(f->dir), 0);
    assert_int_equal(mkdir("one", 0755), 0);
    assert_int_equal(mkdir("two", 0755), 0);
    assert_int_equal(symlink("one", "same"), 0);
    assert_int_equal(watcher_open(f->dir, &f->w), RC_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    watcher_close(f->w);
    assert_int_equal(chdir("/"), 0);
    tempdir_remove(f->dir);
    free(f);
    return 0;
}

static void make(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

    assert_true(fd >= 0);
    close(fd);
}

static void note(void *arg, const char *folder, const char *name)
{
    struct fixture *f = arg;
    size_t n = strlen(f->told);

    snprintf(f->told + n, sizeof(f->told) - n, "%s/%s ", folder, name);
}

/* What was told since the last time. */
static const char *told(struct fixture *f)
{
    bool lost = false;

    f->told[0] = '\0';
    watcher_read(f->w, note, f, &lost);
    assert_false(lost);
    return f->told;
}

static void a_file_is_told_however_it_appears(void **state)
{
    struct fixture *f = *state;
    struct pollfd fd = {.fd = watcher_fd(f->w), .events = POLLIN};

    make("file");
    assert_int_equal(watcher_add(f->w, "one"), RC_OK);
    assert_int_equal(poll(&fd, 1, 0), 0);
    assert_int_equal(link("file", "one/linked"), 0);
    assert_int_equal(poll(&fd, 1, 1000), 1);
    assert_string_equal(told(f), "one/linked ");
    assert_int_equal(rename("file", "one/moved"), 0);
    make("one/made");
    make("two/elsewhere");
    assert_int_equal(unlink("one/linked"), 0);
    assert_string_equal(told(f), "one/moved one/made ");
    assert_int_equal(poll(&fd, 1, 0), 0);
}

static void the_last_drop_ends_the_watch(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(watcher_add(f->w, "one"), RC_OK);
    assert_int_equal(watcher_add(f->w, "one"), RC_OK);
    watcher_drop(f->w, "one");
    make("one/a");
    assert_string_equal(told(f), "one/a ");
    watcher_drop(f->w, "one");
    make("one/b");
    assert_string_equal(told(f), "");
    assert_int_equal(watcher_add(f->w, "one"), RC_OK);
    make("one/c");
    assert_string_equal(told(f), "one/c ");
}

/* Two grants of a video are two links to one folder. */
static void a_folder_of_two_names_is_told_under_both(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(watcher_add(f->w, "one"), RC_OK);
    assert_int_equal(watcher_add(f->w, "same"), RC_OK);
    make("one/a");
    assert_string_equal(told(f), "same/a one/a ");
    watcher_drop(f->w, "one");
    make("one/b");
    assert_string_equal(told(f), "same/b ");
    watcher_drop(f->w, "same");
    make("one/c");
    assert_string_equal(told(f), "");
}

static void a_folder_that_is_not_there_is_no_error(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(watcher_add(f->w, "three"), RC_OK);
    assert_int_equal(mkdir("three", 0755), 0);
    /* The next who waits there has it watched for both. */
    assert_int_equal(watcher_add(f->w, "three"), RC_OK);
    make("three/a");
    assert_string_equal(told(f), "three/a ");
    watcher_drop(f->w, "three");
    make("three/b");
    assert_string_equal(told(f), "three/b ");
    watcher_drop(f->w, "three");
}

static void a_folder_made_anew_is_watched_again(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(watcher_add(f->w, "two"), RC_OK);
    assert_int_equal(rmdir("two"), 0);
    assert_string_equal(told(f), "");
    assert_int_equal(mkdir("two", 0755), 0);
    assert_int_equal(watcher_add(f->w, "two"), RC_OK);
    make("two/a");
    assert_string_equal(told(f), "two/a ");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_told_however_it_appears),
        TEST(the_last_drop_ends_the_watch),
        TEST(a_folder_of_two_names_is_told_under_both),
        TEST(a_folder_that_is_not_there_is_no_error),
        TEST(a_folder_made_anew_is_watched_again),
    };

    return cmocka_run_group_tests_name("watcher", tests, NULL, NULL);
}
