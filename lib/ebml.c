#include "ebml.h"

#include <string.h>

/* The bytes of a number that begins with this one; over 8 if none does. */
static int length_of(uint8_t first)
{
    int n = 1;
    while (n <= 8 && !(first & (0x80 >> (n - 1))))
        n++;
    return n;
}

/* As ebml_vint, its marker left on. */
static enum rc read_marked(const uint8_t *data, size_t n, int max, uint64_t *out,
                           int *length)
{
    if (n == 0)
        return RC_TRUNCATED;
    int bytes = length_of(data[0]);
    if (bytes > max)
        return RC_INVALID;
    if (n < (size_t)bytes)
        return RC_TRUNCATED;
    *out = ebml_uint(data, (size_t)bytes);
    *length = bytes;
    return RC_OK;
}

enum rc ebml_vint(const uint8_t *data, size_t n, int max, uint64_t *out, int *length)
{
    enum rc rc = read_marked(data, n, max, out, length);
    if (rc == RC_OK)
        *out &= (UINT64_C(1) << 7 * *length) - 1;
    return rc;
}

enum rc ebml_header(const uint8_t *data, size_t n, struct ebml_element *out)
{
    uint64_t id, size;
    int id_length, size_length;
    enum rc rc = read_marked(data, n, 4, &id, &id_length);
    if (rc == RC_OK)
        rc = ebml_vint(data + id_length, n - (size_t)id_length, 8, &size, &size_length);
    if (rc != RC_OK)
        return rc;
    *out = (struct ebml_element){
        .id = (uint32_t)id,
        .header_size = (uint8_t)(id_length + size_length),
        .size = size == (UINT64_C(1) << 7 * size_length) - 1 ? EBML_UNKNOWN : size,
    };
    return RC_OK;
}

uint64_t ebml_uint(const uint8_t *body, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | body[i];
    return value;
}

double ebml_float(const uint8_t *body, size_t n)
{
    uint64_t bits = ebml_uint(body, n);
    uint32_t half = (uint32_t)bits;
    float single;
    double value = 0;
    if (n == 8) {
        memcpy(&value, &bits, sizeof(value));
    } else if (n == 4) {
        memcpy(&single, &half, sizeof(single));
        value = single;
    }
    return value;
}
