/*
 * uploaders.h: how many requests of one person bring bytes at once.
 *
 * Each holds a thread for as long as it takes, and none has to be fast: without a bound
 * those of one person could hold all of them. Within one process: under plain CGI each
 * request has its own.
 */
#ifndef DROPSTREAM_UPLOADERS_H
#define DROPSTREAM_UPLOADERS_H

#include "address.h"
#include "config.h"
#include "identity.h"
#include "rc.h"

#include <stdint.h>

struct uploaders;

/* One such request. It stays where it is from uploaders_enter to uploaders_leave. */
struct uploader {
    char person[ADDRESS_TEXT_MAX + 1]; /* "": not counted */
    struct uploader *next;
};

/* RC_NOMEM. */
enum rc uploaders_open(struct uploaders **out);

/* None may be in. NULL is legal. */
void uploaders_close(struct uploaders *all);

/*
 * Whose request it is: a user's, by whatever session or token; where nobody signs in,
 * that of the address it comes from (REMOTE_ADDR), as address_text has it. This
 * machine's own (127.0.0.1 and ::1, a tunnel perhaps) is nobody's in particular, as
 * with connections_per_address.
 */
void uploader_read(struct uploader *out, const struct identity *who, const char *peer);

/* How many one person may have: uploads_per_person, or what its 0 means. */
int64_t uploaders_most(const struct config *config);

/* RC_BUSY: `most` of that person are in, and this one is not. */
enum rc uploaders_enter(struct uploaders *all, struct uploader *one, int64_t most);

void uploaders_leave(struct uploaders *all, struct uploader *one);

#endif
