/*
 * The system's clocks. CLOCK_BOOTTIME rather than CLOCK_MONOTONIC: a lease has to end
 * while a laptop sleeps, too.
 */
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

/* 0000-01-01 and the last ms of 9999: what four digits of a year can say. */
#define ISO8601_MIN_MS INT64_C(-62167219200000)
#define ISO8601_MAX_MS INT64_C(253402300799999)

static int64_t read_ms(clockid_t id)
{
    struct timespec t = {0, 0};

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_wall_ms(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_REALTIME);
}

static int64_t system_boot_ms(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_BOOTTIME);
}

/* Fewer than 36 characters would compare equal to nothing: better an error at once. */
static enum rc read_boot_id(char out[CLOCK_BOOT_ID_LEN + 1])
{
    char text[CLOCK_BOOT_ID_LEN];
    ssize_t n;
    int fd = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return RC_IO;
    do
        n = read(fd, text, sizeof(text));
    while (n < 0 && errno == EINTR);
    close(fd);
    if (n != (ssize_t)sizeof(text))
        return RC_IO;
    memcpy(out, text, sizeof(text));
    out[CLOCK_BOOT_ID_LEN] = '\0';
    return RC_OK;
}

enum rc clock_system(struct clock *out)
{
    struct clock c = {.wall_ms = system_wall_ms, .boot_ms = system_boot_ms};
    enum rc rc = read_boot_id(c.boot_id);

    if (rc == RC_OK)
        *out = c;
    return rc;
}

struct timespec clock_monotonic_in(int64_t ms)
{
    struct timespec t = {0, 0};

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)(ms / 1000);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

/* The parts of a moment within the years 0 to 9999, and its ms within the second. */
static int split(int64_t wall_ms, struct tm *out)
{
    time_t s;
    int ms;

    if (wall_ms < ISO8601_MIN_MS)
        wall_ms = ISO8601_MIN_MS;
    if (wall_ms > ISO8601_MAX_MS)
        wall_ms = ISO8601_MAX_MS;
    /* Division rounds to zero, but before 1970 the second began earlier. */
    ms = (int)(wall_ms % 1000);
    s = (time_t)(wall_ms / 1000);
    if (ms < 0) {
        ms += 1000;
        s--;
    }
    gmtime_r(&s, out);
    return ms;
}

void clock_iso8601(int64_t wall_ms, char out[CLOCK_ISO8601_LEN + 1])
{
    char text[96]; /* room for what the compiler fears of seven ints */
    struct tm tm;
    int ms = split(wall_ms, &tm);

    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
             tm.tm_sec, ms);
    memcpy(out, text, CLOCK_ISO8601_LEN);
    out[CLOCK_ISO8601_LEN] = '\0';
}

void clock_http_date(int64_t wall_ms, char out[CLOCK_HTTP_DATE_LEN + 1])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[96];
    struct tm tm;

    split(wall_ms, &tm);
    snprintf(text, sizeof(text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
             &days[tm.tm_wday * 3], tm.tm_mday, &months[tm.tm_mon * 3],
             tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    memcpy(out, text, CLOCK_HTTP_DATE_LEN);
    out[CLOCK_HTTP_DATE_LEN] = '\0';
}
