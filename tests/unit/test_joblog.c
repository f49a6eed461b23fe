#include "check.h"

#include "joblog.h"
#include "tempdir.h"

#include <string.h>
#include <unistd.h>

#define LIMIT 4096
#define DROPPED "\n# log limit reached, the rest is dropped\n"

static struct site site;

static int setup(void **state)
{
    char path[PATH_MAX];
    (void)state;
    tempdir_make(site.root);
    assert_int_equal(site_path(&site, "log", path), RC_OK);
    return mkdir(path, 0700);
}

static int teardown(void **state)
{
    (void)state;
    tempdir_remove(site.root);
    return 0;
}

static struct joblog *open_log(int64_t max_bytes)
{
    struct joblog *log = NULL;
    assert_int_equal(joblog_open(&site, 7, max_bytes, &log), RC_OK);
    return log;
}

/* The text of log/jobs/7.log. */
static const char *content(size_t *n)
{
    static char text[65536];
    char path[PATH_MAX];
    assert_int_equal(site_path(&site, "log/jobs/7.log", path), RC_OK);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    *n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[*n] = '\0';
    return text;
}

static void assert_content(const char *want)
{
    size_t n;
    assert_string_equal(content(&n), want);
}

static void commands_and_output_are_kept_as_they_are(void **state)
{
    (void)state;
    static const char bytes[] = "a\0b\xff\r";
    size_t n;
    struct joblog *log = open_log(LIMIT);
    joblog_command(log, "ffmpeg -i 'file:/x y'");
    joblog_write(log, bytes, sizeof(bytes) - 1);
    joblog_write(log, "", 0);
    joblog_close(log);
    assert_memory_equal(content(&n), "+ ffmpeg -i 'file:/x y'\na\0b\xff\r", 29);
    assert_int_equal(n, 29);
}

static void a_note_is_a_line_with_its_time(void **state)
{
    (void)state;
    int year, month, day, end = 0;
    size_t n;
    struct joblog *log = open_log(LIMIT);
    joblog_note(log, "segment %d of %s", 3, "360p");
    joblog_close(log);
    const char *text = content(&n);
    sscanf(text, "# %4d-%2d-%2dT%*2d:%*2d:%*2d.%*3dZ segment 3 of 360p%n", &year,
           &month, &day, &end);
    assert_string_equal(text + end, "\n");
    assert_true(end > 0 && year >= 2024 && month <= 12 && day <= 31);
}

static void a_long_note_is_cut(void **state)
{
    (void)state;
    char text[5000];
    size_t n;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct joblog *log = open_log(65536);
    joblog_note(log, "%s", text);
    joblog_close(log);
    const char *got = content(&n);
    assert_in_range(n, 1000, 1100);
    assert_string_equal(got + n - 2, "x\n");
}

static void each_attempt_appends(void **state)
{
    (void)state;
    struct joblog *log = open_log(LIMIT);
    joblog_write(log, "one\n", 4);
    joblog_close(log);
    log = open_log(LIMIT);
    joblog_write(log, "two\n", 4);
    joblog_close(log);
    assert_content("one\ntwo\n");
}

static void the_limit_holds_over_all_attempts_and_is_told_once(void **state)
{
    (void)state;
    char block[100];
    size_t n;
    memset(block, 'x', sizeof(block));
    for (int attempt = 0; attempt < 5; attempt++) {
        struct joblog *log = open_log(LIMIT);
        for (int i = 0; i < 17; i++)
            joblog_write(log, block, sizeof(block));
        joblog_close(log);
    }
    const char *text = content(&n);
    assert_int_equal(n, LIMIT);
    assert_string_equal(text + n - strlen(DROPPED), DROPPED);
    assert_ptr_equal(strchr(text, '#'), text + n - strlen(DROPPED) + 1);
}

static void a_log_is_private(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct stat st;
    joblog_close(open_log(LIMIT));
    assert_int_equal(site_path(&site, "log/jobs/7.log", path), RC_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_link_in_the_place_of_a_log_is_not_followed(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct joblog *log = NULL;
    joblog_close(open_log(LIMIT));
    assert_int_equal(site_path(&site, "log/jobs/7.log", path), RC_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(joblog_open(&site, 7, LIMIT, &log), RC_IO);
    assert_null(log);
}

static void without_a_folder_there_is_no_log(void **state)
{
    (void)state;
    struct site nowhere = site;
    struct joblog *log = NULL;
    strncat(nowhere.root, "/nowhere", sizeof(nowhere.root) - strlen(nowhere.root) - 1);
    assert_int_not_equal(joblog_open(&nowhere, 7, LIMIT, &log), RC_OK);
    memset(nowhere.root, 'x', sizeof(nowhere.root) - 4);
    nowhere.root[sizeof(nowhere.root) - 4] = '\0';
    assert_int_equal(joblog_open(&nowhere, 7, LIMIT, &log), RC_TOO_LARGE);
    assert_null(log);
}

/* Work goes on without a log. */
static void no_log_is_legal_everywhere(void **state)
{
    (void)state;
    joblog_note(NULL, "%d", 1);
    joblog_command(NULL, "x");
    joblog_write(NULL, "x", 1);
    joblog_close(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(commands_and_output_are_kept_as_they_are),
        TEST(a_note_is_a_line_with_its_time),
        TEST(a_long_note_is_cut),
        TEST(each_attempt_appends),
        TEST(the_limit_holds_over_all_attempts_and_is_told_once),
        TEST(a_log_is_private),
        TEST(a_link_in_the_place_of_a_log_is_not_followed),
        TEST(without_a_folder_there_is_no_log),
        TEST(no_log_is_legal_everywhere),
    };
    return cmocka_run_group_tests_name("joblog", tests, NULL, NULL);
}
