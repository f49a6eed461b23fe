#include "media_info.h"

#include "json_text.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t media_time_us(const char *text)
{
    if (!text)
        return MEDIA_UNKNOWN;
    char *end = NULL;
    double s = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(s) || fabs(s) > 1e12)
        return MEDIA_UNKNOWN;
    return llround(s * 1e6);
}

/* "30000/1001" or "64:45"; none for 0/0, negative or malformed. */
static struct rational ratio(const char *text, char separator, struct rational none)
{
    if (!text)
        return none;
    char *end = NULL;
    long long num = strtoll(text, &end, 10);
    if (end == text || *end != separator)
        return none;
    const char *second = end + 1;
    long long den = strtoll(second, &end, 10);
    if (end == second || *end != '\0' || num <= 0 || den <= 0)
        return none;
    if (num > INT32_MAX || den > INT32_MAX)
        return none;
    return (struct rational){num, den};
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int int_of(const json_t *object, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(object, key));
    return v > 0 && v <= 1000000 ? (int)v : 0;
}

/* The display matrix turns counter-clockwise; players turn by quarters only. */
static int rotation_of(const json_t *stream)
{
    size_t i;
    const json_t *side;
    json_array_foreach(json_object_get(stream, "side_data_list"), i, side)
    {
        const json_t *r = json_object_get(side, "rotation");
        if (!json_is_number(r))
            continue;
        double clockwise = -json_number_value(r);
        if (!isfinite(clockwise) || fabs(clockwise) > 36000)
            return 0;
        int quarter = (int)lround(clockwise / 90);
        return ((quarter % 4) + 4) % 4 * 90;
    }
    return 0;
}

/* By its first pictures; of the codecs that tell it with each picture, any may be. */
static bool is_interlaced(const char *codec, const char *field_order)
{
    static const char *const orders[] = {"tt", "bb", "tb", "bt"};
    for (size_t i = 0; field_order && i < sizeof(orders) / sizeof(orders[0]); i++)
        if (strcmp(field_order, orders[i]) == 0)
            return true;
    return codec && (strcmp(codec, "mpeg4") == 0 || strcmp(codec, "mpeg2video") == 0);
}

static enum media_kind kind_of(const char *type)
{
    if (type && strcmp(type, "video") == 0)
        return MEDIA_VIDEO;
    if (type && strcmp(type, "audio") == 0)
        return MEDIA_AUDIO;
    if (type && strcmp(type, "subtitle") == 0)
        return MEDIA_SUBTITLE;
    return MEDIA_OTHER;
}

static void copy_text(const json_t *s, const char *name, char *out, size_t size)
{
    const char *text = text_of(s, name);
    snprintf(out, size, "%s", text ? text : "");
}

/* ffprobe writes some numbers as texts. */
static int64_t number_of(const json_t *object, const char *key)
{
    const char *text = text_of(object, key);
    char *end = NULL;
    long long n = text ? strtoll(text, &end, 10) : 0;
    return text && end != text && *end == '\0' && n > 0 ? n : 0;
}

static void read_tags(const json_t *tags, struct media_stream *out)
{
    const char *language = text_of(tags, "language"), *title = text_of(tags, "title");
    if (language && strcmp(language, "und") != 0)
        text_clean(out->language, sizeof(out->language), language);
    if (title)
        text_clean(out->title, sizeof(out->title), title);
}

static void read_stream(const json_t *s, struct media_stream *out)
{
    static const struct rational none = {0, 1}, square = {1, 1};
    const json_t *disposition = json_object_get(s, "disposition");
    const char *codec = text_of(s, "codec_name");

    *out = (struct media_stream){
        .index = int_of(s, "index"),
        .kind = kind_of(text_of(s, "codec_type")),
        .width = int_of(s, "width"),
        .height = int_of(s, "height"),
        .sar = ratio(text_of(s, "sample_aspect_ratio"), ':', square),
        .rotation = rotation_of(s),
        .interlaced = is_interlaced(codec, text_of(s, "field_order")),
        .still = int_of(disposition, "attached_pic") ||
                 int_of(disposition, "timed_thumbnails"),
        .is_default = int_of(disposition, "default") != 0,
        .reordered = int_of(s, "has_b_frames") > 0,
        .average_rate = ratio(text_of(s, "avg_frame_rate"), '/', none),
        .base_rate = ratio(text_of(s, "r_frame_rate"), '/', none),
        .start_us = media_time_us(text_of(s, "start_time")),
        .duration_us = media_time_us(text_of(s, "duration")),
        .channels = int_of(s, "channels"),
        .sample_rate = (int)(number_of(s, "sample_rate") % 1000000),
        .bitrate = number_of(s, "bit_rate"),
        .level = int_of(s, "level"),
        .forced = int_of(disposition, "forced") != 0,
    };
    const char *range = text_of(s, "color_range");
    out->full_range = range && strcmp(range, "pc") == 0;
    copy_text(s, "profile", out->profile, sizeof(out->profile));
    copy_text(s, "pix_fmt", out->pixels, sizeof(out->pixels));
    read_tags(json_object_get(s, "tags"), out);
    copy_text(s, "color_space", out->matrix, sizeof(out->matrix));
    copy_text(s, "color_primaries", out->primaries, sizeof(out->primaries));
    copy_text(s, "color_transfer", out->transfer, sizeof(out->transfer));
    if (codec && strcmp(codec, "unknown") != 0)
        snprintf(out->codec, sizeof(out->codec), "%s", codec);
}

enum rc media_info_parse(const char *json, size_t n, struct media_info *out)
{
    json_t *root;
    enum rc rc = json_text_read(json, n, 0, &root);
    if (rc != RC_OK)
        return rc;
    const json_t *streams = json_object_get(root, "streams");
    const json_t *format = json_object_get(root, "format");
    if (!json_is_array(streams) || !json_is_object(format)) {
        json_decref(root);
        return RC_INVALID;
    }
    int64_t start = media_time_us(text_of(format, "start_time"));
    out->start_us = start == MEDIA_UNKNOWN ? 0 : start;
    out->duration_us = media_time_us(text_of(format, "duration"));
    out->n_streams = 0;
    for (size_t i = 0; i < json_array_size(streams) && i < MEDIA_STREAMS_MAX; i++)
        read_stream(json_array_get(streams, i), &out->streams[out->n_streams++]);
    json_decref(root);
    return RC_OK;
}

/* A video track without a frame rate is an empty one or a still picture. */
static bool usable(const struct media_stream *s, enum media_kind kind)
{
    if (s->kind != kind || s->codec[0] == '\0' || s->still)
        return false;
    if (kind == MEDIA_AUDIO)
        return s->channels > 0;
    return s->width > 0 && s->height > 0;
}

static int merit(const struct media_stream *s)
{
    return (s->is_default ? 1 : 0) + (s->average_rate.num > 0 ? 2 : 0);
}

static const struct media_stream *choose(const struct media_info *info,
                                         enum media_kind kind)
{
    const struct media_stream *best = NULL;
    for (size_t i = 0; i < info->n_streams; i++) {
        const struct media_stream *s = &info->streams[i];
        if (usable(s, kind) && (!best || merit(s) > merit(best)))
            best = s;
    }
    return best;
}

size_t media_info_next_av(const struct media_info *info, size_t i)
{
    while (i < info->n_streams && info->streams[i].kind != MEDIA_VIDEO &&
           info->streams[i].kind != MEDIA_AUDIO)
        i++;
    return i;
}

const struct media_stream *media_info_video(const struct media_info *info)
{
    return choose(info, MEDIA_VIDEO);
}

const struct media_stream *media_info_audio(const struct media_info *info)
{
    return choose(info, MEDIA_AUDIO);
}

size_t media_info_sounds(const struct media_info *info,
                         const struct media_stream *out[], size_t max)
{
    const struct media_stream *first = media_info_audio(info);
    size_t n = 0;
    if (first && max > 0)
        out[n++] = first;
    for (size_t i = 0; i < info->n_streams && n < max; i++) {
        const struct media_stream *s = &info->streams[i];
        if (s != first && usable(s, MEDIA_AUDIO))
            out[n++] = s;
    }
    return n;
}
