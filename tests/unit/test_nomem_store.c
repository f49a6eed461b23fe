/* Each allocation of a change in the database fails in turn, SQLite's too: that is
 * told, and the handle goes on. */
#include "failing_malloc.h"

#include "log.h"
#include "store_fixture.h"

static char video_id[ID_LEN + 1];

#define LONG_TITLE                                                                     \
    "A title of some length, so that it does not fit into what a cell of a page or "   \
    "of "                                                                              \
    "the parser has room for by itself"

static enum rc rename_by(void *arg)
{
    struct fixture *f = arg;
    return store_video_rename(f->st, video_id, LONG_TITLE);
}

/* What SQLite keeps between calls is no loss: only what is said counts here. */
static void a_handle_goes_on_once_there_is_memory_again(void **state)
{
    struct fixture *f = *state;
    for (long n = 1, failed = 1; failed > 0; n++) {
        store_close(f->st);
        f->st = fixture_handle(f);
        heap.failed = 0;
        heap.onward = true;
        heap.left = n;
        enum rc rc = rename_by(f);
        heap.left = 0;
        failed = heap.failed;
        assert_true(rc == RC_OK || (failed > 0 && rc == RC_NOMEM));
        rc = rename_by(f);
        if (rc != RC_OK)
            fail_msg("after allocation %ld: %s", n, store_message(f->st));
        assert_string_equal(fixture_get(f, video_id).title, LONG_TITLE);
    }
}

static enum rc open_and_close(void *arg)
{
    const struct fixture *f = arg;
    struct store *st = NULL;
    enum rc rc = store_open(f->path, &f->clock, &st);
    assert_true((rc == RC_OK) == (st != NULL));
    store_close(st);
    return rc;
}

static void a_database_is_opened_as_a_whole_or_not(void **state)
{
    heap.left = 2; /* what is logged for the first time, too */
    assert_int_equal(open_and_close(*state), RC_NOMEM);
    heap.left = 0;
    heap_starve(open_and_close, *state, HEAP_MAY_COPE);
}

/* Also the first time, when the file is made: thousands of allocations, of which the
 * later ones are tried here and there. */
static void a_database_is_made_as_a_whole_or_not(void **state)
{
    struct fixture *f = *state, fresh = *f;
    for (long n = 1, failed = 1; failed > 0; n += 1 + n / 2) {
        tempdir_make(fresh.dir);
        snprintf(fresh.path, sizeof(fresh.path), "%s/test.db", fresh.dir);
        heap.failed = 0;
        heap.onward = n % 2 == 0;
        heap.left = n;
        enum rc rc = open_and_close(&fresh);
        heap.left = 0;
        failed = heap.failed;
        if (rc != RC_OK && (failed == 0 || rc != RC_NOMEM))
            fail_msg("allocation %ld fails: %s", n, rc_name(rc));
        assert_int_equal(open_and_close(&fresh), RC_OK);
        tempdir_remove(fresh.dir);
    }
}

static int setup(void **state)
{
    struct video v;
    fixture_setup(state);
    v = fixture_planned(*state, "x");
    strcpy(video_id, v.id);
    struct fixture *f = *state;
    assert_int_equal(store_video_rename(f->st, v.id, LONG_TITLE), RC_OK);
    /* A database that cannot be opened is logged: a line for each that fails here. */
    return log_to_file("/dev/null");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_database_is_opened_as_a_whole_or_not),
        TEST(a_database_is_made_as_a_whole_or_not),
        TEST(a_handle_goes_on_once_there_is_memory_again),
    };
    return cmocka_run_group_tests_name("nomem_store", tests, NULL, NULL);
}
