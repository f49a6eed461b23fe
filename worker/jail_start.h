/*
 * jail_start.h: the jail as the settings want it, tried with the site's own programs
 * before any upload is read.
 */
#ifndef DROPSTREAM_JAIL_START_H
#define DROPSTREAM_JAIL_START_H

#include "config.h"
#include "jail.h"
#include "rc.h"
#include "site.h"

#define JAIL_LACKS_MAX 400

/*
 * *out: NULL where there is to be none, or can be none. lacks: what is missing of it, a
 * sentence for whoever runs the site; "" if nothing is.
 * RC_UNSUPPORTED: something is missing, and it is required. RC_IO, RC_NOMEM. May take
 * seconds. config and site outlive *out.
 */
enum rc jail_start(const struct config *config, const struct site *site,
                   struct jail **out, char lacks[JAIL_LACKS_MAX + 1]);

#endif
