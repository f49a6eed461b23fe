#include "check.h"

#include "feeder.h"
#include "loop_turns.h"
#include "supervise_run.h"
#include "tempdir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

#define BIG (5 << 20) /* more than any pipe holds */

/* A file that grows, a feeder of it, and who reads at the other end of the pipe. */
struct bench {
    struct loop *loop;
    struct feeder *feeder;
    struct loop_source *reader;
    struct loop_timer step;
    char dir[PATH_MAX];
    int file, pipe_r;
    uint8_t *got;
    size_t n_got;
    bool ended;         /* the reader saw the end of file */
    int told, starving; /* calls of starving, and what the last one said */
    int steps;
};

static uint8_t byte_at(int64_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

static void append(struct bench *b, int64_t from, int64_t to)
{
    uint8_t *data = malloc((size_t)(to - from));
    assert_non_null(data);
    for (int64_t i = from; i < to; i++)
        data[i - from] = byte_at(i);
    assert_int_equal(pwrite(b->file, data, (size_t)(to - from), from), to - from);
    free(data);
}

static void on_starving(void *arg, bool starving)
{
    struct bench *b = arg;
    b->told++;
    b->starving = starving;
}

static void on_readable(void *arg)
{
    struct bench *b = arg;
    ssize_t n = read(b->pipe_r, b->got + b->n_got, 100000);
    if (n > 0)
        b->n_got += (size_t)n;
    if (n == 0) {
        b->ended = true;
        loop_stop(b->loop);
    }
}

static void read_on(struct bench *b)
{
    assert_int_equal(loop_watch(b->loop, b->pipe_r, on_readable, b, &b->reader), RC_OK);
}

static void bench_open(struct bench *b, const char *head, int64_t offset)
{
    char path[PATH_MAX + 8];
    int fds[2];
    *b = (struct bench){.starving = -1};
    signal(SIGPIPE, SIG_IGN);
    tempdir_make(b->dir);
    snprintf(path, sizeof(path), "%s/part", b->dir);
    b->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(b->file >= 0);
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    b->pipe_r = fds[0];
    b->got = malloc(BIG + (1 << 20));
    assert_non_null(b->got);
    assert_int_equal(loop_open(&b->loop), RC_OK);
    struct feeder_spec spec = {
        .loop = b->loop,
        .pipe_fd = fds[1],
        .file_fd = b->file,
        .head = (const uint8_t *)head,
        .head_size = head ? strlen(head) : 0,
        .offset = offset,
        .starving = on_starving,
        .arg = b,
    };
    assert_int_equal(feeder_open(&spec, &b->feeder), RC_OK);
}

static void bench_close(struct bench *b)
{
    feeder_close(b->feeder);
    loop_unwatch(b->loop, b->reader);
    loop_close(b->loop);
    close(b->pipe_r);
    close(b->file);
    free(b->got);
    tempdir_remove(b->dir);
}

/* What came after n_head bytes is the file from offset on. */
static void assert_file(const struct bench *b, size_t n_head, int64_t offset)
{
    for (size_t i = n_head; i < b->n_got; i++)
        if (b->got[i] != byte_at(offset + (int64_t)(i - n_head)))
            fail_msg("byte %zu is not that of the file", i);
}

static void the_head_comes_first_then_the_file_as_it_grows(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "HEAD", 100);
    read_on(&b);
    loop_turn_for(b.loop, 30);
    assert_int_equal(b.n_got, 4); /* the head needs no file */
    assert_int_equal(b.starving, 1);
    append(&b, 0, 1000);
    feeder_arrived(b.feeder, 1000, false);
    loop_turn_for(b.loop, 30);
    assert_int_equal(b.n_got, 4 + 900);
    append(&b, 1000, 3000);
    feeder_arrived(b.feeder, 2500, false); /* what is not told of does not count */
    loop_turn_for(b.loop, 30);
    assert_int_equal(b.n_got, 4 + 2400);
    assert_int_equal(feeder_moved(b.feeder), 4 + 2400);
    assert_false(b.ended);
    feeder_arrived(b.feeder, 3000, true);
    loop_turn_for(b.loop, 5000);
    assert_true(b.ended);
    assert_int_equal(b.n_got, 4 + 2900);
    assert_memory_equal(b.got, "HEAD", 4);
    assert_file(&b, 4, 100);
    bench_close(&b);
}

static void the_end_may_be_told_without_another_byte(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, NULL, 0);
    read_on(&b);
    append(&b, 0, 10);
    feeder_arrived(b.feeder, 10, false);
    loop_turn_for(b.loop, 30);
    assert_false(b.ended);
    assert_int_equal(b.starving, 1);
    feeder_arrived(b.feeder, 10, true);
    loop_turn_for(b.loop, 5000);
    assert_true(b.ended);
    assert_int_equal(b.n_got, 10);
    bench_close(&b);
}

static void a_full_pipe_is_waited_for_and_nobody_starves(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, NULL, 0);
    append(&b, 0, BIG);
    feeder_arrived(b.feeder, BIG, true);
    loop_turn_for(b.loop, 50); /* nobody reads */
    assert_true(feeder_moved(b.feeder) < BIG);
    assert_int_not_equal(b.starving, 1);
    read_on(&b);
    loop_turn_for(b.loop, 10000);
    assert_true(b.ended);
    assert_int_equal(b.n_got, BIG);
    assert_file(&b, 0, 0);
    assert_int_not_equal(b.starving, 1); /* it has all of it: it is to work now */
    bench_close(&b);
}

/* Nothing of ours runs while there is neither room nor anything to move. */
static void count_turn(void *arg)
{
    struct bench *b = arg;
    b->steps++;
    loop_timer_set(b->loop, &b->step, 10, count_turn, b);
}

static void who_waits_for_bytes_is_not_woken(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "x", 0);
    loop_turn_for(b.loop,
                  30); /* the pipe has room, so it would be ready all the time */
    int64_t cpu = (int64_t)clock();
    count_turn(&b);
    loop_turn_for(b.loop, 300);
    loop_timer_cancel(b.loop, &b.step);
    cpu = (int64_t)clock() - cpu;
    assert_true(b.steps > 5);
    assert_true(cpu < CLOCKS_PER_SEC / 10); /* of 0.3 s, a busy loop takes all */
    bench_close(&b);
}

static void a_reader_that_goes_away_is_no_error(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, NULL, 0);
    append(&b, 0, BIG);
    feeder_arrived(b.feeder, BIG, false);
    loop_turn_for(b.loop, 20);
    close(b.pipe_r);
    b.pipe_r = -1;
    loop_turn_for(b.loop, 20);
    feeder_arrived(b.feeder, BIG + 10, true);
    loop_turn_for(b.loop, 20);
    assert_int_not_equal(b.starving, 1);
    bench_close(&b);
}

static void a_file_that_was_cut_off_is_no_starving(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, NULL, 0);
    read_on(&b);
    append(&b, 0, 10);
    feeder_arrived(b.feeder, 20, true);
    loop_turn_for(b.loop, 30);
    assert_int_equal(b.n_got, 10);
    assert_false(b.ended); /* it is not the end that was promised */
    assert_int_not_equal(b.starving, 1);
    bench_close(&b);
}

/* ---- with a program that is watched over -------------------------------------- */

struct fed {
    struct run run;
    struct feeder *feeder;
    struct loop_timer later;
    int file;
};

static void starve(void *arg, bool starving)
{
    supervise_starve(((struct fed *)arg)->run.child, starving);
}

static void finish(void *arg)
{
    struct fed *f = arg;
    feeder_arrived(f->feeder, 10, true);
}

static void open_fed(struct fed *f, const struct how *how, const char *script)
{
    char name[] = "/tmp/dropstream-fed-XXXXXX";
    run_open(&f->run, how);
    assert_int_equal(run_start(&f->run, script), RC_OK);
    f->file = mkostemp(name, O_CLOEXEC);
    assert_true(f->file >= 0);
    unlink(name);
    assert_int_equal(write(f->file, "0123456789", 10), 10);
    struct feeder_spec spec = {.loop = f->run.loop,
                               .pipe_fd = supervise_take_stdin(f->run.child),
                               .file_fd = f->file,
                               .starving = starve,
                               .arg = f};
    assert_int_equal(supervise_take_stdin(f->run.child), -1);
    assert_int_equal(feeder_open(&spec, &f->feeder), RC_OK);
}

static void run_fed(struct fed *f)
{
    struct run *r = &f->run;
    loop_timer_set(r->loop, &r->patience, RUN_PATIENCE_MS, run_out_of_patience, r);
    assert_int_equal(loop_run(r->loop), RC_OK);
    r->out[r->bytes] = '\0';
    assert_int_equal(r->ends, 1);
    loop_timer_cancel(r->loop, &f->later);
    feeder_close(f->feeder);
    run_close(r);
    close(f->file);
}

static void a_fed_program_may_wait_for_its_bytes(void **state)
{
    (void)state;
    struct fed f = {.file = -1};
    open_fed(&f, &(struct how){.fed = true, .stall_ms = 150}, "cat");
    feeder_arrived(f.feeder, 4, false);
    loop_timer_set(f.run.loop, &f.later, 600, finish, &f);
    run_fed(&f);
    assert_exited(&f.run, 0);
    assert_string_equal(f.run.out, "0123456789");
}

static void a_fed_program_that_does_nothing_with_them_stalls(void **state)
{
    (void)state;
    struct fed f = {.file = -1};
    open_fed(&f, &(struct how){.fed = true, .stall_ms = 150}, "cat >&-; exec sleep 60");
    feeder_arrived(f.feeder, 10, true);
    run_fed(&f);
    assert_ended(&f.run, SUPERVISE_STALLED, SIGTERM);
}

static void a_pipe_that_nobody_took_is_closed_in_the_end(void **state)
{
    (void)state;
    struct run r;
    run_open(&r, &(struct how){.fed = true, .kill_ms = 200});
    assert_int_equal(run_start(&r, "cat; exec sleep 60"), RC_OK);
    loop_timer_set(r.loop, &r.kill, 200, run_hard, &r);
    loop_timer_set(r.loop, &r.patience, RUN_PATIENCE_MS, run_out_of_patience, &r);
    int before = open_descriptors();
    assert_int_equal(loop_run(r.loop), RC_OK);
    assert_ended(&r, SUPERVISE_STOPPED, SIGKILL);
    assert_int_equal(open_descriptors(), before - 3); /* its stdin as well */
    run_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_comes_first_then_the_file_as_it_grows),
        cmocka_unit_test(the_end_may_be_told_without_another_byte),
        cmocka_unit_test(a_full_pipe_is_waited_for_and_nobody_starves),
        cmocka_unit_test(who_waits_for_bytes_is_not_woken),
        cmocka_unit_test(a_reader_that_goes_away_is_no_error),
        cmocka_unit_test(a_file_that_was_cut_off_is_no_starving),
        cmocka_unit_test(a_fed_program_may_wait_for_its_bytes),
        cmocka_unit_test(a_fed_program_that_does_nothing_with_them_stalls),
        cmocka_unit_test(a_pipe_that_nobody_took_is_closed_in_the_end),
    };
    return cmocka_run_group_tests_name("feeder", tests, NULL, NULL);
}
