#include "until_term.h"

#include "has_asan.h"

#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifdef HAS_ASAN

static sem_t told;

static void on_term(int signal)
{
    (void)signal;
    sem_post(&told);
}

/* From here, and not by a return to main(): what that holds the threads still use. The
 * server, which has told us, need not live until all is looked at. */
noreturn void until_term(void)
{
    sem_init(&told, 0, 0);
    signal(SIGTERM, on_term);
    while (sem_wait(&told) != 0)
        ;
    prctl(PR_SET_PDEATHSIG, 0);
    exit(0);
}

#else

noreturn void until_term(void)
{
    for (;;)
        pause();
}

#endif
