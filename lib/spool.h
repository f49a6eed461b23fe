/*
 * spool.h: uploaded bytes on their way to a stored file.
 *
 * site/spool/<id>.part while bytes arrive, <id>.src once every byte is on disk, and
 * <id>.idx for an index that was sent ahead of its file (<id>.idx-part while it comes).
 * The writer holds an exclusive flock(2) on its .part, so that there is never more than
 * one, in whatever process, and anyone may find out whether an unfinished upload still
 * has its writer. Invariant: a .src file is whole and durable; it never changes after
 * it appears. Nor does an .idx, which is whole and durable too.
 */
#ifndef DROPSTREAM_SPOOL_H
#define DROPSTREAM_SPOOL_H

#include "rc.h"
#include "site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool_file;

/*
 * Creates site/spool/<id>.part, mode 0600, O_EXCL, locked. The caller owns *out and
 * ends it with spool_finish, spool_close or spool_abandon. RC_INVALID: not an id (as in
 * every function here). RC_EXISTS, RC_NOSPACE, RC_IO, RC_NOMEM.
 */
enum rc spool_create(const struct site *site, const char *id, struct spool_file **out);

/*
 * Opens <id>.part to go on behind its last byte; owned as after spool_create. Waits at
 * most wait_ms for another writer to end. RC_BUSY: it did not. RC_EXISTS: there is an
 * <id>.src, so nothing is missing. RC_NOT_FOUND: there is neither. RC_IO, RC_NOMEM.
 */
enum rc spool_open(const struct site *site, const char *id, int64_t wait_ms,
                   struct spool_file **out);

/* Appends all n bytes. RC_NOSPACE, RC_IO: spool_size tells how many of them went in. */
enum rc spool_write(struct spool_file *f, const void *data, size_t n);

/* Bytes in the file. */
int64_t spool_size(const struct spool_file *f);

/* Bytes of the file from offset on, at most n; how many in *got. RC_IO. */
enum rc spool_read(const struct spool_file *f, int64_t offset, void *out, size_t n,
                   size_t *got);

/* All bytes of the file, to be read until spool_unmap; nothing may be written or cut
 * before that. RC_INVALID: it has none. RC_NOMEM, RC_IO. */
enum rc spool_map(const struct spool_file *f, const void **out);
void spool_unmap(const struct spool_file *f, const void *bytes);

/* Cuts the file down to size bytes, of which it has at least as many. RC_IO. */
enum rc spool_truncate(struct spool_file *f, int64_t size);

/*
 * The bytes so far, and the file's name, outlast a power cut when this returns RC_OK.
 * RC_NOSPACE, RC_IO: some of the bytes may be lost, and no later call would tell: the
 * file is only good to abandon.
 */
enum rc spool_sync(struct spool_file *f);

/* Has the kernel begin to write what it holds back, so that a later sync is short. */
void spool_flush(struct spool_file *f);

/*
 * fsync, rename to <id>.src (of an index: <id>.idx), fsync of the folder; frees f only
 * on RC_OK. After any other code the caller still owns f and closes or abandons it.
 * RC_NOT_FOUND: the .part was removed meanwhile (the video was deleted). RC_EXISTS:
 * there is one, which stays. RC_NOSPACE, RC_IO.
 */
enum rc spool_finish(struct spool_file *f);

/* After a spool_finish that failed: the bytes are on disk all the same, under either
 * name, and spool_close leaves them there. */
bool spool_is_synced(const struct spool_file *f);

/* Leaves the .part as it is, for spool_open; frees f. NULL is legal. */
void spool_close(struct spool_file *f);

/* Unlinks what f wrote, .part or .src (a missing one is fine), closes and frees. NULL
 * is legal. */
void spool_abandon(struct spool_file *f);

/*
 * True if <id>.part exists and a living writer holds it. An upload has its row an
 * instant before its file, and its file an instant before the lock: who clears up
 * after dead writers leaves uploads alone that only just began.
 */
bool spool_is_receiving(const struct site *site, const char *id);

/*
 * The size of <id>.src, whose writer may have died just after it got that name: it is
 * durable when this returns. RC_NOT_FOUND, RC_IO.
 */
enum rc spool_stored(const struct site *site, const char *id, int64_t *size);

/* Removes all files of id; missing ones are fine. RC_IO. */
enum rc spool_remove(const struct site *site, const char *id);

/* The folder, which may be a link: a spool on another disk is the owner's choice; as a
 * descriptor that the caller closes. Once that is synced, no loss of power brings back
 * what was removed until then. RC_IO, RC_TOO_LARGE. */
enum rc spool_open_dir(const struct site *site, int *out);

/*
 * Moves an entry of the spool that is of nobody into site/spool/lost, where nothing is
 * ever removed; one of that name which is there already stays, and this one gets a
 * number behind its name. RC_NOT_FOUND: there is none (also for a name with a slash).
 * RC_EXISTS: 99 are there. RC_IO, RC_NOSPACE.
 */
#define SPOOL_LOST "lost"
enum rc spool_set_aside(const struct site *site, const char *name);

/* Likewise <id>.src. */
enum rc spool_set_source_aside(const struct site *site, const char *id);

/* site/spool/<id>.src, or <id>.part, as an absolute path. RC_TOO_LARGE. */
enum rc spool_part_path(const struct site *site, const char *id, char out[PATH_MAX]);
enum rc spool_src_path(const struct site *site, const char *id, char out[PATH_MAX]);

/* ---- the index that was sent ahead ------------------------------------------ */

/*
 * Begins <id>.idx-part; an older one that nobody writes any more is written over. To be
 * filled with spool_write and ended with spool_finish or spool_abandon. RC_BUSY:
 * another writes it. RC_NOSPACE, RC_IO, RC_NOMEM.
 */
enum rc spool_create_index(const struct site *site, const char *id,
                           struct spool_file **out);

/* RC_OK: <id>.idx has the very bytes of f, and is durable when this returns.
 * RC_CONFLICT: others. RC_NOT_FOUND: there is none. RC_IO. */
enum rc spool_compare_index(const struct spool_file *f);

/* site/spool/<id>.idx as an absolute path. RC_TOO_LARGE. */
enum rc spool_index_path(const struct site *site, const char *id, char out[PATH_MAX]);

/* Removes <id>.idx and <id>.idx-part; missing ones are fine. RC_IO. */
enum rc spool_remove_index(const struct site *site, const char *id);

/* ---- all of them ----------------------------------------------------------- */

enum spool_kind { SPOOL_PART, SPOOL_SRC, SPOOL_INDEX, SPOOL_INDEX_PART };

/* "part", "src", "idx", "idx-part"; static. */
const char *spool_suffix(enum spool_kind kind);

/*
 * Calls cb once for each file in the spool whose name is a valid id, a dot and one of
 * these suffixes. The callback may remove the file. RC_IO, or what the callback
 * returned.
 */
enum rc spool_each(const struct site *site,
                   enum rc (*cb)(void *arg, const char *id, enum spool_kind kind),
                   void *arg);

#endif
