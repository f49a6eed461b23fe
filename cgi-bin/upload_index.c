#include "upload_index.h"

#include "http_text.h"
#include "mp4_head.h"

#include <stdio.h>

#define MIB (1024LL * 1024)

int64_t upload_index_max(const struct upload *u)
{
    return u->app->config.index_max_mb * MIB;
}

static enum rc too_large(struct upload *u)
{
    return upload_reject(u, 413, "index_too_large",
                         "The index is larger than this server takes.");
}

enum rc upload_index_begin(struct upload *u, const char *video_id,
                           struct spool_file **out)
{
    enum rc rc = spool_create_index(&u->app->site, video_id, out);

    return rc == RC_BUSY ? upload_in_use(u) : upload_log_rc(u, NULL, "index", rc);
}

enum rc upload_index_append(struct upload *u, struct spool_file *f, const void *data,
                            size_t n)
{
    if (spool_size(f) + (int64_t)n > upload_index_max(u))
        return too_large(u);
    return upload_log_rc(u, NULL, "index", spool_write(f, data, n));
}

/* Whether it can be used is for the worker to find out: it may be of a kind that is not
 * known here. But nothing is kept that can be no index of that file. */
enum rc upload_index_check(struct upload *u, const struct spool_file *f, int64_t offset,
                           int64_t file_size)
{
    struct mp4_head_source source = {.moov_size = (size_t)spool_size(f),
                                     .moov_offset = (uint64_t)offset,
                                     .file_size = file_size < 0 ? INT64_MAX
                                                                : (uint64_t)file_size};
    const char *fault;
    enum rc rc = upload_log_rc(u, NULL, "index", spool_map(f, &source.moov));

    if (rc != RC_OK)
        return rc;
    fault = mp4_head_fault(&source);
    spool_unmap(f, source.moov);
    return fault ? upload_reject(u, 422, "bad_index", fault) : RC_OK;
}

/* ---- PUT ------------------------------------------------------------------- */

struct put {
    struct upload *u;
    int64_t offset;
    int64_t length;
    struct spool_file *index;
    bool is_first; /* none was kept before */
};

static enum rc bad_index(struct upload *u, const char *message)
{
    return upload_refuse(u, 400, "bad_index", message);
}

static enum rc finished(struct upload *u)
{
    return upload_refuse(u, 409, "finished",
                         "This upload is finished: its index is in it.");
}

static enum rc another(struct upload *u)
{
    return upload_refuse(u, 409, "another_index",
                         "The index of this upload was sent before, and it was another "
                         "one.");
}

static enum rc read_request(struct put *p)
{
    struct upload *u = p->u;
    enum rc rc;

    if (http_param_number(request_query(u->r), "offset", 1, INT64_MAX, &p->offset) !=
            RC_OK ||
        p->offset == 0)
        return bad_index(u,
                         "The parameter offset must be a number of bytes, at least 1.");
    rc = upload_body_length(u, &p->length);
    if (rc != RC_OK)
        return rc;
    if (p->length == 0)
        return bad_index(u, "The index is empty.");
    return p->length > upload_index_max(u) ? too_large(u) : RC_OK;
}

/* The upload is looked at only: another request may bring its bytes meanwhile. */
static enum rc find(struct put *p, const char *upload_id)
{
    struct upload *u = p->u;
    enum upload_found found;
    enum rc rc = upload_look(u, upload_id, &found);

    if (rc == RC_OK)
        rc = upload_must_exist(u, found);
    if (rc != RC_OK)
        return rc;
    if (found == UPLOAD_FINISHED)
        return finished(u);
    if (u->video.size >= 0 && p->offset > u->video.size - p->length)
        return bad_index(u, "The index reaches beyond the end of the file.");
    if (u->video.index_offset >= 0 && u->video.index_offset != p->offset)
        return another(u);
    return RC_OK;
}

static enum rc take_bytes(void *arg, const void *data, size_t n)
{
    struct put *p = arg;

    return upload_index_append(p->u, p->index, data, n);
}

/* The first one stays, since something may have been made by it already; that may be
 * sent again, by a client that missed the answer. */
static enum rc keep_file(struct put *p)
{
    enum rc rc = spool_finish(p->index);

    if (rc == RC_EXISTS) {
        rc = spool_compare_index(p->index);
        return rc == RC_CONFLICT ? another(p->u) : rc;
    }
    if (rc == RC_NOT_FOUND)
        return upload_deleted(p->u);
    if (rc == RC_OK) {
        p->index = NULL;
        p->is_first = true;
    }
    return rc;
}

/* First the index, then the word of it; and none of an upload that is over. */
static enum rc keep(struct put *p)
{
    struct upload *u = p->u;
    struct store *st;
    enum rc rc = keep_file(p);

    if (rc == RC_OK)
        rc = handles_take(u->app->handles, &st);
    if (rc != RC_OK)
        return rc;
    rc = store_upload_index(st, u->video.id, p->offset);
    if (rc != RC_CONFLICT)
        upload_log_rc(u, st, "index", rc);
    handles_give(u->app->handles, st);
    return rc == RC_CONFLICT ? another(u) : rc;
}

static enum rc put(struct put *p, const char *upload_id)
{
    char turn[TURN_NAME_MAX + 1];
    struct upload *u = p->u;
    enum rc rc = read_request(p);

    snprintf(turn, sizeof(turn), "%s/index", upload_id);
    if (rc == RC_OK)
        rc = find(p, upload_id);
    if (rc == RC_OK)
        rc = upload_take_turn(u, turn);
    if (rc == RC_OK)
        rc = find(p, upload_id);
    if (rc == RC_OK)
        rc = upload_check_space(u, p->length);
    if (rc == RC_OK)
        rc = upload_index_begin(u, u->video.id, &p->index);
    u->decided = true;
    if (rc == RC_OK)
        rc = upload_receive(u, p->length, take_bytes, p);
    if (rc == RC_OK)
        rc = upload_index_check(u, p->index, p->offset, u->video.size);
    if (rc == RC_OK)
        rc = upload_check_right(u);
    if (rc == RC_OK)
        rc = keep(p);
    if (rc != RC_NOT_FOUND)
        return rc;
    /* Its last byte came meanwhile, or it was given up. An index of before may still
     * have to be compared with the file. */
    if (p->is_first)
        spool_remove_index(&u->app->site, u->video.id);
    rc = find(p, upload_id);
    return rc == RC_OK ? upload_deleted(u) : rc;
}

void upload_index_page(struct upload *u, const char *upload_id)
{
    struct put p = {.u = u};
    enum rc rc = put(&p, upload_id);

    spool_abandon(p.index);
    if (rc != RC_OK) {
        upload_fail(u, rc);
        return;
    }
    upload_tell_video(u);
    upload_end(u, "");
    http_send_empty(u->r, 204);
}
