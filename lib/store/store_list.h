/*
 * store_list.h: videos one after another. A part of store.h, which includes it.
 */
#ifndef DROPSTREAM_STORE_LIST_H
#define DROPSTREAM_STORE_LIST_H

#include "store.h"

enum video_sort { SORT_NEWEST, SORT_OLDEST, SORT_TITLE };

struct video_query {
    const char *q; /* substring of title or filename; NULL or "": all. The case
                    * of ASCII letters makes no difference */
    enum video_sort sort;
    int limit;         /* 1..200 */
    const char *after; /* id of the last video of the page before; NULL: first page */
    int64_t user_id;   /* who asks: those for everyone are shown, and their own */
    bool all;          /* all are shown, whoever asks */
    bool mine;         /* only their own are, whatever else is set; of user 0 those that
                        * are nobody's */
};

/*
 * Calls cb, which may use st for anything, for each video of the page that who asks may
 * see; one whose first bytes were not seen yet is on none.
 * Videos of one sort key are ordered by id; titles by their letters in any (ASCII)
 * case. *more: there is another page. RC_NOT_FOUND: `after` names no video, or
 * none that they may see. RC_INVALID: limit or sort out of range. What cb returned if
 * not RC_OK.
 */
enum rc store_video_list(struct store *st, const struct video_query *query,
                         enum rc (*cb)(void *arg, const struct video *v), void *arg,
                         bool *more);

/* Each video that is not marked deleted, in the order of ids, those too whose first
 * bytes were not seen yet; as those below. */
enum rc store_video_each(struct store *st,
                         enum rc (*cb)(void *arg, const struct video *v), void *arg);

/* Each video that is marked deleted, or (receiving) still being uploaded and its first
 * bytes seen, in the order of ids. cb may change or purge it. What cb returned if not
 * RC_OK. */
enum rc store_video_each_deleted(struct store *st,
                                 enum rc (*cb)(void *arg, const struct video *v),
                                 void *arg);
enum rc store_video_each_receiving(struct store *st,
                                   enum rc (*cb)(void *arg, const struct video *v),
                                   void *arg);

#endif
