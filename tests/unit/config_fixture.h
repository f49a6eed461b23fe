/* A dropstream.conf of its own for each test, and what was wrong with it. */
#ifndef DROPSTREAM_CONFIG_FIXTURE_H
#define DROPSTREAM_CONFIG_FIXTURE_H

#include "check.h"

#include "config.h"
#include "tempdir.h"

#include <stdlib.h>
#include <string.h>

static char dir[PATH_MAX];
static char path[PATH_MAX + 16];
static char err[PATH_MAX + 512];

static int fixture_open(void **state)
{
    (void)state;
    tempdir_make(dir);
    snprintf(path, sizeof(path), "%s/test.conf", dir);
    return 0;
}

static int fixture_close(void **state)
{
    (void)state;
    tempdir_remove(dir);
    return 0;
}

static enum rc load(const char *text, struct config *out)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    err[0] = '\0';
    return config_load(path, out, err, sizeof(err));
}

static inline void assert_problem(const char *text, const char *want)
{
    struct config c;
    char expected[2 * PATH_MAX + 1024];

    memset(&c, 'x', sizeof(c));
    assert_int_equal(load(text, &c), RC_INVALID);
    snprintf(expected, sizeof(expected), "%s:%s", path, want);
    assert_string_equal(err, expected);
    assert_int_equal(c.bind[0], 'x');
}

#endif
