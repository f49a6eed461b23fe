#include "sniff_refuse.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define CONVERT " Convert it to MP4, MOV, MKV or WebM first."
#define TEXT_PROBE 512 /* bytes that must all be text, or all be zero */

static const char reason_audio[] = "This is an audio file; it has no video.";
static const char reason_image[] = "This is an image, not a video.";
static const char reason_program[] = "This is a program, not a video.";
static const char reason_archive[] =
    "This is a compressed archive. Unpack it and upload the video that is in it.";
static const char reason_avi[] = "This is an AVI file." CONVERT;
static const char reason_ts[] = "This is an MPEG transport stream." CONVERT;
static const char reason_ps[] = "This is an MPEG program stream." CONVERT;
static const char reason_raw[] =
    "This is a raw video stream without a container." CONVERT;
static const char reason_asf[] = "This is a Windows Media file." CONVERT;
static const char reason_flv[] = "This is a Flash video." CONVERT;
static const char reason_no_ftyp[] =
    "This is an MP4 or QuickTime file without its file type at the beginning." CONVERT;
static const char reason_segment[] =
    "This is one segment of a stream, not a whole video.";

struct signature {
    size_t offset;
    const char *bytes;
    size_t size;
    const char *reason;
};

#define AT(offset, bytes, reason)                                                      \
    {                                                                                  \
        offset, bytes, sizeof(bytes) - 1, reason                                       \
    }

/* The first that fits decides. */
static const struct signature signatures[] = {
    AT(0, "\xff\xd8\xff", "This is a JPEG image, not a video."),
    AT(0, "\x89PNG\r\n\x1a\n", "This is a PNG image, not a video."),
    AT(0, "GIF87a", "This is a GIF image, not a video."),
    AT(0, "GIF89a", "This is a GIF image, not a video."),
    AT(8, "WEBP", "This is a WebP image, not a video."),
    AT(0, "II*\0", reason_image), /* TIFF and most raw photographs */
    AT(0, "MM\0*", reason_image),
    AT(0, "8BPS", reason_image),     /* Photoshop */
    AT(0, "\xff\x0a", reason_image), /* JPEG XL */
    AT(0, "\0\0\0\x0cJXL \r\n\x87\n", reason_image),
    AT(0, "\0\0\0\x0cjP  \r\n\x87\n", reason_image), /* JPEG 2000 */
    AT(8, "AVI ", reason_avi),
    AT(8, "WAVE", reason_audio),
    AT(8, "AIFF", reason_audio),
    AT(8, "AIFC", reason_audio),
    AT(0, "ID3", reason_audio),
    AT(0, "fLaC", reason_audio),
    AT(0, "caff", reason_audio),
    AT(0, "OggS", "This is an Ogg file, audio or old video." CONVERT),
    AT(0, "\x0bw", reason_audio), /* AC-3 */
    AT(0, "#!AMR", reason_audio),
    AT(0, "FLV\x01", reason_flv),
    AT(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c", reason_asf),
    AT(0, ".RMF", "This is a RealMedia file." CONVERT),
    AT(0, "\x06\x0e\x2b\x34\x02\x05\x01\x01", "This is an MXF file." CONVERT),
    AT(0, "\0\0\x01\xba", reason_ps),
    AT(0, "\0\0\x01\xb3", reason_raw),       /* MPEG-1 and -2 sequence header */
    AT(0, "\0\0\0\x01\x67", reason_raw),     /* H.264 sequence parameter set */
    AT(0, "\0\0\0\x01\x09", reason_raw),     /* H.264 access unit delimiter */
    AT(0, "\0\0\0\x01\x40\x01", reason_raw), /* H.265 video parameter set */
    AT(0, "\0\0\0\x01\x46\x01", reason_raw), /* H.265 access unit delimiter */
    AT(0, "DKIF", reason_raw),               /* IVF */
    AT(0, "YUV4MPEG2 ", reason_raw),
    AT(4, "moov", reason_no_ftyp),
    AT(4, "mdat", reason_no_ftyp),
    AT(4, "wide", reason_no_ftyp),
    AT(4, "free", reason_no_ftyp),
    AT(4, "skip", reason_no_ftyp),
    AT(4, "pnot", reason_no_ftyp),
    AT(4, "styp", reason_segment),
    AT(4, "sidx", reason_segment),
    AT(4, "moof", reason_segment),
    AT(0, "PK\x03\x04", "This is a ZIP archive or a document, not a video."),
    AT(0, "PK\x05\x06", "This is a ZIP archive or a document, not a video."),
    AT(0, "%PDF-", "This is a PDF document, not a video."),
    AT(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "This is a document, not a video."),
    AT(0, "Rar!\x1a\x07", reason_archive),
    AT(0, "7z\xbc\xaf\x27\x1c", reason_archive),
    AT(0, "\x1f\x8b\x08", reason_archive),
    AT(0, "BZh", reason_archive),
    AT(0, "\xfd\x37zXZ\0", reason_archive),
    AT(0, "\x28\xb5\x2f\xfd", reason_archive), /* Zstandard */
    AT(257, "ustar", reason_archive),
    AT(0, "\x7f\x45LF", reason_program),
    AT(0, "MZ", reason_program),
    AT(0, "\xcf\xfa\xed\xfe", reason_program), /* Mach-O */
    AT(0, "\xca\xfe\xba\xbe", reason_program), /* Mach-O, Java class */
};

/* What a text begins with, in any case of letters, after a BOM and blanks. */
static const struct signature texts[] = {
    AT(0, "#EXTM3U",
       "This is an HLS playlist, not a video: it only names other files."),
    AT(0, "#!", "This is a script, not a video."),
    AT(0, "<?php", "This is a script, not a video."),
    AT(0, "<?xml", "This is an XML document, not a video."),
    AT(0, "<svg", "This is an SVG image, not a video."),
    AT(0, "<!doctype", "This is a web page, not a video."),
    AT(0, "<html", "This is a web page, not a video."),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool all_bytes(const uint8_t *data, size_t n, bool (*is)(uint8_t))
{
    size_t end = n < TEXT_PROBE ? n : TEXT_PROBE;

    for (size_t i = 0; i < end; i++)
        if (!is(data[i]))
            return false;
    return true;
}

/* Tab, LF, FF, CR, escape and all that is no control character, in any encoding. */
static bool is_text(uint8_t c)
{
    return (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n' || c == '\f' ||
           c == '\r' || c == 0x1b;
}

static bool is_zero(uint8_t c)
{
    return c == 0;
}

static const char *text_reason(const uint8_t *data, size_t n)
{
    if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        data += 3;
        n -= 3;
    }
    while (n > 0 && (*data == ' ' || (*data >= '\t' && *data <= '\r'))) {
        data++;
        n--;
    }
    for (size_t i = 0; i < COUNT(texts); i++)
        if (n >= texts[i].size &&
            strncasecmp((const char *)data, texts[i].bytes, texts[i].size) == 0)
            return texts[i].reason;
    return NULL;
}

/* An MPEG audio or ADTS frame header (ISO 11172-3 s. 2.4.1.3, ISO 13818-7 s. 6.2). */
static bool is_audio_frame(const uint8_t *d)
{
    bool adts = d[0] == 0xff && (d[1] & 0xf6) == 0xf0;
    bool layer_3 = d[0] == 0xff && (d[1] & 0xe6) == 0xe2 && (d[1] & 0x18) != 0x08 &&
                   d[2] >> 4 != 15 && (d[2] & 0x0c) != 0x0c;

    return adts || layer_3;
}

/* Sync bytes of three packets of 188 bytes, or of 192 with a time stamp before each. */
static bool is_transport_stream(const uint8_t *d, size_t n)
{
    return (n > 376 && d[0] == 0x47 && d[188] == 0x47 && d[376] == 0x47) ||
           (n > 388 && d[4] == 0x47 && d[196] == 0x47 && d[388] == 0x47);
}

const char *sniff_refuse(const uint8_t *data, size_t n)
{
    const char *text;

    for (size_t i = 0; i < COUNT(signatures); i++) {
        const struct signature *s = &signatures[i];

        if (n >= s->offset + s->size &&
            memcmp(data + s->offset, s->bytes, s->size) == 0)
            return s->reason;
    }
    text = text_reason(data, n);
    if (text != NULL)
        return text;
    if (is_transport_stream(data, n))
        return reason_ts;
    if (n >= 3 && is_audio_frame(data))
        return reason_audio;
    if (all_bytes(data, n, is_zero))
        return "The file begins with zeros only: it was not copied completely.";
    if (all_bytes(data, n, is_text) || (n >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 ||
                                                   memcmp(data, "\xfe\xff", 2) == 0)))
        return "This is a text file, not a video.";
    return "The file is not recognised as a video." CONVERT;
}
