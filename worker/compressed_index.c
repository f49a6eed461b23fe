#include "compressed_index.h"

#include "bmff.h"

#include <stdlib.h>
#include <zlib.h>

enum rc compressed_index_size(const uint8_t *body, size_t n, size_t *size)
{
    if (n < COMPRESSED_INDEX_HEAD ||
        bmff_u32(body + 4) != BMFF_FOURCC('d', 'c', 'o', 'm') ||
        bmff_u32(body + 8) != BMFF_FOURCC('z', 'l', 'i', 'b') ||
        bmff_u32(body + 16) != BMFF_FOURCC('c', 'm', 'v', 'd'))
        return RC_UNSUPPORTED;
    *size = bmff_u32(body + 20);
    return RC_OK;
}

enum rc compressed_index_inflate(const uint8_t *body, size_t n, size_t size,
                                 uint8_t **out, size_t *got)
{
    uLongf length = size;
    uint8_t *bytes = malloc(size + 1);
    if (!bytes)
        return RC_NOMEM;
    int z = uncompress(bytes, &length, body + COMPRESSED_INDEX_HEAD,
                       n - COMPRESSED_INDEX_HEAD);
    if (z != Z_OK) {
        free(bytes);
        return z == Z_MEM_ERROR ? RC_NOMEM : RC_INVALID;
    }
    *out = bytes;
    *got = length;
    return RC_OK;
}
