#include "check.h"

#include "store_fixture.h"
#include "store_priv.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* ---- the file ----------------------------------------------------------- */

static void network_file_systems_are_known_by_number(void **state)
{
    (void)state;
    assert_true(store_is_network_fs(0x6969));
    assert_true(store_is_network_fs(0x517b));
    assert_true(store_is_network_fs(0xff534d42));
    assert_true(store_is_network_fs(0xfe534d42));
    assert_true(store_is_network_fs(0x01021997));
    assert_true(store_is_network_fs(0x00c36400));
    assert_true(store_is_network_fs(0x65735546));
    /* As a machine with a signed 32-bit f_type would say CIFS. */
    assert_true(store_is_network_fs((unsigned long)(int32_t)0xff534d42));
    assert_false(store_is_network_fs(0xef53));     /* ext4 */
    assert_false(store_is_network_fs(0x58465342)); /* XFS */
    assert_false(store_is_network_fs(0x9123683e)); /* Btrfs */
    assert_false(store_is_network_fs(0x01021994)); /* tmpfs */
    assert_false(store_is_network_fs(0x794c7630)); /* overlayfs */
    assert_false(store_is_network_fs(0x2fc12fc1)); /* ZFS */
}

static mode_t mode_of(const struct fixture *f, const char *suffix)
{
    char path[PATH_MAX + 32];
    struct stat st;

    snprintf(path, sizeof(path), "%s%s", f->path, suffix);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static off_t size_of(const struct fixture *f, const char *suffix)
{
    char path[PATH_MAX + 32];
    struct stat st;

    snprintf(path, sizeof(path), "%s%s", f->path, suffix);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void database_files_are_private(void **state)
{
    struct fixture *f = *state;

    fixture_receiving(f, "clip");
    assert_int_equal(mode_of(f, ""), 0600);
    assert_int_equal(mode_of(f, "-wal"), 0600);
    assert_int_equal(mode_of(f, "-shm"), 0600);
}

static void what_cannot_be_opened_is_told_apart(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX + 16];
    struct store *st = NULL;
    FILE *file;

    snprintf(path, sizeof(path), "%s/none/test.db", f->dir);
    assert_int_equal(store_open(path, &f->clock, &st), RC_IO);
    snprintf(path, sizeof(path), "%s/garbage.db", f->dir);
    file = fopen(path, "w");
    fprintf(file, "%04096d", 1);
    fclose(file);
    assert_int_equal(store_open(path, &f->clock, &st), RC_CORRUPT);
    assert_null(st);
}

static void a_newer_version_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store *st = NULL;

    assert_int_equal(
        sqlite3_exec(f->st->db, "PRAGMA user_version=999", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(store_open(f->path, &f->clock, &st), RC_UNSUPPORTED);
    assert_null(st);
}

#define OPENERS 8

struct opener {
    pthread_t thread;
    pthread_barrier_t *barrier;
    struct fixture *f;
    char path[PATH_MAX + 16];
    enum rc rc;
};

static void *open_at_once(void *arg)
{
    struct opener *o = arg;
    struct store *st = NULL;

    pthread_barrier_wait(o->barrier);
    o->rc = store_open(o->path, &o->f->clock, &st);
    if (o->rc == RC_OK)
        o->rc = store_ping(st);
    store_close(st);
    return NULL;
}

static void many_may_create_the_database_at_once(void **state)
{
    struct opener openers[OPENERS];
    pthread_barrier_t barrier;
    int round, i;

    for (round = 0; round < 10; round++) {
        pthread_barrier_init(&barrier, NULL, OPENERS);
        for (i = 0; i < OPENERS; i++) {
            openers[i] = (struct opener){.barrier = &barrier, .f = *state, .rc = RC_IO};
            snprintf(openers[i].path, sizeof(openers[i].path), "%s/%d.db",
                     openers[i].f->dir, round);
            pthread_create(&openers[i].thread, NULL, open_at_once, &openers[i]);
        }
        for (i = 0; i < OPENERS; i++)
            pthread_join(openers[i].thread, NULL);
        pthread_barrier_destroy(&barrier);
        for (i = 0; i < OPENERS; i++)
            assert_int_equal(openers[i].rc, RC_OK);
    }
}

static void nothing_is_checkpointed_until_asked(void **state)
{
    struct fixture *f = *state;
    off_t before = size_of(f, "");
    int i;

    for (i = 0; i < 600; i++)
        fixture_receiving(f, "clip");
    /* Far more than the 1000 pages at which SQLite would by itself. */
    assert_true(size_of(f, "-wal") > 1500 * 4096);
    assert_int_equal(size_of(f, ""), before);
    store_close(f->st);
    assert_int_equal(size_of(f, ""), before);
    f->st = fixture_handle(f);
    assert_int_equal(store_checkpoint(f->st), RC_OK);
    assert_true(size_of(f, "") > before);
}

static void changes_of_other_handles_are_seen(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_handle(f);
    bool changed = true;

    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_false(changed);
    fixture_receiving(f, "clip");
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_true(changed);
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_false(changed);
    assert_int_equal(store_changed(f->st, &changed), RC_OK);
    assert_false(changed);
    assert_int_equal(store_ping(other), RC_OK);
    store_close(other);
}

/* ---- the upload --------------------------------------------------------- */

static void a_new_video_is_a_whole_row(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "Größe 1"), same;

    assert_true(id_valid(v.id));
    assert_true(key_valid(v.media_root));
    assert_true(key_valid(v.media_key));
    assert_string_not_equal(v.media_root, v.media_key);
    assert_string_equal(v.title, "Größe 1");
    assert_string_equal(v.filename, "Größe 1.mp4");
    assert_int_equal(v.container, CONTAINER_MP4);
    assert_int_equal(v.state, VIDEO_RECEIVING);
    assert_false(v.playable);
    assert_int_equal(v.size, -1);
    assert_int_equal(v.received, 0);
    assert_int_equal(v.duration_us, -1);
    assert_int_equal(v.created_ms, f->wall_ms);
    assert_int_equal(v.first_segment_ms, -1);
    assert_int_equal(v.stored_ms, -1);
    assert_int_equal(v.ready_ms, -1);
    assert_int_equal(v.rate_den, 1);
    same = fixture_get(f, v.id);
    assert_memory_equal(&same, &v, sizeof(v));
}

static void a_new_video_needs_clean_names(void **state)
{
    static const char *const bad[] = {"a\nb", "a\x7f", "\xff", "\xc2\x85", "\xc0\x80"};
    struct fixture *f = *state;
    struct video_new n;
    struct video v;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&n, 0, sizeof(n));
        strcpy(n.title, bad[i]);
        assert_int_equal(store_video_create(f->st, &n, &v), RC_INVALID);
        memset(&n, 0, sizeof(n));
        strcpy(n.filename, bad[i]);
        assert_int_equal(store_video_create(f->st, &n, &v), RC_INVALID);
    }
}

static void received_bytes_are_told_while_receiving(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");

    assert_int_equal(store_video_received(f->st, v.id, 4096), RC_OK);
    assert_int_equal(fixture_get(f, v.id).received, 4096);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_video_received(f->st, v.id, 8192), RC_NOT_FOUND);
    v = fixture_stored(f, "other");
    assert_int_equal(store_video_received(f->st, v.id, 1), RC_NOT_FOUND);
}

static void stored_has_size_time_and_a_probe_job(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip"), out;
    struct job job;

    assert_int_equal(store_job_claim(f->st, "w", 1000, &job), RC_NOT_FOUND);
    fixture_tick(f, 1500);
    assert_int_equal(store_video_stored(f->st, v.id, 12345, &out), RC_OK);
    assert_int_equal(out.state, VIDEO_STORED);
    assert_int_equal(out.size, 12345);
    assert_int_equal(out.received, 12345);
    assert_int_equal(out.stored_ms, 1500);
    job = fixture_claim(f, "w");
    assert_int_equal(job.kind, JOB_PROBE);
    assert_string_equal(job.video_id, v.id);
    assert_string_equal(job.rendition, "");
}

static void stored_is_on_disk_before_it_returns_and_only_that(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");

    wal_syncs = 0;
    assert_int_equal(store_video_received(f->st, v.id, 10), RC_OK);
    assert_int_equal(wal_syncs, 0);
    assert_int_equal(store_video_stored(f->st, v.id, 10, &v), RC_OK);
    assert_true(wal_syncs > 0);
    wal_syncs = 0;
    assert_int_equal(store_video_rename(f->st, v.id, "other"), RC_OK);
    assert_int_equal(wal_syncs, 0);
    /* Nor does a refusal leave the handle slow. */
    assert_int_equal(store_video_stored(f->st, v.id, 10, &v), RC_CONFLICT);
    wal_syncs = 0;
    assert_int_equal(store_video_rename(f->st, v.id, "third"), RC_OK);
    assert_int_equal(wal_syncs, 0);
}

static void only_a_receiving_video_becomes_stored(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "clip"), out = {.id = "old"};
    int64_t due;

    assert_int_equal(store_video_stored(f->st, v.id, 1, &out), RC_CONFLICT);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_video_stored(f->st, v.id, 1, &out), RC_NOT_FOUND);
    assert_int_equal(store_video_stored(f->st, "nosuchvideo", 1, &out), RC_NOT_FOUND);
    assert_string_equal(out.id, "old");
    assert_int_equal(store_job_next_due(f->st, &due), RC_OK);
    assert_int_equal(due, -1);
}

static void abandon_removes_receiving_rows_only(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");
    bool exists;

    assert_int_equal(store_video_abandon(f->st, v.id, "the client went away"), RC_OK);
    assert_int_equal(store_video_exists(f->st, v.id, &exists), RC_OK);
    assert_false(exists);
    assert_int_equal(store_video_abandon(f->st, v.id, "again"), RC_OK);
    v = fixture_stored(f, "other");
    assert_int_equal(store_video_abandon(f->st, v.id, "too late"), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_STORED);
}

/* ---- one video ---------------------------------------------------------- */

static void the_owners_key_finds_the_video_and_the_root_does_not(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip"), found;

    assert_int_equal(store_video_by_key(f->st, v.media_key, &found), RC_OK);
    assert_string_equal(found.id, v.id);
    assert_int_equal(store_video_by_key(f->st, v.media_root, &found), RC_NOT_FOUND);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_video_by_key(f->st, v.media_key, &found), RC_NOT_FOUND);
}

static void rename_rejects_control_characters_and_empty_titles(void **state)
{
    static char exact[STORE_TITLE_MAX + 1], longer[STORE_TITLE_MAX + 2];
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");

    memset(exact, 'x', STORE_TITLE_MAX);
    memset(longer, 'x', STORE_TITLE_MAX + 1);
    assert_int_equal(store_video_rename(f->st, v.id, ""), RC_INVALID);
    assert_int_equal(store_video_rename(f->st, v.id, "a\tb"), RC_INVALID);
    assert_int_equal(store_video_rename(f->st, v.id, "a\xc2\x9b"), RC_INVALID);
    assert_int_equal(store_video_rename(f->st, v.id, "\xed\xa0\x80"), RC_INVALID);
    assert_int_equal(store_video_rename(f->st, v.id, longer), RC_INVALID);
    assert_string_equal(fixture_get(f, v.id).title, "clip");
    assert_int_equal(store_video_rename(f->st, v.id, exact), RC_OK);
    assert_string_equal(fixture_get(f, v.id).title, exact);
    assert_int_equal(store_video_rename(f->st, v.id, "日本 '\"%"), RC_OK);
    assert_string_equal(fixture_get(f, v.id).title, "日本 '\"%");
    assert_int_equal(store_video_rename(f->st, "nosuchvideo", "x"), RC_NOT_FOUND);
}

static void a_deleted_video_is_gone_for_every_function(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip"), out;
    struct rendition list[STORE_RENDITIONS_MAX];
    bool exists = false;
    size_t n = 99;

    assert_int_equal(store_video_delete(f->st, v.id, &out), RC_OK);
    assert_string_equal(out.media_key, v.media_key);
    assert_int_equal(out.state, VIDEO_PROCESSING);
    assert_int_equal(store_video_get(f->st, v.id, &out), RC_NOT_FOUND);
    assert_int_equal(store_video_delete(f->st, v.id, &out), RC_NOT_FOUND);
    assert_int_equal(store_video_rename(f->st, v.id, "x"), RC_NOT_FOUND);
    assert_int_equal(store_video_retry(f->st, v.id), RC_NOT_FOUND);
    assert_int_equal(store_video_warn(f->st, v.id, "x"), RC_NOT_FOUND);
    assert_int_equal(store_renditions(f->st, v.id, list, &n), RC_NOT_FOUND);
    assert_int_equal(n, 99);
    assert_int_equal(store_video_exists(f->st, v.id, &exists), RC_OK);
    assert_true(exists);
}

static enum rc purge_one(void *arg, const struct video *v)
{
    struct fixture *f = arg;

    f->wall_ms++; /* counts the calls */
    return store_video_purge(f->st, v->id);
}

static void deleted_videos_may_be_purged_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct video v[3], kept = fixture_planned(f, "kept");
    int64_t start;
    bool exists = true;
    int i;

    for (i = 0; i < 3; i++) {
        v[i] = fixture_planned(f, "gone");
        assert_int_equal(store_video_delete(f->st, v[i].id, &v[i]), RC_OK);
    }
    start = f->wall_ms;
    assert_int_equal(store_video_each_deleted(f->st, purge_one, f), RC_OK);
    assert_int_equal(f->wall_ms - start, 3);
    for (i = 0; i < 3; i++) {
        assert_int_equal(store_video_exists(f->st, v[i].id, &exists), RC_OK);
        assert_false(exists);
    }
    assert_int_equal(store_video_purge(f->st, kept.id), RC_OK);
    assert_int_equal(fixture_get(f, kept.id).state, VIDEO_PROCESSING);
    assert_int_equal(store_video_purge(f->st, v[0].id), RC_OK);
}

static enum rc count_receiving(void *arg, const struct video *v)
{
    assert_int_equal(v->state, VIDEO_RECEIVING);
    return ++*(int *)arg == 2 ? RC_STOPPED : RC_OK;
}

static void receiving_videos_are_visited_until_told_to_stop(void **state)
{
    struct fixture *f = *state;
    struct video v;
    int n = 0;

    fixture_stored(f, "stored");
    fixture_receiving(f, "one");
    v = fixture_receiving(f, "deleted");
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_video_each_receiving(f->st, count_receiving, &n), RC_OK);
    assert_int_equal(n, 1);
    fixture_receiving(f, "two");
    fixture_receiving(f, "three");
    n = 0;
    assert_int_equal(store_video_each_receiving(f->st, count_receiving, &n),
                     RC_STOPPED);
    assert_int_equal(n, 2);
}

static void warnings_add_up_once_each(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    char longer[600];

    assert_int_equal(store_video_warn(f->st, v.id, "The end is missing."), RC_OK);
    assert_int_equal(store_video_warn(f->st, v.id, "No sound."), RC_OK);
    assert_int_equal(store_video_warn(f->st, v.id, "The end is missing."), RC_OK);
    assert_string_equal(fixture_get(f, v.id).warning, "The end is missing. No sound.");
    memset(longer, 'x', sizeof(longer));
    longer[599] = '\0';
    assert_int_equal(store_video_warn(f->st, v.id, longer), RC_OK);
    assert_int_equal(strlen(fixture_get(f, v.id).warning), STORE_TEXT_MAX);
    assert_int_equal(store_video_warn(f->st, v.id, "No more room."), RC_OK);
    assert_int_equal(strlen(fixture_get(f, v.id).warning), STORE_TEXT_MAX);
}

/* ---- pages -------------------------------------------------------------- */

#define VIDEOS 23

struct page {
    struct video v[64];
    size_t n;
};

static enum rc collect(void *arg, const struct video *v)
{
    struct page *p = arg;

    p->v[p->n++] = *v;
    return RC_OK;
}

/* All videos of a query, page by page. */
static void list_all(struct fixture *f, struct video_query query, struct page *out)
{
    bool more = true;

    out->n = 0;
    while (more) {
        size_t before = out->n;

        assert_int_equal(store_video_list(f->st, &query, collect, out, &more), RC_OK);
        if (more)
            assert_int_equal(out->n - before, query.limit);
        if (out->n > 0)
            query.after = out->v[out->n - 1].id;
    }
}

static bool in_order(enum video_sort sort, const struct video *a, const struct video *b)
{
    int64_t by = sort == SORT_TITLE    ? strcasecmp(b->title, a->title)
                 : sort == SORT_OLDEST ? b->created_ms - a->created_ms
                                       : a->created_ms - b->created_ms;
    int id = strcmp(b->id, a->id);

    return by > 0 || (by == 0 && (sort == SORT_NEWEST ? id < 0 : id > 0));
}

/* Several of one age and of one title, in different cases, so that the id decides. */
static void make_library(struct fixture *f)
{
    static const char *const titles[] = {"beta", "Alpha", "BETA", "gamma", "alpha"};
    int i;

    for (i = 0; i < VIDEOS; i++) {
        fixture_receiving(f, titles[i % 5]);
        if (i % 4 == 0)
            fixture_tick(f, 10);
    }
}

static void pages_hold_every_video_once_in_order(void **state)
{
    static const int limits[] = {1, 4, 22, 23, 24, 200};
    struct fixture *f = *state;
    static struct page p;
    size_t i, k;
    int sort;

    make_library(f);
    for (sort = SORT_NEWEST; sort <= SORT_TITLE; sort++) {
        for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
            struct video_query q = {.sort = (enum video_sort)sort, .limit = limits[i]};

            list_all(f, q, &p);
            assert_int_equal(p.n, VIDEOS);
            for (k = 1; k < p.n; k++)
                assert_true(in_order(q.sort, &p.v[k - 1], &p.v[k]));
        }
    }
}

static void a_page_ends_where_it_did_when_others_come_and_go(void **state)
{
    struct fixture *f = *state;
    static struct page all, p;
    struct video_query q = {.sort = SORT_NEWEST, .limit = 5};
    struct video v;
    bool more;

    make_library(f);
    list_all(f, q, &all);
    fixture_tick(f, 1000);
    fixture_receiving(f, "newer than the page");
    assert_int_equal(store_video_delete(f->st, all.v[2].id, &v), RC_OK);
    q.after = all.v[4].id;
    p.n = 0;
    assert_int_equal(store_video_list(f->st, &q, collect, &p, &more), RC_OK);
    assert_string_equal(p.v[0].id, all.v[5].id);
}

static void assert_found(struct fixture *f, const char *q, const char *want)
{
    static struct page p;
    struct video_query query = {.q = q, .sort = SORT_TITLE, .limit = 2};
    char got[256] = "";
    size_t i;

    list_all(f, query, &p);
    for (i = 0; i < p.n; i++) {
        strcat(got, p.v[i].title);
        strcat(got, ";");
    }
    assert_string_equal(got, want);
}

static void search_looks_for_the_text_itself(void **state)
{
    struct fixture *f = *state;
    char longer[STORE_TITLE_MAX + 2];

    fixture_receiving(f, "100% sure");
    fixture_receiving(f, "1000 sure");
    fixture_receiving(f, "a_b");
    fixture_receiving(f, "aXb");
    fixture_receiving(f, "back\\slash");
    assert_found(f, "100%", "100% sure;");
    assert_found(f, "A_B", "a_b;");
    assert_found(f, "axB", "aXb;");
    assert_found(f, "k\\S", "back\\slash;");
    assert_found(f, "SURE", "100% sure;1000 sure;");
    assert_found(f, "b.MP4", "a_b;aXb;");
    assert_found(f, "' OR 1", "");
    assert_found(f, "", "100% sure;1000 sure;a_b;aXb;back\\slash;");
    memset(longer, 'a', sizeof(longer));
    longer[STORE_TITLE_MAX + 1] = '\0';
    assert_found(f, longer, "");
    longer[STORE_TITLE_MAX] = '\0';
    memset(longer, '%', STORE_TITLE_MAX);
    assert_found(f, longer, "");
}

static void a_list_leaves_out_what_is_deleted(void **state)
{
    struct fixture *f = *state;
    static struct page p;
    struct video_query q = {.sort = SORT_NEWEST, .limit = 2};
    struct video v = fixture_receiving(f, "a");

    fixture_receiving(f, "b");
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    list_all(f, q, &p);
    assert_int_equal(p.n, 1);
    assert_string_equal(p.v[0].title, "b");
}

static enum rc rename_it(void *arg, const struct video *v)
{
    struct fixture *f = arg;

    return store_video_rename(f->st, v->id, "renamed");
}

static void a_callback_may_write(void **state)
{
    struct fixture *f = *state;
    struct video_query q = {.sort = SORT_OLDEST, .limit = 10};
    struct video v = fixture_receiving(f, "a");
    bool more = true;

    assert_int_equal(store_video_list(f->st, &q, rename_it, f, &more), RC_OK);
    assert_false(more);
    assert_string_equal(fixture_get(f, v.id).title, "renamed");
}

static void wrong_queries_are_refused(void **state)
{
    struct fixture *f = *state;
    static struct page p;
    struct video_query q = {.sort = SORT_OLDEST, .limit = 0};
    bool more = true;

    assert_int_equal(store_video_list(f->st, &q, collect, &p, &more), RC_INVALID);
    q.limit = 201;
    assert_int_equal(store_video_list(f->st, &q, collect, &p, &more), RC_INVALID);
    q.limit = 1;
    q.after = "nosuchvideo";
    assert_int_equal(store_video_list(f->st, &q, collect, &p, &more), RC_NOT_FOUND);
    assert_true(more);
}

/* ---- the queries -------------------------------------------------------- */

/* No plan reads a whole table or sorts, but for the handful of one video's renditions.
 */
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
        bool scan = strstr(step, "SCAN videos") || strstr(step, "SCAN activity") ||
                    strstr(step, "SCAN jobs");
        bool sorts = strstr(step, "TEMP B-TREE") && id != SQL_RENDITION_LIST;

        if ((scan && !strstr(step, "INDEX jobs_open") && id != SQL_ACTIVITY_NEWEST &&
             id != SQL_ACTIVITY_TRIM && id != SQL_PING) ||
            sorts)
            fail_msg("%s\nfor: %s", step, sql);
    }
    sqlite3_finalize(q);
}

static enum rc ignore_activity(void *arg, const struct activity *a)
{
    (void)arg;
    (void)a;
    return RC_OK;
}

/* Uses every statement of the store once; what it says is the other tests' business. */
static void use_everything(struct fixture *f)
{
    struct job_result result = {.poster_made = true};
    static struct page p;
    struct rendition list[STORE_RENDITIONS_MAX];
    struct video v = fixture_planned(f, "clip");
    struct job poster = fixture_claim(f, "w"), encode = fixture_claim(f, "w");
    int64_t due;
    bool flag;
    size_t k;
    int n, sort;

    store_job_renew(f->st, &poster, 1000, 0.5);
    store_job_done(f->st, &poster, &result, &flag);
    store_job_published(f->st, &encode, 1);
    store_job_done(f->st, &encode, &result, &flag);
    encode = fixture_claim(f, "w");
    store_job_retry(f->st, &encode, 0, "x");
    encode = fixture_claim(f, "w");
    store_job_without(f->st, &encode, "x");
    store_job_done(f->st, &encode, &result, &flag);
    store_job_next_due(f->st, &due);
    store_job_release_owner(f->st, "w", &n);
    store_renditions(f->st, v.id, list, &k);
    store_video_by_key(f->st, v.media_key, &v);
    store_video_exists(f->st, v.id, &flag);
    store_video_rename(f->st, v.id, "x");
    store_video_warn(f->st, v.id, "x");
    for (sort = SORT_NEWEST; sort <= SORT_TITLE; sort++)
        list_all(f, (struct video_query){.sort = (enum video_sort)sort, .limit = 1},
                 &p);
    v = fixture_stored(f, "to fail");
    encode = fixture_claim(f, "w");
    store_job_fail(f->st, &encode, "x");
    store_video_retry(f->st, v.id);
    store_video_delete(f->st, v.id, &v);
    store_video_each_deleted(f->st, purge_one, f);
    v = fixture_receiving(f, "to abandon");
    store_video_received(f->st, v.id, 1);
    store_video_each_receiving(f->st, collect, &p);
    store_video_abandon(f->st, v.id, "x");
    store_worker_beat(f->st, "w", 1);
    store_worker_age(f->st, &due);
    store_worker_gone(f->st, "w");
    store_activity_list(f->st, -1, 1, ignore_activity, NULL);
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
        cmocka_unit_test(network_file_systems_are_known_by_number),
        TEST(database_files_are_private),
        TEST(what_cannot_be_opened_is_told_apart),
        TEST(a_newer_version_is_refused),
        TEST(many_may_create_the_database_at_once),
        TEST(nothing_is_checkpointed_until_asked),
        TEST(changes_of_other_handles_are_seen),
        TEST(a_new_video_is_a_whole_row),
        TEST(a_new_video_needs_clean_names),
        TEST(received_bytes_are_told_while_receiving),
        TEST(stored_has_size_time_and_a_probe_job),
        TEST(stored_is_on_disk_before_it_returns_and_only_that),
        TEST(only_a_receiving_video_becomes_stored),
        TEST(abandon_removes_receiving_rows_only),
        TEST(the_owners_key_finds_the_video_and_the_root_does_not),
        TEST(rename_rejects_control_characters_and_empty_titles),
        TEST(a_deleted_video_is_gone_for_every_function),
        TEST(deleted_videos_may_be_purged_one_by_one),
        TEST(receiving_videos_are_visited_until_told_to_stop),
        TEST(warnings_add_up_once_each),
        TEST(pages_hold_every_video_once_in_order),
        TEST(a_page_ends_where_it_did_when_others_come_and_go),
        TEST(search_looks_for_the_text_itself),
        TEST(a_list_leaves_out_what_is_deleted),
        TEST(a_callback_may_write),
        TEST(wrong_queries_are_refused),
        TEST(queries_use_their_indices),
    };

    return cmocka_run_group_tests_name("store_videos", tests, NULL, NULL);
}
