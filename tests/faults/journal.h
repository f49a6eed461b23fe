/*
 * journal.h: what a loss of power would undo. Programs that have inject.so loaded write
 * down each change of a file or folder of the site, with what it takes to undo it, and
 * each sync. power.mjs reads it: what no sync has made durable by then is undone.
 *
 * DROPSTREAM_JOURNAL in the environment is a folder on the file system of the site, but
 * not within it: `log`, to which all programs append, a line for each event in order;
 * `kept/`, a further name of each file that was touched, by its inode, so that none is
 * ever gone; `boot_id`, which stands for the kernel's.
 *
 * - `W INODE PATH SIZE AT HEX`: bytes of a file are overwritten or cut off: its size and
 *   those bytes as they were; what is written behind the end has none
 * - `N FOLDER PATH`: the name PATH is made; FOLDER's sync makes that last
 * - `F FOLDER PATH INODE`: the name of a file is taken away; `L FOLDER PATH TARGET`: that
 *   of a symlink; `D FOLDER PATH`: of a folder
 * - `S INODE`: the bytes of a file are synced; `T PATH`: the names of a folder; `A`: all
 *
 * Log files, locks and SQLite's shared memory are left out. All functions do nothing
 * without a journal, and leave errno alone. They may be called by several threads.
 */
#ifndef DROPSTREAM_TESTS_JOURNAL_H
#define DROPSTREAM_TESTS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* site: its folder. True if there is a journal to be kept. */
bool journal_begin(const char *site);

/* What to open instead of this path: itself, but for the boot's id. */
const char *journal_instead_of(const char *path);

/* Before n bytes are written; at -1: where the descriptor stands. */
void journal_write(int fd, size_t n, off_t at);

/* Before a file is cut to, or grows to, so many bytes. */
void journal_truncate(int fd, off_t size);

/* A name before it is taken away or replaced; whose is where it belongs. */
struct journal_name {
    char kind; /* F, L or D; 0: it is not there; 1: of no interest */
    char path[4096];
    char what[4096]; /* the inode or target */
};

void journal_look(int dir, const char *path, struct journal_name *out);

/* After the name was taken away. folder: whose sync makes that last; NULL: its own. */
void journal_taken(const struct journal_name *name, const char *folder);

/* After the name was made. */
void journal_made(const struct journal_name *name);

/* After a sync of a file or folder, or of all. */
void journal_synced(int fd);
void journal_synced_all(void);

#endif
