/*
 * failing_malloc.h: a malloc of the test's own, for libc and other libraries too, one
 * of whose calls can be made to fail. Under ASan it is a layer above ASan's.
 */
#ifndef DROPSTREAM_TEST_FAILING_MALLOC_H
#define DROPSTREAM_TEST_FAILING_MALLOC_H

#include "check.h"

#include "has_asan.h"
#include "rc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAS_ASAN
#define BELOW(name) __interceptor_##name
#else
#define BELOW(name) __libc_##name /* glibc's own names for them */
#endif

extern void *BELOW(malloc)(size_t n);
extern void *BELOW(calloc)(size_t n, size_t size);
extern void *BELOW(realloc)(void *p, size_t n);
extern void BELOW(free)(void *p);

static struct {
    long left;    /* calls until one fails; 0: none does */
    size_t least; /* bytes; calls for fewer do not count */
    bool onward;  /* and all after it */
    long failed;
    long live; /* blocks that were not freed */
} heap;

static bool heap_refuses(size_t n)
{
    if (n < heap.least)
        return false;
    bool last = heap.left == 1;
    if (heap.left > 1 || (last && !heap.onward))
        heap.left--;
    if (!last)
        return false;
    heap.failed++;
    errno = ENOMEM;
    return true;
}

static void *heap_counted(void *p)
{
    heap.live += p != NULL;
    return p;
}

void *malloc(size_t n)
{
    return heap_refuses(n) ? NULL : heap_counted(BELOW(malloc)(n));
}

void *calloc(size_t n, size_t size)
{
    return heap_refuses(n * size) ? NULL : heap_counted(BELOW(calloc)(n, size));
}

void *realloc(void *p, size_t n)
{
    if (!p)
        return malloc(n);
    return heap_refuses(n) ? NULL : BELOW(realloc)(p, n);
}

void free(void *p)
{
    heap.live -= p != NULL;
    BELOW(free)(p);
}

char *strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = malloc(n);
    return copy ? memcpy(copy, s, n) : NULL;
}

/* Before the test's own main(). */
__attribute__((constructor)) static void heap_leave_to_valgrind(void)
{
    if (!getenv("DROPSTREAM_UNDER"))
        return;
    puts("skipped: valgrind puts a malloc of its own in place of this one");
    exit(0);
}

/* What a run may say when an allocation of it has failed. */
enum heap_rule {
    HEAP_MUST_TELL, /* RC_NOMEM */
    HEAP_MAY_COPE   /* also RC_OK, all being as it should */
};

static inline void heap_run(enum rc (*run)(void *arg), void *arg, enum heap_rule rule,
                            bool onward)
{
    for (long n = 1;; n++) {
        const long live = heap.live;
        heap.failed = 0;
        heap.onward = onward;
        heap.left = n;
        enum rc rc = run(arg);
        heap.left = 0;
        if (heap.live != live)
            fail_msg("allocation %ld fails: %ld blocks are lost", n, heap.live - live);
        if (heap.failed == 0) {
            assert_int_equal(rc, RC_OK);
            assert_true(n > 1);
            return;
        }
        if (rc != RC_NOMEM && (rc != RC_OK || rule == HEAP_MUST_TELL))
            fail_msg("allocation %ld fails%s: %s", n, onward ? " and all after it" : "",
                     rc_name(rc));
    }
}

/*
 * Calls run again and again, and has another one of its allocations fail each time,
 * until there is none that has not: first that one alone, then with all after it. run
 * returns what the functions say that it is about, checks what it got where that is
 * RC_OK, and leaves nothing behind.
 */
static inline void heap_starve(enum rc (*run)(void *arg), void *arg,
                               enum heap_rule rule)
{
    assert_int_equal(run(arg), RC_OK); /* what is allocated once only */
    heap_run(run, arg, rule, false);
    heap_run(run, arg, rule, true);
}

#endif
