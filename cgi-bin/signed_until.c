#include "signed_until.h"

#include "http_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void sign(const uint8_t key[SECRET_KEY_SIZE], const char *said, int64_t until_s,
                 char out[2 * SECRET_HASH_SIZE + 1])
{
    uint8_t text[SECRET_HASH_SIZE + 8];

    secret_hash(said, strlen(said), text);
    for (int i = 0; i < 8; i++)
        text[SECRET_HASH_SIZE + i] = (uint8_t)((uint64_t)until_s >> (8 * i));
    secret_sign(key, text, sizeof(text), out);
}

void signed_until_make(const uint8_t key[SECRET_KEY_SIZE], const char *said,
                       int64_t until_s, char out[SIGNED_UNTIL_MAX + 1])
{
    char signature[2 * SECRET_HASH_SIZE + 1];

    sign(key, said, until_s, signature);
    snprintf(out, SIGNED_UNTIL_MAX + 1, "%" PRId64 ".%s", until_s, signature);
}

bool signed_until_check(const uint8_t key[SECRET_KEY_SIZE], const char *said,
                        const char *value, int64_t now_s)
{
    char signature[2 * SECRET_HASH_SIZE + 1], digits[20];
    const char *dot = value ? strchr(value, '.') : NULL;
    int64_t until;

    if (!dot || (size_t)(dot - value) >= sizeof(digits))
        return false;
    memcpy(digits, value, (size_t)(dot - value));
    digits[dot - value] = '\0';
    if (http_number(digits, 0, INT64_MAX, &until) != RC_OK)
        return false;
    sign(key, said, until, signature);
    return secret_equal(dot + 1, signature) && until > now_s;
}
