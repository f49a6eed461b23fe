/*
 * site_check.h: proves that nothing of a site is lost: every row against its files, and
 * every file against the rows.
 *
 * Looking changes nothing, and the site may run meanwhile: what seems wrong is looked
 * at anew, with the row read again, and only counts if it is still so. What a job that
 * is queued or running will make is not missing.
 */
#ifndef DROPSTREAM_SITE_CHECK_H
#define DROPSTREAM_SITE_CHECK_H

#include "config.h"
#include "rc.h"
#include "site.h"
#include "store.h"
#include "store_check.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What can be done about a finding: by the store (store_mend), or here. */
enum check_cure {
    CURE_NONE,
    CURE_STORE,        /* store_mend with `mend` */
    CURE_WARN,         /* the video says so: nothing brings the bytes back */
    CURE_GRANTS,       /* its symlinks are made again */
    CURE_SET_ASIDE,    /* a file of the spool goes to spool/lost */
    CURE_UNLINK_GRANT, /* a symlink of nobody goes */
    CURE_REMOVE_MEDIA, /* a folder of nobody goes: it can be made again, if of anything
                        */
    CURE_REMOVE_PART,  /* a folder within one, likewise */
    CURE_REMOVE_TMP,
};

struct finding {
    const char *kind;       /* "source", "segments" …: static, see README */
    char subject[PATH_MAX]; /* a video's id, or a path below the site's folder */
    char sentence[320];     /* for people */
    enum check_cure cure;
    enum mend mend;
    char name[NAME_MAX + 1]; /* what it is about within the subject; "" all of it */
    int64_t missing;         /* as store_mend takes it */
};

struct findings {
    struct finding *list;
    size_t n, room;
    bool no_memory; /* there are more */
};

struct check {
    struct store *store;
    const struct site *site;
    const struct config *config;
    bool quick; /* sources are not read */
    /* Counted for the summary. */
    int64_t videos, files;
    int64_t unproved; /* uploads whose checksum is not known yet */
    bool is_proved;   /* that of the video looked at last is */
};

/* All that is wrong, in *out, which the caller frees (findings_free), also after an
 * error: RC_IO and what the store says, when it could not look. RC_NOMEM. */
enum rc check_site(struct check *c, struct findings *out);

/* ---- check_mend.c ---------------------------------------------------------- */

/* Does what can be done about a finding; said: what that was, static. RC_UNSUPPORTED:
 * nobody can. Any other code: it could not be done now. */
enum rc check_mend(struct check *c, const struct finding *f, const char **said);

/* ---- a list of them: site_check.c ------------------------------------------------ */

void findings_free(struct findings *f);

/* Adds one and returns it, to be filled; NULL: there is no memory, which is noted. */
struct finding *findings_add(struct findings *f, const char *kind, const char *subject,
                             enum check_cure cure, enum mend mend, const char *name);

/* ---- what a video promises: check_promise.c ---------------------------------- */

/* The rows of one video. */
struct check_rows {
    struct video video;
    struct rendition renditions[STORE_RENDITIONS_MAX];
    size_t n_renditions;
    struct subtitles subs;
    struct work work[STORE_WORK_MAX];
    size_t n_work;
    bool lists_behind; /* its playlists are about to be written */
};

/* Files that have to be there and hold something. */
struct promised {
    const char *kind;   /* of the finding, if they are not */
    const char *folder; /* within that of the video; "": itself */
    const char *file;   /* NULL: init.mp4 and segments 0 … segments - 1 */
    int64_t segments;
    enum mend mend;
    const char *name; /* of the rendition or the subtitles */
};

/* Calls cb for all that a video has promised to have by now, and nobody is making: the
 * one place where this is decided. Pure. */
void check_promises(const struct check_rows *rows,
                    void (*cb)(void *arg, const struct promised *p), void *arg);

/* True if a job of this kind (and of this rendition, unless NULL) is queued or running.
 */
bool check_is_live(const struct check_rows *rows, enum job_kind kind,
                   const char *rendition);

/* ---- parts of check_site ------------------------------------------------------ */

/* check_video.c: all that is wrong with one video by its row as it is now.
 * RC_NOT_FOUND: it is gone. */
enum rc check_video(struct check *c, const char *id, struct findings *out);

/* check_source.c: its bytes, whole or on their way. */
enum rc check_source(struct check *c, const struct check_rows *rows,
                     struct findings *out);

/* check_stray.c: files that no row knows, and that are older than what is just being
 * made. */
enum rc check_strays(struct check *c, struct findings *out);

#endif
