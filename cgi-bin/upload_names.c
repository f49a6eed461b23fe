#include "upload_names.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

void upload_filename(char out[STORE_FILENAME_MAX + 1], const char *sent)
{
    if (text_clean(out, STORE_FILENAME_MAX + 1, text_basename(sent)) == 0)
        strcpy(out, "upload");
}

void upload_title(char out[STORE_TITLE_MAX + 1], const char *sent, const char *filename)
{
    char stem[STORE_FILENAME_MAX + 1];
    char *dot;

    if (text_clean(out, STORE_TITLE_MAX + 1, sent) > 0)
        return;
    snprintf(stem, sizeof(stem), "%s", filename);
    dot = strrchr(stem, '.');
    if (dot && dot > stem)
        *dot = '\0';
    text_clean(out, STORE_TITLE_MAX + 1, stem);
}
