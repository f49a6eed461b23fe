/*
 * What is made of a video. Rows are written as a whole by a plan and from then on only
 * counted up; the columns in the two long statements stand in the order in which
 * read_columns and insert take them.
 */
#include "store_priv.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
    [RENDITION_VIDEO] = "video",
    [RENDITION_AUDIO] = "audio",
};

const char *rendition_kind_name(enum rendition_kind k)
{
    return (size_t)k < sizeof(kind_names) / sizeof(kind_names[0]) ? kind_names[k]
                                                                  : "unknown";
}

/* What read_columns reads, in its order, of a table called r. */
#define RENDITION_COLUMNS                                                              \
    "r.name, r.kind, r.generation, r.width, r.height, r.bitrate, r.average_bitrate,"   \
    " r.codecs, r.rate_num, r.rate_den, r.gop, r.frames, r.segments, r.done,"          \
    " r.stream, r.source_last_us, r.seek_margin_us, r.deinterlace, r.colour,"          \
    " r.copied, r.extra, r.max_bitrate, r.language, r.label, r.channels,"              \
    " EXISTS (SELECT 1 FROM jobs p WHERE p.video_id = r.video_id"                      \
    " AND p.rendition = r.name AND p.asleep <> 0)"
#define RENDITION_COLUMN_COUNT 26

static void read_columns(sqlite3_stmt *q, struct rendition *r)
{
    char kind[8];
    int i = 0;

    memset(r, 0, sizeof(*r));
    store_column_text(q, i++, r->name, sizeof(r->name));
    store_column_text(q, i++, kind, sizeof(kind));
    r->kind = strcmp(kind, kind_names[RENDITION_AUDIO]) == 0 ? RENDITION_AUDIO
                                                             : RENDITION_VIDEO;
    r->generation = sqlite3_column_int(q, i++);
    r->width = sqlite3_column_int(q, i++);
    r->height = sqlite3_column_int(q, i++);
    r->bitrate = sqlite3_column_int64(q, i++);
    r->average_bitrate = sqlite3_column_int64(q, i++);
    store_column_text(q, i++, r->codecs, sizeof(r->codecs));
    r->rate_num = sqlite3_column_int(q, i++);
    r->rate_den = sqlite3_column_int(q, i++);
    r->gop = sqlite3_column_int(q, i++);
    r->frames = sqlite3_column_int64(q, i++);
    r->segments = sqlite3_column_int64(q, i++);
    r->done = sqlite3_column_int64(q, i++);
    r->stream = sqlite3_column_int(q, i++);
    r->source_last_us = sqlite3_column_int64(q, i++);
    r->seek_margin_us = sqlite3_column_int64(q, i++);
    r->deinterlace = sqlite3_column_int(q, i++) != 0;
    store_column_text(q, i++, r->colour, sizeof(r->colour));
    r->copied = sqlite3_column_int(q, i++) != 0;
    r->extra = sqlite3_column_int(q, i++) != 0;
    r->max_bitrate = sqlite3_column_int64(q, i++);
    store_column_text(q, i++, r->language, sizeof(r->language));
    store_column_text(q, i++, r->label, sizeof(r->label));
    r->channels = sqlite3_column_int(q, i++);
    r->put_away = sqlite3_column_int(q, i++) != 0;
}

enum rc store_renditions(struct store *st, const char *video_id,
                         struct rendition out[STORE_RENDITIONS_MAX], size_t *n)
{
    struct rendition list[STORE_RENDITIONS_MAX];
    size_t count = 0;
    bool there = false;
    sqlite3_stmt *q;
    /* A video without renditions is one row of NULLs, no video is no row. */
    enum rc rc =
        store_prepare(st, SQL_RENDITION_LIST,
                      "SELECT " RENDITION_COLUMNS
                      " FROM videos v LEFT JOIN renditions r ON r.video_id = v.id"
                      " WHERE v.id = ?1 AND v.deleted_at IS NULL"
                      " ORDER BY r.kind = 'audio', r.extra, r.position",
                      &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    while ((rc = store_step(st, q)) == RC_OK) {
        there = true;
        if (sqlite3_column_type(q, 0) != SQLITE_NULL && count < STORE_RENDITIONS_MAX)
            read_columns(q, &list[count++]);
    }
    /* The loop ends well with RC_NOT_FOUND, which is also the answer for no video. */
    if (rc != RC_NOT_FOUND || !there)
        return rc;
    memcpy(out, list, count * sizeof(list[0]));
    *n = count;
    return RC_OK;
}

enum rc store_rendition(struct store *st, const char *video_id, const char *name,
                        struct rendition *out)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    enum rc rc = store_renditions(st, video_id, all, &n);

    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        if (strcmp(all[i].name, name) == 0) {
            *out = all[i];
            return RC_OK;
        }
    }
    return rc == RC_OK ? RC_NOT_FOUND : rc;
}

/* ---- readiness ---------------------------------------------------------- */

/* "57 203" */
static void read_encoding(sqlite3_stmt *q, int column, struct readiness *out)
{
    char text[STORE_RUNS_MAX * 21 + 1];
    char *at = text, *end;

    store_column_text(q, column, text, sizeof(text));
    out->n_encoding = 0;
    while (*at && out->n_encoding < STORE_RUNS_MAX) {
        int64_t k = strtoll(at, &end, 10);
        if (end == at)
            return;
        out->encoding[out->n_encoding++] = k;
        at = end;
    }
}

/* A copy, as cb may use the handle and with it this statement. */
static enum rc read_readiness(sqlite3_stmt *q, const struct rendition *r,
                              struct readiness *out, uint8_t **bits)
{
    const void *blob = sqlite3_column_blob(q, RENDITION_COLUMN_COUNT);
    size_t n = (size_t)sqlite3_column_bytes(q, RENDITION_COLUMN_COUNT);

    *bits = NULL;
    *out = (struct readiness){.done = r->done};
    if (sqlite3_column_int(q, RENDITION_COLUMN_COUNT + 1))
        read_encoding(q, RENDITION_COLUMN_COUNT + 2, out);
    if (!blob || n > (size_t)(r->segments + 7) / 8)
        return RC_OK;
    *bits = malloc(n);
    if (!*bits)
        return RC_NOMEM;
    memcpy(*bits, blob, n);
    out->bits = *bits;
    out->n_bytes = n;
    return RC_OK;
}

struct told {
    struct rendition rendition;
    struct readiness ready;
    uint8_t *bits;
};

static enum rc read_told(struct store *st, const char *video_id,
                         struct told list[STORE_RENDITIONS_MAX], size_t *n)
{
    bool there = false;
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_RENDITION_READINESS,
        "SELECT " RENDITION_COLUMNS ", r.ready,"
        " EXISTS (SELECT 1 FROM jobs j WHERE j.video_id = v.id AND j.rendition = r.name"
        " AND j.state = 'running' AND j.due_ms > ?2"
        " AND j.due_boot = ?3), r.encoding"
        " FROM videos v LEFT JOIN renditions r ON r.video_id = v.id"
        " WHERE v.id = ?1 AND v.deleted_at IS NULL"
        " ORDER BY r.kind = 'audio', r.extra, r.position",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_int(q, 2, store_boot_ms(st));
    store_bind_text(q, 3, st->clock.boot_id);
    while ((rc = store_step(st, q)) == RC_OK) {
        struct told *t = &list[*n];
        there = true;
        if (sqlite3_column_type(q, 0) == SQLITE_NULL || *n == STORE_RENDITIONS_MAX)
            continue;
        read_columns(q, &t->rendition);
        rc = read_readiness(q, &t->rendition, &t->ready, &t->bits);
        if (rc != RC_OK) {
            sqlite3_reset(q);
            return rc;
        }
        ++*n;
    }
    return rc == RC_NOT_FOUND && there ? RC_OK : rc;
}

enum rc store_readiness(struct store *st, const char *video_id,
                        enum rc (*cb)(void *arg, const struct rendition *r,
                                      const struct readiness *ready),
                        void *arg)
{
    struct told list[STORE_RENDITIONS_MAX];
    size_t i, n = 0;
    enum rc rc = read_told(st, video_id, list, &n);

    for (i = 0; i < n; i++) {
        if (rc == RC_OK)
            rc = cb(arg, &list[i].rendition, &list[i].ready);
        free(list[i].bits);
    }
    return rc;
}

enum rc store_rendition_not_encoding(struct store *st, const char *video_id,
                                     const char *name)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_RENDITION_NOT_ENCODING,
                               "UPDATE renditions SET encoding = ''"
                               " WHERE video_id = ?1 AND name = ?2 AND encoding <> ''",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, name);
    return store_finish(st, q);
}

/* ---- where to read ------------------------------------------------------ */

enum rc store_job_seek_points(struct store *st, const struct job *job,
                              const uint8_t *bytes, size_t n)
{
    sqlite3_stmt *q;
    enum rc rc = store_job_begin(st, job);

    if (rc != RC_OK)
        return rc;
    rc = store_prepare(st, SQL_RENDITION_SET_SEEK_POINTS,
                       "UPDATE renditions SET seek_points = ?3"
                       " WHERE video_id = ?1 AND name = ?2",
                       &q);
    if (rc == RC_OK) {
        store_bind_text(q, 1, job->video_id);
        store_bind_text(q, 2, job->rendition);
        sqlite3_bind_blob64(q, 3, bytes, n, SQLITE_STATIC);
        rc = store_finish(st, q);
    }
    return store_end(st, rc);
}

enum rc store_seek_points(struct store *st, const char *video_id, const char *rendition,
                          uint8_t **out, size_t *n)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_RENDITION_SEEK_POINTS,
                               "SELECT seek_points FROM renditions WHERE video_id = ?1"
                               " AND name = ?2 AND seek_points IS NOT NULL",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, rendition);
    return store_blob(st, q, out, n);
}

/* ---- a new plan --------------------------------------------------------- */

/* Segments are cached for a year: what is made again needs names of its own. */
static enum rc check_generation(struct store *st, const char *video_id,
                                const struct rendition *r)
{
    sqlite3_stmt *q;
    int64_t before;
    enum rc rc = store_prepare(st, SQL_RENDITION_GENERATION,
                               "SELECT generation FROM renditions"
                               " WHERE video_id = ?1 AND name = ?2",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, r->name);
    rc = store_step(st, q);
    if (rc == RC_NOT_FOUND)
        return r->generation >= 1 ? RC_OK : RC_INVALID;
    if (rc != RC_OK)
        return rc;
    before = sqlite3_column_int64(q, 0);
    rc = store_finish(st, q);
    if (rc == RC_OK && r->generation <= before)
        rc = RC_INVALID;
    return rc;
}

/* done is left at its default of 0: nothing of a new generation exists yet. */
enum rc store_rendition_insert(struct store *st, const char *video_id,
                               const struct rendition *r, size_t position)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_RENDITION_INSERT,
        "INSERT INTO renditions (video_id, position, name, kind, generation, width,"
        " height, bitrate, average_bitrate, codecs, rate_num, rate_den, gop, frames,"
        " segments, stream, source_last_us, seek_margin_us, deinterlace, colour,"
        " copied, extra, max_bitrate, language, label, channels)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
        " ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)",
        &q);
    int i = 1;

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, i++, video_id);
    store_bind_int(q, i++, (int64_t)position);
    store_bind_text(q, i++, r->name);
    store_bind_text(q, i++, rendition_kind_name(r->kind));
    store_bind_int(q, i++, r->generation);
    store_bind_int(q, i++, r->width);
    store_bind_int(q, i++, r->height);
    store_bind_int(q, i++, r->bitrate);
    store_bind_int(q, i++, r->average_bitrate);
    store_bind_text(q, i++, r->codecs);
    store_bind_int(q, i++, r->rate_num);
    store_bind_int(q, i++, r->rate_den);
    store_bind_int(q, i++, r->gop);
    store_bind_int(q, i++, r->frames);
    store_bind_int(q, i++, r->segments);
    store_bind_int(q, i++, r->stream);
    store_bind_int(q, i++, r->source_last_us);
    store_bind_int(q, i++, r->seek_margin_us);
    store_bind_int(q, i++, r->deinterlace);
    store_bind_text(q, i++, r->colour);
    store_bind_int(q, i++, r->copied);
    store_bind_int(q, i++, r->extra);
    store_bind_int(q, i++, r->max_bitrate);
    store_bind_text(q, i++, r->language);
    store_bind_text(q, i++, r->label);
    store_bind_int(q, i++, r->channels);
    return store_finish(st, q);
}

enum rc store_renditions_replace(struct store *st, const char *video_id,
                                 const struct rendition *list, size_t n)
{
    sqlite3_stmt *q;
    enum rc rc = RC_OK;
    size_t i;

    /* All are checked before the old rows go, which are what they are checked against.
     */
    for (i = 0; rc == RC_OK && i < n; i++)
        rc = check_generation(st, video_id, &list[i]);
    if (rc == RC_OK)
        rc = store_prepare(st, SQL_RENDITION_CLEAR,
                           "DELETE FROM renditions WHERE video_id = ?1", &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    rc = store_finish(st, q);
    for (i = 0; rc == RC_OK && i < n; i++)
        rc = store_rendition_insert(st, video_id, &list[i], i);
    return rc;
}
