#include "video_json.h"

#include "sniff.h"

#include <stdio.h>

static json_t *text_or_null(const char *s)
{
    return *s ? json_string(s) : json_null();
}

static json_t *positive_or_null(int64_t n)
{
    return n > 0 ? json_integer(n) : json_null();
}

static json_t *size_or_null(int64_t n)
{
    return n >= 0 ? json_integer(n) : json_null();
}

static json_t *rate_or_null(int num, int den)
{
    return num > 0 && den > 0 ? json_real((double)num / den) : json_null();
}

static json_t *duration_or_null(int64_t us)
{
    return us >= 0 ? json_real((double)us / 1e6) : json_null();
}

json_t *video_json_seconds(int64_t ms)
{
    return ms >= 0 ? json_real((double)ms / 1000) : json_null();
}

json_t *video_json_time(int64_t wall_ms)
{
    char text[CLOCK_ISO8601_LEN + 1];

    if (wall_ms < 0)
        return json_null();
    clock_iso8601(wall_ms, text);
    return json_string(text);
}

/* json_object_set_new refuses a NULL value or object, and takes the value either way:
 * so one flag at the end tells whether memory ran out anywhere. */
static json_t *whole_or_null(json_t *object, int failed)
{
    if (!failed)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *rendition_json(const struct rendition *r)
{
    bool video = r->kind == RENDITION_VIDEO;
    json_t *o = json_object();
    int bad = 0;

    bad |= json_object_set_new(o, "name", json_string(r->name));
    bad |= json_object_set_new(o, "kind", json_string(rendition_kind_name(r->kind)));
    bad |= json_object_set_new(o, "width", positive_or_null(video ? r->width : 0));
    bad |= json_object_set_new(o, "height", positive_or_null(video ? r->height : 0));
    bad |= json_object_set_new(o, "bitrate", positive_or_null(r->bitrate));
    bad |= json_object_set_new(o, "codecs", text_or_null(r->codecs));
    bad |= json_object_set_new(o, "segments", json_integer(r->segments));
    bad |= json_object_set_new(o, "done", json_integer(r->done));
    if (r->put_away)
        bad |= json_object_set_new(o, "put_away", json_true());
    return whole_or_null(o, bad);
}

json_t *video_json_renditions(const struct rendition *renditions, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < n; i++) {
        if (json_array_append_new(array, rendition_json(&renditions[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static json_t *timing_json(const struct video *v)
{
    json_t *o = json_object();
    int bad = 0;

    bad |= json_object_set_new(o, "first_segment_s",
                               video_json_seconds(v->first_segment_ms));
    bad |= json_object_set_new(o, "stored_s", video_json_seconds(v->stored_ms));
    bad |= json_object_set_new(o, "ready_s", video_json_seconds(v->ready_ms));
    return whole_or_null(o, bad);
}

/* What the file is, as far as the probe has told. */
static int add_source(json_t *o, const struct video *v)
{
    int bad = 0;

    bad |= json_object_set_new(o, "duration", duration_or_null(v->duration_us));
    bad |= json_object_set_new(o, "width", positive_or_null(v->width));
    bad |= json_object_set_new(o, "height", positive_or_null(v->height));
    bad |= json_object_set_new(o, "fps", rate_or_null(v->rate_num, v->rate_den));
    bad |= json_object_set_new(o, "video_codec", text_or_null(v->video_codec));
    bad |= json_object_set_new(o, "audio_codec", text_or_null(v->audio_codec));
    return bad;
}

/* ---- what is reached by a key ---------------------------------------------- */

static json_t *media_url(const char *key, const char *name, bool there)
{
    return there && *key ? json_sprintf("/media/%s/%s", key, name) : json_null();
}

/* url: null until its file is there, and another one for each text; error: why there is
 * none, or only an older one. */
static json_t *subtitle_json(const struct subtitle *s, const char *key)
{
    char file[LANGUAGE_SLOT_MAX + 48];
    json_t *o = json_object();
    int bad = 0;

    snprintf(file, sizeof(file), "subs/%s.vtt?v=%lld", s->name,
             (long long)s->published);
    bad |= json_object_set_new(o, "lang", json_string(s->name));
    bad |= json_object_set_new(o, "label", text_or_null(s->label));
    bad |=
        json_object_set_new(o, "source", json_string(s->is_track ? "track" : "file"));
    bad |= json_object_set_new(o, "forced", json_boolean(s->forced));
    bad |= json_object_set_new(o, "url", media_url(key, file, s->published > 0));
    bad |= json_object_set_new(o, "error", text_or_null(s->error));
    return whole_or_null(o, bad);
}

static json_t *subtitles_json(const struct subtitles *subs, const char *key)
{
    json_t *array = json_array();
    int bad = 0;

    for (size_t i = 0; i < subs->n; i++)
        if (subs->list[i].read)
            bad |= json_array_append_new(array, subtitle_json(&subs->list[i], key));
    return whole_or_null(array, bad);
}

bool video_json_has_media(const struct video_parts *p)
{
    bool any = p->video.playable || p->video.has_poster || p->video.has_storyboard;

    for (size_t i = 0; i < p->subtitles.n; i++)
        any |= p->subtitles.list[i].read && p->subtitles.list[i].published > 0;
    return any;
}

static int add_pictures(json_t *o, const struct video *v, const char *key)
{
    char poster[48];
    int bad = 0;

    /* The number changes with the picture, so that no cache shows an old one. */
    snprintf(poster, sizeof(poster), "poster.jpg?v=%lld", (long long)v->poster_version);
    bad |= json_object_set_new(o, "media", media_url(key, "master.m3u8", v->playable));
    bad |= json_object_set_new(o, "poster", media_url(key, poster, v->has_poster));
    bad |= json_object_set_new(o, "storyboard",
                               media_url(key, "storyboard.vtt", v->has_storyboard));
    return bad;
}

/* ---- a video ---------------------------------------------------------------- */

static json_t *may_json(const struct video_view *view)
{
    return json_pack("{s:b,s:b,s:b}", "edit", view->edit, "share", view->edit,
                     "download", view->download);
}

/* Whose it is, and what that means for who is told. */
static int add_rights(json_t *o, const struct video *v, const struct video_view *view)
{
    int bad = 0;

    bad |= json_object_set_new(o, "owner", text_or_null(v->owner));
    bad |= json_object_set_new(o, "visibility",
                               json_string(visibility_name(v->visibility)));
    bad |= json_object_set_new(o, "may", may_json(view));
    return bad;
}

json_t *video_json(const struct video_parts *p, const struct video_view *view)
{
    const struct video *v = &p->video;
    json_t *o = json_object();
    int bad = 0;

    bad |= json_object_set_new(o, "id", json_string(v->id));
    bad |= json_object_set_new(o, "title", json_string(v->title));
    bad |= json_object_set_new(o, "filename", json_string(v->filename));
    bad |= json_object_set_new(o, "size", size_or_null(v->size));
    bad |= json_object_set_new(o, "received", json_integer(v->received));
    bad |=
        json_object_set_new(o, "container", json_string(container_name(v->container)));
    bad |= json_object_set_new(o, "state", json_string(video_state_name(v->state)));
    bad |= json_object_set_new(o, "playable", json_boolean(v->playable));
    bad |= json_object_set_new(o, "error", text_or_null(v->error));
    bad |= json_object_set_new(o, "warning", text_or_null(v->warning));
    bad |= json_object_set_new(o, "copy_refused", text_or_null(v->copy_refused));
    bad |= add_source(o, v);
    bad |= json_object_set_new(o, "created_at", video_json_time(v->created_ms));
    bad |= add_rights(o, v, view);
    bad |= add_pictures(o, v, view->key);
    bad |= json_object_set_new(o, "renditions",
                               video_json_renditions(p->renditions, p->n_renditions));
    bad |=
        json_object_set_new(o, "subtitles", subtitles_json(&p->subtitles, view->key));
    bad |= json_object_set_new(o, "timing", timing_json(v));
    return whole_or_null(o, bad);
}

json_t *video_json_shared(const struct video_parts *p, const char *key)
{
    const struct video *v = &p->video;
    json_t *o = json_object();
    int bad = 0;

    bad |= json_object_set_new(o, "title", json_string(v->title));
    bad |= json_object_set_new(o, "state", json_string(video_state_name(v->state)));
    bad |= json_object_set_new(o, "playable", json_boolean(v->playable));
    bad |= json_object_set_new(o, "duration", duration_or_null(v->duration_us));
    bad |= json_object_set_new(o, "width", positive_or_null(v->width));
    bad |= json_object_set_new(o, "height", positive_or_null(v->height));
    bad |= add_pictures(o, v, key);
    bad |= json_object_set_new(o, "subtitles", subtitles_json(&p->subtitles, key));
    bad |= json_object_set_new(o, "renditions",
                               video_json_renditions(p->renditions, p->n_renditions));
    bad |= json_object_set_new(o, "warning", text_or_null(v->warning));
    return whole_or_null(o, bad);
}
