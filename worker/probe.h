/*
 * probe.h: what the files of the probe job share.
 *
 * probe_job.c looks at the file, probe_plan.c does what follows from that.
 */
#ifndef DROPSTREAM_PROBE_H
#define DROPSTREAM_PROBE_H

#include "worker.h"

#include "media_info.h"
#include "packet_scan.h"
#include "sound_copy.h"
#include "source_bounds.h"

struct probe {
    struct {
        struct source_bounds *bounds;
        struct source_bytes from; /* fd -1: not open */
        struct loop_timer turn;
    } count; /* before any program has the file */
    struct media_info info;
    struct packet_scan scan;
    char *json;
    size_t json_size;
    bool whole;    /* the scan covers the whole file */
    size_t stream; /* of info: whose packets are being read, where each has its turn */
    bool cut_off;  /* the file ends where there was more of it */
    bool early;    /* the file is still coming in: its header has to do */
    struct sound_copy sounds[MEDIA_STREAMS_MAX]; /* that can be served as they are */
    struct video_plan plan;                      /* what came of it */
    bool listed; /* playlists may say what the store has not taken */
};

/* ---- probe_job.c ------------------------------------------------------------ */

/* The path of an MP4; NULL: it is none, or not there. */
const char *probe_mp4_path(struct task *t, char out[PATH_MAX]);

/* ---- probe_plan.c ----------------------------------------------------------- */

/* Takes what the index of an MP4 says of its packets, once they were looked at: which
 * sounds can be served as they are, and how long what is last is shown. Nothing, if it
 * cannot be read. */
void probe_read_index(struct task *t);
void probe_forget_sounds(struct probe *p);

/* All was looked at: plans what is made of the file, and ends the job; likewise where
 * nobody knows how long it is. t may be gone afterwards. */
void probe_plan(struct task *t);
void probe_plan_open(struct task *t);

/* No plan yet: the video waits for its last byte, and nothing is lost but time. t is
 * gone afterwards. */
void probe_leave(struct task *t, const char *reason);

#endif
