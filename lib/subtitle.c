#include "subtitle.h"

#include "charset.h"
#include "subtitle_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"

struct line {
    const char *s;
    size_t n; /* without its end: LF, CR LF or CR */
};

struct cues {
    struct subtitle_cue *v;
    size_t n, size;
    bool found; /* a line of times, readable or not */
};

static bool next_line(const char **at, const char *end, struct line *out)
{
    const char *s = *at;
    if (s == end)
        return false;
    while (s < end && *s != '\n' && *s != '\r')
        s++;
    *out = (struct line){*at, (size_t)(s - *at)};
    if (s < end && *s == '\r')
        s++;
    if (s < end && *s == '\n' && (s == *at + out->n || s[-1] == '\r'))
        s++;
    *at = s;
    return true;
}

static struct line trimmed(struct line l)
{
    while (l.n > 0 && *l.s == ' ')
        l.s++, l.n--;
    while (l.n > 0 && l.s[l.n - 1] == ' ')
        l.n--;
    return l;
}

/* Also where its times cannot be read: what follows belongs to it, and not to the cue
 * before. An arrow in a sentence is no such line. */
static bool is_timing(struct line l)
{
    l = trimmed(l);
    const char *arrow = memmem(l.s, l.n, "-->", 3);
    return arrow && memchr(l.s, ':', (size_t)(arrow - l.s)) &&
           ((*l.s >= '0' && *l.s <= '9') || *l.s == '-');
}

static bool is_index(struct line l)
{
    l = trimmed(l);
    for (size_t i = 0; i < l.n; i++)
        if (l.s[i] < '0' || l.s[i] > '9')
            return false;
    return l.n > 0;
}

static enum rc read_timing(struct line l, struct subtitle_cue *cue)
{
    l = trimmed(l);
    const char *at = l.s, *end = l.s + l.n;
    if (subtitle_read_time(&at, end, &cue->start_ms) != RC_OK)
        return RC_INVALID;
    while (at < end && *at == ' ')
        at++;
    if (end - at < 3 || memcmp(at, "-->", 3) != 0)
        return RC_INVALID;
    for (at += 3; at < end && *at == ' '; at++)
        continue;
    if (subtitle_read_time(&at, end, &cue->end_ms) != RC_OK ||
        (at < end && *at != ' ') || cue->end_ms <= cue->start_ms)
        return RC_INVALID;
    cue->settings = at;
    cue->n_settings = (size_t)(end - at);
    return RC_OK;
}

static enum rc add_cue(struct cues *all, const struct subtitle_cue *cue)
{
    if (all->n == SUBTITLE_CUES_MAX)
        return RC_TOO_LARGE;
    if (all->n == all->size) {
        size_t size = all->size ? 2 * all->size : 256;
        struct subtitle_cue *v = realloc(all->v, size * sizeof(*v));
        if (!v)
            return RC_NOMEM;
        all->v = v;
        all->size = size;
    }
    all->v[all->n] = *cue;
    all->v[all->n].order = all->n;
    all->n++;
    return RC_OK;
}

/*
 * The text of a cue ends where the next times stand. In SRT that is all that can be
 * relied on: text may have empty lines, and the number before the next times may be
 * missing. In WebVTT it ends with the first empty line.
 */
static const char *text_end(const char *at, const char *end, bool webvtt)
{
    struct line l, before = {at, 0};
    const char *from = at;
    while (next_line(&at, end, &l)) {
        if (webvtt && l.n == 0)
            return l.s;
        if (is_timing(l))
            return !webvtt && before.s >= from && is_index(before) ? before.s : l.s;
        before = l;
    }
    return end;
}

static enum rc read_cues(const char *text, size_t n, bool webvtt, struct cues *all)
{
    const char *at = text, *end = text + n;
    enum rc rc = RC_OK;
    struct line l;
    while (rc == RC_OK && next_line(&at, end, &l)) {
        struct subtitle_cue cue = {.text = at, .srt = !webvtt};
        if (!is_timing(l))
            continue;
        all->found = true;
        bool good = read_timing(l, &cue) == RC_OK;
        const char *stop = text_end(at, end, webvtt);
        cue.n = (size_t)(stop - at);
        if (!webvtt)
            cue.n_settings = 0; /* SRT has corners of a box there, in pixels */
        if (good)
            rc = add_cue(all, &cue);
        at = stop;
    }
    return rc;
}

static int by_time(const void *a, const void *b)
{
    const struct subtitle_cue *x = a, *y = b;
    if (x->start_ms != y->start_ms)
        return x->start_ms < y->start_ms ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* An empty line, the times with their settings, the text. False: nothing to be seen. */
static bool put_cue(struct subtitle_buf *b, const struct subtitle_cue *cue, bool webvtt)
{
    subtitle_puts(b, "\n");
    subtitle_put_time(b, cue->start_ms);
    subtitle_puts(b, " --> ");
    subtitle_put_time(b, cue->end_ms);
    if (webvtt)
        subtitle_put_settings(b, cue->settings, cue->n_settings);
    else if (subtitle_is_at_top(cue->text, cue->n))
        subtitle_puts(b, " line:0");
    subtitle_puts(b, "\n");
    bool seen = subtitle_put_text(b, cue);
    subtitle_puts(b, "\n");
    return seen;
}

/* Styled subtitles say things twice, for a shadow below them. */
static bool is_repeated(const struct subtitle_buf *b, size_t before, size_t from)
{
    size_t n = b->n - from;
    return n == from - before && memcmp(b->s + before, b->s + from, n) == 0;
}

static enum rc write_cues(struct cues *all, bool webvtt, char **out, size_t *out_n)
{
    struct subtitle_buf b = {.max = SUBTITLE_TEXT_MAX};
    size_t before, n = 0;
    if (all->n > 0)
        qsort(all->v, all->n, sizeof(all->v[0]), by_time);
    subtitle_puts(&b, HEADER);
    before = b.n;
    for (size_t i = 0; i < all->n && b.rc == RC_OK; i++) {
        size_t from = b.n;
        bool seen = put_cue(&b, &all->v[i], webvtt);
        if (b.rc == RC_OK && (!seen || (n > 0 && is_repeated(&b, before, from)))) {
            b.n = from;
            b.s[from] = '\0';
        } else {
            before = from;
            n++;
        }
    }
    if (b.rc == RC_OK && n == 0)
        b.rc = RC_INVALID;
    if (b.rc != RC_OK) {
        free(b.s);
        return b.rc;
    }
    *out = b.s;
    *out_n = b.n;
    return RC_OK;
}

/* W3C WebVTT s. 4.1: the six letters, and a space, a tab, a line end or nothing. */
static bool is_webvtt(const char *s, size_t n)
{
    return n >= 6 && memcmp(s, "WEBVTT", 6) == 0 && (n == 6 || strchr(" \t\r\n", s[6]));
}

/* Control characters go; tabs become spaces. */
static size_t without_controls(char *s, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '\t')
            s[kept++] = ' ';
        else if ((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\r')
            s[kept++] = s[i];
    }
    return kept;
}

/* As UTF-8, in memory of its own. */
static enum rc decode(const char *data, size_t n, char **out, size_t *out_n)
{
    if (charset_is_utf16(data, n))
        return charset_from_utf16(data, n, out, out_n);
    if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        data += 3, n -= 3;
    return charset_is_utf8(data, n) || is_webvtt(data, n)
               ? charset_repair(data, n, out, out_n)
               : charset_from_1252(data, n, out, out_n);
}

static enum rc convert(char *s, size_t n, char **out, size_t *out_n)
{
    bool webvtt = is_webvtt(s, n);
    struct cues all = {.n = 0};
    if (memchr(s, '\0', n))
        return RC_UNSUPPORTED;
    n = without_controls(s, n);
    enum rc rc = read_cues(s, n, webvtt, &all);
    if (rc == RC_OK && !webvtt && !all.found)
        rc = RC_UNSUPPORTED;
    if (rc == RC_OK)
        rc = write_cues(&all, webvtt, out, out_n);
    free(all.v);
    return rc;
}

enum rc subtitle_to_webvtt(const char *data, size_t n, char **out, size_t *out_n)
{
    char *text = NULL;
    enum rc rc = decode(data, n, &text, &n);
    if (rc == RC_OK)
        rc = convert(text, n, out, out_n);
    free(text);
    return rc;
}
