/*
 * fuzz_multipart.c: whatever is sent as a form gives the same events, and the same
 * error, however it is cut. The input is a Content-Type, a line end, and the body; the
 * last byte says where that is cut.
 */
#include "fuzz.h"

#include "multipart.h"
#include "text.h"
#include "upload_form.h"

static enum rc on_begin(void *arg, const struct multipart_part *part)
{
    must(part->name != NULL);
    say_text(arg, part->name);
    say_text(arg, part->filename);
    say_text(arg, part->content_type);
    return RC_OK;
}

static enum rc on_data(void *arg, const void *data, size_t n)
{
    must(n > 0);
    say(arg, data, n);
    return RC_OK;
}

static enum rc on_end(void *arg)
{
    say(arg, "|", 1);
    return RC_OK;
}

/* In pieces of step bytes. */
static enum rc feed(enum rc (*take)(void *to, const void *data, size_t n), void *to,
                    const uint8_t *data, size_t n, size_t step)
{
    enum rc rc = RC_OK;
    for (size_t at = 0; at < n && rc == RC_OK; at += step) {
        size_t size = n - at < step ? n - at : step;
        void *part = copy_of(data + at, size);
        rc = take(to, part, size);
        free(part);
    }
    return rc;
}

/* ---- the parser alone --------------------------------------------------------- */

static enum rc take_bytes(void *to, const void *data, size_t n)
{
    return multipart_feed(to, data, n);
}

static enum rc parse(const char *boundary, const uint8_t *data, size_t n, size_t step,
                     struct said *said)
{
    const struct multipart_events events = {on_begin, on_data, on_end, said};
    struct multipart *m;
    must(multipart_open(boundary, &events, &m) == RC_OK);
    enum rc rc = feed(take_bytes, m, data, n, step);
    if (rc == RC_OK)
        rc = multipart_finish(m);
    must(multipart_finish(m) == rc && multipart_feed(m, "x", 1) == rc);
    must((rc == RC_OK) == (multipart_error(m)[0] == '\0'));
    say_text(said, multipart_error(m));
    multipart_free(m);
    return rc;
}

/* ---- the form that carries a file ----------------------------------------------- */

static enum rc on_file(void *arg, const struct upload_file *file)
{
    must(file->container != CONTAINER_NONE && file->filename[0] && file->title[0]);
    must(text_is_clean(file->filename, strlen(file->filename)));
    must(text_is_clean(file->title, strlen(file->title)));
    must(!strpbrk(file->filename, "/\\"));
    must(file->size >= -1 && file->index_offset >= 0);
    must(strlen(file->upload_id) == 0 || strlen(file->upload_id) == UPLOAD_ID_LEN);
    say_text(arg, file->filename);
    say_text(arg, file->title);
    say_text(arg, file->upload_id);
    say(arg, &file->size, sizeof(file->size));
    say(arg, &file->index_offset, sizeof(file->index_offset));
    return RC_OK;
}

static enum rc take_form(void *to, const void *data, size_t n)
{
    return upload_form_feed(to, data, n);
}

static enum rc receive(const char *type, const uint8_t *data, size_t n, size_t step,
                       struct said *said)
{
    const struct upload_events events = {on_file, on_data, on_data, said};
    struct upload_form *form;
    struct http_error error = {0};
    enum rc rc = upload_form_open(type, &events, &form, &error);
    if (rc != RC_OK) {
        must(error.status >= 400 && error.message);
        return rc;
    }
    rc = feed(take_form, form, data, n, step);
    if (rc == RC_OK)
        rc = upload_form_finish(form);
    error = upload_form_error(form);
    must((rc == RC_OK || rc == RC_TRUNCATED) == (error.code == NULL));
    say_text(said, error.message);
    upload_form_free(form);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *lf = n > 0 ? memchr(data, '\n', n) : NULL;
    char boundary[MULTIPART_BOUNDARY_MAX + 1];
    if (!lf)
        return 0;
    char *type = text_of(data, (size_t)(lf - data));
    const uint8_t *body = lf + 1;
    const size_t size = n - (size_t)(body - data);
    const size_t step = 1 + data[n - 1] % 64;
    struct said whole = {0}, parts = {0};

    must(receive(type, body, size, n, &whole) ==
         receive(type, body, size, step, &parts));
    must(same(&whole, &parts));
    whole.n = parts.n = 0;
    if (multipart_boundary(type, boundary) == RC_OK) {
        must(parse(boundary, body, size, n, &whole) ==
             parse(boundary, body, size, step, &parts));
        must(same(&whole, &parts));
    }
    free(whole.p);
    free(parts.p);
    free(type);
    return 0;
}
