/*
 * GET /e/<token>: the page of the site's own addresses, with leave to be shown in the
 * frames of those sites that the share names. All else about the page is said by the
 * server, in a policy of its own; browsers hold to both.
 */
#include "api.h"

#include "http.h"
#include "io.h"
#include "store_grants.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_MAX = 256 * 1024 };

/* The caller frees *out. */
static enum rc read_all(int fd, char **out, size_t *n)
{
    struct stat st;
    char *text;
    enum rc rc;

    if (fstat(fd, &st) != 0 || st.st_size > PAGE_MAX)
        return RC_IO;
    text = malloc((size_t)st.st_size + 1);
    if (!text)
        return RC_NOMEM;
    rc = io_read_at(fd, text, (size_t)st.st_size, 0, n);
    if (rc == RC_OK)
        *out = text;
    else
        free(text);
    return rc;
}

static enum rc read_page(const struct app *app, char **out, size_t *n)
{
    char path[PATH_MAX];
    enum rc rc = site_path(&app->site, "htdocs/index.html", path);
    int fd;

    if (rc != RC_OK)
        return rc;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rc_from_errno(errno);
    rc = read_all(fd, out, n);
    close(fd);
    return rc;
}

/* embed: as of struct share. */
static void send_page(struct api_call *call, int status, const char *embed)
{
    char policy[sizeof("frame-ancestors ") + STORE_EMBED_MAX];
    const struct header headers[] = {
        {"Content-Type", "text/html; charset=utf-8"},
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy", policy},
    };
    char *text = NULL;
    size_t n = 0;
    enum rc rc = read_page(call->app, &text, &n);

    if (rc != RC_OK) {
        api_fail(call, rc);
        return;
    }
    snprintf(policy, sizeof(policy), "frame-ancestors %s", *embed ? embed : "'none'");
    request_answer(call->r, status, headers, sizeof(headers) / sizeof(headers[0]), text,
                   n);
    free(text);
}

/* Where there is nothing to be embedded, whatever the link has become, the page says
 * so, to people who have followed it: no frame shows it. */
void api_embed(struct api_call *call)
{
    struct share share;
    struct video video;
    enum rc rc = key_valid(call->id)
                     ? store_share_get(call->st, call->id, &share, &video)
                     : RC_NOT_FOUND;

    if (rc == RC_OK && *share.embed)
        send_page(call, 200, share.embed);
    else if (rc == RC_OK || rc == RC_NOT_FOUND)
        send_page(call, 404, "");
    else
        api_fail(call, rc);
}
