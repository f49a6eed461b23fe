/*
 * Subtitles: those that were added, and those of tracks from the plan to their text.
 * The list never reads the texts, which may be large.
 */
#include "store_priv.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- looking ------------------------------------------------------------ */

static void read_columns(sqlite3_stmt *q, struct subtitle *s)
{
    char source[8];
    int i = 0;

    memset(s, 0, sizeof(*s));
    store_column_text(q, i++, s->name, sizeof(s->name));
    store_column_text(q, i++, s->language, sizeof(s->language));
    store_column_text(q, i++, s->label, sizeof(s->label));
    store_column_text(q, i++, source, sizeof(source));
    s->is_track = strcmp(source, "track") == 0;
    s->forced = sqlite3_column_int(q, i++) != 0;
    s->stream = sqlite3_column_int(q, i++);
    store_column_text(q, i++, s->codec, sizeof(s->codec));
    s->published = sqlite3_column_int64(q, i++);
    s->version = sqlite3_column_int64(q, i++);
    store_column_text(q, i++, s->error, sizeof(s->error));
    s->read = sqlite3_column_int(q, i++) != 0;
}

enum rc store_subtitles(struct store *st, const char *video_id, struct subtitles *out)
{
    struct subtitles found = {.n = 0};
    bool there = false;
    sqlite3_stmt *q;
    /* A video without subtitles is one row of NULLs, no video is no row. */
    enum rc rc = store_prepare(
        st, SQL_SUBTITLE_LIST,
        "SELECT s.name, s.language, s.label, s.source, s.forced, s.stream, s.codec,"
        " s.published, s.version, s.error, s.text IS NOT NULL"
        " FROM videos v LEFT JOIN subtitles s ON s.video_id = v.id"
        " WHERE v.id = ?1 AND v.deleted_at IS NULL ORDER BY s.id",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    while ((rc = store_step(st, q)) == RC_OK) {
        there = true;
        if (sqlite3_column_type(q, 0) != SQLITE_NULL && found.n < STORE_SUBTITLES_MAX)
            read_columns(q, &found.list[found.n++]);
    }
    if (rc != RC_NOT_FOUND || !there)
        return rc;
    *out = found;
    return RC_OK;
}

enum rc store_subtitle_text(struct store *st, const char *video_id, const char *name,
                            char **out)
{
    sqlite3_stmt *q;
    char *text;
    enum rc rc = store_prepare(st, SQL_SUBTITLE_TEXT,
                               "SELECT text FROM subtitles WHERE video_id = ?1"
                               " AND name = ?2 AND text IS NOT NULL",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, name);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    const char *column = (const char *)sqlite3_column_text(q, 0);
    text = column ? strdup(column) : NULL;
    rc = store_finish(st, q);
    if (rc == RC_OK && !text)
        rc = RC_NOMEM;
    if (rc == RC_OK)
        *out = text;
    else
        free(text);
    return rc;
}

/* ---- inside a transaction ----------------------------------------------- */

/* What no other text has, nor 0 and 1 (see step 9 of the schema). */
#define NEW_VERSION "abs(random() / 4) + 2"

/* A statement whose parameters are a video, a name, and (or NULL) another name. */
static enum rc prepare_named(struct store *st, enum statement id, const char *sql,
                             const char *video_id, const char *name, const char *other,
                             sqlite3_stmt **out)
{
    enum rc rc = store_prepare(st, id, sql, out);

    if (rc != RC_OK)
        return rc;
    store_bind_text(*out, 1, video_id);
    store_bind_text(*out, 2, name);
    if (other)
        store_bind_text(*out, 3, other);
    return RC_OK;
}

static enum rc is_taken(struct store *st, const char *video_id, const char *name,
                        bool *out)
{
    sqlite3_stmt *q;
    enum rc rc =
        prepare_named(st, SQL_SUBTITLE_TAKEN,
                      "SELECT 1 FROM subtitles WHERE video_id = ?1 AND name = ?2",
                      video_id, name, NULL, &q);

    return rc == RC_OK ? store_has_row(st, q, out) : rc;
}

/* "en", "en-2" …: there are never as many as numbers. */
static enum rc free_name(struct store *st, const char *video_id, const char *language,
                         char out[LANGUAGE_SLOT_MAX + 1])
{
    bool taken = true;
    enum rc rc = RC_OK;
    int k;

    for (k = 1; rc == RC_OK && taken && k <= STORE_SUBTITLES_MAX + 1; k++) {
        snprintf(out, LANGUAGE_SLOT_MAX + 1, "%s", language);
        if (k > 1)
            snprintf(out, LANGUAGE_SLOT_MAX + 1, "%s-%d", language, k);
        rc = is_taken(st, video_id, out, &taken);
    }
    return rc;
}

/* Before there is a plan there is no place for files; the plan then queues the job. One
 * that runs already may have looked too soon, but not one that still waits. */
enum rc store_subtitles_queue(struct store *st, const char *video_id)
{
    bool wanted = false;
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_SUBTITLE_JOB,
        "SELECT 1 FROM renditions WHERE video_id = ?1 AND NOT EXISTS (SELECT 1 FROM"
        " jobs WHERE video_id = ?1 AND kind = 'subtitles' AND state = 'queued') LIMIT "
        "1",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    rc = store_has_row(st, q, &wanted);
    return rc == RC_OK && wanted ? store_job_add(st, video_id, JOB_SUBTITLES, "") : rc;
}

/* ---- added by people ---------------------------------------------------- */

/* A track that was not read yet makes room for a file of its name. */
static enum rc move_unread(struct store *st, const char *video_id,
                           const struct subtitle *there)
{
    char name[LANGUAGE_SLOT_MAX + 1];
    sqlite3_stmt *q;
    enum rc rc = free_name(st, video_id, there->language, name);

    if (rc == RC_OK)
        rc = prepare_named(st, SQL_SUBTITLE_MOVE,
                           "UPDATE subtitles SET name = ?3 WHERE video_id = ?1"
                           " AND name = ?2",
                           video_id, there->name, name, &q);
    return rc == RC_OK ? store_finish(st, q) : rc;
}

/* *replaced: there was one of this name. */
static enum rc make_room(struct store *st, const char *video_id,
                         const struct subtitle *s, bool *replaced)
{
    struct subtitles all;
    size_t i;
    enum rc rc = store_subtitles(st, video_id, &all);

    if (rc != RC_OK)
        return rc;
    for (i = 0; i < all.n; i++)
        if (strcmp(all.list[i].name, s->name) == 0)
            break;
    *replaced = i < all.n && all.list[i].read;
    if (!*replaced && all.n == STORE_SUBTITLES_MAX)
        return RC_TOO_LARGE;
    return i < all.n && !*replaced ? move_unread(st, video_id, &all.list[i]) : RC_OK;
}

static enum rc write_file(struct store *st, const char *video_id,
                          const struct subtitle *s, const char *text)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_SUBTITLE_PUT,
        "INSERT INTO subtitles (video_id, name, language, label, source, text, version)"
        " VALUES (?1, ?2, ?3, ?4, 'file', ?5, " NEW_VERSION
        ") ON CONFLICT (video_id, name) DO UPDATE"
        " SET language = ?3, label = ?4, source = 'file', forced = 0, stream = -1,"
        " codec = '', text = ?5, version = excluded.version, error = ''",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, s->name);
    store_bind_text(q, 3, s->language);
    store_bind_text(q, 4, s->label);
    store_bind_text(q, 5, text);
    return store_finish(st, q);
}

enum rc store_subtitle_put(struct store *st, const char *video_id,
                           const struct subtitle *s, const char *text, bool *replaced)
{
    struct video v;
    bool was_there = false;
    enum rc rc = store_video_begin(st, video_id, &v);

    if (rc != RC_OK)
        return rc;
    if (v.state == VIDEO_FAILED)
        rc = RC_CONFLICT;
    if (rc == RC_OK)
        rc = make_room(st, video_id, s, &was_there);
    if (rc == RC_OK)
        rc = write_file(st, video_id, s, text);
    if (rc == RC_OK)
        rc = store_subtitles_queue(st, video_id);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "subtitles", video_id, "%s: %s", s->name,
                        was_there ? "replaced" : "added");
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *replaced = was_there;
    return rc;
}

enum rc store_subtitle_delete(struct store *st, const char *video_id, const char *name)
{
    struct video v;
    sqlite3_stmt *q;
    enum rc rc = store_video_begin(st, video_id, &v);

    if (rc != RC_OK)
        return rc;
    if (v.state == VIDEO_FAILED)
        rc = RC_CONFLICT;
    if (rc == RC_OK)
        rc = prepare_named(st, SQL_SUBTITLE_DELETE,
                           "DELETE FROM subtitles WHERE video_id = ?1 AND name = ?2"
                           " AND text IS NOT NULL",
                           video_id, name, NULL, &q);
    if (rc == RC_OK)
        rc = store_finish(st, q);
    if (rc == RC_OK && store_changes(st) == 0)
        rc = RC_NOT_FOUND;
    if (rc == RC_OK)
        rc = store_subtitles_queue(st, video_id);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "subtitles", video_id, "%s: removed", name);
    return store_end(st, rc);
}

/* ---- tracks ------------------------------------------------------------- */

static enum rc add_track(struct store *st, const char *video_id,
                         const struct subtitle *track)
{
    char name[LANGUAGE_SLOT_MAX + 1];
    sqlite3_stmt *q;
    enum rc rc = free_name(st, video_id, track->language, name);

    if (rc == RC_OK)
        rc = store_prepare(st, SQL_SUBTITLE_ADD_TRACK,
                           "INSERT INTO subtitles (video_id, name, language, label,"
                           " source, forced, stream, codec, version)"
                           " VALUES (?1, ?2, ?3, ?4, 'track', ?5, ?6, ?7, " NEW_VERSION
                           ")",
                           &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, name);
    store_bind_text(q, 3, track->language);
    store_bind_text(q, 4, track->label);
    store_bind_int(q, 5, track->forced);
    store_bind_int(q, 6, track->stream);
    store_bind_text(q, 7, track->codec);
    return store_finish(st, q);
}

enum rc store_subtitles_planned(struct store *st, const struct video *v,
                                const struct subtitles *tracks)
{
    struct subtitles before, files;
    size_t i;
    enum rc rc = store_subtitles(st, v->id, &before);

    if (rc == RC_OK && v->state != VIDEO_RECEIVING)
        rc = store_run_text(st, SQL_SUBTITLE_CLEAR,
                            "DELETE FROM subtitles WHERE video_id = ?1"
                            " AND source = 'track'",
                            v->id);
    /* Their lists are as long as the video, which may be of another length now. */
    if (rc == RC_OK)
        rc = store_run_text(st, SQL_SUBTITLE_RENEW,
                            "UPDATE subtitles SET error = '', version = " NEW_VERSION
                            " WHERE video_id = ?1",
                            v->id);
    if (rc == RC_OK)
        rc = store_subtitles(st, v->id, &files);
    if (rc != RC_OK || v->state == VIDEO_RECEIVING)
        return rc == RC_OK && files.n > 0 ? store_subtitles_queue(st, v->id) : rc;
    for (i = 0; rc == RC_OK && i < tracks->n && files.n + i < STORE_SUBTITLES_MAX; i++)
        rc = add_track(st, v->id, &tracks->list[i]);
    /* Also to take away the files of what is no more. */
    if (rc == RC_OK && before.n + tracks->n > 0)
        rc = store_subtitles_queue(st, v->id);
    return rc;
}

/* ---- what has become of them -------------------------------------------- */

enum rc store_job_subtitle_read(struct store *st, const struct job *job, int stream,
                                const char *text)
{
    sqlite3_stmt *q;
    enum rc rc = store_job_begin(st, job);

    if (rc != RC_OK)
        return rc;
    rc = store_prepare(st, SQL_SUBTITLE_READ,
                       "UPDATE subtitles SET text = ?3 WHERE video_id = ?1"
                       " AND stream = ?2 AND source = 'track' AND text IS NULL",
                       &q);
    if (rc == RC_OK) {
        store_bind_text(q, 1, job->video_id);
        store_bind_int(q, 2, stream);
        store_bind_text(q, 3, text);
        rc = store_finish(st, q);
    }
    return store_end(st, rc);
}

enum rc store_job_subtitle_missing(struct store *st, const struct job *job, int stream,
                                   const char *sentence)
{
    struct video v;
    sqlite3_stmt *q;
    enum rc rc = store_job_begin_video(st, job, &v);

    if (rc != RC_OK)
        return rc;
    rc = store_prepare(st, SQL_SUBTITLE_MISSING,
                       "DELETE FROM subtitles WHERE video_id = ?1 AND stream = ?2"
                       " AND source = 'track' AND text IS NULL",
                       &q);
    if (rc == RC_OK) {
        store_bind_text(q, 1, job->video_id);
        store_bind_int(q, 2, stream);
        rc = store_finish(st, q);
    }
    if (rc == RC_OK && sentence)
        rc = store_video_add_warning(st, &v, sentence);
    return store_end(st, rc);
}

/* Its files are of that text; *stale: but another one is wanted, whose files nobody has
 * told of. Where somebody has, those are the ones that are there. */
static enum rc set_published(struct store *st, const char *video_id,
                             const struct subtitle *written, bool *stale)
{
    sqlite3_stmt *q;
    bool is_stale = false;
    enum rc rc = prepare_named(st, SQL_SUBTITLE_PUBLISHED,
                               "UPDATE subtitles SET published = ?3,"
                               " error = CASE version WHEN ?3 THEN '' ELSE error END"
                               " WHERE video_id = ?1 AND name = ?2"
                               " AND published <> version",
                               video_id, written->name, NULL, &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 3, written->version);
    rc = store_finish(st, q);
    if (rc == RC_OK)
        rc = prepare_named(st, SQL_SUBTITLE_STALE,
                           "SELECT 1 FROM subtitles WHERE video_id = ?1 AND name = ?2"
                           " AND published <> version",
                           video_id, written->name, NULL, &q);
    if (rc == RC_OK)
        rc = store_has_row(st, q, &is_stale);
    *stale |= is_stale;
    return rc;
}

enum rc store_job_subtitles_published(struct store *st, const struct job *job,
                                      const struct subtitles *written)
{
    bool stale = false;
    size_t i;
    enum rc rc = store_job_begin(st, job);

    if (rc != RC_OK)
        return rc;
    for (i = 0; rc == RC_OK && i < written->n; i++)
        rc = set_published(st, job->video_id, &written->list[i], &stale);
    if (rc == RC_OK)
        rc = store_lists_change(st, job->video_id);
    if (rc == RC_OK && stale)
        rc = store_subtitles_queue(st, job->video_id);
    return store_end(st, rc);
}

/* What has a text keeps it, and says why that is not to be had as files; unless a job
 * that still waits will see to it. */
static enum rc say_why(struct store *st, const char *video_id, const char *error)
{
    char sentence[STORE_SUBTITLE_ERROR_MAX + 1];
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SUBTITLE_FAILED,
                               "UPDATE subtitles SET error = ?2 WHERE video_id = ?1"
                               " AND published <> version AND NOT EXISTS (SELECT 1 FROM"
                               " jobs WHERE video_id = ?1 AND kind = 'subtitles'"
                               " AND state = 'queued')",
                               &q);

    if (rc != RC_OK)
        return rc;
    text_clean(sentence, sizeof(sentence), error);
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, sentence);
    return store_finish(st, q);
}

enum rc store_subtitles_give_up(struct store *st, const struct job *job,
                                const char *error)
{
    char sentence[STORE_TEXT_MAX + 1];
    struct video v;
    enum rc rc = store_video_load(st, job->video_id, &v);

    if (rc == RC_OK)
        rc = store_run_text(st, SQL_SUBTITLE_GIVE_UP,
                            "DELETE FROM subtitles WHERE video_id = ?1"
                            " AND text IS NULL",
                            job->video_id);
    if (rc != RC_OK)
        return rc;
    if (store_changes(st) > 0) {
        snprintf(sentence, sizeof(sentence), "Its subtitles could not be made: %.400s",
                 error);
        rc = store_video_add_warning(st, &v, sentence);
    }
    return rc == RC_OK ? say_why(st, job->video_id, error) : rc;
}
