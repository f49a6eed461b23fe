/*
 * args_priv.h: how a command line is put together; for the args files alone.
 */
#ifndef DROPSTREAM_ARGS_PRIV_H
#define DROPSTREAM_ARGS_PRIV_H

#include "args.h"

/* What cameras, screens, archives and editors put into such files, by the names of the
 * decoders; the hundreds of others only widen what an attacker can reach. */
#define ARGS_DECODERS                                                                  \
    "h264,hevc,av1,libdav1d,libaom-av1,vp8,vp9,libvpx,libvpx-vp9,mpeg4,msmpeg4,"       \
    "msmpeg4v2,h263,mpeg1video,mpeg2video,vc1,wmv3,theora,mjpeg,prores,dnxhd,cfhd,"    \
    "ffv1,huffyuv,ffvhuff,utvideo,magicyuv,png,qtrle,cinepak,rpza,rawvideo,v210,"      \
    "dvvideo,svq1,svq3,"                                                               \
    "aac,aac_latm,mp3,mp3float,mp2,mp2float,ac3,eac3,dca,truehd,mlp,flac,alac,opus,"   \
    "libopus,vorbis,libvorbis,amrnb,amrwb,wavpack,tta,pcm_s8,pcm_u8,pcm_s16le,"        \
    "pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le," \
    "pcm_f64be,pcm_alaw,pcm_mulaw,adpcm_ima_qt,adpcm_ms,subrip,srt,ass,ssa,webvtt,"    \
    "mov_text,text"
#define ARGS_MAX_ALLOC                                                                 \
    "536870912" /* bytes at a time: a picture of 8K in 10 bits is 200 MB */

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
