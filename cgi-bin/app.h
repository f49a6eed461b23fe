/*
 * app.h: what every FastCGI program has at hand: its site, settings, clock and
 * database handles. Read once at the start, then only read; but for the site's key.
 */
#ifndef DROPSTREAM_APP_H
#define DROPSTREAM_APP_H

#include "clock.h"
#include "config.h"
#include "handles.h"
#include "rc.h"
#include "secret.h"
#include "site.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct app {
    struct site site;
    struct config config;
    struct clock clock;
    struct handles *handles;
    struct app_key {
        pthread_mutex_t lock;
        bool known;
        uint8_t bytes[SECRET_KEY_SIZE];
    } key; /* see app_site_key */
};

/*
 * Starts the program called name (a string that lives on): private files only, a
 * small heap, the log, and every field of app. What goes wrong is logged. RC_INVALID:
 * no site, or its dropstream.conf is wrong. RC_STOPPED: the server has ended
 * (fcgi_begin). RC_IO, RC_NOMEM, RC_TOO_LARGE.
 */
enum rc app_open(struct app *app, const char *name);
void app_close(struct app *app);

/*
 * store_site_key, which a program asks for once and keeps until it ends: the key of a
 * database never changes, and who puts another database in place starts the programs
 * anew, as their handles are of the old one. For all threads. What store_site_key
 * returns; a failure is not kept.
 */
enum rc app_site_key(struct app *app, struct store *st, uint8_t out[SECRET_KEY_SIZE]);

/*
 * Before anything is answered: where a site has accounts, the keys end that anybody was
 * told while it had none. The worker does that too, but may not run. What fails is
 * logged.
 */
void app_end_open_grants(struct app *app);

#endif
