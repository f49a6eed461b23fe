/* test_store_uploads.c: uploads that go on under a name of their own. */
#include "check.h"

#include "store_fixture.h"
#include "store_priv.h"

#include <sys/syscall.h>
#include <unistd.h>

#define UPLOAD "0123456789abcdef0123456789abcdef"
#define HOUR_MS 3600000

/* ---- which files are synced --------------------------------------------- */

static int wal_syncs;

/* Stands before the C library's, for SQLite too. */
int fdatasync(int fd)
{
    char link[64], path[PATH_MAX];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path));
    if (n > 4 && memcmp(path + n - 4, "-wal", 4) == 0)
        wal_syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fdatasync(fd);
}

/* ---- helpers ------------------------------------------------------------ */

static struct video_new new_upload(struct fixture *f, const char *upload_id)
{
    struct video_new n = {.title = "Clip",
                          .filename = "clip.mp4",
                          .size = 1000,
                          .created_ms = f->wall_ms,
                          .expires_ms = f->wall_ms + HOUR_MS,
                          .metadata = "filename Y2xpcC5tcDQ="};

    snprintf(n.upload_id, sizeof(n.upload_id), "%s", upload_id);
    return n;
}

static struct video created(struct fixture *f, const char *upload_id)
{
    struct video_new n = new_upload(f, upload_id);
    struct video v;

    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
    return v;
}

static struct video found(struct fixture *f, const char *upload_id)
{
    struct video v;
    bool deleted = true;

    assert_int_equal(store_upload_get(f->st, upload_id, &v, &deleted), RC_OK);
    assert_false(deleted);
    return v;
}

static enum rc count(void *arg, const struct video *v)
{
    (void)v;
    ++*(int *)arg;
    return RC_OK;
}

static int listed(struct fixture *f)
{
    struct video_query query = {.limit = 100};
    bool more;
    int n = 0;

    assert_int_equal(store_video_list(f->st, &query, count, &n, &more), RC_OK);
    return n;
}

/* ---- the name ------------------------------------------------------------- */

static void an_upload_is_found_by_its_name_in_every_state(void **state)
{
    struct fixture *f = *state;
    struct video v = created(f, UPLOAD), same, other;
    bool deleted = false;

    assert_string_equal(v.upload_id, UPLOAD);
    assert_int_equal(v.expires_ms, f->wall_ms + HOUR_MS);
    assert_int_equal(v.unchecked_from, -1);
    assert_int_equal(v.index_offset, -1);
    assert_int_equal(v.container, CONTAINER_NONE);
    same = found(f, UPLOAD);
    assert_memory_equal(&same, &v, sizeof(v));
    assert_int_equal(store_upload_get(f->st, "f", &other, &deleted), RC_NOT_FOUND);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    same = found(f, UPLOAD);
    assert_int_equal(same.state, VIDEO_STORED);
    assert_int_equal(same.expires_ms, -1);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_upload_get(f->st, UPLOAD, &same, &deleted), RC_OK);
    assert_true(deleted);
    assert_string_equal(same.id, v.id);
    assert_int_equal(store_video_purge(f->st, v.id), RC_OK);
    assert_int_equal(store_upload_get(f->st, UPLOAD, &same, &deleted), RC_NOT_FOUND);
}

static void a_name_has_one_upload_but_a_deleted_one_gives_it_up(void **state)
{
    struct fixture *f = *state;
    struct video v = created(f, UPLOAD), gone;
    struct video_new again = new_upload(f, UPLOAD);

    assert_int_equal(store_video_create(f->st, &again, &gone), RC_EXISTS);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(store_video_create(f->st, &again, &gone), RC_EXISTS);
    assert_int_equal(store_video_delete(f->st, v.id, &gone), RC_OK);
    v = created(f, UPLOAD);
    assert_string_not_equal(v.id, gone.id);
    assert_string_equal(found(f, UPLOAD).id, v.id);
}

static void uploads_without_a_name_are_many(void **state)
{
    struct fixture *f = *state;
    struct video v = created(f, "");

    assert_string_equal(v.upload_id, "");
    assert_int_equal(v.expires_ms, -1);
    v = created(f, "");
    assert_string_equal(fixture_get(f, v.id).upload_id, "");
}

static void uploads_of_which_nothing_has_come_are_bounded(void **state)
{
    struct fixture *f = *state;
    struct video_new n = new_upload(f, "");
    struct video first, v;

    n.unseen_max = 3;
    assert_int_equal(store_video_create(f->st, &n, &first), RC_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
    assert_int_equal(store_video_create(f->st, &n, &v), RC_TOO_LARGE);
    n.container = CONTAINER_MP4; /* by a form, which brings its first bytes along */
    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
    n.container = CONTAINER_NONE;
    assert_int_equal(store_upload_sniffed(f->st, first.id, CONTAINER_MP4), RC_OK);
    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
    assert_int_equal(store_video_create(f->st, &n, &first), RC_TOO_LARGE);
    assert_int_equal(store_video_abandon(f->st, v.id, "given up"), RC_OK);
    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
    n.unseen_max = 0;
    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
}

static void unfinished_uploads_are_bounded_whatever_has_come_of_them(void **state)
{
    struct fixture *f = *state;
    struct video_new n = new_upload(f, "");
    struct video first, second, v;

    n.unfinished_each = 2;
    assert_int_equal(store_video_create(f->st, &n, &first), RC_OK);
    assert_int_equal(store_upload_sniffed(f->st, first.id, CONTAINER_MP4), RC_OK);
    assert_int_equal(store_video_create(f->st, &n, &second), RC_OK);
    assert_int_equal(store_video_create(f->st, &n, &v), RC_CONFLICT);
    n.container = CONTAINER_MP4;
    assert_int_equal(store_video_create(f->st, &n, &v), RC_CONFLICT);
    assert_int_equal(store_video_stored(f->st, first.id, 1000, &v), RC_OK);
    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
    assert_int_equal(store_video_create(f->st, &n, &v), RC_CONFLICT);
    assert_int_equal(store_video_abandon(f->st, second.id, "given up"), RC_OK);
    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
    assert_int_equal(store_video_delete(f->st, v.id, &second), RC_OK);
    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
    assert_int_equal(store_video_create(f->st, &n, &v), RC_CONFLICT);
    n.unfinished_each = 0;
    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
}

static void a_row_has_the_id_that_was_chosen_for_it(void **state)
{
    struct fixture *f = *state;
    struct video_new n = new_upload(f, UPLOAD);
    struct video v;

    strcpy(n.id, "abcdefghijklmnop");
    n.index_offset = 777;
    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
    assert_string_equal(v.id, "abcdefghijklmnop");
    assert_int_equal(v.index_offset, 777);
}

static void a_named_row_is_on_disk_before_it_is_told(void **state)
{
    struct fixture *f = *state;
    struct video v;

    wal_syncs = 0;
    created(f, "");
    assert_int_equal(wal_syncs, 0);
    v = created(f, UPLOAD);
    assert_true(wal_syncs > 0);
    wal_syncs = 0;
    assert_int_equal(store_video_received(f->st, v.id, 10, 20, NULL), RC_OK);
    assert_int_equal(wal_syncs, 0);
}

/* How often a call that has to last syncs, and then one that need not. */
static void receive_some(struct fixture *f, int *lasting, int *other)
{
    struct video v = created(f, UPLOAD);

    wal_syncs = 0;
    assert_int_equal(store_upload_length(f->st, v.id, 2000), RC_OK);
    *lasting = wal_syncs;
    wal_syncs = 0;
    assert_int_equal(store_video_received(f->st, v.id, 10, 20, NULL), RC_OK);
    *other = wal_syncs;
    assert_int_equal(store_video_abandon(f->st, v.id, "given up"), RC_OK);
}

static void only_what_has_to_last_waits_for_the_disk(void **state)
{
    struct fixture *f = *state;
    int lasting, other;

    receive_some(f, &lasting, &other);
    assert_true(lasting > 0);
    assert_int_equal(other, 0);
}

/* Also where it has come to nothing. */
static void what_fails_leaves_no_later_one_waiting(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(store_upload_length(f->st, "abcdefghijklmnop", 1), RC_NOT_FOUND);
    assert_int_equal(store_video_abandon(f->st, "abcdefghijklmnop", "gone"), RC_OK);
    wal_syncs = 0;
    created(f, "");
    assert_int_equal(wal_syncs, 0);
}

static void all_that_a_durable_handle_does_waits(void **state)
{
    struct fixture *f = *state;
    int lasting, other;

    assert_int_equal(store_durable(f->st, true), RC_OK);
    receive_some(f, &lasting, &other);
    assert_true(lasting > 0);
    assert_true(other > 0);
    assert_int_equal(store_durable(f->st, false), RC_OK);
    receive_some(f, &lasting, &other);
    assert_int_equal(other, 0);
}

/* ---- on the way ----------------------------------------------------------- */

static void what_becomes_known_is_kept_while_receiving(void **state)
{
    struct fixture *f = *state;
    struct video v = created(f, UPLOAD);

    assert_int_equal(store_upload_sniffed(f->st, v.id, CONTAINER_WEBM), RC_OK);
    assert_int_equal(store_upload_length(f->st, v.id, 2000), RC_OK);
    assert_int_equal(store_upload_index(f->st, v.id, 1500), RC_OK);
    assert_int_equal(store_video_received(f->st, v.id, 512, 9000, NULL), RC_OK);
    v = found(f, UPLOAD);
    assert_int_equal(v.container, CONTAINER_WEBM);
    assert_int_equal(v.size, 2000);
    assert_int_equal(v.index_offset, 1500);
    assert_int_equal(v.received, 512);
    assert_int_equal(v.expires_ms, 9000);
    assert_int_equal(store_upload_index(f->st, v.id, 1500), RC_OK);
    assert_int_equal(store_upload_index(f->st, v.id, 1501), RC_CONFLICT);
    assert_int_equal(found(f, UPLOAD).index_offset, 1500);
    assert_int_equal(store_video_received(f->st, v.id, 513, -1, NULL), RC_OK);
    assert_int_equal(found(f, UPLOAD).expires_ms, -1);

    assert_int_equal(store_video_stored(f->st, v.id, 2000, &v), RC_OK);
    assert_int_equal(store_upload_sniffed(f->st, v.id, CONTAINER_MP4), RC_NOT_FOUND);
    assert_int_equal(store_upload_length(f->st, v.id, 1), RC_NOT_FOUND);
    assert_int_equal(store_upload_index(f->st, v.id, 1), RC_NOT_FOUND);
    assert_int_equal(store_upload_unchecked(f->st, v.id, 1), RC_NOT_FOUND);
}

static void a_hash_is_forgotten_for_good(void **state)
{
    const struct hash_state said = {.n = 1};
    struct fixture *f = *state;
    struct video v = created(f, UPLOAD);

    assert_int_equal(store_video_received(f->st, v.id, 10, 20, &said), RC_OK);
    wal_syncs = 0;
    assert_int_equal(store_upload_forget_hash(f->st, v.id), RC_OK);
    assert_true(wal_syncs > 0);
    assert_int_equal(store_video_abandon(f->st, v.id, "given up"), RC_OK);
    assert_int_equal(store_upload_forget_hash(f->st, v.id), RC_NOT_FOUND);
}

static void unchecked_bytes_are_noted_for_good_and_end_with_the_upload(void **state)
{
    struct fixture *f = *state;
    struct video v = created(f, UPLOAD);

    wal_syncs = 0;
    assert_int_equal(store_upload_unchecked(f->st, v.id, 300), RC_OK);
    assert_true(wal_syncs > 0);
    assert_int_equal(found(f, UPLOAD).unchecked_from, 300);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(v.unchecked_from, -1);
}

static bool index_needed(struct fixture *f, const char *id)
{
    bool needed = false;

    assert_int_equal(store_upload_index_needed(f->st, id, &needed), RC_OK);
    return needed;
}

static void an_index_is_needed_until_the_whole_file_was_probed(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = fixture_plan(1);
    struct video v = created(f, UPLOAD);

    assert_true(index_needed(f, v.id));
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_true(index_needed(f, v.id));
    struct job probe = fixture_claim(f, "w");
    assert_true(index_needed(f, v.id));
    assert_int_equal(store_job_retry(f->st, &probe, 1000, "once more"), RC_OK);
    assert_true(index_needed(f, v.id));
    fixture_tick(f, 1000);
    probe = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_false(index_needed(f, v.id)); /* the encodes read the whole file */

    v = fixture_receiving(f, "deleted");
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_false(index_needed(f, v.id));
}

static void metadata_is_told_as_it_was_given(void **state)
{
    struct fixture *f = *state;
    struct video v = created(f, UPLOAD);
    char text[STORE_METADATA_MAX + 1];

    assert_int_equal(store_upload_metadata(f->st, v.id, text), RC_OK);
    assert_string_equal(text, "filename Y2xpcC5tcDQ=");
    v = fixture_receiving(f, "other");
    assert_int_equal(store_upload_metadata(f->st, v.id, text), RC_OK);
    assert_string_equal(text, "");
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_upload_metadata(f->st, v.id, text), RC_NOT_FOUND);
}

static void an_upload_is_listed_once_its_first_bytes_are_good(void **state)
{
    struct fixture *f = *state;
    struct video v = created(f, UPLOAD);

    fixture_stored(f, "shown");
    assert_int_equal(listed(f), 1);
    wal_syncs = 0;
    assert_int_equal(store_upload_sniffed(f->st, v.id, CONTAINER_MP4), RC_OK);
    assert_true(wal_syncs > 0);
    assert_int_equal(listed(f), 2);
}

static enum rc note_id(void *arg, const struct video *v)
{
    strcat(arg, v->id);
    return RC_OK;
}

/* The worker is woken by each commit of anyone: what it looks through must be short. */
static void an_upload_is_followed_once_its_first_bytes_are_good(void **state)
{
    struct fixture *f = *state;
    struct video v = created(f, UPLOAD), other = fixture_receiving(f, "other");
    char followed[4 * ID_LEN] = "", unseen[4 * ID_LEN] = "";

    fixture_stored(f, "stored");
    assert_int_equal(store_video_each_receiving(f->st, note_id, followed), RC_OK);
    assert_string_equal(followed, other.id);
    assert_int_equal(store_upload_each_unseen(f->st, note_id, unseen), RC_OK);
    assert_string_equal(unseen, v.id);
    assert_int_equal(store_upload_sniffed(f->st, v.id, CONTAINER_MP4), RC_OK);
    *followed = *unseen = '\0';
    assert_int_equal(store_video_each_receiving(f->st, note_id, followed), RC_OK);
    assert_int_equal(strlen(followed), 2 * ID_LEN);
    assert_int_equal(store_upload_each_unseen(f->st, note_id, unseen), RC_OK);
    assert_string_equal(unseen, "");
}

/* ---- the end ---------------------------------------------------------------- */

static void an_upload_expires_when_its_time_is_over(void **state)
{
    struct fixture *f = *state;
    struct video v = created(f, UPLOAD);
    bool exists = true;

    assert_int_equal(store_upload_expire(f->st, v.id), RC_CONFLICT);
    fixture_tick(f, HOUR_MS - 1);
    assert_int_equal(store_upload_expire(f->st, v.id), RC_CONFLICT);
    fixture_tick(f, 1);
    assert_int_equal(store_upload_expire(f->st, v.id), RC_OK);
    assert_int_equal(store_video_exists(f->st, v.id, &exists), RC_OK);
    assert_false(exists);
    assert_int_equal(store_upload_expire(f->st, v.id), RC_OK);
}

static void finished_uploads_do_not_expire(void **state)
{
    struct fixture *f = *state;
    struct video v = created(f, UPLOAD);

    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    fixture_tick(f, 2 * HOUR_MS);
    assert_int_equal(store_upload_expire(f->st, v.id), RC_CONFLICT);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_STORED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_upload_is_found_by_its_name_in_every_state),
        TEST(a_name_has_one_upload_but_a_deleted_one_gives_it_up),
        TEST(uploads_without_a_name_are_many),
        TEST(uploads_of_which_nothing_has_come_are_bounded),
        TEST(unfinished_uploads_are_bounded_whatever_has_come_of_them),
        TEST(a_row_has_the_id_that_was_chosen_for_it),
        TEST(a_named_row_is_on_disk_before_it_is_told),
        TEST(only_what_has_to_last_waits_for_the_disk),
        TEST(what_fails_leaves_no_later_one_waiting),
        TEST(all_that_a_durable_handle_does_waits),
        TEST(what_becomes_known_is_kept_while_receiving),
        TEST(a_hash_is_forgotten_for_good),
        TEST(unchecked_bytes_are_noted_for_good_and_end_with_the_upload),
        TEST(an_index_is_needed_until_the_whole_file_was_probed),
        TEST(metadata_is_told_as_it_was_given),
        TEST(an_upload_is_listed_once_its_first_bytes_are_good),
        TEST(an_upload_is_followed_once_its_first_bytes_are_good),
        TEST(an_upload_expires_when_its_time_is_over),
        TEST(finished_uploads_do_not_expire),
    };

    return cmocka_run_group_tests_name("store_uploads", tests, NULL, NULL);
}
