#include "pass_cookie.h"

#include "cookie.h"
#include "id.h"
#include "pass.h"

#include <stdio.h>

#define NAME "dropstream_media"

enum { COOKIE_BYTES = 256 };

void pass_cookie_set(struct request *r, const char *pass, const char *key, bool framed)
{
    char path[sizeof("/media//") + KEY_LEN], text[COOKIE_BYTES];
    const struct cookie c = {.name = NAME,
                             .value = pass,
                             .path = path,
                             .max_age_s = PASS_COOKIE_S,
                             .secure = request_is_secure(r),
                             .framed = framed};

    snprintf(path, sizeof(path), "/media/%s%s", key, *key ? "/" : "");
    if (cookie_format(&c, text, sizeof(text)) == RC_OK)
        request_add_header(r, "Set-Cookie", text);
}

bool pass_cookie_is(const struct request *r, const char *pass)
{
    return cookie_is(request_header(r, "Cookie"), NAME, pass);
}
