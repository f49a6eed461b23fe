#include "upload_form.h"

#include "http_text.h"
#include "multipart.h"
#include "text.h"
#include "upload_names.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(SNIFF_BYTES <= UPLOAD_FIELD_MAX, "one buffer serves fields and sniffer");

enum part {
    PART_FIELD,   /* a field that is used, collected in buf */
    PART_IGNORED, /* counted only */
    PART_INDEX,
    PART_FILE,
};

struct field {
    const char *name;
    enum rc (*set)(struct upload_form *form);
};

struct upload_form {
    struct multipart *parser;
    struct upload_events events;
    struct upload_file file;
    struct http_error error;
    enum part part;
    const struct field *field;
    bool file_seen;
    bool begun;           /* the file was taken; buf is no longer needed */
    bool named;           /* the file part has a name */
    int64_t file_bytes;   /* of the file so far */
    int64_t index_offset; /* as the field said; 0: not yet */
    int64_t index_bytes;  /* of the index so far */
    bool index_seen;
    size_t n; /* bytes of this part in buf */
    char
        buf[UPLOAD_FIELD_MAX + 1]; /* a field's value, or the first bytes of the file */
};

static enum rc refuse(struct upload_form *form, int status, const char *code,
                      const char *message)
{
    form->error = (struct http_error){status, code, message};
    return RC_INVALID;
}

/* ---- fields ------------------------------------------------------------------ */

static enum rc set_title(struct upload_form *form)
{
    text_clean(form->file.title, sizeof(form->file.title), form->buf);
    return RC_OK;
}

static enum rc set_size(struct upload_form *form)
{
    if (http_number(form->buf, 0, INT64_MAX, &form->file.size) != RC_OK)
        return refuse(form, 400, "bad_size",
                      "The field size must be a number of bytes.");
    return RC_OK;
}

static enum rc set_upload_id(struct upload_form *form)
{
    if (strlen(form->buf) != form->n ||
        upload_id_read(form->buf, form->file.upload_id) != RC_OK)
        return refuse(form, 400, "bad_upload_id",
                      "The field upload_id must be 32 hexadecimal digits.");
    return RC_OK;
}

static enum rc bad_index(struct upload_form *form, const char *message)
{
    return refuse(form, 400, "bad_index", message);
}

static enum rc set_index_offset(struct upload_form *form)
{
    if (http_number(form->buf, 1, INT64_MAX, &form->index_offset) != RC_OK)
        return bad_index(form, "The field index_offset must be a number of bytes, at "
                               "least 1.");
    return RC_OK;
}

static const struct field fields[] = {
    {"title", set_title},
    {"size", set_size},
    {"upload_id", set_upload_id},
    {"index_offset", set_index_offset},
};

static const struct field *find_field(const char *name)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static enum rc field_data(struct upload_form *form, const void *data, size_t n)
{
    if (n > UPLOAD_FIELD_MAX - form->n)
        return refuse(form, 413, "field_too_large",
                      "A field of the form is longer than 4096 bytes.");
    if (form->part == PART_FIELD)
        memcpy(form->buf + form->n, data, n);
    form->n += n;
    return RC_OK;
}

/* ---- the index --------------------------------------------------------------- */

static enum rc index_begin(struct upload_form *form)
{
    if (form->file_seen)
        return bad_index(form, "The index must come before the file.");
    if (form->index_seen)
        return bad_index(form, "The form holds more than one index.");
    if (form->index_offset == 0)
        return bad_index(form, "The field index_offset must come before the index.");
    form->index_seen = true;
    form->part = PART_INDEX;
    return RC_OK;
}

static enum rc index_data(struct upload_form *form, const void *data, size_t n)
{
    form->index_bytes += (int64_t)n;
    return form->events.index(form->events.arg, data, n);
}

static enum rc index_end(struct upload_form *form)
{
    if (form->index_bytes == 0)
        return bad_index(form, "The index is empty.");
    form->file.index_offset = form->index_offset;
    return RC_OK;
}

/* When all is known that is said before the file. */
static enum rc check_index(struct upload_form *form)
{
    const struct upload_file *f = &form->file;

    if (f->index_offset > 0 && f->size >= 0 &&
        f->index_offset > f->size - form->index_bytes)
        return bad_index(form, "The index reaches beyond the end of the file.");
    return RC_OK;
}

/* ---- the file ---------------------------------------------------------------- */

static enum rc file_begin(struct upload_form *form, const char *filename)
{
    struct upload_file *f = &form->file;

    if (form->file_seen)
        return refuse(form, 400, "two_files", "The form holds more than one file.");
    form->file_seen = true;
    form->part = PART_FILE;
    form->named = filename && *filename;
    upload_filename(f->filename, filename ? filename : "");
    if (!*f->title)
        upload_title(f->title, "", f->filename);
    return check_index(form);
}

/* buf holds the first bytes, or the whole of a shorter file. */
static enum rc file_decide(struct upload_form *form)
{
    struct sniff found;
    enum rc rc;

    if (form->n == 0 && !form->named)
        return refuse(form, 400, "no_file", "No file was chosen.");
    if (form->n == 0)
        return refuse(form, 422, "empty_file", "The file is empty.");
    if (form->n < UPLOAD_FILE_MIN)
        return refuse(form, 422, "too_short", "The file is too short to be a video.");
    if (sniff(form->buf, form->n, &found) != RC_OK)
        return refuse(form, 415, "unsupported_type", found.reason);
    form->file.container = found.container;
    form->begun = true;
    rc = form->events.begin(form->events.arg, &form->file);
    return rc == RC_OK ? form->events.data(form->events.arg, form->buf, form->n) : rc;
}

static enum rc wrong_size(struct upload_form *form)
{
    return refuse(form, 400, "size_mismatch",
                  "The file does not have the size that was announced.");
}

static enum rc file_data(struct upload_form *form, const char *data, size_t n)
{
    form->file_bytes += (int64_t)n;
    if (form->file.size >= 0 && form->file_bytes > form->file.size)
        return wrong_size(form);
    if (!form->begun) {
        size_t room = SNIFF_BYTES - form->n;
        size_t take = n < room ? n : room;
        enum rc rc;
        memcpy(form->buf + form->n, data, take);
        form->n += take;
        data += take;
        n -= take;
        rc = form->n == SNIFF_BYTES ? file_decide(form) : RC_OK;
        if (rc != RC_OK)
            return rc;
    }
    return n > 0 ? form->events.data(form->events.arg, data, n) : RC_OK;
}

static enum rc file_end(struct upload_form *form)
{
    enum rc rc = form->begun ? RC_OK : file_decide(form);

    if (rc == RC_OK && form->file.size >= 0 && form->file_bytes != form->file.size)
        rc = wrong_size(form);
    return rc;
}

/* ---- events of the parser -------------------------------------------------- */

static enum rc on_begin(void *arg, const struct multipart_part *part)
{
    struct upload_form *form = arg;

    form->n = 0;
    if (strcmp(part->name, "file") == 0)
        return file_begin(form, part->filename);
    if (strcmp(part->name, "index") == 0)
        return index_begin(form);
    form->field = form->file_seen ? NULL : find_field(part->name);
    form->part = form->field ? PART_FIELD : PART_IGNORED;
    return RC_OK;
}

static enum rc on_data(void *arg, const void *data, size_t n)
{
    struct upload_form *form = arg;

    switch (form->part) {
    case PART_FILE:
        return file_data(form, data, n);
    case PART_INDEX:
        return index_data(form, data, n);
    default:
        return field_data(form, data, n);
    }
}

static enum rc on_end(void *arg)
{
    struct upload_form *form = arg;

    if (form->part == PART_FILE)
        return file_end(form);
    if (form->part == PART_INDEX)
        return index_end(form);
    if (form->part != PART_FIELD)
        return RC_OK;
    form->buf[form->n] = '\0';
    return form->field->set(form);
}

/* ---- the form -------------------------------------------------------------- */

enum rc upload_form_open(const char *content_type, const struct upload_events *events,
                         struct upload_form **out, struct http_error *error)
{
    char boundary[MULTIPART_BOUNDARY_MAX + 1];
    struct upload_form *form;
    enum rc rc = multipart_boundary(content_type ? content_type : "", boundary);

    if (rc == RC_UNSUPPORTED)
        *error = (struct http_error){415, "not_multipart",
                                     "An upload must be multipart/form-data."};
    else if (rc != RC_OK)
        *error = (struct http_error){400, "bad_boundary",
                                     "The Content-Type has no usable boundary."};
    if (rc != RC_OK)
        return rc;
    form = calloc(1, sizeof(*form));
    if (!form)
        return RC_NOMEM;
    form->events = *events;
    form->file.size = -1;
    rc = multipart_open(boundary,
                        &(struct multipart_events){.part_begin = on_begin,
                                                   .part_data = on_data,
                                                   .part_end = on_end,
                                                   .arg = form},
                        &form->parser);
    if (rc != RC_OK) {
        upload_form_free(form);
        return rc;
    }
    *out = form;
    return RC_OK;
}

enum rc upload_form_feed(struct upload_form *form, const void *data, size_t n)
{
    enum rc rc = multipart_feed(form->parser, data, n);
    const char *grammar = multipart_error(form->parser);

    /* An error without a code of ours is the parser's or an event's own. */
    if (rc != RC_OK && !form->error.code && *grammar)
        form->error = (struct http_error){400, "bad_multipart", grammar};
    return rc;
}

enum rc upload_form_finish(struct upload_form *form)
{
    enum rc rc = multipart_finish(form->parser);

    if (rc == RC_OK && !form->file_seen)
        rc = refuse(form, 400, "no_file", "The form holds no part called file.");
    return rc;
}

struct http_error upload_form_error(const struct upload_form *form)
{
    return form->error;
}

void upload_form_free(struct upload_form *form)
{
    if (!form)
        return;
    multipart_free(form->parser);
    free(form);
}
