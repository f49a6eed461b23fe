/* There is no memory for a sheet of small pictures while it comes: it is made later,
 * and that is no try. */
#include "failing_malloc.h"
#include "picture_fixture.h"

#include "store_pictures.h"

#define SHEET_BYTES 300000 /* what holds it is told from all else by its size */

static int planned(void **state)
{
    struct video_plan plan = fixture_plan(1);
    setup(state);
    store_planned(&plan);
    return 0;
}

static void put_sheet(void)
{
    static uint8_t jpeg[SHEET_BYTES];
    static const char cluster[] = "\x1A\x45\xDF\xA3\x83xyz\x18\x53\x80\x67" UNBOUNDED
                                  "\x1F\x43\xB6\x75" UNBOUNDED "\xE7\x82\x3E\x80";
    static const char time[] = "\xA3\x85\x82\x00\x00\x80t";
    const size_t n = SHEET_BYTES + 4;
    const char head[] = {
        '\xA3', (char)(0x20 | n >> 16), (char)(n >> 8), (char)n, '\x81', 0, 0, '\x80'};
    struct bytes b = {0};
    bytes_add(&b, cluster, sizeof(cluster) - 1);
    bytes_add(&b, head, sizeof(head));
    bytes_add(&b, jpeg, sizeof(jpeg));
    bytes_add(&b, time, sizeof(time) - 1);
    put_file("sheets", b.p, b.n, 0600);
    bytes_free(&b);
}

/* Of what holds a sheet, the call of that number fails. */
static void assert_made_without(long call)
{
    char script[2 * PATH_MAX];
    put_sheet();
    sheets_script(script, "exit");
    begin_job(JOB_STORYBOARD, script);
    heap.failed = 0;
    heap.least = SHEET_BYTES;
    heap.left = call;
    turn_until(is_idle, "the job to end");
    heap.left = 0;
    assert_int_equal(heap.failed, 1);
    assert_begins_later();
    turn_until(is_idle, "the job to end");
    assert_true(fixture_get(f, video.id).has_storyboard);
}

static void a_sheet_that_cannot_be_read_is_made_later(void **state)
{
    (void)state;
    assert_made_without(1);
}

static void a_sheet_that_cannot_be_kept_is_made_later(void **state)
{
    (void)state;
    assert_made_without(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sheet_that_cannot_be_read_is_made_later,
                                        planned, teardown),
        cmocka_unit_test_setup_teardown(a_sheet_that_cannot_be_kept_is_made_later,
                                        planned, teardown),
    };
    return cmocka_run_group_tests_name("picture_nomem", tests, NULL, NULL);
}
