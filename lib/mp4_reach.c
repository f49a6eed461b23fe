#include "mp4_reach.h"

#include <stdlib.h>

#define BLOCK 128 /* packets */

struct mp4_reach_block {
    struct mp4_packets from;
    uint64_t end;  /* greatest of this and all earlier blocks */
    int64_t least; /* least time shown in this and all later blocks */
};

/* Fills a block from where p is. */
static enum rc fill(struct mp4_reach_block *b, struct mp4_packets *p,
                    uint64_t file_size, uint64_t *end)
{
    struct mp4_packet packet;
    b->from = *p;
    b->least = INT64_MAX;
    for (int i = 0; i < BLOCK && mp4_packets_next(p, &packet); i++) {
        if (packet.begin > file_size || packet.end > file_size)
            return RC_INVALID;
        if (packet.end > *end)
            *end = packet.end;
        if (!packet.discard && packet.pts < b->least)
            b->least = packet.pts;
    }
    b->end = *end;
    return RC_OK;
}

enum rc mp4_reach_open(struct mp4_reach *reach, const struct mp4_timeline *line,
                       uint64_t file_size)
{
    struct mp4_packets p;
    uint64_t end = 0;
    enum rc rc = RC_OK;

    *reach = (struct mp4_reach){0};
    reach->n = line->packets / BLOCK + (line->packets % BLOCK > 0);
    reach->blocks = calloc((size_t)reach->n + 1, sizeof(*reach->blocks));
    if (!reach->blocks)
        return RC_NOMEM;
    mp4_packets_init(&p, line);
    for (uint32_t i = 0; i < reach->n && rc == RC_OK; i++)
        rc = fill(&reach->blocks[i], &p, file_size, &end);
    for (uint32_t i = reach->n; i-- > 1;)
        if (reach->blocks[i].least < reach->blocks[i - 1].least)
            reach->blocks[i - 1].least = reach->blocks[i].least;
    if (rc != RC_OK)
        mp4_reach_close(reach);
    return rc;
}

void mp4_reach_close(struct mp4_reach *reach)
{
    free(reach->blocks);
    *reach = (struct mp4_reach){0};
}

/* The first block that is not complete; n if all are. */
static uint32_t first_open(const struct mp4_reach *reach, uint64_t frontier)
{
    uint32_t low = 0, high = reach->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (reach->blocks[middle].end <= frontier)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t mp4_reach_time(const struct mp4_reach *reach, uint64_t frontier)
{
    uint32_t i = first_open(reach, frontier);
    if (i == reach->n)
        return INT64_MAX;
    struct mp4_packets p = reach->blocks[i].from;
    struct mp4_packet packet;
    int64_t least = i + 1 < reach->n ? reach->blocks[i + 1].least : INT64_MAX;
    bool open = false;
    for (int k = 0; k < BLOCK && mp4_packets_next(&p, &packet); k++) {
        open |= packet.end > frontier;
        if (open && !packet.discard && packet.pts < least)
            least = packet.pts;
    }
    return least;
}
