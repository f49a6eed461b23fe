/* ebml_build.h: builds elements of Matroska (RFC 9559) in memory, for tests. */
#ifndef DROPSTREAM_TEST_EBML_BUILD_H
#define DROPSTREAM_TEST_EBML_BUILD_H

#include "boxes.h"

#define EBML_HEADER 0x1a45dfa3
#define SEGMENT 0x18538067
#define SEEK_HEAD 0x114d9b74
#define INFO 0x1549a966
#define SCALE 0x2ad7b1
#define DURATION 0x4489
#define TRACKS 0x1654ae6b
#define ENTRY 0xae
#define NUMBER 0xd7
#define TYPE 0x83
#define CODEC 0x86
#define CODEC_PRIVATE 0x63a2
#define DEFAULT_DURATION 0x23e383
#define CODEC_DELAY 0x56aa
#define CLUSTER 0x1f43b675
#define TIMESTAMP 0xe7
#define SIMPLE_BLOCK 0xa3
#define GROUP 0xa0
#define BLOCK 0xa1
#define BLOCK_DURATION 0x9b
#define CUES 0x1c53bb6b
#define TAGS 0x1254c367
#define VOID 0xec

static inline void ebml_id(struct bytes *b, uint32_t id)
{
    bytes_number(b, id, id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1);
}

/* Begins an element with a size of 8 bytes; ends with ebml_close(b, <the result>). */
static inline size_t ebml_open(struct bytes *b, uint32_t id)
{
    ebml_id(b, id);
    bytes_number(b, UINT64_C(1) << 56, 8);
    return b->n;
}

static inline void ebml_put_size(struct bytes *b, size_t body, uint64_t size)
{
    for (int i = 1; i < 8; i++)
        b->p[body - i] = (uint8_t)(size >> 8 * (i - 1));
}

static inline void ebml_close(struct bytes *b, size_t body)
{
    ebml_put_size(b, body, b->n - body);
}

/* An element of unknown size, which nothing ends. */
static inline void ebml_open_ended(struct bytes *b, uint32_t id)
{
    ebml_id(b, id);
    bytes_number(b, 0xff, 1);
}

/* A number in n bytes. */
static inline void ebml_number(struct bytes *b, uint32_t id, uint64_t value, int n)
{
    ebml_id(b, id);
    bytes_number(b, 0x80 | (unsigned)n, 1);
    bytes_number(b, value, n);
}

static inline void ebml_text(struct bytes *b, uint32_t id, const char *text)
{
    size_t at = ebml_open(b, id);
    bytes_add(b, text, strlen(text));
    ebml_close(b, at);
}

static inline void ebml_filled(struct bytes *b, uint32_t id, size_t n)
{
    size_t at = ebml_open(b, id);
    bytes_fill(b, 'f', n);
    ebml_close(b, at);
}

static inline void ebml_head(struct bytes *b)
{
    size_t at = ebml_open(b, EBML_HEADER);
    ebml_text(b, 0x4282, "matroska");
    ebml_close(b, at);
}

static inline void ebml_track(struct bytes *b, uint64_t number, int type,
                              const char *codec, uint64_t delay_ns)
{
    size_t at = ebml_open(b, ENTRY);
    ebml_number(b, NUMBER, number, 1);
    ebml_number(b, TYPE, (uint64_t)type, 1);
    ebml_filled(b, CODEC_PRIVATE, 200);
    ebml_text(b, CODEC, codec);
    ebml_number(b, DEFAULT_DURATION, 40000000, 4);
    if (delay_ns)
        ebml_number(b, CODEC_DELAY, delay_ns, 4);
    ebml_close(b, at);
}

/* SIMPLE_BLOCK or BLOCK with n bytes of media. */
static inline void ebml_block(struct bytes *b, uint32_t id, unsigned track, int ticks,
                              size_t n)
{
    size_t at = ebml_open(b, id);
    bytes_number(b, 0x80 | track, 1);
    bytes_number(b, (uint16_t)ticks, 2);
    bytes_number(b, 0x80, 1);
    bytes_fill(b, 'b', n);
    ebml_close(b, at);
}

#endif
