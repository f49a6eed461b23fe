#include "playlists.h"

#include <stdio.h>

void playlists_folder(const struct rendition *r, char out[STORE_RENDITION_MAX + 16])
{
    snprintf(out, STORE_RENDITION_MAX + 16, "%s-%d", r->name, r->generation);
}
