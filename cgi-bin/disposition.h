/*
 * disposition.h: the name under which a browser keeps what it downloads (RFC 6266).
 */
#ifndef DROPSTREAM_DISPOSITION_H
#define DROPSTREAM_DISPOSITION_H

#include "rc.h"

#include <stddef.h>

/* Bytes of the header for a name of n bytes. */
#define DISPOSITION_MAX(n)                                                             \
    (sizeof("attachment; filename=\"\"; filename*=UTF-8''") + 4 * (n))

/*
 * The value of Content-Disposition for an attachment called name, which is UTF-8: once
 * in ASCII for clients that know no better (what is not ASCII, or could mean something,
 * is "_"), and once in full (s. 4.3). Neither holds a quote, a path or a line break.
 * RC_TOO_LARGE.
 */
enum rc disposition_attachment(const char *name, char *out, size_t size);

#endif
