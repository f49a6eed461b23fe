/*
 * upload_names.h: what people see of an uploaded file, made of what its client said.
 * Clean text (text.h), never empty, never a path.
 */
#ifndef DROPSTREAM_UPLOAD_NAMES_H
#define DROPSTREAM_UPLOAD_NAMES_H

#include "store.h"

/* The name of the file, without the folders that some clients send; "upload" if nothing
 * is left of it. */
void upload_filename(char out[STORE_FILENAME_MAX + 1], const char *sent);

/* The title as it was sent, cut where it is too long; one that is blank is made of the
 * file's clean name: "Holiday.2024.mp4" → "Holiday.2024", ".mp4" stays as it is. */
void upload_title(char out[STORE_TITLE_MAX + 1], const char *sent,
                  const char *filename);

#endif
