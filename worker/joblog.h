/*
 * joblog.h: one text file a job: the command lines it ran and what they said.
 *
 * site/log/jobs/<job>.log; appended to by each attempt, and never larger than the
 * limit: what a program writes beyond it is dropped, and a line says so.
 */
#ifndef DROPSTREAM_JOBLOG_H
#define DROPSTREAM_JOBLOG_H

#include "rc.h"
#include "site.h"

#include <stddef.h>
#include <stdint.h>

struct joblog;

/* Opens for appending. RC_IO, RC_NOSPACE, RC_NOMEM, RC_TOO_LARGE. */
enum rc joblog_open(const struct site *site, int64_t job_id, int64_t max_bytes,
                    struct joblog **out);

/* A line of ours, "# time text"; for a command line "+ argv". NULL log is legal. */
void joblog_note(struct joblog *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void joblog_command(struct joblog *log, const char *quoted);

/* Bytes of a program, as they are. */
void joblog_write(struct joblog *log, const void *data, size_t n);

void joblog_close(struct joblog *log);

#endif
