/*
 * fuzz_source_bounds.c: whatever is uploaded must not harm what counts its boxes before
 * any program is given it; and what is said of it depends neither on how it comes in
 * nor on how long a turn is. The input is a file; the last byte says how it comes in.
 * It is also taken for what is in a compressed index.
 */
#include "fuzz.h"

#include "arrival_bounds.h"
#include "compressed_index.h"
#include "source_bounds_walk.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

struct source {
    const uint8_t *data;
    size_t n;
    enum container container;
    uint64_t size, file_size; /* what is known of them */
};

/* How it comes in. */
struct pace {
    size_t step; /* bytes at a time */
    int turn;    /* boxes */
    bool waits;  /* for all to be counted before more comes */
};

/* What was counted, and what is said of it. */
struct verdict {
    struct source_bounds b;
    bool refused;
    char why[256];
};

static void take_verdict(const struct source_bounds *b, bool refused, const char *why,
                         struct verdict *v)
{
    v->b = *b;
    v->refused = refused;
    snprintf(v->why, sizeof(v->why), "%s", refused ? why : "");
    must(!refused || strlen(v->why) > 0);
}

static void must_say_the_same(const struct verdict *a, const struct verdict *b)
{
    must(a->refused == b->refused);
    must(strcmp(a->why, b->why) == 0);
    must(a->b.streams == b->b.streams && a->b.parts == b->b.parts);
    must(a->b.samples == b->b.samples && a->b.rate == b->b.rate);
}

static void must_be_the_same(const struct verdict *a, const struct verdict *b)
{
    must_say_the_same(a, b);
    must(a->b.at == b->b.at && a->b.boxes == b->b.boxes);
    must(a->b.packed == b->b.packed && a->b.unpacked == b->b.unpacked);
}

/* One look at so many bytes. */
static enum rc look(struct source_bounds *b, const struct source *s, size_t have,
                    char why[256])
{
    uint64_t at = b->at;
    uint8_t *part = copy_of(s->data, have);
    const struct source_bytes from = {
        .memory = part, .have = have, .size = s->size, .file_size = s->file_size};
    enum rc rc = source_bounds_look(b, &from, why, 256);
    free(part);
    must(rc == RC_OK || rc == RC_UNSUPPORTED);
    must(b->at >= at && b->at <= s->size);
    must(b->depth >= 0 && b->depth <= SOURCE_DEPTH);
    must(!source_bounds_is_behind(b) || b->at < have);
    return rc;
}

/* Once refused, it stays so. */
static void count_in_memory(const struct source *s, const struct pace *pace,
                            struct verdict *out)
{
    struct source_bounds *b;
    enum rc rc = RC_OK, before;
    char why[256];
    must(source_bounds_open(s->container, &b) == RC_OK);
    b->turn = pace->turn;
    for (size_t have = 0; have < s->n || source_bounds_is_behind(b);) {
        if (!pace->waits || !source_bounds_is_behind(b))
            have = s->n - have < pace->step ? s->n : have + pace->step;
        before = rc;
        rc = look(b, s, have, why);
        must(before == RC_OK || rc == before);
    }
    take_verdict(b, rc != RC_OK, why, out);
    source_bounds_close(b);
}

/* As the worker does, of a file, in steps that are larger: each is a system call. */
static void count_in_file(const struct source *s, const struct pace *pace,
                          struct verdict *out)
{
    static int fd = -1;
    struct arrival_bounds a;
    int64_t size = s->size == UINT64_MAX ? -1 : (int64_t)s->size;
    if (fd < 0)
        fd = memfd_create("source", MFD_CLOEXEC);
    must(ftruncate(fd, 0) == 0 && pwrite(fd, s->data, s->n, 0) == (ssize_t)s->n);
    must(arrival_bounds_open(s->container, size, &a) == RC_OK);
    a.file->turn = pace->turn;
    for (size_t have = 0; have < s->n || a.uncounted;) {
        bool refused = a.refused;
        size_t step = 16 * pace->step;
        have = s->n - have < step ? s->n : have + step;
        arrival_bounds_count(&a, fd, (int64_t)have);
        must(!a.failed && (!refused || a.refused));
    }
    take_verdict(a.file, a.refused, a.why, out);
    arrival_bounds_close(&a);
}

/* One that was sent ahead is counted at once. */
static void count_ahead(const struct source *s, struct verdict *out)
{
    struct arrival_bounds a;
    uint8_t *moov = copy_of(s->data, s->n);
    must(arrival_bounds_open(s->container, (int64_t)s->n, &a) == RC_OK);
    enum rc rc = arrival_bounds_count_index(&a, moov, s->n);
    free(moov);
    must(rc == (a.refused ? RC_UNSUPPORTED : RC_OK));
    take_verdict(a.ahead, a.refused, a.why, out);
    arrival_bounds_close(&a);
}

static void put_number(uint8_t *p, size_t n)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(n >> (24 - 8 * i));
}

static void put_box(uint8_t *p, size_t size, const char *type)
{
    put_number(p, size);
    memcpy(p + 4, type, 4);
}

/* A moov box that holds it compressed; the caller frees it. */
static uint8_t *pack(const struct source *s, size_t *size)
{
    const size_t head = 16 + COMPRESSED_INDEX_HEAD;
    uLongf n = compressBound(s->n);
    uint8_t *p = malloc(head + n);
    must(p != NULL);
    must(compress2(p + head, &n, s->data, s->n, Z_BEST_SPEED) == Z_OK);
    put_box(p, head + n, "moov");
    put_box(p + 8, head + n - 8, "cmov");
    put_box(p + 16, 12, "dcom");
    memcpy(p + 24, "zlib", 4);
    put_box(p + 28, 12 + n, "cmvd");
    put_number(p + 36, s->n);
    *size = head + n;
    return p;
}

/* What is compressed says what it says as it is, but may not be compressed twice. */
static void count_packed(const struct source *s, const struct pace *pace)
{
    const struct pace at_once = {.step = s->n, .turn = SOURCE_BOUNDS_TURN};
    struct source inner = {s->data, s->n, CONTAINER_MOV, s->n, UINT64_MAX};
    struct source outer = {NULL, 0, CONTAINER_MOV, 0, UINT64_MAX};
    struct verdict plain, packed;
    uint8_t *moov = pack(s, &outer.n);
    outer.data = moov;
    outer.size = outer.n;
    count_in_memory(&inner, &at_once, &plain);
    count_in_memory(&outer, pace, &packed);
    if (memmem(s->data, s->n, "cmov", 4))
        must(packed.refused || !plain.refused);
    else
        must_say_the_same(&packed, &plain);
    free(moov);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    uint8_t how = data[--n];
    bool is_mkv = n >= 4 && memcmp(data, "\x1a\x45\xdf\xa3", 4) == 0;
    uint64_t size = how & 1 ? n : UINT64_MAX;
    const struct source source = {data, n, is_mkv ? CONTAINER_MATROSKA : CONTAINER_MOV,
                                  size, size};
    const struct pace at_once = {.step = n, .turn = SOURCE_BOUNDS_TURN};
    const struct pace slow = {
        .step = 1 + how / 4, .turn = 1 + how % 7, .waits = how & 2};
    struct verdict whole, other;

    count_in_memory(&source, &at_once, &whole);
    count_in_memory(&source, &slow, &other);
    must_be_the_same(&other, &whole);
    count_in_file(&source, &slow, &other);
    must_be_the_same(&other, &whole);
    if (size == n) {
        count_ahead(&source, &other);
        must_be_the_same(&other, &whole);
    }
    count_packed(&source, &slow);
    return 0;
}
