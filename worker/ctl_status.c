/* dropstreamctl status: what is used of the disk, whether there is room; the jail. */
#include "ctl.h"

#include "store_activity.h"
#include "store_disk.h"

#include <inttypes.h>
#include <stdio.h>

#define MIB ((int64_t)1 << 20)

/* Rounded up: what is there is never told as nothing. */
static void line(const char *what, int64_t bytes)
{
    printf("%-10s %10" PRId64 " MiB\n", what, (bytes + MIB - 1) / MIB);
}

static void jail_line(struct store *st)
{
    char lacks[STORE_TEXT_MAX + 1];
    enum rc rc = store_worker_jail(st, lacks);
    const char *said = rc == RC_NOT_FOUND ? "no worker has said"
                       : rc != RC_OK      ? rc_name(rc)
                       : *lacks           ? lacks
                                          : "complete";
    printf("%-10s %s\n", "jail", said);
}

int ctl_status(struct ctl *c, const struct ctl_args *a)
{
    struct disk_use use;
    long long free_bytes;
    enum rc rc = store_disk_use(c->store, &use);

    (void)a;
    if (rc != RC_OK)
        return ctl_fail_store(c, "cannot read what is used", rc);
    if (site_free_bytes(&c->site, &free_bytes) != RC_OK)
        return ctl_fail("cannot see how much of the disk is free");
    line("originals", use.originals);
    line("media", use.media);
    if (c->config.media_budget_mb > 0)
        line("budget", c->config.media_budget_mb * MIB);
    line("free", free_bytes);
    line("reserve", c->config.disk_reserve_mb * MIB);
    if (use.paused)
        puts("less is free than the reserve: nothing is made until there is room");
    jail_line(c->store);
    return 0;
}
