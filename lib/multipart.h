/*
 * multipart.h: a push parser for multipart/form-data (RFC 7578, RFC 2046 s. 5.1).
 *
 * Bytes go in by any split, events come out; the events of one input are the same
 * for every split, but for where part_data is cut. Memory is constant: nothing of
 * a part's body is kept but the length of a possible beginning of a delimiter. Time is
 * linear in the input, adversarial or not. No I/O.
 */
#ifndef DROPSTREAM_MULTIPART_H
#define DROPSTREAM_MULTIPART_H

#include "rc.h"

#include <stddef.h>

#define MULTIPART_BOUNDARY_MAX 70  /* RFC 2046 section 5.1.1 */
#define MULTIPART_HEADERS_MAX 4096 /* bytes of one part's header block */
#define MULTIPART_PARTS_MAX 16

/*
 * Strings live until the callback returns, are as sent but for the escapes of
 * mime_decode, not checked to be UTF-8 or without control characters: text_clean.
 */
struct multipart_part {
    const char *name;         /* of Content-Disposition; never NULL, may be "" */
    const char *filename;     /* NULL if none; "" for a file field left empty */
    const char *content_type; /* NULL if the part has none */
};

/*
 * Any code but RC_OK from a callback ends the parse: multipart_feed returns it and
 * every later call returns it too. part_end comes as soon as the next delimiter is
 * seen; only multipart_finish says that the form was whole.
 */
struct multipart_events {
    enum rc (*part_begin)(void *arg, const struct multipart_part *part);
    enum rc (*part_data)(void *arg, const void *data, size_t n); /* n > 0 */
    enum rc (*part_end)(void *arg);
    void *arg;
};

struct multipart;

/*
 * The boundary of a Content-Type header. RC_UNSUPPORTED: not multipart/form-data.
 * RC_INVALID: no boundary, an empty one, one over 70 bytes or with a byte that RFC
 * 2046 does not allow, two of them, or a malformed parameter. NULL is unsupported.
 */
enum rc multipart_boundary(const char *content_type,
                           char out[MULTIPART_BOUNDARY_MAX + 1]);

/* The events are copied. The caller owns *out. RC_INVALID for a bad boundary. */
enum rc multipart_open(const char *boundary, const struct multipart_events *events,
                       struct multipart **out);

/*
 * Takes all n bytes. RC_INVALID: breaks the grammar; a part that is not form-data or
 * has no name; a Content-Disposition, Content-Type, name or filename twice; a folded
 * header, a NUL or bare CR or LF in one; a boundary line with other text after the
 * boundary. RC_UNSUPPORTED: a Content-Transfer-Encoding that changes bytes.
 * RC_TOO_LARGE: a header block over 4 KB or more than 16 parts. Or what a callback
 * returned. What comes before the first and after the closing delimiter is ignored.
 */
enum rc multipart_feed(struct multipart *m, const void *data, size_t n);

/* RC_OK if the closing delimiter was seen, else RC_TRUNCATED or the earlier error. */
enum rc multipart_finish(struct multipart *m);

/*
 * What was wrong, as one sentence for a person; "" while nothing is, and where a
 * callback ended the parse. Static text.
 */
const char *multipart_error(const struct multipart *m);

void multipart_free(struct multipart *m);

#endif
