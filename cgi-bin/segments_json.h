/*
 * segments_json.h: which segments of a rendition exist, as runs of one state.
 *
 * The runs are written as text at once, and never are a tree of json_t: a day of video
 * that was watched here and there may be in 20000 of them, which is 0.8 MB of text and
 * would be 12 MB of jansson's objects.
 */
#ifndef DROPSTREAM_SEGMENTS_JSON_H
#define DROPSTREAM_SEGMENTS_JSON_H

#include "rc.h"
#include "store.h"

#include <stdint.h>
#include <stdio.h>

enum segment_state { SEGMENT_MISSING, SEGMENT_ENCODING, SEGMENT_READY };

/* "missing", "encoding", "ready"; static. */
const char *segment_state_name(enum segment_state s);

struct segment_run {
    enum segment_state state;
    int64_t from;
    int64_t count; /* at least 1 */
};

/*
 * The run that begins at segment from (0 <= from < segments): all that follow in one
 * state. A segment that exists is ready, also if it is said to be encoded; without bits
 * the first ready->done exist. What is said of segments past the end counts for
 * nothing.
 */
struct segment_run segment_run_at(const struct readiness *ready, int64_t segments,
                                  int64_t from);

/*
 * Writes the object of one rendition, its runs included, to out. RC_NOMEM, also where
 * out failed (it is a stream in memory); the text is then of no use.
 */
enum rc segments_json_write(FILE *out, const struct rendition *r,
                            const struct readiness *ready);

#endif
