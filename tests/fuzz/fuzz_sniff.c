/*
 * fuzz_sniff.c: what a file is said to be depends on its first 4096 bytes alone, and is
 * either a container or a reason.
 */
#include "fuzz.h"

#include "sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sniff all, first;
    const size_t size = n < SNIFF_BYTES ? n : SNIFF_BYTES;
    uint8_t *copy = copy_of(data, size);
    enum rc rc = sniff(data, n, &all);

    must(sniff(copy, size, &first) == rc);
    free(copy);
    must(first.container == all.container && first.reason == all.reason);
    must((rc == RC_OK) == (all.container != CONTAINER_NONE));
    must((rc == RC_OK) == (all.reason == NULL));
    must(rc == RC_OK || rc == RC_UNSUPPORTED);
    must(container_from_name(container_name(all.container)) == all.container);
    return 0;
}
