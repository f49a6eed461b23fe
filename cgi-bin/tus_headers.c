#include "tus_headers.h"

#include "mime.h"
#include "text.h"

#include <nettle/base64.h>
#include <stdio.h>
#include <string.h>

_Static_assert(BASE64_DECODE_LENGTH(STORE_METADATA_MAX) < STORE_METADATA_MAX,
               "a decoded value is shorter");

/* nettle passes over blanks and line ends, which no header value may have here. */
static enum rc decode(const char *text, size_t n, uint8_t *out, size_t *size)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    struct base64_decode_ctx ctx;

    for (size_t i = 0; i < n; i++)
        if (!text[i] || !strchr(letters, text[i]))
            return RC_INVALID;
    base64_decode_init(&ctx);
    return base64_decode_update(&ctx, size, out, n, text) && base64_decode_final(&ctx)
               ? RC_OK
               : RC_INVALID;
}

/* ---- Upload-Metadata --------------------------------------------------------- */

/* Views into the header. */
struct pair {
    const char *key;
    size_t key_size;
    const char *value;
    size_t value_size;
};

static const char *skip_blanks(const char *p)
{
    while (mime_is_blank(*p))
        p++;
    return p;
}

/* The pair at *p, which is moved behind it and its comma. RC_NOT_FOUND: the end. */
static enum rc next_pair(const char **p, struct pair *out)
{
    const char *q = skip_blanks(*p);

    if (!*q)
        return RC_NOT_FOUND;
    out->key = q;
    while (*q > ' ' && *q < 0x7f && *q != ',')
        q++;
    out->key_size = (size_t)(q - out->key);
    q = skip_blanks(q);
    out->value = q;
    out->value_size = strcspn(q, " \t,");
    q = skip_blanks(q + out->value_size);
    if (out->key_size == 0 || (*q && *q != ','))
        return RC_INVALID;
    /* A comma announces another pair. */
    if (*q == ',' && !*skip_blanks(++q))
        return RC_INVALID;
    *p = q;
    return RC_OK;
}

static bool is_key(const struct pair *pair, const char *key)
{
    return pair->key_size == strlen(key) && memcmp(pair->key, key, pair->key_size) == 0;
}

/* Whether the header has the pair's key before it. */
static bool is_repeated(const char *header, const struct pair *pair)
{
    struct pair before;

    while (next_pair(&header, &before) == RC_OK && before.key != pair->key)
        if (before.key_size == pair->key_size &&
            memcmp(before.key, pair->key, pair->key_size) == 0)
            return true;
    return false;
}

static enum rc keep(const struct pair *pair, const char *value,
                    struct tus_metadata *out, const char **why)
{
    if (is_key(pair, "filename"))
        text_clean(out->filename, sizeof(out->filename), value);
    else if (is_key(pair, "title"))
        text_clean(out->title, sizeof(out->title), value);
    else if (is_key(pair, "upload_id") &&
             upload_id_read(value, out->upload_id) != RC_OK) {
        *why = "In Upload-Metadata, upload_id must be 32 hexadecimal digits.";
        return RC_INVALID;
    }
    return RC_OK;
}

static enum rc read_pair(const struct pair *pair, struct tus_metadata *out,
                         const char **why)
{
    char value[STORE_METADATA_MAX + 1];
    size_t n = 0;

    *why = "A value in Upload-Metadata is not Base64.";
    if (decode(pair->value, pair->value_size, (uint8_t *)value, &n) != RC_OK)
        return RC_INVALID;
    value[n] = '\0';
    *why = "A value in Upload-Metadata holds a zero byte.";
    if (strlen(value) != n)
        return RC_INVALID;
    return keep(pair, value, out, why);
}

enum rc tus_metadata_read(const char *header, struct tus_metadata *out,
                          const char **why)
{
    struct tus_metadata found = {.filename = ""};
    const char *p = header ? header : "";
    struct pair pair;
    int pairs = 0;
    enum rc rc;

    if (strlen(p) > STORE_METADATA_MAX)
        return RC_TOO_LARGE;
    while ((rc = next_pair(&p, &pair)) == RC_OK) {
        if (++pairs > TUS_PAIRS_MAX)
            return RC_TOO_LARGE;
        if (is_repeated(header, &pair)) {
            *why = "A key is twice in Upload-Metadata.";
            return RC_INVALID;
        }
        rc = read_pair(&pair, &found, why);
        if (rc != RC_OK)
            return rc;
    }
    if (rc != RC_NOT_FOUND) {
        *why =
            "Upload-Metadata must be pairs of a key and a value, with commas between.";
        return RC_INVALID;
    }
    *out = found;
    return RC_OK;
}

/* ---- the others -------------------------------------------------------------- */

enum rc tus_checksum_read(const char *header, struct tus_checksum *out)
{
    struct tus_checksum found;
    uint8_t digest[BASE64_DECODE_LENGTH(2 * TUS_DIGEST_MAX)];
    size_t name_size = strcspn(header, " ");
    const char *value = header + name_size;

    if (name_size == 0 || name_size >= sizeof(found.algorithm) || *value != ' ')
        return RC_INVALID;
    value++;
    if (strlen(value) > 2 * TUS_DIGEST_MAX ||
        decode(value, strlen(value), digest, &found.n) != RC_OK || found.n == 0 ||
        found.n > sizeof(found.digest))
        return RC_INVALID;
    memcpy(found.digest, digest, found.n);
    snprintf(found.algorithm, sizeof(found.algorithm), "%.*s", (int)name_size, header);
    *out = found;
    return RC_OK;
}

bool tus_is_chunk_type(const char *content_type)
{
    return content_type &&
           mime_main_value(&content_type, content_type + strlen(content_type),
                           "application/offset+octet-stream");
}
