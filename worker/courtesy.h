/*
 * courtesy.h: how what the worker starts stands back for the rest of the machine.
 */
#ifndef DROPSTREAM_COURTESY_H
#define DROPSTREAM_COURTESY_H

#include "rc.h"

/*
 * Where the kernel shares the CPU out among sessions first (sched(7), "The autogroup
 * feature"), the nice value of a child counts only within its session, and a busy
 * encoder would get as much as all of the web server. So the caller's session gets the
 * value as well, 0 to 19, if it is the caller's own; somebody else's is left alone.
 * RC_OK also where the kernel has no such thing. RC_IO: refused. May wait for a second.
 */
enum rc courtesy_of_session(int nice);

#endif
