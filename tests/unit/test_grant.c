#include "check.h"

#include "grant.h"
#include "tempdir.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define ROOT "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY "bbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OTHER "cccccccccccccccccccccccccc"
#define MEDIA "htdocs/media/"

static struct site site;
static int media;

static const char *at(const char *name)
{
    static char path[PATH_MAX];
    assert_int_equal(site_path(&site, name, path), RC_OK);
    return path;
}

static int setup(void **state)
{
    (void)state;
    tempdir_make(site.root);
    assert_int_equal(mkdir(at("htdocs"), 0755), 0);
    assert_int_equal(site_open_media(&site, &media), RC_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close(media);
    tempdir_remove(site.root);
    return 0;
}

static enum rc link_to(const char *key, const char *root)
{
    bool made;
    return grant_link(media, key, root, &made);
}

static bool there(const char *name)
{
    struct stat st;
    return lstat(at(name), &st) == 0;
}

static void put(const char *name)
{
    FILE *f = fopen(at(name), "w");
    assert_non_null(f);
    fclose(f);
}

static void a_key_leads_to_the_folder(void **state)
{
    (void)state;
    char target[64] = "";
    assert_int_equal(link_to(KEY, ROOT), RC_OK); /* before there is one */
    assert_int_equal(readlink(at(MEDIA KEY), target, sizeof(target) - 1), KEY_LEN);
    assert_string_equal(target, ROOT);
    assert_int_equal(mkdir(at(MEDIA ROOT), 0755), 0);
    put(MEDIA ROOT "/master.m3u8");
    assert_int_equal(access(at(MEDIA KEY "/master.m3u8"), F_OK), 0);
}

static void one_that_is_there_is_fine_unless_it_leads_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(link_to(KEY, ROOT), RC_OK);
    assert_int_equal(link_to(KEY, ROOT), RC_OK);
    assert_int_equal(link_to(KEY, OTHER), RC_IO);
    assert_int_equal(mkdir(at(MEDIA OTHER), 0755), 0);
    assert_int_equal(link_to(OTHER, ROOT), RC_IO);
}

static void taking_one_back_leaves_the_others_alone(void **state)
{
    (void)state;
    assert_int_equal(grant_unlink(media, KEY), RC_OK);
    assert_int_equal(link_to(KEY, ROOT), RC_OK);
    assert_int_equal(link_to(OTHER, ROOT), RC_OK);
    assert_int_equal(mkdir(at(MEDIA ROOT), 0755), 0);
    assert_int_equal(grant_unlink(media, KEY), RC_OK);
    assert_false(there(MEDIA KEY));
    assert_true(there(MEDIA OTHER));
    assert_true(there(MEDIA ROOT));
    assert_int_equal(grant_unlink(media, KEY), RC_OK);
}

static void nothing_but_a_symlink_is_ever_removed(void **state)
{
    (void)state;
    assert_int_equal(link_to(KEY, ROOT), RC_OK);
    assert_int_equal(mkdir(at(MEDIA ROOT), 0755), 0);
    assert_int_equal(grant_unlink(media, ROOT), RC_IO);
    assert_true(there(MEDIA ROOT));
    put(MEDIA OTHER);
    assert_int_equal(grant_unlink(media, OTHER), RC_IO);
    assert_true(there(MEDIA OTHER));
}

static void a_name_that_is_no_key_is_never_used(void **state)
{
    (void)state;
    assert_int_equal(symlink("x", at("htdocs/link")), 0);
    assert_int_equal(grant_unlink(media, "../link"), RC_IO);
    assert_int_equal(link_to("../other", ROOT), RC_IO);
    assert_int_equal(link_to(KEY, "../.."), RC_IO);
    assert_int_equal(link_to("", ROOT), RC_IO);
    assert_true(there("htdocs/link"));
    assert_false(there("htdocs/other"));
    assert_false(there(MEDIA KEY));
}

static void a_media_folder_that_leads_away_is_refused(void **state)
{
    (void)state;
    int fd;
    assert_int_equal(rmdir(at("htdocs/media")), 0);
    assert_int_equal(mkdir(at("elsewhere"), 0755), 0);
    assert_int_equal(symlink("../elsewhere", at("htdocs/media")), 0);
    assert_int_not_equal(site_open_media(&site, &fd), RC_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_key_leads_to_the_folder),
        TEST(one_that_is_there_is_fine_unless_it_leads_elsewhere),
        TEST(taking_one_back_leaves_the_others_alone),
        TEST(nothing_but_a_symlink_is_ever_removed),
        TEST(a_name_that_is_no_key_is_never_used),
        TEST(a_media_folder_that_leads_away_is_refused),
    };
    return cmocka_run_group_tests_name("grant", tests, NULL, NULL);
}
