/*
 * arrival.h: an upload that is coming in, as the worker follows it: how far its bytes
 * have come, what its header says, and how much of its timeline that makes.
 *
 * A file is followed for as long as its row says `receiving`. A run that reads its
 * bytes as they come holds the arrival, which then outlives the upload: the file that
 * is open here is the one that gets stored. Invariant: what is said to be within reach
 * has arrived, whole and with all that it takes to decode it, and was counted (see
 * arrival_bounds.h).
 */
#ifndef DROPSTREAM_ARRIVAL_H
#define DROPSTREAM_ARRIVAL_H

#include "bounds.h"
#include "grid.h"
#include "rc.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRIVAL_ALL INT64_MAX /* everything has arrived */
#define ARRIVALS_MAX 256      /* uploads that are followed at once */

struct worker;
struct arrivals;
struct arrival;

struct media_info;
struct mp4_index;
struct packet_scan;
struct seek_points;

/* RC_NOMEM. Without inotify files are looked at from time to time. */
enum rc arrivals_open(struct worker *w, struct arrivals **out);
void arrivals_close(struct arrivals *all);

/*
 * After any change of the store: follows the uploads that have begun, queues the probe
 * of those whose header is there, and lets go of those that are stored or gone. Tells
 * encode_arrived of whatever has changed.
 */
void arrivals_look(struct arrivals *all);

/* The arrival of a receiving video of which it is known how to play it before it is
 * whole; else NULL. */
struct arrival *arrivals_find(const struct arrivals *all, const char *video_id);

/* The video is stored, but its last bytes are not counted yet: they may refuse it. */
bool arrivals_counts(const struct arrivals *all, const char *video_id);

/* The video's id. */
const char *arrival_id(const struct arrival *a);

/* Its bytes: the file as it is called now, open for reading, how much of it programs
 * may have, and whether that is all. The names are the arrival's. */
const char *arrival_path(const struct arrival *a);
int arrival_fd(const struct arrival *a);
int64_t arrival_size(const struct arrival *a);
bool arrival_is_whole(const struct arrival *a);

/* Why no program may have any more of it, a sentence; NULL: it was not refused. The
 * arrival's. */
const char *arrival_refusal(const struct arrival *a);

/* What ffmpeg is to be told to read instead of the file, NULL: the file. It can be
 * searched, but what has not arrived yet reads as the end. */
const char *arrival_url(const struct arrival *a);

/* The file that the URL names besides arrival_path; NULL: there is none. */
const char *arrival_head_path(const struct arrival *a);

/* What a pipe has to be given before the file's bytes, and the offset of the first of
 * those. NULL: nothing, and the file from its start. */
const uint8_t *arrival_head(const struct arrival *a, size_t *n, int64_t *offset);

/* Nothing tells how long it is before all of it has come. */
bool arrival_is_open(const struct arrival *a);

/* When its timeline begins, µs by the clock of ffprobe's packets. */
int64_t arrival_start_us(const struct arrival *a);

/* Until when, µs of the timeline, the stream of that number has arrived. */
int64_t arrival_reach_us(const struct arrival *a, int stream);

/* How many segments of a rendition can be made where its stream has arrived until
 * reach_us: all that end so long before that a decoder has what it takes. */
int64_t arrival_segments(int64_t reach_us, const struct grid *g);

/* Likewise of one whose packets are copied. */
int64_t arrival_segments_copied(int64_t reach_us, const struct bounds *b);

/* Nothing has come for a while. */
bool arrival_is_asleep(const struct arrival *a);

/* What a look at all packets of the file would find; RC_UNSUPPORTED: its header does
 * not tell. info: what ffprobe says of its streams. */
enum rc arrival_packets(const struct arrival *a, const struct media_info *info,
                        struct packet_scan *out);

/* Its index, as long as a is not let go of; NULL: it has none that tells of packets. */
const struct mp4_index *arrival_index(const struct arrival *a);

/* Its keyframes for sp. RC_UNSUPPORTED: its header does not tell. RC_NOMEM. */
enum rc arrival_keyframes(const struct arrival *a, int stream, struct seek_points *sp);

/* Whoever holds it may go on using it, whatever becomes of the upload. */
struct arrival *arrival_hold(struct arrival *a);
void arrival_let_go(struct arrival *a);

#endif
