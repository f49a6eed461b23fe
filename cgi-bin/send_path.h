/*
 * send_path.h: files that the server is asked to send (X-Sendfile).
 *
 * It sends none that is not below the folders that its configuration names, and those
 * it knows by what it was told in DROPSTREAM_SITE, which need not be their real path.
 */
#ifndef DROPSTREAM_SEND_PATH_H
#define DROPSTREAM_SEND_PATH_H

#include "rc.h"
#include "site.h"

#include <limits.h>

/* site/<name> as the server names it, escaped as the header wants it. RC_TOO_LARGE. */
enum rc send_path(const struct site *site, const char *name, char out[PATH_MAX]);

#endif
