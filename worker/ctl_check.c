/*
 * ctl_check.c: dropstreamctl check: one line a finding, for people and programs.
 */
#include "site_check.h"
#include "ctl.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static int cannot_look(struct ctl *c, enum rc rc)
{
    ctl_fail_store(c, "cannot look", rc);
    return 2;
}

/* One line, whatever names files have. False if it stays wrong. */
static bool print(struct check *c, const struct finding *f, bool repair)
{
    char subject[sizeof(f->subject)], sentence[sizeof(f->sentence)];
    const char *said = "cannot be mended";
    enum rc rc = RC_UNSUPPORTED;
    if (repair)
        rc = check_mend(c, f, &said);
    if (repair && rc != RC_OK && rc != RC_UNSUPPORTED)
        said = "could not be mended now";
    text_clean(subject, sizeof(subject), f->subject);
    text_clean(sentence, sizeof(sentence), f->sentence);
    printf("%s\t%s\t%s%s%s\n", f->kind, subject, sentence, repair ? "\t" : "",
           repair ? said : "");
    return rc == RC_OK && f->cure != CURE_WARN;
}

int ctl_check(struct ctl *c, const struct ctl_args *a)
{
    struct findings found = {.list = NULL};
    struct check check = {
        .store = c->store, .site = &c->site, .config = &c->config, .quick = a->quick};
    size_t wrong = 0;
    (void)!nice(19); /* it reads a lot, and who watches comes first */
    enum rc rc = check_site(&check, &found);
    for (size_t i = 0; i < found.n; i++)
        wrong += !print(&check, &found.list[i], a->repair);
    if (rc == RC_OK)
        printf("%" PRId64 " videos, %" PRId64 " files: %zu findings", check.videos,
               check.files, found.n);
    if (rc == RC_OK && a->repair)
        printf(", %zu stay", wrong);
    if (rc == RC_OK && check.unproved > 0)
        printf("; originals not verified yet: %" PRId64, check.unproved);
    if (rc == RC_OK)
        putchar('\n');
    findings_free(&found);
    return rc != RC_OK ? cannot_look(c, rc) : wrong > 0;
}
