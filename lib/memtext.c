#include "memtext.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(struct memtext *m, size_t n)
{
    char *grown;

    if (n < m->room - m->n)
        return true;
    grown = realloc(m->text, (m->n + n + 1) * 2);
    if (!grown)
        return false;
    m->text = grown;
    m->room = (m->n + n + 1) * 2;
    return true;
}

/* 0 is an error to stdio (fopencookie(3)). */
static ssize_t put(void *cookie, const char *data, size_t n)
{
    struct memtext *m = cookie;

    m->lost = m->lost || !reserve(m, n);
    if (m->lost)
        return 0;
    memcpy(m->text + m->n, data, n);
    m->n += n;
    return (ssize_t)n;
}

enum rc memtext_open(struct memtext *m)
{
    const cookie_io_functions_t io = {.write = put};

    m->n = m->room = 0;
    m->lost = false;
    m->text = malloc(sizeof(m->buffer));
    if (!m->text)
        return RC_NOMEM;
    m->room = sizeof(m->buffer);
    m->f = fopencookie(m, "w", io);
    if (!m->f) {
        free(m->text);
        return RC_NOMEM;
    }
    setvbuf(m->f, m->buffer, _IOFBF, sizeof(m->buffer));
    return RC_OK;
}

enum rc memtext_close(struct memtext *m, char **out, size_t *n)
{
    int failed = fclose(m->f);

    if (failed || m->lost) {
        free(m->text);
        return RC_NOMEM;
    }
    m->text[m->n] = '\0';
    *out = m->text;
    *n = m->n;
    return RC_OK;
}

void memtext_drop(struct memtext *m)
{
    fclose(m->f);
    free(m->text);
}
