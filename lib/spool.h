/*
 * spool.h: uploaded bytes on their way to a stored file.
 *
 * site/spool/<id>.part while bytes arrive, <id>.src once every byte is on disk.
 * The writer holds an exclusive flock(2) on its .part, so that anyone may find
 * out whether an unfinished upload still has its writer. Invariant: a .src file
 * is whole and durable; it never changes after it appears.
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
 * Creates site/spool/<id>.part, mode 0600, O_EXCL, locked. The caller owns *out
 * and ends it with spool_finish or spool_abandon. RC_INVALID: not an id (as in every
 * function here). RC_EXISTS, RC_NOSPACE, RC_IO, RC_NOMEM.
 */
enum rc spool_create(const struct site *site, const char *id, struct spool_file **out);

/* Appends all n bytes. RC_NOSPACE, RC_IO: the file is then only good to abandon. */
enum rc spool_write(struct spool_file *f, const void *data, size_t n);

/* Bytes appended so far. */
int64_t spool_size(const struct spool_file *f);

/*
 * fsync, rename to <id>.src, fsync of the folder; frees f only on RC_OK. After any
 * other code the caller still owns f and abandons it. RC_NOT_FOUND: the .part was
 * removed meanwhile (the video was deleted). RC_EXISTS, RC_NOSPACE, RC_IO.
 */
enum rc spool_finish(struct spool_file *f);

/* Unlinks what f wrote, .part or .src (a missing one is fine), closes and frees. NULL
 * is legal. */
void spool_abandon(struct spool_file *f);

/*
 * True if <id>.part exists and a living writer holds it. An upload has its row an
 * instant before its file, and its file an instant before the lock: who clears up
 * after dead writers leaves uploads alone that only just began.
 */
bool spool_is_receiving(const struct site *site, const char *id);

/* Removes <id>.part and <id>.src; missing files are fine. RC_IO. */
enum rc spool_remove(const struct site *site, const char *id);

/* site/spool/<id>.src, or <id>.part, as an absolute path. RC_TOO_LARGE. */
enum rc spool_part_path(const struct site *site, const char *id, char out[PATH_MAX]);
enum rc spool_src_path(const struct site *site, const char *id, char out[PATH_MAX]);

/*
 * Calls cb once for each <id>.part and <id>.src in the spool whose name holds a
 * valid id. The callback may remove the file. RC_IO, or what the callback returned.
 */
enum rc spool_each(const struct site *site,
                   enum rc (*cb)(void *arg, const char *id, bool stored), void *arg);

#endif
