#include "share_proof.h"

#include "cookie.h"

#include <stdio.h>

const char share_proof_header[] = "Share-Password-Proof";

/* What is signed: "<for what> <about whom>". */
enum {
    SAID_BYTES = 16 + STORE_SHARE_LEN + 1 + PASSWORD_HASH_MAX + 1,
    COOKIE_BYTES = 512
};

static void say_password(const struct share *share, char out[SAID_BYTES])
{
    snprintf(out, SAID_BYTES, "password %s %s", share->token, share->password);
}

/* A site may have many shares open in one browser: a name for each. */
static void cookie_name(const struct share *share, char out[32])
{
    snprintf(out, 32, "dropstream_share_%.8s", share->token);
}

void share_proof_make(const uint8_t key[SECRET_KEY_SIZE], const struct share *share,
                      int64_t now_s, char out[SIGNED_UNTIL_MAX + 1])
{
    char said[SAID_BYTES];

    say_password(share, said);
    signed_until_make(key, said, now_s + SHARE_PROOF_S, out);
}

void share_proof_set_cookie(struct request *r, const struct share *share,
                            const char *proof)
{
    char name[32], path[sizeof("/api/shares/") + STORE_SHARE_LEN], text[COOKIE_BYTES];
    const struct cookie c = {.name = name,
                             .value = proof,
                             .path = path,
                             .max_age_s = SHARE_PROOF_S,
                             .secure = request_is_secure(r)};

    cookie_name(share, name);
    snprintf(path, sizeof(path), "/api/shares/%s", share->token);
    if (cookie_format(&c, text, sizeof(text)) == RC_OK)
        request_add_header(r, "Set-Cookie", text);
}

bool share_proof_check(const uint8_t key[SECRET_KEY_SIZE], const struct request *r,
                       const struct share *share, int64_t now_s)
{
    char name[32], said[SAID_BYTES], value[SIGNED_UNTIL_MAX + 1];

    if (!*share->password)
        return true;
    say_password(share, said);
    if (signed_until_check(key, said, request_header(r, share_proof_header), now_s))
        return true;
    cookie_name(share, name);
    return cookie_find(request_header(r, "Cookie"), name, value, sizeof(value)) ==
               RC_OK &&
           signed_until_check(key, said, value, now_s);
}
