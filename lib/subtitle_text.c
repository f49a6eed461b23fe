#include "subtitle_text.h"

#include "charset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TAG_MAX 256       /* bytes between the brackets; more is text */
#define OPEN_MAX 8        /* tags that are open at once */
#define CLASSES_MAX 50    /* bytes; with these two, no tag that is written … */
#define ANNOTATION_MAX 32 /* characters, … however escaped, is over TAG_MAX */
#define HOURS_MAX 999

/* ---- text that grows --------------------------------------------------------- */

void subtitle_put(struct subtitle_buf *b, const char *s, size_t n)
{
    if (b->rc != RC_OK)
        return;
    if (n > b->max - b->n) {
        b->rc = RC_TOO_LARGE;
        return;
    }
    if (b->n + n + 1 > b->size) {
        size_t size = b->size ? b->size : 4096;
        while (size < b->n + n + 1)
            size *= 2;
        char *grown = realloc(b->s, size);
        if (!grown) {
            b->rc = RC_NOMEM;
            return;
        }
        b->s = grown;
        b->size = size;
    }
    memcpy(b->s + b->n, s, n);
    b->n += n;
    b->s[b->n] = '\0';
}

void subtitle_puts(struct subtitle_buf *b, const char *s)
{
    subtitle_put(b, s, strlen(s));
}

/* ---- times ------------------------------------------------------------------- */

static void write_time(int64_t ms, char out[32])
{
    snprintf(out, 32, "%02" PRId64 ":%02d:%02d.%03d", ms / 3600000,
             (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
}

void subtitle_put_time(struct subtitle_buf *b, int64_t ms)
{
    char text[32];
    write_time(ms, text);
    subtitle_puts(b, text);
}

static bool digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* At most six digits. */
static bool number(const char **at, const char *end, int64_t *out)
{
    const char *from = *at;
    int64_t n = 0;
    while (digit(*at, end) && *at - from < 7)
        n = n * 10 + (*(*at)++ - '0');
    *out = n;
    return *at > from && *at - from < 7;
}

/* Three digits count, as milliseconds; ".5" is half a second. */
static int64_t fraction(const char **at, const char *end)
{
    int64_t ms = 0;
    for (int i = 0; i < 3; i++) {
        ms *= 10;
        if (digit(*at, end))
            ms += *(*at)++ - '0';
    }
    while (digit(*at, end))
        ++*at;
    return ms;
}

enum rc subtitle_read_time(const char **at, const char *end, int64_t *out_ms)
{
    int64_t part[3], ms = 0;
    int n = 0;
    const char *s = *at;
    do {
        if (n == 3 || !number(&s, end, &part[n]))
            return RC_INVALID;
        n++;
    } while (s < end && *s == ':' && s++);
    if (n < 2)
        return RC_INVALID;
    if (s + 1 < end && (*s == '.' || *s == ',') && digit(s + 1, end)) {
        s++;
        ms = fraction(&s, end);
    }
    int64_t hours = n == 3 ? part[0] : 0, minutes = part[n - 2], seconds = part[n - 1];
    if (hours > HOURS_MAX || minutes > 59 || seconds > 59)
        return RC_INVALID;
    *at = s;
    *out_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
    return RC_OK;
}

/* ---- settings ---------------------------------------------------------------- */

struct word {
    const char *s;
    size_t n;
};

static bool is_word(struct word w, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == w.n && memcmp(*words, w.s, w.n) == 0)
            return true;
    return false;
}

/* A number, with a percent sign where it has to be one or may, then perhaps a comma and
 * an alignment. */
static bool is_place(struct word w, bool percent)
{
    static const char *const aligns[] = {"start",     "center",     "end",
                                         "line-left", "line-right", NULL};
    size_t i = w.n > 1 && w.s[0] == '-' && !percent, from = i;
    while (i < w.n && i - from < 9 && w.s[i] >= '0' && w.s[i] <= '9')
        i++;
    if (i == from)
        return false;
    if (i + 1 < w.n && w.s[i] == '.')
        for (i++; i < w.n && w.s[i] >= '0' && w.s[i] <= '9';)
            i++;
    if (i < w.n && w.s[i] == '%')
        i++;
    else if (percent)
        return false;
    return i == w.n ||
           (w.s[i] == ',' && is_word((struct word){w.s + i + 1, w.n - i - 1}, aligns));
}

static bool is_setting(struct word w)
{
    static const char *const vertical[] = {"rl", "lr", NULL};
    static const char *const align[] = {"start", "center", "end",
                                        "left",  "right",  NULL};
    const char *colon = memchr(w.s, ':', w.n);
    if (!colon)
        return false;
    struct word name = {w.s, (size_t)(colon - w.s)};
    struct word value = {colon + 1, w.n - name.n - 1};
    if (is_word(name, (const char *const[]){"vertical", NULL}))
        return is_word(value, vertical);
    if (is_word(name, (const char *const[]){"align", NULL}))
        return is_word(value, align);
    if (is_word(name, (const char *const[]){"line", NULL}))
        return is_place(value, false);
    if (is_word(name, (const char *const[]){"position", NULL}))
        return is_place(value, true);
    return is_word(name, (const char *const[]){"size", NULL}) &&
           is_place(value, true) && !memchr(value.s, ',', value.n);
}

void subtitle_put_settings(struct subtitle_buf *b, const char *s, size_t n)
{
    const char *end = s + n;
    int left = 5; /* there are so many */
    while (s < end && left > 0) {
        const char *from = s;
        while (s < end && *s != ' ')
            s++;
        struct word w = {from, (size_t)(s - from)};
        if (w.n > 0 && w.n < 64 && is_setting(w)) {
            subtitle_puts(b, " ");
            subtitle_put(b, w.s, w.n);
            left--;
        }
        s += s < end;
    }
}

bool subtitle_is_at_top(const char *s, size_t n)
{
    const char *at = memmem(s, n, "{\\an", 4);
    return at && (size_t)(at - s) + 4 < n && at[4] >= '7' && at[4] <= '9';
}

/* ---- tags -------------------------------------------------------------------- */

enum tag { TAG_B, TAG_C, TAG_I, TAG_LANG, TAG_RT, TAG_RUBY, TAG_U, TAG_V, TAG_COUNT };

static const char *const tag_names[TAG_COUNT] = {"b",  "c",    "i", "lang",
                                                 "rt", "ruby", "u", "v"};

struct writer {
    struct subtitle_buf *b;
    const struct subtitle_cue *cue;
    enum tag open[OPEN_MAX];
    int n_open;
    bool begun, seen,
        line_break; /* line_break: to be written before whatever follows */
};

static void put(struct writer *w, const char *s, size_t n)
{
    if (w->line_break && w->begun)
        subtitle_puts(w->b, "\n");
    w->line_break = false;
    w->begun = true;
    subtitle_put(w->b, s, n);
}

static void puts_(struct writer *w, const char *s)
{
    put(w, s, strlen(s));
}

/* Of "&amp;" and the like that WebVTT knows, its length; else 0. */
static size_t entity_length(const char *s, const char *end)
{
    static const char *const names[] = {"&amp;",  "&lt;",  "&gt;",
                                        "&nbsp;", "&lrm;", "&rlm;"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t n = strlen(names[i]);
        if ((size_t)(end - s) >= n && memcmp(s, names[i], n) == 0)
            return n;
    }
    return 0;
}

/* How long one character is, also an escaped one. */
static size_t character_length(const char *s, const char *end)
{
    size_t n = *s == '&' ? entity_length(s, end) : 0;
    if (n == 0)
        n = charset_utf8_length(s, (size_t)(end - s));
    return n > 0 ? n : 1;
}

/* One character; how long it was. */
static size_t put_character(struct writer *w, const char *s, const char *end)
{
    size_t n = character_length(s, end);
    if (*s == '&' && n == 1)
        puts_(w, "&amp;");
    else if (*s == '<')
        puts_(w, "&lt;");
    else if (*s == '>')
        puts_(w, "&gt;");
    else
        put(w, s, n);
    return n;
}

static void close_tags(struct writer *w, int down_to)
{
    while (w->n_open > down_to) {
        char text[16];
        bool line_break = w->line_break;
        snprintf(text, sizeof(text), "</%s>", tag_names[w->open[--w->n_open]]);
        w->line_break = false; /* behind it, and not before */
        puts_(w, text);
        w->line_break = line_break;
    }
}

static void close_tag(struct writer *w, enum tag tag)
{
    for (int i = w->n_open - 1; i >= 0; i--) {
        if (w->open[i] == tag) {
            close_tags(w, i);
            return;
        }
    }
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool name_character(char c)
{
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           (unsigned char)c >= 0x80;
}

/* ".yellow.bg_blue", as far as these are names; the rest of the tag. */
static const char *put_classes(struct writer *w, const char *s, const char *end)
{
    size_t written = 0;
    while (s < end && *s == '.') {
        const char *from = ++s;
        while (s < end && name_character(*s))
            s++;
        size_t n = (size_t)(s - from);
        while (n > 0 && from[n - 1] == '-')
            n--;
        if (n == 0 || written + n + 1 > CLASSES_MAX)
            continue;
        puts_(w, ".");
        put(w, from, n);
        written += n + 1;
    }
    return s;
}

/* What stands in a tag behind its name: who speaks, in which language. */
static void put_annotation(struct writer *w, const char *s, const char *end)
{
    while (s < end && *s == ' ')
        s++;
    const char *stop = s;
    for (int i = 0; i < ANNOTATION_MAX && stop < end; i++)
        stop += character_length(stop, end);
    /* A dash before the bracket would make half an arrow of it. */
    while (s < stop && (stop[-1] == ' ' || stop[-1] == '-'))
        stop--;
    if (s < stop)
        puts_(w, " ");
    while (s < stop)
        s += put_character(w, s, stop);
}

static void open_tag(struct writer *w, enum tag tag, const char *s, const char *end)
{
    if (w->n_open == OPEN_MAX)
        return;
    puts_(w, "<");
    puts_(w, tag_names[tag]);
    s = put_classes(w, s, end);
    if (tag == TAG_V || tag == TAG_LANG)
        put_annotation(w, s, end);
    puts_(w, ">");
    w->open[w->n_open++] = tag;
}

/* "<00:00:05.000>": from then on. Only between the times of its cue. */
static void put_timestamp(struct writer *w, const char *s, const char *end)
{
    int64_t ms;
    char text[32];
    if (subtitle_read_time(&s, end, &ms) != RC_OK || ms <= w->cue->start_ms ||
        ms >= w->cue->end_ms)
        return;
    write_time(ms, text);
    puts_(w, "<");
    puts_(w, text);
    puts_(w, ">");
}

/* s to end: what is between the brackets. One that WebVTT does not know is dropped. */
static void put_tag(struct writer *w, const char *s, const char *end)
{
    bool closing = *s == '/';
    const char *name = s + closing, *at = name;
    if (digit(s, end)) {
        put_timestamp(w, s, end);
        return;
    }
    while (at < end && letter(*at))
        at++;
    if (strncasecmp(name, "br", 2) == 0 && at == name + 2)
        w->line_break = true;
    for (int tag = 0; tag < TAG_COUNT; tag++) {
        size_t n = strlen(tag_names[tag]);
        if ((size_t)(at - name) != n || strncasecmp(name, tag_names[tag], n) != 0 ||
            (at < end && !strchr(". /", *at)))
            continue;
        if (closing)
            close_tag(w, (enum tag)tag);
        else
            open_tag(w, (enum tag)tag, at, end);
        return;
    }
}

/* The end of what may be a tag that begins at s ("<"), behind its bracket; NULL: it is
 * none, as in "a < b" or "<3". */
static const char *tag_end(const char *s, const char *end)
{
    const char *first = s + 1 + (s + 1 < end && s[1] == '/');
    int64_t ms;
    if (first == end || !(letter(*first) || (digit(first, end) && first == s + 1)))
        return NULL;
    if (digit(first, end))
        return subtitle_read_time(&first, end, &ms) == RC_OK && first < end &&
                       *first == '>'
                   ? first + 1
                   : NULL;
    for (const char *at = first; at < end && at - s <= TAG_MAX; at++) {
        if (*at == '>')
            return at + 1;
        if (strchr("<\n\r", *at))
            return NULL;
    }
    return NULL;
}

/* "{\an8}" and other orders of ASS, which some SRT files hold; NULL: it is none. */
static const char *order_end(const char *s, const char *end)
{
    if (end - s < 2 || s[1] != '\\')
        return NULL;
    for (const char *at = s + 2; at < end && at - s <= TAG_MAX && *at != '\n'; at++)
        if (*at == '}')
            return at + 1;
    return NULL;
}

bool subtitle_put_text(struct subtitle_buf *b, const struct subtitle_cue *cue)
{
    struct writer w = {.b = b, .cue = cue};
    const char *s = cue->text, *end = s + cue->n;
    while (s < end) {
        const char *behind = *s == '<'               ? tag_end(s, end)
                             : *s == '{' && cue->srt ? order_end(s, end)
                                                     : NULL;
        if (behind && *s == '<')
            put_tag(&w, s + 1, behind - 1);
        if (behind) {
            s = behind;
        } else if (*s == '\n' || *s == '\r') {
            w.line_break = true;
            s++;
        } else {
            w.seen |= *s != ' ';
            s += put_character(&w, s, end);
        }
    }
    close_tags(&w, 0);
    return w.seen;
}
