/*
 * config.h: dropstream.conf (INI, through inih) and the environment.
 *
 * Every key has a default, a unit and a range. A key DROPSTREAM_<KEY> in the
 * environment wins over the file; an empty one counts as not set. Unknown keys, a key
 * set twice, unknown sections and values out of range are errors with file:line. Only a
 * list may be set several times: each line adds to it.
 */
#ifndef DROPSTREAM_CONFIG_H
#define DROPSTREAM_CONFIG_H

#include "log.h"
#include "rc.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_LIST_MAX 4095 /* bytes of a list */

/* Who has to sign in: everybody; or nobody, and all that reach the site own it. */
enum auth { AUTH_REQUIRED, AUTH_NONE };

/* Who gets a media file: whoever has its key; or of those only who has been found to
 * have a right to it (pass.h). */
enum media_auth { MEDIA_STATIC, MEDIA_STRICT };

/* Whether programs that read uploads are locked in: as well as the kernel can; only if
 * it can all of it; or not at all. */
enum config_jail { CONFIG_JAIL_AUTO, CONFIG_JAIL_REQUIRED, CONFIG_JAIL_OFF };

struct config {
    char bind[64];          /* IPv4 or IPv6 address that lighttpd listens on */
    int64_t port;           /* 1..65535 */
    char tls_pem[PATH_MAX]; /* "": no TLS; else the path of a certificate and its key */
    enum auth auth;         /* AUTH_NONE only where bind is a loopback address */
    enum media_auth media_auth;
    char media_cors[CONFIG_LIST_MAX + 1]; /* "": none; "*"; else origins (RFC 6454
                                           * s. 6.2) with one blank between them */
    char trusted_proxies[CONFIG_LIST_MAX +
                         1];   /* addresses and networks (CIDR), likewise;
                                * "": none */
    int64_t session_days;      /* days that a session lasts without being used */
    int64_t max_upload_mb;     /* MiB of one uploaded file */
    int64_t disk_reserve_mb;   /* MiB of disk that stay free; 0: none */
    int64_t media_budget_mb;   /* MiB that all segments may have; 0: any */
    int64_t index_max_mb;      /* MiB of an index that is sent ahead of its file */
    int64_t upload_chunk_mb;   /* MiB that the page sends in one request; 0: any */
    int64_t unseen_uploads;    /* begun, of which no 4096 bytes have come */
    int64_t upload_expire_h;   /* hours that an interrupted upload is kept */
    int64_t upload_total_h;    /* hours from its beginning that it is kept at most */
    int64_t upload_request_s;  /* s that one request may bring bytes; 0: any time */
    int64_t upload_checksums;  /* 1: taken of the bytes that come in; 0: later, of the
                                  file */
    int64_t settle_s;          /* s before what a dead upload left is taken away */
    int64_t min_rate_bps;      /* bytes a second an upload must bring; 0: any will do */
    int64_t min_rate_s;        /* s over which that is an average */
    int64_t upload_threads;    /* uploads received at once */
    int64_t api_threads;       /* API requests answered at once */
    int64_t store_handles;     /* database handles per FastCGI program */
    int64_t wait_s;            /* s that a request waits for a segment not made yet */
    int64_t waits;             /* requests that wait at once */
    int64_t waits_per_address; /* likewise, of one address or IPv6 /64 */
    int64_t connections_per_address; /* of lighttpd's, likewise; 0: any */
    int64_t uploads_per_person;      /* received at once; 0: as uploaders_most has it */
    int64_t unfinished_uploads;      /* of one user, whatever has come of them */
    char ffmpeg[PATH_MAX];           /* program name or path */
    char ffprobe[PATH_MAX];          /* program name or path */
    int64_t jobs; /* child programs at once; 0: one more than the cores */
    int64_t runs; /* encoders that exist, paused ones too; 0: 4 a job */
    int64_t nice; /* 0..19, of the child programs */
    enum config_jail jail;
    int64_t jail_memory_mb;   /* MiB of address space of such a program; 0: any */
    char jail_read[PATH_MAX]; /* a file or folder that it may read besides; "": none */
    int64_t lease_s;          /* s a job's lease lasts without renewal */
    int64_t stall_s;          /* s without output before a child is stopped */
    int64_t probe_timeout_s;  /* s one ffprobe may take */
    int64_t grace_s;          /* s between SIGTERM and SIGKILL */
    int64_t attempts;         /* tries of one job before its video is failed */
    int64_t backoff_ms;       /* ms before the second try, times 4 each time */
    int64_t poll_ms;          /* ms between looks at the queue without a wake-up */
    int64_t max_duration_s;   /* s of the longest video taken */
    int64_t source_max_mbps;  /* Mbit/s on average of a source that is served as it is;
                                 0: none is */
    int64_t sound_max_kbps;   /* kbit/s on average of sound that is served as it is; 0:
                                 none is */
    int64_t
        ladder_max_side; /* pixels of the smaller side of the largest rung; 0: none */
    int64_t ladder_pixel_mbits; /* thousandths of a bit that a rung has for a pixel */
    int64_t
        ladder_near_percent; /* a rung so near to the source's bit rate is dropped */
    int64_t posters;    /* 1: each video gets one; 0: if it is chosen, or was there */
    int64_t previews;   /* 1: the seek bar has small pictures; 0: they are not made */
    int64_t max_pixels; /* width x height of the largest picture decoded */
    int64_t job_log_kb; /* KiB kept of one job's log */
    int64_t activity_rows; /* rows of the activity log that are kept */
    enum log_level log_level;
};

/* Fills every field with its default. */
void config_defaults(struct config *out);

/*
 * Reads path over the defaults and the environment over that. A missing file is
 * RC_NOT_FOUND. On RC_INVALID err holds one line, "file:line: what is wrong" or
 * "DROPSTREAM_PORT: what is wrong"; where two options together are wrong, there is no
 * line. RC_IO, RC_NOMEM.
 */
enum rc config_load(const char *path, struct config *out, char *err, size_t err_size);

/*
 * The value of one key as text, for scripts (`dropstream-worker --get port`).
 * RC_NOT_FOUND for an unknown key, RC_TOO_LARGE if out is too small.
 */
enum rc config_get(const struct config *config, const char *key, char *out,
                   size_t out_size);

#endif
