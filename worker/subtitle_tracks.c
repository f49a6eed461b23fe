#include "subtitle_tracks.h"

#include <stdio.h>
#include <string.h>

static bool is_text(const struct media_stream *s, enum container container)
{
    static const char *const codecs[] = {"subrip", "srt",  "ass",     "ssa",
                                         "webvtt", "text", "mov_text"};
    if (s->kind != MEDIA_SUBTITLE)
        return false;
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
        if (strcmp(s->codec, codecs[i]) == 0)
            return true;
    /* See args_subtitles. */
    return !*s->codec &&
           (container == CONTAINER_MATROSKA || container == CONTAINER_WEBM);
}

void subtitle_tracks(const struct media_info *info, enum container container,
                     struct subtitles *out)
{
    out->n = 0;
    for (size_t i = 0; i < info->n_streams && out->n < STORE_SUBTITLES_MAX; i++) {
        const struct media_stream *s = &info->streams[i];
        if (!is_text(s, container))
            continue;
        struct subtitle *track = &out->list[out->n++];
        *track = (struct subtitle){
            .is_track = true, .stream = s->index, .forced = s->forced};
        language_of_track(s->language, track->language);
        snprintf(track->label, sizeof(track->label), "%s", s->title);
        snprintf(track->codec, sizeof(track->codec), "%s", s->codec);
    }
}
