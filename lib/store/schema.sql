-- The database of one site. It is compiled into the programs. Each part below "step n"
-- takes a database from version n - 1 (PRAGMA user_version) to n; store.c runs those that
-- are missing. A part that was once released is never changed: only ever add to the end.
--
-- Times called _ms without more are milliseconds since 1970 (wall clock, for people); a
-- time that decides something is on the boot clock and stands beside the id of its boot.

-- step 1

CREATE TABLE videos (
    id TEXT NOT NULL PRIMARY KEY,     -- 16 letters of base32; also the spool file's name
    title TEXT NOT NULL COLLATE NOCASE, -- shown to people
    filename TEXT NOT NULL COLLATE NOCASE, -- as the client said; data, never a path
    container TEXT NOT NULL           -- what the first bytes of the file are
        CHECK (container IN ('none', 'mp4', 'mov', 'matroska', 'webm')),
    state TEXT NOT NULL               -- where it is on its way from upload to playback
        CHECK (state IN ('receiving', 'stored', 'processing', 'ready', 'failed')),
    playable INTEGER NOT NULL DEFAULT 0, -- 1 once a segment of video is published
    size INTEGER NOT NULL,            -- bytes of the whole file; -1 while unknown
    received INTEGER NOT NULL DEFAULT 0, -- bytes that have come in so far
    error TEXT NOT NULL DEFAULT '',   -- why it failed, a sentence; '' if it did not
    warning TEXT NOT NULL DEFAULT '', -- why it is not whole, sentences; '' if it is
    duration_us INTEGER NOT NULL DEFAULT -1, -- of the timeline; -1 while unknown
    width INTEGER NOT NULL DEFAULT 0, -- as shown: turned upright, square pixels
    height INTEGER NOT NULL DEFAULT 0, -- likewise; 0 while unknown
    rate_num INTEGER NOT NULL DEFAULT 0, -- the source's average frame rate, numerator
    rate_den INTEGER NOT NULL DEFAULT 1, -- and denominator; 0/1 while unknown
    video_codec TEXT NOT NULL DEFAULT '', -- of the source; '' while unknown
    audio_codec TEXT NOT NULL DEFAULT '', -- of the source; '' while unknown, or none
    media_root TEXT NOT NULL UNIQUE,  -- folder of its files; never handed out
    media_key TEXT NOT NULL UNIQUE,   -- the owner's grant: symlink to media_root
    has_poster INTEGER NOT NULL DEFAULT 0, -- 1 once poster.jpg exists
    created_ms INTEGER NOT NULL,      -- when the upload began
    first_segment_ms INTEGER NOT NULL DEFAULT -1, -- from then to the first segment
    stored_ms INTEGER NOT NULL DEFAULT -1, -- from then to the file being stored
    ready_ms INTEGER NOT NULL DEFAULT -1, -- from then to being ready; -1: not yet
    deleted_at INTEGER                -- ms; set: gone for all but who clears it away
) STRICT;

-- The library's orders, each ending in the id so that a page's end is one place.
CREATE INDEX videos_by_age ON videos (created_ms, id) WHERE deleted_at IS NULL;
CREATE INDEX videos_by_title ON videos (title, id) WHERE deleted_at IS NULL;
-- What the worker has to clear away; both are empty most of the time.
CREATE INDEX videos_deleted ON videos (id) WHERE deleted_at IS NOT NULL;
CREATE INDEX videos_receiving ON videos (id) WHERE state = 'receiving';

CREATE TABLE renditions (
    video_id TEXT NOT NULL            -- the video that it is made from
        REFERENCES videos (id) ON DELETE CASCADE,
    name TEXT NOT NULL,               -- '360p', 'audio-0'; part of its folder's name
    position INTEGER NOT NULL,        -- its place in the plan, from 0
    kind TEXT NOT NULL CHECK (kind IN ('video', 'audio')), -- video and audio are apart
    generation INTEGER NOT NULL,      -- from 1; up when it is made again, for new URLs
    width INTEGER NOT NULL,           -- pixels; 0 for audio
    height INTEGER NOT NULL,          -- pixels; 0 for audio
    bitrate INTEGER NOT NULL,         -- bit/s: planned, then the measured peak
    average_bitrate INTEGER NOT NULL, -- bit/s measured; 0 while unknown
    codecs TEXT NOT NULL,             -- RFC 6381
    rate_num INTEGER NOT NULL,        -- frames (or AAC frames) a second, numerator
    rate_den INTEGER NOT NULL,        -- and denominator
    gop INTEGER NOT NULL,             -- frames in a segment
    frames INTEGER NOT NULL,          -- of the whole timeline
    segments INTEGER NOT NULL,        -- promised by the playlist
    done INTEGER NOT NULL DEFAULT 0,  -- of them published
    stream INTEGER NOT NULL,          -- index in the source, as ffprobe counts
    source_last_us INTEGER NOT NULL,  -- timeline: last packet of that stream
    seek_margin_us INTEGER NOT NULL,  -- how much earlier than asked a seek begins
    deinterlace INTEGER NOT NULL,     -- 1: the source is interlaced video
    PRIMARY KEY (video_id, name)
) STRICT, WITHOUT ROWID;

-- A video that is marked deleted has no jobs: that is what fences its workers off.
CREATE TABLE jobs (
    -- AUTOINCREMENT: were a number used again, a late worker's (id, fence) could fit
    -- a job that it never had.
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- also the job's age
    video_id TEXT NOT NULL            -- what it works on
        REFERENCES videos (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('probe', 'encode', 'poster')), -- the unit of work
    rendition TEXT NOT NULL DEFAULT '', -- name of what an encode job makes, else ''
    priority INTEGER NOT NULL,        -- lower is more urgent
    state TEXT NOT NULL DEFAULT 'queued' -- only queued and running ones can be claimed
        CHECK (state IN ('queued', 'running', 'done', 'failed')),
    fence INTEGER NOT NULL DEFAULT 0, -- number of the attempt; only ever goes up
    failures INTEGER NOT NULL DEFAULT 0, -- attempts that ended in an error
    lost INTEGER NOT NULL DEFAULT 0,  -- workers that died or froze at it since it last
                                      -- moved on
    due_ms INTEGER NOT NULL DEFAULT 0, -- boot clock; nobody may claim it before: the end
                                      -- of the lease if running, of the wait if queued
    due_boot TEXT NOT NULL DEFAULT '', -- boot id of due_ms; in another boot it is past
    owner TEXT NOT NULL DEFAULT '',   -- the worker that has or had the lease
    progress REAL NOT NULL DEFAULT 0, -- 0 to 1
    error TEXT NOT NULL DEFAULT '',   -- what ended the last failed attempt
    created_ms INTEGER NOT NULL,      -- when it was queued
    ended_ms INTEGER                  -- when it was done or failed for good
) STRICT;

-- The queue in the order in which it is worked off.
CREATE INDEX jobs_open ON jobs (priority, id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_by_video ON jobs (video_id);

CREATE TABLE workers (
    owner TEXT NOT NULL PRIMARY KEY,  -- the name under which it claims jobs
    pid INTEGER NOT NULL,             -- its process
    beat_ms INTEGER NOT NULL,         -- boot clock; its last sign of life
    beat_boot TEXT NOT NULL           -- boot id of beat_ms
) STRICT, WITHOUT ROWID;

CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- the cursor of who reads along
    at_ms INTEGER NOT NULL,           -- when it happened
    level TEXT NOT NULL CHECK (level IN ('info', 'warn', 'error')), -- how bad it is
    kind TEXT NOT NULL,               -- 'upload', 'probe', 'encode', 'video', 'worker' …
    video_id TEXT NOT NULL DEFAULT '', -- '' if none; the video may be gone
    message TEXT NOT NULL             -- a short sentence for people
) STRICT;

-- step 2

-- How the source's colours are to be read, 'bt709/bt709/bt709': matrix, primaries and
-- transfer by ffmpeg's names; '' unknown. Every run says the same, whatever its pictures.
ALTER TABLE renditions ADD COLUMN colour TEXT NOT NULL DEFAULT '';
-- Which segments exist, one bit each, low bit first; NULL before the worker said so.
ALTER TABLE renditions ADD COLUMN ready BLOB;
-- The segments that are being encoded while the job's lease lasts: '57 203'.
ALTER TABLE renditions ADD COLUMN encoding TEXT NOT NULL DEFAULT '';

-- Segments that somebody waits for. Written by media.fcgi alone.
CREATE TABLE demand (
    video_id TEXT NOT NULL            -- what is being watched
        REFERENCES videos (id) ON DELETE CASCADE,
    rendition TEXT NOT NULL,          -- name of its rendition
    segment INTEGER NOT NULL,         -- number of the segment
    since_ms INTEGER NOT NULL,        -- boot clock; when it was first asked for
    until_ms INTEGER NOT NULL,        -- boot clock; nobody waits any more after that
    boot TEXT NOT NULL,               -- boot id of the two
    PRIMARY KEY (video_id, rendition, segment)
) STRICT, WITHOUT ROWID;

-- step 3

-- While bytes come in: how much of the timeline has arrived; -1 while unknown.
ALTER TABLE videos ADD COLUMN arrived_us INTEGER NOT NULL DEFAULT -1;

-- Where a run of each segment begins to read, as the worker packs it; NULL: not known.
ALTER TABLE renditions ADD COLUMN seek_points BLOB;

-- What the client calls its upload, 32 hexadecimal digits in lower case: under this name
-- it goes on after an interruption, and is known for as long as the row. NULL: it cannot.
ALTER TABLE videos ADD COLUMN upload_id TEXT;
CREATE UNIQUE INDEX videos_by_upload ON videos (upload_id) WHERE upload_id IS NOT NULL;
-- ms; when an unfinished upload is given up; NULL: as soon as nobody sends it any more. On
-- the wall clock, since it has to outlive a boot.
ALTER TABLE videos ADD COLUMN expires_ms INTEGER;
-- The file's bytes from here on are of a chunk whose checksum was not looked at yet, and
-- count for nothing until it was; -1: there are none.
ALTER TABLE videos ADD COLUMN unchecked_from INTEGER NOT NULL DEFAULT -1;
-- Upload-Metadata as the tus client sent it, who is told it again.
ALTER TABLE videos ADD COLUMN upload_metadata TEXT NOT NULL DEFAULT '';
-- Where in the file the index stands that was sent ahead of it; -1: none was.
ALTER TABLE videos ADD COLUMN index_offset INTEGER NOT NULL DEFAULT -1;

-- step 4

-- In place of one index of both: uploads whose first bytes were seen, which the worker
-- looks through after each commit, and those that it has nothing to do with yet.
DROP INDEX videos_receiving;
CREATE INDEX videos_arriving ON videos (id)
    WHERE state = 'receiving' AND container <> 'none';
CREATE INDEX videos_unseen ON videos (id)
    WHERE state = 'receiving' AND container = 'none';

-- step 5

-- More kinds of work. A CHECK cannot be changed, so the table is made anew; numbers of
-- jobs that were used once stay used.
CREATE TABLE jobs_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- also the job's age; see step 1
    video_id TEXT NOT NULL            -- what it works on
        REFERENCES videos (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('probe', 'encode', 'copy', 'ladder', 'poster',
        'storyboard', 'subtitles')),  -- the unit of work
    rendition TEXT NOT NULL DEFAULT '', -- name of what it makes; '' if no rendition
    priority INTEGER NOT NULL,        -- lower is more urgent
    state TEXT NOT NULL DEFAULT 'queued' -- only queued and running ones can be claimed
        CHECK (state IN ('queued', 'running', 'done', 'failed')),
    fence INTEGER NOT NULL DEFAULT 0, -- number of the attempt; only ever goes up
    failures INTEGER NOT NULL DEFAULT 0, -- attempts that ended in an error
    lost INTEGER NOT NULL DEFAULT 0,  -- workers that died or froze at it since it last
                                      -- moved on
    due_ms INTEGER NOT NULL DEFAULT 0, -- boot clock; nobody may claim it before: the end
                                      -- of the lease if running, of the wait if queued
    due_boot TEXT NOT NULL DEFAULT '', -- boot id of due_ms; in another boot it is past
    owner TEXT NOT NULL DEFAULT '',   -- the worker that has or had the lease
    progress REAL NOT NULL DEFAULT 0, -- 0 to 1
    error TEXT NOT NULL DEFAULT '',   -- what ended the last failed attempt
    created_ms INTEGER NOT NULL,      -- when it was queued
    ended_ms INTEGER                  -- when it was done or failed for good
) STRICT;
INSERT INTO jobs_anew SELECT id, video_id, kind, rendition, priority, state, fence,
    failures, lost, due_ms, due_boot, owner, progress, error, created_ms, ended_ms
    FROM jobs;
DELETE FROM sqlite_sequence WHERE name = 'jobs_anew';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'jobs_anew', seq FROM sqlite_sequence WHERE name = 'jobs';
DROP TABLE jobs;
ALTER TABLE jobs_anew RENAME TO jobs;
CREATE INDEX jobs_open ON jobs (priority, id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_by_video ON jobs (video_id);

-- 1: its packets are copied as they are, and its segments begin at keyframes …
ALTER TABLE renditions ADD COLUMN copied INTEGER NOT NULL DEFAULT 0;
-- … which the worker packs in here; NULL: not known yet, and nothing is promised.
ALTER TABLE renditions ADD COLUMN bounds BLOB;
-- 1: a video is ready without it.
ALTER TABLE renditions ADD COLUMN extra INTEGER NOT NULL DEFAULT 0;
-- bit/s that its encoder is held to; 0: no bound, the fastest way is wanted.
ALTER TABLE renditions ADD COLUMN max_bitrate INTEGER NOT NULL DEFAULT 0;
-- Of sound: its language (BCP 47), '' unknown; what its track is called, '' if nothing.
ALTER TABLE renditions ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE renditions ADD COLUMN label TEXT NOT NULL DEFAULT '';
-- Why the picture is not offered as it is in the file, a sentence; '' if it is, or if
-- nobody knows yet.
ALTER TABLE videos ADD COLUMN copy_refused TEXT NOT NULL DEFAULT '';

-- step 6

-- 1 once storyboard.vtt exists.
ALTER TABLE videos ADD COLUMN has_storyboard INTEGER NOT NULL DEFAULT 0;
-- Where in the timeline the picture is that somebody chose for the poster; -1: nobody did.
ALTER TABLE videos ADD COLUMN poster_at_us INTEGER NOT NULL DEFAULT -1;
-- How often a poster was made: part of its URL, so that no cache shows an old one.
ALTER TABLE videos ADD COLUMN poster_version INTEGER NOT NULL DEFAULT 0;
-- 1: there was nothing to be seen in what had arrived; a better one is looked for in the
-- whole file.
ALTER TABLE videos ADD COLUMN poster_dull INTEGER NOT NULL DEFAULT 0;

-- step 7

-- What is read along with a video. Small columns first: the list never reads the text.
CREATE TABLE subtitles (
    id INTEGER PRIMARY KEY,           -- its place in the list
    video_id TEXT NOT NULL            -- the video that they belong to
        REFERENCES videos (id) ON DELETE CASCADE,
    name TEXT NOT NULL,               -- 'en', 'en-2'; also the name of its file
    language TEXT NOT NULL,           -- BCP 47; 'und' unknown
    label TEXT NOT NULL,              -- what people call them, '' if nothing
    source TEXT NOT NULL              -- a track of the video, or a file added to it
        CHECK (source IN ('track', 'file')),
    forced INTEGER NOT NULL DEFAULT 0, -- 1: for everybody, where people speak otherwise
    stream INTEGER NOT NULL DEFAULT -1, -- of a track: index in the source
    codec TEXT NOT NULL DEFAULT '',   -- of a track; '' unknown
    published INTEGER NOT NULL DEFAULT 0, -- 1 once its files exist
    text TEXT,                        -- WebVTT; NULL: a track that was not read yet
    UNIQUE (video_id, name)
) STRICT;
CREATE INDEX subtitles_by_video ON subtitles (video_id, id);

-- step 8

-- 1: its sound is encoded whatever its index says, as a copy once came out otherwise.
ALTER TABLE videos ADD COLUMN encodes_sound INTEGER NOT NULL DEFAULT 0;
-- Of sound: how many channels it has; 0 for a picture.
ALTER TABLE renditions ADD COLUMN channels INTEGER NOT NULL DEFAULT 0;
UPDATE renditions SET channels = 2 WHERE kind = 'audio';

-- step 9

-- A number of its own for each text of a row, drawn when that comes. `published` is from
-- here on the version that the files hold; 0: there are none.
ALTER TABLE subtitles ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
-- Why no files were made of this version, a sentence; '' if they were, or will be.
ALTER TABLE subtitles ADD COLUMN error TEXT NOT NULL DEFAULT '';

-- step 10

-- How often what its playlists say has changed, and how many of these changes are in them:
-- where that is less, who was to write them has died, or could not.
ALTER TABLE videos ADD COLUMN lists_changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE videos ADD COLUMN lists_followed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX videos_lists_behind ON videos (id)
    WHERE lists_changed <> lists_followed AND deleted_at IS NULL;

-- step 11

-- People who may sign in. A site without accounts has none, and whoever uses it is user 0.
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: what outlives a user names it
    name TEXT NOT NULL UNIQUE COLLATE NOCASE, -- as they chose to write it
    role TEXT NOT NULL                -- what they may do
        CHECK (role IN ('owner', 'member', 'viewer')),
    password TEXT NOT NULL,           -- its hash by crypt(5)
    created_ms INTEGER NOT NULL       -- when they were added
) STRICT;
CREATE INDEX users_by_role ON users (role);

-- Browsers that are signed in.
CREATE TABLE sessions (
    n INTEGER PRIMARY KEY AUTOINCREMENT, -- the number it is ended by
    hash BLOB NOT NULL UNIQUE,        -- of the secret in the cookie (pass_of_session)
    user_id INTEGER NOT NULL          -- who signed in
        REFERENCES users (id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL,      -- when that was
    used_ms INTEGER NOT NULL,         -- its last request, to a minute
    expires_ms INTEGER NOT NULL,      -- from then on it is over; each use puts it off
    agent TEXT NOT NULL,              -- User-Agent of the sign-in, for its user to know it by
    address TEXT NOT NULL             -- where the sign-in came from, likewise
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id, used_ms, n);
CREATE INDEX sessions_by_end ON sessions (expires_ms);

-- Secrets of programs that act for a user.
CREATE TABLE tokens (
    n INTEGER PRIMARY KEY AUTOINCREMENT, -- the number it is revoked by
    hash BLOB NOT NULL UNIQUE,        -- SHA-256 of the token
    user_id INTEGER NOT NULL          -- for whom it acts
        REFERENCES users (id) ON DELETE CASCADE,
    label TEXT NOT NULL,              -- what it is for, in its user's words
    scopes INTEGER NOT NULL,          -- bits: 1 read, 2 upload, 4 admin
    created_ms INTEGER NOT NULL,      -- when it was made
    used_ms INTEGER,                  -- its last request, to a minute; NULL: none yet
    expires_ms INTEGER                -- from then on it is over; NULL: never
) STRICT;
CREATE INDEX tokens_by_user ON tokens (user_id, n);
CREATE INDEX tokens_by_end ON tokens (expires_ms) WHERE expires_ms IS NOT NULL;

-- What failed of things that can be guessed.
CREATE TABLE tries (
    subject BLOB NOT NULL PRIMARY KEY, -- SHA-256 of what was tried, or from where
    failed INTEGER NOT NULL,          -- how often in a row
    last_ms INTEGER NOT NULL,         -- boot clock; the last time
    boot TEXT NOT NULL                -- boot id of last_ms
) STRICT, WITHOUT ROWID;
CREATE INDEX tries_by_age ON tries (boot, last_ms);

-- Of the site itself.
CREATE TABLE site_secrets (
    name TEXT NOT NULL PRIMARY KEY    -- 'setup' makes the first user; 'signing' signs
        CHECK (name IN ('setup', 'signing')),
    secret BLOB NOT NULL,             -- setup: SHA-256 of it; signing: the key itself
    expires_ms INTEGER                -- from then on it is of no use; NULL: never
) STRICT, WITHOUT ROWID;

-- Links by which a video is watched without an account.
CREATE TABLE shares (
    n INTEGER PRIMARY KEY AUTOINCREMENT, -- its age
    token TEXT NOT NULL UNIQUE,       -- what the link has; kept so that it can be told again
    video_id TEXT NOT NULL            -- what is shared
        REFERENCES videos (id) ON DELETE CASCADE,
    password TEXT NOT NULL,           -- its hash by crypt(5); '' if none is asked for
    download INTEGER NOT NULL,        -- 1: the file itself may be had, too
    embed TEXT NOT NULL,              -- origins whose pages may show it, '*' any, '' none
    created_ms INTEGER NOT NULL,      -- when it was made
    expires_ms INTEGER,               -- from then on it is over; NULL: never
    created_by INTEGER                -- who made it; NULL: nobody knows any more
        REFERENCES users (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX shares_by_video ON shares (video_id, n);
CREATE INDEX shares_by_maker ON shares (created_by);
CREATE INDEX shares_by_end ON shares (expires_ms) WHERE expires_ms IS NOT NULL;

-- Who may watch what: a row beside each symlink htdocs/media/<key>. It says to whom it was
-- given and refers to neither, since it has to outlive both until the symlink is gone.
CREATE TABLE grants (
    key TEXT NOT NULL PRIMARY KEY,    -- name of the symlink
    video_id TEXT NOT NULL            -- where it leads
        REFERENCES videos (id) ON DELETE CASCADE,
    user_id INTEGER,                  -- a user's; 0: of who uses a site without accounts
    share TEXT,                       -- or a share's: its token
    revoked INTEGER NOT NULL DEFAULT 0, -- 1: it counts no more; the symlink goes, then this
    CHECK ((user_id IS NULL) <> (share IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX grants_by_user ON grants (user_id, video_id)
    WHERE user_id IS NOT NULL AND revoked = 0;
CREATE UNIQUE INDEX grants_by_share ON grants (share)
    WHERE share IS NOT NULL AND revoked = 0;
CREATE INDEX grants_by_video ON grants (video_id, key);
CREATE INDEX grants_revoked ON grants (video_id, key) WHERE revoked = 1;

-- What was the one key of a video is from here on the grant of whoever uses a site without
-- accounts. A column that is UNIQUE cannot be dropped, so the table is made anew, with the
-- columns of all steps; store.c has switched foreign keys off, or its rows would take those
-- of other tables with them.
INSERT INTO grants (key, video_id, user_id, revoked)
    SELECT media_key, id, 0, deleted_at IS NOT NULL FROM videos;
CREATE TABLE videos_anew (
    id TEXT NOT NULL PRIMARY KEY,     -- 16 letters of base32; also the spool file's name
    title TEXT NOT NULL COLLATE NOCASE, -- shown to people
    filename TEXT NOT NULL COLLATE NOCASE, -- as the client said; data, never a path
    owner_id INTEGER                  -- who uploaded it; NULL: nobody, or they are gone
        REFERENCES users (id) ON DELETE SET NULL,
    visibility TEXT NOT NULL DEFAULT 'private' -- who may watch it besides owners
        CHECK (visibility IN ('private', 'everyone')),
    container TEXT NOT NULL           -- what the first bytes of the file are
        CHECK (container IN ('none', 'mp4', 'mov', 'matroska', 'webm')),
    state TEXT NOT NULL               -- where it is on its way from upload to playback
        CHECK (state IN ('receiving', 'stored', 'processing', 'ready', 'failed')),
    playable INTEGER NOT NULL DEFAULT 0, -- 1 once a segment of video is published
    size INTEGER NOT NULL,            -- bytes of the whole file; -1 while unknown
    received INTEGER NOT NULL DEFAULT 0, -- bytes that have come in so far
    error TEXT NOT NULL DEFAULT '',   -- why it failed, a sentence; '' if it did not
    warning TEXT NOT NULL DEFAULT '', -- why it is not whole, sentences; '' if it is
    copy_refused TEXT NOT NULL DEFAULT '', -- see step 5
    duration_us INTEGER NOT NULL DEFAULT -1, -- of the timeline; -1 while unknown
    arrived_us INTEGER NOT NULL DEFAULT -1, -- see step 3
    width INTEGER NOT NULL DEFAULT 0, -- as shown: turned upright, square pixels
    height INTEGER NOT NULL DEFAULT 0, -- likewise; 0 while unknown
    rate_num INTEGER NOT NULL DEFAULT 0, -- the source's average frame rate, numerator
    rate_den INTEGER NOT NULL DEFAULT 1, -- and denominator; 0/1 while unknown
    video_codec TEXT NOT NULL DEFAULT '', -- of the source; '' while unknown
    audio_codec TEXT NOT NULL DEFAULT '', -- of the source; '' while unknown, or none
    encodes_sound INTEGER NOT NULL DEFAULT 0, -- see step 8
    media_root TEXT NOT NULL UNIQUE,  -- folder of its files; never handed out
    has_poster INTEGER NOT NULL DEFAULT 0, -- 1 once poster.jpg exists
    poster_at_us INTEGER NOT NULL DEFAULT -1, -- this and what follows: see step 6
    poster_version INTEGER NOT NULL DEFAULT 0,
    poster_dull INTEGER NOT NULL DEFAULT 0,
    has_storyboard INTEGER NOT NULL DEFAULT 0,
    upload_id TEXT,                   -- this and what follows: see step 3
    expires_ms INTEGER,
    unchecked_from INTEGER NOT NULL DEFAULT -1,
    upload_metadata TEXT NOT NULL DEFAULT '',
    index_offset INTEGER NOT NULL DEFAULT -1,
    created_ms INTEGER NOT NULL,      -- when the upload began
    first_segment_ms INTEGER NOT NULL DEFAULT -1, -- from then to the first segment
    stored_ms INTEGER NOT NULL DEFAULT -1, -- from then to the file being stored
    ready_ms INTEGER NOT NULL DEFAULT -1, -- from then to being ready; -1: not yet
    lists_changed INTEGER NOT NULL DEFAULT 0, -- this and the next: see step 10
    lists_followed INTEGER NOT NULL DEFAULT 0,
    deleted_at INTEGER                -- ms; set: gone for all but who clears it away
) STRICT;
INSERT INTO videos_anew (id, title, filename, container, state, playable, size, received,
        error, warning, copy_refused, duration_us, arrived_us, width, height, rate_num,
        rate_den, video_codec, audio_codec, encodes_sound, media_root, has_poster,
        poster_at_us, poster_version, poster_dull, has_storyboard, upload_id, expires_ms,
        unchecked_from, upload_metadata, index_offset, created_ms, first_segment_ms,
        stored_ms, ready_ms, lists_changed, lists_followed, deleted_at)
    SELECT id, title, filename, container, state, playable, size, received,
        error, warning, copy_refused, duration_us, arrived_us, width, height, rate_num,
        rate_den, video_codec, audio_codec, encodes_sound, media_root, has_poster,
        poster_at_us, poster_version, poster_dull, has_storyboard, upload_id, expires_ms,
        unchecked_from, upload_metadata, index_offset, created_ms, first_segment_ms,
        stored_ms, ready_ms, lists_changed, lists_followed, deleted_at FROM videos;
DROP TABLE videos;
ALTER TABLE videos_anew RENAME TO videos;
-- The library's orders, each ending in the id: of all, of those for everyone, and of one
-- owner's. Who sees the last two walks both at once.
CREATE INDEX videos_by_age ON videos (created_ms, id) WHERE deleted_at IS NULL;
CREATE INDEX videos_by_title ON videos (title, id) WHERE deleted_at IS NULL;
CREATE INDEX videos_everyone_by_age ON videos (created_ms, id)
    WHERE deleted_at IS NULL AND visibility = 'everyone';
CREATE INDEX videos_everyone_by_title ON videos (title, id)
    WHERE deleted_at IS NULL AND visibility = 'everyone';
CREATE INDEX videos_own_by_age ON videos (owner_id, created_ms, id);
CREATE INDEX videos_own_by_title ON videos (owner_id, title, id);
CREATE INDEX videos_deleted ON videos (id) WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX videos_by_upload ON videos (upload_id) WHERE upload_id IS NOT NULL;
CREATE INDEX videos_arriving ON videos (id)
    WHERE state = 'receiving' AND container <> 'none';
CREATE INDEX videos_unseen ON videos (id)
    WHERE state = 'receiving' AND container = 'none';
CREATE INDEX videos_lists_behind ON videos (id)
    WHERE lists_changed <> lists_followed AND deleted_at IS NULL;

-- Whose video a line is about, so that they can be shown theirs; NULL: nobody's.
ALTER TABLE activity ADD COLUMN owner_id INTEGER;
CREATE INDEX activity_by_owner ON activity (owner_id, id) WHERE owner_id IS NOT NULL;

-- step 12
-- Sessions that have ended, whoever ended them, until their passes are gone: folders of
-- htdocs/media/pass that let their browsers at media (media_auth = strict).
CREATE TABLE sessions_ended (
    hash BLOB NOT NULL PRIMARY KEY    -- as it was in sessions
) STRICT, WITHOUT ROWID;
CREATE TRIGGER session_ends AFTER DELETE ON sessions BEGIN
    INSERT OR IGNORE INTO sessions_ended (hash) VALUES (old.hash);
END;

-- step 13
-- What the worker's programs that read uploads are not kept from, a sentence; '': they are
-- locked in as they should be.
ALTER TABLE workers ADD COLUMN jail_lacks TEXT NOT NULL DEFAULT '';

-- step 14
-- SHA-256 of the stored file, as it was soon after its upload; NULL: not taken yet.
ALTER TABLE videos ADD COLUMN sha256 BLOB CHECK (length(sha256) = 32);

-- One more kind of work; see step 5.
CREATE TABLE jobs_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- also the job's age; see step 1
    video_id TEXT NOT NULL            -- what it works on
        REFERENCES videos (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('probe', 'encode', 'copy', 'ladder', 'poster',
        'storyboard', 'subtitles', 'checksum')), -- the unit of work
    rendition TEXT NOT NULL DEFAULT '', -- name of what it makes; '' if no rendition
    priority INTEGER NOT NULL,        -- lower is more urgent
    state TEXT NOT NULL DEFAULT 'queued' -- only queued and running ones can be claimed
        CHECK (state IN ('queued', 'running', 'done', 'failed')),
    fence INTEGER NOT NULL DEFAULT 0, -- number of the attempt; only ever goes up
    failures INTEGER NOT NULL DEFAULT 0, -- attempts that ended in an error
    lost INTEGER NOT NULL DEFAULT 0,  -- workers that died or froze at it since it last
                                      -- moved on
    due_ms INTEGER NOT NULL DEFAULT 0, -- boot clock; nobody may claim it before: the end
                                      -- of the lease if running, of the wait if queued
    due_boot TEXT NOT NULL DEFAULT '', -- boot id of due_ms; in another boot it is past
    owner TEXT NOT NULL DEFAULT '',   -- the worker that has or had the lease
    progress REAL NOT NULL DEFAULT 0, -- 0 to 1
    error TEXT NOT NULL DEFAULT '',   -- what ended the last failed attempt
    created_ms INTEGER NOT NULL,      -- when it was queued
    ended_ms INTEGER                  -- when it was done or failed for good
) STRICT;
INSERT INTO jobs_anew SELECT id, video_id, kind, rendition, priority, state, fence,
    failures, lost, due_ms, due_boot, owner, progress, error, created_ms, ended_ms
    FROM jobs;
DELETE FROM sqlite_sequence WHERE name = 'jobs_anew';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'jobs_anew', seq FROM sqlite_sequence WHERE name = 'jobs';
DROP TABLE jobs;
ALTER TABLE jobs_anew RENAME TO jobs;
CREATE INDEX jobs_open ON jobs (priority, id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_by_video ON jobs (video_id);
-- What was stored before, as it is now.
INSERT INTO jobs (video_id, kind, priority, created_ms)
    SELECT id, 'checksum', 60, created_ms FROM videos
    WHERE state <> 'receiving' AND deleted_at IS NULL ORDER BY created_ms, id;

-- step 15

-- What the worker knows of the site's disk, for all who ask: one row.
CREATE TABLE disk (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    paused INTEGER NOT NULL DEFAULT 0, -- 1: less is free than the reserve, and so nothing
                                      -- is made until there is room
    originals INTEGER NOT NULL DEFAULT 0, -- bytes of the uploaded files, as last counted
    media INTEGER NOT NULL DEFAULT 0  -- bytes of all segments, likewise
) STRICT;
INSERT INTO disk (one) VALUES (1);

-- Bytes of the segments that exist; NULL: nobody has looked yet.
ALTER TABLE renditions ADD COLUMN bytes INTEGER DEFAULT 0;
UPDATE renditions SET bytes = NULL WHERE done > 0;
CREATE INDEX renditions_by_bytes ON renditions (bytes);

-- When somebody last began to watch it, to some minutes; NULL: nobody has.
ALTER TABLE videos ADD COLUMN watched_ms INTEGER;

-- What was made of an extra rendition is put away for want of room: 2 while its segments are
-- being removed, when nobody may claim the job; then 1, and only who waits for a segment has
-- it claimed, which makes it 0 again.
ALTER TABLE jobs ADD COLUMN asleep INTEGER NOT NULL DEFAULT 0;
DROP INDEX jobs_open;
CREATE INDEX jobs_open ON jobs (priority, id)
    WHERE state IN ('queued', 'running') AND asleep = 0;
CREATE INDEX jobs_leaving ON jobs (id) WHERE asleep = 2;

-- step 16

-- How far the SHA-256 of the bytes has come while they come in; NULL: nowhere.
ALTER TABLE videos ADD COLUMN hash_state BLOB;

-- step 17

-- How many of one user are unfinished is asked whenever one more is begun.
CREATE INDEX videos_unfinished ON videos (owner_id)
    WHERE state = 'receiving' AND deleted_at IS NULL;
