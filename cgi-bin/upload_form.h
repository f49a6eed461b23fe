/*
 * upload_form.h: the form that carries an uploaded file, as a stream.
 *
 * Turns multipart/form-data into one file with what was said about it: fields first
 * (title, upload_id, size), then the part `file`, whose first bytes decide whether it
 * is taken. No I/O; memory is constant: at most UPLOAD_FIELD_MAX bytes are kept.
 *
 * Before the file may come the index of one that ends with it, in the part `index`, and
 * before that where it stands in the file, in the field `index_offset`.
 *
 * A field that this program does not know is ignored, whatever comes after the file
 * too, but none may be longer than UPLOAD_FIELD_MAX.
 */
#ifndef DROPSTREAM_UPLOAD_FORM_H
#define DROPSTREAM_UPLOAD_FORM_H

#include "http.h"
#include "rc.h"
#include "sniff.h"
#include "store.h"

#include <stddef.h>
#include <stdint.h>

#define UPLOAD_FIELD_MAX 4096 /* bytes */
#define UPLOAD_FILE_MIN 16    /* bytes: no container's header is shorter */

struct upload_file {
    char title[STORE_TITLE_MAX + 1];       /* the field, else made of the name */
    char filename[STORE_FILENAME_MAX + 1]; /* clean, without a path */
    char upload_id[UPLOAD_ID_LEN + 1];     /* in lower case; "": none was sent */
    enum container container;
    int64_t size;         /* as the client announced it; -1 if it did not */
    int64_t index_offset; /* where the index stands that came; 0: none came */
};

/*
 * index comes with all bytes of the index in order, if there is one. begin comes once,
 * when the file's first bytes were found good; then data with all of its bytes in
 * order. Any code but RC_OK ends the form.
 */
struct upload_events {
    enum rc (*begin)(void *arg, const struct upload_file *file);
    enum rc (*data)(void *arg, const void *data, size_t n);  /* n > 0 */
    enum rc (*index)(void *arg, const void *data, size_t n); /* n > 0 */
    void *arg;
};

struct upload_form;

/*
 * content_type may be NULL. The events are copied; the caller owns *out. RC_UNSUPPORTED
 * (not a form), RC_INVALID (no usable boundary): *error says so. RC_NOMEM.
 */
enum rc upload_form_open(const char *content_type, const struct upload_events *events,
                         struct upload_form **out, struct http_error *error);

/*
 * Takes n bytes of the body. Any code but RC_OK is final; upload_form_error then tells
 * what to say to the client.
 */
enum rc upload_form_feed(struct upload_form *form, const void *data, size_t n);

/* Call it after the last byte. RC_OK: the form is whole, with one whole file in it.
 * RC_TRUNCATED: it broke off, which upload_form_error says nothing about. */
enum rc upload_form_finish(struct upload_form *form);

/* What is wrong with the form; its code is NULL while nothing is, and where an event's
 * own code ended it. */
struct http_error upload_form_error(const struct upload_form *form);

void upload_form_free(struct upload_form *form);

#endif
