/*
 * The queue: claiming, holding and giving back. What a job's end means for its video
 * is in job_end.c, or for a probe in job_plan.c.
 */
#include "store_priv.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
    [JOB_PROBE] = "probe",         [JOB_ENCODE] = "encode",
    [JOB_COPY] = "copy",           [JOB_LADDER] = "ladder",
    [JOB_POSTER] = "poster",       [JOB_STORYBOARD] = "storyboard",
    [JOB_SUBTITLES] = "subtitles", [JOB_CHECKSUM] = "checksum",
};

#define KIND_COUNT (sizeof(kind_names) / sizeof(kind_names[0]))

/*
 * Lower is more urgent. A probe takes a tenth of a second and all else waits for it. A
 * poster takes not much longer; after the encodes it would leave a whole library
 * without pictures while a batch is worked off. Encodes of picture and sound share
 * one number, so that age decides: a video's picture first, then its sound, then the
 * next video. Were sound less urgent, no video would be whole before all pictures are.
 * A copy is the best quality there is, and costs little but reading and writing; the
 * rest of the ladder comes when nothing else is left to make, and a checksum after all.
 */
static const int priorities[KIND_COUNT] = {
    [JOB_PROBE] = 10, [JOB_POSTER] = 20,     [JOB_SUBTITLES] = 22, [JOB_ENCODE] = 30,
    [JOB_COPY] = 32,  [JOB_STORYBOARD] = 40, [JOB_LADDER] = 50,    [JOB_CHECKSUM] = 60,
};

bool job_makes_rendition(enum job_kind k)
{
    return k == JOB_ENCODE || k == JOB_COPY || k == JOB_LADDER;
}

bool job_is_extra(enum job_kind k)
{
    return k == JOB_COPY || k == JOB_LADDER;
}

const char *job_kind_name(enum job_kind k)
{
    return (size_t)k < KIND_COUNT ? kind_names[k] : "unknown";
}

enum job_kind store_job_kind_from(const char *name)
{
    size_t i;

    for (i = 0; i < KIND_COUNT; i++)
        if (strcmp(name, kind_names[i]) == 0)
            return (enum job_kind)i;
    return JOB_PROBE; /* the schema's CHECK lets no other name in */
}

enum rc store_job_add(struct store *st, const char *video_id, enum job_kind kind,
                      const char *rendition)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_JOB_INSERT,
        "INSERT INTO jobs (video_id, kind, rendition, priority, created_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, job_kind_name(kind));
    store_bind_text(q, 3, rendition);
    store_bind_int(q, 4, priorities[kind]);
    store_bind_int(q, 5, store_wall_ms(st));
    return store_finish(st, q);
}

enum rc store_job_drop_all(struct store *st, const char *video_id)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_JOB_DROP_ALL, "DELETE FROM jobs WHERE video_id = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    return store_finish(st, q);
}

enum rc store_job_drop_open(struct store *st, const char *video_id)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_JOB_DROP_OPEN,
                               "DELETE FROM jobs WHERE video_id = ?1"
                               " AND state IN ('queued', 'running')"
                               " AND kind <> 'checksum'",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    return store_finish(st, q);
}

enum rc store_job_drop_made(struct store *st, const char *video_id)
{
    return store_run_text(st, SQL_JOB_DROP_MADE,
                          "DELETE FROM jobs WHERE video_id = ?1 AND kind <> 'checksum'",
                          video_id);
}

/* ---- claiming ----------------------------------------------------------- */

/*
 * One statement picks and takes, so there is no moment between the two. A running job
 * whose lease has ended is claimed like a queued one; the higher fence is all that
 * keeps its former worker out. One of a rendition that had no run at work has nothing
 * to do with how its worker was lost. Parameters 1 to 4 are those of take().
 */
#define AT_WORK                                                                        \
    "(rendition = '' OR EXISTS (SELECT 1 FROM renditions r WHERE"                      \
    " r.video_id = jobs.video_id AND r.name = jobs.rendition AND (r.encoding <> ''"    \
    " OR r.copied AND r.bounds IS NULL)))"
#define CLAIM(which)                                                                   \
    "UPDATE jobs SET lost = lost + (state = 'running' AND " AT_WORK                    \
    "), state = 'running', asleep = 0,"                                                \
    " fence = fence + 1, owner = ?1, due_ms = ?2, due_boot = ?3"                       \
    " WHERE id = (SELECT id FROM jobs WHERE state IN ('queued', 'running')"            \
    " AND (due_ms <= ?4 OR due_boot <> ?3) AND " which                                 \
    " ORDER BY priority, id LIMIT 1)"                                                  \
    " RETURNING id, video_id, kind, rendition, fence, failures, lost"

/* Runs a CLAIM whose own parameters are bound. */
static enum rc take(struct store *st, sqlite3_stmt *q, const char *owner,
                    int64_t lease_ms, struct job *out)
{
    int64_t now = store_boot_ms(st);
    char kind[16];
    enum rc rc;

    store_bind_text(q, 1, owner);
    store_bind_int(q, 2, now + lease_ms);
    store_bind_text(q, 3, st->clock.boot_id);
    store_bind_int(q, 4, now);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    memset(out, 0, sizeof(*out));
    out->id = sqlite3_column_int64(q, 0);
    store_column_text(q, 1, out->video_id, sizeof(out->video_id));
    store_column_text(q, 2, kind, sizeof(kind));
    out->kind = store_job_kind_from(kind);
    store_column_text(q, 3, out->rendition, sizeof(out->rendition));
    out->fence = sqlite3_column_int64(q, 4);
    out->failures = sqlite3_column_int(q, 5);
    out->lost = sqlite3_column_int(q, 6);
    return store_finish(st, q);
}

static const char *const openings[KIND_COUNT] = {
    [JOB_PROBE] = "Looking into the file",
    [JOB_ENCODE] = "",
    [JOB_COPY] = "Looking for places to cut the source at",
    [JOB_LADDER] = "",
    [JOB_POSTER] = "Making the poster",
    [JOB_STORYBOARD] = "Making the previews of the seek bar",
    [JOB_SUBTITLES] = "Reading the subtitles",
    [JOB_CHECKSUM] = NULL, /* nobody waits for it */
};

/* "360p: encoding, attempt 2" */
static enum rc note_claim(struct store *st, const struct job *job)
{
    char attempt[40] = "";

    if (!openings[job->kind])
        return RC_OK;
    if (job->fence > 1)
        snprintf(attempt, sizeof(attempt), ", attempt %lld", (long long)job->fence);
    if (job->kind == JOB_ENCODE || job->kind == JOB_LADDER)
        return store_note(st, ACTIVITY_INFO, "encode", job->video_id, "%s: encoding%s",
                          job->rendition, attempt);
    return store_note(st, ACTIVITY_INFO, job_kind_name(job->kind), job->video_id,
                      "%s%s", openings[job->kind], attempt);
}

#define KINDS_SIZE 128

/* The names in a set of kinds as '|probe|poster|', to be looked up by instr(). */
static void list_kinds(unsigned kinds, char out[KINDS_SIZE])
{
    size_t i, n = (size_t)snprintf(out, KINDS_SIZE, "|");

    for (i = 0; i < KIND_COUNT; i++)
        if (kinds & STORE_KIND(i))
            n += (size_t)snprintf(out + n, KINDS_SIZE - n, "%s|", kind_names[i]);
}

/* With nothing due, nothing is written either: the worker wakes by writes to the WAL
 * and would otherwise wake itself for ever. */
static enum rc claim(struct store *st, sqlite3_stmt *q, const char *owner,
                     int64_t lease_ms, struct job *out)
{
    struct job job;
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = take(st, q, owner, lease_ms, &job);
    /* With the new lease, what the former worker said would count again. */
    if (rc == RC_OK && job_makes_rendition(job.kind))
        rc = store_rendition_not_encoding(st, job.video_id, job.rendition);
    if (rc == RC_OK)
        rc = note_claim(st, &job);
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *out = job;
    return rc;
}

enum rc store_job_claim(struct store *st, const char *owner, int64_t lease_ms,
                        unsigned kinds, struct job *out)
{
    sqlite3_stmt *q;
    char names[KINDS_SIZE];
    enum rc rc;

    if (lease_ms <= 0 || strlen(owner) > STORE_OWNER_MAX)
        return RC_INVALID;
    rc = store_prepare(st, SQL_JOB_CLAIM,
                       CLAIM("asleep = 0 AND instr(?5, '|' || kind || '|')"), &q);
    if (rc != RC_OK)
        return rc;
    list_kinds(kinds, names);
    store_bind_text(q, 5, names);
    return claim(st, q, owner, lease_ms, out);
}

enum rc store_job_claim_encode(struct store *st, const char *owner, int64_t lease_ms,
                               const char *video_id, const char *rendition,
                               struct job *out)
{
    sqlite3_stmt *q;
    enum rc rc;

    if (lease_ms <= 0 || strlen(owner) > STORE_OWNER_MAX)
        return RC_INVALID;
    rc = store_prepare(st, SQL_JOB_CLAIM_ENCODE,
                       CLAIM("asleep <> 2 AND video_id = ?5 AND rendition = ?6"
                             " AND rendition <> ''"),
                       &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 5, video_id);
    store_bind_text(q, 6, rendition);
    return claim(st, q, owner, lease_ms, out);
}

enum rc store_job_next_due(struct store *st, unsigned kinds, int64_t *out_ms)
{
    int64_t due = -1;
    char names[KINDS_SIZE];
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_JOB_NEXT_DUE,
                               "SELECT min(CASE WHEN due_boot <> ?1 THEN 0"
                               " ELSE max(0, due_ms - ?2) END)"
                               " FROM jobs WHERE state IN ('queued', 'running')"
                               " AND asleep = 0 AND instr(?3, '|' || kind || '|')",
                               &q);

    if (rc != RC_OK)
        return rc;
    list_kinds(kinds, names);
    store_bind_text(q, 1, st->clock.boot_id);
    store_bind_int(q, 2, store_boot_ms(st));
    store_bind_text(q, 3, names);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    if (sqlite3_column_type(q, 0) != SQLITE_NULL)
        due = sqlite3_column_int64(q, 0);
    rc = store_finish(st, q);
    if (rc == RC_OK)
        *out_ms = due;
    return rc;
}

/* ---- holding ------------------------------------------------------------ */

enum rc store_job_check(struct store *st, const struct job *job)
{
    bool held = false;
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_JOB_HELD,
                               "SELECT 1 FROM jobs"
                               " WHERE id = ?1 AND fence = ?2 AND state = 'running'",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, job->id);
    store_bind_int(q, 2, job->fence);
    rc = store_has_row(st, q, &held);
    return rc == RC_OK && !held ? RC_FENCED : rc;
}

/* The check has to be inside: between it and the write the job could change hands. */
enum rc store_job_begin(struct store *st, const struct job *job)
{
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = store_job_check(st, job);
    return rc == RC_OK ? rc : store_end(st, rc);
}

enum rc store_job_hold(struct store *st, const struct job *job,
                       enum rc (*act)(void *arg), void *arg)
{
    enum rc rc = store_job_begin(st, job);

    return rc == RC_OK ? store_end(st, act(arg)) : rc;
}

enum rc store_job_begin_video(struct store *st, const struct job *job,
                              struct video *out)
{
    enum rc rc = store_job_begin(st, job);

    if (rc != RC_OK)
        return rc;
    rc = store_video_load(st, job->video_id, out);
    return rc == RC_OK ? rc : store_end(st, rc);
}

enum rc store_job_renew(struct store *st, const struct job *job, int64_t lease_ms,
                        double progress)
{
    sqlite3_stmt *q;
    enum rc rc;

    if (lease_ms <= 0)
        return RC_INVALID;
    /* Late but not replaced is fine: the work is the same as ever. */
    rc = store_job_begin(st, job);
    if (rc != RC_OK)
        return rc;
    rc = store_prepare(st, SQL_JOB_RENEW,
                       "UPDATE jobs SET due_ms = ?2, due_boot = ?3,"
                       " progress = ?4 WHERE id = ?1",
                       &q);
    if (rc == RC_OK) {
        store_bind_int(q, 1, job->id);
        store_bind_int(q, 2, store_boot_ms(st) + lease_ms);
        store_bind_text(q, 3, st->clock.boot_id);
        /* Written so that NaN becomes 0. */
        sqlite3_bind_double(q, 4, progress > 0 ? (progress < 1 ? progress : 1) : 0);
        rc = store_finish(st, q);
    }
    return store_end(st, rc);
}

/* ---- giving back -------------------------------------------------------- */

enum rc store_job_requeue(struct store *st, const struct job *job, int64_t delay_ms,
                          const char *error)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_JOB_REQUEUE,
                               "UPDATE jobs SET state = 'queued', due_ms = ?2,"
                               " due_boot = ?3, failures = failures + (?4 IS NOT NULL),"
                               " error = coalesce(?4, error) WHERE id = ?1",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, job->id);
    store_bind_int(q, 2, store_boot_ms(st) + delay_ms);
    store_bind_text(q, 3, st->clock.boot_id);
    store_bind_text(q, 4, error);
    return store_finish(st, q);
}

/* Requeues in a transaction of its own and notes why. blamed: it counts as a failure.
 */
static enum rc put_off(struct store *st, const struct job *job, int64_t delay_ms,
                       const char *why, bool blamed)
{
    char text[STORE_TEXT_MAX + 1], how[64] = "waiting";
    enum rc rc;

    if (delay_ms < 0)
        return RC_INVALID;
    rc = store_job_begin(st, job);
    if (rc != RC_OK)
        return rc;
    text_clean(text, sizeof(text), why);
    if (blamed)
        snprintf(how, sizeof(how), "attempt %lld failed, the next in",
                 (long long)job->fence);
    rc = store_job_requeue(st, job, delay_ms, blamed ? text : NULL);
    if (rc == RC_OK)
        rc =
            store_note(st, ACTIVITY_WARN, job_kind_name(job->kind), job->video_id,
                       "%s%s%s %.1f s: %s", job->rendition, *job->rendition ? ": " : "",
                       how, (double)delay_ms / 1000, text);
    return store_end(st, rc);
}

enum rc store_job_retry(struct store *st, const struct job *job, int64_t delay_ms,
                        const char *error)
{
    return put_off(st, job, delay_ms, error, true);
}

enum rc store_job_postpone(struct store *st, const struct job *job, int64_t delay_ms,
                           const char *reason)
{
    return put_off(st, job, delay_ms, reason, false);
}

enum rc store_job_release(struct store *st, const struct job *job)
{
    enum rc rc = store_job_begin(st, job);

    return rc == RC_OK ? store_end(st, store_job_requeue(st, job, 0, NULL)) : rc;
}

enum rc store_job_release_owner(struct store *st, const char *owner, int *n)
{
    sqlite3_stmt *q;
    int changes = 0;
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = store_prepare(
        st, SQL_JOB_RELEASE_OWNER,
        "UPDATE jobs SET state = 'queued', due_ms = 0, lost = lost + " AT_WORK
        " WHERE state IN ('queued', 'running') AND state = 'running'"
        " AND asleep = 0 AND owner = ?1",
        &q);
    if (rc == RC_OK) {
        store_bind_text(q, 1, owner);
        rc = store_finish(st, q);
    }
    if (rc == RC_OK)
        changes = store_changes(st);
    if (changes > 0)
        rc = store_note(st, ACTIVITY_WARN, "worker", NULL,
                        "Took back %d job%s of worker %s, which is gone", changes,
                        changes == 1 ? "" : "s", owner);
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *n = changes;
    return rc;
}
