#include "sniff.h"

#include "bmff.h"
#include "ebml.h"
#include "sniff_refuse.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MIN_BYTES 16 /* the smallest ftyp box; nothing shorter can be told apart */
#define FTYP_MAX 512 /* 124 compatible brands; real files have up to a dozen */
/* No real box is larger than 256 TiB; random bytes read as a 64-bit size are. */
#define BOX_MAX (1ull << 48)
#define EBML_BODY_MAX 1024 /* of the EBML header */

static const char reason_mp4_damaged[] =
    "This begins like an MP4 file, but its first boxes are damaged.";
static const char reason_ebml_damaged[] =
    "This begins like a Matroska file, but its header is damaged.";
static const char reason_ends[] =
    "Nothing follows the header of the file: it was not copied completely.";

/* ---- ISO base media and QuickTime ------------------------------------------ */

/* What a brand says about a file; an image's or audio's refusal is its reason. */
struct brands {
    const char *fourccs; /* with a '|' between two */
    enum container container;
    const char *reason;
};

/* From the register of brands at mp4ra.org and what is met in the wild. */
static const struct brands known_brands[] = {
    {"isom|iso2|iso3|iso4|iso5|iso6|iso7|iso8|iso9|isoa|isob|isoc|mp41|mp42|mp71|"
     "avc1|hvc1|hev1|dvh1|av01|vp09|M4V |M4VH|M4VP|F4V |F4P |"
     "dash|msdh|msix|cmfc|cmf2|cmfs|cmff|cmfl|cmfd|cmfh|chdf|chd1|cfhd|cfsd|cud1|cud8|"
     "isml|piff|ccff|dby1|XAVC|MSNV|mmp4|SDV |KDDI|niko|caqv|"
     "NDSC|NDSH|NDSM|NDSP|NDSS|NDXC|NDXH|NDXM|NDXP|NDXS",
     CONTAINER_MP4, NULL},
    {"qt  ", CONTAINER_MOV, NULL},
    {"M4A |M4B |M4P |F4A |F4B |NDAS|aax |aaxc", CONTAINER_NONE,
     "This is an audio file (M4A); it has no video."},
    {"heic|heix|heim|heis|hevc|hevx|hevm|hevs|mif1|mif2|mif3|msf1", CONTAINER_NONE,
     "This is a HEIC image, not a video."},
    {"avif|avis|avio", CONTAINER_NONE, "This is an AVIF image, not a video."},
    {"crx |jpeg|jpgs|avci|avcs|vvic|vvis", CONTAINER_NONE,
     "This is an image, not a video."},
};

/* Boxes of the top level: ISO 14496-12 and DASH, then QuickTime, then cameras. */
static const char top_level_boxes[] = "moov|mdat|free|skip|uuid|moof|mfra|sidx|ssix|"
                                      "styp|pdin|meta|meco|prft|emsg|imda|bloc|"
                                      "wide|pnot|PICT|pict|udta|junk|"
                                      "thum|frea|ardt|prrt|inst|_htc|mpvd|sefd";

static bool in_list(const char *fourccs, uint32_t type)
{
    for (const char *p = fourccs;; p += 5) {
        if (bmff_u32((const uint8_t *)p) == type)
            return true;
        if (p[4] == '\0')
            return false;
    }
}

/* The table's row for a brand, or NULL. */
static const struct brands *find_brand(uint32_t brand)
{
    /* 3GPP and 3GPP2 have a brand for each release and profile ("3gp4", "3g2a"); all
     * are MP4 like the first row. */
    if (brand >> 16 == (uint32_t)('3' << 8 | 'g'))
        return &known_brands[0];
    for (size_t i = 0; i < sizeof(known_brands) / sizeof(known_brands[0]); i++)
        if (in_list(known_brands[i].fourccs, brand))
            return &known_brands[i];
    return NULL;
}

/*
 * A known major brand decides. An unknown one is a maker's own: then the first
 * compatible brand of video, else the first known one.
 */
static void sniff_brands(const uint8_t *body, size_t size, struct sniff *out)
{
    const struct brands *found = find_brand(bmff_u32(body));

    if (found == NULL) {
        for (size_t i = 8; i < size; i += 4) {
            const struct brands *brands = find_brand(bmff_u32(body + i));

            if (brands != NULL &&
                (found == NULL || brands->container != CONTAINER_NONE))
                found = brands;
            if (found != NULL && found->container != CONTAINER_NONE)
                break;
        }
    }
    if (found == NULL) {
        out->reason = "This is a relative of MP4 that is not known to hold video.";
        return;
    }
    out->container = found->container;
    out->reason = found->reason;
}

/* Why the boxes after the ftyp make no sense, or NULL. */
static const char *check_boxes(const uint8_t *data, size_t n, size_t offset)
{
    struct bmff_header h;
    size_t boxes = 0;
    enum rc rc;

    while ((rc = bmff_header(data + offset, n - offset, &h)) == RC_OK) {
        if (!in_list(top_level_boxes, h.type) || h.size > BOX_MAX)
            return reason_mp4_damaged;
        boxes++;
        if (h.size == 0 || h.size > n - offset)
            return NULL;
        offset += (size_t)h.size;
    }
    if (rc == RC_INVALID)
        return reason_mp4_damaged;
    return boxes > 0 ? NULL : reason_ends;
}

static void sniff_bmff(const uint8_t *data, size_t n, struct sniff *out)
{
    struct bmff_header h;

    if (bmff_header(data, n, &h) != RC_OK || h.size > FTYP_MAX ||
        h.size < h.header_size + 8u || h.size % 4 != 0) {
        out->reason = reason_mp4_damaged;
        return;
    }
    if (h.size > n) {
        out->reason = reason_ends;
        return;
    }
    sniff_brands(data + h.header_size, (size_t)h.size - h.header_size, out);
    if (out->container == CONTAINER_NONE)
        return;
    out->reason = check_boxes(data, n, (size_t)h.size);
    if (out->reason != NULL)
        out->container = CONTAINER_NONE;
}

/* ---- Matroska and WebM ----------------------------------------------------- */

enum {
    ID_EBML = 0x1a45dfa3,
    ID_EBML_READ_VERSION = 0x42f7,
    ID_EBML_MAX_ID_LENGTH = 0x42f2,
    ID_EBML_MAX_SIZE_LENGTH = 0x42f3,
    ID_DOC_TYPE = 0x4282,
    ID_DOC_TYPE_READ_VERSION = 0x4285,
    ID_VOID = 0xec,
    ID_CRC_32 = 0xbf,
    ID_SEGMENT = 0x18538067,
};

struct element {
    uint32_t id;
    uint64_t size; /* of the body; EBML_UNKNOWN if the file does not say */
    const uint8_t *body;
};

/* The element at *p, which is moved to its body. RC_TRUNCATED, RC_INVALID. */
static enum rc read_element(const uint8_t **p, const uint8_t *end, struct element *out)
{
    struct ebml_element e;
    enum rc rc = ebml_header(*p, (size_t)(end - *p), &e);

    if (rc != RC_OK)
        return rc;
    *p += e.header_size;
    *out = (struct element){e.id, e.size, *p};
    return RC_OK;
}

/* False if the element is a number that this program can't go by. */
static bool is_readable(const struct element *e)
{
    uint64_t value;
    uint64_t max = e->id == ID_EBML_READ_VERSION       ? 1
                   : e->id == ID_EBML_MAX_ID_LENGTH    ? 4
                   : e->id == ID_EBML_MAX_SIZE_LENGTH  ? 8
                   : e->id == ID_DOC_TYPE_READ_VERSION ? 4 /* RFC 9559 section 5.1 */
                                                       : EBML_UNKNOWN;

    /* Without a body an element has its default, which is readable. */
    if (max == EBML_UNKNOWN || e->size == 0)
        return true;
    if (e->size > 8)
        return false;
    value = ebml_uint(e->body, (size_t)e->size);
    return value >= 1 && value <= max;
}

static enum container doc_type(const struct element *e)
{
    const char *text = (const char *)e->body;
    size_t n = (size_t)e->size;

    /* RFC 8794 section 7.4: a string may be padded with zeros. */
    while (n > 0 && text[n - 1] == '\0')
        n--;
    if (n == 8 && memcmp(text, "matroska", n) == 0)
        return CONTAINER_MATROSKA;
    if (n == 4 && memcmp(text, "webm", n) == 0)
        return CONTAINER_WEBM;
    return CONTAINER_NONE;
}

/* The elements of the EBML header, [p, end). */
static void sniff_ebml_header(const uint8_t *p, const uint8_t *end, struct sniff *out)
{
    struct element e;

    out->reason = "This is a relative of Matroska that is not known to hold video.";
    while (p < end) {
        if (read_element(&p, end, &e) != RC_OK || e.size > (uint64_t)(end - p) ||
            !is_readable(&e)) {
            *out = (struct sniff){CONTAINER_NONE, reason_ebml_damaged};
            return;
        }
        if (e.id == ID_DOC_TYPE)
            out->container = doc_type(&e);
        p += e.size;
    }
    if (out->container != CONTAINER_NONE)
        out->reason = NULL;
}

/* Why what follows the EBML header is no Segment, or NULL. */
static const char *check_segment(const uint8_t *p, const uint8_t *end, bool whole_file)
{
    struct element e;
    enum rc rc;

    while ((rc = read_element(&p, end, &e)) == RC_OK) {
        if (e.id == ID_SEGMENT)
            return NULL;
        if ((e.id != ID_VOID && e.id != ID_CRC_32) || e.size == EBML_UNKNOWN)
            return reason_ebml_damaged;
        if (e.size > (uint64_t)(end - p)) {
            rc = RC_TRUNCATED;
            break;
        }
        p += e.size;
    }
    if (rc == RC_INVALID)
        return reason_ebml_damaged;
    return whole_file ? reason_ends : NULL;
}

static void sniff_ebml(const uint8_t *data, size_t n, struct sniff *out)
{
    const uint8_t *p = data;
    const uint8_t *end = data + n;
    struct element header;

    if (read_element(&p, end, &header) != RC_OK || header.size > EBML_BODY_MAX) {
        out->reason = reason_ebml_damaged;
        return;
    }
    if (header.size > (uint64_t)(end - p)) {
        out->reason = reason_ends;
        return;
    }
    sniff_ebml_header(p, p + header.size, out);
    if (out->container == CONTAINER_NONE)
        return;
    out->reason = check_segment(p + header.size, end, n < SNIFF_BYTES);
    if (out->reason != NULL)
        out->container = CONTAINER_NONE;
}

/* ---- the rule -------------------------------------------------------------- */

enum rc sniff(const void *data, size_t n, struct sniff *out)
{
    const uint8_t *bytes = data;

    if (n > SNIFF_BYTES)
        n = SNIFF_BYTES;
    *out = (struct sniff){CONTAINER_NONE, NULL};
    if (n == 0)
        out->reason = "The file is empty.";
    else if (n < MIN_BYTES)
        out->reason = "The file is too short to be a video.";
    else if (bmff_u32(bytes) == ID_EBML)
        sniff_ebml(bytes, n, out);
    else if (bmff_u32(bytes + 4) == BMFF_FOURCC('f', 't', 'y', 'p'))
        sniff_bmff(bytes, n, out);
    else
        out->reason = sniff_refuse(bytes, n);
    return out->reason == NULL ? RC_OK : RC_UNSUPPORTED;
}

static const char *const names[] = {
    [CONTAINER_NONE] = "none", [CONTAINER_MP4] = "mp4",
    [CONTAINER_MOV] = "mov",   [CONTAINER_MATROSKA] = "matroska",
    [CONTAINER_WEBM] = "webm",
};

const char *container_name(enum container c)
{
    return (unsigned)c <= CONTAINER_WEBM ? names[c] : "none";
}

enum container container_from_name(const char *name)
{
    for (unsigned c = CONTAINER_MP4; name != NULL && c <= CONTAINER_WEBM; c++)
        if (strcmp(name, names[c]) == 0)
            return (enum container)c;
    return CONTAINER_NONE;
}
