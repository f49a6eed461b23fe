/*
 * spool_priv.h: what spool.c and spool_dir.c share; nobody else includes it.
 */
#ifndef DROPSTREAM_SPOOL_PRIV_H
#define DROPSTREAM_SPOOL_PRIV_H

#include "id.h"
#include "spool.h"

#define SPOOL_NAME_SIZE (ID_LEN + sizeof(".idx-part"))

/* "<id>.src" …; id was checked. */
void spool_name(const char *id, enum spool_kind kind, char out[SPOOL_NAME_SIZE]);

/* fsync, through signals. -1 and errno, as fsync(2). */
int spool_sync_fd(int fd);

#endif
