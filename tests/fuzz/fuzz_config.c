/*
 * fuzz_config.c: whatever stands in dropstream.conf, it is taken as a whole, with every
 * value in its range, or refused with one line that says why.
 */
#include "fuzz.h"

#include "config.h"
#include "origin.h"
#include "text.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* The settings that other programs are told. */
static void check(const struct config *c)
{
    char item[CONFIG_LIST_MAX + 1], *save = NULL;
    must(c->port >= 1 && c->port <= 65535 && c->wait_s >= 1 && c->wait_s <= 9);
    must(c->upload_threads >= 1 && c->jobs >= 0 && c->nice >= 0 && c->nice <= 19);
    must(c->auth == AUTH_REQUIRED || origin_is_loopback(c->bind));
    must(text_is_clean(c->ffmpeg, strlen(c->ffmpeg)) && c->ffmpeg[0]);
    must(c->tls_pem[0] == '\0' || c->tls_pem[0] == '/');
    must(!strpbrk(c->tls_pem, "\"\\\n") && !strpbrk(c->bind, "\"\\\n "));
    must(!strpbrk(c->trusted_proxies, "\"\\\n"));
    snprintf(item, sizeof(item), "%s", c->media_cors);
    for (char *p = strtok_r(item, " ", &save); p; p = strtok_r(NULL, " ", &save))
        must(strcmp(p, "*") == 0 || origin_valid(p));
}

/* The path of a file that is these bytes. */
static int file_of(const uint8_t *data, size_t n, char *path, size_t size)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("conf", MFD_CLOEXEC);
    must(fd >= 0 && ftruncate(fd, 0) == 0);
    must(pwrite(fd, data, n, 0) == (ssize_t)n);
    snprintf(path, size, "/proc/self/fd/%d", fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct config first, second, untouched;
    char path[64], err[1024] = "", value[CONFIG_LIST_MAX + 1];
    file_of(data, n, path, sizeof(path));
    memset(&untouched, 'x', sizeof(untouched));
    first = untouched;

    enum rc rc = config_load(path, &first, err, sizeof(err));
    must(rc == RC_OK || rc == RC_INVALID);
    if (rc == RC_INVALID) {
        must(*err && !strchr(err, '\n') && strncmp(err, path, strlen(path)) == 0);
        must(memcmp(&first, &untouched, sizeof(first)) == 0);
        return 0;
    }
    check(&first);
    must(config_load(path, &second, err, sizeof(err)) == RC_OK);
    must(memcmp(&first, &second, sizeof(first)) == 0);
    must(config_get(&first, "media_cors", value, sizeof(value)) == RC_OK);
    must(strcmp(value, first.media_cors) == 0);
    return 0;
}
