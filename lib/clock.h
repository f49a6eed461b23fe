/*
 * clock.h: the two clocks of the program, as a parameter.
 *
 * Wall time is for people (created_at, the activity log). Leases and time-outs
 * use CLOCK_BOOTTIME, which never jumps, together with the boot id: a moment of
 * another boot cannot be compared and counts as past.
 */
#ifndef DROPSTREAM_CLOCK_H
#define DROPSTREAM_CLOCK_H

#include "rc.h"

#include <stdint.h>
#include <time.h>

#define CLOCK_BOOT_ID_LEN 36
#define CLOCK_ISO8601_LEN 24
#define CLOCK_HTTP_DATE_LEN 29

struct clock {
    int64_t (*wall_ms)(void *ctx); /* ms since 1970-01-01T00:00:00Z */
    int64_t (*boot_ms)(void *ctx); /* ms since boot, suspend included */
    void *ctx;
    char boot_id[CLOCK_BOOT_ID_LEN + 1];
};

/*
 * Fills in the system's clocks. boot_id is the text of
 * /proc/sys/kernel/random/boot_id. RC_IO if that cannot be read.
 */
enum rc clock_system(struct clock *out);

/* CLOCK_MONOTONIC in ms from now, at least 0: for pthread_cond_timedwait of a condition
 * that was made with that clock. */
struct timespec clock_monotonic_in(int64_t ms);

/* wall_ms as "2026-01-31T12:00:00.000Z" (ISO 8601, UTC) with its NUL. */
void clock_iso8601(int64_t wall_ms, char out[CLOCK_ISO8601_LEN + 1]);

/* wall_ms, rounded down to a second, as "Sat, 31 Jan 2026 12:00:00 GMT" (RFC 9110
 * s. 5.6.7) with its NUL. */
void clock_http_date(int64_t wall_ms, char out[CLOCK_HTTP_DATE_LEN + 1]);

#endif
