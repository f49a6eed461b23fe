#include "visibility.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
    [VISIBLE_PRIVATE] = "private",
    [VISIBLE_EVERYONE] = "everyone",
};

#define COUNT (sizeof(names) / sizeof(names[0]))

const char *visibility_name(enum visibility v)
{
    return (size_t)v < COUNT ? names[v] : "unknown";
}

enum rc visibility_from(const char *name, enum visibility *out)
{
    size_t i;

    for (i = 0; i < COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum visibility)i;
            return RC_OK;
        }
    }
    return RC_INVALID;
}
