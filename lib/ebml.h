/*
 * ebml.h: elements of EBML (RFC 8794), the format below Matroska and WebM.
 *
 * Works on bytes in memory and never reads past the end it is given. No I/O, no
 * allocation.
 */
#ifndef DROPSTREAM_EBML_H
#define DROPSTREAM_EBML_H

#include "rc.h"

#include <stddef.h>
#include <stdint.h>

#define EBML_UNKNOWN UINT64_MAX /* a size that the element does not state (s. 6.2) */
#define EBML_HEADER_MAX 12      /* bytes of an ID of up to 4 and a size of up to 8 */

struct ebml_element {
    uint32_t id; /* with its length marker, as RFC 9559 lists them */
    uint8_t header_size;
    uint64_t size; /* of the body, below 2^56; EBML_UNKNOWN */
};

/*
 * Reads the ID and size that an element begins with from the first n bytes.
 * RC_TRUNCATED: n is too small to tell. RC_INVALID: a length that no ID or size has.
 * Whether the size fits in what the element is in is for the caller to say.
 */
enum rc ebml_header(const uint8_t *data, size_t n, struct ebml_element *out);

/*
 * A number of variable length (s. 4) of at most max (1 … 8) bytes, its marker taken
 * off; *length gets the bytes it took. RC_TRUNCATED, RC_INVALID as above.
 */
enum rc ebml_vint(const uint8_t *data, size_t n, int max, uint64_t *out, int *length);

/* The value of an element of n bytes (s. 7.2); the last 8 of them count. */
uint64_t ebml_uint(const uint8_t *body, size_t n);

/* As well, of a float (s. 7.3): n is 4 or 8. 0 for any other n. */
double ebml_float(const uint8_t *body, size_t n);

#endif
