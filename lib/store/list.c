/*
 * Videos one after another. Each row is a query of its own that goes on after the one
 * before, by its sort key and id: constant memory, no statement open while a callback
 * runs, so a callback may use the handle, and a page neither repeats nor leaves out a
 * video because of another that came or went.
 */
#include "store_lists.h"
#include "store_priv.h"
#include "store_uploads.h"

#include <stdio.h>
#include <string.h>

#define PATTERN_SIZE (2 * STORE_TITLE_MAX + 3)

/* ?1, ?2: sort key and id of the row before; ?3: the pattern; ?4: who asks */
#define LIST(view, after, order)                                                       \
    "SELECT " VIDEO_COLUMNS " FROM videos WHERE deleted_at IS NULL" view               \
    " AND container <> 'none' AND (?3 IS NULL"                                         \
    " OR title LIKE ?3 ESCAPE '\\' OR filename LIKE ?3 ESCAPE '\\') AND " after        \
    " (?1, ?2) ORDER BY " order " LIMIT 1"

/* In the order of enum video_sort. */
#define SORTED(id, view)                                                               \
    {                                                                                  \
        {id##_NEWEST, LIST(view, "(created_ms, id) <", "created_ms DESC, id DESC")},   \
            {id##_OLDEST, LIST(view, "(created_ms, id) >", "created_ms, id")},         \
            {id##_TITLE, LIST(view, "(title, id) >", "title, id")},                    \
    }

enum view { VIEW_ALL, VIEW_EVERYONE, VIEW_OWN };

static const struct {
    enum statement id;
    const char *sql;
} lists[][SORT_TITLE + 1] = {
    [VIEW_ALL] = SORTED(SQL_LIST_ALL, ""),
    [VIEW_EVERYONE] = SORTED(SQL_LIST_EVERYONE, " AND visibility = 'everyone'"),
    [VIEW_OWN] = SORTED(SQL_LIST_OWN, " AND owner_id IS ?4"),
};

/* "%q%" with LIKE's own signs made harmless. RC_NOT_FOUND: too long to match any. */
static enum rc like_pattern(const char *q, char out[PATTERN_SIZE])
{
    size_t n = 0;

    if (strlen(q) > STORE_TITLE_MAX)
        return RC_NOT_FOUND;
    out[n++] = '%';
    for (; *q; q++) {
        if (*q == '%' || *q == '_' || *q == '\\')
            out[n++] = '\\';
        out[n++] = *q;
    }
    out[n++] = '%';
    out[n] = '\0';
    return RC_OK;
}

/* The row after v. RC_NOT_FOUND: there is none. */
static enum rc next_in(struct store *st, enum view view,
                       const struct video_query *query, const char *pattern,
                       const struct video *v, struct video *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, lists[view][query->sort].id,
                               lists[view][query->sort].sql, &q);

    if (rc != RC_OK)
        return rc;
    if (query->sort == SORT_TITLE)
        store_bind_text(q, 1, v->title);
    else
        store_bind_int(q, 1, v->created_ms);
    store_bind_text(q, 2, v->id);
    if (pattern)
        store_bind_text(q, 3, pattern);
    if (view == VIEW_OWN && query->user_id != 0)
        store_bind_int(q, 4, query->user_id);
    return store_video_row(st, q, out);
}

/* As the statements sort. */
static bool comes_first(enum video_sort sort, const struct video *a,
                        const struct video *b)
{
    int64_t by = sort == SORT_TITLE ? sqlite3_stricmp(a->title, b->title)
                                    : (a->created_ms > b->created_ms) -
                                          (a->created_ms < b->created_ms);

    if (by == 0)
        by = strcmp(a->id, b->id);
    return sort == SORT_NEWEST ? by > 0 : by < 0;
}

/* What one may see is two lists, each with an index of its own: the next row is that
 * of the two that comes first. One that is on both is the next one of both, and so
 * comes once. */
static enum rc next_seen(struct store *st, const struct video_query *query,
                         const char *pattern, struct video *v)
{
    struct video own, everyone;
    enum rc rc = next_in(st, VIEW_OWN, query, pattern, v, &own);
    enum rc rc2 = RC_NOT_FOUND;

    if (rc == RC_OK || rc == RC_NOT_FOUND)
        rc2 = next_in(st, VIEW_EVERYONE, query, pattern, v, &everyone);
    if (rc2 == RC_OK &&
        (rc == RC_NOT_FOUND || comes_first(query->sort, &everyone, &own)))
        *v = everyone;
    else if (rc == RC_OK && (rc2 == RC_OK || rc2 == RC_NOT_FOUND))
        *v = own;
    else
        return rc == RC_OK || rc == RC_NOT_FOUND ? rc2 : rc;
    return RC_OK;
}

/* The row after *v; RC_NOT_FOUND: there is none. */
static enum rc next_video(struct store *st, const struct video_query *query,
                          const char *pattern, struct video *v)
{
    struct video next;
    enum rc rc;

    if (!query->mine && !query->all)
        return next_seen(st, query, pattern, v);
    rc = next_in(st, query->mine ? VIEW_OWN : VIEW_ALL, query, pattern, v, &next);
    if (rc == RC_OK)
        *v = next;
    return rc;
}

/* The row before the page: the cursor's, or one that sorts before every other. */
static enum rc page_start(struct store *st, const struct video_query *query,
                          struct video *out)
{
    if (query->after) {
        enum rc rc = store_video_load(st, query->after, out);

        if (rc == RC_OK && !query->all && out->owner_id != query->user_id &&
            out->visibility != VISIBLE_EVERYONE)
            rc = RC_NOT_FOUND;
        return rc;
    }
    memset(out, 0, sizeof(*out));
    out->created_ms = query->sort == SORT_NEWEST ? INT64_MAX : INT64_MIN;
    return RC_OK;
}

enum rc store_video_list(struct store *st, const struct video_query *query,
                         enum rc (*cb)(void *arg, const struct video *v), void *arg,
                         bool *more)
{
    char pattern[PATTERN_SIZE];
    bool filtered = query->q && *query->q;
    struct video v;
    enum rc rc;
    int i;

    if (query->limit < 1 || query->limit > 200 ||
        (size_t)query->sort >= sizeof(lists[0]) / sizeof(lists[0][0]))
        return RC_INVALID;
    rc = page_start(st, query, &v);
    if (rc != RC_OK)
        return rc;
    /* Too long a text finds nothing, which is an answer and no error. */
    if (filtered)
        rc = like_pattern(query->q, pattern);
    for (i = 0; rc == RC_OK; i++) {
        rc = next_video(st, query, filtered ? pattern : NULL, &v);
        /* One row more than the page has is looked for, to know whether there is more.
         */
        if (rc != RC_OK || i == query->limit)
            break;
        rc = cb(arg, &v);
        if (rc != RC_OK)
            return rc;
    }
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    *more = rc == RC_OK;
    return RC_OK;
}

/* Calls cb for each row that sql finds, in the order of ids. */
static enum rc each(struct store *st, enum statement id, const char *sql,
                    enum rc (*cb)(void *arg, const struct video *v), void *arg)
{
    struct video v = {.id = ""};
    char after[ID_LEN + 1];
    sqlite3_stmt *q;
    enum rc rc;

    do {
        /* v is overwritten while the statement still needs the id. */
        memcpy(after, v.id, sizeof(after));
        rc = store_prepare(st, id, sql, &q);
        if (rc != RC_OK)
            return rc;
        store_bind_text(q, 1, after);
        rc = store_video_row(st, q, &v);
        if (rc != RC_OK)
            return rc == RC_NOT_FOUND ? RC_OK : rc;
        rc = cb(arg, &v);
    } while (rc == RC_OK);
    return rc;
}

enum rc store_video_each(struct store *st,
                         enum rc (*cb)(void *arg, const struct video *v), void *arg)
{
    return each(st, SQL_LIST_EVERY,
                "SELECT " VIDEO_COLUMNS " FROM videos"
                " WHERE deleted_at IS NULL AND id > ?1 ORDER BY id LIMIT 1",
                cb, arg);
}

enum rc store_video_each_deleted(struct store *st,
                                 enum rc (*cb)(void *arg, const struct video *v),
                                 void *arg)
{
    return each(st, SQL_LIST_DELETED,
                "SELECT " VIDEO_COLUMNS " FROM videos"
                " WHERE deleted_at IS NOT NULL AND id > ?1 ORDER BY id LIMIT 1",
                cb, arg);
}

enum rc store_video_each_receiving(struct store *st,
                                   enum rc (*cb)(void *arg, const struct video *v),
                                   void *arg)
{
    return each(st, SQL_LIST_RECEIVING,
                "SELECT " VIDEO_COLUMNS " FROM videos INDEXED BY videos_arriving"
                " WHERE state = 'receiving' AND container <> 'none'"
                " AND deleted_at IS NULL AND id > ?1 ORDER BY id LIMIT 1",
                cb, arg);
}

enum rc store_upload_each_unseen(struct store *st,
                                 enum rc (*cb)(void *arg, const struct video *v),
                                 void *arg)
{
    return each(st, SQL_LIST_UNSEEN,
                "SELECT " VIDEO_COLUMNS " FROM videos INDEXED BY videos_unseen"
                " WHERE state = 'receiving' AND container = 'none'"
                " AND deleted_at IS NULL AND id > ?1 ORDER BY id LIMIT 1",
                cb, arg);
}

enum rc store_lists_each_behind(struct store *st,
                                enum rc (*cb)(void *arg, const struct video *v),
                                void *arg)
{
    return each(st, SQL_LIST_BEHIND,
                "SELECT " VIDEO_COLUMNS " FROM videos INDEXED BY videos_lists_behind"
                " WHERE lists_changed <> lists_followed AND deleted_at IS NULL"
                " AND id > ?1 ORDER BY id LIMIT 1",
                cb, arg);
}
