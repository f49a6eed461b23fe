/*
 * api.h: the pages of api.fcgi.
 *
 * A page is one function for one method of one URL; api.c has the table. A new page
 * is a function here, its place in a file of its subject, and a line in the table.
 * Each page answers its call exactly once.
 */
#ifndef DROPSTREAM_API_H
#define DROPSTREAM_API_H

#include "app.h"
#include "fcgi.h"
#include "id.h"
#include "rc.h"
#include "store.h"

struct api_call {
    struct request *r;
    struct app *app;
    struct store *st;    /* held for this call; NULL for pages that need none */
    char id[ID_LEN + 1]; /* the id in the URL, "" if it has none */
    char rest[64];       /* what follows in it, "" if nothing does */
    const char *body;    /* the request's, with a NUL after it; NULL for pages that
                          * take none */
    size_t body_size;
};

/* Answers with rc, and logs what the database said if the failure is the server's. */
void api_fail(struct api_call *call, enum rc rc);

/* 400 that names the query parameter or field that is wrong. */
void api_bad_parameter(struct api_call *call, const char *message);

/* ---- api_videos.c */
/* Answers with the video of the call as it is now. */
void api_send_video(struct api_call *call, int status);
void api_video_list(struct api_call *call);
void api_video_get(struct api_call *call);
void api_video_patch(struct api_call *call);
void api_video_delete(struct api_call *call);
void api_video_retry(struct api_call *call);

/* Answers with the video of the URL as it is now. */
void api_send_video(struct api_call *call, int status);

/* ---- api_poster.c */
void api_video_poster(struct api_call *call);

/* ---- api_subtitles.c */
void api_subtitles_put(struct api_call *call);
void api_subtitles_delete(struct api_call *call);

/* ---- api_segments.c */
void api_video_segments(struct api_call *call);

/* ---- api_activity.c */
void api_activity_list(struct api_call *call);

/* ---- api_health.c */
void api_health_get(struct api_call *call);

#endif
