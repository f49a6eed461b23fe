/*
 * pass.h: what a browser has been let through to: htdocs/media/pass/<pass>/<key> →
 * ../../<key>.
 *
 * With media_auth = strict the server sends a file below /media/<key>/ by itself only
 * where the pass in the browser's cookie leads to that key; else it asks media.fcgi,
 * which lets the pass lead there from then on if it may. So a link of a pass is a
 * decision that was made, and a missing one costs time and nothing else. What leads to
 * a key that was taken back leads nowhere; the pass of a session goes with that
 * session.
 *
 * Invariant: what a pass leads to, and what it is called, the site alone says.
 */
#ifndef DROPSTREAM_PASS_H
#define DROPSTREAM_PASS_H

#include "id.h"
#include "rc.h"
#include "secret.h"
#include "site.h"
#include "store.h"

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PASS_LEN (2 * SECRET_HASH_SIZE) /* hexadecimal digits in lower case */

/* True if s is such a name and nothing else. */
bool pass_valid(const char *s);

/*
 * That of the session with this secret (secret.h), and the hash that the store knows
 * the session by: the one of its pass. So whoever reads the database can make no pass
 * of it, and the pass of a session that has ended is found all the same.
 */
void pass_of_session(const char *secret, char out[PASS_LEN + 1],
                     uint8_t hash[SECRET_HASH_SIZE]);
void pass_hash(const char *pass, uint8_t hash[SECRET_HASH_SIZE]);

/* That of whoever was let through to the key of a share. site_key: store_site_key. */
void pass_of_share(const uint8_t site_key[SECRET_KEY_SIZE], const char *key,
                   char out[PASS_LEN + 1]);

/* Lets the pass lead to key; *made: it did not before. RC_NOT_FOUND: it was taken away
 * at this moment. RC_IO, RC_NOSPACE. */
enum rc pass_add(const struct site *site, const char *pass, const char *key,
                 bool *made);

/* Likewise that of a session, which may end at this moment. RC_NOT_FOUND: it has, and
 * its pass is gone. Or what is wrong with the store. */
enum rc pass_add_of_session(struct store *st, const struct site *site, const char *pass,
                            const char *key);

/* Takes it away; one that is not there is fine. RC_IO. */
enum rc pass_remove(const struct site *site, const char *pass);

/* Takes away the passes of the sessions that have ended. Cheap if there are none. The
 * first error, after all others; what remains is left to the next call. */
enum rc pass_end_sessions(struct store *st, const struct site *site);

/* ---- for who goes through all of them -------------------------------------------- */

/* The folder that they are in, which the caller closes. RC_NOT_FOUND: there is none.
 * RC_IO. */
enum rc pass_open_folder(const struct site *site, int *out_fd);

/* A pass that is looked through link by link; its dir is NULL where none is. */
struct pass_walk {
    DIR *dir;
    int passes;
    const uint8_t *site_key;
    char pass[PASS_LEN + 1];
    bool is_session, stays;
    enum rc rc; /* the first thing that went wrong */
};

/*
 * Begins with one in the folder of all, which stays open meanwhile, as does site_key
 * (store_site_key; NULL: all that are looked at go). RC_NOT_FOUND: there is none, or no
 * more. RC_IO, and what the store says.
 */
enum rc pass_walk_begin(struct pass_walk *w, struct store *st, int passes,
                        const char *pass, const uint8_t *site_key);

/*
 * Looks at up to *max more of its links, and counts them down. Of the pass of a session
 * that had not ended at the beginning those go that lead nowhere, or elsewhere than to
 * the key that they are called by; of another one all but that to the key of its share.
 * With *max left the walk is over, and a pass that had no reason to stay is gone;
 * *removed. RC_IO, then, if not all of that could be done.
 */
enum rc pass_walk_on(struct pass_walk *w, size_t *max, bool *removed);

/* Leaves it at that; of none is legal. */
void pass_walk_end(struct pass_walk *w);

/* Removes their folder, if it is there and empty. */
void pass_remove_folder(const struct site *site);

#endif
