/* Uploads, videos and what is beside them when allocations fail. */
#include "store_starve.h"

#include "store_accounts.h"
#include "store_check.h"
#include "store_lists.h"

static enum rc one_video(void *arg, const struct video *v)
{
    assert_int_equal(strlen(v->id), ID_LEN);
    ++*(int64_t *)arg;
    return RC_OK;
}

/* ---- uploads --------------------------------------------------------------------- */

#define UPLOAD "0123456789abcdef0123456789abcdef"
#define FAR INT64_C(4000000000000)

static enum rc create(struct world *w)
{
    const struct video_new n = {.title = "A title of more than a few bytes",
                                .filename = "a.mp4",
                                .size = -1,
                                .created_ms = w->f->wall_ms,
                                .upload_id = UPLOAD,
                                .expires_ms = FAR,
                                .metadata = "filename YS5tcDQ=",
                                .unseen_max = 10};
    return store_video_create(w->st, &n, &w->video);
}

static enum rc metadata(struct world *w)
{
    char out[STORE_METADATA_MAX + 1];
    enum rc rc = store_upload_metadata(w->st, w->video.id, out);
    if (rc == RC_OK)
        assert_string_equal(out, "filename YS5tcDQ=");
    return rc;
}

static const struct hash_state said = {.n = 3, .bytes = {1, 2, 3}};

static enum rc hash(struct world *w)
{
    struct hash_state out;
    enum rc rc = store_upload_hash(w->st, w->video.id, &out);
    if (rc == RC_OK)
        assert_int_equal(out.n, said.n);
    return rc;
}

CALL(upload_get, store_upload_get(w->st, UPLOAD, &w->found, &w->flag))
CALL(each_unseen, found(w, store_upload_each_unseen(w->st, one_video, &w->n), 1))
CALL(sniffed, store_upload_sniffed(w->st, w->video.id, CONTAINER_MP4))
CALL(length, store_upload_length(w->st, w->video.id, 1000))
CALL(index_at, store_upload_index(w->st, w->video.id, 900))
CALL(index_needed, store_upload_index_needed(w->st, w->video.id, &w->flag))
CALL(unchecked, store_upload_unchecked(w->st, w->video.id, 10))
CALL(checked, store_upload_unchecked(w->st, w->video.id, -1))
CALL(received, store_video_received(w->st, w->video.id, 500, FAR, &said))
CALL(forget_hash, store_upload_forget_hash(w->st, w->video.id))
CALL(header_arrived, store_video_header_arrived(w->st, w->video.id))
CALL(arrived, store_video_arrived(w->st, w->video.id, 2000000))
CALL(picture_arrived, store_video_picture_arrived(w->st, w->video.id))
CALL(each_receiving, found(w, store_video_each_receiving(w->st, one_video, &w->n), 1))
CALL(stored, store_video_stored(w->st, w->video.id, 1000, &w->found))
CALL(abandon, store_video_abandon(w->st, w->video.id, "It broke off."))
CALL(expire, store_upload_expire(w->st, w->video.id))

/* Its header is planned by, so that its picture may come. */
static void plan_by_header(struct world *w)
{
    struct video_plan plan = fixture_plan(1);
    struct job job = fixture_claim(w->f, "w");
    assert_int_equal(store_job_planned(w->st, &job, &plan), RC_OK);
}

static void an_upload_is_as_it_was_or_as_it_should(void **state)
{
    static const struct call coming[] = {
        ONE(create),    ONE(upload_get),  ONE(metadata),       ONE(each_unseen),
        ONE(sniffed),   ONE(length),      ONE(index_at),       ONE(index_needed),
        ONE(unchecked), ONE(checked),     ONE(received),       ONE(each_receiving),
        ONE(hash),      ONE(forget_hash), ONE(header_arrived),
    };
    static const struct call whole[] = {ONE(arrived), ONE(picture_arrived),
                                        ONE(stored)};
    static const struct call broken[] = {ONE(abandon)};
    static const struct call late[] = {ONE(expire)};
    struct world *w = *state;
    starve_calls(w, coming, N(coming));
    plan_by_header(w);
    starve_calls(w, whole, N(whole));
    w->video = fixture_receiving(w->f, "b");
    starve_calls(w, broken, N(broken));
    w->video = fixture_receiving(w->f, "c");
    assert_int_equal(store_video_received(w->st, w->video.id, 1, w->f->wall_ms, NULL),
                     RC_OK);
    fixture_tick(w->f, 1000);
    starve_calls(w, late, N(late));
}

/* ---- videos ---------------------------------------------------------------------- */

static enum rc list(struct world *w)
{
    const struct video_query query = {.limit = 1, .all = true, .q = "o"};
    return found(w, store_video_list(w->st, &query, one_video, &w->n, &w->flag), 1);
}

static enum rc renditions(struct world *w)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    enum rc rc = store_renditions(w->st, w->video.id, all, &n);
    if (rc == RC_OK) {
        assert_int_equal(n, 2);
        assert_string_equal(all[0].codecs, "avc1.64001e");
    }
    return rc;
}

static enum rc rendition(struct world *w)
{
    struct rendition r;
    return store_rendition(w->st, w->video.id, "audio-0", &r);
}

static enum rc lists_changes(struct world *w)
{
    struct lists_changes c;
    return store_lists_changes(w->st, w->video.id, &c);
}

CALL(get, store_video_get(w->st, w->video.id, &w->found))
CALL(video_rename,
     store_video_rename(w->st, w->video.id, "Another title, a longer one"))
CALL(warn, store_video_warn(w->st, w->video.id, "There is something about it."))
CALL(exists, store_video_exists(w->st, w->video.id, &w->flag))
CALL(root_exists, store_root_exists(w->st, w->found.media_root, &w->flag))
CALL(each, found(w, store_video_each(w->st, one_video, &w->n), 2))
CALL(lists_followed, store_lists_followed(w->st, w->video.id, 1))
CALL(each_behind, found(w, store_lists_each_behind(w->st, one_video, &w->n), 1))
CALL(changed, store_changed(w->st, &w->flag))
CALL(ping, store_ping(w->st))
CALL(checkpoint, store_checkpoint(w->st))
CALL(watched, store_video_watched(w->st, w->video.id))
CALL(video_delete, store_video_delete(w->st, w->video.id, &w->found))
CALL(each_deleted, found(w, store_video_each_deleted(w->st, one_video, &w->n), 1))
CALL(purge, store_video_purge(w->st, w->video.id))

static void a_video_is_as_it_was_or_as_it_should(void **state)
{
    static const struct call calls[] = {
        ONE(list),         ONE(get),          ONE(renditions),    ONE(rendition),
        ONE(video_rename), ONE(warn),         ONE(exists),        ONE(root_exists),
        ONE(each),         ONE(each_behind),  ONE(lists_changes), ONE(lists_followed),
        ONE(changed),      ONE(ping),         ONE(checkpoint),    ONE(watched),
        ONE(video_delete), ONE(each_deleted), ONE(purge),
    };
    struct world *w = *state;
    w->video = fixture_planned(w->f, "one");
    plainly(w, "UPDATE videos SET lists_changed = 1");
    fixture_stored(w->f, "two");
    starve_calls(w, calls, N(calls));
}

/* ---- subtitles ------------------------------------------------------------------- */

static enum rc put(struct world *w)
{
    static const struct subtitle s = {
        .name = "en", .language = "en", .label = "A label"};
    return store_subtitle_put(w->st, w->video.id, &s,
                              "WEBVTT\n\n00:01.000 --> 00:02.000\nA text\n", &w->flag);
}

static enum rc subtitles(struct world *w)
{
    static struct subtitles all;
    enum rc rc = store_subtitles(w->st, w->video.id, &all);
    if (rc == RC_OK)
        assert_int_equal(all.n, 1);
    return rc;
}

static enum rc text(struct world *w)
{
    char *out;
    enum rc rc = store_subtitle_text(w->st, w->video.id, "en", &out);
    if (rc != RC_OK)
        return rc;
    assert_non_null(strstr(out, "A text\n"));
    free(out);
    return RC_OK;
}

CALL(subtitle_delete, store_subtitle_delete(w->st, w->video.id, "en"))

static void subtitles_are_as_they_were_or_as_they_should(void **state)
{
    static const struct call calls[] = {ONE(put), ONE(subtitles), ONE(text), ONE(put),
                                        ONE(subtitle_delete)};
    struct world *w = *state;
    w->video = fixture_planned(w->f, "one");
    starve_calls(w, calls, N(calls));
}

/* ---- what is beside them --------------------------------------------------------- */

static enum rc one_demand(void *arg, const struct demand *d)
{
    assert_string_equal(d->rendition, "360p");
    ++*(int64_t *)arg;
    return RC_OK;
}

static enum rc one_row(void *arg, const struct activity *a)
{
    assert_true(*a->message && *a->kind);
    ++*(int64_t *)arg;
    return RC_OK;
}

static enum rc demand(struct world *w)
{
    struct demand add = {.rendition = "360p", .segment = 3};
    strcpy(add.video_id, w->video.id);
    return store_demand_update(w->st, &add, 1, 60000, NULL, 0);
}

static enum rc worker_jail(struct world *w)
{
    char lacks[STORE_TEXT_MAX + 1];
    return store_worker_jail(w->st, lacks);
}

static enum rc disk_use(struct world *w)
{
    struct disk_use use;
    return store_disk_use(w->st, &use);
}

static enum rc disk_count(struct world *w)
{
    struct disk_use use;
    return store_disk_count(w->st, &use);
}

static void no_complaint(void *arg, const char *sentence)
{
    (void)arg;
    fail_msg("%s", sentence);
}

CALL(demand_each, found(w, store_demand_each(w->st, one_demand, &w->n), 1))
CALL(demand_clear, store_demand_clear(w->st))
CALL(beat, store_worker_beat(w->st, "w", 1, "nothing that matters here"))
CALL(refused, store_worker_refused(w->st, "what is required"))
CALL(age, store_worker_age(w->st, &w->n))
CALL(gone, store_worker_gone(w->st, "w"))
CALL(note, store_activity_add(w->st, ACTIVITY_WARN, "video", w->video.id, "A %s", "b"))
CALL(note_rarely,
     store_activity_add_rarely(w->st, ACTIVITY_WARN, "account", "A sign-in", ", again"))
CALL(rows, found(w, store_activity_list(w->st, 0, -1, 1, one_row, &w->n), 1))
CALL(trim, store_activity_trim(w->st, 1))
CALL(disk_full, store_disk_pause(w->st, true, "The disk is full."))
CALL(disk_free, store_disk_pause(w->st, false, "There is room."))
CALL(check_database, store_check_database(w->st, no_complaint, NULL))

static void what_is_beside_them_is_as_it_was_or_as_it_should(void **state)
{
    static const struct call calls[] = {
        ONE(demand),         ONE(demand_each), ONE(demand_clear), ONE(refused),
        ONE(beat),           ONE(age),         ONE(worker_jail),  ONE(gone),
        ONE(note),           ONE(note_rarely), ONE(rows),         ONE(trim),
        ONE(disk_count),     ONE(disk_use),    ONE(disk_full),    ONE(disk_free),
        ONE(check_database),
    };
    struct world *w = *state;
    w->video = fixture_planned(w->f, "one");
    w->n = 0;
    starve_calls(w, calls, N(calls));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, starve_setup, starve_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_upload_is_as_it_was_or_as_it_should),
        TEST(a_video_is_as_it_was_or_as_it_should),
        TEST(subtitles_are_as_they_were_or_as_they_should),
        TEST(what_is_beside_them_is_as_it_was_or_as_it_should),
    };
    return cmocka_run_group_tests_name("nomem_videos", tests, NULL, NULL);
}
