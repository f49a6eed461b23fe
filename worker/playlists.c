#include "playlists.h"

#include "mediadir.h"
#include "playlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void playlists_folder(const struct rendition *r, char out[STORE_RENDITION_MAX + 16])
{
    snprintf(out, STORE_RENDITION_MAX + 16, "%s-%d", r->name, r->generation);
}

enum rc playlists_write_media(const struct site *site, int tmp_fd, const char *root,
                              const struct rendition *r, bool open)
{
    struct grid g = {r->rate_num, r->rate_den, r->gop, r->frames};
    char folder[STORE_RENDITION_MAX + 16];
    char *text = NULL;
    int fd = -1;

    playlists_folder(r, folder);
    enum rc rc = mediadir_open(site, root, folder, true, &fd);
    if (rc == RC_OK)
        rc = open ? playlist_event(&g, &text) : playlist_media(&g, &text);
    if (rc == RC_OK)
        rc = mediafile_put(tmp_fd, fd, "index.m3u8", text, strlen(text), true);
    free(text);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* What a master needs, with the strings that its structs point to. */
struct master {
    struct playlist_variant variants[STORE_RENDITIONS_MAX];
    struct playlist_audio audio[STORE_RENDITIONS_MAX];
    size_t n_variants, n_audio;
    char uris[STORE_RENDITIONS_MAX][STORE_RENDITION_MAX + 32];
    char codecs[STORE_RENDITIONS_MAX][2 * STORE_CODEC_MAX + 2];
};

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
    };
}

static enum rc write_master(const struct site *site, int tmp_fd, const char *root,
                            const struct rendition *renditions, size_t n)
{
    struct master m = {.n_variants = 0};
    const struct rendition *audio = NULL;
    char *text = NULL;
    int fd = -1;

    for (size_t i = 0; i < n; i++)
        if (renditions[i].kind == RENDITION_AUDIO && !audio)
            audio = &renditions[i];
    for (size_t i = 0; i < n; i++) {
        char folder[STORE_RENDITION_MAX + 16];
        playlists_folder(&renditions[i], folder);
        snprintf(m.uris[i], sizeof(m.uris[i]), "%s/index.m3u8", folder);
        if (renditions[i].kind == RENDITION_VIDEO)
            add_variant(&m, &renditions[i], m.uris[i], audio);
        else
            m.audio[m.n_audio++] =
                (struct playlist_audio){.uri = m.uris[i],
                                        .name = "Audio",
                                        .is_default = &renditions[i] == audio};
    }
    enum rc rc = playlist_master(m.variants, m.n_variants, m.audio, m.n_audio, &text);
    if (rc == RC_OK)
        rc = mediadir_open(site, root, "", false, &fd);
    if (rc == RC_OK)
        rc = mediafile_put(tmp_fd, fd, "master.m3u8", text, strlen(text), true);
    if (rc == RC_OK)
        rc = mediafile_put(tmp_fd, fd, "player.m3u8", text, strlen(text), true);
    free(text);
    if (fd >= 0)
        close(fd);
    return rc;
}

enum rc playlists_write(const struct site *site, int tmp_fd, const char *root,
                        const struct rendition *renditions, size_t n, bool open)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = playlists_write_media(site, tmp_fd, root, &renditions[i], open);
    return rc == RC_OK ? write_master(site, tmp_fd, root, renditions, n) : rc;
}
