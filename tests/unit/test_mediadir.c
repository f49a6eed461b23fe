#include "check.h"

#include "id.h"
#include "mediadir.h"
#include "tempdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define ROOT "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY "bbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OTHER "cccccccccccccccccccccccccc"
#define MEDIA "htdocs/media/"

static struct site site;
static int tmp_fd, dir_fd; /* site/tmp, and 360p-1 of the video */

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
    assert_int_equal(mkdir(at("tmp"), 0755), 0);
    assert_int_equal(mediadir_create(&site, ROOT), RC_OK);
    assert_int_equal(mediadir_open_tmp(&site, false, &tmp_fd), RC_OK);
    assert_int_equal(mediadir_open(&site, ROOT, "360p-1", true, &dir_fd), RC_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close(tmp_fd);
    close(dir_fd);
    tempdir_remove(site.root);
    return 0;
}

static bool there(const char *name)
{
    struct stat st;
    return lstat(at(name), &st) == 0;
}

static int entries(const char *folder)
{
    int n = 0;
    DIR *d = opendir(at(folder));
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void assert_content(const char *name, const char *want)
{
    char text[64];
    FILE *f = fopen(at(name), "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    fclose(f);
    assert_string_equal(text, want);
}

static enum rc put(const char *name, const char *text)
{
    return mediafile_put(tmp_fd, dir_fd, name, text, strlen(text));
}

static enum rc put_over(const char *name, const char *text)
{
    struct mediafile f = {.fd = -1};
    assert_int_equal(mediafile_begin(tmp_fd, &f), RC_OK);
    assert_int_equal(mediafile_write(&f, text, strlen(text)), RC_OK);
    return mediafile_publish(tmp_fd, &f, dir_fd, name, true);
}

/* ---- folders ------------------------------------------------------------ */

static void a_folder_may_be_made_twice(void **state)
{
    (void)state;
    assert_int_equal(put("0.m4s", "x"), RC_OK);
    assert_int_equal(mediadir_create(&site, ROOT), RC_OK);
    assert_content(MEDIA ROOT "/360p-1/0.m4s", "x");
}

static void check_and_remove(int fd, const char *name, const void *prefix)
{
    assert_memory_equal(name, prefix, strlen(prefix));
    assert_int_equal(unlinkat(fd, name, 0), 0);
}

static void each_entry_is_told_and_may_be_removed(void **state)
{
    (void)state;
    char name[32];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "x%d.m4s", i);
        assert_int_equal(put(name, "x"), RC_OK);
    }
    mediadir_each(dir_fd, check_and_remove, "x");
    assert_int_equal(entries(MEDIA ROOT "/360p-1"), 0);
    mediadir_each(dir_fd, check_and_remove, "x");
    mediadir_each(-1, check_and_remove, "x");
}

static void a_folder_that_is_missing_is_made_only_if_asked_for(void **state)
{
    (void)state;
    int fd = -7;
    assert_int_equal(mediadir_open(&site, ROOT, "720p-1", false, &fd), RC_NOT_FOUND);
    assert_int_equal(mediadir_open(&site, OTHER, "", true, &fd), RC_NOT_FOUND);
    assert_int_equal(mediadir_open(&site, OTHER, "720p-1", true, &fd), RC_NOT_FOUND);
    assert_int_equal(fd, -7);
    assert_int_equal(mediadir_open(&site, ROOT, "", false, &fd), RC_OK);
    assert_int_equal(faccessat(fd, "360p-1", F_OK, 0), 0);
    close(fd);
    assert_int_equal(mediadir_open(&site, ROOT, "720p-1", true, &fd), RC_OK);
    close(fd);
    assert_true(there(MEDIA ROOT "/720p-1"));
}

/* A grant is for viewers; the worker writes through the folder itself. */
static void a_grant_does_not_open_the_folder(void **state)
{
    (void)state;
    int fd = -7;
    assert_int_equal(symlink(ROOT, at(MEDIA KEY)), 0);
    assert_int_equal(mediadir_open(&site, KEY, "", false, &fd), RC_IO);
    assert_int_equal(symlinkat("/", dir_fd, "away"), 0);
    assert_int_equal(mediadir_open(&site, ROOT, "360p-1/away", false, &fd), RC_IO);
    assert_int_equal(fd, -7);
}

static void a_removed_video_leaves_nothing(void **state)
{
    (void)state;
    int root_fd;
    char name[32];
    for (int i = 0; i < 3000; i++) { /* more than one read of the folder gives */
        snprintf(name, sizeof(name), "%d.m4s", i);
        int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        close(fd);
    }
    assert_int_equal(mediadir_open(&site, ROOT, "", false, &root_fd), RC_OK);
    assert_int_equal(mediafile_put(tmp_fd, root_fd, "master.m3u8", "m", 1), RC_OK);
    assert_int_equal(symlinkat("/", root_fd, "link"), 0);
    close(root_fd);
    assert_int_equal(mediadir_create(&site, OTHER), RC_OK);
    assert_int_equal(mediadir_remove(&site, ROOT), RC_OK);
    assert_int_equal(entries("htdocs/media"), 1);
    assert_int_equal(mediadir_remove(&site, ROOT), RC_OK); /* already gone */
}

static void a_name_that_is_no_key_is_never_removed(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("htdocs/assets"), 0755), 0);
    assert_int_equal(mediadir_remove(&site, "../assets"), RC_IO);
    assert_int_equal(mediadir_remove(&site, ""), RC_IO);
    assert_true(there("htdocs/assets") && there(MEDIA ROOT));
}

static void what_is_too_deep_to_remove_is_told(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(dir_fd, "deep", 0755), 0);
    assert_int_equal(mediadir_remove(&site, ROOT), RC_IO);
    assert_true(there(MEDIA ROOT "/360p-1/deep"));
}

static void a_rendition_is_removed_alone(void **state)
{
    (void)state;
    int root_fd, other;
    assert_int_equal(put("0.m4s", "x"), RC_OK);
    assert_int_equal(mediadir_open(&site, ROOT, "audio-0-1", true, &other), RC_OK);
    close(other);
    assert_int_equal(mediadir_open(&site, ROOT, "", false, &root_fd), RC_OK);
    assert_int_equal(mediadir_remove_sub(root_fd, "360p-1"), RC_OK);
    assert_int_equal(mediadir_remove_sub(root_fd, "360p-1"), RC_OK);
    assert_false(there(MEDIA ROOT "/360p-1"));
    assert_true(there(MEDIA ROOT "/audio-0-1"));
    assert_int_equal(symlinkat("audio-0-1", root_fd, "link"), 0);
    assert_int_equal(mediadir_remove_sub(root_fd, "link"), RC_IO);
    close(root_fd);
}

/* ---- files -------------------------------------------------------------- */

static void a_file_is_not_seen_before_it_is_published(void **state)
{
    (void)state;
    struct mediafile f = {.fd = -1};
    assert_int_equal(mediafile_begin(tmp_fd, &f), RC_OK);
    assert_int_equal(mediafile_write(&f, "hel", 3), RC_OK);
    assert_int_equal(mediafile_write(&f, "lo", 2), RC_OK);
    assert_int_equal(f.size, 5);
    assert_int_equal(entries(MEDIA ROOT "/360p-1"), 0);
    assert_int_equal(entries("tmp"), 1);
    assert_int_equal(mediafile_publish(tmp_fd, &f, dir_fd, "0.m4s", false), RC_OK);
    assert_int_equal(f.fd, -1);
    assert_content(MEDIA ROOT "/360p-1/0.m4s", "hello");
    assert_int_equal(entries("tmp"), 0);
}

static void a_segment_is_written_once_and_never_changes(void **state)
{
    (void)state;
    assert_int_equal(put("0.m4s", "first"), RC_OK);
    assert_int_equal(put("0.m4s", "second"), RC_EXISTS);
    assert_content(MEDIA ROOT "/360p-1/0.m4s", "first");
    assert_int_equal(entries("tmp"), 0);
}

static void a_playlist_is_replaced_whole(void **state)
{
    (void)state;
    assert_int_equal(put_over("index.m3u8", "first"), RC_OK);
    FILE *reader = fopen(at(MEDIA ROOT "/360p-1/index.m3u8"), "r");
    assert_non_null(reader);
    assert_int_equal(put_over("index.m3u8", "second"), RC_OK);
    assert_content(MEDIA ROOT "/360p-1/index.m3u8", "second");
    char old[16] = "";
    assert_int_equal(fread(old, 1, sizeof(old), reader), 5); /* who reads, reads on */
    fclose(reader);
    assert_int_equal(entries("tmp"), 0);
}

static void anyone_may_read_a_published_file(void **state)
{
    (void)state;
    struct stat st;
    mode_t old = umask(022);
    assert_int_equal(put("0.m4s", "x"), RC_OK);
    umask(old);
    assert_int_equal(fstatat(dir_fd, "0.m4s", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(st.st_nlink, 1);
}

static void an_abandoned_file_leaves_nothing(void **state)
{
    (void)state;
    struct mediafile f = {.fd = -1};
    mediafile_abandon(tmp_fd, &f);
    assert_int_equal(mediafile_begin(tmp_fd, &f), RC_OK);
    assert_int_equal(mediafile_write(&f, "x", 1), RC_OK);
    mediafile_abandon(tmp_fd, &f);
    assert_int_equal(f.fd, -1);
    mediafile_abandon(tmp_fd, &f);
    assert_int_equal(entries("tmp"), 0);
}

static void a_file_that_cannot_be_placed_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(put("no/such/folder", "x"), RC_NOT_FOUND);
    assert_int_equal(put_over("no/such/folder", "x"), RC_NOT_FOUND);
    assert_int_equal(mkdirat(dir_fd, "folder", 0755), 0);
    assert_int_equal(put("folder", "x"), RC_EXISTS);
    assert_int_not_equal(put_over("folder", "x"), RC_OK);
    assert_int_equal(entries("tmp"), 0);
}

static void a_full_disk_is_told_and_leaves_nothing(void **state)
{
    (void)state;
    struct mediafile f = {.fd = open("/dev/full", O_WRONLY | O_CLOEXEC)};
    assert_int_equal(mediafile_write(&f, "x", 1), RC_NOSPACE);
    assert_int_equal(f.size, 0);
    close(f.fd);
}

static void without_a_descriptor_nothing_is_begun(void **state)
{
    (void)state;
    struct rlimit old, none;
    struct mediafile f = {.fd = -1};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum rc rc = mediafile_begin(tmp_fd, &f);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(rc, RC_NOMEM);
    assert_int_equal(f.fd, -1);
}

static void what_a_killed_worker_left_is_swept(void **state)
{
    (void)state;
    struct mediafile f = {.fd = -1};
    int fd;
    assert_int_equal(mediafile_begin(tmp_fd, &f), RC_OK);
    close(f.fd);
    fd = openat(tmp_fd, "upload-x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(mediadir_open_tmp(&site, false, &fd), RC_OK);
    close(fd);
    assert_int_equal(entries("tmp"), 2);
    assert_int_equal(mediadir_open_tmp(&site, true, &fd), RC_OK);
    close(fd);
    assert_int_equal(entries("tmp"), 1);
    assert_true(there("tmp/upload-x")); /* not the worker's */
    tempdir_remove(at("tmp"));
    assert_int_equal(mediadir_open_tmp(&site, true, &fd), RC_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_folder_may_be_made_twice),
        TEST(each_entry_is_told_and_may_be_removed),
        TEST(a_folder_that_is_missing_is_made_only_if_asked_for),
        TEST(a_grant_does_not_open_the_folder),
        TEST(a_removed_video_leaves_nothing),
        TEST(a_name_that_is_no_key_is_never_removed),
        TEST(what_is_too_deep_to_remove_is_told),
        TEST(a_rendition_is_removed_alone),
        TEST(a_file_is_not_seen_before_it_is_published),
        TEST(a_segment_is_written_once_and_never_changes),
        TEST(a_playlist_is_replaced_whole),
        TEST(anyone_may_read_a_published_file),
        TEST(an_abandoned_file_leaves_nothing),
        TEST(a_file_that_cannot_be_placed_leaves_nothing),
        TEST(a_full_disk_is_told_and_leaves_nothing),
        TEST(without_a_descriptor_nothing_is_begun),
        TEST(what_a_killed_worker_left_is_swept),
    };
    return cmocka_run_group_tests_name("mediadir", tests, NULL, NULL);
}
