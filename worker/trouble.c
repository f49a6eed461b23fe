#include "trouble.h"

#include <errno.h>
#include <string.h>

/* A disk or a network file system that fails or is full, limits, rights, and what is
 * not where it should be. */
static const int errors[] = {
    EIO,    ENOSPC, EDQUOT, EROFS,  ENXIO,  ENODEV,    ESTALE,  ETIMEDOUT, ENOTCONN,
    ENOMEM, EAGAIN, EMFILE, ENFILE, EACCES, EREMOTEIO, ENOLINK, ENOENT,
};

static bool says(const char *text, size_t n, const char *sentence)
{
    return memmem(text, n, sentence, strlen(sentence)) != NULL;
}

/* ffprobe says nothing of what ends its reading, but its reader of Matroska does. */
bool trouble_in(const char *text, size_t n)
{
    if (says(text, n, "] Read error"))
        return true;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (says(text, n, strerror(errors[i])))
            return true;
    return false;
}
