/*
 * tus_headers.h: the request headers of tus 1.0.0
 * (https://tus.io/protocols/resumable-upload) that are more than a number. Pure: text
 * in, values out.
 */
#ifndef DROPSTREAM_TUS_HEADERS_H
#define DROPSTREAM_TUS_HEADERS_H

#include "id.h"
#include "rc.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUS_VERSION "1.0.0"
#define TUS_DIGEST_MAX 64 /* bytes: SHA-512 */
#define TUS_PAIRS_MAX 64  /* in one Upload-Metadata */

/* What a client says of its file; each is clean and may be "". */
struct tus_metadata {
    char filename[STORE_FILENAME_MAX + 1];
    char title[STORE_TITLE_MAX + 1];
    char upload_id[UPLOAD_ID_LEN + 1]; /* in lower case; the one it wants to have */
};

/*
 * Upload-Metadata: pairs of a key and its value in Base64 (RFC 4648 s. 4, padded), a
 * blank between them and a comma between pairs; a value may be missing. NULL is no
 * pair. Keys that are not in struct tus_metadata are checked and passed over.
 * RC_INVALID: it breaks the grammar, a key is there twice, a value holds a NUL,
 * upload_id is not one; *why is then a sentence. RC_TOO_LARGE: over STORE_METADATA_MAX
 * bytes.
 */
enum rc tus_metadata_read(const char *header, struct tus_metadata *out,
                          const char **why);

struct tus_checksum {
    char algorithm[16];
    size_t n;
    uint8_t digest[TUS_DIGEST_MAX];
};

/* Upload-Checksum: an algorithm's name, a blank, the digest in Base64. RC_INVALID. */
enum rc tus_checksum_read(const char *header, struct tus_checksum *out);

/* True if a Content-Type is that of a chunk, application/offset+octet-stream. NULL is
 * not. */
bool tus_is_chunk_type(const char *content_type);

#endif
