/*
 * subtitle_text.h: what is said in one cue, for subtitle.c.
 */
#ifndef DROPSTREAM_SUBTITLE_TEXT_H
#define DROPSTREAM_SUBTITLE_TEXT_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that grows; what went wrong is remembered, and nothing is added after that. */
struct subtitle_buf {
    char *s; /* n bytes and a NUL, once anything was added; freed by its owner */
    size_t n, size;
    size_t max;
    enum rc rc; /* RC_NOMEM; RC_TOO_LARGE: over max */
};

void subtitle_put(struct subtitle_buf *b, const char *s, size_t n);
void subtitle_puts(struct subtitle_buf *b, const char *s);

/* "00:00:01.500" */
void subtitle_put_time(struct subtitle_buf *b, int64_t ms);

/*
 * Reads a time from *at, hours or not, with a comma or a point, and leaves *at behind
 * it. RC_INVALID: it is none, or an impossible one (minute 60, a thousand hours).
 */
enum rc subtitle_read_time(const char **at, const char *end, int64_t *out_ms);

struct subtitle_cue {
    int64_t start_ms, end_ms;
    const char *text; /* as it is in the file, all of its lines */
    size_t n;
    const char *settings; /* likewise what stands behind its times */
    size_t n_settings;
    size_t order; /* in the file */
    bool srt;     /* orders of ASS may be among its text; WebVTT has none */
};

/* Adds the lines of a cue as WebVTT has them, without a line break at the end. False:
 * there is nothing to be seen. */
bool subtitle_put_text(struct subtitle_buf *b, const struct subtitle_cue *cue);

/* Adds the settings of a WebVTT cue that are well-formed, each with a space before it.
 */
void subtitle_put_settings(struct subtitle_buf *b, const char *s, size_t n);

/* True for SubRip text that asks to stand at the top: "{\an8}". */
bool subtitle_is_at_top(const char *s, size_t n);

#endif
