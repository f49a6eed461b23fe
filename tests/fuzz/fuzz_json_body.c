/*
 * fuzz_json_body.c: a request's body as JSON is refused once, with a sentence, or gives
 * what its fields may be. The target is all that there is of the API around it.
 */
#include "fuzz.h"

#include "api.h"
#include "charset.h"

#define KEYS "name password expires_in download"

static int refused;

void api_refuse(struct api_call *call, int status, const char *code,
                const char *message)
{
    (void)call;
    must(status == 400 || status == 422);
    must(*code && *message && charset_is_utf8(message, strlen(message)));
    must(message[strlen(message) - 1] == '.');
    refused++;
}

void api_fail(struct api_call *call, enum rc rc)
{
    (void)call;
    (void)rc;
    must(!"there is memory enough");
}

static int64_t at_zero(void *ctx)
{
    (void)ctx;
    return 0;
}

static void read_fields(struct api_call *call, json_t *object)
{
    static const char same_text[] = "as it was";
    const char *name = same_text, *password = same_text;
    int64_t expires_ms = -1;
    bool download = false;

    refused = 0;
    bool fine = api_need_text(call, object, "name", 8, &name);
    must(fine == (refused == 0) && (name != same_text) == fine);
    must(!fine || (strlen(name) <= 8 && charset_is_utf8(name, strlen(name))));
    refused = 0;
    fine = api_text(call, object, "password", 4, &password);
    must(fine == (refused == 0) && (fine || password == same_text));
    must(password == same_text || strlen(password) <= 4);
    refused = 0;
    fine = api_expires(call, object, &expires_ms);
    must(fine == (refused == 0) && (fine || expires_ms == -1));
    must(expires_ms == -1 || (expires_ms >= STORE_EXPIRES_MIN_S * INT64_C(1000) &&
                              expires_ms <= STORE_EXPIRES_MAX_S * INT64_C(1000)));
    refused = 0;
    fine = api_flag(call, object, "download", &download);
    must(fine == (refused == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct app app = {.clock = {.wall_ms = at_zero, .boot_ms = at_zero}};
    struct api_call call = {.app = &app, .body_size = n};
    char *body = malloc(n + 1);
    must(body != NULL);
    if (n > 0)
        memcpy(body, data, n);
    body[n] = '\0';
    call.body = body;

    refused = 0;
    json_t *object = api_object(&call, KEYS);
    must(refused == (object == NULL));
    if (object) {
        must(json_object_size(object) <= 4);
        read_fields(&call, object);
    }
    json_decref(object);
    free(body);
    return 0;
}
