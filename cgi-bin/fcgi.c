#include "fcgi.h"

#include "http_text.h"
#include "log.h"
#include "until_term.h"

#include <errno.h>
#include <fcgiapp.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH_BYTES = 1024,
    HEADER_NAME_BYTES = 64,
    /* jansson recurses up to 2048 levels of nested JSON: 180 KB. What a thread does not
     * touch costs no memory. */
    STACK_BYTES = 512 * 1024,
};

struct request {
    FCGX_Request *fcgx; /* NULL: plain CGI */
    int patience_ms;    /* plain CGI: how long a read may wait; -1: for ever */
    bool timed_out;     /* plain CGI: a read waited longer */
    bool *kept;         /* told to who runs the handler; r itself may be gone by then */
    char path[PATH_BYTES];
};

/* A request and what libfcgi knows of it: one block of memory. */
struct served {
    struct request r; /* first: request_end frees the whole by its address */
    FCGX_Request fcgx;
};

struct server {
    void (*handle)(struct request *r, void *ctx);
    void *ctx;
};

/* ---- what the request says ------------------------------------------------- */

static const char *param(const struct request *r, const char *name)
{
    return r->fcgx ? FCGX_GetParam(name, r->fcgx->envp) : getenv(name);
}

static const char *param_or_empty(const struct request *r, const char *name)
{
    const char *value = param(r, name);
    return value ? value : "";
}

const char *request_method(const struct request *r)
{
    return param_or_empty(r, "REQUEST_METHOD");
}

const char *request_path(const struct request *r)
{
    return r->path;
}

const char *request_query(const struct request *r)
{
    return param_or_empty(r, "QUERY_STRING");
}

const char *request_header(const struct request *r, const char *name)
{
    char var[HEADER_NAME_BYTES] = "HTTP_";
    size_t n = 5;

    /* RFC 3875 s. 4.1 has these two without the prefix. */
    if (strcasecmp(name, "Content-Type") == 0)
        return param(r, "CONTENT_TYPE");
    if (strcasecmp(name, "Content-Length") == 0)
        return param(r, "CONTENT_LENGTH");
    for (; *name && n + 1 < sizeof(var); name++) {
        bool lower = *name >= 'a' && *name <= 'z';
        var[n++] = *name == '-' ? '_' : (char)(lower ? *name - 'a' + 'A' : *name);
    }
    var[n] = '\0';
    return param(r, var);
}

const char *request_peer(const struct request *r)
{
    return param_or_empty(r, "REMOTE_ADDR");
}

bool request_is_secure(const struct request *r)
{
    return strcmp(param_or_empty(r, "REQUEST_SCHEME"), "https") == 0 ||
           strcmp(param_or_empty(r, "HTTPS"), "on") == 0;
}

enum rc request_content_length(const struct request *r, int64_t *out)
{
    const char *text = param(r, "CONTENT_LENGTH");

    if (!text || !*text)
        return RC_NOT_FOUND;
    return http_number(text, 0, INT64_MAX, out);
}

static void find_path(struct request *r)
{
    char raw[PATH_BYTES];
    const char *uri = param_or_empty(r, "REQUEST_URI");
    int n;

    if (*uri == '/')
        n = snprintf(raw, sizeof(raw), "%.*s", (int)strcspn(uri, "?"), uri);
    else
        n = snprintf(raw, sizeof(raw), "%s%s", param_or_empty(r, "SCRIPT_NAME"),
                     param_or_empty(r, "PATH_INFO"));
    r->path[0] = '\0';
    if (n >= 0 && (size_t)n < sizeof(raw))
        http_unescape(raw, (size_t)n, false, r->path, sizeof(r->path));
}

/* ---- body and answer --------------------------------------------------------- */

/* FCGX_GetStr waits for all that it is asked for: so for one byte, which makes libfcgi
 * read what there is, and then for no more than lies in its buffer. */
static size_t get_some(FCGX_Stream *in, char *buf, size_t n)
{
    size_t have = 0, rest;
    int got;

    if (n > 0 && in->rdNext == in->stop) {
        if (FCGX_GetStr(buf, 1, in) != 1)
            return 0;
        have = 1;
    }
    rest = (size_t)(in->stop - in->rdNext);
    if (rest > n - have)
        rest = n - have;
    got = FCGX_GetStr(buf + have, (int)rest, in);
    return have + (got > 0 ? (size_t)got : 0);
}

static bool stdin_has_more(struct request *r)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready;

    do
        ready = poll(&fd, 1, r->patience_ms);
    while (ready < 0 && errno == EINTR);
    r->timed_out = ready == 0;
    return ready > 0;
}

size_t request_read_some(struct request *r, void *buf, size_t n)
{
    ssize_t got;

    if (r->fcgx)
        return get_some(r->fcgx->in, buf, n);
    if (!stdin_has_more(r))
        return 0;
    do
        got = read(STDIN_FILENO, buf, n);
    while (got < 0 && errno == EINTR);
    return got > 0 ? (size_t)got : 0;
}

size_t request_read(struct request *r, void *buf, size_t n)
{
    size_t have = 0, got = 1;

    while (have < n && got > 0) {
        got = request_read_some(r, (char *)buf + have, n - have);
        have += got;
    }
    return have;
}

/* libfcgi takes a read that timed out for a broken connection, and reads no more. */
void request_set_patience(struct request *r, int64_t ms)
{
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    r->patience_ms = ms > 0 && ms < INT_MAX ? (int)ms : -1;
    if (r->fcgx &&
        setsockopt(r->fcgx->ipcFd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0)
        log_warn("a read without a time limit: %s", strerror(errno));
}

bool request_timed_out(const struct request *r)
{
    int error = r->fcgx ? FCGX_GetError(r->fcgx->in) : 0;

    return r->timed_out || error == EAGAIN || error == EWOULDBLOCK;
}

/* Only for reading: the one who is stopped may still answer. */
void request_interrupt(struct request *r)
{
    if (r->fcgx)
        shutdown(r->fcgx->ipcFd, SHUT_RD);
}

static void put(struct request *r, const void *data, size_t n)
{
    if (r->fcgx)
        FCGX_PutStr(data, (int)n, r->fcgx->out);
    else
        fwrite(data, 1, n, stdout);
}

static void put_header(struct request *r, const char *name, const char *value)
{
    put(r, name, strlen(name));
    put(r, ": ", 2);
    put(r, value, strlen(value));
    put(r, "\r\n", 2);
}

void request_add_header(struct request *r, const char *name, const char *value)
{
    put_header(r, name, value);
}

const char *request_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {460, "Checksum Mismatch"}, /* of tus */
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

void request_answer(struct request *r, int status, const struct header *headers,
                    size_t n_headers, const void *body, size_t body_size)
{
    char text[64];

    snprintf(text, sizeof(text), "%d %s", status, request_reason(status));
    put_header(r, "Status", text);
    for (size_t i = 0; i < n_headers; i++)
        put_header(r, headers[i].name, headers[i].value);
    if (body) {
        snprintf(text, sizeof(text), "%zu", body_size);
        put_header(r, "Content-Length", text);
    }
    put(r, "\r\n", 2);
    if (body && strcmp(request_method(r), "HEAD") != 0)
        put(r, body, body_size);
    if (!r->fcgx)
        fflush(stdout);
}

/* ---- kept requests ----------------------------------------------------------- */

static sem_t cgi_ended; /* plain CGI: posted when the one request, kept, has ended */

void request_keep(struct request *r)
{
    *r->kept = true;
}

int request_connection(const struct request *r)
{
    return r->fcgx ? r->fcgx->ipcFd : -1;
}

void request_end(struct request *r)
{
    if (!r->fcgx) {
        sem_post(&cgi_ended);
        return;
    }
    FCGX_Finish_r(r->fcgx);
    FCGX_Free(r->fcgx, 1); /* also where the server would have kept it open */
    free(r);
}

/* ---- the server -------------------------------------------------------------- */

/* Accepting can fail for a moment (no descriptor left); the handler must live on. */
static void pause_after_error(const char *what)
{
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};

    log_error("%s: %s", what, strerror(errno));
    nanosleep(&pause, NULL);
}

static struct served *new_served(void)
{
    struct served *s;

    while (!(s = malloc(sizeof(*s))))
        pause_after_error("a request");
    s->r = (struct request){.fcgx = &s->fcgx};
    FCGX_InitRequest(&s->fcgx, STDIN_FILENO, 0);
    return s;
}

static void *serve(void *arg)
{
    struct server *server = arg;
    struct served *s = new_served();

    for (;;) {
        bool kept = false;

        if (FCGX_Accept_r(&s->fcgx) < 0) {
            pause_after_error("accept");
            continue;
        }
        s->r.kept = &kept;
        find_path(&s->r);
        server->handle(&s->r, server->ctx);
        /* A kept one belongs to someone else now, who may have ended it already. */
        if (kept)
            s = new_served();
        else
            FCGX_Finish_r(&s->fcgx);
    }
    return NULL;
}

static void serve_cgi(void (*handle)(struct request *r, void *ctx), void *ctx)
{
    bool kept = false;
    struct request r = {.fcgx = NULL, .patience_ms = -1, .kept = &kept};

    sem_init(&cgi_ended, 0, 0);
    find_path(&r);
    handle(&r, ctx);
    while (kept && sem_wait(&cgi_ended) != 0 && errno == EINTR)
        ;
}

/* libfcgi aborts on a crafted header length: only our own user may speak to it. */
static void make_socket_private(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNSPEC};
    socklen_t len = sizeof(addr) - 1; /* leaves a NUL at the end */

    if (getsockname(STDIN_FILENO, (struct sockaddr *)&addr, &len) != 0 ||
        addr.sun_family != AF_UNIX || addr.sun_path[0] != '/')
        return;
    if (chmod(addr.sun_path, 0600) != 0)
        log_warn("chmod %s: %s", addr.sun_path, strerror(errno));
}

static int start_threads(int threads, struct server *server)
{
    pthread_attr_t attr;
    pthread_t thread;
    int started = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    while (started < threads && pthread_create(&thread, &attr, serve, server) == 0)
        started++;
    pthread_attr_destroy(&attr);
    return started;
}

/* Asked of the system and not of libfcgi, which would install its signal handlers. */
bool fcgi_is_server(void)
{
    struct sockaddr_un addr;
    socklen_t len = sizeof(addr);

    return getpeername(STDIN_FILENO, (struct sockaddr *)&addr, &len) != 0 &&
           errno == ENOTCONN;
}

/* A handler that outlives its server would be found by the next one, old code and old
 * settings included. That may have ended before it was asked for a signal at its end,
 * and so is told by its number. */
static bool end_with_server(void)
{
    const char *server = getenv("DROPSTREAM_SERVER");
    int64_t pid;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return !server || http_number(server, 1, INT_MAX, &pid) != RC_OK ||
           pid == getppid();
}

/* libfcgi puts handlers of its own there, and its one for SIGTERM waits for requests
 * that may last for hours: one that comes meanwhile has to wait for ours. */
enum rc fcgi_begin(void)
{
    sigset_t term, before;
    bool begun;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, &before);
    begun = FCGX_Init() == 0;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ,
           SIG_IGN); /* a limit on file sizes is a full disk, not a reason to die */
    signal(SIGTERM, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!begun) {
        log_error("libfcgi could not start");
        return RC_IO;
    }
    if (fcgi_is_server() && !end_with_server()) {
        log_warn("the server that started this program has ended");
        return RC_STOPPED;
    }
    return RC_OK;
}

int fcgi_run(int threads, void (*handle)(struct request *r, void *ctx), void *ctx)
{
    /* Threads use it for as long as the process lives. */
    static struct server server;

    if (!fcgi_is_server()) {
        serve_cgi(handle, ctx);
        return 0;
    }
    make_socket_private();
    server = (struct server){.handle = handle, .ctx = ctx};
    if (start_threads(threads, &server) == 0) {
        log_error("no thread could be started");
        return 1;
    }
    until_term();
}
