#include "upload_core.h"

#include "gate.h"
#include "log.h"
#include "sniff.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024LL * 1024)

enum { TURN_MS = 10000 }; /* for the request before to end; it was told to */

/* ---- saying no ------------------------------------------------------------- */

enum rc upload_refuse(struct upload *u, int status, const char *code,
                      const char *message)
{
    u->error = (struct http_error){status, code, message};
    return RC_STOPPED;
}

enum rc upload_reject(struct upload *u, int status, const char *code,
                      const char *message)
{
    u->doomed = true;
    return upload_refuse(u, status, code, message);
}

enum rc upload_deleted(struct upload *u)
{
    u->has_row = false;
    return upload_reject(u, 410, "deleted",
                         "The video was deleted while it was uploaded.");
}

enum rc upload_taken_over(struct upload *u)
{
    return upload_refuse(u, 409, "taken_over",
                         "Another request has taken this upload over.");
}

enum rc upload_name_taken(struct upload *u)
{
    return upload_refuse(u, 409, "upload_id_taken",
                         "There is an upload of this upload_id already.");
}

enum rc upload_in_use(struct upload *u)
{
    return upload_refuse(u, 503, "in_use",
                         "Another request still works on this upload. Try again.");
}

void upload_note_refused(struct upload *u, const char *reason)
{
    char about[STORE_USER_MAX + 32];
    struct store *st;

    if (handles_take(u->app->handles, &st) != RC_OK)
        return;
    snprintf(about, sizeof(about), "Upload by %s refused: ", u->who.name);
    if (*u->who.name)
        store_activity_add_rarely(st, ACTIVITY_WARN, "upload", about, reason);
    else
        store_activity_add(st, ACTIVITY_WARN, "upload", NULL, "Upload refused: %s",
                           reason);
    handles_give(u->app->handles, st);
}

enum rc upload_take_store(struct upload *u, struct store **out)
{
    struct store_actor actor;
    enum rc rc = handles_take(u->app->handles, out);

    if (rc == RC_OK && identity_actor(&u->who, &actor))
        store_act_for(*out, &actor);
    return rc;
}

void upload_give_store(struct upload *u, struct store *st)
{
    store_act_for(st, NULL);
    handles_give(u->app->handles, st);
}

enum rc upload_check_right(struct upload *u)
{
    struct store *st;
    enum rc rc = upload_take_store(u, &st);

    if (rc != RC_OK)
        return rc;
    rc = store_actor_check(st);
    upload_give_store(u, st);
    return rc;
}

int64_t upload_max_bytes(const struct upload *u)
{
    return u->app->config.max_upload_mb * MIB;
}

int64_t upload_chunk_bytes(const struct upload *u)
{
    return u->app->config.upload_chunk_mb * MIB;
}

enum rc upload_check_size(struct upload *u, int64_t size)
{
    if (size > upload_max_bytes(u))
        return upload_reject(u, 413, "too_large",
                             "The file is larger than this server takes.");
    return RC_OK;
}

/* What must stay free on the disk belongs to the database, and to who else is there. */
enum rc upload_check_space(struct upload *u, int64_t still_to_come)
{
    long long free_bytes;
    enum rc rc = site_free_bytes(&u->app->site, &free_bytes);

    if (rc != RC_OK)
        return rc;
    if (free_bytes - still_to_come < u->app->config.disk_reserve_mb * MIB)
        return RC_NOSPACE;
    return RC_OK;
}

enum rc upload_body_length(struct upload *u, int64_t *out)
{
    enum rc rc = request_content_length(u->r, out);

    if (rc == RC_NOT_FOUND)
        return upload_refuse(u, 411, "length_required",
                             "The request must say its length.");
    return rc;
}

/* ---- turns ----------------------------------------------------------------- */

static void stop(void *arg)
{
    request_interrupt(arg);
}

enum rc upload_take_turn(struct upload *u, const char *name)
{
    enum rc rc;

    u->turn = (struct turn){.stop = stop, .arg = u->r};
    snprintf(u->turn.name, sizeof(u->turn.name), "%s", name);
    rc = turns_take(u->turns, &u->turn, TURN_MS);
    u->has_turn = rc == RC_OK;
    if (rc == RC_STOPPED)
        return upload_taken_over(u);
    return rc == RC_BUSY ? upload_in_use(u) : rc;
}

enum rc upload_admit(struct upload *u)
{
    if (u->is_admitted)
        return RC_OK;
    uploader_read(&u->uploader, &u->who, request_peer(u->r));
    if (uploaders_enter(u->uploaders, &u->uploader, uploaders_most(&u->app->config)) !=
        RC_OK)
        return upload_refuse(u, 503, "too_many_at_once",
                             "You are sending as many files at once as one may. Try "
                             "again when one of them has come in.");
    u->is_admitted = true;
    return RC_OK;
}

/* ---- the end --------------------------------------------------------------- */

/* Whether the first bytes are those of a video, once they are there. */
static enum rc look_inside(struct upload *u)
{
    char head[SNIFF_BYTES];
    struct sniff found;
    struct store *st;
    size_t n = 0;
    enum rc rc;

    if (u->video.container != CONTAINER_NONE || u->unchecked ||
        (spool_size(u->spool) < SNIFF_BYTES && !upload_is_complete(u)))
        return RC_OK;
    rc = spool_read(u->spool, 0, head, sizeof(head), &n);
    if (rc != RC_OK)
        return rc;
    if (sniff(head, n, &found) != RC_OK)
        return upload_reject(u, 415, "unsupported_type", found.reason);
    rc = upload_take_store(u, &st);
    if (rc != RC_OK)
        return rc;
    rc = upload_log_rc(u, st, "row",
                       store_upload_sniffed(st, u->video.id, found.container));
    upload_give_store(u, st);
    if (rc == RC_OK) {
        u->video.container = found.container;
        u->decided = true;
    }
    return rc == RC_NOT_FOUND ? upload_deleted(u) : rc;
}

enum rc upload_append(struct upload *u, const void *data, size_t n)
{
    int64_t before = spool_size(u->spool);
    enum rc rc = upload_check_size(u, before + (int64_t)n);

    if (rc != RC_OK)
        return rc;
    rc = upload_log_rc(u, NULL, "spool", spool_write(u->spool, data, n));
    /* Where the disk is full some of them went in. */
    upload_hash_add(&u->hash, data, (size_t)(spool_size(u->spool) - before));
    return rc == RC_OK ? look_inside(u) : rc;
}

/* A sync may take long, and behind the rename it is the worker's to enter. */
static enum rc check_finish(struct upload *u)
{
    enum rc rc = look_inside(u);

    if (rc == RC_OK)
        rc = upload_sync_file(u);
    return rc == RC_OK ? upload_check_right(u) : rc;
}

enum rc upload_finish(struct upload *u)
{
    int64_t size = spool_size(u->spool);
    enum rc rc = check_finish(u);

    if (rc != RC_OK)
        return rc;
    rc = spool_finish(u->spool);
    if (rc == RC_NOT_FOUND)
        return upload_deleted(u);
    /* Where only its name could not be given, the client may try that again. */
    u->doomed |= rc != RC_OK && !spool_is_synced(u->spool);
    if (rc != RC_OK)
        return upload_log_rc(u, NULL, "spool", rc);
    u->spool = NULL;
    u->has_row = false;
    rc = upload_enter(u, size);
    if (rc == RC_NOT_FOUND) {
        spool_remove(&u->app->site, u->video.id);
        return upload_deleted(u);
    }
    /* Whole and durable, so never thrown away: the worker enters such files later. */
    if (rc != RC_OK)
        return upload_refuse(u, 503, "not_entered",
                             "The file has come in whole, but the server could not "
                             "enter it yet. It appears by itself later.");
    log_info("%s: stored, %" PRId64 " bytes", u->video.id, u->video.size);
    return RC_OK;
}

enum rc upload_settle(struct upload *u)
{
    enum rc rc = look_inside(u);

    if (rc != RC_OK)
        return rc;
    return upload_is_complete(u) ? upload_finish(u) : upload_sync_file(u);
}

enum rc upload_tell_progress(struct upload *u, struct store *st)
{
    struct hash_state state;

    upload_hash_save(u->unchecked ? &u->sure : &u->hash, &state);
    return store_video_received(st, u->video.id, spool_size(u->spool),
                                *u->video.upload_id ? upload_expires_ms(u) : -1,
                                &state);
}

/* False: the row is gone. */
static bool note_received(struct upload *u)
{
    struct store *st;
    enum rc rc = handles_take(u->app->handles, &st);

    if (rc != RC_OK)
        return true;
    rc = upload_tell_progress(u, st);
    handles_give(u->app->handles, st);
    return rc != RC_NOT_FOUND;
}

void upload_end(struct upload *u, const char *reason)
{
    if (u->spool && u->has_row && !u->doomed && *u->video.upload_id) {
        if (note_received(u))
            spool_close(u->spool);
        else
            spool_abandon(u->spool);
    } else if (u->has_row) {
        upload_discard(u, reason);
    } else {
        spool_abandon(u->spool);
    }
    u->spool = NULL;
    u->has_row = false;
    /* First: who waits for the turn may need the place. */
    if (u->is_admitted)
        uploaders_leave(u->uploaders, &u->uploader);
    u->is_admitted = false;
    if (u->has_turn)
        turns_leave(u->turns, &u->turn);
    u->has_turn = false;
}

void upload_fail(struct upload *u, enum rc rc)
{
    struct http_error error = u->error.code ? u->error : http_error_of(rc);

    if (rc == RC_REVOKED)
        error = gate_revoked(&u->who);
    log_info("upload ended with %d %s: %s", error.status, error.code, error.message);
    upload_end(u, error.message);
    http_send_error(u->r, &error, NULL);
}
