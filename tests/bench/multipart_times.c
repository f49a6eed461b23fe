/*
 * multipart_times.c: what the multipart parser takes for a file of each kind, CPU in
 * seconds, one "kind seconds" a line. The kinds take turns, a block at a time, so that
 * all of them have the same machine. For multipart.mjs.
 *
 *     multipart_times MEGABYTES
 */
#include "multipart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FEED 65536 /* as upload.fcgi reads */
#define TURN 256   /* feeds of one kind, one after another */
#define CHROME "----WebKitFormBoundaryABCDEFGHIJKLMNOP"
#define CURL "------------------------d74496d66958873e"

struct kind {
    const char *name;
    const char *boundary;
    const char *pattern; /* NULL: random bytes */
    struct multipart *parser;
    double cpu_s;
    char data[FEED];
};

static enum rc on_begin(void *arg, const struct multipart_part *part)
{
    (void)arg;
    (void)part;
    return RC_OK;
}

static enum rc on_data(void *arg, const void *data, size_t n)
{
    (void)arg;
    (void)data;
    (void)n;
    return RC_OK;
}

/* None of the kinds holds a delimiter. */
static enum rc on_end(void *arg)
{
    (void)arg;
    return RC_STOPPED;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum rc begin(struct kind *k)
{
    static const struct multipart_events events = {on_begin, on_data, on_end, NULL};
    size_t period = k->pattern ? strlen(k->pattern) : 0;
    char head[160];
    int n = snprintf(head, sizeof(head),
                     "--%s\r\nContent-Disposition: form-data; name=file\r\n\r\n",
                     k->boundary);

    srandom(1);
    for (size_t i = 0; i < FEED; i++)
        k->data[i] = period ? k->pattern[i % period] : (char)(random() >> 8);
    enum rc rc = multipart_open(k->boundary, &events, &k->parser);
    return rc == RC_OK ? multipart_feed(k->parser, head, (size_t)n) : rc;
}

static enum rc turn(struct kind *k)
{
    enum rc rc = RC_OK;
    double began_s = cpu_s();
    for (int i = 0; i < TURN && rc == RC_OK; i++)
        rc = multipart_feed(k->parser, k->data, FEED);
    k->cpu_s += cpu_s() - began_s;
    return rc;
}

int main(int argc, char **argv)
{
    static struct kind kinds[] = {
        {.name = "random", .boundary = CHROME},
        {.name = "line-ends", .boundary = CHROME, .pattern = "\r\n--"},
        {.name = "returns", .boundary = CHROME, .pattern = "\r"},
        {.name = "boundaries",
         .boundary = CHROME,
         .pattern = "\r\n----WebKitFormBoundaryABCDEFGHIJKLMNO"},
        {.name = "curl-random", .boundary = CURL},
        {.name = "curl-line-ends", .boundary = CURL, .pattern = "\r\n--"},
    };
    const size_t n = sizeof(kinds) / sizeof(kinds[0]);
    const long turns =
        argc == 2 ? strtol(argv[1], NULL, 10) * 1000000 / FEED / TURN : 0;
    enum rc rc = turns > 0 ? RC_OK : RC_INVALID;

    for (size_t k = 0; k < n && rc == RC_OK; k++)
        rc = begin(&kinds[k]);
    for (long i = 0; i < turns; i++)
        for (size_t k = 0; k < n && rc == RC_OK; k++)
            rc = turn(&kinds[k]);
    for (size_t k = 0; k < n; k++) {
        printf("%s %.6f\n", kinds[k].name, kinds[k].cpu_s);
        multipart_free(kinds[k].parser);
    }
    return rc == RC_OK ? 0 : 1;
}
