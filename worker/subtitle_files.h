/*
 * subtitle_files.h: subtitles as renditions: their files, and how a master names them.
 *
 * htdocs/media/<root>/subs/ holds <name>.vtt and <name>.m3u8 of each. What is in the
 * store can always be made again; what is not is taken away.
 */
#ifndef DROPSTREAM_SUBTITLE_FILES_H
#define DROPSTREAM_SUBTITLE_FILES_H

#include "playlist.h"
#include "worker.h"

#define SUBTITLE_FOLDER "subs"

/* What a master says of subtitles, with the strings that its structs point to. */
struct subtitle_renditions {
    struct playlist_subtitles v[STORE_SUBTITLES_MAX];
    size_t n;
    char uris[STORE_SUBTITLES_MAX][LANGUAGE_SLOT_MAX + 16];
    char names[STORE_SUBTITLES_MAX][STORE_LABEL_MAX + 32];
};

/* Those that are published, each under a name of its own. Pure; *all has to live as
 * long as *out, which is not to be copied. */
void subtitle_renditions(const struct subtitles *all, struct subtitle_renditions *out);

/*
 * Brings the files and then the master of the task's video up to date with the store.
 * RC_FENCED: the job is another's by now, and nothing was touched. RC_NOSPACE, RC_IO,
 * RC_NOT_FOUND (the video is gone) and what the store says.
 */
enum rc subtitle_files_publish(struct task *t);

#endif
