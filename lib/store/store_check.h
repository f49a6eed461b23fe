/*
 * store_check.h: the part of store.h by which a site is proved whole: the checksums of
 * what was uploaded. Its functions are as those of store.h.
 *
 * A checksum is that of the stored file, taken once, soon after its last byte; what the
 * file should hold is what it held then.
 */
#ifndef DROPSTREAM_STORE_CHECK_H
#define DROPSTREAM_STORE_CHECK_H

#include "store.h"

#define STORE_CHECKSUM_SIZE 32 /* bytes of SHA-256 (FIPS 180-4) */

/* *known: it was taken, and is in out. RC_NOT_FOUND: no such video. */
enum rc store_video_checksum(struct store *st, const char *id,
                             uint8_t out[STORE_CHECKSUM_SIZE], bool *known);

/* The job is done: this is the checksum of its video's file, unless another was taken
 * before, which stays. RC_FENCED; RC_INVALID: another kind of job. */
enum rc store_job_checksum(struct store *st, const struct job *job,
                           const uint8_t sum[STORE_CHECKSUM_SIZE]);

#endif
