#include "tus.h"

#include "checksum.h"
#include "http_text.h"
#include "tus_headers.h"

enum rc tus_bad_header(struct upload *u, const char *message)
{
    return upload_refuse(u, 400, "bad_header", message);
}

enum rc tus_number_header(struct upload *u, const char *name, const char *message,
                          int64_t *out)
{
    const char *text = request_header(u->r, name);

    if (!text || http_number(text, 0, INT64_MAX, out) != RC_OK)
        return tus_bad_header(u, message);
    return RC_OK;
}

/* Type, length and checksum of the body. Whatever it returns, c->checksum is to be
 * freed by the caller. */
enum rc tus_chunk_read(struct upload *u, struct tus_chunk *c)
{
    const char *header = request_header(u->r, "Upload-Checksum");
    struct tus_checksum wanted;
    enum rc rc;

    *c = (struct tus_chunk){.u = u};
    if (!tus_is_chunk_type(request_header(u->r, "Content-Type")))
        return upload_refuse(
            u, 415, "not_a_chunk",
            "The Content-Type must be application/offset+octet-stream.");
    rc = upload_body_length(u, &c->length);
    if (rc != RC_OK || !header)
        return rc;
    rc = tus_checksum_read(header, &wanted);
    if (rc == RC_OK)
        rc = checksum_open(&wanted, &c->checksum);
    if (rc == RC_UNSUPPORTED)
        return upload_refuse(u, 400, "unknown_algorithm",
                             "The server does not know the algorithm of this "
                             "Upload-Checksum; Tus-Checksum-Algorithm lists them.");
    return rc == RC_INVALID
               ? tus_bad_header(u, "Upload-Checksum must be an algorithm and a "
                                   "digest of its length in Base64.")
               : rc;
}

static enum rc take_bytes(void *arg, const void *data, size_t n)
{
    struct tus_chunk *c = arg;

    if (c->checksum)
        checksum_update(c->checksum, data, n);
    return upload_append(c->u, data, n);
}

/* A chunk with a checksum counts as a whole or not at all. */
static enum rc take_checked(struct tus_chunk *c)
{
    struct upload *u = c->u;
    bool good;
    enum rc cut, rc = upload_begin_unchecked(u);

    if (rc != RC_OK)
        return rc;
    rc = upload_receive(u, c->length, take_bytes, c);
    good = rc == RC_OK && checksum_matches(c->checksum);
    cut = upload_end_unchecked(u, good);
    if (rc != RC_OK || cut != RC_OK)
        return rc != RC_OK ? rc : cut;
    return good ? RC_OK
                : upload_refuse(u, 460, "checksum_mismatch",
                                "The bytes of the chunk do not have its checksum.");
}

/* Appends the body to an open upload and makes it last. */
enum rc tus_chunk_take(struct tus_chunk *c)
{
    struct upload *u = c->u;
    int64_t room = u->video.size - spool_size(u->spool);
    enum rc rc;

    if (c->length > room)
        return upload_refuse(u, 413, "length_exceeded",
                             "The chunk reaches beyond the length of the upload.");
    rc = upload_check_space(u, room);
    if (rc == RC_OK)
        rc =
            c->checksum ? take_checked(c) : upload_receive(u, c->length, take_bytes, c);
    return rc == RC_OK ? upload_settle(u) : rc;
}
