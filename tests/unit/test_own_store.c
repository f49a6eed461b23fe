/* test_own_store.c: a database that cannot be reached is told of once, and opened when
 * it can. */
#include "check.h"

#include "own_store.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <unistd.h>

/* Lines of the log that say so. */
static int lines_with(const char *path, const char *what)
{
    char line[512];
    int n = 0;
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        n += strstr(line, what) != NULL;
    fclose(f);
    return n;
}

static enum rc use(struct own_store *o)
{
    enum rc rc = own_store_open(o);

    if (rc == RC_OK)
        rc = store_ping(o->st);
    own_store_report(o, rc);
    return rc;
}

static void what_fails_is_told_once_and_that_it_works_again(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX + 32], folder[PATH_MAX + 16], log[PATH_MAX + 16];
    struct own_store o;
    int kept = dup(STDERR_FILENO), fd;

    snprintf(folder, sizeof(folder), "%s/away", f->dir);
    snprintf(path, sizeof(path), "%s/test.db", folder);
    snprintf(log, sizeof(log), "%s/log", f->dir);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(kept >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    own_store_init(&o, path, &f->clock, "it fails", "it works again");
    for (int i = 0; i < 3; i++)
        assert_int_not_equal(use(&o), RC_OK);
    assert_null(o.st);
    assert_int_equal(symlink(f->dir, folder), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(use(&o), RC_OK);
    own_store_report(&o, RC_BUSY);
    own_store_close(&o);
    assert_null(o.st);
    assert_int_equal(use(&o), RC_OK);
    own_store_close(&o);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(fd);
    assert_int_equal(lines_with(log, "it fails: "), 2);
    assert_int_equal(lines_with(log, "it works again"), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_fails_is_told_once_and_that_it_works_again),
    };

    return cmocka_run_group_tests_name("own_store", tests, NULL, NULL);
}
