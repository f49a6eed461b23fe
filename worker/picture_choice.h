/*
 * picture_choice.h: which of some pictures tells most of a video. Pure.
 */
#ifndef DROPSTREAM_PICTURE_CHOICE_H
#define DROPSTREAM_PICTURE_CHOICE_H

#include <stddef.h>
#include <stdint.h>

/* Less than this is black, white, or one colour all over. */
#define PICTURE_DULL 6

/* How much there is to be seen in a picture of n pixels in 8 bits of grey, 0 … 127: the
 * standard deviation of its brightness, less where it is very dark or bright. */
int picture_interest(const uint8_t *grey, size_t n);

/* The index of the picture to take, by the interest of each: the first one that is not
 * much less telling than the best. n > 0. */
size_t picture_choose(const int *interest, size_t n);

#endif
