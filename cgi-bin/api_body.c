/*
 * The body of a request as a JSON object, field by field, and what is said of one that
 * is wrong.
 */
#include "api.h"

#include "http.h"
#include "json_text.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

void api_bad_field(struct api_call *call, const char *message)
{
    api_refuse(call, 422, "bad_field", message);
}

/* True if key is one of the words of keys. */
static bool is_among(const char *keys, const char *key)
{
    size_t n = strlen(key);

    for (const char *p = keys; *p; p += strspn(p, " ")) {
        size_t word = strcspn(p, " ");
        if (word == n && memcmp(p, key, n) == 0)
            return true;
        p += word;
    }
    return false;
}

static bool has_only(struct api_call *call, json_t *object, const char *keys)
{
    char message[160];
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        if (is_among(keys, key))
            continue;
        snprintf(message, sizeof(message), "There is nothing to be said here but: %s.",
                 keys);
        api_bad_field(call, message);
        return false;
    }
    return true;
}

json_t *api_object(struct api_call *call, const char *keys)
{
    json_t *body = NULL;
    enum rc rc = json_text_read(call->body, call->body_size,
                                JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &body);

    if (rc == RC_INVALID)
        api_refuse(call, 400, "bad_json", "The body is not JSON.");
    else if (rc != RC_OK)
        api_fail(call, rc);
    else if (!json_is_object(body))
        api_bad_field(call, "The body must be a JSON object.");
    else if (has_only(call, body, keys))
        return body;
    json_decref(body);
    return NULL;
}

static void wrong(struct api_call *call, const char *key, const char *must)
{
    char message[160];

    snprintf(message, sizeof(message), "The field %s must be %s.", key, must);
    api_bad_field(call, message);
}

/* The field, or NULL where it is missing or null. */
static const json_t *field(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_null(value) ? NULL : value;
}

/* NUL is the one control character that a password may not have either: it would be cut
 * short there. */
bool api_text(struct api_call *call, const json_t *object, const char *key, size_t max,
              const char **out)
{
    const json_t *value = field(object, key);
    const char *text = json_string_value(value);
    char must[64];

    if (!value)
        return true;
    if (text && json_string_length(value) <= max &&
        strlen(text) == json_string_length(value)) {
        *out = text;
        return true;
    }
    snprintf(must, sizeof(must), "text of at most %zu bytes", max);
    wrong(call, key, must);
    return false;
}

bool api_need_text(struct api_call *call, const json_t *object, const char *key,
                   size_t max, const char **out)
{
    if (field(object, key))
        return api_text(call, object, key, max, out);
    wrong(call, key, "there");
    return false;
}

static bool whole_number(struct api_call *call, const json_t *object, const char *key,
                         int64_t min, int64_t max, int64_t *out)
{
    const json_t *value = field(object, key);
    json_int_t number = json_integer_value(value);
    char must[80];

    if (!value)
        return true;
    if (json_is_integer(value) && number >= min && number <= max) {
        *out = number;
        return true;
    }
    snprintf(must, sizeof(must), "a whole number from %lld to %lld", (long long)min,
             (long long)max);
    wrong(call, key, must);
    return false;
}

bool api_expires(struct api_call *call, const json_t *object, int64_t *out_ms)
{
    const struct clock *clock = &call->app->clock;
    int64_t s = 0;

    if (!whole_number(call, object, "expires_in", STORE_EXPIRES_MIN_S,
                      STORE_EXPIRES_MAX_S, &s))
        return false;
    if (s > 0)
        *out_ms = clock->wall_ms(clock->ctx) + s * 1000;
    return true;
}

bool api_flag(struct api_call *call, const json_t *object, const char *key, bool *out)
{
    const json_t *value = field(object, key);

    if (!value)
        return true;
    if (json_is_boolean(value)) {
        *out = json_is_true(value);
        return true;
    }
    wrong(call, key, "true or false");
    return false;
}
