/* test_store_queries.c: how the store's statements find their rows. */
#include "check.h"

#include "store_check.h"
#include "store_fixture.h"
#include "store_lists.h"
#include "store_pictures.h"
#include "store_priv.h"

/* No plan reads a whole table or sorts, but for tables that hold a handful: the
 * renditions of one video, what is waited for, workers, secrets of the site. */
static void assert_indexed(struct store *st, enum statement id)
{
    char sql[2048];
    sqlite3_stmt *q;

    if (!st->statements[id])
        fail_msg("statement %d was never used", (int)id);
    snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s",
             sqlite3_sql(st->statements[id]));
    assert_int_equal(sqlite3_prepare_v2(st->db, sql, -1, &q, NULL), SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(q, 3);
        bool scan = strstr(step, "SCAN ") && !strstr(step, "SCAN demand") &&
                    !strstr(step, "SCAN workers") && !strstr(step, "SCAN disk") &&
                    !strstr(step, "SCAN site_secrets");
        bool sorts = strstr(step, "TEMP B-TREE") && id != SQL_RENDITION_LIST &&
                     id != SQL_RENDITION_READINESS && id != SQL_DEMAND_LIST &&
                     id != SQL_JOB_CLAIM_ENCODE; /* one row */

        /* Not for each upload that is begun: a row is read for each of all users. */
        bool arriving = (strstr(step, "INDEX videos_unseen") ||
                         strstr(step, "INDEX videos_arriving")) &&
                        id != SQL_UPLOAD_UNFINISHED_OF;

        if ((scan && !strstr(step, "INDEX jobs_open") &&
             !strstr(step, "INDEX jobs_leaving") && !arriving &&
             id != SQL_ACTIVITY_NEWEST && id != SQL_ACTIVITY_OVER && id != SQL_PING &&
             id != SQL_USER_COUNT && id != SQL_USER_ANY && id != SQL_DISK_SUM) ||
            sorts)
            fail_msg("%s\nfor: %s", step, sql);
    }
    sqlite3_finalize(q);
}

static enum rc purge_it(void *arg, const struct video *v)
{
    return store_video_purge(((struct fixture *)arg)->st, v->id);
}

static enum rc ignore_video(void *arg, const struct video *v)
{
    (void)arg, (void)v;
    return RC_OK;
}

static enum rc ignore_activity(void *arg, const struct activity *a)
{
    (void)arg, (void)a;
    return RC_OK;
}

static enum rc ignore_readiness(void *arg, const struct rendition *r,
                                const struct readiness *ready)
{
    (void)arg, (void)r, (void)ready;
    return RC_OK;
}

static enum rc ignore_demand(void *arg, const struct demand *d)
{
    (void)arg, (void)d;
    return RC_OK;
}

static void use_upload(struct fixture *f)
{
    struct video_new n = {.title = "x",
                          .upload_id = "x",
                          .size = 1,
                          .unseen_max = 9,
                          .unfinished_each = 9};
    char metadata[STORE_METADATA_MAX + 1];
    struct hash_state hash;
    struct video v;
    bool flag;

    store_video_create(f->st, &n, &v);
    store_upload_get(f->st, "x", &v, &flag);
    store_upload_sniffed(f->st, v.id, CONTAINER_MP4);
    store_upload_length(f->st, v.id, 2);
    store_upload_index(f->st, v.id, 1);
    store_upload_index_needed(f->st, v.id, &flag);
    store_upload_unchecked(f->st, v.id, 1);
    store_upload_metadata(f->st, v.id, metadata);
    store_upload_hash(f->st, v.id, &hash);
    store_upload_forget_hash(f->st, v.id);
}

/* extras: with a copy first. */
static void use_copy(struct fixture *f, const struct video_plan *extras)
{
    struct rendition r = extras->renditions[0];
    struct video_plan plan = fixture_plan(1);
    const uint8_t bounds[20] = {0};
    struct video v = fixture_stored(f, "to copy");
    struct job job = fixture_claim(f, "w");
    uint8_t *bytes;
    bool flag;
    size_t n;

    r.kind = RENDITION_VIDEO;
    r.segments = 0;
    plan.renditions[plan.n_renditions++] = r;
    for (size_t i = 0; i < plan.n_renditions; i++) {
        if (plan.renditions[i].kind != RENDITION_AUDIO)
            continue;
        plan.renditions[i].copied = true;
        plan.bounds[i].bytes = bounds;
        plan.bounds[i].n = sizeof(bounds);
    }
    store_job_planned(f->st, &job, &plan);
    store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_ENCODE), &job);
    store_job_encode_sounds(f->st, &job, &plan.renditions[0], "x");
    store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_COPY), &job);
    r.segments = 1;
    store_job_offer(f->st, &job, &r, bounds, sizeof(bounds));
    if (store_bounds(f->st, v.id, r.name, &bytes, &n) == RC_OK)
        free(bytes);
    store_job_anew(f->st, &job);
    store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_COPY), &job);
    store_job_instead(f->st, &job, "x", extras, &flag);
    store_video_delete(f->st, v.id, &v);
    store_video_purge(f->st, v.id);
}

static void use_check(struct fixture *f)
{
    struct video_plan plan = fixture_plan(1);
    struct video v = fixture_planned(f, "to check");
    struct work work[STORE_WORK_MAX];
    struct job job;
    size_t n;
    bool flag;

    while (store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_ENCODE), &job) == RC_OK)
        store_job_done(f->st, &job, &(struct job_result){.bitrate = 0}, &flag);
    for (int i = MEND_NOTHING; i <= MEND_LEASE; i++)
        store_mend(f->st, v.id, (enum mend)i, plan.renditions[0].name, 1);
    store_work_of(f->st, v.id, work, &n);
    store_root_exists(f->st, v.media_root, &flag);
    store_video_each(f->st, ignore_video, f);
    store_video_delete(f->st, v.id, &v);
    store_video_purge(f->st, v.id);
}

static void use_subtitles(struct fixture *f)
{
    struct subtitle s = {.name = "en", .language = "en"};
    struct video_plan plan = fixture_plan(1);
    struct video v = fixture_stored(f, "to read");
    struct subtitles all;
    struct job job = fixture_claim(f, "w");
    char *text;
    bool flag;

    plan.tracks.list[0] = s;
    plan.tracks.n = 1;
    store_job_planned(f->st, &job, &plan);
    store_subtitle_put(f->st, v.id, &s, "x", &flag);
    if (store_subtitle_text(f->st, v.id, "en", &text) == RC_OK)
        free(text);
    store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_SUBTITLES), &job);
    store_subtitles(f->st, v.id, &all);
    store_job_subtitle_read(f->st, &job, 0, "x");
    store_job_subtitle_missing(f->st, &job, 0, NULL);
    store_job_subtitles_published(f->st, &job, &all);
    store_subtitle_delete(f->st, v.id, "en");
    store_job_fail(f->st, &job, "x");
    store_video_delete(f->st, v.id, &v);
}

static enum rc ignore_user(void *arg, const struct user *u)
{
    (void)arg, (void)u;
    return RC_OK;
}

static enum rc ignore_session(void *arg, const struct session *s)
{
    (void)arg, (void)s;
    return RC_OK;
}

static enum rc ignore_token(void *arg, const struct token *t)
{
    (void)arg, (void)t;
    return RC_OK;
}

static enum rc ignore_grant(void *arg, const struct grant *g)
{
    (void)arg, (void)g;
    return RC_OK;
}

static enum rc ignore_share(void *arg, const struct share *s)
{
    (void)arg, (void)s;
    return RC_OK;
}

static void use_own_upload(struct fixture *f, int64_t user_id)
{
    struct video_new n = {
        .title = "x", .size = 1, .owner_id = user_id, .unseen_each = 9};
    struct video v;

    store_video_create(f->st, &n, &v);
}

static void use_accounts(struct fixture *f)
{
    static const struct try_subject subjects[] = {{"a", false}, {"b", true}};
    uint8_t hash[SECRET_HASH_SIZE] = {0}, key[SECRET_KEY_SIZE];
    struct session s = {.expires_ms = f->wall_ms + 1000000};
    struct token t = {.label = "x", .scopes = SCOPE_READ, .expires_ms = -1};
    struct store_actor actor;
    int64_t id, other;
    struct user u;
    size_t n;
    bool flag;

    store_setup_begin(f->st, hash, f->wall_ms + 1);
    store_user_first(f->st, hash, "ada", "x", &id);
    store_site_key(f->st, key);
    store_user_add(f->st, "bob", USER_OWNER, "x", &other);
    store_user_each(f->st, ignore_user, NULL);
    use_own_upload(f, id);
    s.user_id = t.user_id = id;
    store_session_begin(f->st, hash, "x", &s);
    store_token_add(f->st, hash, &t);
    fixture_tick(f, 100000);
    store_session_use(f->st, hash, 1000, &s, &u);
    store_session_each(f->st, id, ignore_session, NULL);
    store_session_exists(f->st, hash, &flag);
    store_token_use(f->st, hash, &t, &u);
    store_token_each(f->st, id, ignore_token, NULL);
    actor = (struct store_actor){id, USER_OWNER, s.n, t.n};
    store_act_for(f->st, &actor);
    store_session_end(f->st, id, s.n);
    store_act_for(f->st, NULL);
    store_token_remove(f->st, id, t.n);
    store_user_set_password(f->st, id, "y", 0);
    store_user_set_role(f->st, id, USER_MEMBER, NULL);
    store_try_begin(f->st, subjects, 2, &other);
    store_try_succeeded(f->st, subjects, 2);
    store_accounts_expire(f->st);
    s.expires_ms = f->wall_ms;
    store_session_begin(f->st, hash, "y", &s);
    store_sessions_expire(f->st, &other);
    store_sessions_ended(f->st, NULL, &hash, 1, &n);
    store_sessions_drop(f->st, (const uint8_t(*)[SECRET_HASH_SIZE])hash, 1);
    store_user_remove(f->st, id, NULL);
}

static enum rc ignore_evictable(void *arg, const struct evictable *e)
{
    (void)arg, (void)e;
    return RC_OK;
}

static void use_disk(struct fixture *f)
{
    struct rendition_of which = {.rendition = "360p"};
    struct video v = fixture_planned(f, "to put away");
    struct disk_use use;

    strcpy(which.video_id, v.id);
    assert_int_equal(sqlite3_exec(f->st->db,
                                  "UPDATE renditions SET bytes = 1, extra = 1", NULL,
                                  NULL, NULL),
                     SQLITE_OK);
    store_disk_count(f->st, &use);
    store_disk_pause(f->st, true, "x");
    store_video_watched(f->st, v.id);
    store_evictable_each(f->st, ignore_evictable, NULL);
    store_rendition_evict(f->st, &which);
    store_evicting(f->st, &which);
    store_rendition_evicted(f->st, &which);
    store_unmeasured(f->st, &which);
    store_rendition_measured(f->st, &which, 1);
    store_video_delete(f->st, v.id, &v);
    store_video_purge(f->st, v.id);
}

static void use_grants(struct fixture *f)
{
    struct video v = fixture_receiving(f, "to share");
    struct share s = {.expires_ms = f->wall_ms}, same;
    struct grant g;
    int64_t n, next;
    bool flag;

    store_grant_user(f->st, v.id, 1, &g);
    store_grant_user(f->st, v.id, 0, &g);
    store_grant_by_key(f->st, g.key, &g, &v);
    store_grant_exists(f->st, g.key, &flag);
    memcpy(s.video_id, v.id, sizeof(s.video_id));
    store_share_add(f->st, &s, 0);
    store_shares_expire(f->st, &n, &next);
    s.expires_ms = -1;
    store_share_add(f->st, &s, 0);
    store_share_get(f->st, s.token, &same, &v);
    store_share_each(f->st, v.id, ignore_share, NULL);
    store_share_remove(f->st, s.token);
    store_grants_renew(f->st, v.id);
    store_video_set_visibility(f->st, v.id, VISIBLE_EVERYONE);
    store_grants_end_open(f->st);
    for (int revoked = 0; revoked < 2; revoked++) {
        store_grant_each(f->st, "", revoked, ignore_grant, NULL);
        store_grant_each(f->st, v.id, revoked, ignore_grant, NULL);
    }
    store_grant_drop(f->st, g.key);
    store_video_delete(f->st, v.id, &v);
    store_video_purge(f->st, v.id);
}

/* Uses every statement of the store once; what it says is the other tests' business. */
static void use_everything(struct fixture *f)
{
    char jail[STORE_TEXT_MAX + 1];
    struct job_result result = {.poster_made = true};
    struct video_query query = {.limit = 1};
    struct rendition list[STORE_RENDITIONS_MAX];
    struct lists_changes changes;
    struct demand demand;
    const uint8_t kept[1] = {0};
    uint8_t *points;
    struct video v = fixture_planned(f, "clip");
    struct job poster = fixture_claim(f, "w"), encode = fixture_claim(f, "w");
    int64_t due;
    uint8_t sum[STORE_CHECKSUM_SIZE] = {0};
    bool flag;
    size_t k;
    int n, sort;

    store_job_renew(f->st, &poster, 1000, 0.5);
    store_job_done(f->st, &poster, &result, &flag);
    published(f->st, &encode, 1);
    store_job_seek_points(f->st, &encode, kept, 1);
    if (store_seek_points(f->st, v.id, encode.rendition, &points, &k) == RC_OK)
        free(points);
    store_job_done(f->st, &encode, &result, &flag);
    encode = fixture_claim(f, "w");
    store_job_retry(f->st, &encode, 0, "x");
    struct video_plan extras = fixture_plan(1);
    extras.renditions[0].extra = extras.renditions[0].copied = true;
    strcpy(extras.renditions[0].name, "source");
    store_job_claim_encode(f->st, "w", 30000, v.id, encode.rendition, &encode);
    store_job_postpone(f->st, &encode, 0, "x");
    encode = fixture_claim(f, "w");
    store_job_without(f->st, &encode, "x", &flag);
    store_job_done(f->st, &encode, &result, &flag);
    use_copy(f, &extras);
    store_video_choose_poster(f->st, v.id, 0);
    encode = fixture_claim(f, "w");
    store_job_done(f->st, &encode, &result, &flag);
    store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_STORYBOARD), &encode);
    store_job_storyboard(f->st, &encode);
    store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_CHECKSUM), &encode);
    store_job_checksum(f->st, &encode, sum);
    store_video_checksum(f->st, encode.video_id, sum, &flag);
    use_check(f);
    store_job_next_due(f->st, STORE_KINDS_ALL, &due);
    store_job_release_owner(f->st, "w", &n);
    store_renditions(f->st, v.id, list, &k);
    store_readiness(f->st, v.id, ignore_readiness, NULL);
    demand = (struct demand){.rendition = "x"};
    store_demand_update(f->st, &demand, 1, 1000, &demand, 1);
    store_demand_each(f->st, ignore_demand, NULL);
    store_demand_clear(f->st);
    use_accounts(f);
    use_grants(f);
    use_disk(f);
    fixture_arrival(f);
    store_video_exists(f->st, v.id, &flag);
    store_video_rename(f->st, v.id, "x");
    store_video_warn(f->st, v.id, "x");
    for (sort = SORT_NEWEST; sort <= SORT_TITLE; sort++) {
        query.sort = (enum video_sort)sort;
        query.all = true;
        store_video_list(f->st, &query, ignore_video, NULL, &flag);
        query.all = false;
        query.user_id = 1;
        store_video_list(f->st, &query, ignore_video, NULL, &flag);
    }
    v = fixture_stored(f, "to fail");
    encode = fixture_claim(f, "w");
    store_job_fail(f->st, &encode, "x");
    store_video_retry(f->st, v.id);
    store_video_delete(f->st, v.id, &v);
    store_video_each_deleted(f->st, purge_it, f);
    v = fixture_receiving(f, "to abandon");
    use_upload(f);
    use_subtitles(f);
    store_video_received(f->st, v.id, 1, -1, NULL);
    store_video_each_receiving(f->st, ignore_video, NULL);
    store_upload_each_unseen(f->st, ignore_video, NULL);
    store_lists_each_behind(f->st, ignore_video, NULL);
    store_lists_changes(f->st, v.id, &changes);
    store_lists_followed(f->st, v.id, 1);
    store_video_abandon(f->st, v.id, "x");
    store_worker_refused(f->st, "x");
    store_worker_beat(f->st, "w", 1, "");
    store_worker_age(f->st, &due);
    store_worker_jail(f->st, jail);
    store_worker_gone(f->st, "w");
    store_activity_list(f->st, 0, -1, 1, ignore_activity, NULL);
    store_activity_list(f->st, 1, -1, 1, ignore_activity, NULL);
    store_activity_add_rarely(f->st, ACTIVITY_INFO, "x", "a", "b");
    store_activity_trim(f->st, 1);
    store_changed(f->st, &flag);
    store_ping(f->st);
    assert_int_equal(store_video_get(f->st, v.id, &v), RC_NOT_FOUND);
}

static void queries_use_their_indices(void **state)
{
    struct fixture *f = *state;
    int id;

    use_everything(f);
    for (id = 0; id < STATEMENT_COUNT; id++)
        if (id > SQL_DATA_VERSION && id != SQL_ROLLBACK)
            assert_indexed(f->st, (enum statement)id);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(queries_use_their_indices),
    };

    return cmocka_run_group_tests_name("store_queries", tests, NULL, NULL);
}
