#include "playlists.h"

#include "language.h"
#include "log.h"
#include "mediadir.h"
#include "playlist.h"
#include "subtitle_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is pending keeps nothing else from being begun. */
static bool goes_on(enum rc rc)
{
    return rc == RC_OK || rc == RC_PENDING;
}

static enum rc worse(enum rc rc, enum rc one)
{
    return one == RC_OK ? rc : one;
}

/* The text is freed. */
static enum rc put_media(const struct site *site, struct staging *staging,
                         const char *root, const struct rendition *r, char *text,
                         bool *wrote)
{
    char folder[STORE_RENDITION_MAX + 16];
    int fd = -1;

    playlists_folder(r, folder);
    enum rc rc = mediadir_open(site, root, folder, true, &fd);
    if (rc == RC_OK)
        rc = staging_put(staging, fd, "index.m3u8", text, strlen(text), wrote);
    free(text);
    if (fd >= 0)
        close(fd);
    return rc;
}

enum rc playlists_write_cut(const struct site *site, struct staging *staging,
                            const char *root, const struct rendition *r,
                            const struct bounds *bounds)
{
    char *text = NULL;
    bool wrote;
    enum rc rc = playlist_media_cut(bounds, &text);
    return rc == RC_OK ? put_media(site, staging, root, r, text, &wrote) : rc;
}

static enum rc write_media(const struct site *site, struct staging *staging,
                           const char *root, const struct rendition *r, bool open,
                           bool *wrote)
{
    struct grid g = {r->rate_num, r->rate_den, r->gop, r->frames};
    char *text = NULL;
    enum rc rc = open ? playlist_event(&g, &text) : playlist_media(&g, &text);
    return rc == RC_OK ? put_media(site, staging, root, r, text, wrote) : rc;
}

enum rc playlists_write_media(const struct site *site, struct staging *staging,
                              const char *root, const struct rendition *r, bool open)
{
    bool wrote;
    return write_media(site, staging, root, r, open, &wrote);
}

/* What a master needs, with the strings that its structs point to. */
struct master {
    struct playlist_variant variants[STORE_RENDITIONS_MAX];
    struct playlist_audio audio[STORE_RENDITIONS_MAX];
    size_t n_variants, n_audio;
    char uris[STORE_RENDITIONS_MAX][STORE_RENDITION_MAX + 32];
    char codecs[STORE_RENDITIONS_MAX][2 * STORE_CODEC_MAX + 2];
    char names[STORE_RENDITIONS_MAX][STORE_LABEL_MAX + 16]; /* of audio */
};

/* Of a copy, which has the colours of the source (RFC 8216bis s. 4.4.6.2). */
static const char *video_range(const struct rendition *r)
{
    if (!r->copied)
        return NULL;
    if (strstr(r->colour, "/smpte2084"))
        return "PQ";
    return strstr(r->colour, "/arib-std-b67") ? "HLG" : NULL;
}

/* True for what can be played by now: what is there, or made in no time. */
static bool is_playable(const struct rendition *r)
{
    if (!r->extra)
        return true;
    return r->segments > 0 && (r->copied || r->done == r->segments);
}

/* RFC 8216 s. 4.3.4.2: a variant's bandwidth is that of the worst mix of its
 * renditions, and its codecs are those of all of them. */
static void add_variant(struct master *m, const struct rendition *r, const char *uri,
                        const struct rendition *audio)
{
    char *codecs = m->codecs[m->n_variants];
    int64_t audio_rate = audio ? audio->bitrate : 0;
    int64_t audio_average = audio ? audio->average_bitrate : 0;
    snprintf(codecs, sizeof(m->codecs[0]), "%s%s%s", r->codecs, audio ? "," : "",
             audio ? audio->codecs : "");
    m->variants[m->n_variants++] = (struct playlist_variant){
        .uri = uri,
        .bandwidth = r->bitrate + audio_rate,
        .average_bandwidth =
            r->average_bitrate ? r->average_bitrate + audio_average : 0,
        .codecs = codecs,
        .width = r->width,
        .height = r->height,
        .rate_num = r->rate_num,
        .rate_den = r->rate_den,
        .video_range = video_range(r),
    };
}

static bool is_taken(const struct master *m, const char *name)
{
    for (size_t i = 0; i < m->n_audio; i++)
        if (strcmp(m->names[i], name) == 0)
            return true;
    return false;
}

/* A name is for people and one of a kind in its group (RFC 8216 s. 4.3.4.1.1); a quoted
 * string holds no double quote. The first one is what is heard unless someone chooses.
 */
static void add_audio(struct master *m, const struct rendition *r, const char *uri)
{
    char *name = m->names[m->n_audio], plain[STORE_LABEL_MAX + 1];
    const char *language = language_name(r->language);
    snprintf(plain, sizeof(plain), "%s",
             *r->label      ? r->label
             : language     ? language
             : *r->language ? r->language
                            : "Audio");
    for (char *c = plain; *c; c++)
        if (*c == '"')
            *c = '\'';
    snprintf(name, sizeof(m->names[0]), "%s", plain);
    for (int k = 2; is_taken(m, name) && k <= STORE_RENDITIONS_MAX; k++)
        snprintf(name, sizeof(m->names[0]), "%s %d", plain, k);
    m->audio[m->n_audio] =
        (struct playlist_audio){.uri = uri,
                                .name = name,
                                .language = *r->language ? r->language : NULL,
                                .is_default = m->n_audio == 0,
                                .channels = r->channels};
    m->n_audio++;
}

/* What the sound of a variant may come to: of its tracks a player plays any one, and so
 * the worst counts. Returns false if there is none. */
static bool worst_sound(const struct rendition *all, size_t n, struct rendition *out)
{
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        const struct rendition *r = &all[i];
        if (r->kind != RENDITION_AUDIO)
            continue;
        if (!found)
            *out = *r;
        found = true;
        if (r->bitrate > out->bitrate)
            out->bitrate = r->bitrate;
        if (r->average_bitrate > out->average_bitrate)
            out->average_bitrate = r->average_bitrate;
    }
    return found;
}

/* The text of a master of all renditions, or of those that can be played. */
static enum rc master_text(const struct rendition *renditions, size_t n, bool all,
                           const struct subtitles *subs, char **out)
{
    struct subtitle_renditions text_tracks;
    struct master m = {.n_variants = 0};
    struct rendition sound;
    const struct rendition *audio = worst_sound(renditions, n, &sound) ? &sound : NULL;

    for (size_t i = 0; i < n; i++) {
        char folder[STORE_RENDITION_MAX + 16];
        playlists_folder(&renditions[i], folder);
        snprintf(m.uris[i], sizeof(m.uris[i]), "%s/index.m3u8", folder);
        if (renditions[i].kind == RENDITION_AUDIO)
            add_audio(&m, &renditions[i], m.uris[i]);
        else if (all || is_playable(&renditions[i]))
            add_variant(&m, &renditions[i], m.uris[i], audio);
    }
    subtitle_renditions(subs, &text_tracks);
    return playlist_master(m.variants, m.n_variants, m.audio, m.n_audio, text_tracks.v,
                           text_tracks.n, out);
}

static const char *const masters[] = {"master.m3u8", "player.m3u8"};

static enum rc write_master(const struct site *site, struct staging *staging,
                            const char *root, const struct rendition *renditions,
                            size_t n, const struct subtitles *subs, bool *wrote)
{
    int fd = -1;
    enum rc rc = mediadir_open(site, root, "", false, &fd);
    for (int i = 0; i < 2 && goes_on(rc); i++) {
        char *text = NULL;
        enum rc one = master_text(renditions, n, i == 1, subs, &text);
        if (one == RC_OK)
            one = staging_put(staging, fd, masters[i], text, strlen(text), wrote);
        free(text);
        rc = worse(rc, one);
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

enum rc playlists_write(const struct site *site, struct staging *staging,
                        const char *root, const struct rendition *renditions, size_t n,
                        bool open, const struct subtitles *subs, bool *wrote)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && goes_on(rc); i++)
        if (!renditions[i].copied && renditions[i].segments > 0)
            rc = worse(rc,
                       write_media(site, staging, root, &renditions[i], open, wrote));
    if (goes_on(rc))
        rc = worse(rc, write_master(site, staging, root, renditions, n, subs, wrote));
    return rc;
}

/* Opens files of a folder, and itself, behind those that are there. */
static enum rc open_folder(const struct site *site, const char *root, const char *sub,
                           const char *const *names, size_t n, int *fds, size_t *n_fds)
{
    int fd;
    size_t more = 0;
    enum rc rc = mediadir_open(site, root, sub, false, &fd);
    if (rc != RC_OK)
        return rc;
    rc = mediadir_open_all(fd, names, n, fds + *n_fds, &more);
    *n_fds += more;
    close(fd);
    return rc;
}

enum rc playlists_open_all(const struct site *site, const char *root,
                           const struct rendition *renditions, size_t n,
                           int fds[PLAYLISTS_FDS], size_t *n_fds)
{
    static const char *const media[] = {"index.m3u8"};
    enum rc rc = RC_OK;
    size_t k = 0;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        char folder[STORE_RENDITION_MAX + 16];
        playlists_folder(&renditions[i], folder);
        rc = open_folder(site, root, folder, media, 1, fds, &k);
        if (rc == RC_NOT_FOUND) /* of a copy that is not cut yet */
            rc = RC_OK;
    }
    if (rc == RC_OK)
        rc = open_folder(site, root, "", masters, 2, fds, &k);
    if (rc == RC_OK)
        rc = site_open_media(site, &fds[k]);
    if (rc == RC_OK) {
        *n_fds = k + 1;
        return RC_OK;
    }
    for (size_t i = 0; i < k; i++)
        close(fds[i]);
    return rc;
}
