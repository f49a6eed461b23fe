/*
 * api.h: the pages of api.fcgi.
 *
 * A page is one function for one method of one URL; api.c has the table. A new page is
 * a function here, its place in a file of its subject, a line in the table, and a row
 * in the matrix of tests/http/access.test.mjs. Each page answers its call exactly once.
 */
#ifndef DROPSTREAM_API_H
#define DROPSTREAM_API_H

#include "app.h"
#include "fcgi.h"
#include "id.h"
#include "identity.h"
#include "rc.h"
#include "store.h"
#include "store_accounts.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api_call {
    struct request *r;
    struct app *app;
    struct identity who;
    enum want want;   /* what the table of api.c says */
    struct store *st; /* held for this call; NULL for pages that take one themselves */
    char id[64];      /* what the first star of the URL stands for, "" if it has none */
    char rest[64];    /* likewise the second one */
    struct video video; /* below /api/videos/: the one of that id, as it was found */
    const char *body;   /* the request's, with a NUL after it; NULL for pages that take
                         * none */
    size_t body_size;
    bool lasts;        /* what it changes is on disk for good before it is answered */
    bool slowly;       /* it is in a thread of the lane by now */
    bool wants_slowly; /* set by api_slowly */
    struct {
        char about[STORE_USER_MAX + 32]; /* "": nothing */
        char rest[STORE_ADDRESS_MAX + 8];
    } late; /* of pages that are SLOW: a warning about accounts, which goes to the
             * activity log once the answer is sent (store_activity_add_rarely) */
};

/* ---- api_call.c */

/* Answers with rc, and logs what the database said if the failure is the server's. */
void api_fail(struct api_call *call, enum rc rc);

/* Answers with {"<name>": rows}, or with rc where that is no RC_OK; rows are taken. */
void api_send_list(struct api_call *call, const char *name, json_t *rows, enum rc rc);

/* Answers with an error; message is a sentence. */
void api_refuse(struct api_call *call, int status, const char *code,
                const char *message);

/* 400 that names the query parameter that is wrong. */
void api_bad_parameter(struct api_call *call, const char *message);

/* True if who asks may do that with a video; else it is answered. */
bool api_may(struct api_call *call, enum want want, const struct video *video);

/* Takes away the keys that are marked revoked of a video ("": of all), so that this is
 * done with the answer. What fails is logged, and left to the worker. */
void api_end_revoked(struct api_call *call, const char *video_id);

/* Likewise of what sessions have that have ended: whoever had them watches no more. */
void api_end_sessions(struct api_call *call);

/* Notes, behind the answer, that somebody watches the video, whose page asks again and
 * again. The call holds a handle. */
void api_watched(struct api_call *call, const char *video_id);

/* Takes a handle for a part of the page, to be given back by api_give_store; false: the
 * call is answered. What is changed by it is changed for who asks (store_act_for): so a
 * right that has ended since the gate ends there. */
bool api_take_store(struct api_call *call);
void api_give_store(struct api_call *call);

/*
 * True in the threads in which passwords are reckoned. False: the page returns at once
 * without an answer, and is run again from its start in one of those, with the same
 * body. So a page first refuses, here and for little, what it can refuse without a
 * password, and only then asks for this. For pages that are SLOW in the table.
 */
bool api_slowly(struct api_call *call);

/* ---- api_body.c: the body as a JSON object */

/* NULL: it is none, or has a key that is not in keys ("title visibility"), or there is
 * no memory for it; that is answered. Else it is the caller's. */
json_t *api_object(struct api_call *call, const char *keys);

/* 422 with a sentence of what is wrong with a field. */
void api_bad_field(struct api_call *call, const char *message);

/* The texts and flags in it; each false where the field is there but
 * wrong, which is answered. *out stays as it is where it is missing, or null. Text is
 * at most max bytes of UTF-8 and lives as long as the object. */
bool api_text(struct api_call *call, const json_t *object, const char *key, size_t max,
              const char **out);
bool api_flag(struct api_call *call, const json_t *object, const char *key, bool *out);

/* expires_in, seconds from now, from a minute to ten years: *out_ms is when that is, by
 * the wall clock. */
bool api_expires(struct api_call *call, const json_t *object, int64_t *out_ms);

/* As api_text for one that has to be there. */
bool api_need_text(struct api_call *call, const json_t *object, const char *key,
                   size_t max, const char **out);

/* ---- api_tries.c: what can be guessed */

/* Whom a try counts against. */
struct api_tries {
    struct try_subject subjects[3]; /* point into the texts below */
    size_t n;
    char texts[3][96];
};

/* Of a password of an account, of one of a share, and of a set-up link; all by where it
 * comes from. */
void api_tries_of_account(const struct api_call *call, const char *name,
                          struct api_tries *out);
void api_tries_of_share(const struct api_call *call, const char *token,
                        struct api_tries *out);
void api_tries_of_address(const struct api_call *call, struct api_tries *out);

/* True if what is tried may be looked at. In the threads where that is done
 * (api_slowly) it counts as failed until api_tried_well says otherwise. Else that is
 * answered, with 429. The call holds a handle for both. */
bool api_try(struct api_call *call, const struct api_tries *tries);
void api_tried_well(struct api_call *call, const struct api_tries *tries);

/* ---- api_videos.c */
/* Answers with the video of the call as it is now. */
void api_send_video(struct api_call *call, int status);
void api_video_list(struct api_call *call);
void api_video_get(struct api_call *call);
void api_video_patch(struct api_call *call);
void api_video_delete(struct api_call *call);
void api_video_retry(struct api_call *call);
void api_video_rekey(struct api_call *call);

/* ---- api_poster.c */
void api_video_poster(struct api_call *call);

/* ---- api_subtitles.c */
void api_subtitles_put(struct api_call *call);
void api_subtitles_delete(struct api_call *call);

/* ---- api_segments.c */
/* Answers with the segments of the call's video. */
void api_video_segments(struct api_call *call);

/* ---- api_original.c */
/* Answers with the stored file of the call's video. */
void api_video_original(struct api_call *call);

/* ---- api_shares.c: who may watch by a link */
void api_share_list(struct api_call *call);
void api_share_add(struct api_call *call);
void api_share_delete(struct api_call *call);

/* ---- api_share.c: who has a link */
void api_share_get(struct api_call *call);
void api_share_unlock(struct api_call *call);
void api_share_segments(struct api_call *call);
void api_share_original(struct api_call *call);

/* ---- api_embed.c: the page that other sites may show in theirs */
void api_embed(struct api_call *call);

/* ---- api_session.c */
#define API_BAD_NAME                                                                   \
    "A name must have 1 to 32 of the letters A-Z and a-z, digits and . _ -, and "      \
    "begin "                                                                           \
    "with a letter or a digit."

/* True if a new password will do; else it is answered, with 422. */
bool api_password_will_do(struct api_call *call, const char *password);
void api_session_get(struct api_call *call);
void api_session_begin(struct api_call *call);
void api_session_end(struct api_call *call);
void api_setup(struct api_call *call);

/* ---- api_account.c */
void api_sessions_list(struct api_call *call);
void api_sessions_delete(struct api_call *call);
void api_tokens_list(struct api_call *call);
void api_tokens_add(struct api_call *call);
void api_tokens_delete(struct api_call *call);

/* ---- api_users.c */
void api_users_list(struct api_call *call);
void api_users_add(struct api_call *call);
void api_users_patch(struct api_call *call);
void api_users_delete(struct api_call *call);

/* ---- api_activity.c */
void api_activity_list(struct api_call *call);

/* ---- api_health.c */
void api_health_get(struct api_call *call);

#endif
