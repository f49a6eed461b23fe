/*
 * viewer.h: who asks, as far as a request tells.
 *
 * Pure. A player that sends a session id is one viewer; without one, all players of a
 * kind behind one address look the same.
 */
#ifndef DROPSTREAM_VIEWER_H
#define DROPSTREAM_VIEWER_H

#include <stdbool.h>
#include <stdint.h>

#define VIEWER_SID_MAX 64 /* bytes; CTA-5004 s. 3.1 has that as the most for sid */

struct viewer {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d; all 0 where none was told */
    uint64_t id;         /* a hash of the session id, else of the User-Agent */
    bool named;          /* there was a session id */
};

/*
 * From the values of REMOTE_ADDR and of the headers CMCD-Session (CTA-5004: sid="…"),
 * X-Playback-Session-Id (Apple's players) and User-Agent; each may be NULL. A session
 * id that is empty, longer than VIEWER_SID_MAX or badly quoted counts as none.
 */
struct viewer viewer_of(const char *address, const char *cmcd_session,
                        const char *playback_id, const char *user_agent);

bool viewer_same(const struct viewer *a, const struct viewer *b);

/* True if the two count as one address: an IPv4 one, or the /64 of an IPv6 one, which
 * is what one household or machine is given (RFC 6177). */
bool viewer_same_address(const struct viewer *a, const struct viewer *b);

#endif
