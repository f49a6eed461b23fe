/*
 * source_bounds_walk.h: what the files of source_bounds share: where the walk is, and
 * what it has counted. For them alone.
 */
#ifndef DROPSTREAM_SOURCE_BOUNDS_WALK_H
#define DROPSTREAM_SOURCE_BOUNDS_WALK_H

#include "source_bounds.h"

#define SOURCE_LOOK 48  /* bytes of a box that are looked at, header included */
#define SOURCE_DEPTH 10 /* of boxes; ffmpeg goes no deeper either */
#define SOURCE_BLOCK 4096

/* What is known of a track so far. */
struct track {
    uint64_t samples, duration, edits;
    uint32_t timescale;
    bool sound, picture;
    bool ticks;  /* each sample lasts one … */
    bool uneven; /* … and here some may not */
};

enum inside {
    INSIDE_BOXES,   /* or elements */
    INSIDE_META,    /* what comes before the boxes of a meta box */
    INSIDE_ENTRIES, /* of anything, with boxes somewhere */
    INSIDE_CLUSTER  /* whose elements are no list */
};

/* Where the walk is within boxes or elements that hold others. */
struct level {
    uint64_t end;
    enum inside inside;
    bool is_track;
    bool is_open;       /* its size is not known: what can't be in it ends it */
    struct track outer; /* of a track: what it is within */
};

struct source_bounds {
    bool is_mkv;
    int turn; /* SOURCE_BOUNDS_TURN; tests have shorter ones */
    struct source_bytes from;
    uint8_t block[SOURCE_BLOCK];
    uint64_t block_at;
    size_t block_n;
    /* How far the walk is. */
    uint64_t at;
    struct level levels[SOURCE_DEPTH + 1]; /* the first one is the file */
    int depth;
    int64_t boxes;
    bool behind; /* the last turn ended before what is there */
    /* What was counted. */
    int64_t streams;
    int64_t parts;    /* of Matroska's lists */
    uint64_t samples; /* saturates */
    int64_t rate;     /* the fastest of those that are too fast; 0: none is */
    struct track track;
    uint64_t packed, unpacked; /* bytes of compressed boxes, before and after */
    bool is_unpacked;          /* it is one of them that is read */
    const char *refusal;       /* a sentence, or NULL */
};

/* As far as there are bytes, or as a turn goes. RC_IO, RC_NOMEM: it is where it was
 * before what failed, and goes on from there. */
enum rc source_bounds_walk(struct source_bounds *b);

bool source_bounds_is_one_of(uint32_t type, const uint32_t *types, size_t n);

/* One box at the place of the walk, of which n bytes are at p. A box that is longer
 * than what it is in ends with that, as ffmpeg has it. RC_TRUNCATED: more of it has to
 * come; RC_INVALID: it is none. RC_IO, RC_NOMEM. */
enum rc source_bounds_step_mp4(struct source_bounds *b, const uint8_t *p, size_t n);

/* What a track was found to have, at its end. */
void source_bounds_end_track(struct source_bounds *b);

/* As source_bounds_step_mp4, of one element. Those of the lists count. */
enum rc source_bounds_step_mkv(struct source_bounds *b, const uint8_t *p, size_t n);

#endif
