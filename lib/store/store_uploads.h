/*
 * store_uploads.h: the part of store.h about a video whose bytes are coming in: from no
 * row to a stored one, or to none again.
 *
 * An upload with an upload_id outlives an interruption: its row is kept, and goes on
 * under that name, until expires_ms. Its bytes are in the spool (spool.h), whose size
 * counts; `received` only tells people.
 */
#ifndef DROPSTREAM_STORE_UPLOADS_H
#define DROPSTREAM_STORE_UPLOADS_H

#include "store.h"
#include "store_check.h"

struct video_new {
    char id[ID_LEN + 1]; /* "": one is made */
    char title[STORE_TITLE_MAX + 1];
    char filename[STORE_FILENAME_MAX + 1];
    int64_t owner_id;         /* a user, or 0 */
    enum container container; /* CONTAINER_NONE: not seen yet; no list shows it */
    int64_t size;             /* bytes; -1 while unknown */
    int64_t created_ms;       /* wall clock; when the request began */
    char upload_id[UPLOAD_ID_LEN + 1]; /* "": it cannot go on; as in struct video,
                                        * like the two below */
    int64_t expires_ms;                /* counts only with an upload_id */
    int64_t index_offset;              /* 0: none, as no index stands there */
    const char *metadata;              /* NULL: none */
    int64_t unseen_max;  /* of all with CONTAINER_NONE, this one too; 0: any number */
    int64_t unseen_each; /* likewise of those of its owner, if it has one */
    int64_t unfinished_each; /* of all that have not come whole, of its owner; those of
                              * nobody count together */
};

/*
 * A new row in state receiving under a root made here, and private; *out is the whole
 * row. With an upload_id the row is on disk for good when this returns. RC_INVALID:
 * title or filename is not UTF-8 or holds a control character. RC_EXISTS: a video that
 * is not deleted has this upload_id. RC_TOO_LARGE: over unseen_max or unseen_each.
 * RC_CONFLICT: over unfinished_each.
 * RC_NOT_FOUND: there is no such user.
 */
enum rc store_video_create(struct store *st, const struct video_new *v,
                           struct video *out);

/* How far the checksum of an upload has come, in the words of who computes it. */
#define STORE_HASH_STATE_MAX 104

struct hash_state {
    size_t n; /* 0: it is not known */
    uint8_t bytes[STORE_HASH_STATE_MAX];
};

/*
 * Progress of a receiving upload, which expires_ms (-1: unset) keeps alive. No loss of
 * power is waited for: hash may be of more or fewer bytes than the file has after that.
 * Where it is unknown (NULL, or its n is 0) what was said before stays, as a loss of
 * power could bring that back. RC_NOT_FOUND: deleted meanwhile, or not receiving.
 */
enum rc store_video_received(struct store *st, const char *id, int64_t bytes,
                             int64_t expires_ms, const struct hash_state *hash);

/* What was said last of the checksum. RC_NOT_FOUND: as store_video_received. */
enum rc store_upload_hash(struct store *st, const char *id, struct hash_state *out);

/* It is unknown from now on, on disk for good when this returns. RC_NOT_FOUND: as
 * store_video_received. */
enum rc store_upload_forget_hash(struct store *st, const char *id);

/*
 * receiving → stored, with the final size, and its probe job queued, in one
 * transaction with synchronous=FULL: when this returns RC_OK the upload may be
 * acknowledged. One that has a plan already goes to processing at once. *out is the
 * row. RC_NOT_FOUND: deleted meanwhile. RC_CONFLICT: not receiving.
 *
 * sum: the checksum of what came in, kept in the same transaction. Where nobody has it
 * (NULL, or store_video_stored) the job is queued that takes it of the file.
 */
enum rc store_video_stored_with(struct store *st, const char *id, int64_t size,
                                const uint8_t sum[STORE_CHECKSUM_SIZE],
                                struct video *out);
enum rc store_video_stored(struct store *st, const char *id, int64_t size,
                           struct video *out);

/* Removes a row that is still receiving, or marks it as deleted where something may
 * have been made of it already; reason goes to the activity log. On disk for good when
 * this returns: its file may go. RC_OK also if there is none. RC_CONFLICT: it is not
 * receiving any more, and stays. */
enum rc store_video_abandon(struct store *st, const char *id, const char *reason);

/* As store_video_abandon, if the time of the upload is over. RC_CONFLICT: it is not, or
 * the upload is finished. */
enum rc store_upload_expire(struct store *st, const char *id);

/* The video of an upload, in any state; *deleted: it is marked deleted. RC_NOT_FOUND.
 */
enum rc store_upload_get(struct store *st, const char *upload_id, struct video *out,
                         bool *deleted);

/* As store_video_each_receiving, of uploads whose first bytes were not seen yet. */
enum rc store_upload_each_unseen(struct store *st,
                                 enum rc (*cb)(void *arg, const struct video *v),
                                 void *arg);

/*
 * What becomes known while an upload is received, on disk for good when this returns,
 * as no client says it again: what its first bytes are, its length, where the index
 * stands that was sent ahead. That is said once: what was made of the upload depends on
 * it. RC_NOT_FOUND: as store_video_received. RC_CONFLICT: an index stands elsewhere.
 */
enum rc store_upload_sniffed(struct store *st, const char *id, enum container c);
enum rc store_upload_length(struct store *st, const char *id, int64_t size);
enum rc store_upload_index(struct store *st, const char *id, int64_t offset);

/* True in *out as long as an index that was sent ahead has to be kept: until the probe
 * of the whole file has compared it with what is in there. */
enum rc store_upload_index_needed(struct store *st, const char *id, bool *out);

/* From where on bytes are unchecked (-1: nowhere), on disk for good when this returns.
 * RC_NOT_FOUND: as store_video_received. */
enum rc store_upload_unchecked(struct store *st, const char *id, int64_t from);

/* Upload-Metadata as it was given; "" if none was. RC_NOT_FOUND. */
enum rc store_upload_metadata(struct store *st, const char *id,
                              char out[STORE_METADATA_MAX + 1]);

#endif
