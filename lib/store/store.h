/*
 * store.h: everything that is remembered: videos, their renditions, the queue of
 * jobs and the activity log. One opaque handle; all SQL lives behind it.
 *
 * Invariants: a job is held by one worker at a time, and every write of a job
 * carries its fencing number, so a worker that lost its lease changes nothing. A
 * video is `ready` only when each of its encode jobs is done. A function is one
 * transaction. Besides what is listed at each function, every one may return
 * RC_BUSY (locked for the whole busy timeout), RC_IO, RC_NOSPACE, RC_CORRUPT or
 * RC_NOMEM.
 *
 * A handle belongs to one thread at a time. Structs hold their strings inline, so
 * there is nothing to free.
 */
#ifndef DROPSTREAM_STORE_H
#define DROPSTREAM_STORE_H

#include "clock.h"
#include "id.h"
#include "rc.h"
#include "sniff.h"
#include "store_subtitles.h"
#include "visibility.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_TITLE_MAX 1020    /* bytes: 255 code points of UTF-8 */
#define STORE_FILENAME_MAX 1020 /* bytes; data only, never a path */
#define STORE_TEXT_MAX 500      /* bytes of an error, a warning, a log message */
#define STORE_METADATA_MAX 8191 /* bytes */
#define STORE_CODEC_MAX 31
#define STORE_COLOUR_MAX 63
#define STORE_OWNER_MAX 63 /* bytes of a worker's name */
#define STORE_USER_MAX 32  /* bytes of a user's name */
#define STORE_LANGUAGE_MAX 15
#define STORE_RENDITION_MAX 31 /* bytes of a rendition's name */
#define STORE_RENDITIONS_MAX 16
#define STORE_RUNS_MAX 16 /* encoder runs of one rendition that are told of */

struct store;

/*
 * Opens the database at path, creates or migrates it (PRAGMA user_version). WAL,
 * synchronous=NORMAL, busy timeout 10 s, wal_autocheckpoint=0 and no checkpoint on
 * close: only store_checkpoint ever checkpoints. clock is copied. RC_NETFS: the file
 * would lie on a network file system. RC_UNSUPPORTED: made by a newer version.
 */
enum rc store_open(const char *path, const struct clock *clock, struct store **out);
void store_close(struct store *st);

/* The last SQLite message of this handle, for the log; never NULL. */
const char *store_message(const struct store *st);

/* True in *out if another handle has committed since the last call on this one. */
enum rc store_changed(struct store *st, bool *out);

/* Commits from here on wait for the disk (synchronous=FULL), so that no loss of power
 * takes them back; off: only for the page cache. Not within a transaction. */
enum rc store_durable(struct store *st, bool on);

/*
 * Moves the WAL into the database file. Only for the one process that holds the
 * site's checkpoint lock (SQLite before 3.51.3 may corrupt a WAL database when two
 * checkpoints and a commit overlap). RC_BUSY is harmless.
 */
enum rc store_checkpoint(struct store *st);

/* RC_OK if a read works; for the health page. */
enum rc store_ping(struct store *st);

/* ---- videos ------------------------------------------------------------- */

enum video_state {
    VIDEO_RECEIVING,
    VIDEO_STORED,
    VIDEO_PROCESSING,
    VIDEO_READY,
    VIDEO_FAILED,
};

/* "receiving" …; static. */
const char *video_state_name(enum video_state s);

struct video {
    char id[ID_LEN + 1];
    char title[STORE_TITLE_MAX + 1];
    char filename[STORE_FILENAME_MAX + 1];
    int64_t owner_id;               /* who uploaded it; 0: nobody, or they are gone */
    char owner[STORE_USER_MAX + 1]; /* their name; "": nobody */
    enum visibility visibility;
    enum container container;
    enum video_state state;
    bool playable;
    int64_t size;                          /* bytes; -1 while unknown */
    int64_t received;                      /* bytes */
    char error[STORE_TEXT_MAX + 1];        /* "" if none */
    char warning[STORE_TEXT_MAX + 1];      /* "" if none */
    char copy_refused[STORE_TEXT_MAX + 1]; /* why its picture is not offered as it is in
                                            * the file; "" if it is, or not known yet */
    int64_t duration_us;    /* of the timeline; -1 while unknown, also where
                             * there are renditions: it is open-ended then */
    int width, height;      /* as shown (rotated, square pixels); 0 unknown */
    int rate_num, rate_den; /* the source's average rate; 0/1 unknown */
    char video_codec[STORE_CODEC_MAX + 1]; /* "" unknown */
    char audio_codec[STORE_CODEC_MAX + 1]; /* "" unknown or none */
    char media_root[KEY_LEN + 1]; /* folder under htdocs/media; never handed out */
    bool has_poster;
    int64_t created_ms;       /* wall clock; the upload began */
    int64_t first_segment_ms; /* ms since the upload began; -1 not yet */
    int64_t stored_ms;        /* likewise */
    int64_t ready_ms;         /* likewise */
    int64_t arrived_us;       /* of the timeline, while receiving; -1 unknown */
    char upload_id[UPLOAD_ID_LEN + 1]; /* the client's name of its upload: hex in
                                        * lower case; "" if it cannot go on */
    int64_t expires_ms;     /* wall clock; an unfinished upload is given up; -1 unset */
    int64_t unchecked_from; /* the bytes from here on are of a chunk whose checksum
                             * nobody has looked at; -1 none */
    int64_t index_offset;   /* of the index sent ahead; -1 none */
    bool has_storyboard;
    int64_t poster_at_us;   /* of the timeline, chosen by somebody; -1 by nobody */
    int64_t poster_version; /* grows with each poster that is made */
    bool poster_dull;       /* a better one is looked for when it is whole */
    bool encodes_sound;     /* no copy is made of its sound: one came out wrong */
};

/* How a row comes to be, and what happens while its bytes come in: store_uploads.h. */

/* RC_NOT_FOUND: no such video, or it is deleted. */
enum rc store_video_get(struct store *st, const char *id, struct video *out);

/* Pages of them: store_list.h. Whose they are and who may watch: store_grants.h. */

/* RC_NOT_FOUND, RC_INVALID (as in store_video_create; an empty title too). */
enum rc store_video_rename(struct store *st, const char *id, const char *title);

/*
 * Marks the video as deleted: every other function then says RC_NOT_FOUND, its jobs
 * are fenced off, all its grants are revoked, and the worker removes files and rows.
 * *out is the row as it was. RC_NOT_FOUND.
 */
enum rc store_video_delete(struct store *st, const char *id, struct video *out);

/*
 * A failed video again: state stored, error and warning cleared, its jobs replaced
 * by a new probe job. RC_NOT_FOUND; RC_CONFLICT: the video has not failed.
 */
enum rc store_video_retry(struct store *st, const char *id);

/* Removes every row of a video that is marked deleted; RC_OK if there is none. */
enum rc store_video_purge(struct store *st, const char *id);

/* True in *out if a row of any state has this id, deleted ones included. */
enum rc store_video_exists(struct store *st, const char *id, bool *out);

/* ---- while bytes come in ------------------------------------------------ */

/*
 * What comes first of a receiving video tells what it is: its probe job is queued.
 * RC_EXISTS: it was probed before. RC_NOT_FOUND: it is not receiving any more.
 */
enum rc store_video_header_arrived(struct store *st, const char *id);

/* The picture for the poster of a receiving video has arrived: its job is queued.
 * RC_EXISTS: it was queued before. RC_NOT_FOUND: it is not receiving any more.
 * RC_INVALID: it has no plan yet. */
enum rc store_video_picture_arrived(struct store *st, const char *id);

/* How much of the timeline has arrived. RC_NOT_FOUND: it is not receiving any more. */
enum rc store_video_arrived(struct store *st, const char *id, int64_t arrived_us);

/* ---- renditions --------------------------------------------------------- */

enum rendition_kind { RENDITION_VIDEO, RENDITION_AUDIO };

/* "video", "audio"; static. */
const char *rendition_kind_name(enum rendition_kind k);

struct rendition {
    char name[STORE_RENDITION_MAX + 1]; /* "360p", "audio-0" */
    enum rendition_kind kind;
    int generation;                   /* from 1 */
    int width, height;                /* video only */
    int64_t bitrate;                  /* bit/s: planned, later measured peak */
    int64_t average_bitrate;          /* bit/s measured; 0 while unknown */
    char codecs[STORE_CODEC_MAX + 1]; /* RFC 6381 */
    int rate_num, rate_den;           /* frames, or AAC frames, a second */
    int gop;                          /* frames in a segment */
    int64_t frames;                   /* of the whole timeline, as far as it is known */
    int64_t segments;                 /* promised; of an open-ended video so far */
    int64_t done;                     /* published */
    int stream;                       /* index in the source, as ffprobe counts */
    int64_t source_last_us;           /* timeline: last packet of that stream; the
                                         encode pads after it */
    int64_t seek_margin_us;           /* how much earlier than asked a seek begins */
    bool deinterlace;                 /* video only: the source is interlaced */
    char colour[STORE_COLOUR_MAX + 1]; /* video only: "matrix/primaries/transfer" by
                                         ffmpeg's names; "" as "unknown" thrice */
    bool copied; /* its packets are those of the source; 0 segments until it is known
                    where they can be cut */
    bool extra;  /* a video is ready without it */
    int64_t max_bitrate; /* video only: bit/s that its encoder is held to; 0: none */
    char language[STORE_LANGUAGE_MAX + 1]; /* audio only, BCP 47; "" unknown */
    char label[STORE_LABEL_MAX + 1];       /* audio only: its track's name, or "" */
    int channels;                          /* audio only */
    bool put_away; /* it was made, and makes room until somebody waits for it */
};

/* Renditions of a video, video ones first. *n <= STORE_RENDITIONS_MAX. RC_NOT_FOUND. */
enum rc store_renditions(struct store *st, const char *video_id,
                         struct rendition out[STORE_RENDITIONS_MAX], size_t *n);

/* That of this name. RC_NOT_FOUND: no such video, or it has none. */
enum rc store_rendition(struct store *st, const char *video_id, const char *name,
                        struct rendition *out);

/* Which segments of a rendition exist, and which ones are being made just now. */
struct readiness {
    const uint8_t *bits;              /* one a segment, low bit first; NULL: not told,
                                       * or all exist (done == segments) */
    size_t n_bytes;                   /* of bits, at most (segments + 7) / 8: what is
                                       * beyond them does not exist */
    int64_t done;                     /* bits that are set */
    int64_t bytes;                    /* of these segments; only the worker tells it */
    int64_t encoding[STORE_RUNS_MAX]; /* the segment that each run gives next */
    size_t n_encoding;
};

/*
 * Calls cb for each rendition of a video, in the order of store_renditions, with what
 * its worker said last; nothing counts as being encoded once that worker's lease is
 * over. The bits live until cb returns; cb may use st. RC_NOT_FOUND; what cb returned
 * if not RC_OK.
 */
enum rc store_readiness(struct store *st, const char *video_id,
                        enum rc (*cb)(void *arg, const struct rendition *r,
                                      const struct readiness *ready),
                        void *arg);

/* ---- jobs --------------------------------------------------------------- */

/* What each is for: probe finds out what a file is; encode makes a rendition that a
 * video is not ready without, ladder one of better quality; copy finds out whether and
 * where the source can be cut as it is, and makes that rendition; checksum takes that
 * of the source, when nothing else is left to do; the others make what goes with them.
 */
enum job_kind {
    JOB_PROBE,
    JOB_ENCODE,
    JOB_COPY,
    JOB_LADDER,
    JOB_POSTER,
    JOB_STORYBOARD,
    JOB_SUBTITLES,
    JOB_CHECKSUM,
};

/* "probe", "encode" …; static. */
const char *job_kind_name(enum job_kind k);

struct job {
    int64_t id;
    char video_id[ID_LEN + 1];
    enum job_kind kind;
    char rendition[STORE_RENDITION_MAX + 1]; /* "" unless it makes one */
    int64_t fence;                           /* the attempt, from 1; never reused */
    int failures;                            /* attempts that ended in an error */
    int lost; /* workers that died or froze at work on it since it last moved on */
};

/* What a probe found and what was planned from it. */
struct video_plan {
    int64_t duration_us; /* -1: open-ended. The file does not tell before it is whole,
                          * and the renditions grow until then */
    int width, height;
    int rate_num, rate_den;
    char video_codec[STORE_CODEC_MAX + 1];
    char audio_codec[STORE_CODEC_MAX + 1];
    char warning[STORE_TEXT_MAX + 1];
    char copy_refused[STORE_TEXT_MAX + 1]; /* why no rendition is a copy */
    struct rendition renditions[STORE_RENDITIONS_MAX];
    size_t n_renditions;
    /* Of each that is copied and has segments: its bounds (bounds.h), n bytes, the
     * caller's. */
    struct {
        const uint8_t *bytes;
        size_t n;
    } bounds[STORE_RENDITIONS_MAX];
    struct subtitles tracks; /* of text, to be read once the file is whole */
};

/* True for the kinds that make a rendition: encode, copy, ladder. */
bool job_makes_rendition(enum job_kind k);

/* True for those of which a video can do without: copy, ladder. */
bool job_is_extra(enum job_kind k);

/* A set of kinds: STORE_KIND(JOB_PROBE) | STORE_KIND(JOB_POSTER). */
#define STORE_KIND(kind) (1u << (kind))

/*
 * Takes the most urgent job of these kinds that is due: queued and past its back-off,
 * or running under a lease that has ended (lease clock, or another boot). One UPDATE …
 * RETURNING in BEGIN IMMEDIATE; its fence goes up by one. Priority, then age.
 * lease_ms from now. A probe is the most urgent, then a poster, then the encodes; age
 * lets the picture of a video go before its sound and both before the next video.
 * RC_NOT_FOUND: nothing is due. RC_INVALID: a lease that is not positive, an owner over
 * STORE_OWNER_MAX.
 */
enum rc store_job_claim(struct store *st, const char *owner, int64_t lease_ms,
                        unsigned kinds, struct job *out);

/* Likewise the job that makes one rendition, whatever else is more urgent.
 * RC_NOT_FOUND: it is not due, or there is none. */
enum rc store_job_claim_encode(struct store *st, const char *owner, int64_t lease_ms,
                               const char *video_id, const char *rendition,
                               struct job *out);

/* ms until a job of these kinds may become due without anyone writing: a back-off or a
 * lease ends; 0: one is due now; -1: none will. */
enum rc store_job_next_due(struct store *st, unsigned kinds, int64_t *out_ms);

/* A new lease and the progress 0..1. RC_FENCED. */
enum rc store_job_renew(struct store *st, const struct job *job, int64_t lease_ms,
                        double progress);

/*
 * The probe is done: the timeline, the renditions (replacing earlier ones, whose
 * generation must be lower, and their jobs) and their jobs, those of the poster
 * and of the storyboard, video → processing, and not playable until a segment of the
 * new renditions is published. A video that is still receiving stays so; it has its
 * poster job once that picture has arrived, at the latest when it is stored, and those
 * of its extra renditions and its storyboard once it is confirmed. RC_FENCED.
 * RC_INVALID: not a probe job, no duration (or none yet, and the video is not
 * receiving), no or too many renditions, a name that is empty or there twice, a
 * generation that is not higher than that name's before. A plan after the first is on
 * disk for good when this returns: then what was made by an earlier one may go.
 */
enum rc store_job_planned(struct store *st, const struct job *job,
                          const struct video_plan *plan);

/* What this job was to find or make of a receiving video has to wait until that is
 * whole: the job ends, and the next one comes with the last byte. RC_FENCED;
 * RC_INVALID: an encode job, or the video is not receiving. */
enum rc store_job_leave(struct store *st, const struct job *job, const char *reason);

/*
 * More of an open-ended video has arrived: the playlist of the job's rendition may
 * promise so many segments, all of them whole. Fewer than before change nothing.
 * RC_FENCED; RC_INVALID: no encode job; RC_CONFLICT: its length is known by now.
 */
enum rc store_job_promise(struct store *st, const struct job *job, int64_t segments);

/*
 * The probe of a whole file found what was promised while it arrived: the renditions
 * stay. found: the plan that would be made now; its warning and what it knows of the
 * source's end are kept, and where the video was open-ended its length, and that of
 * each rendition. Extra renditions that are not there yet are added, and the jobs of
 * all of them, and its storyboard is queued. *video_ready: no encode is left, and the
 * video went to ready with it. On disk for good when this returns. RC_FENCED;
 * RC_INVALID: no probe job, or the video is not processing. */
enum rc store_job_confirmed(struct store *st, const struct job *job,
                            const struct video_plan *found, bool *video_ready);

/*
 * A copy job has found where its rendition can be cut: bounds (see bounds.h) are kept,
 * and of r its segments, frames, codecs and bit rates; from here on they are promised.
 * RC_FENCED; RC_INVALID: no copy job, no segments.
 */
enum rc store_job_offer(struct store *st, const struct job *job,
                        const struct rendition *r, const uint8_t *bounds, size_t n);

/*
 * What a video is ready with cannot be gone on with: it is planned again, all of it, in
 * one step, so that it is never seen as failed. One that is still receiving only loses
 * its jobs, and is planned again when it is whole. why: a sentence, for the activity
 * log. RC_FENCED; RC_INVALID: no encode job.
 */
enum rc store_job_plan_again(struct store *st, const struct job *job, const char *why);

/* The copy of a sound is not what the file's index has it: all that are copied become
 * as `encoded` (its grid, channels, codecs, bit rates), another generation each, with
 * jobs of their own in place of this one and the like, and no copy is planned any more.
 * On disk for good when this returns: the files of the copies may go. RC_FENCED;
 * RC_INVALID: no encode job, no copied sound. */
enum rc store_job_encode_sounds(struct store *st, const struct job *job,
                                const struct rendition *encoded, const char *why);

/* The bounds of a rendition; the caller frees *out. RC_NOT_FOUND: there are none. */
enum rc store_bounds(struct store *st, const char *video_id, const char *rendition,
                     uint8_t **out, size_t *n);

/*
 * What was begun of an extra rendition cannot be gone on with: it is made again from
 * nothing, as its next generation, and a copy is to be offered again first. The job
 * goes back to the queue, due at once and without blame. On disk for good when this
 * returns: the files may go. RC_FENCED; RC_INVALID: not the job of an extra rendition,
 * or that is gone.
 */
enum rc store_job_anew(struct store *st, const struct job *job);

/* Keeps what the worker found out about where to read the source of the job's
 * rendition, for whoever goes on with it. RC_FENCED. */
enum rc store_job_seek_points(struct store *st, const struct job *job,
                              const uint8_t *bytes, size_t n);

/* And reads it back; the caller frees *out. RC_NOT_FOUND: nothing is kept. */
enum rc store_seek_points(struct store *st, const char *video_id, const char *rendition,
                          uint8_t **out, size_t *n);

/* What exists of the job's rendition and what is being made; the first segment makes
 * it playable (and sets first_segment_ms) if it is a video rendition. RC_FENCED;
 * RC_INVALID: more than the rendition has, a job that makes none, bits of another
 * length than its number of segments asks for, n_encoding over STORE_RUNS_MAX. */
enum rc store_job_published(struct store *st, const struct job *job,
                            const struct readiness *ready);

/*
 * The job is done; all segments of an encode job's rendition exist from here on, also
 * those that store_job_published was not told. *video_ready: it was the last encode
 * job, and the video went to ready with it (with ready_ms); the end of an encode job is
 * on disk for good when this returns, so that what was ready stays so. A poster job
 * sets has_poster if ok. bitrate and average_bitrate (0: leave as planned) are kept
 * with an encode job's rendition. RC_FENCED; RC_INVALID: a probe job, which
 * store_job_planned ends.
 */
struct job_result {
    bool poster_made; /* false: the site wants none */
    bool poster_dull; /* nothing better was to be had of what has arrived */
    int64_t bitrate;
    int64_t average_bitrate;
};
enum rc store_job_done(struct store *st, const struct job *job,
                       const struct job_result *result, bool *video_ready);

/* Back to the queue after an error, due in delay_ms; failures goes up. RC_FENCED. */
enum rc store_job_retry(struct store *st, const struct job *job, int64_t delay_ms,
                        const char *error);

/* Back to the queue, due in delay_ms and without blame: the machine cannot go on with
 * it (its disk is full). reason is a sentence for the activity log. RC_FENCED. */
enum rc store_job_postpone(struct store *st, const struct job *job, int64_t delay_ms,
                           const char *reason);

/* Back to the queue at once and without blame (the worker stops). RC_FENCED. */
enum rc store_job_release(struct store *st, const struct job *job);

/*
 * No more tries. A probe or encode job takes its video to failed with error as its
 * sentence, and its other jobs are dropped; a job of any other kind only fails itself,
 * and what it was to make is not there. RC_FENCED; RC_INVALID: an extra rendition's
 * job, which ends by store_job_instead or store_job_without.
 */
enum rc store_job_fail(struct store *st, const struct job *job, const char *error);

/* Ends at once the leases that owner holds: it is known to be dead. *n: how many. */
enum rc store_job_release_owner(struct store *st, const char *owner, int *n);

/*
 * The job ends, and the video goes on without the rendition it should have made, whose
 * row is removed. sentence is added to the video's warning; that of a copy job is why
 * the source is not offered as it is, and that of a ladder job is only logged.
 * *video_ready as for store_job_done. On disk for good when this returns: the files may
 * go. RC_FENCED; RC_INVALID: the job makes no rendition.
 */
enum rc store_job_without(struct store *st, const struct job *job, const char *sentence,
                          bool *video_ready);

/* Likewise for a copy job, in place of whose rendition the extra ones of extras (only
 * its renditions count) are added, as far as they are not there yet, with their jobs.
 */
enum rc store_job_instead(struct store *st, const struct job *job, const char *sentence,
                          const struct video_plan *extras, bool *video_ready);

/* RC_OK while the job is still this attempt's and its video is not deleted, else
 * RC_FENCED. Read only. */
enum rc store_job_check(struct store *st, const struct job *job);

/* Calls act(arg) if the job is still this attempt's, and nobody can take it over before
 * that returns: whoever is frozen in it keeps all from writing to the database. For a
 * rename, or what is as quick; act must not use st. What act returned; or it was not
 * called: RC_FENCED, RC_BUSY, RC_NOMEM, RC_IO. */
enum rc store_job_hold(struct store *st, const struct job *job,
                       enum rc (*act)(void *arg), void *arg);

/* Adds to the video's warning (a sentence), once each. RC_NOT_FOUND. */
enum rc store_video_warn(struct store *st, const char *id, const char *sentence);

#include "store_activity.h"
#include "store_disk.h"
#include "store_list.h"

#endif
