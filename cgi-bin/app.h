/*
 * app.h: what every FastCGI program has at hand: its site, settings, clock and
 * database handles. Read once at the start, then only read.
 */
#ifndef DROPSTREAM_APP_H
#define DROPSTREAM_APP_H

#include "clock.h"
#include "config.h"
#include "handles.h"
#include "rc.h"
#include "site.h"

struct app {
    struct site site;
    struct config config;
    struct clock clock;
    struct handles *handles;
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
 * Before anything is answered: where a site has accounts, the keys end that anybody was
 * told while it had none. The worker does that too, but may not run. What fails is
 * logged.
 */
void app_end_open_grants(struct app *app);

#endif
