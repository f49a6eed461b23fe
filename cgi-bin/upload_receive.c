/*
 * The body of a request, block by block, and what has to be looked at while it comes.
 */
#include "upload_core.h"

#include <stdlib.h>

enum {
    BLOCK_FIRST = 512, /* until the file is taken or refused */
    BLOCK_MIN = 4 * 1024,
    BLOCK_MAX = 64 * 1024,
    BLOCK_MS = 1000, /* no block is waited for longer, once some of it is there */
    FAST_MS = 50,
    SLOW_MS = 250,
    REPORT_MS = 1000,
};

static int64_t now_ms(const struct upload *u)
{
    return u->app->clock.boot_ms(u->app->clock.ctx);
}

void upload_begin(struct upload *u, struct request *r, const struct uploads *shared,
                  const struct identity *who)
{
    const struct config *config = &shared->app->config;

    *u = (struct upload){.r = r,
                         .app = shared->app,
                         .who = *who,
                         .turns = shared->turns,
                         .uploaders = shared->uploaders};
    u->began_wall_ms = u->app->clock.wall_ms(u->app->clock.ctx);
    u->began_ms = u->reported_ms = now_ms(u);
    upload_hash_lose(&u->hash);
    request_set_patience(
        r, (config->min_rate_bps > 0 ? config->min_rate_s : config->upload_request_s) *
               1000);
}

static enum rc write_received(struct upload *u)
{
    struct store *st;
    enum rc rc;

    spool_flush(u->spool);
    rc = upload_take_store(u, &st);
    if (rc != RC_OK)
        return rc;
    rc = upload_tell_progress(u, st);
    upload_give_store(u, st);
    return rc;
}

/* About once a second: how far it is, whether it is still wanted, whether who brings it
 * still may, and whether others have filled the disk. A busy database only makes that
 * late. */
static enum rc report(struct upload *u)
{
    int64_t now = now_ms(u);
    enum rc rc;

    if (now - u->reported_ms < REPORT_MS)
        return RC_OK;
    u->reported_ms = now;
    rc = u->has_row ? write_received(u) : upload_check_right(u);
    if (rc == RC_REVOKED)
        return rc;
    if (!u->has_row)
        return RC_OK;
    return rc == RC_NOT_FOUND ? upload_deleted(u) : upload_check_space(u, 0);
}

/*
 * A read waits until its block is full: small blocks let a wrong file be refused at
 * once and bring a slow client's bytes to disk soon, large ones make a fast upload
 * cheap. So the size follows the time that a read took.
 */
static size_t next_block(size_t size, int64_t took_ms, bool decided)
{
    if (!decided)
        return BLOCK_FIRST;
    if (size < BLOCK_MIN)
        return BLOCK_MIN;
    if (took_ms < FAST_MS && size < BLOCK_MAX)
        return size * 2;
    if (took_ms > SLOW_MS && size > BLOCK_MIN)
        return size / 2;
    return size;
}

/* Fewer than size bytes where the client is slow; 0 only where the body ended. */
static size_t fill_block(struct upload *u, char *block, size_t size, int64_t *took_ms)
{
    int64_t start = now_ms(u);
    size_t have = 0, got;

    do {
        got = request_read_some(u->r, block + have, size - have);
        have += got;
        *took_ms = now_ms(u) - start;
    } while (got > 0 && have < size && *took_ms < BLOCK_MS);
    return have;
}

static enum rc too_slow(struct upload *u)
{
    return upload_refuse(u, 408, "too_slow", "The file came in too slowly.");
}

/*
 * A client that sends a byte now and then would hold its thread for ever. Only the time
 * spent waiting for it counts: neither our disk nor our database makes it slow.
 */
static enum rc check_rate(struct upload *u, size_t got, int64_t took_ms)
{
    const struct config *config = &u->app->config;

    u->came += (int64_t)got;
    u->waited_ms += took_ms;
    if (u->waited_ms < config->min_rate_s * 1000)
        return RC_OK;
    if (u->came * 1000 < config->min_rate_bps * u->waited_ms)
        return too_slow(u);
    u->came = u->waited_ms = 0;
    return RC_OK;
}

/* However steadily it comes, its thread is not its own for ever. */
static enum rc check_time(struct upload *u)
{
    int64_t most_ms = u->app->config.upload_request_s * 1000;

    if (most_ms == 0 || now_ms(u) - u->began_ms < most_ms)
        return RC_OK;
    return upload_refuse(u, 408, "too_long",
                         "One request may not take so long: send what is missing in "
                         "another one.");
}

/* Why there is no more to read. */
static enum rc broken_off(struct upload *u)
{
    if (u->has_turn && turns_lost(u->turns, &u->turn))
        return upload_taken_over(u);
    return request_timed_out(u->r) ? too_slow(u) : RC_TRUNCATED;
}

enum rc upload_receive(struct upload *u, int64_t length,
                       enum rc (*sink)(void *arg, const void *data, size_t n),
                       void *arg)
{
    char *block = malloc(BLOCK_MAX);
    size_t size = BLOCK_FIRST;
    int64_t left = length;
    enum rc rc = block ? upload_admit(u) : RC_NOMEM;

    while (rc == RC_OK && left > 0) {
        size_t want = (int64_t)size < left ? size : (size_t)left;
        int64_t took;
        size_t got = fill_block(u, block, want, &took);
        left -= (int64_t)got;
        rc = got > 0 ? sink(arg, block, got) : broken_off(u);
        size = next_block(size, took, u->decided);
        if (rc == RC_OK && left > 0)
            rc = check_rate(u, got, took);
        if (rc == RC_OK && left > 0)
            rc = check_time(u);
        if (rc == RC_OK)
            rc = report(u);
    }
    free(block);
    return rc;
}
