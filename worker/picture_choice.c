#include "picture_choice.h"

#include <math.h>

/* Beyond this from either end a picture counts less, and nothing at the end itself. */
#define MARGIN 32

int picture_interest(const uint8_t *grey, size_t n)
{
    double sum = 0, squares = 0;
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        sum += grey[i];
        squares += (double)grey[i] * grey[i];
    }
    double mean = sum / (double)n;
    double variance = squares / (double)n - mean * mean;
    double deviation = variance > 0 ? sqrt(variance) : 0;
    double from_end = mean < 255 - mean ? mean : 255 - mean;
    return (int)(from_end < MARGIN ? deviation * from_end / MARGIN : deviation);
}

size_t picture_choose(const int *interest, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (interest[i] > interest[best])
            best = i;
    for (size_t i = 0; i < best; i++)
        if (interest[i] >= PICTURE_DULL && interest[i] * 10 >= interest[best] * 7)
            return i;
    return best;
}
