/*
 * fuzz_subtitle.c: whatever is uploaded as subtitles gives clean WebVTT, or none. What
 * comes out is the same when it goes in again: nothing in it was left to chance.
 */
#include "fuzz.h"

#include "charset.h"
#include "subtitle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *copy = copy_of(data, n), *once, *twice;
    size_t n_once, n_twice;
    enum rc rc = subtitle_to_webvtt(copy, n, &once, &n_once);
    free(copy);
    if (rc != RC_OK)
        return 0;
    must(memcmp(once, "WEBVTT\n", 7) == 0 && once[n_once] == '\0');
    must(n_once <= SUBTITLE_TEXT_MAX && strlen(once) == n_once);
    must(charset_is_utf8(once, n_once) && !strchr(once, '\r'));
    must(subtitle_to_webvtt(once, n_once, &twice, &n_twice) == RC_OK);
    must(n_once == n_twice && memcmp(once, twice, n_once) == 0);
    free(once);
    free(twice);
    return 0;
}
