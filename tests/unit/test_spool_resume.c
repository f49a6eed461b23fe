/* test_spool_resume.c: files that one request begins and another goes on with, and the
 * index that is sent ahead. */
#include "check.h"

#include "spool_fixture.h"

#include <pthread.h>

static struct spool_file *opened(const char *id)
{
    struct spool_file *f = NULL;

    assert_int_equal(spool_open(&site, id, 0, &f), RC_OK);
    return f;
}

static void a_closed_file_goes_on_behind_its_last_byte(void **state)
{
    struct spool_file *f;

    (void)state;
    spool_close(create(ID, "hello "));
    assert_content(ID ".part", "hello ");
    assert_false(spool_is_receiving(&site, ID));
    f = opened(ID);
    assert_int_equal(spool_size(f), 6);
    assert_true(spool_is_receiving(&site, ID));
    assert_int_equal(spool_write(f, "world", 5), RC_OK);
    assert_int_equal(spool_size(f), 11);
    assert_int_equal(spool_finish(f), RC_OK);
    assert_content(ID ".src", "hello world");
    spool_close(NULL);
}

static void what_is_whole_or_missing_is_told_apart(void **state)
{
    struct spool_file *f = NULL;
    int64_t size = -1;

    (void)state;
    assert_int_equal(spool_open(&site, ID, 0, &f), RC_NOT_FOUND);
    assert_int_equal(spool_stored(&site, ID, &size), RC_NOT_FOUND);
    assert_int_equal(spool_open(&site, "../../etc/passwd", 0, &f), RC_INVALID);
    put(ID ".src", "whole");
    assert_int_equal(spool_open(&site, ID, 0, &f), RC_EXISTS);
    calls[0] = '\0';
    assert_int_equal(spool_stored(&site, ID, &size), RC_OK);
    assert_int_equal(size, 5);
    assert_string_equal(calls, "sync-folder ");
    fail_folder_sync = true;
    assert_int_equal(spool_stored(&site, ID, &size), RC_IO);
    assert_null(f);
}

static void only_a_file_is_opened(void **state)
{
    struct spool_file *f = NULL;

    (void)state;
    assert_int_equal(symlink("/etc/passwd", in_spool(ID ".part")), 0);
    assert_int_equal(spool_open(&site, ID, 0, &f), RC_IO);
    assert_int_equal(mkfifo(in_spool(OTHER ".part"), 0600), 0);
    assert_int_equal(spool_open(&site, OTHER, 0, &f), RC_IO);
    assert_null(f);
}

static void a_file_has_one_writer_at_a_time(void **state)
{
    struct spool_file *f = create(ID, "x"), *second = NULL;

    (void)state;
    assert_int_equal(spool_open(&site, ID, 0, &second), RC_BUSY);
    assert_int_equal(spool_open(&site, ID, 50, &second), RC_BUSY);
    spool_close(f);
    second = opened(ID);
    assert_int_equal(spool_open(&site, ID, 0, &f), RC_BUSY);
    spool_abandon(second);
    assert_false(there(ID ".part"));
}

/* What is done to the file while another waits for its lock. */
struct ending {
    struct spool_file *f;
    void (*end)(struct spool_file *f);
};

static void *end_soon(void *arg)
{
    struct ending *e = arg;

    usleep(60000);
    e->end(e->f);
    return NULL;
}

static enum rc open_while(void (*end)(struct spool_file *f), struct spool_file **out)
{
    struct ending e = {create(ID, "bytes"), end};
    pthread_t thread;
    enum rc rc;

    assert_int_equal(pthread_create(&thread, NULL, end_soon, &e), 0);
    rc = spool_open(&site, ID, 10000, out);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return rc;
}

static void finish(struct spool_file *f)
{
    if (spool_finish(f) != RC_OK)
        abort();
}

static void who_waits_has_the_file_as_the_writer_left_it(void **state)
{
    struct spool_file *f = NULL;

    (void)state;
    assert_int_equal(open_while(spool_close, &f), RC_OK);
    assert_int_equal(spool_size(f), 5);
    spool_abandon(f);
    assert_int_equal(open_while(spool_abandon, &f), RC_NOT_FOUND);
    assert_int_equal(open_while(finish, &f), RC_EXISTS);
    assert_content(ID ".src", "bytes");
}

static void a_cut_file_goes_on_at_the_cut(void **state)
{
    struct spool_file *f = create(ID, "hello world");

    (void)state;
    assert_int_equal(spool_truncate(f, 5), RC_OK);
    assert_int_equal(spool_size(f), 5);
    assert_int_equal(spool_write(f, "!", 1), RC_OK);
    assert_int_equal(spool_size(f), 6);
    spool_close(f);
    assert_content(ID ".part", "hello!");
}

static void the_head_can_be_read_while_it_is_written(void **state)
{
    struct spool_file *f = create(ID, "hello ");
    char head[8];
    size_t n = 0;

    (void)state;
    assert_int_equal(spool_read(f, 0, head, sizeof(head), &n), RC_OK);
    assert_int_equal(n, 6);
    assert_memory_equal(head, "hello ", 6);
    assert_int_equal(spool_write(f, "world", 5), RC_OK);
    assert_int_equal(spool_read(f, 0, head, sizeof(head), &n), RC_OK);
    assert_int_equal(n, sizeof(head));
    assert_memory_equal(head, "hello wo", 8);
    spool_close(f);
}

static void a_sync_makes_bytes_and_name_last(void **state)
{
    struct spool_file *f = create(ID, "x");

    (void)state;
    assert_int_equal(spool_sync(f), RC_OK);
    assert_string_equal(calls, "sync-data sync-folder ");
    assert_int_equal(spool_sync(f), RC_OK);
    assert_string_equal(calls, "sync-data sync-folder sync-data ");
    spool_close(f);
    /* Whoever wrote before may have died in between. */
    f = opened(ID);
    calls[0] = '\0';
    assert_int_equal(spool_sync(f), RC_OK);
    assert_string_equal(calls, "sync-data sync-folder ");
    fail_data_sync = true;
    assert_int_equal(spool_sync(f), RC_IO);
    spool_flush(f);
    spool_abandon(f);
}

/* ---- the index ------------------------------------------------------------- */

static struct spool_file *index_of(const char *id, const char *text)
{
    struct spool_file *f = NULL;

    assert_int_equal(spool_create_index(&site, id, &f), RC_OK);
    assert_int_equal(spool_write(f, text, strlen(text)), RC_OK);
    return f;
}

static void an_index_appears_whole(void **state)
{
    struct spool_file *f = index_of(ID, "moov");
    char path[PATH_MAX];

    (void)state;
    assert_false(there(ID ".idx"));
    assert_int_equal(spool_finish(f), RC_OK);
    assert_content(ID ".idx", "moov");
    assert_false(there(ID ".idx-part"));
    assert_int_equal(spool_index_path(&site, ID, path), RC_OK);
    assert_string_equal(path, in_spool(ID ".idx"));
    assert_int_equal(spool_remove_index(&site, ID), RC_OK);
    assert_false(there(ID ".idx"));
}

/* An early start depends on it: who was told that it is there does not send it again.
 */
static void an_index_is_durable_before_the_answer(void **state)
{
    struct spool_file *f;

    (void)state;
    assert_int_equal(spool_finish(index_of(ID, "moov")), RC_OK);
    assert_string_equal(calls, "sync-file rename sync-folder ");
    f = index_of(ID, "moov");
    calls[0] = '\0';
    fail_folder_sync = true;
    assert_int_equal(spool_compare_index(f), RC_IO);
    fail_folder_sync = false;
    assert_int_equal(spool_compare_index(f), RC_OK);
    /* Who kept it may have been killed before that. */
    assert_string_equal(calls, "sync-folder sync-folder ");
    spool_abandon(f);
    assert_content(ID ".idx", "moov");
}

static void no_index_stays_when_the_folder_cannot_be_synced(void **state)
{
    struct spool_file *f = index_of(ID, "moov");

    (void)state;
    fail_folder_sync = true;
    assert_int_equal(spool_finish(f), RC_IO);
    spool_abandon(f);
    assert_false(there(ID ".idx"));
    assert_false(there(ID ".idx-part"));
}

static enum rc compared(const char *text)
{
    struct spool_file *f = index_of(ID, text);
    enum rc rc = spool_compare_index(f);

    spool_abandon(f);
    return rc;
}

static void the_first_index_stays_and_others_are_compared_with_it(void **state)
{
    struct spool_file *f;

    (void)state;
    assert_int_equal(compared("first"), RC_NOT_FOUND);
    assert_int_equal(spool_finish(index_of(ID, "first")), RC_OK);
    f = index_of(ID, "other");
    assert_int_equal(spool_finish(f), RC_EXISTS);
    spool_abandon(f);
    assert_content(ID ".idx", "first");
    assert_false(there(ID ".idx-part"));
    assert_int_equal(compared("first"), RC_OK);
    assert_int_equal(compared("firsT"), RC_CONFLICT);
    assert_int_equal(compared("firs"), RC_CONFLICT);
    assert_int_equal(compared("first!"), RC_CONFLICT);
    assert_int_equal(compared(""), RC_CONFLICT);
}

/* The blocks in which they are compared have borders. */
static void large_indexes_are_compared_to_their_last_byte(void **state)
{
    static char text[3 * 16384 + 1];

    (void)state;
    for (size_t n = 16384; n < sizeof(text); n += 16384) {
        memset(text, 'm', n);
        text[n] = '\0';
        assert_int_equal(spool_finish(index_of(ID, text)), RC_OK);
        assert_int_equal(compared(text), RC_OK);
        text[n - 1] = 'x';
        assert_int_equal(compared(text), RC_CONFLICT);
        text[n - 1] = '\0';
        assert_int_equal(compared(text), RC_CONFLICT);
        assert_int_equal(spool_remove_index(&site, ID), RC_OK);
    }
}

static void what_was_written_can_be_looked_at(void **state)
{
    struct spool_file *f = index_of(ID, "");
    const void *bytes = NULL;

    (void)state;
    assert_int_equal(spool_map(f, &bytes), RC_INVALID);
    assert_int_equal(spool_write(f, "moov", 4), RC_OK);
    assert_int_equal(spool_map(f, &bytes), RC_OK);
    assert_memory_equal(bytes, "moov", 4);
    spool_unmap(f, bytes);
    spool_abandon(f);
}

static void a_broken_index_leaves_the_one_before(void **state)
{
    (void)state;
    assert_int_equal(spool_finish(index_of(ID, "first")), RC_OK);
    spool_abandon(index_of(ID, "sec"));
    assert_content(ID ".idx", "first");
    assert_false(there(ID ".idx-part"));
}

static void an_index_has_one_writer_and_a_dead_ones_bytes_are_written_over(void **state)
{
    struct spool_file *f = index_of(ID, "first"), *second = NULL;

    (void)state;
    assert_int_equal(spool_create_index(&site, ID, &second), RC_BUSY);
    spool_abandon(f);
    put(ID ".idx-part", "of one that was killed");
    assert_int_equal(spool_finish(index_of(ID, "moov")), RC_OK);
    assert_content(ID ".idx", "moov");
}

static void an_index_of_an_upload_that_is_gone_is_not_kept(void **state)
{
    struct spool_file *f = index_of(ID, "moov");

    (void)state;
    assert_int_equal(spool_remove(&site, ID), RC_OK);
    assert_int_equal(spool_finish(f), RC_NOT_FOUND);
    spool_abandon(f);
    assert_false(there(ID ".idx"));
    assert_int_equal(spool_create_index(&site, "../x", &f), RC_INVALID);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_closed_file_goes_on_behind_its_last_byte),
        TEST(what_is_whole_or_missing_is_told_apart),
        TEST(only_a_file_is_opened),
        TEST(a_file_has_one_writer_at_a_time),
        TEST(who_waits_has_the_file_as_the_writer_left_it),
        TEST(a_cut_file_goes_on_at_the_cut),
        TEST(the_head_can_be_read_while_it_is_written),
        TEST(a_sync_makes_bytes_and_name_last),
        TEST(an_index_appears_whole),
        TEST(an_index_is_durable_before_the_answer),
        TEST(no_index_stays_when_the_folder_cannot_be_synced),
        TEST(the_first_index_stays_and_others_are_compared_with_it),
        TEST(large_indexes_are_compared_to_their_last_byte),
        TEST(what_was_written_can_be_looked_at),
        TEST(a_broken_index_leaves_the_one_before),
        TEST(an_index_has_one_writer_and_a_dead_ones_bytes_are_written_over),
        TEST(an_index_of_an_upload_that_is_gone_is_not_kept),
    };

    return cmocka_run_group_tests_name("spool_resume", tests, NULL, NULL);
}
