#include "check.h"

#include "cutter_got.h"
#include "cutter_stream.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>

/* The first `known` bytes of the stream were seen: all that ended in them is right. */
static void assert_intact(const struct stream *s, const struct got *got, size_t known)
{
    size_t ended = 0;
    assert_int_equal(got->inits, known >= s->init_end);
    if (got->inits) {
        assert_int_equal(got->timescale, s->shape.timescale);
        assert_int_equal(got->init.n, s->init.n);
        assert_memory_equal(got->init.p, s->init.p, s->init.n);
    }
    for (size_t i = 0; i < got->n; i++) {
        const struct stream_segment *want = &s->segments[i];
        assert_int_equal(got->segments[i].decode_time, want->decode_time);
        assert_int_equal(got->segments[i].frames, want->frames);
        assert_int_equal(got->segments[i].offset, s->shape.offset);
        assert_int_equal(got->segments[i].ended, known >= want->end);
        if (!got->segments[i].ended)
            continue;
        ended++;
        assert_int_equal(got->segments[i].data.n, want->end - want->begin);
        assert_memory_equal(got->segments[i].data.p, s->all.p + want->begin,
                            want->end - want->begin);
    }
    size_t promised = 0;
    while (promised < s->n && s->segments[promised].end <= known)
        promised++;
    assert_int_equal(ended, promised);
}

/* ---- streams as they should be ------------------------------------------ */

static const struct stream_shape shapes[] = {
    {.timescale = 12800, .truns = 1},
    {.timescale = 48000, .truns = 3, .tfdt_version = 1, .extras = true},
    {.timescale = 90000, .truns = 2, .mdhd_version = 1, .wide = true},
    {.timescale = 1,
     .truns = 0,
     .mdhd_version = 1,
     .tfdt_version = 1,
     .extras = true,
     .wide = true},
    {.timescale = UINT32_MAX, .truns = 1, .empty_mdat = true, .extras = true},
    {.timescale = 12800, .truns = 2, .offset = 1024},
    {.timescale = 12800, .truns = 1, .offset = -512},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void a_stream_gives_the_same_segments_for_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        struct stream s;
        stream_make(&shapes[i], &s);
        for (size_t cut = 0; cut <= s.all.n; cut++) {
            struct got got = {0};
            assert_int_equal(run(&s.all, cut, s.all.n + 1, &got), RC_OK);
            assert_int_equal(got.n, s.n);
            assert_intact(&s, &got, s.all.n);
            got_free(&got);
        }
        for (size_t step = 1; step <= 17; step++) {
            struct got got = {0};
            assert_int_equal(run(&s.all, 0, step, &got), RC_OK);
            assert_int_equal(got.n, s.n);
            assert_intact(&s, &got, s.all.n);
            got_free(&got);
        }
        stream_free(&s);
    }
}

static void a_stream_cut_anywhere_leaves_the_earlier_segments_intact(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        struct stream s;
        stream_make(&shapes[i], &s);
        for (size_t n = 0; n <= s.all.n; n++) {
            struct got got = {0};
            struct bytes part = {s.all.p, n, n};
            enum rc want = stream_may_end(&s, n) ? RC_OK : RC_TRUNCATED;
            assert_int_equal(run(&part, n, 1, &got), want);
            assert_intact(&s, &got, n);
            got_free(&got);
        }
        stream_free(&s);
    }
}

static void a_segment_is_announced_before_its_first_byte(void **state)
{
    (void)state;
    struct stream s;
    struct got got = {0};
    stream_make(&shapes[0], &s);
    struct cutter *c = cutter_for(&got);
    cutter_feed(c, s.all.p, s.segments[0].moof_end - 1);
    assert_int_equal(got.n, 0);
    cutter_feed(c, s.all.p + s.segments[0].moof_end - 1, 1);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.segments[0].data.n,
                     s.segments[0].moof_end - s.segments[0].begin);
    cutter_free(c);
    got_free(&got);
    stream_free(&s);
}

/* ---- streams as they should not be -------------------------------------- */

/* moov with an empty mdat box before it, and so on: each must be refused. */
static void boxes_out_of_place_are_refused(void **state)
{
    (void)state;
    static const char *const orders[] = {
        "mdat",
        "ftyp mdat",
        "ftyp moof",
        "moof",
        "ftyp moov moov",
        "ftyp moov ftyp",
        "ftyp moov mdat",
        "ftyp moov moof moof",
        "ftyp moov moof free mdat",
        "ftyp moov moof moov",
        "ftyp moov moof mdat mdat",
    };
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct bytes b = {0};
        for (const char *p = orders[i]; *p; p += 4 + (p[4] == ' '))
            stream_box(&b, p);
        assert_int_equal(run_whole(&b), RC_INVALID);
        bytes_free(&b);
    }
}

static void boxes_in_order_are_taken(void **state)
{
    (void)state;
    static const char *const orders[] = {
        "moov",
        "ftyp moov",
        "ftyp free moov moof mdat free moof mdat free",
    };
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct bytes b = {0};
        for (const char *p = orders[i]; *p; p += 4 + (p[4] == ' '))
            stream_box(&b, p);
        assert_int_equal(run_whole(&b), RC_OK);
        bytes_free(&b);
    }
}

static void nothing_at_all_is_truncated(void **state)
{
    (void)state;
    struct bytes b = {0};
    assert_int_equal(run_whole(&b), RC_TRUNCATED);
    box_filled(&b, "ftyp", 'x', 8);
    assert_int_equal(run_whole(&b), RC_TRUNCATED);
    bytes_free(&b);
}

static void a_broken_moov_is_refused(void **state)
{
    (void)state;
    for (enum moov_fault fault = MOOV_FINE; fault < MOOV_FAULTS; fault++) {
        struct bytes b = {0};
        stream_moov(&b, &(struct stream_shape){.timescale = 1000}, fault);
        enum rc rc = run_whole(&b);
        if (rc != (fault == MOOV_FINE ? RC_OK : RC_INVALID))
            fail_msg("moov fault %d: %s", (int)fault, rc_name(rc));
        bytes_free(&b);
    }
}

static void a_broken_moof_is_refused(void **state)
{
    (void)state;
    for (enum moof_fault fault = MOOF_FINE; fault < MOOF_FAULTS; fault++) {
        struct bytes b = {0};
        stream_box(&b, "moov");
        stream_moof(&b, &(struct stream_shape){.truns = 1}, 7, fault);
        stream_box(&b, "mdat");
        enum rc rc = run_whole(&b);
        if (rc != (fault == MOOF_FINE ? RC_OK : RC_INVALID))
            fail_msg("moof fault %d: %s", (int)fault, rc_name(rc));
        bytes_free(&b);
    }
}

static void a_size_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const uint64_t narrow[] = {0, 2, 7};
    static const uint64_t wide[] = {0, 1, 15};
    for (size_t i = 0; i < 3; i++) {
        struct bytes b = {0};
        stream_box(&b, "moov");
        stream_box(&b, "moof");
        bytes_number(&b, narrow[i], 4);
        bytes_add(&b, "mdatxxxxxxxx", 12);
        assert_int_equal(run_whole(&b), RC_INVALID);
        bytes_free(&b);
        size_t at = box_open_wide(&b, "free");
        box_put_size(&b, at, wide[i]);
        assert_int_equal(run_whole(&b), RC_INVALID);
        bytes_free(&b);
    }
}

static void what_a_callback_returns_comes_back_and_sticks(void **state)
{
    (void)state;
    struct stream s;
    struct got whole = {0};
    stream_make(&shapes[1], &s);
    assert_int_equal(run(&s.all, s.all.n, 1, &whole), RC_OK);
    assert_true(whole.calls > 10);
    for (int i = 1; i <= whole.calls; i++) {
        struct got got = {.fail_at = i};
        struct cutter *c = cutter_for(&got);
        assert_int_equal(cutter_feed(c, s.all.p, s.all.n), RC_NOSPACE);
        assert_int_equal(cutter_feed(c, s.all.p, s.all.n), RC_NOSPACE);
        assert_int_equal(cutter_finish(c), RC_NOSPACE);
        assert_int_equal(got.calls, i);
        cutter_free(c);
        got_free(&got);
    }
    got_free(&whole);
    stream_free(&s);
}

static void an_error_of_the_stream_sticks(void **state)
{
    (void)state;
    struct got got = {0};
    struct bytes bad = {0}, good = {0};
    stream_box(&bad, "mdat");
    stream_box(&good, "moov");
    struct cutter *c = cutter_for(&got);
    assert_int_equal(cutter_feed(c, bad.p, bad.n), RC_INVALID);
    assert_int_equal(cutter_feed(c, good.p, good.n), RC_INVALID);
    assert_int_equal(cutter_feed(c, NULL, 0), RC_INVALID);
    assert_int_equal(cutter_finish(c), RC_INVALID);
    assert_int_equal(got.calls, 0);
    cutter_free(c);
    bytes_free(&bad);
    bytes_free(&good);
}

/* ---- limits ------------------------------------------------------------- */

/* moov, or moov and a moof, where the last box makes what is held `size` bytes. */
static enum rc run_header_of(const char *type, size_t size)
{
    struct bytes b = {0};
    if (strcmp(type, "moof") == 0)
        stream_box(&b, "moov");
    size_t held = b.n, at = b.n;
    if (strcmp(type, "moov") == 0)
        stream_box(&b, "ftyp");
    at = b.n;
    stream_box(&b, type);
    box_filled(&b, "free", 'x', size - (b.n - held) - 8);
    box_close(&b, at);
    if (strcmp(type, "moof") == 0)
        stream_box(&b, "mdat");
    enum rc rc = run_whole(&b);
    bytes_free(&b);
    return rc;
}

static void headers_may_be_as_large_as_the_limit_and_no_larger(void **state)
{
    (void)state;
    assert_int_equal(run_header_of("moov", CUTTER_HEADER_MAX), RC_OK);
    assert_int_equal(run_header_of("moov", CUTTER_HEADER_MAX + 1), RC_TOO_LARGE);
    assert_int_equal(run_header_of("moof", CUTTER_HEADER_MAX), RC_OK);
    assert_int_equal(run_header_of("moof", CUTTER_HEADER_MAX + 1), RC_TOO_LARGE);
}

static size_t heap_in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void no_more_than_the_limit_is_held(void **state)
{
    (void)state;
    static const uint8_t filling[4096];
    struct got got = {0};
    struct bytes b = {0};
    size_t before = heap_in_use(), fed = 0;
    struct cutter *c = cutter_for(&got);
    size_t at = box_open_wide(&b, "moov");
    box_put_size(&b, at, UINT64_C(1) << 60);
    enum rc rc = cutter_feed(c, b.p, b.n);
    for (; rc == RC_OK; fed += sizeof(filling)) {
        assert_true(fed <= CUTTER_HEADER_MAX);
        assert_true(heap_in_use() <= before + CUTTER_HEADER_MAX + 65536);
        rc = cutter_feed(c, filling, sizeof(filling));
    }
    assert_int_equal(rc, RC_TOO_LARGE);
    cutter_free(c);
    bytes_free(&b);
}

static enum rc count_data(void *arg, const uint8_t *data, size_t n)
{
    (void)data;
    *(uint64_t *)arg += n;
    return RC_OK;
}

static enum rc no_init(void *arg, const uint8_t *data, size_t n, uint32_t timescale)
{
    (void)arg, (void)data, (void)n, (void)timescale;
    return RC_OK;
}

static enum rc no_begin(void *arg, const struct cutter_fragment *f)
{
    (void)arg, (void)f;
    return RC_OK;
}

static enum rc no_end(void *arg)
{
    (void)arg;
    return RC_OK;
}

static void media_passes_through_and_is_not_held(void **state)
{
    (void)state;
    static const uint8_t media[65536];
    uint64_t passed = 0;
    struct cutter_events events = {no_init, no_begin, count_data, no_end, &passed};
    struct cutter *c = NULL;
    struct bytes b = {0};
    assert_int_equal(cutter_open(&events, &c), RC_OK);
    stream_box(&b, "moov");
    size_t moof_at = b.n;
    stream_box(&b, "moof");
    size_t moof = b.n - moof_at, at = box_open_wide(&b, "mdat");
    box_put_size(&b, at, UINT64_C(1) << 40);
    assert_int_equal(cutter_feed(c, b.p, b.n), RC_OK);
    size_t before = heap_in_use();
    for (int i = 0; i < 1024; i++)
        assert_int_equal(cutter_feed(c, media, sizeof(media)), RC_OK);
    assert_true(heap_in_use() <= before + 65536);
    assert_int_equal(passed, moof + 16 + 1024 * sizeof(media));
    assert_int_equal(cutter_finish(c), RC_TRUNCATED);
    cutter_free(c);
    bytes_free(&b);
}

/* ---- hostile and real streams ------------------------------------------- */

static void assert_same(const struct got *a, const struct got *b)
{
    assert_int_equal(a->inits, b->inits);
    assert_int_equal(a->init.n, b->init.n);
    assert_int_equal(a->timescale, b->timescale);
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_int_equal(a->segments[i].decode_time, b->segments[i].decode_time);
        assert_int_equal(a->segments[i].frames, b->segments[i].frames);
        assert_int_equal(a->segments[i].ended, b->segments[i].ended);
        assert_int_equal(a->segments[i].data.n, b->segments[i].data.n);
    }
}

static void assert_documented(enum rc rc)
{
    assert_true(rc == RC_OK || rc == RC_INVALID || rc == RC_TOO_LARGE ||
                rc == RC_TRUNCATED);
}

static void any_byte_may_be_wrong(void **state)
{
    (void)state;
    int refused = 0;
    for (size_t i = 0; i < SHAPES; i++) {
        struct stream s;
        stream_make(&shapes[i], &s);
        for (size_t at = 0; at < 3 * s.all.n; at++) {
            uint8_t *byte = &s.all.p[at / 3], old = *byte;
            struct got whole = {0}, bytewise = {0};
            *byte = at % 3 == 0 ? 0 : at % 3 == 1 ? 0xff : old ^ 0x80;
            enum rc rc = run(&s.all, s.all.n, 1, &whole);
            assert_documented(rc);
            assert_int_equal(run(&s.all, 0, 1, &bytewise), rc);
            assert_same(&whole, &bytewise);
            refused += rc != RC_OK;
            got_free(&whole);
            got_free(&bytewise);
            *byte = old;
        }
        stream_free(&s);
    }
    assert_true(refused > 100);
}

static void a_stream_of_ffmpeg_is_cut_at_its_keyframes(void **state)
{
    (void)state;
    if (system("command -v ffmpeg >/dev/null") != 0)
        skip();
    FILE *f =
        popen("ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=64x64:r=25:d=3"
              " -c:v libx264 -preset ultrafast -g 25 -sc_threshold 0 -f mp4 -movflags"
              " +frag_keyframe+empty_moov+default_base_moof+frag_discont pipe:1",
              "r");
    struct got got = {0};
    struct cutter *c = cutter_for(&got);
    uint8_t buf[777];
    size_t n;
    assert_non_null(f);
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        assert_int_equal(cutter_feed(c, buf, n), RC_OK);
    assert_int_equal(pclose(f), 0);
    assert_int_equal(cutter_finish(c), RC_OK);
    assert_int_equal(got.inits, 1);
    assert_true(got.timescale > 0);
    assert_memory_equal(got.init.p + 4, "ftyp", 4);
    assert_int_equal(got.n, 3);
    for (size_t i = 0; i < got.n; i++) {
        assert_true(got.segments[i].ended);
        assert_int_equal(got.segments[i].frames, 25);
        assert_int_equal(got.segments[i].decode_time, i * got.timescale);
        assert_memory_equal(got.segments[i].data.p + 4, "moof", 4);
    }
    cutter_free(c);
    got_free(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_gives_the_same_segments_for_every_split),
        cmocka_unit_test(a_stream_cut_anywhere_leaves_the_earlier_segments_intact),
        cmocka_unit_test(a_segment_is_announced_before_its_first_byte),
        cmocka_unit_test(boxes_out_of_place_are_refused),
        cmocka_unit_test(boxes_in_order_are_taken),
        cmocka_unit_test(nothing_at_all_is_truncated),
        cmocka_unit_test(a_broken_moov_is_refused),
        cmocka_unit_test(a_broken_moof_is_refused),
        cmocka_unit_test(a_size_that_cannot_be_is_refused),
        cmocka_unit_test(what_a_callback_returns_comes_back_and_sticks),
        cmocka_unit_test(an_error_of_the_stream_sticks),
        cmocka_unit_test(headers_may_be_as_large_as_the_limit_and_no_larger),
        cmocka_unit_test(no_more_than_the_limit_is_held),
        cmocka_unit_test(media_passes_through_and_is_not_held),
        cmocka_unit_test(any_byte_may_be_wrong),
        cmocka_unit_test(a_stream_of_ffmpeg_is_cut_at_its_keyframes),
    };
    return cmocka_run_group_tests_name("cutter", tests, NULL, NULL);
}
