/*
 * Names are made of whole random bytes, five bits of each; the three that are thrown
 * away cost nothing and make the code too simple to be wrong.
 */
#include "id.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>

/* RFC 4648 section 6 in lower case; 32 letters, so a byte masked to five bits picks
 * each with the same chance. */
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/* len of the letters, of which there are mask + 1, a power of two. */
static enum rc random_text(const char *letters, unsigned mask, char *out, size_t len)
{
    unsigned char bytes[ID_LETTERS_MAX];
    ssize_t n;
    size_t i;

    /* Up to 256 bytes come whole or not at all (getrandom(2)). */
    do
        n = getrandom(bytes, len, 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)len)
        return RC_IO;
    for (i = 0; i < len; i++)
        out[i] = letters[bytes[i] & mask];
    out[len] = '\0';
    return RC_OK;
}

enum rc id_letters(char *out, size_t len)
{
    return len <= ID_LETTERS_MAX ? random_text(alphabet, 31, out, len) : RC_TOO_LARGE;
}

bool id_letters_valid(const char *s, size_t len)
{
    return s && strspn(s, alphabet) == len && s[len] == '\0';
}

enum rc id_new(char out[ID_LEN + 1])
{
    return id_letters(out, ID_LEN);
}

enum rc key_new(char out[KEY_LEN + 1])
{
    return id_letters(out, KEY_LEN);
}

bool id_valid(const char *s)
{
    return id_letters_valid(s, ID_LEN);
}

bool key_valid(const char *s)
{
    return id_letters_valid(s, KEY_LEN);
}

static const char hex[] = "0123456789abcdef";

enum rc upload_id_new(char out[UPLOAD_ID_LEN + 1])
{
    return random_text(hex, 15, out, UPLOAD_ID_LEN);
}

enum rc upload_id_read(const char *text, char out[UPLOAD_ID_LEN + 1])
{
    char id[UPLOAD_ID_LEN + 1];
    size_t n;

    for (n = 0; n < UPLOAD_ID_LEN && text[n]; n++)
        id[n] =
            text[n] >= 'A' && text[n] <= 'F' ? (char)(text[n] - 'A' + 'a') : text[n];
    id[n] = '\0';
    if (strspn(id, hex) != UPLOAD_ID_LEN || text[n])
        return RC_INVALID;
    memcpy(out, id, sizeof(id));
    return RC_OK;
}
