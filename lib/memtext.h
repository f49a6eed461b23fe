/*
 * memtext.h: a stream of stdio whose text grows in memory.
 *
 * Unlike open_memstream of glibc 2.36, which leaves out what does not fit and then goes
 * on: here text is whole or there is none.
 */
#ifndef DROPSTREAM_MEMTEXT_H
#define DROPSTREAM_MEMTEXT_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct memtext {
    FILE *f; /* to be written to */
    char *text;
    size_t n, room;
    bool lost;
    char buffer[1024];
};

/* *m stays where it is until memtext_close. RC_NOMEM. */
enum rc memtext_open(struct memtext *m);

/* The text of *n bytes, with a NUL after it, which the caller frees. RC_NOMEM: not all
 * of it found room. Either way m is no more. */
enum rc memtext_close(struct memtext *m, char **out, size_t *n);

/* Closes m without its text. */
void memtext_drop(struct memtext *m);

#endif
