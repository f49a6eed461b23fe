/*
 * upload_doors.h: the ways in which a request may bring bytes. Each answers its request
 * exactly once.
 */
#ifndef DROPSTREAM_UPLOAD_DOORS_H
#define DROPSTREAM_UPLOAD_DOORS_H

#include "upload_core.h"

/* POST /api/videos: a form with a file in it (upload_post.c). */
void upload_post_page(struct request *r, const struct uploads *shared);

/* /api/uploads and below: tus 1.0.0 (tus.c). */
void tus_page(struct request *r, const struct uploads *shared);

/* What they go by, for tests: method, address, what has to be allowed. */
void upload_post_print_route(void);
void tus_print_routes(void);

#endif
