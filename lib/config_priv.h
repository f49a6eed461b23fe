/*
 * config_priv.h: what the files of config share: an option, and reading its value.
 */
#ifndef DROPSTREAM_CONFIG_PRIV_H
#define DROPSTREAM_CONFIG_PRIV_H

#include "config.h"
#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBLEM_SIZE 256

enum option_type {
    OPTION_INT,
    OPTION_TEXT,
    OPTION_ADDRESS,
    OPTION_PATH,   /* "" or an absolute one without quotes or backslashes */
    OPTION_CHOICE, /* one of some words; the field is an enum in their order */
    OPTION_ORIGINS,
    OPTION_NETWORKS
};

struct option {
    const char *section;
    const char *key;
    enum option_type type;
    size_t offset;              /* in struct config */
    size_t size;                /* of the field: a text fills it with its NUL */
    const char *text;           /* default, as it would stand in the file */
    int64_t min, max;           /* OPTION_INT */
    const char *unit;           /* for messages; "" for a plain number */
    const char *const *choices; /* OPTION_CHOICE, up to a NULL */
};

/* True for a list, to which several lines may add. */
bool option_is_list(const struct option *o);

/*
 * Writes the value that text stands for into field; a list's items go behind those that
 * are there if add is set, each once. RC_INVALID: problem says why in one line, and the
 * field is as it was.
 */
enum rc option_set(const struct option *o, const char *text, void *field, bool add,
                   char problem[PROBLEM_SIZE]);

/* Which of the choices a field holds; static. */
const char *option_choice(const struct option *o, const void *field);

#endif
