/*
 * check_video.c: one video: its rows against its files.
 */
#include "site_check.h"

#include "grant.h"
#include "mediadir.h"
#include "playlists.h"
#include "segments.h"
#include "store_lists.h"
#include "storyboard.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LATE_MS (10 * 60 * 1000) /* a lease that has ended for so long is of nobody */
#define ALIVE_MS 30000           /* a worker that has said so since */
#define VTT_MAX (1 << 20)

struct looking {
    struct check *c;
    const struct check_rows *rows;
    struct findings *out;
    bool source_is_wrong; /* so nothing can be made of it */
};

static struct finding *add(struct looking *l, const char *kind, enum mend mend,
                           const char *name)
{
    bool needs_source =
        mend == MEND_RENDITION || mend == MEND_POSTER || mend == MEND_STORYBOARD;
    enum check_cure cure = needs_source && l->source_is_wrong ? CURE_NONE : CURE_STORE;
    return findings_add(l->out, kind, l->rows->video.id, cure, mend, name);
}

/* ---- files that were promised ---------------------------------------------- */

static bool holds_something(int dir_fd, const char *name)
{
    struct stat st;
    return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) && st.st_size > 0;
}

/* By the same look as the worker's, which makes again what is not whole. */
static bool is_whole(int dir_fd, const char *name)
{
    int64_t size;
    return dir_fd >= 0 && (segments_measure(dir_fd, name, &size) != RC_OK || size > 0);
}

/* dir_fd is -1 where there is no such folder. */
static void check_file(struct looking *l, const struct promised *p, int dir_fd)
{
    struct finding *f;
    l->c->files++;
    if (dir_fd >= 0 && holds_something(dir_fd, p->file))
        return;
    f = add(l, p->kind, p->mend, p->name);
    if (f)
        snprintf(f->sentence, sizeof(f->sentence), "%s%s%.80s is missing or empty",
                 p->folder, *p->folder ? "/" : "", p->file);
}

static void check_segments(struct looking *l, const struct promised *p, int dir_fd)
{
    char name[32], first[32] = "";
    int64_t missing = 0;
    bool has_init = is_whole(dir_fd, "init.mp4");
    struct finding *f;
    for (int64_t k = 0; k < p->segments; k++) {
        snprintf(name, sizeof(name), "%" PRId64 ".m4s", k);
        if (is_whole(dir_fd, name))
            continue;
        if (missing++ == 0)
            strcpy(first, name);
    }
    l->c->files += p->segments + 1;
    if (missing == 0 && has_init && p->segments > 0)
        return;
    f = add(l, p->kind, p->mend, p->name);
    if (!f)
        return;
    f->missing = missing;
    if (p->segments == 0)
        snprintf(f->sentence, sizeof(f->sentence), "%s: it is not made, and by nobody",
                 p->folder);
    else if (missing > 0)
        snprintf(f->sentence, sizeof(f->sentence),
                 "%s: %" PRId64 " of %" PRId64
                 " segments are missing or damaged, the first is %s%s",
                 p->folder, missing, p->segments, first,
                 has_init ? "" : "; so is init.mp4");
    else
        snprintf(f->sentence, sizeof(f->sentence), "%s: init.mp4 is missing or damaged",
                 p->folder);
}

static void on_promised(void *arg, const struct promised *p)
{
    struct looking *l = arg;
    int fd = -1;
    if (mediadir_open(l->c->site, l->rows->video.media_root, p->folder, false, &fd) !=
        RC_OK)
        fd = -1;
    if (p->file)
        check_file(l, p, fd);
    else
        check_segments(l, p, fd);
    if (fd >= 0)
        close(fd);
}

/* Each sheet that the previews of the seek bar are taken from. */
static void check_sheets(struct looking *l)
{
    char line[512], *end;
    FILE *vtt = NULL;
    int fd = -1;
    if (l->rows->video.state != VIDEO_READY || !l->rows->video.has_storyboard ||
        check_is_live(l->rows, JOB_STORYBOARD, NULL) ||
        mediadir_open(l->c->site, l->rows->video.media_root, "", false, &fd) != RC_OK)
        return;
    int file = openat(fd, STORYBOARD_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file >= 0 && !(vtt = fdopen(file, "r")))
        close(file);
    while (vtt && fgets(line, sizeof(line), vtt)) {
        if (strncmp(line, STORYBOARD_PREFIX, strlen(STORYBOARD_PREFIX)) != 0 ||
            !(end = strchr(line, '#')))
            continue;
        *end = '\0';
        if (holds_something(fd, line))
            continue;
        struct finding *f = add(l, "storyboard", MEND_STORYBOARD, "");
        if (f)
            snprintf(f->sentence, sizeof(f->sentence), "%.80s is missing or empty",
                     line);
        break;
    }
    if (vtt)
        fclose(vtt);
    close(fd);
}

/* ---- grants ------------------------------------------------------------------ */

struct links {
    int media;
    int64_t n, wrong;
};

static enum rc on_grant(void *arg, const struct grant *g)
{
    struct links *links = arg;
    links->n++;
    links->wrong += !grant_leads_to(links->media, g->key, g->media_root);
    return RC_OK;
}

static enum rc check_grants(struct looking *l)
{
    struct links links = {.media = -1};
    enum rc rc = site_open_media(l->c->site, &links.media);
    if (rc == RC_OK)
        rc = store_grant_each(l->c->store, l->rows->video.id, false, on_grant, &links);
    if (links.media >= 0)
        close(links.media);
    l->c->files += links.n;
    if (rc != RC_OK || links.wrong == 0)
        return rc;
    struct finding *f =
        findings_add(l->out, "grant", l->rows->video.id, CURE_GRANTS, MEND_NOTHING, "");
    if (f)
        snprintf(f->sentence, sizeof(f->sentence),
                 "of its %" PRId64 " symlinks in htdocs/media %" PRId64
                 " are missing or lead elsewhere",
                 links.n, links.wrong);
    return RC_OK;
}

/* ---- jobs ---------------------------------------------------------------------- */

static void add_job(struct looking *l, enum mend mend, const char *sentence)
{
    struct finding *f = add(l, "job", mend, "");
    if (f)
        snprintf(f->sentence, sizeof(f->sentence), "%s", sentence);
}

/* Of subtitles one may wait while another runs, which may have looked too soon. */
static bool is_double(const struct work *a, const struct work *b)
{
    return a->live && b->live && a->kind == b->kind &&
           strcmp(a->rendition, b->rendition) == 0 &&
           (a->kind != JOB_SUBTITLES || a->running == b->running);
}

static void check_jobs(struct looking *l)
{
    const struct check_rows *rows = l->rows;
    int64_t worker_ms = INT64_MAX;
    bool doubles = false, late = false;
    for (size_t i = 0; i < rows->n_work; i++) {
        late |= rows->work[i].late_ms > LATE_MS;
        for (size_t k = 0; k < i; k++)
            doubles |= is_double(&rows->work[i], &rows->work[k]);
    }
    if ((rows->video.state == VIDEO_STORED || rows->video.state == VIDEO_PROCESSING) &&
        !check_is_live(rows, JOB_PROBE, NULL) && !check_is_live(rows, JOB_ENCODE, NULL))
        add_job(l, MEND_STUCK, "it is not ready, and no job leads on");
    if (doubles)
        add_job(l, MEND_DOUBLE, "a job of it is queued twice");
    /* Without a worker nobody takes them over, and the next one will. */
    if (late && store_worker_age(l->c->store, &worker_ms) == RC_OK &&
        worker_ms < ALIVE_MS)
        add_job(l, MEND_LEASE, "a job of it is held by no worker that lives");
}

/* ---- folders that are of no rendition ----------------------------------------- */

static bool is_known_folder(const struct check_rows *rows, const char *name)
{
    char folder[STORE_RENDITION_MAX + 16];
    for (size_t i = 0; i < rows->n_renditions; i++) {
        playlists_folder(&rows->renditions[i], folder);
        if (strcmp(folder, name) == 0)
            return true;
    }
    return strcmp(name, "subs") == 0;
}

static void on_entry(int dir_fd, const char *name, const void *arg)
{
    const struct looking *l = arg;
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode) ||
        is_known_folder(l->rows, name))
        return;
    struct finding *f = findings_add(l->out, "orphan", l->rows->video.id,
                                     CURE_REMOVE_PART, MEND_NOTHING, name);
    if (f)
        snprintf(f->sentence, sizeof(f->sentence),
                 "the folder %.80s of it is of no rendition", name);
}

/* What was begun anew leaves folders until its new ones are there. */
static void check_folders(const struct looking *l)
{
    int fd;
    if (l->rows->video.state != VIDEO_READY ||
        mediadir_open(l->c->site, l->rows->video.media_root, "", false, &fd) != RC_OK)
        return;
    for (size_t i = 0; i < l->rows->n_work; i++) {
        if (l->rows->work[i].live && job_makes_rendition(l->rows->work[i].kind)) {
            close(fd);
            return;
        }
    }
    mediadir_each(fd, on_entry, l);
    close(fd);
}

/* ---- all of it ------------------------------------------------------------------ */

static enum rc read_rows(struct check *c, const char *id, struct check_rows *out)
{
    struct lists_changes lists;
    enum rc rc = store_video_get(c->store, id, &out->video);
    if (rc == RC_OK)
        rc = store_renditions(c->store, id, out->renditions, &out->n_renditions);
    if (rc == RC_OK)
        rc = store_subtitles(c->store, id, &out->subs);
    if (rc == RC_OK)
        rc = store_work_of(c->store, id, out->work, &out->n_work);
    if (rc == RC_OK)
        rc = store_lists_changes(c->store, id, &lists);
    if (rc == RC_OK)
        out->lists_behind = lists.followed < lists.n;
    return rc;
}

enum rc check_video(struct check *c, const char *id, struct findings *out)
{
    static struct check_rows rows; /* large */
    struct looking l = {c, &rows, out, false};
    enum rc rc = read_rows(c, id, &rows);
    if (rc == RC_OK)
        rc = check_source(c, &rows, out);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < out->n; i++)
        l.source_is_wrong |= strcmp(out->list[i].kind, "source") == 0;
    check_promises(&rows, on_promised, &l);
    check_sheets(&l);
    check_jobs(&l);
    check_folders(&l);
    return check_grants(&l);
}
