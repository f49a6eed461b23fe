/*
 * param_sets.h: whether the keyframes of H.264 or HEVC video can be cut apart: all of
 * them are refresh pictures, and the parameter sets never change.
 *
 * Fed with a byte stream of NAL units (ITU-T H.264 annex B, H.265 annex B) that holds
 * of each keyframe its parameter sets, and its slices if they are not those of a
 * refresh picture: what args_param_sets has ffmpeg write. Constant memory; pure.
 */
#ifndef DROPSTREAM_PARAM_SETS_H
#define DROPSTREAM_PARAM_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARAM_SETS_MAX 96     /* different ones; more are no sets of one video */
#define PARAM_SET_HEAD_MAX 16 /* bytes of a NAL unit that its number is read from */

struct param_set {
    int type;
    uint32_t id;
    uint64_t hash; /* of its bytes */
};

struct param_sets {
    bool hevc;
    bool changed;     /* one came again with other contents */
    bool not_refresh; /* a keyframe has slices that may refer to pictures before it */
    struct param_set sets[PARAM_SETS_MAX];
    int n;
    /* The NAL unit that is being read: */
    uint8_t head[PARAM_SET_HEAD_MAX];
    size_t size; /* without zeros that may belong to the next start code */
    uint64_t hash;
    int zeros;
    bool inside;
};

void param_sets_init(struct param_sets *p, bool hevc);

/* Takes n bytes, cut anywhere. */
void param_sets_feed(struct param_sets *p, const void *data, size_t n);

/* All was fed. */
void param_sets_finish(struct param_sets *p);

#endif
