/*
 * upload_core.h: an upload while a request works on it: its row, its file in the spool,
 * its limits. Both doors use it: the form (upload_post.c) and tus (tus.c).
 *
 * Invariants: bytes go into the file in order, by one request at a time. What a client
 * is told to have arrived is on disk for good. `stored` is said only when every byte
 * and the row are. An upload that has a name (upload_id) outlives a request that breaks
 * off; of any other nothing stays, but for one: a file that is whole while nobody knows
 * what became of its row is left, and the worker enters it.
 */
#ifndef DROPSTREAM_UPLOAD_CORE_H
#define DROPSTREAM_UPLOAD_CORE_H

#include "app.h"
#include "fcgi.h"
#include "http.h"
#include "identity.h"
#include "spool.h"
#include "store_uploads.h"
#include "turns.h"
#include "upload_hash.h"
#include "uploaders.h"

#include <stdbool.h>
#include <stdint.h>

/* What all threads share. */
struct uploads {
    struct app *app;
    struct turns *turns;
    struct uploaders *uploaders;
};

/* One on the stack of each request. */
struct upload {
    struct request *r;
    struct app *app;
    struct identity who; /* who brings it, and may */
    struct turns *turns;
    struct turn turn;
    bool has_turn;
    struct uploaders *uploaders;
    struct uploader uploader;
    bool is_admitted;         /* as uploader, to bring bytes */
    struct spool_file *spool; /* NULL: not open */
    struct video video;       /* as far as it is known; its id is "" before */
    bool has_row;             /* video is in the store and still receiving */
    bool doomed;              /* what has come is of no use, whatever its name */
    bool unchecked;           /* what is appended waits for its checksum */
    struct upload_hash hash;  /* of the file's bytes, … */
    struct upload_hash sure; /* … and while some are unchecked, of those before them */
    bool decided;            /* no first bytes are waited for that decide */
    int64_t began_wall_ms;
    int64_t began_ms; /* boot clock, like all below */
    int64_t reported_ms;
    int64_t waited_ms;       /* for the client, since its rate was last looked at */
    int64_t came;            /* bytes in that time */
    struct http_error error; /* its code is NULL where an rc says it all */
};

/* Nothing can fail yet; who was let through by the gate. Ended by upload_end, also
 * after an error. */
void upload_begin(struct upload *u, struct request *r, const struct uploads *shared,
                  const struct identity *who);

/*
 * Closes what is open, gives back the turn and leaves the uploaders. An upload with a
 * name stays as far as it came, unless it is doomed; else all of it is removed, and
 * reason goes to the activity log.
 */
void upload_end(struct upload *u, const char *reason);

/* upload_end, and the answer to a request that failed: u->error, else what rc says; of
 * RC_REVOKED what the gate would. */
void upload_fail(struct upload *u, enum rc rc);

/* ---- saying no ------------------------------------------------------------- */

/* The code only ends what is going on; the client is told the rest. What has come of
 * the upload stays. Texts live as long as u. */
enum rc upload_refuse(struct upload *u, int status, const char *code,
                      const char *message);

/* Likewise, and what has come is of no use. */
enum rc upload_reject(struct upload *u, int status, const char *code,
                      const char *message);

/* The usual ones: its row is gone; its name is another one's; a newer request has its
 * turn; an older one does not give it up. */
enum rc upload_deleted(struct upload *u);
enum rc upload_name_taken(struct upload *u);
enum rc upload_taken_over(struct upload *u);
enum rc upload_in_use(struct upload *u);

/* rc, logged if it is an error of ours; st may be NULL. */
enum rc upload_log_rc(struct upload *u, struct store *st, const char *what, enum rc rc);

/* In the activity log, where there was no row to log it with; of each user once a
 * minute. */
void upload_note_refused(struct upload *u, const char *reason);

/* handles_take, for what is changed for who brings it (store_act_for): RC_REVOKED where
 * their right has ended meanwhile. What has come stays, and they, or whoever else may,
 * can go on with it. */
enum rc upload_take_store(struct upload *u, struct store **out);
void upload_give_store(struct upload *u, struct store *st);

/* RC_REVOKED, as above, before what cannot be taken back. */
enum rc upload_check_right(struct upload *u);

/* Bytes of the largest file that is taken. */
int64_t upload_max_bytes(const struct upload *u);

/* Bytes that the page should send in one request; 0: as many as there are. */
int64_t upload_chunk_bytes(const struct upload *u);

/* RC_OK if a file of so many bytes may come; else it is rejected. */
enum rc upload_check_size(struct upload *u, int64_t size);

/* RC_NOSPACE: so many more bytes would touch the disk's reserve. RC_IO. */
enum rc upload_check_space(struct upload *u, int64_t still_to_come);

/* Bytes of the request's body; a request that does not say is refused. */
enum rc upload_body_length(struct upload *u, int64_t *out);

/* ---- whose upload it is ---------------------------------------------------- */

/* Takes the turn of that name from any request that has it; refused where that does not
 * end in time, or a newer one comes. The caller has looked that it is no foreign one.
 */
enum rc upload_take_turn(struct upload *u, const char *name);

enum upload_found {
    UPLOAD_NONE,
    UPLOAD_FOREIGN,  /* somebody else's, of which u is told nothing */
    UPLOAD_GONE,     /* deleted, expired, or its bytes were lost */
    UPLOAD_FINISHED, /* video is its row */
    UPLOAD_OPEN,     /* u has its row and its file */
};

/* Takes the turn of that upload, which may not be there yet, and opens it where there
 * is something to go on with. Of a foreign one nothing is taken. */
enum rc upload_take_over(struct upload *u, const char *upload_id,
                         enum upload_found *out);

/* RC_OK if there is an upload, finished or not; else refused: 404 (also a foreign one),
 * 410. */
enum rc upload_must_exist(struct upload *u, enum upload_found found);

/* Looks only, also at one that another request works on. */
enum rc upload_look(struct upload *u, const char *upload_id, enum upload_found *out);

/* A new upload; when it began and when it expires is filled in here. RC_EXISTS: its
 * upload_id is taken. Refused: too many have been begun of which nothing has come, or
 * are unfinished. Or what store_video_create and spool_create return. */
enum rc upload_create(struct upload *u, struct video_new *v);

/* Removes what upload_take_over found, so that its name is free. */
void upload_discard(struct upload *u, const char *reason);

/* Tells the store how far the upload is, and its checksum, if known. What
 * store_video_received returns. */
enum rc upload_tell_progress(struct upload *u, struct store *st);

/* When the upload expires if nothing more happens, on the wall clock. */
int64_t upload_expires_ms(const struct upload *u);

/* True for an open upload of which every byte has come. */
bool upload_is_complete(const struct upload *u);

/* Adds the header Dropstream-Video to the answer if the video is on the library's
 * lists, that is, if its first bytes were found good. */
void upload_tell_video(const struct upload *u);

/* RC_OK if it may bring bytes, from now to upload_end, and whenever it is asked again;
 * refused where its person has as many such requests as they may. */
enum rc upload_admit(struct upload *u);

/* ---- bytes ----------------------------------------------------------------- */

/*
 * Reads length bytes of the body and hands them to sink as they come, telling about
 * once a second how far the upload is. RC_TRUNCATED: the client went away. Refused: it
 * is not admitted (upload_admit), is too slow, takes too long, or another request has
 * taken the upload over. Or what sink returns.
 */
enum rc upload_receive(struct upload *u, int64_t length,
                       enum rc (*sink)(void *arg, const void *data, size_t n),
                       void *arg);

/* Appends to the file. The first bytes decide whether it is taken, or rejected; while
 * they are unchecked that waits for upload_settle. */
enum rc upload_append(struct upload *u, const void *data, size_t n);

/* Notes, for good, that what is appended from here on counts for nothing yet. */
enum rc upload_begin_unchecked(struct upload *u);

/* It does (good), or it is cut off again. Then comes upload_settle: only it looks at
 * first bytes that were unchecked. */
enum rc upload_end_unchecked(struct upload *u, bool good);

/*
 * What has come so far is on disk for good when this returns RC_OK; and if that is all,
 * the upload is finished: its row is `stored`, and u has no file any more. Rejected, if
 * the first bytes are those of no video and nobody has looked before.
 */
enum rc upload_settle(struct upload *u);

/* spool_sync; the upload is doomed where that fails. */
enum rc upload_sync_file(struct upload *u);

/*
 * Makes the row of a whole file of size bytes `stored`, with the checksum of what came
 * in, if that is known of all of it. An error alone does not tell what became of it:
 * the worker may have entered the file itself meanwhile, and a commit may last though
 * it failed. So the row is read again. RC_NOT_FOUND: it is gone; any other code: it is
 * still receiving, or nobody knows.
 */
enum rc upload_enter(struct upload *u, int64_t size);

/* Finishes an upload whose bytes have all come. First the file, then the row. */
enum rc upload_finish(struct upload *u);

#endif
