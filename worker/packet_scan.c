#include "packet_scan.h"

#include <stdlib.h>
#include <string.h>

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
