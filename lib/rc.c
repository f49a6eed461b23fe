#include "rc.h"

#include <errno.h>

static const char *const names[RC_COUNT] = {
    [RC_OK] = "ok",
    [RC_NOMEM] = "no_memory",
    [RC_IO] = "io",
    [RC_NOSPACE] = "no_space",
    [RC_NOT_FOUND] = "not_found",
    [RC_EXISTS] = "exists",
    [RC_INVALID] = "invalid",
    [RC_TOO_LARGE] = "too_large",
    [RC_UNSUPPORTED] = "unsupported",
    [RC_TRUNCATED] = "truncated",
    [RC_CONFLICT] = "conflict",
    [RC_FENCED] = "fenced",
    [RC_BUSY] = "busy",
    [RC_CORRUPT] = "corrupt",
    [RC_NETFS] = "network_file_system",
    [RC_STOPPED] = "stopped",
    [RC_PENDING] = "pending",
    [RC_REVOKED] = "revoked",
};

const char *rc_name(enum rc rc)
{
    return (unsigned)rc < RC_COUNT && names[rc] ? names[rc] : "unknown";
}

enum rc rc_from_errno(int err)
{
    switch (err) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return RC_NOSPACE;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return RC_NOMEM;
    case ENOENT:
        return RC_NOT_FOUND;
    case EEXIST:
        return RC_EXISTS;
    default:
        return RC_IO;
    }
}
