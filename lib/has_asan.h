/*
 * has_asan.h: HAS_ASAN is defined where AddressSanitizer is built in.
 */
#ifndef DROPSTREAM_HAS_ASAN_H
#define DROPSTREAM_HAS_ASAN_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN
#endif

#endif
