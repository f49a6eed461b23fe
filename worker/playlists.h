/*
 * playlists.h: writes the playlists of a video from its stored renditions.
 */
#ifndef DROPSTREAM_PLAYLISTS_H
#define DROPSTREAM_PLAYLISTS_H

#include "rc.h"
#include "bounds.h"
#include "site.h"
#include "staging.h"
#include "store.h"

#include <stddef.h>

/* "360p-1": the folder of a rendition in its generation. In playlists_folder.c, for
 * whoever writes none. */
void playlists_folder(const struct rendition *r, char out[STORE_RENDITION_MAX + 16]);

/*
 * Writes <rendition>-<generation>/index.m3u8 of each that promises something and is not
 * a copy, and then master.m3u8 and player.m3u8 over what is there: the first lists what
 * can be played by now, the second all that is planned. open: more is to come, and they
 * have no end yet. Of subs those are named that are published. A file that says so
 * already stays; *wrote is set to true if any was written. RC_PENDING as staging_put.
 * RC_IO, RC_NOSPACE, RC_NOMEM, RC_NOT_FOUND (the folder of the video is gone). Only
 * video_lists.h calls this.
 */
enum rc playlists_write(const struct site *site, struct staging *staging,
                        const char *root, const struct rendition *renditions, size_t n,
                        bool open, const struct subtitles *subs, bool *wrote);

/* Likewise that of a copy, which never changes, and no other. */
enum rc playlists_write_cut(const struct site *site, struct staging *staging,
                            const char *root, const struct rendition *r,
                            const struct bounds *bounds);

/* Likewise that of one rendition, and no other. */
enum rc playlists_write_media(const struct site *site, struct staging *staging,
                              const char *root, const struct rendition *r, bool open);

#define PLAYLISTS_FDS (2 * STORE_RENDITIONS_MAX + 4)

/* Opens all of them and their folders, up to that of all media, for a sync; *n is how
 * many, which are the caller's. RC_IO, RC_NOT_FOUND as above. */
enum rc playlists_open_all(const struct site *site, const char *root,
                           const struct rendition *renditions, size_t n,
                           int fds[PLAYLISTS_FDS], size_t *n_fds);

#endif
