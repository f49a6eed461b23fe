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

/* Files that a job has written; names may have come and gone meanwhile. */
#define SUBTITLE_WRITTEN_MAX (2 * STORE_SUBTITLES_MAX)

struct subtitle_written {
    char name[LANGUAGE_SLOT_MAX + 1];
    int64_t version; /* of its text */
};

struct subtitle_files {
    struct subtitles all; /* those that have a text; their files are of that */
    struct subtitle_written written[SUBTITLE_WRITTEN_MAX];
    size_t n_written; /* 0: all of them were right already */
};

/*
 * Brings the files of the task's video up to date with the store. Whatever it returns,
 * what it has written is no older than what another job wrote meanwhile. RC_FENCED: the
 * job is another's by now, and nothing was touched. RC_PENDING: it is called again once
 * staging_wait says so, as some of them replace others. RC_NOSPACE, RC_IO, RC_NOT_FOUND
 * (the video is gone), RC_BUSY (they change all the time) and what the store says.
 */
enum rc subtitle_files_write(struct task *t, struct subtitle_files *out);

/* Into t->args: sync(1) of what was written. RC_TOO_LARGE, RC_INVALID. */
enum rc subtitle_files_sync(struct task *t, const struct subtitle_files *f);

/* Then: says in the store that the files exist, has the master follow, and takes away
 * what is not in the store. As subtitle_files_write; RC_PENDING: it all begins again,
 * with that. */
enum rc subtitle_files_publish(struct task *t, struct subtitle_files *f);

#endif
