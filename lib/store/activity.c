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
                      "INSERT INTO activity (at_ms, level, kind, video_id, message,"
                      " owner_id) VALUES (?1, ?2, ?3, ?4, ?5,"
                      " (SELECT owner_id FROM videos WHERE id = ?4))",
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

enum rc store_note_by(struct store *st, const char *kind, const char *video_id,
                      const char *what)
{
    struct user u;
    enum rc rc = st->acts ? store_user_get(st, st->actor.user_id, &u) : RC_NOT_FOUND;

    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    return rc == RC_OK ? store_note(st, ACTIVITY_INFO, kind, video_id, "%s, by \"%s\"",
                                    what, u.name)
                       : store_note(st, ACTIVITY_INFO, kind, video_id, "%s", what);
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

/* True in *out if a line of that kind that begins with about was written within a
 * minute; only the newest ones are looked at. */
static enum rc was_told(struct store *st, const char *kind, const char *about,
                        bool *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_ACTIVITY_TOLD,
                               "SELECT 1 FROM activity"
                               " WHERE id > (SELECT max(id) FROM activity) - 1000"
                               " AND at_ms > ?1 AND at_ms <= ?1 + 60000 AND kind = ?2"
                               " AND substr(message, 1, length(?3)) = ?3 LIMIT 1",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, store_wall_ms(st) - 60000);
    store_bind_text(q, 2, kind);
    store_bind_text(q, 3, about);
    return store_has_row(st, q, out);
}

enum rc store_activity_add_rarely(struct store *st, enum activity_level level,
                                  const char *kind, const char *about, const char *rest)
{
    bool told = false;
    enum rc rc = was_told(st, kind, about, &told);

    /* Of a crowd all but the first keep nobody from writing. */
    if (rc == RC_OK && !told)
        rc = store_begin(st);
    if (rc != RC_OK || told)
        return rc;
    rc = was_told(st, kind, about, &told);
    if (rc == RC_OK && !told)
        rc = store_note(st, level, kind, NULL, "%s%s", about, rest);
    return store_end(st, rc);
}

/* ---- reading ------------------------------------------------------------ */

/*
 * The first row with an id over ?1. The title is looked up now, not kept with the row,
 * so that a renamed video has one name everywhere and a deleted one has none.
 */
#define NEXT(whose)                                                                    \
    "SELECT a.id, a.at_ms, a.level, a.kind, a.video_id, v.title, a.message"            \
    " FROM activity a LEFT JOIN videos v"                                              \
    " ON v.id = a.video_id AND v.deleted_at IS NULL"                                   \
    " WHERE " whose "a.id > ?1 ORDER BY a.id LIMIT 1"

/* The id just before the newest ?1 rows. */
#define BEFORE_NEWEST(whose)                                                           \
    "SELECT coalesce(min(id), 1) - 1 FROM"                                             \
    " (SELECT id FROM activity " whose "ORDER BY id DESC LIMIT ?1)"

/* n: ?1. */
static enum rc prepare(struct store *st, int64_t owner_id, bool newest, int64_t n,
                       sqlite3_stmt **q)
{
    enum rc rc;

    if (newest)
        rc = owner_id ? store_prepare(st, SQL_ACTIVITY_NEWEST_OF,
                                      BEFORE_NEWEST("WHERE owner_id = ?2 "), q)
                      : store_prepare(st, SQL_ACTIVITY_NEWEST, BEFORE_NEWEST(""), q);
    else
        rc = owner_id ? store_prepare(st, SQL_ACTIVITY_NEXT_OF,
                                      NEXT("a.owner_id = ?2 AND "), q)
                      : store_prepare(st, SQL_ACTIVITY_NEXT, NEXT(""), q);
    if (rc != RC_OK)
        return rc;
    store_bind_int(*q, 1, n);
    if (owner_id)
        store_bind_int(*q, 2, owner_id);
    return RC_OK;
}

static enum rc next_row(struct store *st, int64_t owner_id, int64_t after,
                        struct activity *out)
{
    char level[8];
    sqlite3_stmt *q;
    enum rc rc = prepare(st, owner_id, false, after, &q);

    if (rc == RC_OK)
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

enum rc store_activity_list(struct store *st, int64_t owner_id, int64_t after,
                            int limit,
                            enum rc (*cb)(void *arg, const struct activity *a),
                            void *arg)
{
    struct activity a;
    sqlite3_stmt *q;
    enum rc rc = RC_OK;
    int i;

    if (limit < 1 || limit > 1000)
        return RC_INVALID;
    /* The newest rows are read forwards as well: oldest first, whoever asks. */
    if (after < 0) {
        rc = prepare(st, owner_id, true, limit, &q);
        if (rc == RC_OK)
            rc = store_number(st, q, &after);
    }
    for (i = 0; rc == RC_OK && i < limit; i++) {
        rc = next_row(st, owner_id, after, &a);
        if (rc == RC_NOT_FOUND)
            return RC_OK; /* fewer rows than limit */
        if (rc != RC_OK)
            break;
        after = a.id;
        rc = cb(arg, &a);
    }
    return rc;
}

/* The newest row that is too many, by counting: what was rolled back leaves gaps in the
 * ids. RC_NOT_FOUND: there is none. */
static enum rc newest_over(struct store *st, int64_t keep_rows, int64_t *id)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_ACTIVITY_OVER,
                      "SELECT id FROM activity ORDER BY id DESC LIMIT 1 OFFSET ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, keep_rows);
    return store_number(st, q, id);
}

/* It is counted while others may write: what they add are newer rows. */
enum rc store_activity_trim(struct store *st, int64_t keep_rows)
{
    int64_t id = 0;
    enum rc rc = keep_rows < 0 ? RC_INVALID : newest_over(st, keep_rows, &id);

    if (rc == RC_OK)
        rc = store_change(st, SQL_ACTIVITY_TRIM, "DELETE FROM activity WHERE id <= ?1",
                          &id, 1);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}
