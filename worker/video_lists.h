/*
 * video_lists.h: the playlists of a video follow what the store says of it.
 *
 * Invariant: whoever has changed a video's renditions or subtitles in the store calls
 * lists_follow afterwards. It looks again after each write, so whichever of several
 * workers writes last has seen what all of them have changed. The store counts these
 * changes (store_lists.h), so that one whose worker died first is followed by the next
 * sweep, of that worker started again or of another one.
 */
#ifndef DROPSTREAM_VIDEO_LISTS_H
#define DROPSTREAM_VIDEO_LISTS_H

#include "worker.h"

/* Makes htdocs/media/<root> of v, if it is not there. RC_NOT_FOUND: the video was
 * deleted meanwhile, and the folder goes again. RC_IO, RC_NOSPACE, RC_NOMEM, RC_BUSY.
 */
enum rc lists_make_folder(struct worker *w, const struct video *v);

/* Writes what the store is about to be told: the playlists of v with these renditions,
 * in place of its own ones, and the subtitles that are published. open as for
 * playlists_write, whose codes it returns; RC_NOT_FOUND also for a deleted video.
 * RC_PENDING: the store is not to be told yet, but this called again when
 * staging_wait says so. */
enum rc lists_write(const struct worker *w, const struct video *v,
                    const struct rendition *renditions, size_t n, bool open);

/* Whoever called lists_write ends, and the store was not told, or took something else:
 * the playlists say again what it says; and of a video that was deleted meanwhile,
 * whose files may have been taken away before, nothing stays. A failure is logged. */
void lists_take_back(struct worker *w, const struct video *v);

/* Writes what the store says by now, unless the files do so already, and tells the
 * store that they do, once they are on disk with their names. Nothing, where there is
 * no plan. RC_PENDING: they will, as soon as the disk has what is to replace them. A
 * failure, also a later one, is logged, and leaves files that play and follow later. */
enum rc lists_follow(struct worker *w, const char *video_id);

/* As lists_follow; once no playlist names them any more, the folders of these n
 * renditions, which the store has forgotten, are removed. */
void lists_follow_without(struct worker *w, const struct video *v,
                          const struct rendition *gone, size_t n);

/* True while so many videos' playlists wait for the disk that no more are to be looked
 * at which nobody waits for. */
bool lists_are_many(const struct worker *w);

/* Nothing more is waited for: the worker stops. */
void lists_close(struct worker *w);

#endif
