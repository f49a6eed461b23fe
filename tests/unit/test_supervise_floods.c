/* Programs that write as fast as they can, or more than anybody wants. */
#include "check.h"

#include "supervise_run.h"

#include <stdlib.h>

static const struct how plain;

static void a_flood_is_handed_over_whole_before_the_end(void **state)
{
    (void)state;
    const struct run *r =
        run_script("head -c 20000000 /dev/zero;"
                   "head -c 3000000 /dev/zero | tr '\\0' x >&2; printf 1234567",
                   &plain);
    assert_exited(r, 0);
    assert_int_equal(r->bytes, 20000007);
    assert_int_equal(strlen(r->words), SUPERVISE_WORDS_MAX);
}

/* It must not hang in a write that nobody reads, or it could not end well. */
static void a_refused_program_is_read_on(void **state)
{
    (void)state;
    struct how how = {.refusal = RC_STOPPED, .refuse_at = 1};
    const struct run *r =
        run_script("trap '' TERM; echo x; head -c 5000000 /dev/zero; exit 8", &how);
    assert_int_equal(r->end.reason, SUPERVISE_REFUSED);
    assert_int_equal(r->calls, 1);
    assert_true(WIFEXITED(r->end.status));
    assert_int_equal(WEXITSTATUS(r->end.status), 8);
}

/* At most 128 KiB each 10 ms, so these 64 times as much take 64 rests at least. */
static void a_flood_of_words_is_slowed_down_and_none_is_lost(void **state)
{
    (void)state;
    char text[64];
    int64_t size = 0;
    const struct run *r = run_logged(
        "head -c 8388608 /dev/zero | tr '\\0' '\\n' >&2; printf 'the end' >&2",
        16 << 20, text, &size);
    assert_exited(r, 0);
    assert_string_equal(r->words, "the end");
    assert_int_equal(size, 8388608 + 7);
    assert_true(r->took_ms >= 640);
}

/* Reads of this process so far; -1: this kernel does not count them. */
static long reads_so_far(void)
{
    char line[64];
    long n = -1;
    FILE *f = fopen("/proc/self/io", "r");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, "syscr: ", 7) == 0)
            n = strtol(line + 7, NULL, 10);
    if (f)
        fclose(f);
    return n;
}

static void words_that_come_one_by_one_are_read_together(void **state)
{
    (void)state;
    long before = reads_so_far();
    if (before < 0 || getenv("DROPSTREAM_UNDER"))
        skip(); /* valgrind reads, too */
    const struct run *r = run_script(
        "i=0; while [ $i -lt 20000 ]; do echo $i >&2; i=$((i + 1)); done", &plain);
    long reads = reads_so_far() - before;
    assert_exited(r, 0);
    assert_string_equal(r->words, "19999");
    /* Two each 10 ms, and some for the start and the end. */
    assert_in_range(reads, 1, 2 * (r->took_ms / 10 + 1) + 20);
}

/* At most 1 MiB each 10 ms. */
static void a_flood_that_is_refused_is_slowed_down(void **state)
{
    (void)state;
    struct how how = {.refusal = RC_TOO_LARGE, .refuse_at = 1};
    const struct run *r =
        run_script("trap '' TERM; head -c 67108864 /dev/zero; exit 8", &how);
    assert_int_equal(r->end.reason, SUPERVISE_REFUSED);
    assert_true(WIFEXITED(r->end.status));
    assert_int_equal(WEXITSTATUS(r->end.status), 8);
    assert_true(r->took_ms >= 630);
}

static void others_go_on_beside_floods(void **state)
{
    (void)state;
    struct run all, other, floods[2];
    static const char *const scripts[] = {"exec yes >&2", "trap '' TERM; exec yes"};
    run_open(&all, &plain);
    loop_timer_set(all.loop, &all.patience, RUN_PATIENCE_MS, run_out_of_patience, &all);
    for (int i = 0; i < 2; i++) {
        floods[i] = (struct run){.loop = all.loop,
                                 .how = {.refusal = RC_INVALID, .refuse_at = 1}};
        assert_int_equal(run_start(&floods[i], scripts[i]), RC_OK);
    }
    other = (struct run){.loop = all.loop};
    assert_int_equal(run_start(&other, "sleep 0.3; head -c 300000 /dev/zero"), RC_OK);
    assert_int_equal(loop_run(all.loop), RC_OK);
    assert_int_equal(other.ends, 1);
    assert_int_equal(other.bytes, 300000);
    assert_exited(&other, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(floods[i].ends, 0);
        supervise_stop(floods[i].child, true);
    }
    while (floods[0].ends + floods[1].ends < 2 && all.patience.is_set)
        assert_int_equal(loop_run(all.loop), RC_OK);
    assert_ended(&floods[0], SUPERVISE_STOPPED, SIGKILL);
    assert_string_equal(floods[0].words, "y");
    assert_ended(&floods[1], SUPERVISE_REFUSED, SIGKILL);
    run_close(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_is_handed_over_whole_before_the_end),
        cmocka_unit_test(a_refused_program_is_read_on),
        cmocka_unit_test(a_flood_of_words_is_slowed_down_and_none_is_lost),
        cmocka_unit_test(words_that_come_one_by_one_are_read_together),
        cmocka_unit_test(a_flood_that_is_refused_is_slowed_down),
        cmocka_unit_test(others_go_on_beside_floods),
    };
    return cmocka_run_group_tests_name("supervise_floods", tests, NULL, NULL);
}
