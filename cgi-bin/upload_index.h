/*
 * upload_index.h: the index of a file that ends with it, sent ahead of its bytes, so
 * that something can be made of them before the last one has come. It is kept beside
 * the file (spool.h), and the row tells where in the file it stands.
 */
#ifndef DROPSTREAM_UPLOAD_INDEX_H
#define DROPSTREAM_UPLOAD_INDEX_H

#include "upload_core.h"

/* Bytes of the largest index that is taken. */
int64_t upload_index_max(const struct upload *u);

/* As spool_create_index; refused where another request writes it. */
enum rc upload_index_begin(struct upload *u, const char *video_id,
                           struct spool_file **out);

/* As spool_write; rejected where it grows too large. */
enum rc upload_index_append(struct upload *u, struct spool_file *f, const void *data,
                            size_t n);

/* RC_OK: f may be the index at offset of a file of file_size bytes (-1: unknown). Else
 * it is rejected, with what is wrong with it. RC_NOMEM, RC_IO. */
enum rc upload_index_check(struct upload *u, const struct spool_file *f, int64_t offset,
                           int64_t file_size);

/* PUT /api/uploads/<upload_id>/index?offset=…: for uploads by tus. Answers. */
void upload_index_page(struct upload *u, const char *upload_id);

#endif
