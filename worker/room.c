#include "room.h"

#include <stdlib.h>
#include <string.h>

#define MIB ((int64_t)1 << 20)
#define MARGIN_MIN (4 * MIB)
#define MARGIN_MAX (512 * MIB)

int64_t room_margin(int64_t reserve)
{
    int64_t margin = reserve / 8;
    if (reserve == 0)
        return 0;
    if (margin < MARGIN_MIN)
        return MARGIN_MIN;
    return margin < MARGIN_MAX ? margin : MARGIN_MAX;
}

bool room_is_short(const struct room *r, bool was)
{
    if (r->free < 0)
        return was;
    return r->free < r->reserve + (was ? room_margin(r->reserve) / 2 : 0);
}

int64_t room_wanted(const struct room *r)
{
    int64_t wanted = 0, lack = r->reserve + room_margin(r->reserve) - r->free;
    if (r->budget > 0 && r->media > r->budget)
        wanted = r->media - r->budget;
    return r->free >= 0 && lack > wanted ? lack : wanted;
}

static bool may_go(const struct evictable *e, int64_t now_ms)
{
    int64_t length_ms = e->duration_us > 0 ? e->duration_us / 1000 : 0;
    return e->watched_ms < 0 || now_ms - e->watched_ms >= ROOM_WATCHED_MS + length_ms;
}

static int64_t last_use_ms(const struct evictable *e)
{
    return e->watched_ms >= 0 ? e->watched_ms : e->created_ms;
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_turn(const void *left, const void *right)
{
    const struct evictable *a = left, *b = right;
    int order = compare(last_use_ms(a), last_use_ms(b));
    if (order == 0)
        order = strcmp(a->which.video_id, b->which.video_id);
    if (order == 0)
        order = compare(b->copied, a->copied);
    if (order == 0)
        order = compare(b->bytes, a->bytes);
    return order ? order : strcmp(a->which.rendition, b->which.rendition);
}

size_t room_choose(struct evictable *list, size_t n, int64_t wanted, int64_t now_ms)
{
    size_t may = 0, chosen = 0;
    for (size_t i = 0; i < n; i++)
        if (may_go(&list[i], now_ms))
            list[may++] = list[i];
    if (may > 0)
        qsort(list, may, sizeof(*list), by_turn);
    for (int64_t bytes = 0; chosen < may && bytes < wanted; chosen++)
        bytes += list[chosen].bytes;
    return chosen;
}
