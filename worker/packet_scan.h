/*
 * packet_scan.h: when a file's streams really begin and end, by their packets.
 *
 * Fed with ffprobe's lines "stream_index|pts_time|dts_time|duration_time|flags"
 * (compact writer, no keys). Packets flagged D, which an edit list leaves out, do not
 * count. Constant memory whatever the length; pure.
 */
#ifndef DROPSTREAM_PACKET_SCAN_H
#define DROPSTREAM_PACKET_SCAN_H

#include "media_info.h"
#include "mp4_index.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A last frame is shown for this long at most: a declared duration of weeks for one
 * picture is a mistake or an attack. */
#define PACKET_LAST_MAX_US 60000000

struct packet_stream {
    int64_t packets;
    int64_t first_us; /* smallest presentation time */
    int64_t last_us;  /* greatest presentation time */
    int64_t end_us;   /* end of the packet that ends last */
    bool all;         /* an index says so, of all packets that there are */
};

struct packet_scan {
    struct packet_stream streams[MEDIA_STREAMS_MAX];
    char line[128];
    size_t line_size;
};

void packet_scan_init(struct packet_scan *scan);

/* Takes n bytes of ffprobe's output, cut anywhere. Lines that do not parse, of other
 * streams or without a time are passed over. */
void packet_scan_feed(struct packet_scan *scan, const void *data, size_t n);

/* What an index says of a track. */
struct packet_stream packet_stream_of(const struct mp4_track *t);

/* Streams whose last packet was where the index of the file has it are as that says: it
 * tells how long the last picture is shown, where ffprobe may not. */
void packet_scan_take_index(struct packet_scan *scan, const struct mp4_index *index);

#endif
