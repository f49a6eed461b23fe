/*
 * args_priv.h: how a command line is put together; for the args files alone.
 */
#ifndef DROPSTREAM_ARGS_PRIV_H
#define DROPSTREAM_ARGS_PRIV_H

#include "args.h"

/* An empty line of that program. */
void args_begin(struct args *a, const char *program);

/* Adds one word, or (NULL-terminated) several. */
__attribute__((format(printf, 2, 3))) void args_add(struct args *a, const char *fmt,
                                                    ...);
void args_add_all(struct args *a, const char *const *words);

/* Input options: a playlist or a script in disguise reaches no other demuxer, no other
 * protocol and so no other file. RC_INVALID: there is no demuxer for the container. */
enum rc args_add_input_options(struct args *a, const struct args_source *src);
void args_add_input(struct args *a, const struct args_source *src);

/*
 * The beginning of a line of ffmpeg up to its input. picture: it begins with the
 * keyframe before seek_us, else at the packet. quick: pictures that no other one refers
 * to are decoded without the loop filter: that costs less, and once they are scaled
 * down nobody sees a difference. RC_INVALID: there is no demuxer for the container.
 */
enum rc args_begin_ffmpeg(struct args *a, const struct args_source *src, bool picture,
                          bool quick, int64_t seek_us);

/* What ends an output of fragmented MP4, on that descriptor. */
void args_add_fragments(struct args *a, const char *flags, int fd);

/* RC_INVALID: something did not fit. */
enum rc args_end(const struct args *a);

#endif
