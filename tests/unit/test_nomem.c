/* Each allocation of what reads and writes files fails in turn: that is told, and
 * nothing is lost. */
#include "failing_malloc.h"

#include "config_fixture.h"
#include "mp4_build.h"

#include "bounds.h"
#include "checksum.h"
#include "cutter.h"
#include "mp4_frag.h"
#include "mp4_head.h"
#include "multipart.h"
#include "password.h"
#include "playlist.h"
#include "site.h"
#include "source_bounds.h"
#include "spool.h"
#include "subtitle.h"
#include "upload_form.h"

#include <zlib.h>

/* ---- forms ---------------------------------------------------------------------- */

#define FORM                                                                           \
    "--XB\r\nContent-Disposition: form-data; name=file; filename=a.mp4\r\n\r\n"        \
    "\0\0\0\x10"                                                                       \
    "ftypisom\0\0\0\0\0\0\0\x08moov\r\n--XB--\r\n"

static enum rc on_part(void *arg, const struct multipart_part *part)
{
    (void)arg;
    (void)part;
    return RC_OK;
}

static enum rc on_bytes(void *arg, const void *data, size_t n)
{
    (void)data;
    *(size_t *)arg += n;
    return RC_OK;
}

static enum rc on_end(void *arg)
{
    (void)arg;
    return RC_OK;
}

static enum rc on_file(void *arg, const struct upload_file *file)
{
    (void)arg;
    assert_string_equal(file->filename, "a.mp4");
    return RC_OK;
}

static enum rc parse_form(void *arg)
{
    size_t got = 0;
    const struct multipart_events events = {on_part, on_bytes, on_end, &got};
    struct multipart *m;
    (void)arg;
    enum rc rc = multipart_open("XB", &events, &m);
    if (rc != RC_OK)
        return rc;
    rc = multipart_feed(m, FORM, sizeof(FORM) - 1);
    if (rc == RC_OK)
        rc = multipart_finish(m);
    multipart_free(m);
    assert_int_equal(got, 24);
    return rc;
}

static enum rc receive_form(void *arg)
{
    size_t got = 0;
    const struct upload_events events = {on_file, on_bytes, on_bytes, &got};
    struct upload_form *form;
    struct http_error error;
    (void)arg;
    enum rc rc =
        upload_form_open("multipart/form-data; boundary=XB", &events, &form, &error);
    if (rc != RC_OK)
        return rc;
    rc = upload_form_feed(form, FORM, sizeof(FORM) - 1);
    if (rc == RC_OK)
        rc = upload_form_finish(form);
    upload_form_free(form);
    assert_int_equal(got, 24);
    return rc;
}

static enum rc sum_up(void *arg)
{
    const struct tus_checksum wanted = {.algorithm = "sha1", .n = 20};
    struct checksum *c;
    (void)arg;
    enum rc rc = checksum_open(&wanted, &c);
    if (rc != RC_OK)
        return rc;
    checksum_update(c, "x", 1);
    assert_false(checksum_matches(c));
    checksum_free(c);
    return RC_OK;
}

static void forms_tell_what_they_lack(void **state)
{
    (void)state;
    heap_starve(parse_form, NULL, HEAP_MUST_TELL);
    heap_starve(receive_form, NULL, HEAP_MUST_TELL);
    heap_starve(sum_up, NULL, HEAP_MUST_TELL);
}

/* ---- subtitles ------------------------------------------------------------------ */

struct text {
    const char *bytes;
    size_t n;
};

static enum rc convert(void *arg)
{
    const struct text *in = arg;
    char *out;
    size_t n;
    enum rc rc = subtitle_to_webvtt(in->bytes, in->n, &out, &n);
    if (rc != RC_OK)
        return rc;
    assert_true(strstr(out, "00:00:01.000 --> 00:00:02.000") != NULL);
    free(out);
    return RC_OK;
}

static void subtitles_tell_what_they_lack(void **state)
{
    (void)state;
    static const char cue[] =
        "1\n00:00:01,000 --> 00:00:02,000\n<i>\xfc & <b>x</i>\n\n";
    char many[100 * sizeof(cue)] = "", wide[2 * sizeof(cue)] = "\xff\xfe";
    for (int i = 0; i < 100; i++)
        strcat(many, cue);
    for (size_t i = 0; i + 1 < sizeof(cue); i++)
        wide[2 + 2 * i] = cue[i];
    const struct text texts[] = {
        {cue, sizeof(cue) - 1},
        {many, strlen(many)},
        {wide, 2 * sizeof(cue)},
        {"WEBVTT\n\n00:01.000 --> 00:02.000 line:1\n<v Bob>hi\n", 48},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        heap_starve(convert, (void *)&texts[i], HEAP_MAY_COPE); /* qsort can */
}

/* ---- playlists ------------------------------------------------------------------ */

static const struct grid long_grid = {25, 1, 50, 50000};

static enum rc check_list(enum rc rc, char *text, const char *end)
{
    if (rc != RC_OK)
        return rc;
    assert_non_null(text);
    size_t n = strlen(text), m = strlen(end);
    assert_true(n > m && strcmp(text + n - m, end) == 0);
    free(text);
    return RC_OK;
}

static enum rc write_media(void *arg)
{
    char *text = NULL;
    (void)arg;
    enum rc rc = playlist_media(&long_grid, &text);
    return check_list(rc, text, "\n#EXT-X-ENDLIST\n");
}

static enum rc write_event(void *arg)
{
    char *text = NULL;
    (void)arg;
    enum rc rc = playlist_event(&long_grid, &text);
    return check_list(rc, text, "\n999.m4s\n");
}

static enum rc write_text(void *arg)
{
    char *text = NULL;
    (void)arg;
    enum rc rc = playlist_text("en", 1, &text);
    return check_list(rc, text, "\n#EXT-X-ENDLIST\n");
}

static enum rc write_master(void *arg)
{
    static const struct playlist_variant variant = {
        .uri = "v", .bandwidth = 1, .codecs = "c", .rate_num = 25, .rate_den = 1};
    static const struct playlist_audio audio = {.uri = "a", .name = "n"};
    static const struct playlist_subtitles subs = {.uri = "s", .name = "n"};
    char *text = NULL;
    (void)arg;
    enum rc rc = playlist_master(&variant, 1, &audio, 1, &subs, 1, &text);
    return check_list(rc, text, "\nv\n");
}

/* Bounds, packed and unpacked, and their playlist. */
static enum rc write_cut(void *arg)
{
    struct bounds b, again;
    uint8_t *bytes;
    size_t n;
    char *text = NULL;
    (void)arg;
    enum rc rc = bounds_alloc(2, &b);
    if (rc != RC_OK)
        return rc;
    for (int k = 0; k <= 2; k++)
        b.start_us[k] = k * 2000000;
    b.frames[0] = b.frames[1] = 50;
    rc = bounds_pack(&b, &bytes, &n);
    bounds_free(&b);
    if (rc != RC_OK)
        return rc;
    rc = bounds_unpack(bytes, n, &again);
    free(bytes);
    if (rc != RC_OK)
        return rc;
    rc = playlist_media_cut(&again, &text);
    bounds_free(&again);
    return check_list(rc, text, "\n1.m4s\n#EXT-X-ENDLIST\n");
}

static void playlists_tell_what_they_lack(void **state)
{
    (void)state;
    heap_starve(write_media, NULL, HEAP_MUST_TELL);
    heap_starve(write_event, NULL, HEAP_MUST_TELL);
    heap_starve(write_text, NULL, HEAP_MUST_TELL);
    heap_starve(write_master, NULL, HEAP_MUST_TELL);
    heap_starve(write_cut, NULL, HEAP_MUST_TELL);
}

/* ---- media ---------------------------------------------------------------------- */

static enum rc read_index(void *arg)
{
    const struct mp4_index_limits limits = {FILE_SIZE, 1000};
    struct mp4_index *index;
    (void)arg;
    enum rc rc = mp4_index_open(moov.p, moov.n, &limits, &index);
    if (rc != RC_OK)
        return rc;
    assert_int_equal(mp4_index_track(index, 0)->packets, 6);
    mp4_index_close(index);
    return RC_OK;
}

static enum rc make_head(void *arg)
{
    static const uint8_t ftyp[16] = "\0\0\0\x10"
                                    "ftypisom";
    const struct mp4_head_source source = {
        .ftyp = ftyp,
        .ftyp_size = sizeof(ftyp),
        .media = 48,
        .moov = moov.p,
        .moov_size = moov.n,
        .moov_offset = 5000,
        .file_size = 5000 + moov.n,
    };
    struct mp4_head head;
    (void)arg;
    enum rc rc = mp4_head_make(&source, &head);
    if (rc == RC_OK)
        mp4_head_free(&head);
    return rc;
}

/* A fragment of one track without samples, which is all it needs to be held. */
static void build_moof(struct bytes *out)
{
    size_t moof = box_open(out, "moof"), traf, at;
    box_filled(out, "mfhd", 0, 8);
    traf = box_open(out, "traf");
    at = box_open(out, "tfhd");
    bytes_number(out, 0x20000, 4);
    bytes_number(out, 1, 4);
    box_close(out, at);
    at = box_open(out, "tfdt");
    bytes_number(out, 0, 8);
    box_close(out, at);
    box_close(out, traf);
    box_close(out, moof);
}

struct fragmented {
    struct bytes moov, rest;
};

static enum rc feed_frag(struct mp4_frag *frag, const struct bytes *b)
{
    enum rc rc = RC_OK;
    uint64_t at;
    size_t n;
    while (rc == RC_OK && mp4_frag_wants(frag, &at, &n) && at + n <= b->n)
        rc = mp4_frag_feed(frag, b->p + at, n);
    return rc;
}

static enum rc follow_fragments(void *arg)
{
    const struct fragmented *f = arg;
    const struct mp4_index_limits limits = {MP4_SIZE_UNKNOWN, 1000};
    struct mp4_index *index;
    struct mp4_frag *frag;
    enum rc rc = mp4_index_open(f->moov.p, f->moov.n, &limits, &index);
    if (rc != RC_OK)
        return rc;
    rc = mp4_frag_open(index, f->moov.p, f->moov.n, 0, f->rest.n, &frag);
    if (rc == RC_OK) {
        rc = feed_frag(frag, &f->rest);
        mp4_frag_close(frag);
    }
    mp4_index_close(index);
    return rc;
}

static enum rc on_init(void *arg, const uint8_t *data, size_t n, uint32_t timescale)
{
    (void)data;
    (void)timescale;
    *(size_t *)arg += n;
    return RC_OK;
}

static enum rc on_fragment(void *arg, const struct cutter_fragment *f)
{
    (void)arg;
    (void)f;
    return RC_OK;
}

static enum rc on_fragment_data(void *arg, const uint8_t *data, size_t n)
{
    return on_bytes(arg, data, n);
}

static enum rc cut(void *arg)
{
    const struct fragmented *f = arg;
    size_t got = 0;
    const struct cutter_events events = {on_init, on_fragment, on_fragment_data, on_end,
                                         &got};
    struct cutter *c;
    enum rc rc = cutter_open(&events, &c);
    if (rc != RC_OK)
        return rc;
    rc = cutter_feed(c, f->moov.p, f->moov.n);
    if (rc == RC_OK)
        rc = cutter_feed(c, f->rest.p, f->rest.n);
    if (rc == RC_OK)
        rc = cutter_finish(c);
    cutter_free(c);
    assert_true(rc != RC_OK || got == f->moov.n + f->rest.n);
    return rc;
}

/* Of which there may not be two: what failed counts once. */
static enum rc count_index(void *arg)
{
    struct source_bounds *b;
    const struct bytes *cmov = arg;
    const struct source_bytes from = {
        .memory = cmov->p, .have = cmov->n, .size = cmov->n, .file_size = cmov->n};
    enum rc rc = source_bounds_open(CONTAINER_MOV, &b);
    if (rc != RC_OK)
        return rc;
    rc = source_bounds_look(b, &from, err, sizeof(err));
    if (rc == RC_NOMEM) {
        enum rc again = source_bounds_look(b, &from, err, sizeof(err));
        assert_true(again == RC_OK || again == RC_NOMEM);
    }
    source_bounds_close(b);
    return rc;
}

static void compressed_indexes_tell_what_they_lack(void **state)
{
    (void)state;
    struct bytes cmov = {0};
    size_t at = box_open(&cmov, "cmov");
    box_filled(&cmov, "dcom", 0, 4);
    memcpy(cmov.p + 16, "zlib", 4);
    box_filled(&cmov, "cmvd", 0, 40);
    uLongf n = 36;
    assert_int_equal(compress(cmov.p + 32, &n, (const uint8_t *)"moov", 4), Z_OK);
    cmov.p[28] = (SOURCE_UNPACKED_MAX * 3 / 4) >> 24;
    box_close(&cmov, at);
    heap_starve(count_index, &cmov, HEAP_MUST_TELL);
    bytes_free(&cmov);
}

static void readers_of_media_tell_what_they_lack(void **state)
{
    (void)state;
    struct trak traks[] = {plain_video, plain_audio};
    const struct list edits = LIST(240, 40, 65536);
    struct fragmented f = {0};
    traks[0].edits = edits;
    build_moov(&moov, traks, 2);
    heap_starve(read_index, NULL, HEAP_MUST_TELL);
    heap_starve(make_head, NULL, HEAP_MUST_TELL);

    const struct trak empty = {
        .id = 1, .handler = "vide", .format = "avc1", .timescale = 1000};
    build_moov(&f.moov, &empty, 1);
    size_t mvex = box_open(&f.moov, "mvex"), trex = box_open(&f.moov, "trex");
    bytes_number(&f.moov, 0, 4);
    bytes_number(&f.moov, 1, 4);
    bytes_number(&f.moov, 1, 4);
    bytes_number(&f.moov, 40, 4);
    bytes_number(&f.moov, 10, 4);
    bytes_number(&f.moov, 0, 4);
    box_close(&f.moov, trex);
    box_close(&f.moov, mvex);
    box_put_size(&f.moov, 0, f.moov.n);
    build_moof(&f.rest);
    box_filled(&f.rest, "mdat", 'm', 10);
    heap_starve(follow_fragments, &f, HEAP_MUST_TELL);
    heap_starve(cut, &f, HEAP_MUST_TELL);
    bytes_free(&f.moov);
    bytes_free(&f.rest);
    close_index(NULL);
}

/* ---- settings, passwords, files ---------------------------------------------------
 */

static enum rc read_config(void *arg)
{
    struct config c;
    (void)arg;
    enum rc rc = config_load(path, &c, err, sizeof(err));
    assert_true(rc != RC_OK || c.port == 81);
    return rc;
}

static enum rc check_password(void *arg)
{
    bool right = false;
    enum rc rc = password_check("correct horse", arg, &right);
    assert_true(rc != RC_OK || right);
    return rc;
}

static enum rc spool(void *arg)
{
    struct spool_file *f;
    enum rc rc = spool_create(arg, "abcdefghabcdefgh", &f);
    if (rc != RC_OK)
        return rc;
    rc = spool_write(f, "x", 1);
    spool_abandon(f);
    return rc;
}

static void what_is_opened_tells_what_it_lacks(void **state)
{
    (void)state;
    static const char *const folders[] = {"etc", "htdocs", "spool"};
    struct config c;
    struct site site;
    char hash[PASSWORD_HASH_MAX + 1], folder[PATH_MAX + 16];
    assert_int_equal(load("[web]\nport = 81\n", &c), RC_OK);
    heap_starve(read_config, NULL, HEAP_MAY_COPE); /* stdio without its buffer */
    assert_int_equal(password_hash("correct horse", hash), RC_OK);
    heap_starve(check_password, hash, HEAP_MUST_TELL);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(folder, sizeof(folder), "%s/%s", dir, folders[i]);
        assert_int_equal(mkdir(folder, 0700), 0);
    }
    assert_int_equal(site_at(dir, &site), RC_OK);
    heap_starve(spool, &site, HEAP_MUST_TELL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_tell_what_they_lack),
        cmocka_unit_test(subtitles_tell_what_they_lack),
        cmocka_unit_test(playlists_tell_what_they_lack),
        cmocka_unit_test(compressed_indexes_tell_what_they_lack),
        cmocka_unit_test(readers_of_media_tell_what_they_lack),
        cmocka_unit_test_setup_teardown(what_is_opened_tells_what_it_lacks,
                                        fixture_open, fixture_close),
    };
    return cmocka_run_group_tests_name("nomem", tests, NULL, NULL);
}
