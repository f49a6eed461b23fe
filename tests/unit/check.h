/* check.h: what every unit test includes, in the order that cmocka needs. */
#ifndef DROPSTREAM_TEST_CHECK_H
#define DROPSTREAM_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif
