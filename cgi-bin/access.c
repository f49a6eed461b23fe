#include "access.h"

#include <string.h>

/* Of each want: the scope that a token needs; the one that will do for what is one's
 * own; and for each role a letter for each relation, in the order none, own, everyone,
 * hidden: '+' yes, 'f' forbidden, '-' not found. */
static const struct rule {
    const char *name;
    unsigned scope, own_scope;
    const char *roles[3];
} rules[WANT_COUNT] = {
    /*                                          owner   member  viewer */
    [WANT_OPEN] = {"open", ACCESS_ALL, 0, {"++++", "++++", "++++"}},
    [WANT_LIST] = {"list", SCOPE_READ, 0, {"++++", "++++", "++++"}},
    [WANT_WATCH] = {"watch", SCOPE_READ, SCOPE_UPLOAD, {"++++", "+++-", "+++-"}},
    [WANT_MEDIA] = {"media", SCOPE_READ, 0, {"++++", "+++-", "+++-"}},
    [WANT_EDIT] = {"edit", 0, 0, {"++++", "++f-", "+ff-"}},
    [WANT_ORIGINAL] = {"original", SCOPE_READ, 0, {"++++", "++f-", "+ff-"}},
    [WANT_UPLOAD] = {"upload", SCOPE_UPLOAD, 0, {"++++", "++--", "ffff"}},
    [WANT_ACTIVITY] = {"activity", SCOPE_READ, 0, {"++++", "++--", "ffff"}},
    [WANT_ACCOUNT] = {"account", 0, 0, {"++++", "++++", "++++"}},
    [WANT_USERS] = {"users", 0, 0, {"++++", "ffff", "ffff"}},
    [WANT_HEALTH] = {"health", SCOPE_READ, 0, {"++++", "ffff", "ffff"}},
};

const char *want_name(enum want want)
{
    return (unsigned)want < WANT_COUNT ? rules[want].name : "unknown";
}

enum relation access_relation(const struct asker *asker, int64_t owner_id,
                              enum visibility visibility)
{
    if (!asker->known)
        return RELATION_HIDDEN;
    if (owner_id != 0 && owner_id == asker->user_id)
        return RELATION_OWN;
    return visibility == VISIBLE_EVERYONE ? RELATION_EVERYONE : RELATION_HIDDEN;
}

/* What a token that was made for something else is told. It may still know of what is
 * its user's own, so only there anything depends on which video it is. */
static enum access check_scope(const struct asker *asker, const struct rule *rule,
                               enum relation relation, enum access by_role)
{
    if (asker->scopes & (rule->scope | SCOPE_ADMIN))
        return by_role;
    if (!(asker->scopes & rule->own_scope))
        return ACCESS_SCOPE;
    if (relation == RELATION_NONE || relation == RELATION_OWN ||
        by_role == ACCESS_NOT_FOUND)
        return by_role;
    return ACCESS_SCOPE;
}

static enum access from_letter(char letter)
{
    switch (letter) {
    case '+':
        return ACCESS_YES;
    case 'f':
        return ACCESS_FORBIDDEN;
    default:
        return ACCESS_NOT_FOUND;
    }
}

enum access access_check(const struct asker *asker, enum want want,
                         enum relation relation)
{
    const struct rule *rule = &rules[want];

    if (want == WANT_OPEN)
        return ACCESS_YES;
    if (!asker->known)
        return ACCESS_SIGN_IN;
    return check_scope(asker, rule, relation,
                       from_letter(rule->roles[asker->role][relation]));
}
