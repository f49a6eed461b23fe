/*
 * log.h: one line of text per event, to standard error or a file.
 *
 * Invariant: a line is written with one write(2), so lines of several threads
 * and processes that append to one file never mix. Control characters of the
 * message are replaced, so no client can forge a line.
 */
#ifndef DROPSTREAM_LOG_H
#define DROPSTREAM_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/*
 * Names the program and sets the most talkative level that is written. Call it
 * once, before threads start; name must outlive the process' logging. Without
 * it the name is "dropstream" and the level LOG_INFO.
 */
void log_open(const char *name, enum log_level level);

/*
 * Appends to path from now on instead of standard error (mode 0600, created if
 * missing). May be called again, to begin a new file, while other threads write.
 * Returns 0, or -1 with errno set and the old destination kept.
 */
int log_to_file(const char *path);

/*
 * "2026-01-31T12:00:00.000Z name[pid] level: message\n"; at most 2048 bytes, what is
 * longer is cut. The message goes through text_clean. errno is left as it was.
 */
void log_write(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif
