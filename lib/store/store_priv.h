/*
 * store_priv.h: what the files of lib/store share; nobody else includes it, nor
 * sqlite3.h.
 *
 * Invariant: outside a function of store.h no statement is half-stepped and no
 * transaction is open, so a handle never keeps others from writing or the WAL from
 * being checkpointed.
 */
#ifndef DROPSTREAM_STORE_PRIV_H
#define DROPSTREAM_STORE_PRIV_H

#include "store.h"
#include "store_accounts.h"
#include "store_grants.h"
#include "store_lists.h"
#include "store_statements.h"

#include <sqlite3.h>

struct store {
    sqlite3 *db;
    struct clock clock;
    sqlite3_stmt *statements[STATEMENT_COUNT]; /* prepared on first use */
    int64_t data_version;                      /* as store_changed last saw it */
    struct store_actor actor;                  /* counts only if acts */
    bool acts;
    bool durable; /* as store_durable has it … */
    bool lasting; /* … and this transaction alone, besides */
    char message[256];
};

/* ---- file.c ------------------------------------------------------------- */

/* True for a statfs(2) f_type whose locks or shared memory cannot be relied on. */
bool store_is_network_fs(unsigned long f_type);

/* The file itself decides where it exists (it may be a link), else its folder. RC_OK,
 * RC_NETFS, RC_IO, RC_NOMEM. */
enum rc store_file_check(const char *path);

/* Creates an empty file of mode 0600 unless there is one. RC_IO, RC_NOSPACE. */
enum rc store_file_create(const char *path);

/* ---- lasting.c ---------------------------------------------------------- */

/* The transaction that is begun next is as store_durable has it, whatever comes of it.
 * Of a statement without one, store_lasting_over is called after it. RC_IO, RC_NOMEM,
 * RC_BUSY: it is not. */
enum rc store_lasting(struct store *st);
void store_lasting_over(struct store *st);

/* ---- store.c ------------------------------------------------------------ */

/* Maps a SQLite result code; keeps SQLite's message for store_message. */
enum rc store_rc(struct store *st, int code);

/* The statement, ready to be bound: reset and with every parameter NULL. */
enum rc store_prepare(struct store *st, enum statement id, const char *sql,
                      sqlite3_stmt **out);

/* Binds parameter i (from 1); text is not copied and has to live until the step. */
void store_bind_text(sqlite3_stmt *q, int i, const char *text);
void store_bind_int(sqlite3_stmt *q, int i, int64_t v);
void store_bind_hash(sqlite3_stmt *q, int i, const uint8_t hash[SECRET_HASH_SIZE]);

/* To the next row. RC_NOT_FOUND: there is none, and q is reset, as after an error.
 * After RC_OK the caller resets it by store_finish. */
enum rc store_step(struct store *st, sqlite3_stmt *q);

/* A copy of the first column of q's one row, which the caller frees; resets.
 * RC_NOT_FOUND, RC_NOMEM. */
enum rc store_blob(struct store *st, sqlite3_stmt *q, uint8_t **out, size_t *n);

/* The first column of q's one row; resets. RC_NOT_FOUND. */
enum rc store_number(struct store *st, sqlite3_stmt *q, int64_t *out);

/* True in *out if q has a row, of which nothing is read; resets. */
enum rc store_has_row(struct store *st, sqlite3_stmt *q, bool *out);

/* To the end, which is where a write takes effect, also one with RETURNING; resets. */
enum rc store_finish(struct store *st, sqlite3_stmt *q);

/* Column i (from 0) of the row, into size bytes. */
void store_column_text(sqlite3_stmt *q, int i, char *out, size_t size);

/* Likewise a number that is never negative, or -1 for NULL. */
static inline int64_t store_column_maybe(sqlite3_stmt *q, int i)
{
    return sqlite3_column_type(q, i) == SQLITE_NULL ? -1 : sqlite3_column_int64(q, i);
}

/* Rows changed by the statement that was last finished. */
int store_changes(const struct store *st);

/* BEGIN IMMEDIATE, and its end: COMMIT if rc is RC_OK, else ROLLBACK and rc. */
enum rc store_begin(struct store *st);
enum rc store_end(struct store *st, enum rc rc);

int64_t store_wall_ms(const struct store *st);
int64_t store_boot_ms(const struct store *st);

/* ---- run.c -------------------------------------------------------------- */

/* Runs a statement whose one parameter is a number. */
enum rc store_run_int(struct store *st, enum statement id, const char *sql, int64_t v);
/* Likewise a text. */
enum rc store_run_text(struct store *st, enum statement id, const char *sql,
                       const char *text);

/* A transaction of one statement with these n numbers, ?1 first. RC_NOT_FOUND: it has
 * changed no row. */
enum rc store_change(struct store *st, enum statement id, const char *sql,
                     const int64_t *v, int n);

/* ---- rows of users, grants ---------------------------------------------- */

/* The columns of a struct user u in the order that store_user_columns reads them in. */
#define USER_COLUMNS "u.id, u.name, u.role, u.password, u.created_ms"

/* Reads them from column i on of the row that q is at. */
void store_user_columns(sqlite3_stmt *q, int i, struct user *u);

/* Inside a transaction: RC_NOT_FOUND if there is no such user. */
enum rc store_user_check(struct store *st, int64_t id);

/* Inside a transaction: a new grant, of a user or (share not NULL) of a share. */
enum rc store_grant_insert(struct store *st, const char *video_id, int64_t user_id,
                           const char *share, char key[KEY_LEN + 1]);

/* Inside a transaction: marks revoked all grants of a video; of a user; of a share;
 * those of a user that this one has no right to any more. */
enum rc store_grants_revoke_video(struct store *st, const char *video_id);
enum rc store_grants_revoke_user(struct store *st, int64_t user_id);
enum rc store_grants_revoke_share(struct store *st, const char *token);
enum rc store_grants_revise_user(struct store *st, int64_t user_id);

/* Inside a transaction: ends all sessions of a user but one (0: all of them); all its
 * tokens. */
enum rc store_session_end_all(struct store *st, int64_t user_id, int64_t keep);
enum rc store_token_remove_all(struct store *st, int64_t user_id);

/* ---- rows of videos ----------------------------------------------------- */

/* The columns of a struct video in the order that store_video_row reads them in. */
#define VIDEO_COLUMNS                                                                  \
    "id, title, filename, owner_id,"                                                   \
    " (SELECT name FROM users WHERE users.id = videos.owner_id), visibility,"          \
    " container, state, playable, size, received, error,"                              \
    " warning, duration_us, width, height, rate_num, rate_den, video_codec,"           \
    " audio_codec, media_root, has_poster, created_ms, first_segment_ms,"              \
    " stored_ms, ready_ms, arrived_us, upload_id, expires_ms, unchecked_from,"         \
    " index_offset, copy_refused, has_storyboard, poster_at_us, poster_version,"       \
    " poster_dull, encodes_sound"

/* Reads the columns of a struct video from the first one of the row that q is at. */
void store_video_columns(sqlite3_stmt *q, struct video *v);

/* Steps q to its one row, reads that and resets q. RC_NOT_FOUND. */
enum rc store_video_row(struct store *st, sqlite3_stmt *q, struct video *out);

/* store_begin for a change of one video that is not deleted; *out is its row. After an
 * error no transaction is open. RC_NOT_FOUND. */
enum rc store_video_begin(struct store *st, const char *id, struct video *out);

/* ---- inside a transaction of the caller --------------------------------- */

/* A video that is not deleted. RC_NOT_FOUND. */
enum rc store_video_load(struct store *st, const char *id, struct video *out);

/* True if a worker was ever told of it, so that there may be files made of it. */
enum rc store_video_was_probed(struct store *st, const char *id, bool *out);

/* Whether one more may be begun, by the bounds that v says: RC_TOO_LARGE, RC_CONFLICT
 * as store_video_create. */
struct video_new;
enum rc store_upload_room(struct store *st, const struct video_new *v);

/* Gone for all but the worker, who clears its files away and then the row. */
enum rc store_video_mark_deleted(struct store *st, const char *id);

/* Within a transaction: likewise all of a user's that are still receiving; why goes to
 * the activity log. */
enum rc store_uploads_end_of(struct store *st, int64_t user_id, const char *why);

/* Within a transaction: ends the shares that a user made of videos of others; *n of
 * them. */
enum rc store_shares_end_of(struct store *st, int64_t user_id, int64_t *n);

/* Within a transaction: adds sentence to v's warning, unless it says so already. */
enum rc store_video_add_warning(struct store *st, const struct video *v,
                                const char *sentence);

/* Replaces the renditions. RC_INVALID: a generation that is not higher than before. */
enum rc store_renditions_replace(struct store *st, const char *video_id,
                                 const struct rendition *list, size_t n);

/* Adds one; position is its place in the plan. RC_INVALID: that name is there. */
enum rc store_rendition_insert(struct store *st, const char *video_id,
                               const struct rendition *r, size_t position);

/* Takes one away; a missing one is fine. */
enum rc store_rendition_remove(struct store *st, const char *video_id,
                               const char *name);

/* The extra renditions of plan that are not there yet or promise nothing, and the jobs
 * of all that are. */
enum rc store_extras_add(struct store *st, const char *id,
                         const struct video_plan *plan);

/* Within a transaction: all jobs of a video are dropped, and it is looked at anew. */
enum rc store_video_plan_again(struct store *st, const char *id);

/* Keeps the bounds of a rendition that is copied. */
enum rc store_rendition_cut(struct store *st, const char *video_id, const char *name,
                            const uint8_t *bounds, size_t n);

/* Why the source is not offered as it is; "": it is. */
enum rc store_copy_refused(struct store *st, const char *id, const char *sentence);

/* Somebody watches it: see store_video_watched. */
enum rc store_video_note_watched(struct store *st, const char *id);

/* Nothing of this rendition is being encoded; RC_OK if there is none. */
enum rc store_rendition_not_encoding(struct store *st, const char *video_id,
                                     const char *name);

/* The kind of this name, which the schema lets be the only ones. */
enum job_kind store_job_kind_from(const char *name);

/* Queues a job that is due at once; rendition is "" unless an encode job. */
enum rc store_job_add(struct store *st, const char *video_id, enum job_kind kind,
                      const char *rendition);

/* Queues the poster of v. RC_EXISTS: it has one that stays, or a job for it of any
 * state. */
enum rc store_poster_queue(struct store *st, const struct video *v);

/* Queues the storyboard of a video whose bytes are all there; another job for it is
 * dropped. */
enum rc store_storyboard_queue(struct store *st, const char *video_id);

/* Queues the checksum of a video whose bytes are all there; another job for it is
 * dropped. */
enum rc store_checksum_queue(struct store *st, const char *video_id);

/* Drops every job of a video: whoever still holds one is fenced off. */
enum rc store_job_drop_all(struct store *st, const char *video_id);

/* Likewise but that of its checksum: it is to be made anew, of the same file. */
enum rc store_job_drop_made(struct store *st, const char *video_id);

/* Drops those of them that are queued or running. */
enum rc store_job_drop_open(struct store *st, const char *video_id);

/* Back to the queue, due in delay_ms; error is NULL where there was none. */
enum rc store_job_requeue(struct store *st, const struct job *job, int64_t delay_ms,
                          const char *error);

/* The attempt is over, for good: state 'done' or 'failed'. */
enum rc store_job_end(struct store *st, const struct job *job, const char *state,
                      const char *error);

/* If neither a probe nor an encode is left to do and every byte is there, the video is
 * ready, and *ready true. */
enum rc store_ready_if_last(struct store *st, const char *id, bool *ready);

/* BEGIN IMMEDIATE, if the job is still this attempt's; else none is open: RC_FENCED. */
enum rc store_job_begin(struct store *st, const struct job *job);

/* The same, and the row of its video in *out. */
enum rc store_job_begin_video(struct store *st, const struct job *job,
                              struct video *out);

/* A plan was made of v: those of its tracks replace the ones of before, unless it is
 * still receiving; where there are any, or were, a job brings the files up to date. */
enum rc store_subtitles_planned(struct store *st, const struct video *v,
                                const struct subtitles *tracks);

/* Queues the job that brings the files of subtitles up to date, if it is not. */
enum rc store_subtitles_queue(struct store *st, const char *video_id);

/* A job 'subtitles' has failed for good: what was not read yet is forgotten, and what
 * has no files of its text says why. */
enum rc store_subtitles_give_up(struct store *st, const struct job *job,
                                const char *error);

/* A row of the activity log; video_id may be NULL. */
enum rc store_note(struct store *st, enum activity_level level, const char *kind,
                   const char *video_id, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* One of what was done with a video, and by whom (store_act_for), as far as that is
 * known: "It is private again, by "ada"". */
enum rc store_note_by(struct store *st, const char *kind, const char *video_id,
                      const char *what);

/* A name for use inside a message: at most 120 bytes, cut at a code point. */
#define STORE_SHORT_SIZE 121
void store_shorten(char out[STORE_SHORT_SIZE], const char *text);

#endif
