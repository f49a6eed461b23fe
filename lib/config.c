/*
 * The table of options is the program's only list of keys; etc/dropstream.conf says
 * the same to people, and test_config holds the two together.
 */
#include "config_priv.h"

#include "origin.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(f) offsetof(struct config, f), sizeof(((struct config *)0)->f)
#define TEXT(s, f, type, def)                                                          \
    {                                                                                  \
        s, #f, type, FIELD(f), def, 0, 0, "", NULL                                     \
    }
#define INT(s, f, def, min, max, unit)                                                 \
    {                                                                                  \
        s, #f, OPTION_INT, FIELD(f), def, min, max, unit, NULL                         \
    }
#define CHOICE(s, f, def, choices)                                                     \
    {                                                                                  \
        s, #f, OPTION_CHOICE, FIELD(f), def, 0, 0, "", choices                         \
    }

/* Each in the order of its enum. */
static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const auths[] = {"required", "none", NULL};
static const char *const media_auths[] = {"static", "strict", NULL};
static const char *const jails[] = {"auto", "required", "off", NULL};

static const struct option options[] = {
    TEXT("web", bind, OPTION_ADDRESS, "127.0.0.1"),
    INT("web", port, "8080", 1, 65535, ""),
    TEXT("web", tls_pem, OPTION_PATH, ""),
    INT("web", upload_threads, "128", 1, 256, "threads"),
    INT("web", uploads_per_person, "0", 0, 256, "uploads"),
    INT("web", api_threads, "4", 1, 64, "threads"),
    INT("web", store_handles, "4", 1, 64, "handles"),
    INT("web", wait_s, "8", 1, 9, "s"),
    INT("web", waits, "1024", 1, 1536, "requests"),
    INT("web", waits_per_address, "512", 1, 1536, "requests"),
    INT("web", connections_per_address, "512", 0, 2000, "connections"),
    CHOICE("access", auth, "required", auths),
    CHOICE("access", media_auth, "static", media_auths),
    TEXT("access", media_cors, OPTION_ORIGINS, ""),
    INT("access", session_days, "30", 1, 365, "days"),
    TEXT("access", trusted_proxies, OPTION_NETWORKS, ""),
    INT("upload", max_upload_mb, "51200", 1, 1048576, "MiB"),
    INT("upload", disk_reserve_mb, "1024", 0, 1048576, "MiB"),
    INT("upload", min_rate_bps, "1024", 0, 1048576, "bytes/s"),
    INT("upload", min_rate_s, "60", 1, 3600, "s"),
    INT("upload", index_max_mb, "64", 1, 1024, "MiB"),
    INT("upload", upload_chunk_mb, "0", 0, 10240, "MiB"),
    INT("upload", unseen_uploads, "1000", 1, 100000, "uploads"),
    INT("upload", unfinished_uploads, "500", 1, 100000, "uploads"),
    INT("upload", upload_expire_h, "24", 0, 8760, "h"),
    INT("upload", upload_total_h, "720", 1, 87600, "h"),
    INT("upload", upload_request_s, "86400", 0, 2592000, "s"),
    INT("upload", upload_checksums, "1", 0, 1, ""),
    INT("upload", settle_s, "60", 1, 3600, "s"),
    TEXT("media", ffmpeg, OPTION_TEXT, "ffmpeg"),
    TEXT("media", ffprobe, OPTION_TEXT, "ffprobe"),
    INT("media", max_duration_s, "86400", 1, 604800, "s"),
    INT("media", max_pixels, "35389440", 65536, 268435456, "pixels"),
    INT("media", source_max_mbps, "60", 0, 100000, "Mbit/s"),
    INT("media", sound_max_kbps, "384", 0, 10000, "kbit/s"),
    INT("media", ladder_max_side, "1080", 0, 1080, "pixels"),
    INT("media", ladder_pixel_mbits, "80", 10, 1000, "thousandths of a bit"),
    INT("media", ladder_near_percent, "20", 0, 90, "%"),
    INT("media", media_budget_mb, "0", 0, 1073741824, "MiB"),
    INT("media", posters, "1", 0, 1, ""),
    INT("media", previews, "1", 0, 1, ""),
    INT("worker", jobs, "0", 0, 64, "programs"),
    INT("worker", runs, "0", 0, 128, "programs"),
    INT("worker", nice, "10", 0, 19, ""),
    CHOICE("worker", jail, "auto", jails),
    INT("worker", jail_memory_mb, "8192", 0, 1048576, "MiB"),
    TEXT("worker", jail_read, OPTION_PATH, ""),
    INT("worker", lease_s, "30", 2, 600, "s"),
    INT("worker", stall_s, "60", 1, 3600, "s"),
    INT("worker", probe_timeout_s, "60", 1, 600, "s"),
    INT("worker", grace_s, "5", 1, 60, "s"),
    INT("worker", attempts, "3", 1, 10, "tries"),
    INT("worker", backoff_ms, "2000", 0, 600000, "ms"),
    INT("worker", poll_ms, "2000", 50, 60000, "ms"),
    INT("log", job_log_kb, "256", 4, 65536, "KiB"),
    INT("log", activity_rows, "10000", 100, 1000000, "rows"),
    CHOICE("log", log_level, "info", levels),
};

#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))
/* A default out of its own range would be left 0; test_config sees that. */
void config_defaults(struct config *out)
{
    char problem[PROBLEM_SIZE];
    size_t i;

    memset(out, 0, sizeof(*out));
    for (i = 0; i < OPTION_COUNT; i++)
        option_set(&options[i], options[i].text, (char *)out + options[i].offset, false,
                   problem);
}

/* ---- the file ----------------------------------------------------------- */

struct reader {
    FILE *file;
    int line; /* the one that inih has now, from 1 */
    struct config *config;
    bool seen[OPTION_COUNT];
    int problem_line; /* of the first problem; 0: none */
    char problem[PROBLEM_SIZE];
};

/* The first problem is kept: later ones are often only its consequences. */
static void note(struct reader *r, const char *problem)
{
    if (r->problem_line)
        return;
    r->problem_line = r->line;
    memcpy(r->problem, problem, strlen(problem) + 1);
}

/*
 * inih's fgets: one call is one line of the file, so that line numbers are right. A
 * line that does not fit in inih's buffer would be cut in silence; here it is an error.
 */
static char *read_line(char *buf, int size, void *arg)
{
    struct reader *r = arg;
    int c = EOF, n = 0;

    while (n < size - 1 && (c = getc(r->file)) != EOF) {
        buf[n++] = (char)c;
        if (c == '\n')
            break;
    }
    buf[n] = '\0';
    if (n == 0)
        return NULL;
    r->line++;
    if (c == '\n' || c == EOF)
        return buf;
    c = getc(r->file);
    if (c != '\n' && c != EOF)
        note(r, "the line is too long");
    while (c != '\n' && c != EOF)
        c = getc(r->file);
    return buf;
}

/* Keys are unique over all sections, since the environment knows no sections. */
static const struct option *find_option(const char *key)
{
    size_t i;

    for (i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].key, key) == 0)
            return &options[i];
    return NULL;
}

static bool section_exists(const char *section)
{
    size_t i;

    for (i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].section, section) == 0)
            return true;
    return false;
}

/* inih's handler: 0 makes it remember the line as a wrong one. */
static int on_key(void *arg, const char *section, const char *key, const char *value)
{
    struct reader *r = arg;
    const struct option *o = find_option(key);
    char problem[PROBLEM_SIZE];

    if (!*section) {
        snprintf(problem, sizeof(problem), "a key before the first [section]");
    } else if (!section_exists(section)) {
        snprintf(problem, sizeof(problem), "unknown section [%.60s]", section);
    } else if (!o) {
        snprintf(problem, sizeof(problem), "unknown key \"%.60s\"", key);
    } else if (strcmp(o->section, section) != 0) {
        snprintf(problem, sizeof(problem), "%s belongs in section [%s]", key,
                 o->section);
    } else if (r->seen[o - options] && !option_is_list(o)) {
        snprintf(problem, sizeof(problem), "%s is set twice", key);
    } else {
        r->seen[o - options] = true;
        if (option_set(o, value, (char *)r->config + o->offset, true, problem) == RC_OK)
            return 1;
    }
    note(r, problem);
    return 0;
}

static enum rc load_file(const char *path, struct config *config, char *err,
                         size_t err_size)
{
    struct reader r = {.config = config};
    enum rc rc = RC_OK;
    int line;

    r.file = fopen(path, "re");
    if (!r.file)
        return rc_from_errno(errno);
    line = ini_parse_stream(read_line, &r, on_key, &r);
    /* A folder opens like a file and only fails to be read. */
    if (ferror(r.file))
        rc = RC_IO;
    else if (line == -2)
        rc = RC_NOMEM;
    else if (line != 0 || r.problem_line != 0)
        rc = RC_INVALID;
    fclose(r.file);
    if (rc != RC_INVALID)
        return rc;
    /* What inih refused by itself has a line, but no sentence from us. */
    if (line > 0 && (r.problem_line == 0 || line < r.problem_line)) {
        r.problem_line = line;
        snprintf(r.problem, sizeof(r.problem), "neither \"key = value\" nor [section]");
    }
    snprintf(err, err_size, "%s:%d: %s", path, r.problem_line, r.problem);
    return RC_INVALID;
}

/* ---- the environment ---------------------------------------------------- */

static enum rc load_environment(struct config *config, char *err, size_t err_size)
{
    char problem[PROBLEM_SIZE], name[64];
    const char *value;
    size_t i, k;

    for (i = 0; i < OPTION_COUNT; i++) {
        snprintf(name, sizeof(name), "DROPSTREAM_%s", options[i].key);
        for (k = 0; name[k]; k++)
            name[k] = (char)toupper((unsigned char)name[k]);
        value = getenv(name);
        /* Empty is what a script passes on of a variable that it does not have. */
        if (!value || !*value)
            continue;
        if (option_set(&options[i], value, (char *)config + options[i].offset, false,
                       problem) != RC_OK) {
            snprintf(err, err_size, "%s: %s", name, problem);
            return RC_INVALID;
        }
    }
    return RC_OK;
}

/* What is wrong only together. */
static enum rc check_all(const struct config *config, const char *path, char *err,
                         size_t err_size)
{
    if (config->auth != AUTH_NONE || origin_is_loopback(config->bind))
        return RC_OK;
    snprintf(err, err_size,
             "%s: auth = none makes everybody who reaches the site its owner: it is "
             "refused unless bind is a loopback address such as 127.0.0.1, not %s",
             path, config->bind);
    return RC_INVALID;
}

enum rc config_load(const char *path, struct config *out, char *err, size_t err_size)
{
    struct config config;
    enum rc rc;

    /* Into a copy, so that *out is whole or untouched. */
    config_defaults(&config);
    rc = load_file(path, &config, err, err_size);
    if (rc == RC_OK)
        rc = load_environment(&config, err, err_size);
    if (rc == RC_OK)
        rc = check_all(&config, path, err, err_size);
    if (rc == RC_OK)
        *out = config;
    return rc;
}

enum rc config_get(const struct config *config, const char *key, char *out,
                   size_t out_size)
{
    const struct option *o = find_option(key);
    const char *field, *text;
    char number[24];

    if (!o)
        return RC_NOT_FOUND;
    field = (const char *)config + o->offset;
    text = field;
    if (o->type == OPTION_INT) {
        snprintf(number, sizeof(number), "%lld", (long long)*(const int64_t *)field);
        text = number;
    } else if (o->type == OPTION_CHOICE) {
        text = option_choice(o, field);
    }
    if (strlen(text) >= out_size)
        return RC_TOO_LARGE;
    memcpy(out, text, strlen(text) + 1);
    return RC_OK;
}
