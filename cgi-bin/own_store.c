#include "own_store.h"

#include "log.h"

#include <stdio.h>

void own_store_init(struct own_store *o, const char *path, const struct clock *clock,
                    const char *fails, const char *works)
{
    *o = (struct own_store){.clock = *clock, .fails = fails, .works = works};
    snprintf(o->path, sizeof(o->path), "%s", path);
}

enum rc own_store_open(struct own_store *o)
{
    return o->st ? RC_OK : store_open(o->path, &o->clock, &o->st);
}

void own_store_report(struct own_store *o, enum rc rc)
{
    if (rc == RC_OK && o->failing)
        log_info("%s", o->works);
    if (rc != RC_OK && !o->failing)
        log_error("%s: %s: %s", o->fails, rc_name(rc),
                  o->st ? store_message(o->st) : o->path);
    o->failing = rc != RC_OK;
}

void own_store_close(struct own_store *o)
{
    store_close(o->st);
    o->st = NULL;
}
