#include "site_check.h"

#include "store_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOKS 3 /* of which each has to find the same */
#define LOOK_AGAIN_MS 250

/* ---- findings ------------------------------------------------------------- */

void findings_free(struct findings *f)
{
    free(f->list);
    *f = (struct findings){.list = NULL};
}

struct finding *findings_add(struct findings *f, const char *kind, const char *subject,
                             enum check_cure cure, enum mend mend, const char *name)
{
    if (f->n == f->room) {
        size_t room = f->room ? 2 * f->room : 16;
        struct finding *list = realloc(f->list, room * sizeof(*list));
        if (!list) {
            f->no_memory = true;
            return NULL;
        }
        f->list = list;
        f->room = room;
    }
    struct finding *one = &f->list[f->n++];
    *one = (struct finding){.kind = kind, .cure = cure, .mend = mend};
    snprintf(one->subject, sizeof(one->subject), "%s", subject);
    snprintf(one->name, sizeof(one->name), "%s", name);
    return one;
}

static bool is_same(const struct finding *a, const struct finding *b)
{
    return strcmp(a->kind, b->kind) == 0 && a->mend == b->mend &&
           strcmp(a->subject, b->subject) == 0 && strcmp(a->name, b->name) == 0;
}

/* Of a those that are in b too, as b has them. */
static void keep_common(struct findings *a, const struct findings *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->n; i++) {
        for (size_t k = 0; k < b->n; k++) {
            if (is_same(&a->list[i], &b->list[k])) {
                a->list[kept++] = b->list[k];
                break;
            }
        }
    }
    a->n = kept;
    a->no_memory |= b->no_memory;
}

static void append(struct findings *to, const struct findings *from)
{
    for (size_t i = 0; i < from->n; i++) {
        struct finding *f = findings_add(to, "", "", CURE_NONE, MEND_NOTHING, "");
        if (f)
            *f = from->list[i];
    }
    to->no_memory |= from->no_memory;
}

/* ---- everything ------------------------------------------------------------- */

struct all {
    struct check *c;
    struct findings *out;
};

static void on_database(void *arg, const char *sentence)
{
    struct findings *out = arg;
    struct finding *f = findings_add(out, "database", "db/dropstream.db", CURE_NONE,
                                     MEND_NOTHING, sentence);
    if (f)
        snprintf(f->sentence, sizeof(f->sentence), "%.300s", sentence);
}

/* Looks again at what seems wrong, as the row may have changed meanwhile. */
static enum rc look_again(struct check *c, const char *id, struct findings *found)
{
    static const struct timespec pause = {0, LOOK_AGAIN_MS * 1000000L};
    enum rc rc = RC_OK;
    for (int i = 1; i < LOOKS && rc == RC_OK && found->n > 0; i++) {
        struct findings again = {.list = NULL};
        nanosleep(&pause, NULL);
        rc = check_video(c, id, &again);
        if (rc == RC_OK)
            keep_common(found, &again);
        findings_free(&again);
    }
    return rc;
}

static enum rc on_video(void *arg, const struct video *v)
{
    struct all *all = arg;
    struct findings found = {.list = NULL};
    all->c->videos++;
    enum rc rc = check_video(all->c, v->id, &found);
    if (rc == RC_OK)
        rc = look_again(all->c, v->id, &found);
    if (rc == RC_OK) {
        append(all->out, &found);
        all->c->unproved += !all->c->is_proved;
    }
    findings_free(&found);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc check_site(struct check *c, struct findings *out)
{
    struct all all = {c, out};
    enum rc rc = store_check_database(c->store, on_database, out);
    if (rc == RC_OK)
        rc = store_video_each(c->store, on_video, &all);
    if (rc == RC_OK)
        rc = check_strays(c, out);
    /* What it has come upon on its way is an answer, too. */
    if (rc == RC_CORRUPT) {
        on_database(out, store_message(c->store));
        rc = RC_OK;
    }
    return rc == RC_OK && out->no_memory ? RC_NOMEM : rc;
}
