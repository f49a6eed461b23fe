/*
 * rc.h: the one set of return codes of lib.
 *
 * Invariant: a function that returns anything but RC_OK has written none of its
 * out-parameters and holds nothing that the caller would have to free.
 */
#ifndef DROPSTREAM_RC_H
#define DROPSTREAM_RC_H

enum rc {
    RC_OK = 0,
    RC_NOMEM,       /* an allocation failed, or there are no descriptors left */
    RC_IO,          /* the system refused a read, write, open, rename, fsync */
    RC_NOSPACE,     /* ENOSPC or EDQUOT, or the disk's reserve would be touched */
    RC_NOT_FOUND,   /* no such row, file or box */
    RC_EXISTS,      /* it is there already */
    RC_INVALID,     /* the input breaks its grammar or a documented range */
    RC_TOO_LARGE,   /* over a documented or configured limit */
    RC_UNSUPPORTED, /* well-formed, but not something this program takes */
    RC_TRUNCATED,   /* the input ended before it was complete */
    RC_CONFLICT,    /* the row's state does not allow this */
    RC_FENCED,      /* a newer attempt holds the job, or its video is deleted */
    RC_BUSY,        /* the database stayed locked for the whole busy timeout */
    RC_CORRUPT,     /* the database or a file of ours is damaged */
    RC_NETFS,       /* the database would lie on a network file system */
    RC_STOPPED,     /* a callback asked to stop */
    RC_PENDING,     /* it is on its way to disk: ask again when that is told */
    RC_REVOKED,     /* who asked for it has no right to it any more */
    RC_COUNT
};

/* The code's name without the prefix, in lower case ("not_found"); static. */
const char *rc_name(enum rc rc);

/* Maps errno to RC_NOSPACE, RC_NOMEM, RC_NOT_FOUND, RC_EXISTS or RC_IO. */
enum rc rc_from_errno(int err);

#endif
