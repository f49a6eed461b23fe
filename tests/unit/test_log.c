#include "check.h"

#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_PATTERN                                                                   \
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "              \
    "probe\\[[0-9]+\\] (error|warn|info|debug): "

static char folder[] = "/tmp/dropstream-log-XXXXXX";
static char path[64], other[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/a.log", folder);
    snprintf(other, sizeof(other), "%s/b.log", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

/* A fresh log file at path, everything written. */
static int begin(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    log_open("probe", LOG_DEBUG);
    return log_to_file(path);
}

/* The whole file as a string; the caller frees it. */
static char *contents(const char *file)
{
    FILE *f = fopen(file, "rb");
    char *text;
    size_t n;

    assert_non_null(f);
    text = calloc(1, 1 << 22);
    assert_non_null(text);
    n = fread(text, 1, (1 << 22) - 1, f);
    assert_int_equal(strlen(text), n);
    fclose(f);
    return text;
}

/* The message of a line that has the right form; its newline becomes a NUL. */
static char *message_of(char *line)
{
    regex_t regex;
    regmatch_t match;
    char *end = strchr(line, '\n');

    assert_non_null(end);
    *end = '\0';
    assert_int_equal(regcomp(&regex, LINE_PATTERN, REG_EXTENDED), 0);
    if (regexec(&regex, line, 1, &match, 0) != 0)
        fail_msg("not a line of a log: %s", line);
    regfree(&regex);
    return line + match.rm_eo;
}

static void a_line_has_time_name_pid_and_level(void **state)
{
    (void)state;
    char *text, *line, pid[32];

    log_warn("disk has %d %% left", 3);
    text = contents(path);
    line = text;
    snprintf(pid, sizeof(pid), "probe[%ld] warn: ", (long)getpid());
    assert_non_null(strstr(text, pid));
    assert_string_equal(message_of(line), "disk has 3 % left");
    free(text);
}

static void a_message_cannot_forge_a_line(void **state)
{
    (void)state;
    char *text;

    log_info("name %s",
             "x\n2026-01-31T12:00:00.000Z probe[1] error: \x1b[31m\r\x7f\xff");
    text = contents(path);
    assert_string_equal(message_of(text),
                        "name x 2026-01-31T12:00:00.000Z probe[1] error: "
                        " [31m  \xef\xbf\xbd");
    assert_int_equal(strlen(strchr(text, '\0') + 1), 0);
    free(text);
}

static void a_long_message_is_cut_to_one_line(void **state)
{
    (void)state;
    char *message = malloc(10001);
    char *text;

    assert_non_null(message);
    for (int i = 0; i < 10000; i += 2)
        memcpy(message + i, "\xc3\xa9", 2);
    message[10000] = '\0';
    log_error("%s", message);
    log_error("x%s", message);
    text = contents(path);
    for (char *line = text; *line != '\0';) {
        size_t n = strcspn(line, "\n");

        assert_in_range(n + 1, 2040, 2048);
        /* Cut between two letters, not inside one. */
        assert_memory_equal(line + n - 2, "\xc3\xa9", 2);
        line += n + 1;
    }
    free(text);
    free(message);
}

static void what_is_more_talkative_than_the_level_is_not_written(void **state)
{
    (void)state;
    char *text;

    log_open("probe", LOG_WARN);
    log_debug("no");
    log_info("no");
    log_warn("yes");
    text = contents(path);
    assert_string_equal(message_of(text), "yes");
    assert_int_equal(strlen(strchr(text, '\0') + 1), 0);
    free(text);
}

static void a_file_is_private_and_appended_to(void **state)
{
    (void)state;
    struct stat st;
    char *text;

    log_info("one");
    assert_int_equal(log_to_file(other), 0);
    log_info("two");
    assert_int_equal(log_to_file(path), 0);
    log_info("three");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    text = contents(path);
    assert_non_null(strstr(text, "one\n"));
    assert_non_null(strstr(text, "three\n"));
    assert_null(strstr(text, "two"));
    free(text);
    text = contents(other);
    assert_string_equal(message_of(text), "two");
    free(text);
}

static void a_file_that_cannot_be_opened_changes_nothing(void **state)
{
    (void)state;
    char *text;

    errno = 0;
    assert_int_equal(log_to_file(folder), -1);
    assert_int_equal(errno, EISDIR);
    log_info("still here");
    text = contents(path);
    assert_string_equal(message_of(text), "still here");
    free(text);
}

static void writing_leaves_errno_alone(void **state)
{
    (void)state;
    assert_int_equal(log_to_file("/dev/full"), 0);
    errno = EXDEV;
    log_info("a line that cannot be written");
    assert_int_equal(errno, EXDEV);
}

#define THREADS 8
#define LINES 400

static void *write_lines(void *arg)
{
    const char *letter = arg;
    char word[600];

    for (int i = 0; i < LINES; i++) {
        size_t n = (size_t)(i * 7 % 590 + 1);

        memset(word, *letter, n);
        word[n] = '\0';
        log_info("%zu %s", n, word);
    }
    return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    char letters[] = "abcdefgh";
    size_t count = 0;
    char *text;

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &letters[i]),
                         0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    text = contents(path);
    for (char *line = text, *next; *line != '\0'; line = next, count++) {
        char *message, *word;

        next = line + strcspn(line, "\n") + 1;
        message = message_of(line);
        word = strchr(message, ' ') + 1;
        assert_int_equal(strlen(word), strtoul(message, NULL, 10));
        assert_int_equal(strspn(word, (char[]){word[0], '\0'}), strlen(word));
    }
    assert_int_equal(count, THREADS * LINES);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_has_time_name_pid_and_level, begin),
        cmocka_unit_test_setup(a_message_cannot_forge_a_line, begin),
        cmocka_unit_test_setup(a_long_message_is_cut_to_one_line, begin),
        cmocka_unit_test_setup(what_is_more_talkative_than_the_level_is_not_written,
                               begin),
        cmocka_unit_test_setup(a_file_is_private_and_appended_to, begin),
        cmocka_unit_test_setup(a_file_that_cannot_be_opened_changes_nothing, begin),
        cmocka_unit_test_setup(writing_leaves_errno_alone, begin),
        cmocka_unit_test_setup(lines_of_several_threads_do_not_mix, begin),
    };
    return cmocka_run_group_tests_name("log", tests, make_folder, remove_folder);
}
