/*
 * fuzz_media_info.c: whatever ffprobe may say of a file, as JSON of its streams or as
 * lines of its packets, is either not taken or within its bounds.
 */
#include "fuzz.h"

#include "media_info.h"
#include "packet_scan.h"
#include "text.h"

static void check_stream(const struct media_stream *s)
{
    must(s->index >= 0 && s->width >= 0 && s->height >= 0 && s->channels >= 0);
    must(s->sar.num > 0 && s->sar.den > 0);
    must(s->average_rate.num >= 0 && s->average_rate.den > 0);
    must(s->base_rate.num >= 0 && s->base_rate.den > 0);
    must(s->rotation >= 0 && s->rotation < 360 && s->rotation % 90 == 0);
    must(s->sample_rate >= 0 && s->bitrate >= 0);
    must(text_is_clean(s->language, strlen(s->language)));
    must(text_is_clean(s->title, strlen(s->title)));
}

static void check_choice(const struct media_info *info)
{
    const struct media_stream *sounds[4];
    const struct media_stream *video = media_info_video(info);
    const struct media_stream *audio = media_info_audio(info);
    size_t n = media_info_sounds(info, sounds, 4);

    must(n <= 4 && (n > 0) == (audio != NULL) && (n == 0 || sounds[0] == audio));
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            must(sounds[i] != sounds[k]);
    must(!video || (video->width > 0 && video->height > 0 && video->codec[0]));
    must(media_info_next_av(info, 0) <= info->n_streams);
}

static void scan(const uint8_t *data, size_t n, size_t step)
{
    static struct packet_scan whole, parts;
    packet_scan_init(&whole);
    packet_scan_init(&parts);
    packet_scan_feed(&whole, data, n);
    for (size_t at = 0; at < n; at += step)
        packet_scan_feed(&parts, data + at, n - at < step ? n - at : step);
    must(memcmp(whole.streams, parts.streams, sizeof(whole.streams)) == 0);
    for (size_t i = 0; i < MEDIA_STREAMS_MAX; i++) {
        const struct packet_stream *s = &whole.streams[i];
        must(s->packets >= 0 && s->first_us <= s->last_us && s->last_us <= s->end_us);
        must(s->packets == 0 || s->end_us - s->last_us <= PACKET_LAST_MAX_US);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct media_info info;
    char *json = copy_of(data, n);
    enum rc rc = media_info_parse(json, n, &info);

    free(json);
    must(rc == RC_OK || rc == RC_INVALID);
    if (rc == RC_OK) {
        must(info.n_streams <= MEDIA_STREAMS_MAX);
        for (size_t i = 0; i < info.n_streams; i++)
            check_stream(&info.streams[i]);
        check_choice(&info);
    }
    scan(data, n, n > 0 ? data[n - 1] % 7 + 1u : 1);
    return 0;
}
