/*
 * accounts_fixture.h: users, whose videos are whose, and two handles that do something
 * at the same moment.
 */
#ifndef DROPSTREAM_TEST_ACCOUNTS_FIXTURE_H
#define DROPSTREAM_TEST_ACCOUNTS_FIXTURE_H

#include "store_accounts.h"
#include "store_fixture.h"
#include "store_grants.h"

#include <pthread.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

#define FIXTURE_PASSWORD "$y$hash" /* of each user */

static inline int64_t fixture_user(struct fixture *f, const char *name,
                                   enum user_role role)
{
    int64_t id = 0;

    assert_int_equal(store_user_add(f->st, name, role, FIXTURE_PASSWORD, &id), RC_OK);
    return id;
}

/* A private video of a user (0: nobody). */
static inline struct video fixture_video_of(struct fixture *f, int64_t owner_id,
                                            const char *title)
{
    struct video_new n = {.container = CONTAINER_MP4,
                          .size = -1,
                          .created_ms = f->wall_ms,
                          .owner_id = owner_id};
    struct video v;

    snprintf(n.title, sizeof(n.title), "%s", title);
    snprintf(n.filename, sizeof(n.filename), "%s.mp4", title);
    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
    return v;
}

/* One that has come in whole. */
static inline struct video fixture_stored_of(struct fixture *f, int64_t owner_id,
                                             const char *title)
{
    struct video v = fixture_video_of(f, owner_id, title);

    assert_int_equal(store_video_stored(f->st, v.id, 1, &v), RC_OK);
    return v;
}

static inline void fixture_hash(const char *secret, uint8_t out[SECRET_HASH_SIZE])
{
    secret_hash(secret, strlen(secret), out);
}

/* The grant of a user; "" if there is none to be had. */
static inline struct grant fixture_grant(struct fixture *f, const struct video *v,
                                         int64_t user_id)
{
    struct grant g = {.key = ""};
    enum rc rc = store_grant_user(f->st, v->id, user_id, &g);

    assert_true(rc == RC_OK || rc == RC_NOT_FOUND);
    return g;
}

static inline bool fixture_opens(struct fixture *f, const char *key)
{
    struct grant g;
    struct video v;
    enum rc rc = store_grant_by_key(f->st, key, &g, &v);

    assert_true(rc == RC_OK || rc == RC_NOT_FOUND);
    return rc == RC_OK;
}

/* ---- at the same moment ------------------------------------------------------ */

struct racer {
    pthread_t thread;
    pthread_barrier_t *barrier;
    struct store *st;
    enum rc (*run)(struct store *st, void *arg);
    void *arg;
    enum rc rc;
};

static inline void *racer_thread(void *arg)
{
    struct racer *r = arg;

    pthread_barrier_wait(r->barrier);
    r->rc = r->run(r->st, r->arg);
    return NULL;
}

/* Runs both, each by a handle of its own. */
static inline void race(struct fixture *f, struct racer racers[2])
{
    pthread_barrier_t barrier;

    pthread_barrier_init(&barrier, NULL, 2);
    for (int i = 0; i < 2; i++) {
        racers[i].barrier = &barrier;
        racers[i].st = fixture_handle(f);
        assert_int_equal(
            pthread_create(&racers[i].thread, NULL, racer_thread, &racers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
        store_close(racers[i].st);
    }
    pthread_barrier_destroy(&barrier);
}

#endif
