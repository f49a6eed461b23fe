#include "media_path.h"

#include "http_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* n bytes of text as a number without leading zeros. */
static enum rc plain_number(const char *text, size_t n, int64_t min, int64_t max,
                            int64_t *out)
{
    char digits[20];

    if (n == 0 || n >= sizeof(digits) || (n > 1 && text[0] == '0'))
        return RC_INVALID;
    memcpy(digits, text, n);
    digits[n] = '\0';
    return http_number(digits, min, max, out);
}

/* "360p-1" or "audio-0-12": what follows the last dash is the generation. */
static enum rc parse_rendition(const char *text, size_t n, struct media_path *out)
{
    const char *dash = memrchr(text, '-', n);
    size_t name_len = dash ? (size_t)(dash - text) : 0;
    int64_t generation;
    enum rc rc;

    if (name_len == 0 || name_len > STORE_RENDITION_MAX)
        return RC_INVALID;
    rc = plain_number(dash + 1, n - name_len - 1, 1, INT32_MAX, &generation);
    if (rc != RC_OK)
        return rc;
    memcpy(out->rendition, text, name_len);
    out->rendition[name_len] = '\0';
    out->generation = (int)generation;
    return RC_OK;
}

static enum rc parse_file(const char *name, struct media_path *out)
{
    const char *dot = strchr(name, '.');

    if (strcmp(name, "init.mp4") == 0) {
        out->segment = MEDIA_INIT;
        return RC_OK;
    }
    if (!dot || strcmp(dot, ".m4s") != 0)
        return RC_INVALID;
    return plain_number(name, (size_t)(dot - name), 0, INT64_MAX, &out->segment);
}

/* True for names between single slashes; the last one may be empty. */
static bool is_plain(const char *names)
{
    size_t n;

    for (; *names; names += n + (names[n] == '/')) {
        n = strcspn(names, "/");
        if (n == 0 || names[0] == '.')
            return false;
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)names[i] >= 0x80 ||
                (!isalnum((unsigned char)names[i]) && !strchr("-._", names[i])))
                return false;
    }
    return true;
}

static const char prefix[] = "/media/";

enum rc media_path_key(const char *path, char out[KEY_LEN + 1])
{
    const char *names = path + sizeof(prefix) - 1;
    char key[KEY_LEN + 1];

    if (strncmp(path, prefix, sizeof(prefix) - 1) != 0 ||
        strcspn(names, "/") != KEY_LEN || names[KEY_LEN] != '/' || !is_plain(names))
        return RC_INVALID;
    memcpy(key, names, KEY_LEN);
    key[KEY_LEN] = '\0';
    if (!key_valid(key))
        return RC_INVALID;
    memcpy(out, key, sizeof(key));
    return RC_OK;
}

enum rc media_path_parse(const char *path, struct media_path *out)
{
    struct media_path found;
    const char *folder, *file;

    if (media_path_key(path, found.key) != RC_OK)
        return RC_INVALID;
    folder = path + sizeof(prefix) + KEY_LEN;
    file = strchr(folder, '/');
    if (!file || parse_rendition(folder, (size_t)(file - folder), &found) != RC_OK ||
        parse_file(file + 1, &found) != RC_OK)
        return RC_INVALID;
    *out = found;
    return RC_OK;
}

void media_path_folder(const struct media_path *path, char out[MEDIA_FOLDER_MAX + 1])
{
    snprintf(out, MEDIA_FOLDER_MAX + 1, "%s/%s-%d", path->key, path->rendition,
             path->generation);
}

int media_path_folder_order(const struct media_path *a, const struct media_path *b)
{
    int order = strcmp(a->key, b->key);

    if (order == 0)
        order = strcmp(a->rendition, b->rendition);
    if (order == 0)
        order = (a->generation > b->generation) - (a->generation < b->generation);
    return order;
}

void media_path_file(const struct media_path *path, char out[MEDIA_FILE_MAX + 1])
{
    char folder[MEDIA_FOLDER_MAX + 1];

    media_path_folder(path, folder);
    if (path->segment == MEDIA_INIT)
        snprintf(out, MEDIA_FILE_MAX + 1, "%s/init.mp4", folder);
    else
        snprintf(out, MEDIA_FILE_MAX + 1, "%s/%" PRId64 ".m4s", folder, path->segment);
}

enum rc media_path_escape(const char *text, char *out, size_t size)
{
    size_t n = 0;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c < 0x80 && isalnum(c)) || strchr("-._~/", c);
        if (n + (plain ? 1 : 3) >= size)
            return RC_TOO_LARGE;
        n += (size_t)snprintf(out + n, size - n, plain ? "%c" : "%%%02X", c);
    }
    if (n >= size)
        return RC_TOO_LARGE;
    out[n] = '\0';
    return RC_OK;
}
