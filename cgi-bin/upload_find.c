/*
 * The row and the file of an upload: made, found again, thrown away.
 */
#include "upload_core.h"

#include "log.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_MS (3600LL * 1000)

#define BLOCK 65536
/* Bytes that are read again for their hash: that takes less than a second. */
#define MAKE_UP_MAX (256LL << 20)

enum {
    LOCK_MS = 5000,  /* for a writer in another process */
    UNSEEN_EACH = 50 /* uploads of one user of which no 4096 bytes have come */
};

int64_t upload_expires_ms(const struct upload *u)
{
    const struct clock *clock = &u->app->clock;
    int64_t kept =
        clock->wall_ms(clock->ctx) + u->app->config.upload_expire_h * HOUR_MS;
    int64_t begun = *u->video.id ? u->video.created_ms : u->began_wall_ms;
    bool has_bytes = u->spool && spool_size(u->spool) > 0;
    /* A byte now and then does not keep it for ever. */
    int64_t most = begun + (has_bytes ? u->app->config.upload_total_h : 1) * HOUR_MS;

    return kept < most ? kept : most;
}

bool upload_is_complete(const struct upload *u)
{
    return u->spool && u->video.size >= 0 && spool_size(u->spool) == u->video.size;
}

void upload_tell_video(const struct upload *u)
{
    if (*u->video.id && u->video.container != CONTAINER_NONE)
        request_add_header(u->r, "Dropstream-Video", u->video.id);
}

enum rc upload_log_rc(struct upload *u, struct store *st, const char *what, enum rc rc)
{
    if (rc != RC_OK && rc != RC_REVOKED)
        log_error("%s of %s: %s%s%s", what, *u->video.id ? u->video.id : "a new upload",
                  rc_name(rc), st ? ": " : "", st ? store_message(st) : "");
    return rc;
}

/* After a sync that failed nobody knows which bytes are there. */
enum rc upload_sync_file(struct upload *u)
{
    enum rc rc = upload_log_rc(u, NULL, "spool", spool_sync(u->spool));

    u->doomed |= rc != RC_OK;
    return rc;
}

static void begin_hash(struct upload *u)
{
    upload_hash_lose(&u->hash);
    if (u->app->config.upload_checksums)
        upload_hash_begin(&u->hash);
}

static enum rc create_file(struct upload *u)
{
    begin_hash(u);
    return upload_log_rc(u, NULL, "spool",
                         spool_create(&u->app->site, u->video.id, &u->spool));
}

static enum rc too_many(struct upload *u)
{
    return upload_refuse(u, 503, "too_many_uploads",
                         "Too many uploads were begun of which nothing has come. Try "
                         "again later.");
}

static enum rc too_many_unfinished(struct upload *u)
{
    return upload_refuse(u, 429, "too_many_unfinished",
                         "You have as many unfinished uploads as one may. Finish some "
                         "of them, or give them up.");
}

enum rc upload_create(struct upload *u, struct video_new *v)
{
    struct store *st;
    enum rc rc = upload_take_store(u, &st);

    if (rc != RC_OK)
        return rc;
    v->owner_id = u->who.asker.user_id;
    v->unseen_max = u->app->config.unseen_uploads;
    v->unseen_each = UNSEEN_EACH;
    v->unfinished_each = u->app->config.unfinished_uploads;
    v->created_ms = u->began_wall_ms;
    v->expires_ms = upload_expires_ms(u);
    rc = store_video_create(st, v, &u->video);
    if (rc != RC_EXISTS && rc != RC_TOO_LARGE && rc != RC_CONFLICT)
        upload_log_rc(u, st, "row", rc);
    u->has_row = rc == RC_OK;
    upload_give_store(u, st);
    if (rc == RC_TOO_LARGE)
        return too_many(u);
    if (rc == RC_CONFLICT)
        return too_many_unfinished(u);
    if (rc == RC_OK)
        rc = create_file(u);
    /* A row without a file is nothing that one could go on with. */
    u->doomed |= rc != RC_OK;
    return rc;
}

static bool is_foreign(const struct upload *u)
{
    enum relation relation =
        access_relation(&u->who.asker, u->video.owner_id, VISIBLE_PRIVATE);

    return access_check(&u->who.asker, WANT_UPLOAD, relation) != ACCESS_YES;
}

enum rc upload_look(struct upload *u, const char *upload_id, enum upload_found *out)
{
    const struct clock *clock = &u->app->clock;
    struct store *st;
    bool is_deleted = false;
    enum rc rc = handles_take(u->app->handles, &st);

    if (rc != RC_OK)
        return rc;
    rc = store_upload_get(st, upload_id, &u->video, &is_deleted);
    handles_give(u->app->handles, st);
    if (rc == RC_NOT_FOUND)
        *out = UPLOAD_NONE;
    else if (rc != RC_OK)
        return rc;
    else if (is_foreign(u))
        *out = UPLOAD_FOREIGN;
    else if (is_deleted)
        *out = UPLOAD_GONE;
    else if (u->video.state != VIDEO_RECEIVING)
        *out = UPLOAD_FINISHED;
    else if (u->video.expires_ms <= clock->wall_ms(clock->ctx))
        *out = UPLOAD_GONE;
    else
        *out = UPLOAD_OPEN;
    if (*out == UPLOAD_FOREIGN)
        u->video = (struct video){.id = ""};
    return RC_OK;
}

enum rc upload_enter(struct upload *u, int64_t size)
{
    uint8_t sum[STORE_CHECKSUM_SIZE];
    bool is_summed = upload_hash_digest(&u->hash, size, sum);
    struct video row;
    struct store *st;
    enum rc seen, rc = handles_take(u->app->handles, &st);

    if (rc != RC_OK)
        return rc;
    rc = store_video_stored_with(st, u->video.id, size, is_summed ? sum : NULL,
                                 &u->video);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        log_warn("store %s: %s: %s", u->video.id, rc_name(rc), store_message(st));
        seen = store_video_get(st, u->video.id, &row);
        if (seen == RC_NOT_FOUND)
            rc = RC_NOT_FOUND;
        if (seen == RC_OK && row.state != VIDEO_RECEIVING) {
            u->video = row;
            rc = RC_OK;
        }
    }
    handles_give(u->app->handles, st);
    return rc;
}

/* ---- its checksum ------------------------------------------------------------ */

/* The hash that the request before has kept. An upload goes on without one: then the
 * worker reads its file in the end. *kept: there was something, if only a torn one. */
static enum rc load_hash(struct upload *u, bool *kept)
{
    struct hash_state state;
    struct store *st;
    enum rc rc = handles_take(u->app->handles, &st);

    if (rc != RC_OK)
        return rc;
    rc = store_upload_hash(st, u->video.id, &state);
    handles_give(u->app->handles, st);
    if (rc != RC_OK)
        return rc;
    (void)upload_hash_load(&u->hash, &state);
    *kept = state.n > 0;
    return RC_OK;
}

/* What came after that, by a request that did not live to say more. */
static enum rc make_up(struct upload *u)
{
    char *block = malloc(BLOCK);
    enum rc rc = block ? RC_OK : RC_NOMEM;
    size_t got = 1;

    while (rc == RC_OK && got > 0) {
        rc = spool_read(u->spool, u->hash.at, block, BLOCK, &got);
        if (rc == RC_OK)
            upload_hash_add(&u->hash, block, got);
    }
    free(block);
    return rc;
}

/* One of bytes that a loss of power took from the file may not be found again when
 * there are as many, of another file perhaps: so it goes for good before they come, or
 * stays, for the next request to see. */
static enum rc forget_hash(struct upload *u)
{
    struct store *st;
    enum rc rc = handles_take(u->app->handles, &st);

    if (rc != RC_OK)
        return rc;
    rc = store_upload_forget_hash(st, u->video.id);
    handles_give(u->app->handles, st);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? upload_deleted(u) : rc;
    if (spool_size(u->spool) == 0)
        begin_hash(u);
    else
        upload_hash_lose(&u->hash);
    return RC_OK;
}

static enum rc resume_hash(struct upload *u)
{
    bool is_wanted = u->app->config.upload_checksums, kept = false;
    int64_t size = spool_size(u->spool);
    enum rc rc = load_hash(u, &kept);

    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? upload_deleted(u) : rc;
    /* Where it is not wanted the file goes on without it. */
    if (kept && (!is_wanted || u->hash.at < 0 || u->hash.at > size))
        return forget_hash(u);
    if (u->hash.at < 0 && size == 0)
        begin_hash(u);
    if (size - u->hash.at > MAKE_UP_MAX || (u->hash.at >= 0 && make_up(u) != RC_OK))
        upload_hash_lose(&u->hash);
    return RC_OK;
}

/* ---- opening ------------------------------------------------------------------ */

/* A whole file whose row still says receiving: its handler died in between, or could
 * not write the row. */
static enum rc enter_whole(struct upload *u, enum upload_found *out)
{
    int64_t size;
    bool kept;
    enum rc rc = spool_stored(&u->app->site, u->video.id, &size);

    if (rc == RC_OK && u->app->config.upload_checksums)
        (void)load_hash(u, &kept);
    if (rc == RC_OK)
        rc = upload_enter(u, size);
    if (rc == RC_OK || rc == RC_NOT_FOUND)
        *out = rc == RC_OK ? UPLOAD_FINISHED : UPLOAD_GONE;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc set_unchecked(struct upload *u, int64_t from)
{
    struct store *st;
    enum rc rc = handles_take(u->app->handles, &st);

    if (rc != RC_OK)
        return rc;
    rc = store_upload_unchecked(st, u->video.id, from);
    handles_give(u->app->handles, st);
    if (rc == RC_NOT_FOUND)
        return upload_deleted(u);
    if (rc == RC_OK)
        u->video.unchecked_from = from;
    return rc;
}

/* Takes away what a chunk left whose checksum nobody came to look at. */
static enum rc cut_unchecked(struct upload *u)
{
    enum rc rc = RC_OK;

    if (u->video.unchecked_from < 0)
        return RC_OK;
    if (spool_size(u->spool) > u->video.unchecked_from)
        rc = spool_truncate(u->spool, u->video.unchecked_from);
    /* First the cut, then the word that there is nothing to cut. */
    if (rc == RC_OK)
        rc = upload_sync_file(u);
    return rc == RC_OK ? set_unchecked(u, -1) : rc;
}

/* Opens the file of a row that says receiving. */
static enum rc open_file(struct upload *u, enum upload_found *out)
{
    enum rc rc = spool_open(&u->app->site, u->video.id, LOCK_MS, &u->spool);

    if (rc == RC_EXISTS)
        return enter_whole(u, out);
    if (rc == RC_NOT_FOUND && u->video.received == 0)
        rc = create_file(u);
    if (rc == RC_NOT_FOUND) {
        log_error("the bytes of upload %s are gone", u->video.id);
        upload_discard(u, "its bytes were lost");
        *out = UPLOAD_GONE;
        return RC_OK;
    }
    return rc == RC_BUSY ? upload_in_use(u) : rc;
}

enum rc upload_must_exist(struct upload *u, enum upload_found found)
{
    if (found == UPLOAD_NONE || found == UPLOAD_FOREIGN)
        return upload_refuse(u, 404, "not_found", "There is no such upload.");
    if (found == UPLOAD_GONE)
        return upload_refuse(u, 410, "gone",
                             "This upload has expired, or its video was deleted.");
    return RC_OK;
}

/* Looks for the upload of that name and opens it; u has its turn. */
static enum rc find(struct upload *u, const char *upload_id, enum upload_found *out)
{
    enum rc rc = upload_look(u, upload_id, out);

    if (rc == RC_OK && *out == UPLOAD_OPEN)
        rc = open_file(u, out);
    if (rc != RC_OK || !u->spool)
        return rc;
    /* Whoever had the file until now may have changed the row. */
    rc = upload_look(u, upload_id, out);
    if (rc == RC_OK && *out == UPLOAD_OPEN) {
        u->has_row = true;
        u->decided = u->video.container != CONTAINER_NONE;
        rc = cut_unchecked(u);
        return rc == RC_OK ? resume_hash(u) : rc;
    }
    spool_close(u->spool);
    u->spool = NULL;
    return rc;
}

enum rc upload_take_over(struct upload *u, const char *upload_id,
                         enum upload_found *out)
{
    enum rc rc = upload_look(u, upload_id, out);

    if (rc != RC_OK || *out == UPLOAD_FOREIGN)
        return rc;
    rc = upload_take_turn(u, upload_id);
    return rc == RC_OK ? find(u, upload_id, out) : rc;
}

void upload_discard(struct upload *u, const char *reason)
{
    struct store *st;

    spool_abandon(u->spool);
    u->spool = NULL;
    u->has_row = false;
    if (handles_take(u->app->handles, &st) != RC_OK)
        return;
    if (upload_log_rc(u, st, "end", store_video_abandon(st, u->video.id, reason)) ==
        RC_OK)
        spool_remove(&u->app->site, u->video.id);
    handles_give(u->app->handles, st);
    u->video = (struct video){.id = ""};
}

enum rc upload_begin_unchecked(struct upload *u)
{
    u->sure = u->hash;
    u->unchecked = u->decided = true;
    return set_unchecked(u, spool_size(u->spool));
}

enum rc upload_end_unchecked(struct upload *u, bool good)
{
    enum rc rc;

    u->unchecked = false;
    rc = good ? upload_sync_file(u) : cut_unchecked(u);
    if (good && rc == RC_OK)
        rc = set_unchecked(u, -1);
    /* They are cut off, now or by whoever opens the file next. */
    if (!good || rc != RC_OK)
        u->hash = u->sure;
    return rc;
}
