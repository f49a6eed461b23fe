/*
 * What is kept of it: the bytes in it (8, big-endian like all here), the words of the
 * hash (32), and the bytes behind the last whole block (fewer than 64). It says nothing
 * of how nettle lays out its context, and its length tells if some is missing.
 */
#include "upload_hash.h"

#include <nettle/macros.h>
#include <string.h>

enum { WORDS = SHA256_DIGEST_SIZE / 4, HEAD = 8 + SHA256_DIGEST_SIZE };

_Static_assert(HEAD + SHA256_BLOCK_SIZE - 1 <= STORE_HASH_STATE_MAX,
               "the store has room for it");

void upload_hash_begin(struct upload_hash *h)
{
    sha256_init(&h->sha);
    h->at = 0;
}

void upload_hash_lose(struct upload_hash *h)
{
    h->at = -1;
}

void upload_hash_add(struct upload_hash *h, const void *data, size_t n)
{
    if (h->at < 0)
        return;
    sha256_update(&h->sha, n, data);
    h->at += (int64_t)n;
}

void upload_hash_save(const struct upload_hash *h, struct hash_state *out)
{
    size_t rest = (size_t)(h->at % SHA256_BLOCK_SIZE);

    out->n = 0;
    if (h->at < 0)
        return;
    WRITE_UINT64(out->bytes, (uint64_t)h->at);
    for (size_t i = 0; i < WORDS; i++)
        WRITE_UINT32(out->bytes + 8 + 4 * i, h->sha.state[i]);
    memcpy(out->bytes + HEAD, h->sha.block, rest);
    out->n = HEAD + rest;
}

enum rc upload_hash_load(struct upload_hash *h, const struct hash_state *state)
{
    uint64_t at;

    upload_hash_lose(h);
    if (state->n < HEAD)
        return RC_INVALID;
    at = READ_UINT64(state->bytes);
    if (at > INT64_MAX || state->n != HEAD + at % SHA256_BLOCK_SIZE)
        return RC_INVALID;
    sha256_init(&h->sha);
    for (size_t i = 0; i < WORDS; i++)
        h->sha.state[i] = READ_UINT32(state->bytes + 8 + 4 * i);
    h->sha.count = at / SHA256_BLOCK_SIZE;
    h->sha.index = (unsigned)(at % SHA256_BLOCK_SIZE);
    memcpy(h->sha.block, state->bytes + HEAD, h->sha.index);
    h->at = (int64_t)at;
    return RC_OK;
}

bool upload_hash_digest(const struct upload_hash *h, int64_t size,
                        uint8_t out[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx sha = h->sha;

    if (h->at < 0 || h->at != size)
        return false;
    sha256_digest(&sha, SHA256_DIGEST_SIZE, out);
    return true;
}
