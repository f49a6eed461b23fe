/*
 * schedule_fixture.h: a state for the scheduler, put together piece by piece. Two
 * cores, three slots and five runs, unless a test says otherwise. A rendition's
 * segments are written as text: '#' exists, '.' does not.
 */
#ifndef DROPSTREAM_TEST_SCHEDULE_FIXTURE_H
#define DROPSTREAM_TEST_SCHEDULE_FIXTURE_H

#include "check.h"
#include "schedule.h"

#include <stdio.h>
#include <string.h>

#define LONG_AGO SCHEDULE_NEVER_MS

static struct schedule s;
static struct schedule_rendition renditions[16];
static struct schedule_run runs[16];
static struct schedule_demand demands[2048];
static struct segments have[16];
static uint8_t bits[16][32];
static int64_t again_ms;
static bool serves[SCHEDULE_RUNS_MAX];

static inline int setup(void **state)
{
    (void)state;
    memset(renditions, 0, sizeof(renditions));
    memset(runs, 0, sizeof(runs));
    memset(have, 0, sizeof(have));
    memset(bits, 0, sizeof(bits));
    s = (struct schedule){.renditions = renditions,
                          .runs = runs,
                          .demands = demands,
                          .cores = 2,
                          .active_max = 3,
                          .alive_max = 5};
    return 0;
}

/* A picture of `video`: 500 ms to the first segment, 250 ms for each one after it. */
static inline int picture(int video, const char *segments)
{
    int i = s.n_renditions++;
    have[i] = (struct segments){
        .total = (int64_t)strlen(segments), .has_init = true, .bits = bits[i]};
    for (int64_t k = 0; k < have[i].total; k++)
        if (segments[k] == '#')
            segments_add(&have[i], k);
    renditions[i] = (struct schedule_rendition){.video = video,
                                                .have = &have[i],
                                                .viewer = -1,
                                                .partner = -1,
                                                .start_ms = 500,
                                                .segment_ms = 250};
    return i;
}

static inline int sound(int video, const char *segments)
{
    int i = picture(video, segments);
    renditions[i].light = true;
    renditions[i].start_ms = 200;
    renditions[i].segment_ms = 50;
    return i;
}

/* A run that works, has made something, and that nobody waited for. */
static inline int run(int rendition, int64_t next, int64_t end)
{
    int i = s.n_runs++;
    runs[i] = (struct schedule_run){.rendition = rendition,
                                    .next = next,
                                    .end = end,
                                    .made = 1,
                                    .age_ms = 60000,
                                    .leader = -1,
                                    .unused_ms = LONG_AGO};
    return i;
}

static inline int paused(int rendition, int64_t next, int64_t end)
{
    int i = run(rendition, next, end);
    runs[i].paused = true;
    return i;
}

static inline void wanted(int rendition, int64_t segment)
{
    demands[s.n_demands++] = (struct schedule_demand){rendition, segment};
}

static inline struct schedule_action next(void)
{
    return schedule_next(&s, &again_ms, serves);
}

#define assert_does(verb_, run_)                                                       \
    do {                                                                               \
        struct schedule_action a_ = next();                                            \
        assert_int_equal(a_.verb, verb_);                                              \
        assert_int_equal(a_.run, run_);                                                \
    } while (0)

#define assert_starts(rendition_, from_, end_)                                         \
    do {                                                                               \
        struct schedule_action a_ = next();                                            \
        assert_int_equal(a_.verb, SCHEDULE_START);                                     \
        assert_int_equal(a_.rendition, rendition_);                                    \
        assert_int_equal(a_.from, from_);                                              \
        assert_int_equal(a_.end, end_);                                                \
    } while (0)

#define assert_nothing() assert_int_equal(next().verb, SCHEDULE_NOTHING)

/* Does what the scheduler says, as the worker would, until it says nothing. */
static inline int apply_all(void)
{
    for (int n = 0; n < 100; n++) {
        struct schedule_action a = next();
        int i;
        switch (a.verb) {
        case SCHEDULE_NOTHING:
            return n;
        case SCHEDULE_START:
            i = run(a.rendition, a.from, a.end);
            runs[i].made = runs[i].age_ms = 0;
            runs[i].unused_ms = a.wanted ? 0 : LONG_AGO;
            runs[i].fed = a.fed;
            break;
        case SCHEDULE_STOP:
            runs[a.run] = runs[--s.n_runs];
            break;
        case SCHEDULE_PAUSE:
            assert_false(runs[a.run].paused);
            runs[a.run].paused = true;
            break;
        case SCHEDULE_RESUME:
            assert_true(runs[a.run].paused);
            runs[a.run].paused = false;
            break;
        }
    }
    fail_msg("it never comes to rest");
    return -1;
}

static inline int working(void)
{
    int n = 0;
    for (int i = 0; i < s.n_runs; i++)
        n += !runs[i].paused;
    return n;
}

#endif
