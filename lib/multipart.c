#include "multipart.h"

#include "mime.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum state {
    PREAMBLE,       /* before the first delimiter; ignored */
    AFTER_BOUNDARY, /* "-" of the closing delimiter, padding or CR */
    CLOSING_DASH,   /* the second "-" */
    PADDING,        /* spaces and tabs that a gateway may have added */
    DELIMITER_LF,
    HEADERS,
    BODY,
    EPILOGUE,
    FAILED,
};

struct multipart {
    struct multipart_events events;
    enum state state;
    enum rc rc; /* why, when FAILED */
    const char *error;
    int parts;

    char delimiter[4 + MULTIPART_BOUNDARY_MAX]; /* CR LF "--" boundary */
    size_t delimiter_size;
    /* How far it is at least to the next place where the delimiter may begin, by the
     * byte that is where it would have its last one; 0: it may begin here, and if it
     * does not, again is how far. */
    unsigned char steps[UCHAR_MAX + 1];
    unsigned char again;
    unsigned char stride; /* a step that most bytes allow that are in the delimiter */
    /*
     * Bytes of the delimiter matched at the end of what was fed, the first `given` of
     * them not in the input: the line end of a header block, or the start of the
     * whole body, is also the line end that a delimiter begins with.
     */
    size_t matched;
    size_t given;

    /* The header block; the part's strings are decoded in place. */
    char headers[MULTIPART_HEADERS_MAX];
    size_t headers_size;
    size_t line_start;
    bool has_disposition;
    struct multipart_part part;
};

/* ---- opening and failing --------------------------------------------------- */

/* RFC 2046 section 5.1.1. */
static bool boundary_valid(const char *boundary, size_t n)
{
    if (n == 0 || n > MULTIPART_BOUNDARY_MAX || boundary[n - 1] == ' ')
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = boundary[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && (c == '\0' || !strchr("'()+_,-./:=? ", c)))
            return false;
    }
    return true;
}

enum rc multipart_boundary(const char *content_type,
                           char out[MULTIPART_BOUNDARY_MAX + 1])
{
    const char *p = content_type;
    const char *end;
    struct mime_param found = {0};
    struct mime_param param;
    enum rc rc;

    if (p == NULL)
        return RC_UNSUPPORTED;
    end = p + strlen(p);
    if (!mime_main_value(&p, end, "multipart/form-data"))
        return RC_UNSUPPORTED;
    while ((rc = mime_next_param(&p, end, &param)) == RC_OK) {
        if (!mime_equals(param.name, param.name_size, "boundary"))
            continue;
        if (found.value != NULL)
            return RC_INVALID;
        found = param;
    }
    /* A boundary has no byte that a quoted value would escape. */
    if (rc != RC_NOT_FOUND || !boundary_valid(found.value, found.value_size))
        return RC_INVALID;
    memcpy(out, found.value, found.value_size);
    out[found.value_size] = '\0';
    return RC_OK;
}

static void set_steps(struct multipart *m)
{
    size_t last = m->delimiter_size - 1;
    unsigned char *here = &m->steps[(unsigned char)m->delimiter[last]];

    memset(m->steps, (int)m->delimiter_size, sizeof(m->steps));
    for (size_t i = 0; i < last; i++)
        m->steps[(unsigned char)m->delimiter[i]] = (unsigned char)(last - i);
    m->again = *here;
    *here = 0;

    /* From its first byte that is none of CR, LF and "-", of which a file may be full:
     * a step over what follows is one that those three allow. */
    m->stride = (unsigned char)(last - (3 + strspn(m->delimiter + 4, "-")));
    if (m->stride < m->delimiter_size / 4)
        m->stride = (unsigned char)(m->delimiter_size / 4);
}

enum rc multipart_open(const char *boundary, const struct multipart_events *events,
                       struct multipart **out)
{
    size_t n = strlen(boundary);
    struct multipart *m;

    if (!boundary_valid(boundary, n))
        return RC_INVALID;
    m = calloc(1, sizeof(*m));
    if (m == NULL)
        return RC_NOMEM;
    m->events = *events;
    m->error = "";
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary, n);
    m->delimiter_size = 4 + n;
    set_steps(m);
    m->matched = m->given = 2;
    *out = m;
    return RC_OK;
}

void multipart_free(struct multipart *m)
{
    free(m);
}

const char *multipart_error(const struct multipart *m)
{
    return m->error;
}

static enum rc fail(struct multipart *m, enum rc rc, const char *error)
{
    m->state = FAILED;
    m->rc = rc;
    m->error = error;
    return rc;
}

/* Passes on a callback's answer; what it does not like is its own to explain. */
static enum rc after_callback(struct multipart *m, enum rc rc)
{
    return rc == RC_OK ? RC_OK : fail(m, rc, "");
}

/* ---- the header block of a part -------------------------------------------- */

static enum rc on_disposition(struct multipart *m, char *start, const char *end)
{
    const char *p = start;
    struct mime_param param;
    enum rc rc;

    if (m->has_disposition)
        return fail(m, RC_INVALID, "A part of the form has two Content-Dispositions.");
    m->has_disposition = true;
    if (!mime_main_value(&p, end, "form-data"))
        return fail(m, RC_INVALID, "A part of the form is not form-data.");
    while ((rc = mime_next_param(&p, end, &param)) == RC_OK) {
        /* filename* is among those passed over: RFC 7578 section 4.2 forbids it. */
        const char **to =
            mime_equals(param.name, param.name_size, "name")       ? &m->part.name
            : mime_equals(param.name, param.name_size, "filename") ? &m->part.filename
                                                                   : NULL;
        char *value = start + (param.value - start);

        if (to == NULL)
            continue;
        if (*to != NULL)
            return fail(m, RC_INVALID, "A part of the form has two names.");
        mime_decode(value, param.value_size, param.quoted);
        *to = value;
    }
    if (rc != RC_NOT_FOUND)
        return fail(m, RC_INVALID, "A part's Content-Disposition is malformed.");
    if (m->part.name == NULL)
        return fail(m, RC_INVALID, "A part of the form has no name.");
    return RC_OK;
}

static enum rc on_content_type(struct multipart *m, char *start, char *end)
{
    if (m->part.content_type != NULL)
        return fail(m, RC_INVALID, "A part of the form has two Content-Types.");
    *end = '\0';
    m->part.content_type = start;
    return RC_OK;
}

/* Nobody decodes base64 here, so it must not pass for the file's own bytes. */
static enum rc on_encoding(struct multipart *m, const char *start, const char *end)
{
    size_t n = (size_t)(end - start);

    if (mime_equals(start, n, "binary") || mime_equals(start, n, "8bit") ||
        mime_equals(start, n, "7bit"))
        return RC_OK;
    return fail(m, RC_UNSUPPORTED, "A part of the form has a transfer encoding.");
}

/* One header line without its CRLF; *end may be written to. */
static enum rc on_header(struct multipart *m, char *line, char *end)
{
    char *p = line;
    size_t name_size;

    if (mime_is_blank(*line))
        return fail(m, RC_INVALID, "A header of the form is folded over two lines.");
    if (memchr(line, '\0', (size_t)(end - line)) != NULL ||
        memchr(line, '\r', (size_t)(end - line)) != NULL)
        return fail(m, RC_INVALID, "A header of the form has a forbidden byte.");
    while (p < end && mime_is_token_char(*p))
        p++;
    name_size = (size_t)(p - line);
    if (name_size == 0 || p == end || *p != ':')
        return fail(m, RC_INVALID, "A header of the form has no name.");
    p++;
    while (p < end && mime_is_blank(*p))
        p++;
    while (end > p && mime_is_blank(end[-1]))
        end--;
    if (mime_equals(line, name_size, "Content-Disposition"))
        return on_disposition(m, p, end);
    if (mime_equals(line, name_size, "Content-Type"))
        return on_content_type(m, p, end);
    if (mime_equals(line, name_size, "Content-Transfer-Encoding"))
        return on_encoding(m, p, end);
    return RC_OK;
}

static enum rc on_headers_end(struct multipart *m)
{
    if (!m->has_disposition)
        return fail(m, RC_INVALID, "A part of the form has no Content-Disposition.");
    m->state = BODY;
    m->matched = m->given = 2;
    return after_callback(m, m->events.part_begin(m->events.arg, &m->part));
}

/* A line of the header block is complete, its LF included. */
static enum rc on_line(struct multipart *m)
{
    char *line = m->headers + m->line_start;
    char *lf = m->headers + m->headers_size - 1;

    if (lf == line || lf[-1] != '\r')
        return fail(m, RC_INVALID, "A header line of the form ends without CRLF.");
    if (lf - 1 == line)
        return on_headers_end(m);
    m->line_start = m->headers_size;
    return on_header(m, line, lf - 1);
}

static enum rc feed_headers(struct multipart *m, const char **p, const char *end)
{
    size_t room = sizeof(m->headers) - m->headers_size;
    size_t n = (size_t)(end - *p) < room ? (size_t)(end - *p) : room;
    const char *lf = memchr(*p, '\n', n);

    if (room == 0)
        return fail(m, RC_TOO_LARGE, "The headers of a part are over 4 KB.");
    if (lf != NULL)
        n = (size_t)(lf - *p) + 1;
    memcpy(m->headers + m->headers_size, *p, n);
    m->headers_size += n;
    *p += n;
    return lf != NULL ? on_line(m) : RC_OK;
}

/* ---- delimiters ------------------------------------------------------------ */

static enum rc begin_headers(struct multipart *m)
{
    if (m->parts == MULTIPART_PARTS_MAX)
        return fail(m, RC_TOO_LARGE, "The form has more than 16 parts.");
    m->parts++;
    m->state = HEADERS;
    m->headers_size = m->line_start = 0;
    m->has_disposition = false;
    m->part = (struct multipart_part){0};
    return RC_OK;
}

/* One byte of what follows "--boundary" on its line. */
static enum rc after_boundary(struct multipart *m, char c)
{
    bool line_may_end = m->state == AFTER_BOUNDARY || m->state == PADDING;

    if (m->state == DELIMITER_LF && c == '\n')
        return begin_headers(m);
    if (m->state == AFTER_BOUNDARY && c == '-')
        m->state = CLOSING_DASH;
    else if (m->state == CLOSING_DASH && c == '-')
        m->state = EPILOGUE;
    else if (line_may_end && mime_is_blank(c))
        m->state = PADDING;
    else if (line_may_end && c == '\r')
        m->state = DELIMITER_LF;
    else
        return fail(m, RC_INVALID, "The line of a boundary goes on with other text.");
    return RC_OK;
}

static enum rc on_delimiter(struct multipart *m)
{
    bool in_part = m->state == BODY;

    m->matched = m->given = 0;
    m->state = AFTER_BOUNDARY;
    return in_part ? after_callback(m, m->events.part_end(m->events.arg)) : RC_OK;
}

/* Bytes that turned out to be no delimiter: the part's data, or the preamble. */
static enum rc emit(struct multipart *m, const char *data, size_t n)
{
    if (n == 0 || m->state != BODY)
        return RC_OK;
    return after_callback(m, m->events.part_data(m->events.arg, data, n));
}

/* How many bytes at p, of n, are those that the delimiter begins with. */
static size_t match(const struct multipart *m, const char *p, size_t n)
{
    size_t i = 0;

    if (n > m->delimiter_size)
        n = m->delimiter_size;
    while (i < n && p[i] == m->delimiter[i])
        i++;
    return i;
}

/*
 * Where the delimiter, or at the end of [p, end) a beginning of it, starts; end if
 * nowhere. Looks at the last byte that it could have, and steps on to the next place
 * that goes with that one (Horspool). CR is in the delimiter's first place only, so of
 * two places that begin with one the bytes that match are not the same ones: the time
 * is linear.
 */
static const char *find_delimiter(const struct multipart *m, const char *p,
                                  const char *end, size_t *matched)
{
    const size_t size = m->delimiter_size, last = size - 1, stride = m->stride;

    *matched = size;
    while ((size_t)(end - p) > last) {
        size_t step = m->steps[(unsigned char)p[last]];

        /* A step that is known before it has been read costs next to nothing. */
        if (step == size)
            p += size;
        else if (step >= stride)
            p += stride;
        else if (step > 0)
            p += step;
        else if (match(m, p, size) < size)
            p += m->again;
        else
            return p;
    }
    /* Of a beginning, the CR is the last one there is. */
    p = memrchr(p, '\r', (size_t)(end - p));
    *matched = p != NULL && match(m, p, (size_t)(end - p)) == (size_t)(end - p)
                   ? (size_t)(end - p)
                   : 0;
    return *matched > 0 ? p : end;
}

/* Goes on with a beginning of a delimiter that an earlier feed ended with. */
static enum rc feed_matched(struct multipart *m, const char **p, const char *end)
{
    size_t held = m->matched;
    size_t given = m->given;

    while (*p < end && m->matched < m->delimiter_size &&
           **p == m->delimiter[m->matched]) {
        m->matched++;
        (*p)++;
    }
    if (m->matched == m->delimiter_size)
        return on_delimiter(m);
    if (*p == end)
        return RC_OK;
    /* What was held back is equal to the delimiter's beginning: no copy was needed. */
    *p -= m->matched - held;
    m->matched = m->given = 0;
    return emit(m, m->delimiter + given, held - given);
}

static enum rc feed_body(struct multipart *m, const char **p, const char *end)
{
    const char *start = *p;
    const char *at;
    enum rc rc;

    if (m->matched > 0)
        return feed_matched(m, p, end);
    at = find_delimiter(m, start, end, &m->matched);
    *p = at + m->matched;
    rc = emit(m, start, (size_t)(at - start));
    if (rc == RC_OK && m->matched == m->delimiter_size)
        rc = on_delimiter(m);
    return rc;
}

/* ---- feeding --------------------------------------------------------------- */

enum rc multipart_feed(struct multipart *m, const void *data, size_t n)
{
    const char *p = data;
    const char *end = n > 0 ? p + n : p;
    enum rc rc = m->rc;

    while (rc == RC_OK && p < end) {
        switch (m->state) {
        case PREAMBLE:
        case BODY:
            rc = feed_body(m, &p, end);
            break;
        case HEADERS:
            rc = feed_headers(m, &p, end);
            break;
        case EPILOGUE:
        case FAILED:
            return m->rc;
        default:
            rc = after_boundary(m, *p++);
            break;
        }
    }
    return rc;
}

enum rc multipart_finish(struct multipart *m)
{
    if (m->state == FAILED || m->state == EPILOGUE)
        return m->rc;
    return fail(m, RC_TRUNCATED, "The form ends before its closing boundary.");
}
