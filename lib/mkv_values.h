/*
 * mkv_values.h: what the elements of a Matroska file say (RFC 9559 s. 5.1), as
 * mkv_walk.c comes to them, and what follows from it. For that file only.
 */
#ifndef DROPSTREAM_MKV_VALUES_H
#define DROPSTREAM_MKV_VALUES_H

#include "ebml.h"
#include "mkv_walk.h"

enum {
    ID_EBML = 0x1a45dfa3,
    ID_SEGMENT = 0x18538067,
    ID_SEEK_HEAD = 0x114d9b74,
    ID_INFO = 0x1549a966,
    ID_TIMESTAMP_SCALE = 0x2ad7b1,
    ID_DURATION = 0x4489,
    ID_CLUSTER = 0x1f43b675,
    ID_TIMESTAMP = 0xe7,
    ID_SIMPLE_BLOCK = 0xa3,
    ID_BLOCK_GROUP = 0xa0,
    ID_BLOCK = 0xa1,
    ID_TRACKS = 0x1654ae6b,
    ID_TRACK_ENTRY = 0xae,
    ID_TRACK_NUMBER = 0xd7,
    ID_TRACK_TYPE = 0x83,
    ID_CODEC = 0x86,
    ID_DEFAULT_DURATION = 0x23e383,
    ID_CODEC_DELAY = 0x56aa,
    ID_CUES = 0x1c53bb6b,
    ID_CHAPTERS = 0x1043a770,
    ID_TAGS = 0x1254c367,
    ID_ATTACHMENTS = 0x1941a469,
};

/* The element that is being read, with what there is of its body. */
struct mkv_element {
    struct ebml_element e;
    const uint8_t *body;
    size_t n;     /* bytes of the body that are there */
    uint64_t end; /* offset in the file; EBML_UNKNOWN */
};

/*
 * Takes in an element that is not gone into. parent: the ID of what it is in.
 * RC_TRUNCATED: too little of its body is there. RC_INVALID: a value that cannot be.
 */
enum rc mkv_take_value(struct mkv_walk *w, uint32_t parent,
                       const struct mkv_element *el);

/* All of the last block has arrived. */
void mkv_settle_block(struct mkv_walk *w);

#endif
