/*
 * What can be guessed is limited by whom it is about and by where it comes from: after
 * a few failures each further one has to wait, longer and longer (store_accounts.h).
 */
#include "api.h"

#include "address.h"
#include "http.h"
#include "store_accounts.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

static void add(struct api_tries *t, bool lenient, const char *kind, const char *what)
{
    snprintf(t->texts[t->n], sizeof(t->texts[t->n]), "%s:%s", kind, what);
    t->subjects[t->n] = (struct try_subject){t->texts[t->n], lenient};
    t->n++;
}

void api_tries_of_address(const struct api_call *call, struct api_tries *out)
{
    char address[ADDRESS_TEXT_MAX + 1];

    address_text(request_peer(call->r), address);
    out->n = 0;
    add(out, false, "address", address);
}

/*
 * Names differ in more than the case of their letters. Whatever is too long for one is
 * none, and may count as another. The account by itself is for those who guess from
 * many addresses; it must not be what keeps its user out.
 */
void api_tries_of_account(const struct api_call *call, const char *name,
                          struct api_tries *out)
{
    char address[ADDRESS_TEXT_MAX + 1], small[STORE_USER_MAX + 2];
    char both[sizeof(address) + sizeof(small)];

    snprintf(small, sizeof(small), "%s", name);
    for (char *p = small; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    address_text(request_peer(call->r), address);
    snprintf(both, sizeof(both), "%s %s", address, small);
    out->n = 0;
    add(out, false, "sign-in", both);
    add(out, false, "address", address);
    add(out, true, "account", small);
}

/* Here too, the share by itself is for those who guess from many addresses. */
void api_tries_of_share(const struct api_call *call, const char *token,
                        struct api_tries *out)
{
    char address[ADDRESS_TEXT_MAX + 1], what[KEY_LEN + 1 + sizeof(address)];

    address_text(request_peer(call->r), address);
    snprintf(what, sizeof(what), "%s %s", token, address);
    out->n = 0;
    add(out, false, "share", what);
    add(out, true, "share of all", token);
}

static void send_too_many(struct api_call *call, int64_t wait_ms)
{
    char seconds[24], message[80];
    const struct http_error error = {429, "too_many", message};
    const struct header retry = {"Retry-After", seconds};

    snprintf(seconds, sizeof(seconds), "%" PRId64, (wait_ms + 999) / 1000);
    snprintf(message, sizeof(message), "Too many tries. Try again in %s s.", seconds);
    http_send_error(call->r, &error, &retry);
}

bool api_try(struct api_call *call, const struct api_tries *tries)
{
    int64_t wait_ms = 0;
    enum rc rc = call->slowly
                     ? store_try_begin(call->st, tries->subjects, tries->n, &wait_ms)
                     : store_try_look(call->st, tries->subjects, tries->n, &wait_ms);

    if (rc != RC_OK)
        api_fail(call, rc);
    else if (wait_ms > 0)
        send_too_many(call, wait_ms);
    return rc == RC_OK && wait_ms == 0;
}

/* Whoever got in is not kept out because this could not be written. */
void api_tried_well(struct api_call *call, const struct api_tries *tries)
{
    store_try_succeeded(call->st, tries->subjects, tries->n);
}
