/* plan_clips.h: clips as ffprobe would tell of them, and the plans made from them. */
#ifndef DROPSTREAM_TEST_PLAN_CLIPS_H
#define DROPSTREAM_TEST_PLAN_CLIPS_H

#include "check.h"

#include "plan.h"

#include <stdio.h>
#include <string.h>

#define MINUTE 60000000

struct clip {
    int width, height;
    const char *sar;   /* NULL: 1:1 */
    const char *rate;  /* avg_frame_rate; NULL: 25/1 */
    const char *base;  /* r_frame_rate; NULL: as rate */
    int rotation;      /* as ffprobe writes it, counter-clockwise */
    const char *order; /* field_order; NULL: progressive */
    int b_frames;
    const char *sound;    /* codec_name; NULL: no sound */
    double start;         /* s of the file's clock, of both streams */
    const char *declared; /* duration of each stream; NULL: N/A */
};

static const struct clip usual = {
    .width = 1920,
    .height = 1080,
    .rate = "30000/1001",
    .sound = "aac",
    .declared = "30.030000",
};

static inline struct media_info probed(const struct clip *c)
{
    char json[4096];
    struct media_info info;
    const char *rate = c->rate ? c->rate : "25/1";
    int n = snprintf(
        json, sizeof(json),
        "{\"streams\":[{\"index\":0,\"codec_type\":\"video\","
        "\"codec_name\":\"h264\",\"width\":%d,\"height\":%d,"
        "\"sample_aspect_ratio\":\"%s\",\"field_order\":\"%s\","
        "\"has_b_frames\":%d,\"avg_frame_rate\":\"%s\","
        "\"r_frame_rate\":\"%s\",\"start_time\":\"%f\",\"duration\":\"%s\","
        "\"disposition\":{\"default\":1},\"side_data_list\":[{\"rotation\":%d}]}",
        c->width, c->height, c->sar ? c->sar : "1:1",
        c->order ? c->order : "progressive", c->b_frames, rate,
        c->base ? c->base : rate, c->start, c->declared ? c->declared : "N/A",
        c->rotation);
    if (c->sound)
        n += snprintf(json + n, sizeof(json) - (size_t)n,
                      ",{\"index\":1,\"codec_type\":\"audio\",\"codec_name\":\"%s\","
                      "\"channels\":2,\"start_time\":\"%f\",\"duration\":\"%s\"}",
                      c->sound, c->start, c->declared ? c->declared : "N/A");
    snprintf(json + n, sizeof(json) - (size_t)n,
             "],\"format\":{\"start_time\":\"%f\",\"duration\":\"N/A\"}}", c->start);
    assert_int_equal(media_info_parse(json, strlen(json), &info), RC_OK);
    return info;
}

/* The first and the last packet of a stream, times by the file's clock. */
static inline void add_packets(struct packet_scan *scan, int stream, double first,
                               double end, double duration)
{
    char text[256];
    snprintf(text, sizeof(text), "%d|%f|%f|%f|K_\n%d|%f|%f|%f|__\n", stream, first,
             first, duration, stream, end - duration, end - duration, duration);
    packet_scan_feed(scan, text, strlen(text));
}

/* Packets of both streams for so many seconds from the clip's start. */
static inline struct packet_scan scanned(const struct clip *c, double length)
{
    struct packet_scan scan;
    packet_scan_init(&scan);
    add_packets(&scan, 0, c->start, c->start + length, length > 0.04 ? 0.04 : 0);
    if (c->sound)
        add_packets(&scan, 1, c->start, c->start + length, length > 0.02 ? 0.02 : 0);
    return scan;
}

struct made {
    enum rc rc;
    struct video_plan plan;
    const struct rendition *video, *audio; /* NULL if not planned */
    char error[STORE_TEXT_MAX + 1];
};

/* No ladder, which test_ladder.c has. */
static const struct plan_limits limits = {.max_duration_us = INT64_C(12) * 60 * MINUTE,
                                          .max_pixels = 3840 * 2160};

static inline struct made *make(const struct media_info *info,
                                const struct packet_scan *scan, bool whole)
{
    static struct made m;
    m = (struct made){.rc = RC_OK};
    m.rc = plan_make(info, scan, whole, &limits, 3, &m.plan, m.error);
    for (size_t i = 0; m.rc == RC_OK && i < m.plan.n_renditions; i++) {
        if (m.plan.renditions[i].kind == RENDITION_VIDEO)
            m.video = &m.plan.renditions[i];
        else
            m.audio = &m.plan.renditions[i];
    }
    return &m;
}

/* The plan of a clip of which this much was found. */
static inline struct made *planned(const struct clip *c, double length)
{
    struct media_info info = probed(c);
    struct packet_scan scan = scanned(c, length);
    struct made *m = make(&info, &scan, true);
    assert_int_equal(m->rc, RC_OK);
    assert_int_equal(m->plan.n_renditions, c->sound ? 2 : 1);
    return m;
}

#endif
