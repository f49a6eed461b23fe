#include "checksum.h"

#include <nettle/nettle-meta.h>
#include <stdlib.h>
#include <string.h>

const char checksum_algorithms[] = "md5,sha1,sha256,sha512";

struct checksum {
    const struct nettle_hash *hash;
    uint8_t wanted[TUS_DIGEST_MAX];
    max_align_t state[]; /* of the hash */
};

static const struct nettle_hash *find(const char *name)
{
    const struct nettle_hash *const all[] = {&nettle_md5, &nettle_sha1, &nettle_sha256,
                                             &nettle_sha512};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

enum rc checksum_open(const struct tus_checksum *wanted, struct checksum **out)
{
    const struct nettle_hash *hash = find(wanted->algorithm);
    struct checksum *c;

    if (!hash)
        return RC_UNSUPPORTED;
    if (wanted->n != hash->digest_size)
        return RC_INVALID;
    c = malloc(sizeof(*c) + hash->context_size);
    if (!c)
        return RC_NOMEM;
    c->hash = hash;
    memcpy(c->wanted, wanted->digest, wanted->n);
    hash->init(c->state);
    *out = c;
    return RC_OK;
}

void checksum_update(struct checksum *c, const void *data, size_t n)
{
    c->hash->update(c->state, n, data);
}

bool checksum_matches(struct checksum *c)
{
    uint8_t digest[TUS_DIGEST_MAX];

    c->hash->digest(c->state, c->hash->digest_size, digest);
    return memcmp(digest, c->wanted, c->hash->digest_size) == 0;
}

void checksum_free(struct checksum *c)
{
    free(c);
}
