/*
 * password.h: passwords of people, by crypt(5) with yescrypt.
 *
 * One check takes some tens of milliseconds of CPU and 16 MB of memory, on purpose: who
 * has many of them keeps them in a queue (cgi-bin/lane.h).
 */
#ifndef DROPSTREAM_PASSWORD_H
#define DROPSTREAM_PASSWORD_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_MIN 10       /* bytes of an account's password */
#define PASSWORD_MAX 256      /* bytes of any */
#define PASSWORD_HASH_MAX 127 /* bytes of what is kept */

/* True if text may become an account's password: PASSWORD_MIN to PASSWORD_MAX bytes of
 * UTF-8 without control characters. */
bool password_acceptable(const char *text);

/* "$y$…" with a new salt. RC_INVALID: text is empty or longer than PASSWORD_MAX. RC_IO:
 * no randomness, or crypt(3) has no yescrypt. RC_NOMEM. */
enum rc password_hash(const char *text, char out[PASSWORD_HASH_MAX + 1]);

/*
 * *right: text is the password of hash; compared in constant time. hash "": there is
 * none (no such account), and as much is reckoned before the answer is no, so that the
 * time tells nobody. Too long a text is wrong. RC_IO, RC_NOMEM.
 */
enum rc password_check(const char *text, const char *hash, bool *right);

#endif
