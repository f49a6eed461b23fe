/*
 * The connection, its transactions and the migrations. The rows are the business of
 * the other files.
 */
#include "store_priv.h"

#include "log.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUSY_TIMEOUT_MS 10000
#define BUSY_STEP_MS 10

/* Made from schema.sql: store_schema[v] takes a database from version v to v + 1. */
extern const char *const store_schema[];
extern const int store_schema_version;

/* ---- statements --------------------------------------------------------- */

/* Why the WAL could not be synced: a commit that fails there leaves
 * sqlite3_system_errno as it was. */
static int sync_errno(struct store *st)
{
    sqlite3_file *wal = NULL;
    int err = 0;

    sqlite3_file_control(st->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (wal && wal->pMethods)
        wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &err);
    return err;
}

/* Extended codes are on, so the kind of error is in the low byte. */
enum rc store_rc(struct store *st, int code)
{
    int sys = sqlite3_system_errno(st->db);

    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
        return RC_OK;
    text_clean(st->message, sizeof(st->message), sqlite3_errmsg(st->db));
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RC_BUSY;
    case SQLITE_NOMEM:
        return RC_NOMEM;
    case SQLITE_FULL:
        return RC_NOSPACE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return RC_CORRUPT;
    case SQLITE_CONSTRAINT:
        return RC_INVALID;
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_FSYNC)
            sys = sync_errno(st);
        return sys == ENOSPC || sys == EDQUOT ? RC_NOSPACE : RC_IO;
    default:
        return RC_IO;
    }
}

/* Kept for the life of the handle: parsing costs more than most of the queries. */
enum rc store_prepare(struct store *st, enum statement id, const char *sql,
                      sqlite3_stmt **out)
{
    sqlite3_stmt **q = &st->statements[id];
    enum rc rc;

    if (!*q) {
        rc = store_rc(st, sqlite3_prepare_v3(st->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                             q, NULL));
        if (rc != RC_OK)
            return rc;
    }
    sqlite3_reset(*q);
    sqlite3_clear_bindings(*q);
    *out = *q;
    return RC_OK;
}

void store_bind_text(sqlite3_stmt *q, int i, const char *text)
{
    sqlite3_bind_text(q, i, text, -1, SQLITE_STATIC);
}

void store_bind_int(sqlite3_stmt *q, int i, int64_t v)
{
    sqlite3_bind_int64(q, i, v);
}

void store_bind_hash(sqlite3_stmt *q, int i, const uint8_t hash[SECRET_HASH_SIZE])
{
    sqlite3_bind_blob(q, i, hash, SECRET_HASH_SIZE, SQLITE_STATIC);
}

enum rc store_step(struct store *st, sqlite3_stmt *q)
{
    int code = sqlite3_step(q);
    enum rc rc;

    if (code == SQLITE_ROW)
        return RC_OK;
    rc = code == SQLITE_DONE ? RC_NOT_FOUND : store_rc(st, code);
    sqlite3_reset(q);
    return rc;
}

/* A write with RETURNING is only done when stepped past its last row. */
enum rc store_finish(struct store *st, sqlite3_stmt *q)
{
    enum rc rc;

    do
        rc = store_step(st, q);
    while (rc == RC_OK);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc store_blob(struct store *st, sqlite3_stmt *q, uint8_t **out, size_t *n)
{
    uint8_t *copy;
    size_t size;
    enum rc rc = store_step(st, q);

    if (rc != RC_OK)
        return rc;
    size = (size_t)sqlite3_column_bytes(q, 0);
    copy = malloc(size + 1);
    if (copy && size > 0)
        memcpy(copy, sqlite3_column_blob(q, 0), size);
    rc = store_finish(st, q);
    if (rc == RC_OK && !copy)
        rc = RC_NOMEM;
    if (rc != RC_OK) {
        free(copy);
        return rc;
    }
    *out = copy;
    *n = size;
    return RC_OK;
}

enum rc store_number(struct store *st, sqlite3_stmt *q, int64_t *out)
{
    int64_t n;
    enum rc rc = store_step(st, q);

    if (rc != RC_OK)
        return rc;
    n = sqlite3_column_int64(q, 0);
    rc = store_finish(st, q);
    if (rc == RC_OK)
        *out = n;
    return rc;
}

enum rc store_has_row(struct store *st, sqlite3_stmt *q, bool *out)
{
    enum rc rc = store_step(st, q);

    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    *out = rc == RC_OK;
    return rc == RC_OK ? store_finish(st, q) : RC_OK;
}

void store_column_text(sqlite3_stmt *q, int i, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(q, i);

    snprintf(out, size, "%s", text ? (const char *)text : "");
}

int store_changes(const struct store *st)
{
    return sqlite3_changes(st->db);
}

static enum rc run(struct store *st, enum statement id, const char *sql)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, id, sql, &q);

    return rc == RC_OK ? store_finish(st, q) : rc;
}

/* ---- transactions ------------------------------------------------------- */

void store_act_for(struct store *st, const struct store_actor *actor)
{
    st->acts = actor != NULL;
    if (actor)
        st->actor = *actor;
}

enum rc store_actor_check(struct store *st)
{
    const struct store_actor *a = &st->actor;
    sqlite3_stmt *q;
    bool there = false;
    enum rc rc;

    if (!st->acts)
        return RC_OK;
    rc = store_prepare(st, SQL_ACTOR,
                       "SELECT 1 FROM users WHERE id = ?1 AND role = ?2 AND"
                       " (EXISTS (SELECT 1 FROM sessions"
                       "  WHERE n = ?3 AND user_id = ?1)"
                       " OR EXISTS (SELECT 1 FROM tokens"
                       "  WHERE n = ?4 AND user_id = ?1))",
                       &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, a->user_id);
    store_bind_text(q, 2, user_role_name(a->role));
    store_bind_int(q, 3, a->session);
    store_bind_int(q, 4, a->token);
    rc = store_has_row(st, q, &there);
    return rc == RC_OK && !there ? RC_REVOKED : rc;
}

/* IMMEDIATE: a deferred one that turns into a write fails at once when another wrote
 * meanwhile, whatever the busy timeout. */
enum rc store_begin(struct store *st)
{
    sqlite3_stmt *q;
    /* Made beforehand: without memory it could not be, and the lock would stay. */
    enum rc rc = store_prepare(st, SQL_ROLLBACK, "ROLLBACK", &q);

    if (rc == RC_OK)
        rc = run(st, SQL_BEGIN, "BEGIN IMMEDIATE");
    if (rc != RC_OK) {
        store_lasting_over(st);
        return rc;
    }
    rc = store_actor_check(st);
    return rc == RC_OK ? RC_OK : store_end(st, rc);
}

enum rc store_end(struct store *st, enum rc rc)
{
    char message[sizeof(st->message)];
    enum rc actor = rc == RC_OK ? store_actor_check(st) : RC_OK;
    bool ends_actor = actor == RC_REVOKED;

    if (!ends_actor && actor != RC_OK)
        rc = actor; /* which may have rolled back: then there is nothing to commit */
    if (rc == RC_OK)
        rc = run(st, SQL_COMMIT, "COMMIT");
    if (rc == RC_OK && ends_actor)
        st->acts = false;
    /* Some errors have rolled back already; the first message is the one that helps. */
    if (rc != RC_OK && !sqlite3_get_autocommit(st->db)) {
        memcpy(message, st->message, sizeof(message));
        run(st, SQL_ROLLBACK, "ROLLBACK");
        memcpy(st->message, message, sizeof(message));
    }
    store_lasting_over(st);
    return rc;
}

int64_t store_wall_ms(const struct store *st)
{
    return st->clock.wall_ms(st->clock.ctx);
}

int64_t store_boot_ms(const struct store *st)
{
    return st->clock.boot_ms(st->clock.ctx);
}

/* ---- opening ------------------------------------------------------------ */

/* For pragmas that are read once or twice: not worth a kept statement. */
static enum rc pragma_int(struct store *st, const char *sql, int64_t *out)
{
    sqlite3_stmt *q = NULL;
    enum rc rc = store_rc(st, sqlite3_prepare_v2(st->db, sql, -1, &q, NULL));

    if (rc == RC_OK)
        rc = store_step(st, q);
    if (rc == RC_OK)
        *out = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return rc;
}

/*
 * Two processes that turn a new file into a WAL database at once may each be told
 * SQLITE_BUSY without the busy handler being asked, since it would be a deadlock.
 */
static enum rc use_wal(struct store *st)
{
    static const struct timespec step = {0, BUSY_STEP_MS * 1000000L};
    int waited, code = SQLITE_BUSY;

    for (waited = 0; waited < BUSY_TIMEOUT_MS; waited += BUSY_STEP_MS) {
        code = sqlite3_exec(st->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if ((code & 0xff) != SQLITE_BUSY)
            break;
        nanosleep(&step, NULL);
    }
    return store_rc(st, code);
}

static enum rc configure(struct store *st)
{
    static const struct {
        int option, value;
    } options[] = {
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_DQS_DML, 0}, /* "x" is a column or an error, never a text */
        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    enum rc rc;
    size_t i;

    sqlite3_extended_result_codes(st->db, 1);
    sqlite3_busy_timeout(st->db, BUSY_TIMEOUT_MS);
    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        sqlite3_db_config(st->db, options[i].option, options[i].value, NULL);
    rc = use_wal(st);
    if (rc != RC_OK)
        return rc;
    /* 512 KiB of cache and no mmap: a handler has a few MB for everything. The size
     * limit is what a WAL shrinks to once it was checkpointed and starts anew. */
    return store_rc(st, sqlite3_exec(st->db,
                                     "PRAGMA wal_autocheckpoint=0;"
                                     "PRAGMA synchronous=NORMAL;"
                                     "PRAGMA cache_size=-512;"
                                     "PRAGMA mmap_size=0;"
                                     "PRAGMA temp_store=MEMORY;"
                                     "PRAGMA journal_size_limit=4194304;",
                                     NULL, NULL, NULL));
}

/* Within a transaction: nobody else can be doing the same. */
static enum rc run_steps(struct store *st)
{
    char set_version[40];
    int64_t version;
    sqlite3_stmt *q = NULL;
    bool dangling = false;
    enum rc rc = pragma_int(st, "PRAGMA user_version", &version);

    if (rc == RC_OK && (version < 0 || version > store_schema_version)) {
        snprintf(st->message, sizeof(st->message),
                 "version %lld of the database is newer than this program's %d",
                 (long long)version, store_schema_version);
        return RC_UNSUPPORTED;
    }
    for (; rc == RC_OK && version < store_schema_version; version++)
        rc =
            store_rc(st, sqlite3_exec(st->db, store_schema[version], NULL, NULL, NULL));
    if (rc == RC_OK)
        rc = store_rc(
            st, sqlite3_prepare_v2(st->db, "PRAGMA foreign_key_check", -1, &q, NULL));
    if (rc == RC_OK)
        rc = store_has_row(st, q, &dangling);
    sqlite3_finalize(q);
    if (rc == RC_OK && dangling) {
        snprintf(st->message, sizeof(st->message),
                 "there are rows that refer to nothing");
        rc = RC_CORRUPT;
    }
    if (rc != RC_OK)
        return rc;
    snprintf(set_version, sizeof(set_version), "PRAGMA user_version=%d",
             store_schema_version);
    return store_rc(st, sqlite3_exec(st->db, set_version, NULL, NULL, NULL));
}

/* A step that makes a table anew drops the old one, whose rows must not take those of
 * other tables with them; what refers to what is checked once in the end. Foreign keys
 * cannot be switched inside a transaction. */
static enum rc migrate(struct store *st)
{
    int64_t version;
    enum rc rc = pragma_int(st, "PRAGMA user_version", &version);

    if (rc != RC_OK || version == store_schema_version)
        return rc;
    sqlite3_db_config(st->db, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
    rc = store_begin(st);
    if (rc == RC_OK)
        rc = store_end(st, run_steps(st));
    sqlite3_db_config(st->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    /* Parsed before all that: it would be parsed anew when it is needed (store_begin).
     */
    sqlite3_finalize(st->statements[SQL_ROLLBACK]);
    st->statements[SQL_ROLLBACK] = NULL;
    return rc;
}

enum rc store_open(const char *path, const struct clock *clock, struct store **out)
{
    struct store *st;
    enum rc rc = store_file_check(path);

    if (rc == RC_OK)
        rc = store_file_create(path);
    if (rc != RC_OK)
        return rc;
    st = calloc(1, sizeof(*st));
    if (!st)
        return RC_NOMEM;
    st->clock = *clock;
    /* No mutex: a handle belongs to one thread at a time. No SQLITE_OPEN_CREATE: the
     * file is there, with the mode that it should have. */
    rc = store_rc(st,
                  sqlite3_open_v2(path, &st->db,
                                  SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
    if (rc == RC_OK)
        rc = configure(st);
    if (rc == RC_OK)
        rc = migrate(st);
    if (rc == RC_OK)
        rc = pragma_int(st, "PRAGMA data_version", &st->data_version);
    if (rc == RC_OK) {
        *out = st;
    } else {
        log_error("database %s: %s", path, st->message);
        store_close(st);
    }
    return rc;
}

void store_close(struct store *st)
{
    size_t i;

    if (!st)
        return;
    for (i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(st->statements[i]);
    sqlite3_close(st->db);
    free(st);
}

/* ---- the handle's own functions ----------------------------------------- */

const char *store_message(const struct store *st)
{
    return st->message;
}

enum rc store_changed(struct store *st, bool *out)
{
    sqlite3_stmt *q;
    int64_t version = 0;
    enum rc rc = store_prepare(st, SQL_DATA_VERSION, "PRAGMA data_version", &q);

    if (rc == RC_OK)
        rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    version = sqlite3_column_int64(q, 0);
    rc = store_finish(st, q);
    if (rc != RC_OK)
        return rc;
    *out = version != st->data_version;
    st->data_version = version;
    return RC_OK;
}

enum rc store_checkpoint(struct store *st)
{
    int in_wal = 0, moved = 0;
    /* Passive: it never waits for readers nor keeps writers waiting. */
    enum rc rc =
        store_rc(st, sqlite3_wal_checkpoint_v2(st->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                               &in_wal, &moved));

    /* A reader still needs the rest; the next checkpoint will get it. */
    if (rc == RC_OK && moved < in_wal)
        rc = RC_BUSY;
    return rc;
}

enum rc store_ping(struct store *st)
{
    return run(st, SQL_PING, "SELECT id FROM videos LIMIT 1");
}
