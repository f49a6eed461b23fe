/*
 * own_store.h: a store handle of one thread's own, which is opened when it is first
 * needed, and is tried again for as long as that takes.
 */
#ifndef DROPSTREAM_OWN_STORE_H
#define DROPSTREAM_OWN_STORE_H

#include "clock.h"
#include "rc.h"
#include "store.h"

#include <limits.h>
#include <stdbool.h>

struct own_store {
    struct store *st; /* NULL: not opened yet */
    char path[PATH_MAX];
    struct clock clock;
    const char *fails, *works; /* for the log */
    bool failing;              /* and the log knows */
};

/* For the database at path; opens nothing yet. fails and works are what the log is told
 * (static): "demands do not reach the database", "demands reach the database again". */
void own_store_init(struct own_store *o, const char *path, const struct clock *clock,
                    const char *fails, const char *works);

/* As store_open, unless it is open already. */
enum rc own_store_open(struct own_store *o);

/* What came of its use: one line in the log when that begins to fail and one when it is
 * over, however long that takes. */
void own_store_report(struct own_store *o, enum rc rc);

void own_store_close(struct own_store *o);

#endif
