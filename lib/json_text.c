#include "json_text.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>

/* A text that is being read or written, and what jansson has taken from the heap for
 * it. What it gives back meanwhile is freed at the end: to find it among the blocks at
 * once would take longer than all the rest of a text that is made for that. */
struct work {
    struct blocks {
        void **v;
        size_t n, room;
    } taken, given_back;
    jmp_buf given_up;
};

/* That of this thread, or NULL. */
static _Thread_local struct work *work;

static bool note(struct blocks *b, void *block)
{
    if (b->n == b->room) {
        size_t room = b->room ? 2 * b->room : 64;
        void **more = realloc(b->v, room * sizeof(*more));
        if (!more)
            return false;
        b->v = more;
        b->room = room;
    }
    b->v[b->n++] = block;
    return true;
}

static void free_all(struct blocks *b)
{
    while (b->n > 0)
        free(b->v[--b->n]);
}

static void *take(size_t n)
{
    void *block = malloc(n);
    if (work && (!block || !note(&work->taken, block))) {
        free(block);
        longjmp(work->given_up, 1);
    }
    return block;
}

static void give_back(void *block)
{
    if (!work)
        free(block);
    else if (!note(&work->given_back, block))
        longjmp(work->given_up, 1);
}

/* Before there are threads. */
__attribute__((constructor)) static void begin(void)
{
    json_set_alloc_funcs(take, give_back);
}

static void begin_work(struct work *w)
{
    *w = (struct work){.taken = {.n = 0}};
    work = w;
}

static void end_work(struct work *w)
{
    work = NULL;
    free_all(&w->given_back);
    free(w->given_back.v);
    free(w->taken.v);
}

/* As if it had not begun. */
static void undo_work(struct work *w)
{
    free_all(&w->taken);
    w->given_back.n = 0; /* they were among them */
}

/* This and dump have nothing of their own that changes before it is come back to them
 * (C11, 7.13.2.1). */
static enum rc load(const char *bytes, size_t n, size_t flags, json_t **out)
{
    if (setjmp(work->given_up) != 0) {
        undo_work(work);
        return RC_NOMEM;
    }
    *out = json_loadb(bytes, n, flags, NULL);
    return *out ? RC_OK : RC_INVALID;
}

static char *dump(const json_t *root, size_t flags)
{
    if (setjmp(work->given_up) != 0) {
        undo_work(work);
        return NULL;
    }
    return json_dumps(root, flags);
}

enum rc json_text_read(const char *bytes, size_t n, size_t flags, json_t **out)
{
    struct work w;
    json_t *root;
    begin_work(&w);
    enum rc rc = load(bytes, n, flags, &root);
    end_work(&w);
    if (rc == RC_OK)
        *out = root;
    return rc;
}

char *json_text_write(const json_t *root, size_t flags)
{
    struct work w;
    begin_work(&w);
    char *text = dump(root, flags);
    end_work(&w);
    return text;
}
