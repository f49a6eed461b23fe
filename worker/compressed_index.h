/*
 * compressed_index.h: the compressed movie resource of QuickTime: a cmov box, with the
 * compression in a dcom box and the bytes in a cmvd box (QuickTime File Format
 * Specification, "Compressed Movie Resources"). What is in it is a moov box.
 *
 * It is read as ffmpeg does (mov_read_cmov), so that nothing else is looked at than
 * what ffmpeg will.
 */
#ifndef DROPSTREAM_COMPRESSED_INDEX_H
#define DROPSTREAM_COMPRESSED_INDEX_H

#include "rc.h"

#include <stddef.h>
#include <stdint.h>

#define COMPRESSED_INDEX_HEAD 24 /* bytes before those that are compressed */

/*
 * What the body of a cmov box, of n bytes, says of its contents: *size is how many
 * bytes they take. RC_UNSUPPORTED: it is none that ffmpeg reads.
 */
enum rc compressed_index_size(const uint8_t *body, size_t n, size_t *size);

/*
 * The contents; the caller frees *out, and *got of its bytes are there (at most size,
 * which compressed_index_size has told). RC_INVALID: they are damaged; ffmpeg does not
 * take those. RC_NOMEM.
 */
enum rc compressed_index_inflate(const uint8_t *body, size_t n, size_t size,
                                 uint8_t **out, size_t *got);

#endif
