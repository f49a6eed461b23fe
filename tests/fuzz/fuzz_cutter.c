/*
 * fuzz_cutter.c: what comes out of the cutter is the boxes of the stream that players
 * need, byte for byte and in order, and the same however the stream is cut. The last
 * byte says how.
 */
#include "fuzz.h"

#include "bmff.h"
#include "cutter.h"

struct out {
    struct said events; /* what was said, without the bytes */
    struct said bytes;
    bool init, open;
};

static enum rc on_init(void *arg, const uint8_t *data, size_t n, uint32_t timescale)
{
    struct out *out = arg;
    must(!out->init && n > 0 && timescale > 0);
    out->init = true;
    say(&out->events, &timescale, sizeof(timescale));
    say(&out->events, &n, sizeof(n));
    say(&out->bytes, data, n);
    return RC_OK;
}

static enum rc on_begin(void *arg, const struct cutter_fragment *f)
{
    struct out *out = arg;
    must(out->init && !out->open);
    out->open = true;
    say(&out->events, f, sizeof(*f));
    say(&out->events, &out->bytes.n, sizeof(out->bytes.n));
    return RC_OK;
}

static enum rc on_data(void *arg, const uint8_t *data, size_t n)
{
    struct out *out = arg;
    must(out->open && n > 0);
    say(&out->bytes, data, n);
    return RC_OK;
}

static enum rc on_end(void *arg)
{
    struct out *out = arg;
    must(out->open);
    out->open = false;
    say(&out->events, &out->bytes.n, sizeof(out->bytes.n));
    return RC_OK;
}

static enum rc cut(const uint8_t *data, size_t n, size_t step, struct out *out)
{
    const struct cutter_events events = {on_init, on_begin, on_data, on_end, out};
    struct cutter *c;
    enum rc rc = RC_OK;
    must(cutter_open(&events, &c) == RC_OK);
    for (size_t at = 0; at < n && rc == RC_OK; at += step) {
        size_t size = n - at < step ? n - at : step;
        uint8_t *part = copy_of(data + at, size);
        rc = cutter_feed(c, part, size);
        free(part);
    }
    if (rc == RC_OK)
        rc = cutter_finish(c);
    must(cutter_finish(c) == rc);
    must(rc != RC_OK || (out->init && !out->open));
    cutter_free(c);
    return rc;
}

static bool is_kept(uint32_t type)
{
    return type == BMFF_FOURCC('f', 't', 'y', 'p') ||
           type == BMFF_FOURCC('m', 'o', 'o', 'v') ||
           type == BMFF_FOURCC('m', 'o', 'o', 'f') ||
           type == BMFF_FOURCC('m', 'd', 'a', 't');
}

/* The boxes that are kept, one after another. */
static void keep(const uint8_t *data, size_t n, struct said *out)
{
    struct bmff_header h;
    for (size_t at = 0; bmff_header(data + at, n - at, &h) == RC_OK && h.size > 0;) {
        size_t size = h.size < n - at ? (size_t)h.size : n - at;
        if (is_kept(h.type))
            say(out, data + at, size);
        at += size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    const uint8_t how = data[--n];
    struct out whole = {0}, parts = {0};
    struct said kept = {0};
    enum rc rc = cut(data, n, n + 1, &whole);

    keep(data, n, &kept);
    must(whole.bytes.n <= kept.n && (rc != RC_OK || whole.bytes.n == kept.n));
    must(whole.bytes.n == 0 || memcmp(whole.bytes.p, kept.p, whole.bytes.n) == 0);
    must(cut(data, n, how % 40 + 1u, &parts) == rc);
    must(same(&whole.events, &parts.events) && same(&whole.bytes, &parts.bytes));
    free(parts.events.p);
    free(parts.bytes.p);
    free(whole.events.p);
    free(whole.bytes.p);
    free(kept.p);
    return 0;
}
