#include "source_bounds_walk.h"

#include "io.h"
#include "media_info.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A day in fragments of a second has two million; one in which each picture is a
 * fragment has forty. */
#define BOXES_MAX 64000000

#define NO_END "The file is damaged: its index has no end."

enum rc source_bounds_open(enum container container, struct source_bounds **out)
{
    struct source_bounds *b = calloc(1, sizeof(*b));
    if (!b)
        return RC_NOMEM;
    b->is_mkv = container == CONTAINER_MATROSKA || container == CONTAINER_WEBM;
    b->turn = SOURCE_BOUNDS_TURN;
    *out = b;
    return RC_OK;
}

void source_bounds_close(struct source_bounds *b)
{
    free(b);
}

/* The bytes that the walk is at, up to SOURCE_LOOK of them; *n: how many. */
static enum rc look(struct source_bounds *b, const uint8_t **p, size_t *n)
{
    uint64_t left = b->from.have - b->at;
    *n = left < SOURCE_LOOK ? (size_t)left : SOURCE_LOOK;
    if (b->from.memory) {
        *p = b->from.memory + b->at;
        return RC_OK;
    }
    bool here = b->at >= b->block_at && b->at + *n <= b->block_at + b->block_n;
    if (!here) {
        enum rc rc = io_read_at(b->from.fd, b->block,
                                left < SOURCE_BLOCK ? (size_t)left : SOURCE_BLOCK,
                                (int64_t)b->at, &b->block_n);
        b->block_at = b->at;
        if (rc != RC_OK || b->block_n < *n) {
            b->block_n = 0;
            return rc == RC_OK ? RC_IO : rc;
        }
    }
    *p = b->block + (b->at - b->block_at);
    return RC_OK;
}

static void put_number(int64_t n, char out[32])
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, n);
    int used = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

bool source_bounds_is_fast(int64_t pictures, int64_t us, int64_t *rate)
{
    int64_t s = us > 0 ? us / 1000000 : 0;
    if (pictures / SOURCE_RATE_MAX <= s + 1)
        return false;
    double each = us > 0 ? 1e6 * (double)pictures / (double)us : (double)pictures;
    *rate = each < 1e12 ? (int64_t)each : INT64_C(1000000000000);
    return true;
}

void source_bounds_explain_rate(int64_t rate, char *why, size_t size)
{
    char number[32], most[32];
    put_number(rate, number);
    put_number(SOURCE_RATE_MAX, most);
    snprintf(why, size, "The file has %s pictures a second; at most %s are taken.",
             number, most);
}

bool source_bounds_is_one_of(uint32_t type, const uint32_t *types, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (types[i] == type)
            return true;
    return false;
}

/* ---- the walk --------------------------------------------------------------- */

/* What cannot be read ends what it is in. */
static void skip_the_rest(struct source_bounds *b)
{
    b->at = b->levels[b->depth].end;
}

/* What it is at the end of. */
static void leave(struct source_bounds *b)
{
    while (b->depth > 0 && b->at >= b->levels[b->depth].end) {
        if (b->levels[b->depth].is_track)
            source_bounds_end_track(b);
        b->depth--;
    }
}

enum rc source_bounds_walk(struct source_bounds *b)
{
    b->levels[0].end = b->from.size;
    b->behind = false;
    for (int n = 0;; n++) {
        const uint8_t *p;
        size_t there;
        leave(b);
        if (b->at >= b->from.have || b->refusal)
            return RC_OK;
        if (b->boxes == BOXES_MAX) {
            b->refusal = NO_END;
            return RC_OK;
        }
        b->behind = n == b->turn;
        if (b->behind)
            return RC_OK;
        enum rc rc = look(b, &p, &there);
        if (rc == RC_OK)
            rc = b->is_mkv ? source_bounds_step_mkv(b, p, there)
                           : source_bounds_step_mp4(b, p, there);
        if (rc == RC_TRUNCATED && b->from.have < b->from.size)
            return RC_OK; /* more is to come */
        b->boxes++;
        if (rc == RC_TRUNCATED || rc == RC_INVALID)
            skip_the_rest(b);
        else if (rc != RC_OK)
            return rc;
    }
}

/* ---- the verdict --------------------------------------------------------------- */

bool source_bounds_has_room(const struct source_bounds *b, uint64_t bytes)
{
    return b->samples <= SOURCE_SAMPLES_FREE ||
           b->samples <= bytes / SOURCE_SAMPLE_BYTES;
}

static enum rc judge(const struct source_bounds *b, char *why, size_t size)
{
    bool many = !source_bounds_has_room(b, b->from.file_size);
    char number[32];
    if (b->refusal) {
        snprintf(why, size, "%s", b->refusal);
    } else if (b->streams > MEDIA_STREAMS_MAX) {
        put_number(b->streams, number);
        snprintf(why, size, "The file has %s streams; at most %d are taken.", number,
                 MEDIA_STREAMS_MAX);
    } else if (b->rate > 0) {
        source_bounds_explain_rate(b->rate, why, size);
    } else if (many || b->samples > SOURCE_SAMPLES_MAX) {
        snprintf(why, size, "The file is damaged: its index tells of more pictures %s",
                 many ? "than it has room for." : "than a video has.");
    } else if (b->parts > SOURCE_PARTS_MAX) {
        snprintf(why, size, "%s", NO_END);
    } else {
        return RC_OK;
    }
    return RC_UNSUPPORTED;
}

bool source_bounds_is_behind(const struct source_bounds *b)
{
    return b->behind;
}

enum rc source_bounds_look(struct source_bounds *b, const struct source_bytes *from,
                           char *why, size_t size)
{
    b->from = *from;
    enum rc rc = source_bounds_walk(b);
    return rc == RC_OK ? judge(b, why, size) : rc;
}
