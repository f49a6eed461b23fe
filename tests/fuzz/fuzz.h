/* fuzz.h: what the fuzz targets share. */
#ifndef DROPSTREAM_FUZZ_H
#define DROPSTREAM_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(holds) must_hold(holds, #holds, __FILE__, __LINE__)

static inline void must_hold(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: must hold: %s\n", file, line, what);
    abort();
}

/* A copy that ends where memory may no longer be read; the caller frees it. */
static inline void *copy_of(const void *data, size_t n)
{
    void *copy = malloc(n > 0 ? n : 1);
    must(copy != NULL);
    if (n > 0)
        memcpy(copy, data, n);
    return copy;
}

/* As text, up to the first NUL; the caller frees it. */
static inline char *text_of(const void *data, size_t n)
{
    char *text = strndup(n > 0 ? data : "", n);
    must(text != NULL);
    return text;
}

/* Text that grows. */
struct said {
    uint8_t *p;
    size_t n, room;
};

static inline void say(struct said *s, const void *data, size_t n)
{
    if (s->n + n > s->room) {
        s->room = (s->n + n) * 2;
        s->p = realloc(s->p, s->room);
        must(s->p != NULL);
    }
    if (n > 0)
        memcpy(s->p + s->n, data, n);
    s->n += n;
}

/* With its NUL; NULL is not "". */
static inline void say_text(struct said *s, const char *text)
{
    say(s, text ? "+" : "-", 1);
    say(s, text ? text : "", text ? strlen(text) + 1 : 1);
}

static inline bool same(const struct said *a, const struct said *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

#endif
