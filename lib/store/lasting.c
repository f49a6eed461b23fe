/*
 * lasting.c: what a loss of power may not take back. A commit waits for the page cache
 * alone, but where it is acknowledged, or where files go that no row may name any more.
 */
#include "store_priv.h"

/* This pragma acts when it is prepared, so a kept statement would do nothing. */
static int wait_for_disk(struct store *st, bool on)
{
    return sqlite3_exec(st->db,
                        on ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
                        NULL, NULL, NULL);
}

enum rc store_durable(struct store *st, bool on)
{
    enum rc rc = store_rc(st, wait_for_disk(st, on));

    if (rc == RC_OK)
        st->durable = on;
    return rc;
}

enum rc store_lasting(struct store *st)
{
    enum rc rc = st->durable ? RC_OK : store_rc(st, wait_for_disk(st, true));

    st->lasting = rc == RC_OK && !st->durable;
    return rc;
}

/* The message of what came before stays. */
void store_lasting_over(struct store *st)
{
    if (st->lasting)
        wait_for_disk(st, false);
    st->lasting = false;
}
