#include "packet_scan.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDED_US 2 /* what two readings of one time may differ by */

void packet_scan_init(struct packet_scan *scan)
{
    memset(scan, 0, sizeof(*scan));
}

static void add_packet(struct packet_stream *s, int64_t pts, int64_t duration)
{
    if (duration == MEDIA_UNKNOWN || duration < 0)
        duration = 0;
    if (duration > PACKET_LAST_MAX_US)
        duration = PACKET_LAST_MAX_US;
    if (s->packets == 0 || pts < s->first_us)
        s->first_us = pts;
    if (s->packets == 0 || pts > s->last_us)
        s->last_us = pts;
    if (s->packets == 0 || pts + duration > s->end_us)
        s->end_us = pts + duration;
    s->packets++;
}

static void take_line(struct packet_scan *scan)
{
    char *save = NULL;
    const char *index = strtok_r(scan->line, "|", &save);
    const char *pts_text = strtok_r(NULL, "|", &save);
    const char *dts_text = strtok_r(NULL, "|", &save);
    const char *duration = strtok_r(NULL, "|", &save);
    const char *flags = strtok_r(NULL, "|", &save);
    if (!index || !pts_text || !dts_text || (flags && strchr(flags, 'D')))
        return;
    char *end = NULL;
    long i = strtol(index, &end, 10);
    if (end == index || *end != '\0' || i < 0 || i >= MEDIA_STREAMS_MAX)
        return;
    int64_t pts = media_time_us(pts_text);
    if (pts == MEDIA_UNKNOWN)
        pts = media_time_us(dts_text);
    if (pts != MEDIA_UNKNOWN)
        add_packet(&scan->streams[i], pts, media_time_us(duration));
}

void packet_scan_feed(struct packet_scan *scan, const void *data, size_t n)
{
    const char *p = data;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n') {
            scan->line[scan->line_size] = '\0';
            take_line(scan);
            scan->line_size = 0;
        } else if (scan->line_size < sizeof(scan->line) - 1) {
            scan->line[scan->line_size++] = p[i];
        }
    }
}

struct packet_stream packet_stream_of(const struct mp4_track *t)
{
    return (struct packet_stream){t->packets, t->first_us, t->last_us, t->end_us, true};
}

void packet_scan_take_index(struct packet_scan *scan, const struct mp4_index *index)
{
    for (size_t i = 0; i < mp4_index_tracks(index) && i < MEDIA_STREAMS_MAX; i++) {
        const struct mp4_track *t = mp4_index_track(index, i);
        struct packet_stream *s = &scan->streams[i];
        if (s->packets > 0 && t->packets > 0 &&
            llabs(s->last_us - t->last_us) <= ROUNDED_US)
            *s = packet_stream_of(t);
    }
}
