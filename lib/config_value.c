/*
 * How the text of each type of option becomes a value.
 *
 * Addresses, origins and paths end up in lighttpd's configuration: nothing gets through
 * here that could mean something else there.
 */
#include "config_priv.h"

#include "origin.h"
#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(enum log_level) == sizeof(int) &&
                   sizeof(enum auth) == sizeof(int) &&
                   sizeof(enum media_auth) == sizeof(int),
               "a choice is kept as an int");

/* strtoll alone would take blanks before and letters behind the number. */
static enum rc set_int(const struct option *o, const char *text, int64_t *field,
                       char problem[PROBLEM_SIZE])
{
    const char *digits = *text == '-' ? text + 1 : text;
    long long v;

    errno = 0;
    v = strtoll(text, NULL, 10);
    if (!*digits || digits[strspn(digits, "0123456789")]) {
        snprintf(problem, PROBLEM_SIZE, "%s must be a whole number, not \"%.40s\"",
                 o->key, text);
        return RC_INVALID;
    }
    if (errno == ERANGE || v < o->min || v > o->max) {
        snprintf(problem, PROBLEM_SIZE, "%s must be %lld to %lld%s%s, not %.40s",
                 o->key, (long long)o->min, (long long)o->max, *o->unit ? " " : "",
                 o->unit, text);
        return RC_INVALID;
    }
    *field = v;
    return RC_OK;
}

/* Numbers only, no names. */
static bool is_address(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, address) == 1 ||
           inet_pton(AF_INET6, text, address) == 1;
}

static enum rc set_text(const struct option *o, const char *text, char *field,
                        char problem[PROBLEM_SIZE])
{
    size_t n = strlen(text), least = o->type == OPTION_PATH ? 0 : 1;

    if (n < least || n >= o->size || !text_is_clean(text, n)) {
        snprintf(problem, PROBLEM_SIZE,
                 "%s must be %zu to %zu bytes of UTF-8 without control characters",
                 o->key, least, o->size - 1);
        return RC_INVALID;
    }
    if (o->type == OPTION_ADDRESS && !is_address(text)) {
        snprintf(problem, PROBLEM_SIZE,
                 "%s must be an IPv4 or IPv6 address, not \"%.60s\"", o->key, text);
        return RC_INVALID;
    }
    if (o->type == OPTION_PATH && n > 0 && (*text != '/' || strpbrk(text, "\"\\"))) {
        snprintf(problem, PROBLEM_SIZE,
                 "%s must be an absolute path without quotes, not \"%.60s\"", o->key,
                 text);
        return RC_INVALID;
    }
    memcpy(field, text, n + 1);
    return RC_OK;
}

/* ---- choices ------------------------------------------------------------ */

static enum rc set_choice(const struct option *o, const char *text, void *field,
                          char problem[PROBLEM_SIZE])
{
    const char *before = "";
    char list[128] = "";
    size_t n = 0;
    int i;

    for (i = 0; o->choices[i]; i++) {
        if (strcmp(text, o->choices[i]) == 0) {
            memcpy(field, &i, sizeof(i));
            return RC_OK;
        }
        n +=
            (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", before, o->choices[i]);
        before = o->choices[i + 1] && o->choices[i + 2] ? ", " : " or ";
    }
    snprintf(problem, PROBLEM_SIZE, "%s must be %s, not \"%.40s\"", o->key, list, text);
    return RC_INVALID;
}

const char *option_choice(const struct option *o, const void *field)
{
    int i;

    memcpy(&i, field, sizeof(i));
    return o->choices[i];
}

/* ---- lists -------------------------------------------------------------- */

#define ITEM_SIZE 256
#define BLANKS " \t"

/* An address, or a network as 192.0.2.0/24. lighttpd takes no network of 0 bits. */
static bool is_network(const char *item)
{
    char address[ITEM_SIZE];
    size_t n = strcspn(item, "/");

    memcpy(address, item, n);
    address[n] = '\0';
    return is_address(address) &&
           (!item[n] || text_is_number(item + n + 1, strchr(address, ':') ? 128 : 32));
}

static bool is_in_list(const char *list, const char *item)
{
    size_t n = strlen(item), k;

    for (; *list; list += k + (list[k] == ' ')) {
        k = strcspn(list, " ");
        if (k == n && memcmp(list, item, n) == 0)
            return true;
    }
    return false;
}

static bool item_is_right(const struct option *o, const char *item)
{
    if (o->type == OPTION_NETWORKS)
        return is_network(item);
    return strcmp(item, "*") == 0 || origin_valid(item);
}

static enum rc refuse_item(const struct option *o, const char *text, size_t n,
                           char problem[PROBLEM_SIZE])
{
    const char *what = o->type == OPTION_ORIGINS
                           ? "\"*\" alone, or origins such as https://example.org"
                           : "addresses such as 192.0.2.1 or 192.0.2.0/24";

    snprintf(problem, PROBLEM_SIZE, "%s must be %s, not \"%.*s\"", o->key, what,
             n < 60 ? (int)n : 60, text);
    return RC_INVALID;
}

/* Into a copy, so that the field stays as it was if one item is wrong. */
static enum rc set_list(const struct option *o, const char *text, char *field, bool add,
                        char problem[PROBLEM_SIZE])
{
    char list[CONFIG_LIST_MAX + 1], item[ITEM_SIZE];
    size_t used = add ? strlen(field) : 0, n;

    memcpy(list, field, used);
    list[used] = '\0';
    for (text += strspn(text, BLANKS); *text; text += strspn(text, BLANKS)) {
        n = strcspn(text, BLANKS);
        snprintf(item, sizeof(item), "%.*s", n < ITEM_SIZE ? (int)n : 0, text);
        if (!item_is_right(o, item))
            return refuse_item(o, text, n, problem);
        text += n;
        if (is_in_list(list, item))
            continue;
        if (used > 0 && (strcmp(item, "*") == 0 || strcmp(list, "*") == 0))
            return refuse_item(o, item, n, problem);
        if (used + n + 2 > o->size) {
            snprintf(problem, PROBLEM_SIZE, "%s must have at most %zu bytes in all",
                     o->key, o->size - 1);
            return RC_INVALID;
        }
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
                                 used > 0 ? " " : "", item);
    }
    memcpy(field, list, used + 1);
    return RC_OK;
}

bool option_is_list(const struct option *o)
{
    return o->type == OPTION_ORIGINS || o->type == OPTION_NETWORKS;
}

enum rc option_set(const struct option *o, const char *text, void *field, bool add,
                   char problem[PROBLEM_SIZE])
{
    switch (o->type) {
    case OPTION_INT:
        return set_int(o, text, field, problem);
    case OPTION_CHOICE:
        return set_choice(o, text, field, problem);
    case OPTION_ORIGINS:
    case OPTION_NETWORKS:
        return set_list(o, text, field, add, problem);
    default:
        return set_text(o, text, field, problem);
    }
}
