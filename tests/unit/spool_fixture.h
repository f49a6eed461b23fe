/*
 * spool_fixture.h: a site with an empty spool in a folder of its own, and the order in
 * which the system is asked to make things durable.
 */
#ifndef DROPSTREAM_TEST_SPOOL_FIXTURE_H
#define DROPSTREAM_TEST_SPOOL_FIXTURE_H

#include "check.h"

#include "spool.h"
#include "tempdir.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ID "aaaaaaaaaaaaaaaa"
#define OTHER "bbbbbbbbbbbbbbbb"

static struct site site;

/* ---- what the system is asked for, in order ----------------------------- */

static char calls[256];
static bool fail_folder_sync, fail_data_sync, no_renameat2;

static inline bool is_folder(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* These stand before the C library's, so the order of calls can be seen. */
int fsync(int fd)
{
    strcat(calls, is_folder(fd) ? "sync-folder " : "sync-file ");
    if (fail_folder_sync && is_folder(fd)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    strcat(calls, "sync-data ");
    if (fail_data_sync) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to,
              unsigned int flags)
{
    strcat(calls, "rename ");
    if (no_renameat2) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

/* ---- helpers ------------------------------------------------------------ */

static inline int setup(void **state)
{
    char path[PATH_MAX];
    static const char *const folders[] = {"etc", "htdocs", "spool"};
    size_t i;

    (void)state;
    tempdir_make(site.root);
    for (i = 0; i < 3; i++) {
        assert_int_equal(site_path(&site, folders[i], path), RC_OK);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    calls[0] = '\0';
    fail_folder_sync = fail_data_sync = no_renameat2 = false;
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    tempdir_remove(site.root);
    return 0;
}

static inline const char *in_spool(const char *name)
{
    static char path[PATH_MAX];
    char relative[64];

    snprintf(relative, sizeof(relative), "spool/%s", name);
    assert_int_equal(site_path(&site, relative, path), RC_OK);
    return path;
}

static inline bool there(const char *name)
{
    return access(in_spool(name), F_OK) == 0;
}

static inline void put(const char *name, const char *text)
{
    FILE *f = fopen(in_spool(name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static inline void assert_content(const char *name, const char *want)
{
    char text[64];
    FILE *f = fopen(in_spool(name), "r");
    size_t n;

    assert_non_null(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    fclose(f);
    assert_string_equal(text, want);
}

static inline struct spool_file *create(const char *id, const char *text)
{
    struct spool_file *f = NULL;

    assert_int_equal(spool_create(&site, id, &f), RC_OK);
    assert_int_equal(spool_write(f, text, strlen(text)), RC_OK);
    return f;
}

#endif
