/*
 * crypt_r(3) of libxcrypt. Its scratch space, which holds the password, is 32 KB and so
 * on the heap, and wiped before it is freed.
 */
#include "password.h"

#include "secret.h"
#include "text.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#define METHOD "$y$"
/* N = 4096, r = 32: 16 MB. Fixed, so that a check costs the same whenever the hash was
 * made, and if there is none. */
#define COST 5

/* A setting of our own making is never refused, so what fails is the memory. */
static enum rc reckon(const char *text, const char *setting,
                      char out[CRYPT_OUTPUT_SIZE])
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    char *got;
    bool done;

    if (!data)
        return RC_NOMEM;
    got = crypt_r(text, setting, data);
    done = got && *got == '$';
    if (done)
        strcpy(out, got);
    explicit_bzero(data, sizeof(*data));
    free(data);
    return done ? RC_OK : RC_NOMEM;
}

/* With a new salt. */
static enum rc new_setting(char out[CRYPT_GENSALT_OUTPUT_SIZE])
{
    return crypt_gensalt_rn(METHOD, COST, NULL, 0, out, CRYPT_GENSALT_OUTPUT_SIZE)
               ? RC_OK
               : RC_IO;
}

bool password_acceptable(const char *text)
{
    size_t n = strlen(text);

    return n >= PASSWORD_MIN && n <= PASSWORD_MAX && text_is_clean(text, n);
}

enum rc password_hash(const char *text, char out[PASSWORD_HASH_MAX + 1])
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE], hash[CRYPT_OUTPUT_SIZE];
    enum rc rc;

    if (!*text || strlen(text) > PASSWORD_MAX)
        return RC_INVALID;
    rc = new_setting(setting);
    if (rc == RC_OK)
        rc = reckon(text, setting, hash);
    if (rc != RC_OK)
        return rc;
    if (strlen(hash) > PASSWORD_HASH_MAX)
        return RC_IO;
    strcpy(out, hash);
    return RC_OK;
}

enum rc password_check(const char *text, const char *hash, bool *right)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE], got[CRYPT_OUTPUT_SIZE];
    bool ours = strncmp(hash, METHOD, strlen(METHOD)) == 0;
    enum rc rc;

    if (strlen(text) > PASSWORD_MAX) {
        *right = false;
        return RC_OK;
    }
    /* In either case, so that both take the same steps. */
    rc = new_setting(setting);
    if (rc == RC_OK)
        rc = reckon(text, ours ? hash : setting, got);
    if (rc == RC_OK)
        *right = secret_equal(got, hash);
    return rc;
}
