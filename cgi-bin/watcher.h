/*
 * watcher.h: tells which files appear in the folders that someone waits in (inotify).
 *
 * Any thread may add and drop folders, one thread reads. A folder is watched as often
 * as it was added; the last drop ends that. Where the kernel gives no watch (no
 * inotify, its limits, no such folder) nothing is told: look at the files now and then,
 * too.
 */
#ifndef DROPSTREAM_WATCHER_H
#define DROPSTREAM_WATCHER_H

#include "rc.h"

#include <stdbool.h>

struct watcher;

/* Of folders below the folder base; without inotify, with a line in the log, it only
 * never tells of anything. RC_NOMEM. */
enum rc watcher_open(const char *base, struct watcher **out);
void watcher_close(struct watcher *w);

/* For poll(2); readable when there is something to tell. -1: never. */
int watcher_fd(const struct watcher *w);

/*
 * Watches base/folder, if the kernel lets it. A file that appears there (link, rename,
 * create) after this returned is told. RC_NOMEM, and then there is nothing to drop.
 */
enum rc watcher_add(struct watcher *w, const char *folder);
void watcher_drop(struct watcher *w, const char *folder);

/*
 * Calls cb for each file that appeared since, without waiting, with the folder's name
 * as it was added; under each of its names if it has several. cb must not call into w.
 * *lost: more happened than the kernel could remember.
 */
void watcher_read(struct watcher *w,
                  void (*cb)(void *arg, const char *folder, const char *name),
                  void *arg, bool *lost);

#endif
