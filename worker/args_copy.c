/*
 * The lines of a rendition whose packets are copied, and of what has to be known of the
 * source before.
 */
#include "args_priv.h"

#include <inttypes.h>
#include <string.h>

enum rc args_copy_packets(const struct args_source *src, int stream, struct args *out)
{
    args_begin(out, src->program);
    args_add_all(out, (const char *const[]){"-v", "error", "-of", "compact=p=0:nk=1",
                                            "-select_streams", NULL});
    args_add(out, "%d", stream);
    args_add_all(out,
                 (const char *const[]){
                     "-show_entries",
                     "format=start_time:packet=pts_time,dts_time,duration_time,size,"
                     "flags",
                     "-fflags", "+discardcorrupt", NULL});
    if (args_add_input_options(out, src) != RC_OK)
        return RC_INVALID;
    args_add_input(out, src);
    return args_end(out);
}

/* -copyts has no effect on where -ss lands, but the times that come out are those of
 * the timeline. */
static enum rc begin(struct args *a, const struct args_source *src, int64_t seek_us,
                     int stream)
{
    args_begin(a, src->program);
    args_add_all(
        a, (const char *const[]){"-nostdin", "-hide_banner", "-v", "error", NULL});
    if (seek_us > 0) {
        args_add_all(a, (const char *const[]){"-noaccurate_seek", "-ss", NULL});
        args_add(a, "%" PRId64 ".%06" PRId64, seek_us / 1000000, seek_us % 1000000);
    }
    args_add_all(a, (const char *const[]){"-fflags", "+discardcorrupt", NULL});
    if (args_add_input_options(a, src) != RC_OK)
        return RC_INVALID;
    args_add_all(a, (const char *const[]){"-copyts", "-start_at_zero", NULL});
    args_add_input(a, src);
    args_add(a, "-map");
    args_add(a, "0:%d", stream);
    args_add_all(a, (const char *const[]){"-c", "copy", NULL});
    return RC_OK;
}

/* The packets that ffmpeg read to find out about the stream come before it obeys
 * -discard: so what is no keyframe is dropped once more. */
enum rc args_param_sets(const struct args_source *src, int stream, bool hevc,
                        struct args *out)
{
    args_begin(out, src->program);
    args_add_all(out, (const char *const[]){"-nostdin", "-hide_banner", "-v", "error",
                                            "-discard:v", "nokey", NULL});
    if (args_add_input_options(out, src) != RC_OK)
        return RC_INVALID;
    args_add_input(out, src);
    args_add(out, "-map");
    args_add(out, "0:%d", stream);
    args_add_all(out, (const char *const[]){"-c", "copy", "-bsf:v", NULL});
    args_add(out, "noise=drop=not(key),%s",
             hevc ? "hevc_mp4toannexb,filter_units=pass_types=0-15|32-34"
                  : "h264_mp4toannexb,filter_units=pass_types=1|7|8");
    args_add_all(out, (const char *const[]){"-f", "data", "pipe:1", NULL});
    return args_end(out);
}

/*
 * negative_cts_offsets has the decode time of a fragment be the presentation time of
 * its keyframe; without it the first one would be negative, which a tfdt cannot say.
 */
enum rc args_copy(const struct args_source *src, int stream, bool hevc, int64_t seek_us,
                  int64_t frames, const struct args_still *still, struct args *out)
{
    if (begin(out, src, seek_us, stream) != RC_OK)
        return RC_INVALID;
    if (frames > 0) {
        args_add(out, "-frames:v");
        args_add(out, "%" PRId64, frames);
    }
    if (still) {
        args_add(out, "-bsf:v");
        args_add(out,
                 "setts=pts=PTS:dts=DTS:duration=if(gte(PTS*TB\\,%.6f)\\,%.6f/"
                 "TB-PTS\\,DURATION)",
                 (double)still->from_us / 1e6, (double)still->end_us / 1e6);
    }
    if (hevc)
        args_add_all(out, (const char *const[]){"-tag:v", "hvc1", NULL});
    args_add_fragments(out, "+frag_keyframe+negative_cts_offsets", 1);
    return args_end(out);
}

/*
 * It is decoded beside that, which costs next to nothing, and the program ends where it
 * cannot be: a browser would stop for good there.
 *
 * What comes before is an encoder's priming, or of the segment before: sound_copy.h has
 * seen to it that half a frame before a segment's first packet is between two.
 */
enum rc args_copy_sound(const struct args_source *src, int stream, int64_t seek_us,
                        int64_t first_us, double frame_us, int frames, struct args *out)
{
    if (begin(out, src, seek_us, stream) != RC_OK)
        return RC_INVALID;
    args_add(out, "-xerror");
    args_add(out, "-bsf:a");
    args_add(out, "noise=drop=lt(pts*tb\\,%.6f)",
             ((double)first_us - frame_us / 2) / 1e6);
    args_add(out, "-frag_duration");
    args_add(out, "%.0f", ((double)frames - 0.5) * frame_us);
    args_add_fragments(out, "", 1);
    args_add(out, "-map");
    args_add(out, "0:%d", stream);
    args_add_all(out, (const char *const[]){"-f", "null", "-", NULL});
    return args_end(out);
}
