/* tempdir.h: a folder of its own for a test, under $TMPDIR or /tmp. */
#ifndef DROPSTREAM_TEST_TEMPDIR_H
#define DROPSTREAM_TEST_TEMPDIR_H

#include "check.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static inline void tempdir_make(char out[PATH_MAX])
{
    const char *base = getenv("TMPDIR");

    snprintf(out, PATH_MAX, "%s/dropstream-test-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(out));
}

static inline int tempdir_remove_one(const char *path, const struct stat *st, int type,
                                     struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void tempdir_remove(const char *path)
{
    assert_int_equal(nftw(path, tempdir_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
