/*
 * until_term.h: what the first thread of a handler does while others serve.
 */
#ifndef DROPSTREAM_UNTIL_TERM_H
#define DROPSTREAM_UNTIL_TERM_H

#include <stdnoreturn.h>

/*
 * Waits for SIGTERM, of which the process dies. Built with AddressSanitizer it calls
 * exit() instead, where leaks are looked for: status 0, or what that says.
 */
noreturn void until_term(void);

#endif
