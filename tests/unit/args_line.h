/*
 * args_line.h: a command line without the guards that all have that read an upload, and
 * that are the same in each: test_args.c looks at them.
 */
#ifndef DROPSTREAM_TEST_ARGS_LINE_H
#define DROPSTREAM_TEST_ARGS_LINE_H

#include "check.h"

#include "args_priv.h"

#include <string.h>

#define GUARDS_END "-codec_whitelist " ARGS_DECODERS " "

/* Takes them out of a line that has them. */
static inline void take_guards_out(char *line)
{
    char *from = strstr(line, "-max_alloc " ARGS_MAX_ALLOC " -format_whitelist ");
    char *to = from ? strstr(from, GUARDS_END) : NULL;
    if (to)
        memmove(from, to + strlen(GUARDS_END), strlen(to + strlen(GUARDS_END)) + 1);
}

#endif
