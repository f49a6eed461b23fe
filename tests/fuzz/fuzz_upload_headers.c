/*
 * fuzz_upload_headers.c: whatever stands in the headers and the URL of an upload. The
 * input is one text, which every reader is given.
 */
#include "fuzz.h"

#include "address.h"
#include "checksum.h"
#include "cookie.h"
#include "disposition.h"
#include "http_text.h"
#include "language.h"
#include "media_path.h"
#include "multipart.h"
#include "same_origin.h"
#include "text.h"
#include "tus_headers.h"
#include "upload_names.h"

#include <stdio.h>

static bool is_clean(const char *text)
{
    return text_is_clean(text, strlen(text));
}

static void read_tus(const char *text)
{
    struct tus_metadata meta;
    struct tus_checksum sum;
    struct checksum *c;
    const char *why = NULL;
    enum rc rc = tus_metadata_read(text, &meta, &why);

    must(rc == RC_OK || rc == RC_TOO_LARGE || (rc == RC_INVALID && why));
    if (rc == RC_OK) {
        must(is_clean(meta.filename) && is_clean(meta.title));
        must(!meta.upload_id[0] || strlen(meta.upload_id) == UPLOAD_ID_LEN);
        must(strspn(meta.upload_id, "0123456789abcdef") == strlen(meta.upload_id));
    }
    if (tus_checksum_read(text, &sum) == RC_OK) {
        must(sum.n > 0 && sum.n <= TUS_DIGEST_MAX && !strchr(sum.algorithm, ' '));
        if (checksum_open(&sum, &c) == RC_OK) {
            checksum_update(c, text, strlen(text));
            checksum_matches(c);
            checksum_free(c);
        }
    }
    tus_is_chunk_type(text);
}

/* One that was taken is taken again in quotes. */
static void read_boundary(const char *text)
{
    char once[MULTIPART_BOUNDARY_MAX + 1], twice[MULTIPART_BOUNDARY_MAX + 1];
    char type[MULTIPART_BOUNDARY_MAX + 64];
    if (multipart_boundary(text, once) != RC_OK)
        return;
    must(once[0] && strlen(once) <= MULTIPART_BOUNDARY_MAX);
    snprintf(type, sizeof(type), "Multipart/Form-Data;boundary=\"%s\"", once);
    must(multipart_boundary(type, twice) == RC_OK && strcmp(once, twice) == 0);
}

static void read_names(const char *text)
{
    char name[STORE_FILENAME_MAX + 1], title[STORE_TITLE_MAX + 1];
    char header[DISPOSITION_MAX(STORE_FILENAME_MAX)];
    upload_filename(name, text);
    must(name[0] && is_clean(name) && !strpbrk(name, "/\\"));
    upload_title(title, text, name);
    must(title[0] && is_clean(title));
    must(disposition_attachment(name, header, sizeof(header)) == RC_OK);
    for (const char *p = header; *p; p++)
        must(*p >= ' ' && *p < 0x7f && *p != '/' && *p != '\\');
    must(strchr(strchr(strchr(header, '"') + 1, '"') + 1, '"') == NULL);
}

static void read_numbers(const char *text)
{
    char again[24];
    int64_t once, twice, kept = -7;
    if (http_number(text, 0, INT64_MAX, &once) == RC_OK) {
        snprintf(again, sizeof(again), "%lld", (long long)once);
        must(http_number(again, once, once, &twice) == RC_OK && once == twice);
        must(text[strspn(text, "0123456789")] == '\0');
    }
    if (http_param_number(text, "offset", 1, 1000, &kept) == RC_OK)
        must(kept == -7 || (kept >= 1 && kept <= 1000));
    else
        must(kept == -7);
}

static void read_url(const char *text)
{
    struct media_path path;
    char key[KEY_LEN + 1], file[MEDIA_FILE_MAX + 1], value[256];
    char slot[LANGUAGE_SLOT_MAX + 1], tag[LANGUAGE_MAX + 1], twice[sizeof(slot)];
    if (media_path_parse(text, &path) == RC_OK) {
        must(path.generation > 0 && path.segment >= MEDIA_INIT);
        media_path_file(&path, file);
        must(strncmp(text, "/media/", 7) == 0 && strcmp(text + 7, file) == 0);
        must(media_path_key(text, key) == RC_OK && strcmp(key, path.key) == 0);
    }
    if (media_path_key(text, key) == RC_OK)
        must(!strstr(text, "/..") && !strstr(text, "//"));
    if (http_param(text, "label", value, sizeof(value)) == RC_OK)
        must(is_clean(value));
    if (language_slot(text, slot, tag) == RC_OK) {
        must(slot[strspn(slot, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789-")] == '\0');
        must(language_slot(slot, twice, tag) == RC_OK && strcmp(slot, twice) == 0);
    }
}

static void read_origin(const char *text)
{
    char value[64], address[ADDRESS_TEXT_MAX + 1];
    if (cookie_find(text, "session", value, sizeof(value)) == RC_OK)
        must(cookie_is(text, "session", value));
    address_text(text, address);
    must(address[0] && strlen(address) <= ADDRESS_TEXT_MAX);
    must(same_origin(NULL, text, "site.example", true) != ORIGIN_SAME ||
         strcasecmp(text, "https://site.example") == 0 ||
         strcasecmp(text, "https://site.example:443") == 0);
    same_origin_host_is_local(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = text_of(data, n);
    read_tus(text);
    read_boundary(text);
    read_names(text);
    read_numbers(text);
    read_url(text);
    read_origin(text);
    free(text);
    return 0;
}
