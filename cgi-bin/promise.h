/*
 * promise.h: which files of a video will exist, by what its row and its plan say.
 *
 * A generation of a rendition never changes the number of its segments. So a file that
 * was promised once is so until its video is deleted or fails, its rendition is removed
 * or begun anew as another generation, or the key by which it was asked for is revoked.
 */
#ifndef DROPSTREAM_PROMISE_H
#define DROPSTREAM_PROMISE_H

#include "clock.h"
#include "media_path.h"
#include "rc.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>

struct promise {
    char video_id[ID_LEN + 1];
    enum rendition_kind kind;
};

/* RC_NOT_FOUND: the file at path will never be. */
enum rc promise_find(struct store *st, const struct media_path *path,
                     struct promise *out);

/* Likewise, for who has just found the video of its key. */
enum rc promise_of(struct store *st, const struct video *video,
                   const struct media_path *path, struct promise *out);

/* One thread's view of what is promised, with a store handle of its own. */
struct promise_watch;

/* For the database at path; opens nothing yet. RC_NOMEM. */
enum rc promise_watch_open(const char *path, const struct clock *clock,
                           struct promise_watch **out);
void promise_watch_close(struct promise_watch *w); /* NULL is legal */

/*
 * Of n files that were promised, finds the folders of which that is no longer true:
 * files then begins with one path of each, and their number is returned. The store is
 * asked once a folder, and only if it has changed since the last call or `fresh` says
 * that files has some which were not in that one. Whatever it cannot tell is not
 * broken, and is asked again by the next call.
 */
size_t promise_broken(struct promise_watch *w, bool fresh, struct media_path *files,
                      size_t n);

#endif
