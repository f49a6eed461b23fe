#include "check.h"

#include "spool_fixture.h"

#include <signal.h>
#include <sys/resource.h>

/* ---- the spool ---------------------------------------------------------- */

static void finished_file_has_its_bytes_and_a_private_mode(void **state)
{
    struct spool_file *f = create(ID, "hello ");
    struct stat st;

    (void)state;
    assert_true(there(ID ".part"));
    assert_int_equal(spool_write(f, "world", 5), RC_OK);
    assert_int_equal(spool_size(f), 11);
    assert_int_equal(spool_finish(f), RC_OK);
    assert_false(there(ID ".part"));
    assert_content(ID ".src", "hello world");
    assert_int_equal(stat(in_spool(ID ".src"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void
bytes_are_durable_before_the_name_and_the_name_before_the_answer(void **state)
{
    (void)state;
    assert_int_equal(spool_finish(create(ID, "x")), RC_OK);
    assert_string_equal(calls, "sync-file rename sync-folder ");
}

static void finish_does_without_renameat2(void **state)
{
    (void)state;
    no_renameat2 = true;
    assert_int_equal(spool_finish(create(ID, "x")), RC_OK);
    assert_string_equal(calls, "sync-file rename sync-folder ");
    assert_content(ID ".src", "x");
    assert_false(there(ID ".part"));
}

static void a_stored_file_is_never_replaced(void **state)
{
    struct spool_file *f;
    int round;

    (void)state;
    for (round = 0; round < 2; round++) {
        no_renameat2 = round == 1;
        put(ID ".src", "first");
        f = create(ID, "second");
        assert_int_equal(spool_finish(f), RC_EXISTS);
        spool_abandon(f);
        assert_content(ID ".src", "first");
        assert_false(there(ID ".part"));
    }
}

static void a_part_is_never_opened_twice(void **state)
{
    struct spool_file *f = create(ID, "x"), *second = NULL;

    (void)state;
    assert_int_equal(spool_create(&site, ID, &second), RC_EXISTS);
    assert_null(second);
    spool_abandon(f);
}

static void a_symlink_is_not_followed(void **state)
{
    struct spool_file *f = NULL;

    (void)state;
    assert_int_equal(symlink("/dev/null", in_spool(ID ".part")), 0);
    assert_int_equal(spool_create(&site, ID, &f), RC_EXISTS);
    assert_false(spool_is_receiving(&site, ID));
}

static void removed_part_cannot_be_finished(void **state)
{
    struct spool_file *f = create(ID, "x");

    (void)state;
    assert_int_equal(spool_remove(&site, ID), RC_OK);
    assert_int_equal(spool_finish(f), RC_NOT_FOUND);
    spool_abandon(f);
    assert_false(there(ID ".src"));
}

static void replaced_part_cannot_be_finished(void **state)
{
    struct spool_file *f = create(ID, "mine");

    (void)state;
    assert_int_equal(unlink(in_spool(ID ".part")), 0);
    put(ID ".part", "theirs");
    assert_int_equal(spool_finish(f), RC_NOT_FOUND);
    spool_abandon(f);
    assert_content(ID ".part", "theirs");
    assert_false(there(ID ".src"));
}

static void nothing_stays_when_the_folder_cannot_be_synced(void **state)
{
    struct spool_file *f = create(ID, "x");

    (void)state;
    fail_folder_sync = true;
    assert_int_equal(spool_finish(f), RC_IO);
    assert_true(spool_is_synced(f));
    spool_abandon(f);
    assert_false(there(ID ".src"));
    assert_false(there(ID ".part"));
}

static void abandon_leaves_no_file(void **state)
{
    struct spool_file *f = create(ID, "x");

    (void)state;
    spool_abandon(f);
    assert_false(there(ID ".part"));
    f = create(ID, "x");
    assert_int_equal(unlink(in_spool(ID ".part")), 0);
    spool_abandon(f);
    spool_abandon(NULL);
}

static void receiving_is_seen_while_the_writer_lives(void **state)
{
    struct spool_file *f = create(ID, "x");

    (void)state;
    assert_true(spool_is_receiving(&site, ID));
    assert_true(spool_is_receiving(&site, ID));
    assert_false(spool_is_receiving(&site, OTHER));
    assert_false(spool_is_receiving(&site, "../" ID));
    spool_abandon(f);
    /* What a writer that was killed leaves behind. */
    put(ID ".part", "x");
    assert_false(spool_is_receiving(&site, ID));
}

static void remove_takes_all_of_one_id_and_no_others(void **state)
{
    (void)state;
    put(ID ".part", "x");
    put(ID ".src", "x");
    put(ID ".idx", "x");
    put(ID ".idx-part", "x");
    put(OTHER ".src", "x");
    assert_int_equal(spool_remove(&site, ID), RC_OK);
    assert_int_equal(spool_remove(&site, ID), RC_OK);
    assert_false(there(ID ".part"));
    assert_false(there(ID ".src"));
    assert_false(there(ID ".idx"));
    assert_false(there(ID ".idx-part"));
    assert_true(there(OTHER ".src"));
}

/* The limit of a file's size stands for the disk's: three bytes fit, the rest not. */
static void a_full_disk_is_told(void **state)
{
    struct spool_file *f = create(ID, "");
    struct rlimit old, three;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    three = old;
    three.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &three), 0);
    assert_int_equal(spool_write(f, "hello", 5), RC_NOSPACE);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(spool_size(f), 3);
    spool_abandon(f);
    assert_false(there(ID ".part"));
}

static void a_missing_spool_is_an_error(void **state)
{
    struct spool_file *f = NULL;

    (void)state;
    assert_int_equal(rmdir(in_spool("")), 0);
    assert_int_equal(spool_create(&site, ID, &f), RC_IO);
    assert_int_equal(spool_remove(&site, ID), RC_IO);
    assert_null(f);
}

static void names_that_are_not_ids_are_refused(void **state)
{
    char path[PATH_MAX];
    struct spool_file *f = NULL;

    (void)state;
    assert_int_equal(spool_create(&site, "../../../etc/xxx", &f), RC_INVALID);
    assert_int_equal(spool_remove(&site, ""), RC_INVALID);
    assert_int_equal(spool_src_path(&site, "../" ID, path), RC_INVALID);
    assert_int_equal(spool_src_path(&site, ID, path), RC_OK);
    assert_string_equal(path, in_spool(ID ".src"));
}

struct seen {
    int of_kind[SPOOL_INDEX_PART + 1];
    enum rc answer;
};

static enum rc see(void *arg, const char *id, enum spool_kind kind)
{
    struct seen *s = arg;

    s->of_kind[kind] += strcmp(id, kind == SPOOL_SRC ? OTHER : ID) == 0 ? 1 : 100;
    return s->answer;
}

static void each_visits_files_with_an_id_only(void **state)
{
    struct seen s = {.answer = RC_OK};
    int kind;

    (void)state;
    put(ID ".part", "x");
    put(ID ".idx", "x");
    put(ID ".idx-part", "x");
    put(OTHER ".src", "x");
    put("README", "x");
    put(ID, "x");
    put(ID "src", "x");
    put(ID ".srcx", "x");
    put(ID ".idx-", "x");
    put("AAAAAAAAAAAAAAAA.src", "x");
    assert_int_equal(spool_each(&site, see, &s), RC_OK);
    for (kind = SPOOL_PART; kind <= SPOOL_INDEX_PART; kind++)
        assert_int_equal(s.of_kind[kind], 1);
    s.answer = RC_STOPPED;
    assert_int_equal(spool_each(&site, see, &s), RC_STOPPED);
}

/* ---- the site ----------------------------------------------------------- */

static void site_is_found_where_the_environment_says(void **state)
{
    char below[PATH_MAX];
    struct site found;

    (void)state;
    setenv("DROPSTREAM_SITE", site.root, 1);
    assert_int_equal(site_find(&found), RC_OK);
    assert_string_equal(found.root, site.root);
    assert_int_equal(site_path(&site, "spool/../", below), RC_OK);
    setenv("DROPSTREAM_SITE", below, 1);
    assert_int_equal(site_find(&found), RC_OK);
    assert_string_equal(found.root, site.root);
    setenv("DROPSTREAM_SITE", "/nonexistent", 1);
    assert_int_equal(site_find(&found), RC_INVALID);
    unsetenv("DROPSTREAM_SITE");
}

/* The program runs itself from <site>/bin: it then finds that site by its own path. */
static void site_is_found_from_the_running_program(void **state)
{
    char bin[PATH_MAX], program[PATH_MAX], command[3 * PATH_MAX], found[PATH_MAX] = "";
    FILE *p;

    (void)state;
    if (getenv("DROPSTREAM_UNDER"))
        skip(); /* the running program is valgrind */
    assert_int_equal(site_path(&site, "bin", bin), RC_OK);
    assert_int_equal(mkdir(bin, 0700), 0);
    assert_int_equal(site_path(&site, "bin/x", program), RC_OK);
    snprintf(command, sizeof(command), "cp /proc/%d/exe '%s' && '%s' --site-find",
             (int)getpid(), program, program);
    p = popen(command, "r");
    assert_non_null(p);
    assert_non_null(fgets(found, sizeof(found), p));
    assert_int_equal(pclose(p), 0);
    assert_string_equal(found, site.root);
}

static void a_folder_without_the_tree_is_no_site(void **state)
{
    char path[PATH_MAX];
    struct site found;

    (void)state;
    assert_int_equal(site_path(&site, "etc", path), RC_OK);
    assert_int_equal(site_at(path, &found), RC_INVALID);
    assert_int_equal(site_at("/", &found), RC_INVALID);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(site_at(site.root, &found), RC_INVALID);
}

static void a_path_that_does_not_fit_is_refused(void **state)
{
    static char name[PATH_MAX];
    char path[PATH_MAX] = "old";
    size_t room = PATH_MAX - strlen(site.root) - 2;

    (void)state;
    memset(name, 'x', room + 1);
    assert_int_equal(site_path(&site, name, path), RC_TOO_LARGE);
    assert_string_equal(path, "old");
    name[room] = '\0';
    assert_int_equal(site_path(&site, name, path), RC_OK);
    assert_int_equal(strlen(path), PATH_MAX - 1);
}

static void free_bytes_are_counted(void **state)
{
    long long n = -1;

    (void)state;
    assert_int_equal(site_free_bytes(&site, &n), RC_OK);
    assert_true(n >= 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int print_site(void)
{
    struct site found;

    if (site_find(&found) != RC_OK)
        return 1;
    fputs(found.root, stdout);
    return 0;
}

static void touch(const char *name)
{
    char path[PATH_MAX];
    FILE *file;

    assert_int_equal(site_path(&site, name, path), RC_OK);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static bool is_there(const char *name)
{
    char path[PATH_MAX];

    assert_int_equal(site_path(&site, name, path), RC_OK);
    return access(path, F_OK) == 0;
}

static void what_is_set_aside_replaces_nothing(void **state)
{
    (void)state;
    assert_int_equal(spool_set_source_aside(&site, ID), RC_NOT_FOUND);
    assert_false(is_there("spool/lost"));
    for (int i = 0; i < 2; i++) {
        touch("spool/" ID ".src");
        assert_int_equal(spool_set_source_aside(&site, ID), RC_OK);
        assert_false(is_there("spool/" ID ".src"));
    }
    assert_true(is_there("spool/lost/" ID ".src"));
    assert_true(is_there("spool/lost/" ID ".src.1"));
    assert_int_equal(spool_set_aside(&site, "lost/" ID ".src"), RC_NOT_FOUND);
    assert_int_equal(spool_set_aside(&site, "../spool"), RC_NOT_FOUND);
    assert_int_equal(spool_set_source_aside(&site, "../aaaaaaaaaaaaa"), RC_INVALID);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(finished_file_has_its_bytes_and_a_private_mode),
        TEST(bytes_are_durable_before_the_name_and_the_name_before_the_answer),
        TEST(finish_does_without_renameat2),
        TEST(a_stored_file_is_never_replaced),
        TEST(a_part_is_never_opened_twice),
        TEST(a_symlink_is_not_followed),
        TEST(removed_part_cannot_be_finished),
        TEST(replaced_part_cannot_be_finished),
        TEST(nothing_stays_when_the_folder_cannot_be_synced),
        TEST(abandon_leaves_no_file),
        TEST(receiving_is_seen_while_the_writer_lives),
        TEST(remove_takes_all_of_one_id_and_no_others),
        TEST(a_full_disk_is_told),
        TEST(a_missing_spool_is_an_error),
        TEST(names_that_are_not_ids_are_refused),
        TEST(what_is_set_aside_replaces_nothing),
        TEST(each_visits_files_with_an_id_only),
        TEST(site_is_found_where_the_environment_says),
        TEST(site_is_found_from_the_running_program),
        TEST(a_folder_without_the_tree_is_no_site),
        TEST(a_path_that_does_not_fit_is_refused),
        TEST(free_bytes_are_counted),
    };

    if (argc == 2 && strcmp(argv[1], "--site-find") == 0)
        return print_site();
    unsetenv("DROPSTREAM_SITE");
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
