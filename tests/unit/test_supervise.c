#include "check.h"

#include "supervise_run.h"

#include <fcntl.h>
#include <stdlib.h>

static const struct how plain;

/* Goes on for ever and cannot be asked to stop. */
#define DEAF "trap '' TERM; echo ready; while :; do sleep 0.05; done"

/* ---- what a program says ------------------------------------------------ */

static void output_and_exit_status_are_handed_over(void **state)
{
    (void)state;
    const struct run *r = run_script("printf hello; exit 3", &plain);
    assert_exited(r, 3);
    assert_string_equal(r->out, "hello");
    assert_string_equal(r->words, "");
    assert_int_equal(r->end.refusal, RC_OK);
}

static void a_program_that_a_signal_ends_has_ended_by_itself(void **state)
{
    (void)state;
    assert_ended(run_script("kill -SEGV $$", &plain), SUPERVISE_EXITED, SIGSEGV);
}

static void the_last_line_of_standard_error_is_cleaned_and_kept(void **state)
{
    (void)state;
    static const struct {
        const char *said, *words;
    } cases[] = {
        {"one\\ntwo\\n", "two"},
        {"one\\ntwo", "two"}, /* it died before the end of its line */
        {"frame 1\\rframe 2\\r", "frame 2"},
        {"one\\n\\n\\n", "one"},
        {"  spaces \\t \\n", "spaces"},
        {"bell\\007 \\033[31mred\\n", "bell   [31mred"},
        {"\\377\\376\\377bad\\n", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                  "bad"},
        {" \\303\\251t\\303\\251\\n", "\xc3\xa9t\xc3\xa9"},
        {"\\n", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char script[256];
        snprintf(script, sizeof(script), "printf '%s' >&2; exit 1", cases[i].said);
        const struct run *r = run_script(script, &plain);
        assert_exited(r, 1);
        assert_string_equal(r->words, cases[i].words);
    }
}

static void a_line_of_any_length_is_kept_to_its_limit(void **state)
{
    (void)state;
    const struct run *r = run_script(
        "head -c 400 /dev/zero | tr '\\0' '\\377' >&2; echo >&2; exit 1", &plain);
    assert_int_equal(strlen(r->words), SUPERVISE_WORDS_MAX / 3 * 3);
}

static void trouble_of_the_machine_is_no_say_about_what_was_read(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        bool trouble;
    } cases[] = {
        {"echo x: Input/output error >&2; exit 1", true},
        {"echo x: Input/output error >&2; echo Conversion failed! >&2", true},
        {"printf 'x: Input/out' >&2; sleep 0.1; printf 'put error' >&2; exit 1", true},
        {"head -c 100000 /dev/zero | tr '\\0' x >&2; echo No space left on device >&2",
         true},
        {"echo Invalid data found when processing input >&2; exit 1", false},
        {"echo Input/output error", false}, /* that is output */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct run *r = run_script(cases[i].script, &plain);
        assert_int_equal(r->end.reason, SUPERVISE_EXITED);
        assert_int_equal(r->end.trouble, cases[i].trouble);
        assert_int_equal(supervise_had_its_say(&r->end), !cases[i].trouble);
    }
}

static void standard_error_goes_to_the_log_as_it_is(void **state)
{
    (void)state;
    char text[64];
    int64_t size = 0;
    run_logged("printf 'one\\ntwo\\r\\001' >&2; printf three", 4096, text, &size);
    assert_int_equal(size, 9);
    assert_string_equal(text, "one\ntwo\r\001");
}

/* ---- programs that must be stopped -------------------------------------- */

static void a_program_that_says_nothing_is_stopped(void **state)
{
    (void)state;
    struct how how = {.stall_ms = 100};
    const struct run *r = run_script("exec sleep 60", &how);
    assert_ended(r, SUPERVISE_STALLED, SIGTERM);
    assert_true(r->took_ms >= 100);
}

static void words_alone_are_no_progress(void **state)
{
    (void)state;
    struct how how = {.stall_ms = 300};
    const struct run *r =
        run_script("while :; do echo error >&2; sleep 0.02; done", &how);
    assert_ended(r, SUPERVISE_STALLED, SIGTERM);
    assert_string_equal(r->words, "error");
}

static void a_program_that_closed_its_output_may_still_stall(void **state)
{
    (void)state;
    struct how how = {.stall_ms = 100};
    assert_ended(run_script("exec sleep 60 >&- 2>&-", &how), SUPERVISE_STALLED,
                 SIGTERM);
}

static void output_is_progress(void **state)
{
    (void)state;
    struct how how = {.stall_ms = 1500};
    const struct run *r = run_script(
        "for i in 1 2 3 4 5 6 7 8 9 10; do printf $i; sleep 0.2; done", &how);
    assert_exited(r, 0);
    assert_string_equal(r->out, "12345678910");
    assert_true(r->took_ms > how.stall_ms);
}

static void progress_does_not_help_beyond_the_limit(void **state)
{
    (void)state;
    struct how how = {.limit_ms = 300};
    const struct run *r = run_script("while :; do echo x; sleep 0.02; done", &how);
    assert_ended(r, SUPERVISE_TIMEOUT, SIGTERM);
    assert_true(r->took_ms >= 300 && r->bytes > 0);
}

static void a_program_that_is_deaf_is_killed_after_its_grace(void **state)
{
    (void)state;
    struct how how = {.stop_ms = 200, .grace_ms = 200};
    const struct run *r = run_script(DEAF, &how);
    assert_string_equal(r->out, "ready\n");
    assert_ended(r, SUPERVISE_STOPPED, SIGKILL);
    assert_true(r->took_ms >= 400);
}

static void a_program_may_use_its_grace(void **state)
{
    (void)state;
    struct how how = {.stop_ms = 300};
    const struct run *r = run_script(
        "trap 'printf bye; exit 5' TERM; while :; do sleep 0.02; done", &how);
    assert_int_equal(r->end.reason, SUPERVISE_STOPPED);
    assert_true(WIFEXITED(r->end.status));
    assert_int_equal(WEXITSTATUS(r->end.status), 5);
    assert_string_equal(r->out, "bye");
}

static void a_hard_stop_waits_for_nothing(void **state)
{
    (void)state;
    struct how how = {.kill_ms = 200};
    assert_ended(run_script(DEAF, &how), SUPERVISE_STOPPED, SIGKILL);
}

static void a_hard_stop_ends_the_grace(void **state)
{
    (void)state;
    struct how how = {.stop_ms = 200, .kill_ms = 400, .grace_ms = 60000};
    assert_ended(run_script(DEAF, &how), SUPERVISE_STOPPED, SIGKILL);
}

static void a_deaf_program_that_stalls_is_killed(void **state)
{
    (void)state;
    struct how how = {.stall_ms = 300, .grace_ms = 100};
    assert_ended(run_script(DEAF, &how), SUPERVISE_STALLED, SIGKILL);
}

/* ---- standing still ------------------------------------------------------ */

static void a_program_that_was_paused_may_stall_and_then_goes_on(void **state)
{
    (void)state;
    struct how how = {.stall_ms = 400, .pause_ms = 100, .go_on_ms = 1200};
    const struct run *r = run_script("sleep 0.2; echo done", &how);
    assert_exited(r, 0);
    assert_string_equal(r->out, "done\n");
    assert_true(r->took_ms >= 1200);
}

static void a_pause_is_no_part_of_the_limit(void **state)
{
    (void)state;
    struct how how = {.limit_ms = 2500, .pause_ms = 100, .go_on_ms = 3500};
    const struct run *r = run_script("sleep 0.2; echo done", &how);
    assert_exited(r, 0);
    assert_true(r->took_ms >= 3500);
}

static void a_program_that_goes_on_is_watched_again(void **state)
{
    (void)state;
    struct how how = {.stall_ms = 400, .pause_ms = 100, .go_on_ms = 800};
    const struct run *r = run_script("exec sleep 60", &how);
    assert_ended(r, SUPERVISE_STALLED, SIGTERM);
    assert_true(r->took_ms >= 1200);
}

static void a_paused_program_hears_that_it_is_to_stop(void **state)
{
    (void)state;
    struct how how = {.pause_ms = 100, .stop_ms = 200};
    const struct run *r =
        run_script("trap 'echo bye; exit 5' TERM; while :; do sleep 0.02; done", &how);
    assert_int_equal(r->end.reason, SUPERVISE_STOPPED);
    assert_int_equal(WEXITSTATUS(r->end.status), 5);
    assert_string_equal(r->out, "bye\n");
}

static void a_paused_program_can_be_killed(void **state)
{
    (void)state;
    struct how how = {.pause_ms = 100, .kill_ms = 200};
    assert_ended(run_script(DEAF, &how), SUPERVISE_STOPPED, SIGKILL);
}

/* ---- output that is refused --------------------------------------------- */

static void refused_output_stops_the_program(void **state)
{
    (void)state;
    struct how how = {.refusal = RC_NOSPACE, .refuse_at = 3};
    const struct run *r = run_script("exec yes", &how);
    assert_ended(r, SUPERVISE_REFUSED, SIGTERM);
    assert_int_equal(r->end.refusal, RC_NOSPACE);
    assert_int_equal(r->calls, 3);
}

static void the_first_reason_is_the_one_that_is_told(void **state)
{
    (void)state;
    struct how how = {.refusal = RC_INVALID,
                      .refuse_at = 1,
                      .stop_ms = 200,
                      .kill_ms = 400,
                      .stall_ms = 300,
                      .limit_ms = 350};
    const struct run *r = run_script(DEAF, &how);
    assert_ended(r, SUPERVISE_REFUSED, SIGKILL);
    assert_int_equal(r->end.refusal, RC_INVALID);
}

/* ---- grandchildren ------------------------------------------------------ */

/* True unless the process runs. One that nobody has reaped yet does not. */
static bool is_gone(long pid)
{
    char path[64], name[64], how = 'Z';
    long is;
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return true;
    if (fscanf(f, "%ld %60s %c", &is, name, &how) != 3)
        how = 'Z';
    fclose(f);
    return how == 'Z' || how == 'X';
}

static void a_grandchild_dies_with_the_group(void **state)
{
    (void)state;
    struct how how = {.kill_ms = 300};
    const struct run *r = run_script("sleep 60 & echo $!; wait", &how);
    long pid = strtol(r->out, NULL, 10);
    assert_ended(r, SUPERVISE_STOPPED, SIGKILL);
    assert_true(pid > 1);
    for (int i = 0; i < 1000 && !is_gone(pid); i++)
        usleep(10000);
    assert_true(is_gone(pid));
}

/* The program is through; what its own child would say or not is of no account. */
static void
a_grandchild_that_holds_the_pipes_is_waited_for_during_the_grace(void **state)
{
    (void)state;
    struct how how = {.grace_ms = 600, .stall_ms = 300, .limit_ms = 400};
    const struct run *r = run_script("sleep 60 & echo $!; exit 7", &how);
    kill((pid_t)strtol(r->out, NULL, 10), SIGKILL);
    assert_exited(r, 7);
    assert_in_range(r->took_ms, 600, 15000);
}

static void what_a_grandchild_says_in_time_is_handed_over(void **state)
{
    (void)state;
    const struct run *r =
        run_script("(sleep 0.3; printf late) & printf early-", &plain);
    assert_exited(r, 0);
    assert_string_equal(r->out, "early-late");
}

/* ---- what a program is given -------------------------------------------- */

static void a_program_that_is_missing_or_no_program_is_not_started(void **state)
{
    (void)state;
    struct run r;
    struct how how = {.program = "/no/such/program"};
    int before = open_descriptors();
    run_open(&r, &how);
    assert_int_equal(run_start(&r, NULL), RC_NOT_FOUND);
    r.how.program = "no-such-program-anywhere";
    assert_int_equal(run_start(&r, NULL), RC_NOT_FOUND);
    r.how.program = "/etc/passwd";
    assert_int_equal(run_start(&r, NULL), RC_IO);
    supervise_reap_all();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(r.ends, 0);
    run_close(&r);
    assert_int_equal(open_descriptors(), before);
}

static void a_program_is_found_by_its_name(void **state)
{
    (void)state;
    struct how how = {.program = "true"};
    assert_exited(run_script(NULL, &how), 0);
}

static void a_program_reads_nothing_and_inherits_nothing(void **state)
{
    (void)state;
    int leak = open("/dev/null", O_RDONLY); /* as an older parent may have left one */
    int high = fcntl(leak, F_DUPFD, 200);
    assert_true(leak >= 0 && high >= 200);
    const struct run *r = run_script("cat; for f in /proc/$$/fd/*; do"
                                     "  [ -e $f ] && printf '%s ' ${f##*/}; done;"
                                     " grep SigBlk /proc/self/status",
                                     &plain);
    close(leak);
    close(high);
    assert_string_equal(r->out, "0 1 2 SigBlk:\t0000000000000000\n");
}

static void a_program_has_a_group_of_its_own_and_is_nice(void **state)
{
    (void)state;
    struct how how = {.nice = 5};
    char want[64];
    long pid = 0, group = -1, niceness = -1;
    const struct run *r =
        run_script("read -r pid comm state parent group rest </proc/$$/stat;"
                   "echo $pid $group $(nice)",
                   &how);
    assert_int_equal(sscanf(r->out, "%ld %ld %ld", &pid, &group, &niceness), 3);
    assert_int_equal(pid, group);
    errno = 0;
    snprintf(want, sizeof(want), "%d", nice(0) + 5 > 19 ? 19 : nice(0) + 5);
    assert_int_equal(niceness, strtol(want, NULL, 10));
}

/* ---- several at once ---------------------------------------------------- */

static struct run pair[2];

static void start_one(struct run *r, const char *script);

/* Each of the two starts another when it ends. */
static void one_ended(void *arg, const struct supervise_end *end)
{
    struct run *r = arg;
    r->ends++;
    r->end = *end;
    if (r->ends == 1)
        start_one(r, "head -c 300000 /dev/zero");
    else if (pair[0].ends + pair[1].ends == 4)
        loop_stop(r->loop);
}

static void start_one(struct run *r, const char *script)
{
    char text[64], *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, text, NULL};
    snprintf(text, sizeof(text), "%s", script);
    struct supervise_spec spec = {
        .loop = r->loop,
        .argv = argv,
        .stall_ms = 10000,
        .grace_ms = 10000,
        .on_output = run_output,
        .on_end = one_ended,
        .arg = r,
    };
    assert_int_equal(supervise_start(&spec, &r->child), RC_OK);
}

static void an_end_may_start_the_next(void **state)
{
    (void)state;
    struct run all;
    run_open(&all, &plain);
    for (int i = 0; i < 2; i++) {
        pair[i] = (struct run){.loop = all.loop};
        /* Its pipes are at their end before it is: both ends come while reaping. */
        start_one(&pair[i], "exec >&- 2>&-; sleep 0.3");
    }
    loop_timer_set(all.loop, &all.patience, RUN_PATIENCE_MS, run_out_of_patience, &all);
    assert_int_equal(loop_run(all.loop), RC_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pair[i].ends, 2);
        assert_int_equal(pair[i].bytes, 300000);
        assert_exited(&pair[i], 0);
    }
    run_close(&all);
}

static void a_second_output_is_told_apart_from_the_first(void **state)
{
    (void)state;
    struct how how = {.second = true};
    const struct run *r = run_script(
        "echo one; echo two >&3; echo three; exec 1>&-; sleep 0.1; echo four >&3",
        &how);
    assert_exited(r, 0);
    assert_string_equal(r->out, "one\nthree\n");
    assert_string_equal(r->second, "two\nfour\n");
}

static void a_second_output_can_be_refused_too(void **state)
{
    (void)state;
    struct how how = {.second = true, .second_refusal = RC_NOSPACE};
    const struct run *r = run_script("echo two >&3; sleep 20", &how);
    assert_ended(r, SUPERVISE_REFUSED, SIGTERM);
    assert_int_equal(r->end.refusal, RC_NOSPACE);
}

static void who_is_given_no_second_output_has_none(void **state)
{
    (void)state;
    const struct run *r =
        run_script("(echo x >&3) 2>/dev/null && exit 0; exit 7", &plain);
    assert_exited(r, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_exit_status_are_handed_over),
        cmocka_unit_test(a_program_that_a_signal_ends_has_ended_by_itself),
        cmocka_unit_test(the_last_line_of_standard_error_is_cleaned_and_kept),
        cmocka_unit_test(a_line_of_any_length_is_kept_to_its_limit),
        cmocka_unit_test(trouble_of_the_machine_is_no_say_about_what_was_read),
        cmocka_unit_test(standard_error_goes_to_the_log_as_it_is),
        cmocka_unit_test(a_program_that_says_nothing_is_stopped),
        cmocka_unit_test(words_alone_are_no_progress),
        cmocka_unit_test(a_program_that_closed_its_output_may_still_stall),
        cmocka_unit_test(output_is_progress),
        cmocka_unit_test(progress_does_not_help_beyond_the_limit),
        cmocka_unit_test(a_program_that_is_deaf_is_killed_after_its_grace),
        cmocka_unit_test(a_program_may_use_its_grace),
        cmocka_unit_test(a_hard_stop_waits_for_nothing),
        cmocka_unit_test(a_hard_stop_ends_the_grace),
        cmocka_unit_test(a_deaf_program_that_stalls_is_killed),
        cmocka_unit_test(a_program_that_was_paused_may_stall_and_then_goes_on),
        cmocka_unit_test(a_pause_is_no_part_of_the_limit),
        cmocka_unit_test(a_program_that_goes_on_is_watched_again),
        cmocka_unit_test(a_paused_program_hears_that_it_is_to_stop),
        cmocka_unit_test(a_paused_program_can_be_killed),
        cmocka_unit_test(refused_output_stops_the_program),
        cmocka_unit_test(the_first_reason_is_the_one_that_is_told),
        cmocka_unit_test(a_grandchild_dies_with_the_group),
        cmocka_unit_test(
            a_grandchild_that_holds_the_pipes_is_waited_for_during_the_grace),
        cmocka_unit_test(what_a_grandchild_says_in_time_is_handed_over),
        cmocka_unit_test(a_program_that_is_missing_or_no_program_is_not_started),
        cmocka_unit_test(a_program_is_found_by_its_name),
        cmocka_unit_test(a_program_reads_nothing_and_inherits_nothing),
        cmocka_unit_test(a_program_has_a_group_of_its_own_and_is_nice),
        cmocka_unit_test(a_second_output_is_told_apart_from_the_first),
        cmocka_unit_test(a_second_output_can_be_refused_too),
        cmocka_unit_test(who_is_given_no_second_output_has_none),
        cmocka_unit_test(an_end_may_start_the_next),
    };
    return cmocka_run_group_tests_name("supervise", tests, NULL, NULL);
}
