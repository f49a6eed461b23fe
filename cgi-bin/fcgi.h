/*
 * fcgi.h: one HTTP request, however it came: FastCGI on descriptor 0, or plain CGI
 * (RFC 3875) by environment and standard input.
 *
 * Invariant: fcgi.c is the only file that knows libfcgi. A request is answered once,
 * by request_answer; it and its strings live until its handler returns or, where that
 * handler kept it, until request_end.
 */
#ifndef DROPSTREAM_FCGI_H
#define DROPSTREAM_FCGI_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;

/* "GET", "POST" …; "" if the server sent none. */
const char *request_method(const struct request *r);

/*
 * The path of the URL as the client sent it, decoded (RFC 3986 s. 2.1), without the
 * query: of REQUEST_URI, which a rewrite inside the server leaves alone, else of
 * SCRIPT_NAME and PATH_INFO. "" if it is longer than 1023 bytes or its escapes are
 * wrong, so that it names no page.
 */
const char *request_path(const struct request *r);

/* What follows the "?", still encoded; "" if nothing does. */
const char *request_query(const struct request *r);

/* The value of a request header ("Content-Type", any case), or NULL. */
const char *request_header(const struct request *r, const char *name);

/* The address that the request came from, as text; "" if the server did not say. */
const char *request_peer(const struct request *r);

/* True if the client speaks TLS to the server, or to a proxy that the server trusts. */
bool request_is_secure(const struct request *r);

/* Bytes of the body. RC_NOT_FOUND: not announced. RC_INVALID: not a number. */
enum rc request_content_length(const struct request *r, int64_t *out);

/*
 * Waits for n bytes of the body and returns how many came: fewer only where the body
 * ended, whole or not; the count against request_content_length tells which.
 */
size_t request_read(struct request *r, void *buf, size_t n);

/* Waits until something of the body has come and returns how much, at most n bytes; 0
 * where request_read would return fewer. */
size_t request_read_some(struct request *r, void *buf, size_t n);

/*
 * From here on a read that gets no byte for so many ms ends as if the body had ended;
 * request_timed_out tells that it did so. 0: reads wait for ever, as they do at first.
 */
void request_set_patience(struct request *r, int64_t ms);
bool request_timed_out(const struct request *r);

/*
 * Ends the body of a request that another thread handles: what has come of it can still
 * be read, then reads end, also one that waits just now. The caller makes sure that the
 * handler does not return meanwhile.
 */
void request_interrupt(struct request *r);

/* A header of the answer. Values hold no CR or LF. */
struct header {
    const char *name;
    const char *value;
};

/* Adds a header to the answer that is still to be sent. */
void request_add_header(struct request *r, const char *name, const char *value);

/*
 * Sends the whole answer; Content-Length is added when there is a body. To a HEAD
 * request the body is not sent but its length is. A client that has gone is no error.
 */
void request_answer(struct request *r, int status, const struct header *headers,
                    size_t n_headers, const void *body, size_t body_size);

/*
 * Keeps r beyond the return of its handler, which is free for the next request then.
 * Whoever has r now, in any thread, answers it and ends it with request_end; a thread
 * at a time. Only for the handler of r itself, before it hands r to anyone.
 */
void request_keep(struct request *r);

/*
 * The connection by which r came, to be watched while r is kept: it is half-closed
 * (EPOLLRDHUP) when the client has hung up, if the server has noticed
 * ("tcp-fin-propagate" in etc/lighttpd.conf). Not to be read or closed. -1: plain CGI
 * has none.
 */
int request_connection(const struct request *r);

/* Ends a kept request, answered or not: the connection is closed, r is no more. */
void request_end(struct request *r);

/* The reason phrase of a status that this program uses (RFC 9110 s. 15); static. */
const char *request_reason(int status);

/* True if the process was started with a listening socket; false: plain CGI. */
bool fcgi_is_server(void);

/*
 * First of all, while there is one thread. From here on SIGTERM ends the process at
 * once, whatever it is at, and so does the end of the server that started it: nothing
 * that it does may need more than the kernel does for a process that is killed.
 * DROPSTREAM_SERVER in the environment is that server's process id, if it says so.
 * RC_STOPPED: it has ended already. RC_IO: libfcgi does not start.
 */
enum rc fcgi_begin(void);

/*
 * Serves until the process ends: `threads` threads that each take one request at a
 * time, or, when the process was started as plain CGI, the one request, which has been
 * ended when this returns. As a server it never returns: until_term.
 * The listening socket is made private to its user. Returns the exit status of the
 * program.
 */
int fcgi_run(int threads, void (*handle)(struct request *r, void *ctx), void *ctx);

#endif
