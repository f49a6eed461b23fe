/*
 * old_folders.h: folders of renditions, and of videos, that are no more, some files of
 * which are removed in each turn of the loop: a day has 43,200, and who waits for a
 * segment waits meanwhile.
 *
 * Names of the former have a generation, those of the latter are random, so they are
 * not made again. What is left of a rendition's where the worker ends, or cannot remove
 * it, goes with the video; what is left of a video's, with its row (sweep.h).
 */
#ifndef DROPSTREAM_OLD_FOLDERS_H
#define DROPSTREAM_OLD_FOLDERS_H

#include "worker.h"

/* Removes htdocs/media/<root>/<name>, name "" being the video's folder itself: at once
 * if it has few files and no other one is on its way, else in later turns. A failure is
 * logged. */
void old_folders_remove(struct worker *w, const char *root, const char *name);

/* … that of a rendition in its generation. */
void old_folders_remove_rendition(struct worker *w, const char *root,
                                  const struct rendition *r);

/* The worker stops. */
void old_folders_close(struct worker *w);

#endif
