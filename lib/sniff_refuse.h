/*
 * sniff_refuse.h: why a file that is no video container of ours is refused. Part of
 * sniff; nothing else includes it.
 */
#ifndef DROPSTREAM_SNIFF_REFUSE_H
#define DROPSTREAM_SNIFF_REFUSE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A sentence for a person about a file that begins with these n > 0 bytes, by the
 * signature it has; "not recognised" if none. Static; never NULL.
 */
const char *sniff_refuse(const uint8_t *data, size_t n);

#endif
