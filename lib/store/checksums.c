/*
 * The checksums of what was uploaded, and the jobs that take them.
 */
#include "store_check.h"
#include "store_priv.h"
#include "store_uploads.h"

#include <string.h>

enum rc store_checksum_queue(struct store *st, const char *video_id)
{
    enum rc rc = store_run_text(st, SQL_JOB_DROP_CHECKSUM,
                                "DELETE FROM jobs WHERE video_id = ?1"
                                " AND kind = 'checksum'",
                                video_id);

    return rc == RC_OK ? store_job_add(st, video_id, JOB_CHECKSUM, "") : rc;
}

enum rc store_upload_hash(struct store *st, const char *id, struct hash_state *out)
{
    struct hash_state state;
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_UPLOAD_HASH,
                               "SELECT hash_state FROM videos WHERE id = ?1"
                               " AND state = 'receiving' AND deleted_at IS NULL",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    state.n = (size_t)sqlite3_column_bytes(q, 0);
    if (state.n > sizeof(state.bytes))
        state.n = 0;
    if (state.n > 0)
        memcpy(state.bytes, sqlite3_column_blob(q, 0), state.n);
    rc = store_finish(st, q);
    if (rc == RC_OK)
        *out = state;
    return rc;
}

enum rc store_video_checksum(struct store *st, const char *id,
                             uint8_t out[STORE_CHECKSUM_SIZE], bool *known)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_VIDEO_CHECKSUM,
        "SELECT sha256 FROM videos WHERE id = ?1 AND deleted_at IS NULL", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    *known = sqlite3_column_bytes(q, 0) == STORE_CHECKSUM_SIZE;
    if (*known)
        memcpy(out, sqlite3_column_blob(q, 0), STORE_CHECKSUM_SIZE);
    return store_finish(st, q);
}

static enum rc set_checksum(struct store *st, const char *id,
                            const uint8_t sum[STORE_CHECKSUM_SIZE])
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_VIDEO_SET_CHECKSUM,
        "UPDATE videos SET sha256 = ?2 WHERE id = ?1 AND sha256 IS NULL", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    sqlite3_bind_blob(q, 2, sum, STORE_CHECKSUM_SIZE, SQLITE_STATIC);
    return store_finish(st, q);
}

enum rc store_job_checksum(struct store *st, const struct job *job,
                           const uint8_t sum[STORE_CHECKSUM_SIZE])
{
    enum rc rc;

    if (job->kind != JOB_CHECKSUM)
        return RC_INVALID;
    rc = store_job_begin(st, job);
    if (rc != RC_OK)
        return rc;
    rc = set_checksum(st, job->video_id, sum);
    if (rc == RC_OK)
        rc = store_job_end(st, job, "done", "");
    return store_end(st, rc);
}
