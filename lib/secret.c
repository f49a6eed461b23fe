#include "secret.h"

#include "id.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

enum rc secret_new(char out[SECRET_LEN + 1])
{
    return id_letters(out, SECRET_LEN);
}

bool secret_valid(const char *s)
{
    return id_letters_valid(s, SECRET_LEN);
}

void secret_hash(const void *text, size_t n, uint8_t out[SECRET_HASH_SIZE])
{
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    sha256_update(&ctx, n, text);
    sha256_digest(&ctx, SECRET_HASH_SIZE, out);
}

void secret_sign(const uint8_t key[SECRET_KEY_SIZE], const void *text, size_t n,
                 char out[2 * SECRET_HASH_SIZE + 1])
{
    uint8_t digest[SECRET_HASH_SIZE];
    struct hmac_sha256_ctx ctx;
    size_t i;

    hmac_sha256_set_key(&ctx, SECRET_KEY_SIZE, key);
    hmac_sha256_update(&ctx, n, text);
    hmac_sha256_digest(&ctx, sizeof(digest), digest);
    for (i = 0; i < sizeof(digest); i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    explicit_bzero(&ctx, sizeof(ctx));
}

bool secret_equal(const char *a, const char *b)
{
    size_t n = strlen(a);

    return strlen(b) == n && memeql_sec(a, b, n);
}
