#include "language.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SUBTAGS_MAX 18 /* of two bytes, in LANGUAGE_MAX */

/* ISO 639-2 has two codes for some languages, after their English and their own name.
 */
static const struct language {
    const char *code, *iso, *iso_other, *name;
} languages[] = {
    {"ar", "ara", NULL, "Arabic"},     {"bg", "bul", NULL, "Bulgarian"},
    {"bn", "ben", NULL, "Bengali"},    {"bs", "bos", NULL, "Bosnian"},
    {"ca", "cat", NULL, "Catalan"},    {"cs", "ces", "cze", "Czech"},
    {"cy", "cym", "wel", "Welsh"},     {"da", "dan", NULL, "Danish"},
    {"de", "deu", "ger", "German"},    {"el", "ell", "gre", "Greek"},
    {"en", "eng", NULL, "English"},    {"eo", "epo", NULL, "Esperanto"},
    {"es", "spa", NULL, "Spanish"},    {"et", "est", NULL, "Estonian"},
    {"eu", "eus", "baq", "Basque"},    {"fa", "fas", "per", "Persian"},
    {"fi", "fin", NULL, "Finnish"},    {"fr", "fra", "fre", "French"},
    {"ga", "gle", NULL, "Irish"},      {"gl", "glg", NULL, "Galician"},
    {"he", "heb", NULL, "Hebrew"},     {"hi", "hin", NULL, "Hindi"},
    {"hr", "hrv", "scr", "Croatian"},  {"hu", "hun", NULL, "Hungarian"},
    {"hy", "hye", "arm", "Armenian"},  {"id", "ind", NULL, "Indonesian"},
    {"is", "isl", "ice", "Icelandic"}, {"it", "ita", NULL, "Italian"},
    {"ja", "jpn", NULL, "Japanese"},   {"ka", "kat", "geo", "Georgian"},
    {"kk", "kaz", NULL, "Kazakh"},     {"ko", "kor", NULL, "Korean"},
    {"la", "lat", NULL, "Latin"},      {"lt", "lit", NULL, "Lithuanian"},
    {"lv", "lav", NULL, "Latvian"},    {"mk", "mkd", "mac", "Macedonian"},
    {"ml", "mal", NULL, "Malayalam"},  {"mn", "mon", NULL, "Mongolian"},
    {"ms", "msa", "may", "Malay"},     {"nb", "nob", NULL, "Norwegian Bokmål"},
    {"nl", "nld", "dut", "Dutch"},     {"nn", "nno", NULL, "Norwegian Nynorsk"},
    {"no", "nor", NULL, "Norwegian"},  {"pl", "pol", NULL, "Polish"},
    {"pt", "por", NULL, "Portuguese"}, {"ro", "ron", "rum", "Romanian"},
    {"ru", "rus", NULL, "Russian"},    {"sk", "slk", "slo", "Slovak"},
    {"sl", "slv", NULL, "Slovenian"},  {"sq", "sqi", "alb", "Albanian"},
    {"sr", "srp", "scc", "Serbian"},   {"sv", "swe", NULL, "Swedish"},
    {"ta", "tam", NULL, "Tamil"},      {"te", "tel", NULL, "Telugu"},
    {"th", "tha", NULL, "Thai"},       {"tr", "tur", NULL, "Turkish"},
    {"uk", "ukr", NULL, "Ukrainian"},  {"ur", "urd", NULL, "Urdu"},
    {"vi", "vie", NULL, "Vietnamese"}, {"zh", "zho", "chi", "Chinese"},
};

#define LANGUAGES (sizeof(languages) / sizeof(languages[0]))

/* ---- the grammar of RFC 5646 s. 2.1 ---------------------------------------- */

struct subtags {
    struct subtag {
        char *s; /* in a copy of the tag; its case is changed there */
        size_t n;
    } v[SUBTAGS_MAX];
    size_t n, at; /* at: the next one to be taken */
};

static bool is_ascii(char c, int (*kind)(int))
{
    return (unsigned char)c < 0x80 && kind((unsigned char)c);
}

static bool all(const struct subtag *t, int (*kind)(int))
{
    for (size_t i = 0; i < t->n; i++)
        if (!is_ascii(t->s[i], kind))
            return false;
    return true;
}

/* The next subtag, if it has so many characters, all of that kind. */
static struct subtag *take(struct subtags *tags, size_t min, size_t max,
                           int (*kind)(int))
{
    struct subtag *t = &tags->v[tags->at];
    if (tags->at == tags->n || t->n < min || t->n > max || !all(t, kind))
        return NULL;
    tags->at++;
    return t;
}

static bool split(char *text, struct subtags *out)
{
    out->n = out->at = 0;
    for (char *s = text;; s++) {
        size_t n = strcspn(s, "-");
        if (n == 0 || out->n == SUBTAGS_MAX)
            return false;
        out->v[out->n++] = (struct subtag){s, n};
        s += n;
        if (!*s)
            return true;
    }
}

static void raise(struct subtag *t, size_t n)
{
    for (size_t i = 0; t && i < n && i < t->n; i++)
        t->s[i] = (char)toupper((unsigned char)t->s[i]);
}

static bool take_variant(struct subtags *tags)
{
    const struct subtag *t = &tags->v[tags->at];
    if (take(tags, 5, 8, isalnum))
        return true;
    return tags->at < tags->n && is_ascii(t->s[0], isdigit) &&
           take(tags, 4, 4, isalnum);
}

/* A singleton and what it is about: "u-co-phonebk", "x-whatever". */
static bool take_extension(struct subtags *tags)
{
    const struct subtag *single = take(tags, 1, 1, isalnum);
    size_t from = tags->at;
    if (!single)
        return false;
    while (take(tags, single->s[0] == 'x' ? 1 : 2, 8, isalnum))
        continue;
    if (tags->at > from)
        return true;
    tags->at--; /* nothing follows: it is no extension */
    return false;
}

/* Without extensions, if plain. */
static bool take_language(struct subtags *tags, bool plain)
{
    const struct subtag *language = take(tags, 2, 8, isalpha);
    if (!language)
        return !plain && tags->v[0].s[0] == 'x' && take_extension(tags);
    for (int i = 0; language->n <= 3 && i < 3; i++)
        if (!take(tags, 3, 3, isalpha))
            break;
    raise(take(tags, 4, 4, isalpha), 1);
    struct subtag *region = take(tags, 2, 2, isalpha);
    if (region)
        raise(region, 2);
    else
        take(tags, 3, 3, isdigit);
    while (take_variant(tags))
        continue;
    while (!plain && take_extension(tags))
        continue;
    return true;
}

static const struct language *find(const char *code, size_t n)
{
    for (size_t i = 0; i < LANGUAGES; i++) {
        const struct language *l = &languages[i];
        const char *const codes[] = {l->code, l->iso, l->iso_other};
        for (size_t k = 0; k < 3; k++)
            if (codes[k] && strlen(codes[k]) == n && strncmp(codes[k], code, n) == 0)
                return l;
    }
    return NULL;
}

static enum rc normalise(const char *tag, bool plain, char out[LANGUAGE_MAX + 1])
{
    char text[LANGUAGE_MAX + 1];
    struct subtags tags;
    size_t n = strlen(tag);
    if (n > LANGUAGE_MAX)
        return RC_INVALID;
    for (size_t i = 0; i <= n; i++)
        text[i] = (char)tolower((unsigned char)tag[i]);
    if (!split(text, &tags) || !take_language(&tags, plain) || tags.at != tags.n)
        return RC_INVALID;
    const struct language *l = find(text, tags.v[0].n);
    snprintf(out, LANGUAGE_MAX + 1, "%s%s", l ? l->code : "",
             l ? text + tags.v[0].n : text);
    return RC_OK;
}

void language_of_track(const char *tag, char out[LANGUAGE_MAX + 1])
{
    if (normalise(tag, false, out) != RC_OK)
        snprintf(out, LANGUAGE_MAX + 1, "und");
}

enum rc language_slot(const char *text, char slot[LANGUAGE_SLOT_MAX + 1],
                      char tag[LANGUAGE_MAX + 1])
{
    char base[LANGUAGE_MAX + 1];
    const char *dash = strrchr(text, '-');
    int number = 0, end = 0;
    if (normalise(text, false, tag) == RC_OK) {
        snprintf(slot, LANGUAGE_SLOT_MAX + 1, "%s", tag);
        return RC_OK;
    }
    if (!dash || (size_t)(dash - text) > LANGUAGE_MAX || strlen(dash) > 3 ||
        !is_ascii(dash[1], isdigit) || dash[1] == '0' ||
        sscanf(dash + 1, "%2d%n", &number, &end) != 1 || dash[1 + end] || number < 2)
        return RC_INVALID;
    snprintf(base, sizeof(base), "%.*s", (int)(dash - text), text);
    if (normalise(base, true, tag) != RC_OK)
        return RC_INVALID;
    snprintf(slot, LANGUAGE_SLOT_MAX + 1, "%s-%d", tag, number);
    return RC_OK;
}

const char *language_name(const char *tag)
{
    const struct language *l = find(tag, strcspn(tag, "-"));
    return l ? l->name : NULL;
}
