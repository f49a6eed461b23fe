/*
 * allowed.h: what was found to be allowed, for as long as nothing has changed.
 *
 * Pure: a table of a fixed size without threads and clocks. What it does not know is
 * only to be found out again.
 */
#ifndef DROPSTREAM_ALLOWED_H
#define DROPSTREAM_ALLOWED_H

#include "secret.h"

#include <stdbool.h>
#include <stdint.h>

#define ALLOWED_MAX 1024 /* viewers of one video each; 40 KB */

/* All zero at first. */
struct allowed {
    uint64_t age; /* how often it was emptied: for who found something out meanwhile */
    struct {
        uint8_t name[SECRET_HASH_SIZE];
        uint64_t age;
        int64_t until_ms; /* wall clock */
    } list[ALLOWED_MAX];
};

/* Names are hashes (secret_hash), so that nobody chooses their place. */
bool allowed_has(const struct allowed *a, const uint8_t name[SECRET_HASH_SIZE],
                 int64_t now_ms);
void allowed_add(struct allowed *a, const uint8_t name[SECRET_HASH_SIZE],
                 int64_t until_ms);

/* Empties it. */
void allowed_forget(struct allowed *a);

#endif
