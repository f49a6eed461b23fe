/*
 * tus.h: what the files of the tus door share.
 */
#ifndef DROPSTREAM_TUS_H
#define DROPSTREAM_TUS_H

#include "checksum.h"
#include "upload_core.h"

#include <stdint.h>

/* ---- tus.c */

/* Ends u and its request: with an error, or with a status and how far the upload is. */
void tus_answer(struct upload *u, enum rc rc, int status);

/* ---- tus_create.c: POST /api/uploads */
void tus_create_page(struct upload *u, const char *none);

/* ---- tus_chunk.c: a body of bytes that go behind those that are there */

/* 400 with a sentence of what is wrong. */
enum rc tus_bad_header(struct upload *u, const char *message);

/* The header as a number, 0 or more; refused with message where it is none. */
enum rc tus_number_header(struct upload *u, const char *name, const char *message,
                          int64_t *out);

struct tus_chunk {
    struct upload *u;
    int64_t length;
    struct checksum *checksum; /* NULL: none */
};

/* Type, length and checksum of the body. Whatever it returns, c->checksum is the
 * caller's, to be freed. */
enum rc tus_chunk_read(struct upload *u, struct tus_chunk *c);

/* Appends the body to the upload, which is open, and makes it last. */
enum rc tus_chunk_take(struct tus_chunk *c);

#endif
