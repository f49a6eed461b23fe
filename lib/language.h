/*
 * language.h: tags of languages: BCP 47 (RFC 5646), and what media files say instead.
 *
 * Pure. A tag that comes from here holds letters, digits and dashes only,
 * so that it can be part of a file's name.
 */
#ifndef DROPSTREAM_LANGUAGE_H
#define DROPSTREAM_LANGUAGE_H

#include "rc.h"

#define LANGUAGE_MAX 35                      /* bytes; RFC 5646 s. 4.4.1 */
#define LANGUAGE_SLOT_MAX (LANGUAGE_MAX + 3) /* "-99" after it */

/*
 * What a file says of its track as a well-formed tag (RFC 5646 s. 2.1, without the
 * grandfathered ones) in its usual case: "PT-br" is "pt-BR", "zh-hant" is "zh-Hant"; a
 * code of ISO 639-2 that has a shorter one becomes that: "ger" is "de". "und"
 * (undetermined) where that is no tag of a language.
 */
void language_of_track(const char *tag, char out[LANGUAGE_MAX + 1]);

/*
 * The name of one of several tracks of a language: a tag, or a tag, a dash and a number
 * from 2 to 99. slot is the name, its tag in the usual case; tag is that alone.
 * RC_INVALID. "en-2" is no tag, so what is meant is never in doubt.
 */
enum rc language_slot(const char *text, char slot[LANGUAGE_SLOT_MAX + 1],
                      char tag[LANGUAGE_MAX + 1]);

/* What people call the language of a tag, in English: "German" for "de-AT"; NULL if
 * this program does not know. Static. */
const char *language_name(const char *tag);

#endif
