/*
 * hangups.h: tells which of many clients that wait have hung up (epoll).
 *
 * Any thread may add connections, one thread reads. A connection is forgotten when it
 * is closed. Where the kernel gives no epoll nothing is told: no wait may depend on it
 * to end.
 */
#ifndef DROPSTREAM_HANGUPS_H
#define DROPSTREAM_HANGUPS_H

#include "rc.h"

#include <stdint.h>

struct hangups;

/* Without epoll, with a line in the log, it only never tells of anything. RC_NOMEM. */
enum rc hangups_open(struct hangups **out);

/* NULL is legal. */
void hangups_close(struct hangups *h);

/* For poll(2); readable when there is something to tell. -1: never. */
int hangups_fd(const struct hangups *h);

/* Watches the connection fd, which stays the caller's and open until this has returned;
 * -1: nothing. id is what is told of it, once. */
void hangups_add(struct hangups *h, int fd, uint64_t id);

/* Calls cb for each one that has hung up since, without waiting. */
void hangups_read(struct hangups *h, void (*cb)(void *arg, uint64_t id), void *arg);

#endif
