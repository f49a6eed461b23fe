/* The head that is put before a file's media, box by box and by ffmpeg. */
#include "mp4_build.h"
#include "mp4_files.h"

#include "mp4_head.h"

#include <inttypes.h>

#define GB (UINT64_C(1) << 30)

static struct bytes ftyp;

static int setup(void **state)
{
    (void)state;
    size_t at = box_open(&ftyp, "ftyp");
    bytes_add(&ftyp, "isom\0\0\2\0isomavc1", 16);
    box_close(&ftyp, at);
    return 0;
}

static int teardown(void **state)
{
    bytes_free(&ftyp);
    return close_index(state);
}

/* A file whose index is at `at`, with its media from 48 on and nothing after it. */
static struct mp4_head_source source_at(const struct trak *traks, size_t n, uint64_t at)
{
    bytes_free(&moov);
    build_moov(&moov, traks, n);
    return (struct mp4_head_source){
        .ftyp = ftyp.p,
        .ftyp_size = ftyp.n,
        .media = 48,
        .moov = moov.p,
        .moov_size = moov.n,
        .moov_offset = at,
        .file_size = at + moov.n,
    };
}

static struct mp4_head head_of(const struct mp4_head_source *s)
{
    struct mp4_head head;
    assert_null(mp4_head_fault(s));
    assert_int_equal(mp4_head_make(s, &head), RC_OK);
    assert_int_equal(head.from, s->media);
    return head;
}

/* The box at the beginning of what is left, which is moved behind it. */
static struct bmff_box next_box(struct bmff_iter *it, const char *type)
{
    struct bmff_box box;
    assert_int_equal(bmff_next(it, &box), RC_OK);
    assert_true(box.type == BOX(type));
    return box;
}

/* The first table of chunk offsets in a head. */
static struct bmff_box table_of(const struct mp4_head *head, const char *type)
{
    const uint32_t path[] = {BOX("moov"), BOX("trak"), BOX("mdia"),
                             BOX("minf"), BOX("stbl"), BOX(type)};
    struct bmff_box box;
    assert_int_equal(bmff_find(head->bytes, head->size, path, 6, &box), RC_OK);
    return box;
}

static void a_head_has_all_that_comes_before_the_media(void **state)
{
    (void)state;
    const struct trak traks[] = {plain_video, plain_audio};
    struct mp4_head_source s = source_at(traks, 2, 5000);
    struct mp4_head head = head_of(&s);
    uint32_t delta = (uint32_t)(ftyp.n + moov.n + 8 - 48);
    assert_int_equal(head.end, 5000);
    assert_int_equal(head.size, ftyp.n + moov.n + 8);
    assert_memory_equal(head.bytes, ftyp.p, ftyp.n);
    /* The index is the same but for the four offsets. */
    size_t differ = 0;
    for (size_t i = 0; i < moov.n; i++)
        differ += head.bytes[ftyp.n + i] != moov.p[i];
    assert_in_range(differ, 4, 16);
    struct bmff_box chunks = table_of(&head, "stco");
    assert_int_equal(bmff_u32(chunks.body + 8), 1000 + delta);
    assert_int_equal(bmff_u32(chunks.body + 12), 2000 + delta);
    assert_int_equal(bmff_u32(head.bytes + head.size - 8), 8 + 5000 - 48);
    assert_memory_equal(head.bytes + head.size - 4, "mdat", 4);
    mp4_head_free(&head);
}

/* The stream's index says of the stream what the file's says of the file. */
static void the_new_index_is_the_old_one_moved(void **state)
{
    (void)state;
    const struct trak traks[] = {plain_video, plain_audio};
    struct mp4_head_source s = source_at(traks, 2, 5000);
    struct mp4_head head = head_of(&s);
    const struct mp4_index_limits limits = {head.size + 5000 - 48, 1000};
    struct mp4_index *after;
    const struct mp4_index *before = of(traks, 2);
    assert_int_equal(mp4_index_open(head.bytes + ftyp.n, moov.n, &limits, &after),
                     RC_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(bytes_needed(after, i, 30000),
                         bytes_needed(before, i, 30000)
                             ? bytes_needed(before, i, 30000) + head.size - 48
                             : 0);
        assert_int_equal(bytes_needed(after, i, INT64_MAX),
                         bytes_needed(before, i, INT64_MAX) + head.size - 48);
    }
    mp4_index_close(after);
    mp4_head_free(&head);
}

/* A long box before the media, which is left out, has the offsets go down. */
static void offsets_may_become_less(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.chunks = (struct list)LIST(100000, 100100);
    struct mp4_head_source s = source_at(&t, 1, 200000);
    s.media = 100000;
    struct mp4_head head = head_of(&s);
    struct bmff_box chunks = table_of(&head, "stco");
    assert_int_equal(bmff_u32(chunks.body + 8), head.size);
    assert_int_equal(bmff_u32(chunks.body + 12), head.size + 100);
    mp4_head_free(&head);
}

static void media_of_over_4_gb_have_a_header_of_64_bits(void **state)
{
    (void)state;
    struct mp4_head_source s = source_at(&plain_video, 1, 4 * GB + 39);
    struct mp4_head head = head_of(&s); /* 8 + payload is 2^32 - 1 */
    assert_int_equal(head.size, ftyp.n + moov.n + 8);
    assert_true(bmff_u32(head.bytes + head.size - 8) == UINT32_MAX);
    mp4_head_free(&head);

    s = source_at(&plain_video, 1, 4 * GB + 40);
    head = head_of(&s);
    assert_int_equal(head.size, ftyp.n + moov.n + 16);
    assert_int_equal(bmff_u32(head.bytes + head.size - 16), 1);
    assert_true(bmff_u64(head.bytes + head.size - 8) == 16 + 4 * GB - 8);
    assert_int_equal(bmff_u32(table_of(&head, "stco").body + 8), 1000 + head.size - 48);
    mp4_head_free(&head);
}

/* The last offset that still fits, and the first that does not: then the index grows by
 * 4 bytes an offset, and the offsets with it. */
static void offsets_that_no_longer_fit_become_64_bits_wide(void **state)
{
    (void)state;
    const struct trak traks[] = {plain_video, plain_audio};
    struct mp4_head_source s = source_at(traks, 2, 5 * GB);
    uint32_t last = UINT32_MAX - (uint32_t)(ftyp.n + moov.n + 16 - 48);
    struct trak t[] = {plain_video, plain_audio};
    for (uint32_t more = 0; more < 2; more++) {
        t[0].chunks = (struct list)LIST(1000, last + more);
        s = source_at(t, 2, 5 * GB);
        struct mp4_head head = head_of(&s);
        assert_int_equal(head.size, ftyp.n + moov.n + 16 + (more ? 4 * 4 : 0));
        struct bmff_box chunks = table_of(&head, more ? "co64" : "stco");
        uint64_t got = more ? bmff_u64(chunks.body + 16) : bmff_u32(chunks.body + 12);
        assert_true(got == last + more + head.size - 48);
        const struct mp4_index_limits limits = {MP4_SIZE_UNKNOWN, 1000};
        struct mp4_index *after;
        assert_int_equal(mp4_index_open(head.bytes + ftyp.n, head.size - ftyp.n - 16,
                                        &limits, &after),
                         RC_OK);
        assert_int_equal(bytes_needed(after, 1, 1), 1520 + head.size - 48);
        mp4_index_close(after);
        mp4_head_free(&head);
    }
}

static void offsets_of_64_bits_stay_so(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.wide_chunks = true;
    t.chunks = (struct list)LIST(0, 1000, 1, 5);
    struct mp4_head_source s = source_at(&t, 1, 5 * GB);
    struct mp4_head head = head_of(&s);
    assert_int_equal(head.size, ftyp.n + moov.n + 16);
    assert_true(bmff_u64(table_of(&head, "co64").body + 16) ==
                4 * GB + 5 + head.size - 48);
    mp4_head_free(&head);
}

/* An index between two mdat boxes: the stream goes on to the end of the file. */
static void media_may_come_after_the_index_too(void **state)
{
    (void)state;
    struct mp4_head_source s = source_at(&plain_video, 1, 1200);
    s.file_size = 9000;
    assert_in_range(moov.n, 400, 2000 - 1200);
    struct mp4_head head = head_of(&s);
    assert_int_equal(head.end, 9000);
    assert_int_equal(bmff_u32(head.bytes + head.size - 8), 8 + 9000 - 48);
    mp4_head_free(&head);
}

static void boxes_of_no_concern_are_copied_as_they_are(void **state)
{
    (void)state;
    struct mp4_head_source s = source_at(&plain_video, 1, 5000);
    struct bytes more = {0};
    size_t at = box_open_wide(&more, "moov"); /* and its size may be wide */
    bytes_add(&more, moov.p + 8, moov.n - 8);
    box_filled(&more, "udta", 'u', 7);
    bytes_number(&more, 0, 4); /* as QuickTime ends a list */
    box_close(&more, at);
    s.moov = more.p;
    s.moov_size = more.n;
    s.file_size = 5000 + more.n;
    struct mp4_head head = head_of(&s);
    assert_int_equal(head.size, ftyp.n + more.n + 8);
    assert_memory_equal(head.bytes + head.size - 8 - 19, more.p + more.n - 19, 19);
    assert_memory_equal(head.bytes + ftyp.n, more.p, 16);
    mp4_head_free(&head);
    bytes_free(&more);
}

static void a_box_that_reaches_to_the_end_gets_its_size(void **state)
{
    (void)state;
    struct mp4_head_source s = source_at(&plain_video, 1, 5000);
    struct bmff_iter it;
    memset(moov.p, 0, 4);
    memset(ftyp.p, 0, 4);
    struct mp4_head head = head_of(&s);
    it = bmff_iter(head.bytes, head.size - 8);
    assert_int_equal(next_box(&it, "ftyp").body_size, 16);
    assert_int_equal(next_box(&it, "moov").body_size, moov.n - 8);
    assert_ptr_equal(it.p, it.end);
    mp4_head_free(&head);
}

/* ---- what is refused -------------------------------------------------------- */

static void a_file_with_its_index_first_needs_no_head(void **state)
{
    (void)state;
    struct mp4_head_source s = source_at(&plain_video, 1, 5000);
    struct mp4_head head;
    s.moov_offset = 24;
    assert_int_equal(mp4_head_make(&s, &head), RC_EXISTS);
}

static void fragments_and_compressed_indexes_have_no_head(void **state)
{
    (void)state;
    static const char *const types[] = {"mvex", "cmov"};
    for (int i = 0; i < 2; i++) {
        struct mp4_head_source s = source_at(&plain_video, 1, 5000);
        struct mp4_head head;
        box_filled(&moov, types[i], 0, 8);
        box_put_size(&moov, 0, moov.n);
        s.moov = moov.p;
        s.moov_size = moov.n;
        s.file_size = 5000 + moov.n;
        assert_null(mp4_head_fault(&s));
        assert_int_equal(mp4_head_make(&s, &head), RC_UNSUPPORTED);
    }
}

static void assert_fault(const struct mp4_head_source *s, const char *sentence)
{
    struct mp4_head head;
    assert_string_equal(mp4_head_fault(s), sentence);
    if (s->moov_offset >= s->media)
        assert_int_equal(mp4_head_make(s, &head), RC_INVALID);
}

static void an_index_that_makes_no_sense_is_told_why(void **state)
{
    (void)state;
    static const char outside[] =
        "The index that was sent refers to media outside the file.";
    const struct mp4_head_source good = source_at(&plain_video, 1, 5000);
    struct mp4_head_source s = good;
    s.moov_size--;
    assert_fault(&s, "The index that was sent is not a whole moov box.");
    s.moov_size = 0;
    assert_fault(&s, "The index that was sent is not a whole moov box.");
    s = good;
    s.file_size--;
    assert_fault(&s, "The index that was sent would end after the file does.");
    s.moov_offset = UINT64_MAX - 5;
    assert_fault(&s, "The index that was sent would end after the file does.");
    s = good;
    s.media = 5001;
    assert_fault(&s, "The index that was sent would begin before the media do.");
    s = good;
    s.media = 1000;
    assert_null(mp4_head_fault(&s));
    s.media = 1001;
    assert_fault(&s, outside);
    s = good;
    s.moov_offset = 0;
    s.media = 0;
    s.file_size = 2001;
    assert_null(mp4_head_fault(&s));
    s.file_size = 2000;
    assert_fault(&s, outside);
    s = good;
    s.moov_offset = 1999;
    assert_fault(&s, "The index that was sent refers to media where it is itself.");
    s.moov_offset = 2000;
    assert_fault(&s, "The index that was sent refers to media where it is itself.");
    s.moov_offset = 2001;
    assert_null(mp4_head_fault(&s));
}

static void tables_that_overrun_are_damage(void **state)
{
    (void)state;
    struct trak t = plain_video;
    struct mp4_head_source s;
    t.chunks.count = 3;
    s = source_at(&t, 1, 5000);
    assert_fault(&s, "The index that was sent is damaged.");
    t.chunks.count = UINT32_MAX;
    s = source_at(&t, 1, 5000);
    assert_fault(&s, "The index that was sent is damaged.");
}

static void no_byte_can_make_it_write_elsewhere(void **state)
{
    (void)state;
    const struct trak traks[] = {plain_video, plain_audio};
    struct mp4_head_source s = source_at(traks, 2, 5 * GB);
    size_t made = 0;
    for (size_t i = 0; i < 3 * moov.n; i++) {
        struct mp4_head head;
        uint8_t old = moov.p[i / 3];
        moov.p[i / 3] = i % 3 == 0 ? 0 : i % 3 == 1 ? 0xff : old ^ 0x81;
        enum rc rc = mp4_head_make(&s, &head);
        if (rc == RC_OK) {
            assert_in_range(head.size, ftyp.n + moov.n, ftyp.n + 2 * moov.n + 16);
            mp4_head_free(&head);
            made++;
        }
        moov.p[i / 3] = old;
    }
    assert_in_range(made, moov.n, 3 * moov.n - 10);
}

/* ---- real files ------------------------------------------------------------- */

static int heads; /* that were made */

/* Writes the head of a file, if it needs one, to head.tmp. */
static bool write_head(const char *path, struct mp4_head *head)
{
    uint64_t at, end, begin;
    struct mp4_head_source s = {.file_size = mp4_file_size(path)};
    char out[PATH_MAX + 16];
    if (!mp4_find_box(path, "mdat", &begin, &end))
        return false;
    s.media = begin + 8;
    assert_true(mp4_find_box(path, "moov", &at, &end));
    struct bytes index = mp4_file_part(path, at, end);
    s.moov = index.p;
    s.moov_size = index.n;
    s.moov_offset = at;
    assert_true(mp4_find_box(path, "ftyp", &begin, &end));
    struct bytes first = mp4_file_part(path, begin, end);
    s.ftyp = first.p;
    s.ftyp_size = first.n;
    enum rc rc = mp4_head_make(&s, head);
    assert_int_equal(rc, at < s.media ? RC_EXISTS : RC_OK);
    if (rc == RC_OK) {
        snprintf(out, sizeof(out), "%s/head.tmp", mp4_dir);
        FILE *f = fopen(out, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(head->bytes, 1, head->size, f), head->size);
        fclose(f);
    }
    bytes_free(&index);
    bytes_free(&first);
    return rc == RC_OK;
}

/* Runs a shell command that is put together as by printf. */
__attribute__((format(printf, 1, 2))) static void shell(const char *fmt, ...)
{
    char command[8 * PATH_MAX];
    va_list ap;
    va_start(ap, fmt);
    assert_in_range(vsnprintf(command, sizeof(command), fmt, ap), 1,
                    (int)sizeof(command) - 1);
    va_end(ap);
    if (system(command) != 0)
        fail_msg("%s", command);
}

#define READ "ffmpeg -nostdin -v fatal -f mov"
#define STREAM "-protocol_whitelist file,concat,subfile -i"

/* Every packet, and of short files every picture, is the same by the stream. */
static void check_stream(const char *path)
{
    struct mp4_head head;
    bool small = mp4_file_size(path) < 2000000;
    if (!write_head(path, &head))
        return;
    for (int decode = 0; decode <= small; decode++) {
        const char *how = decode ? "" : "-c copy";
        shell(READ
              " -i 'file:%s' -map 0:V? -map 0:a? %s -f framemd5 - | sort >%s/a.tmp",
              path, how, mp4_dir);
        shell("{ cat %s/head.tmp; tail -c +%" PRIu64 " '%s' | head -c %" PRIu64 "; } | "
              "ffmpeg -v fatal -f mov -i pipe:0 -map 0:V? -map 0:a? %s -f framemd5 - |"
              " sort >%s/b.tmp && cmp %s/a.tmp %s/b.tmp",
              mp4_dir, head.from + 1, path, head.end - head.from, how, mp4_dir, mp4_dir,
              mp4_dir);
    }
    mp4_head_free(&head);
    heads++;
}

static void a_stream_decodes_to_the_same_as_its_file(void **state)
{
    (void)state;
    if (!mp4_have_ffmpeg())
        skip();
    heads = 0;
    mp4_each(check_stream);
    assert_true(heads >= 9);
}

/* The head and what has arrived are read as one file, in which ffmpeg can seek. */
static void a_seek_into_what_has_arrived_finds_the_same(void **state)
{
    (void)state;
    char path[PATH_MAX + 16];
    struct mp4_head head;
    struct mp4_index *index;
    uint64_t at, end;
    if (!mp4_have_ffmpeg())
        skip();
    mp4_ffmpeg(" -f lavfi -i testsrc2=s=128x96:r=25:d=20" SOUND H264
               " -c:a aac long.tmp.mp4");
    snprintf(path, sizeof(path), "%s/long.tmp.mp4", mp4_dir);
    assert_true(write_head(path, &head));
    assert_true(mp4_find_box(path, "moov", &at, &end));
    struct bytes bytes = mp4_file_part(path, at, end);
    const struct mp4_index_limits limits = {mp4_file_size(path), 10000};
    assert_int_equal(mp4_index_open(bytes.p, bytes.n, &limits, &index), RC_OK);
    shell("head -c %" PRIu64 " %s >%s/part.tmp", bytes_needed(index, 0, 12400000), path,
          mp4_dir);
    shell(READ " -ss 11.5 -i %s -map 0:v -frames:v 20 -f framemd5 - >%s/a.tmp", path,
          mp4_dir);
    shell(READ
          " -ss 11.5 " STREAM " 'concat:file:%s/head.tmp|"
          "subfile,,start,%" PRIu64 ",end,%" PRIu64 ",,:file:%s/part.tmp'"
          " -map 0:v -frames:v 20 -f framemd5 - >%s/b.tmp && cmp %s/a.tmp %s/b.tmp",
          mp4_dir, head.from, head.end, mp4_dir, mp4_dir, mp4_dir, mp4_dir);
    mp4_index_close(index);
    mp4_head_free(&head);
    bytes_free(&bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_head_has_all_that_comes_before_the_media),
        TEST(the_new_index_is_the_old_one_moved),
        TEST(offsets_may_become_less),
        TEST(media_of_over_4_gb_have_a_header_of_64_bits),
        TEST(offsets_that_no_longer_fit_become_64_bits_wide),
        TEST(offsets_of_64_bits_stay_so),
        TEST(media_may_come_after_the_index_too),
        TEST(boxes_of_no_concern_are_copied_as_they_are),
        TEST(a_box_that_reaches_to_the_end_gets_its_size),
        TEST(a_file_with_its_index_first_needs_no_head),
        TEST(fragments_and_compressed_indexes_have_no_head),
        TEST(an_index_that_makes_no_sense_is_told_why),
        TEST(tables_that_overrun_are_damage),
        TEST(no_byte_can_make_it_write_elsewhere),
        TEST(a_stream_decodes_to_the_same_as_its_file),
        TEST(a_seek_into_what_has_arrived_finds_the_same),
    };
    return cmocka_run_group_tests_name("mp4_head", tests, mp4_files_make,
                                       mp4_files_remove);
}
