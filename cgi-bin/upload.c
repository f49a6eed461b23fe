/*
 * upload.fcgi: takes files of any size into the spool, in constant memory, by a form or
 * by tus.
 */
#include "app.h"
#include "fcgi.h"
#include "log.h"
#include "upload_doors.h"

#include <string.h>

/* All that the server sends here and that is not tus is the form: as plain CGI the
 * program may stand at any address. */
static void upload_page(struct request *r, void *ctx)
{
    static const char tus[] = "/api/uploads";
    const char *path = request_path(r);

    if (strncmp(path, tus, sizeof(tus) - 1) == 0)
        tus_page(r, ctx);
    else
        upload_post_page(r, ctx);
}

int main(int argc, char **argv)
{
    struct uploads shared;
    struct app app;
    int status;

    if (argc == 2 && strcmp(argv[1], "--routes") == 0) {
        upload_post_print_route();
        tus_print_routes();
        return 0;
    }
    if (app_open(&app, "upload.fcgi") != RC_OK)
        return 1;
    shared.app = &app;
    if (turns_open(&shared.turns) != RC_OK ||
        uploaders_open(&shared.uploaders) != RC_OK) {
        log_error("start: out of memory");
        return 1;
    }
    status = fcgi_run((int)app.config.upload_threads, upload_page, &shared);
    uploaders_close(shared.uploaders);
    turns_close(shared.turns);
    app_close(&app);
    return status;
}
