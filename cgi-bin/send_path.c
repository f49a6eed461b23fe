#include "send_path.h"

#include "media_path.h"

#include <stdio.h>
#include <stdlib.h>

enum rc send_path(const struct site *site, const char *name, char out[PATH_MAX])
{
    const char *set = getenv("DROPSTREAM_SITE");
    const char *root = set && set[0] == '/' ? set : site->root;
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", root, name);

    if (n < 0 || (size_t)n >= sizeof(path))
        return RC_TOO_LARGE;
    return media_path_escape(path, out, PATH_MAX);
}
