/*
 * The activity log: what people read to see what the site is doing. Rows are written
 * inside the transaction of what they tell about, so that nothing is told that did not
 * happen, and nothing happens untold.
 */
#include "store_priv.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

static const char *const level_names[] = {
    [ACTIVITY_INFO] = "info",
    [ACTIVITY_WARN] = "warn",
    [ACTIVITY_ERROR] = "error",
};

#define LEVEL_COUNT (sizeof(level_names) / sizeof(level_names[0]))

const char *activity_level_name(enum activity_level l)
{
    return (size_t)l < LEVEL_COUNT ? level_names[l] : "unknown";
}

static enum activity_level level_from_name(const char *name)
{
    size_t i;

    for (i = 0; i < LEVEL_COUNT; i++)
        if (strcmp(name, level_names[i]) == 0)
            return (enum activity_level)i;
    return ACTIVITY_ERROR; /* the schema's CHECK lets no other name in */
}

void store_shorten(char out[STORE_SHORT_SIZE], const char *text)
{
    text_clean(out, STORE_SHORT_SIZE, text);
}

/* An empty text stands for no video: comparing with it needs no IS NULL. */
static enum rc insert(struct store *st, enum activity_level level, const char *kind,
                      const char *video_id, const char *message)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_ACTIVITY_INSERT,
                      "INSERT INTO activity (at_ms, level, kind, video_id, message)"
                      " VALUES (?1, ?2, ?3, ?4, ?5)",
                      &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, store_wall_ms(st));
    store_bind_text(q, 2, activity_level_name(level));
    store_bind_text(q, 3, kind);
    store_bind_text(q, 4, video_id ? video_id : "");
    store_bind_text(q, 5, message);
    return store_finish(st, q);
}

static enum rc note(struct store *st, enum activity_level level, const char *kind,
                    const char *video_id, const char *fmt, va_list args)
{
    char raw[2 * STORE_TEXT_MAX], message[STORE_TEXT_MAX + 1];

    /* What snprintf cuts in the middle of a code point, text_clean cuts off anyway. */
    vsnprintf(raw, sizeof(raw), fmt, args);
    text_clean(message, sizeof(message), raw);
    return insert(st, level, kind, video_id, message);
}

enum rc store_note(struct store *st, enum activity_level level, const char *kind,
                   const char *video_id, const char *fmt, ...)
{
    va_list args;
    enum rc rc;

    va_start(args, fmt);
    rc = note(st, level, kind, video_id, fmt, args);
    va_end(args);
    return rc;
}

/* For callers outside the store: a transaction of its own around the one row. */
enum rc store_activity_add(struct store *st, enum activity_level level,
                           const char *kind, const char *video_id, const char *fmt, ...)
{
    va_list args;
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    va_start(args, fmt);
    rc = note(st, level, kind, video_id, fmt, args);
    va_end(args);
    return store_end(st, rc);
}

/* ---- reading ------------------------------------------------------------ */

/*
 * The first row with an id over after. The title is looked up now, not kept with the
 * row, so that a renamed video has one name everywhere and a deleted one has none.
 */
static enum rc next_row(struct store *st, int64_t after, struct activity *out)
{
    char level[8];
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_ACTIVITY_NEXT,
        "SELECT a.id, a.at_ms, a.level, a.kind, a.video_id, v.title, a.message"
        " FROM activity a LEFT JOIN videos v"
        " ON v.id = a.video_id AND v.deleted_at IS NULL"
        " WHERE a.id > ?1 ORDER BY a.id LIMIT 1",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, after);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    memset(out, 0, sizeof(*out));
    out->id = sqlite3_column_int64(q, 0);
    out->at_ms = sqlite3_column_int64(q, 1);
    store_column_text(q, 2, level, sizeof(level));
    out->level = level_from_name(level);
    store_column_text(q, 3, out->kind, sizeof(out->kind));
    store_column_text(q, 4, out->video_id, sizeof(out->video_id));
    store_column_text(q, 5, out->title, sizeof(out->title));
    store_column_text(q, 6, out->message, sizeof(out->message));
    return store_finish(st, q);
}

/* The id just before the newest limit rows. */
static enum rc before_newest(struct store *st, int limit, int64_t *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_ACTIVITY_NEWEST,
                               "SELECT coalesce(min(id), 1) - 1 FROM"
                               " (SELECT id FROM activity ORDER BY id DESC LIMIT ?1)",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, limit);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    *out = sqlite3_column_int64(q, 0);
    return store_finish(st, q);
}

enum rc store_activity_list(struct store *st, int64_t after, int limit,
                            enum rc (*cb)(void *arg, const struct activity *a),
                            void *arg)
{
    struct activity a;
    enum rc rc = RC_OK;
    int i;

    if (limit < 1 || limit > 1000)
        return RC_INVALID;
    /* The newest rows are read forwards as well: oldest first, whoever asks. */
    if (after < 0)
        rc = before_newest(st, limit, &after);
    for (i = 0; rc == RC_OK && i < limit; i++) {
        rc = next_row(st, after, &a);
        if (rc == RC_NOT_FOUND)
            return RC_OK; /* fewer rows than limit */
        if (rc != RC_OK)
            break;
        after = a.id;
        rc = cb(arg, &a);
    }
    return rc;
}

enum rc store_activity_trim(struct store *st, int64_t keep_rows)
{
    sqlite3_stmt *q;
    enum rc rc;

    if (keep_rows < 0)
        return RC_INVALID;
    rc = store_begin(st);
    if (rc != RC_OK)
        return rc;
    /* Counted, not reckoned from the ids: what was rolled back leaves gaps. */
    rc = store_prepare(st, SQL_ACTIVITY_TRIM,
                       "DELETE FROM activity WHERE id <="
                       " (SELECT id FROM activity ORDER BY id DESC LIMIT 1 OFFSET ?1)",
                       &q);
    if (rc == RC_OK) {
        store_bind_int(q, 1, keep_rows);
        rc = store_finish(st, q);
    }
    return store_end(st, rc);
}
