/*
 * codec_string.h: the CODECS of a video track (RFC 6381) from its init segment. Pure.
 */
#ifndef DROPSTREAM_CODEC_STRING_H
#define DROPSTREAM_CODEC_STRING_H

#include "rc.h"
#include "store.h"

#include <stddef.h>
#include <stdint.h>

/*
 * init: ftyp and moov of one video track. avc1 (ISO/IEC 14496-15 annex E), hvc1 (s.
 * E.3), vp09 (VP Codec ISO Media File Format Binding 1.0), av01 (AV1 Codec ISO Media
 * File Format Binding s. 5). RC_INVALID: its boxes do not fit. RC_UNSUPPORTED: another
 * codec.
 */
enum rc codec_string(const uint8_t *init, size_t n, char out[STORE_CODEC_MAX + 1]);

#endif
