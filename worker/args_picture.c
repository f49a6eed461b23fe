/*
 * args_picture.c: command lines that take single pictures out of a video: its poster,
 * and the small ones of the seek bar.
 *
 * Small pictures come by two programs, one after the other. The reader copies packets
 * of few keyframes and decodes nothing, as what is decoded is what costs; the maker
 * decodes all that it is given. Their times are those of the packets, exactly: the
 * reader goes through all packets, since with -discard ffmpeg 5.1 gives keyframes of
 * MP4 the wrong presentation times where pictures are reordered.
 */
#include "args_priv.h"

#include "filters.h"
#include "plan.h"

#include <inttypes.h>
#include <stdio.h>

void args_picture_size(const struct rendition *r, int max_side, int *width, int *height)
{
    double longer = r->width > r->height ? r->width : r->height;
    double scale = longer > max_side ? max_side / longer : 1;
    *width = plan_even(r->width * scale);
    *height = plan_even(r->height * scale);
}

/* ---- the poster --------------------------------------------------------- */

static enum rc add_jpeg(struct args *a, const struct rendition *r, const char *select,
                        int max_side)
{
    int width, height;
    char filters[FILTERS_MAX];
    args_picture_size(r, max_side, &width, &height);
    if (filters_still(r, width, height, filters) != RC_OK)
        return RC_INVALID;
    args_add(a, "-map");
    args_add(a, "0:%d", r->stream);
    args_add(a, "-vf");
    args_add(a, "%s%s", select, filters);
    args_add_all(a, (const char *const[]){"-frames:v", "1", "-c:v", "mjpeg", "-q:v",
                                          "4", "-f", "image2pipe", "pipe:1", NULL});
    return args_end(a);
}

enum rc args_poster(const struct args_source *src, const struct rendition *r,
                    int64_t at_us, int max_side, struct args *out)
{
    if (args_begin_ffmpeg(out, src, true, true, at_us) != RC_OK)
        return RC_INVALID;
    return add_jpeg(out, r, "", max_side);
}

enum rc args_still(const struct args_source *src, const struct rendition *r,
                   int64_t from_us, int max_side, struct args *out)
{
    char select[64];
    if (from_us < 0)
        from_us = 0;
    if (args_begin_ffmpeg(out, src, true, true, from_us - r->seek_margin_us) != RC_OK)
        return RC_INVALID;
    snprintf(select, sizeof(select), "select=gte(t\\,%" PRId64 ".%06" PRId64 "),",
             from_us / 1000000, from_us % 1000000);
    return add_jpeg(out, r, select, max_side);
}

/* ---- small pictures ----------------------------------------------------- */

/*
 * Of the bitstream filter `noise`, which drops the packets for which this is not 0. Its
 * registers outlive a packet: 0 the time before which nothing is taken, 1 whether
 * anything was, 2 the time between the last two.
 */
static void add_drop(struct args *a, const struct args_pick *p)
{
    double every_s = (double)p->every_us / 1e6;
    if (p->all)
        return;
    args_add(a, "-bsf:v");
    if (p->pixels > 0)
        args_add(a,
                 "noise=drop=if(not(key)+ld(1)*lt(pts*tb\\,ld(0))\\,1\\,0*st(1\\,1)"
                 "*st(0\\,pts*tb+max(%.3f\\,%.3f+size/%d)))",
                 every_s, (double)p->pixels / ARGS_PICK_PIXELS, ARGS_PICK_BYTES);
    else
        args_add(a,
                 "noise=drop=if(not(key)+ld(1)*lt(pts*tb\\,ld(0))\\,1\\,0*st(1\\,1)"
                 "*st(2\\,max(%.3f\\,1.5*ld(2)))*st(0\\,pts*tb+ld(2)))",
                 every_s);
}

static void add_span(struct args *a, int64_t from_us, int64_t length_us)
{
    if (from_us > 0) {
        args_add(a, "-ss");
        args_add(a, "%" PRId64 ".%06" PRId64, from_us / 1000000, from_us % 1000000);
    }
    if (length_us > 0) {
        args_add(a, "-t");
        args_add(a, "%" PRId64 ".%06" PRId64, length_us / 1000000, length_us % 1000000);
    }
}

/* The format that the packets come in takes them too, and keeps how they are to be
 * turned. The filter's unit of time has to be that of the output, or ffmpeg 5.1 gives
 * it times in one and the unit of the other. */
static void add_copy(struct args *a, enum container container)
{
    if (container == CONTAINER_MATROSKA || container == CONTAINER_WEBM) {
        args_add_all(a, (const char *const[]){"-time_base", "1/1000", "-f", "matroska",
                                              "pipe:1", NULL});
        return;
    }
    args_add_all(a,
                 (const char *const[]){
                     "-time_base", "1/90000", "-video_track_timescale", "90000",
                     "-use_editlist", "0", "-movflags",
                     "+frag_every_frame+empty_moov+default_base_moof+frag_discont",
                     "-f", container == CONTAINER_MOV ? "mov" : "mp4", "pipe:1", NULL});
}

enum rc args_pick(const struct args_source *src, const struct rendition *r,
                  const struct args_pick *pick, struct args *out)
{
    args_begin(out, src->program);
    args_add_all(
        out, (const char *const[]){"-nostdin", "-hide_banner", "-v", "error", NULL});
    add_span(out, pick->from_us, pick->length_us);
    if (args_add_input_options(out, src) != RC_OK)
        return RC_INVALID;
    args_add_all(out, (const char *const[]){"-copyts", "-start_at_zero", NULL});
    args_add_input(out, src);
    args_add(out, "-map");
    args_add(out, "0:%d", r->stream);
    args_add_all(out, (const char *const[]){"-c", "copy", "-copypriorss", "1", NULL});
    add_drop(out, pick);
    /* None of them may be below 0, as that of a picture before the start would be. */
    args_add_all(out, (const char *const[]){"-map_metadata", "-1", "-avoid_negative_ts",
                                            "disabled", "-output_ts_offset", NULL});
    args_add(out, "%d", ARGS_PICK_OFFSET_MS / 1000);
    add_copy(out, src->container);
    return args_end(out);
}

/* Damaged pictures are no failure here; one thread, as more only cost more. */
static enum rc begin_maker(const struct args_source *src, struct args *out)
{
    struct args_source piped = *src;
    piped.url = "pipe:0";
    args_begin(out, src->program);
    args_add_all(out, (const char *const[]){
                          "-nostdin", "-hide_banner", "-v", "error", "-max_error_rate",
                          "1", "-filter_threads", "1", "-filter_complex_threads", "1",
                          "-threads", "1", "-skip_loop_filter", "all", NULL});
    if (args_add_input_options(out, &piped) != RC_OK)
        return RC_INVALID;
    args_add(out, "-copyts");
    args_add_input(out, &piped);
    return RC_OK;
}

static void end_maker(struct args *a)
{
    args_add_all(a, (const char *const[]){
                        "-enc_time_base:v", "1/90000", "-fps_mode:v", "passthrough",
                        "-threads", "1", "-map_metadata", "-1", "-avoid_negative_ts",
                        "disabled", "-max_interleave_delta", "1", "-flush_packets", "1",
                        "-f", "matroska", "pipe:1", NULL});
}

enum rc args_sheets(const struct args_source *src, const struct rendition *r,
                    const struct args_grid *grid, struct args *out)
{
    char filters[FILTERS_MAX];
    if (begin_maker(src, out) != RC_OK ||
        filters_still(r, grid->width, grid->height, filters) != RC_OK)
        return RC_INVALID;
    args_add(out, "-filter_complex");
    args_add(out, "[0:v]%s,split[a][b];[a]tile=%dx%d[sheets];[b]scale=16:16[times]",
             filters, grid->columns, grid->rows);
    args_add_all(out, (const char *const[]){"-map", "[sheets]", "-map", "[times]",
                                            "-c:v", "mjpeg", "-q:v", "5", NULL});
    end_maker(out);
    return args_end(out);
}

enum rc args_survey(const struct args_source *src, int width, int height, int pictures,
                    bool all, struct args *out)
{
    if (begin_maker(src, out) != RC_OK)
        return RC_INVALID;
    args_add(out, "-vf");
    args_add(out, "%sscale=%d:%d:flags=area,setsar=1,format=gray",
             all ? "select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,3)," : "",
             width, height);
    args_add(out, "-frames:v");
    args_add(out, "%d", pictures);
    args_add_all(out, (const char *const[]){"-c:v", "rawvideo", NULL});
    end_maker(out);
    return args_end(out);
}
