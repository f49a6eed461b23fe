/*
 * Who may do what, over HTTP: each route × each kind of asker, against a written matrix. The
 * programs tell their own routes (--routes), those of the pages are in lighttpd.conf, and one
 * that has no row here fails.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Client, PASSWORD, addUser, letters, pretend, sql, startAccounts } from '../lib/accounts.mjs';
import { formAround, tinyMp4, whole } from '../lib/site.mjs';
import { metadata, newUploadId } from '../lib/tus.mjs';

/*
 * The columns. Videos are mia's: a private one, and in the columns "…, all" one that is for
 * everyone. share: a browser with nothing but the link of a share, and the proof of its
 * password. revoked: a session of mia's that was ended. expired: a token of mia's whose time
 * is over. scope: a token of the owner that was made for something else. program: one of the
 * owner that was made for everything.
 */
const COLUMNS = [
    'nobody', 'share', 'viewer', 'viewer, all', 'other', 'other, all', 'member', 'owner',
    'revoked', 'expired', 'scope', 'program',
];

/* What a letter of the matrix stands for; + is what the row says. */
const REFUSED = {
    s: [401, 'sign_in'],
    t: [401, 'bad_token'],
    c: [403, 'scope'],
    f: [403, 'forbidden'],
    '-': [404, 'not_found'],
};

const VIDEO = [
    'id', 'title', 'filename', 'size', 'received', 'container', 'state', 'playable', 'error',
    'warning', 'copy_refused', 'duration', 'width', 'height', 'fps', 'video_codec',
    'audio_codec', 'created_at', 'owner', 'visibility', 'may', 'media', 'poster', 'storyboard',
    'renditions', 'subtitles', 'timing',
];
const SHARED = [
    'title', 'state', 'playable', 'duration', 'width', 'height', 'media', 'poster',
    'storyboard', 'subtitles', 'renditions', 'warning', 'expires_at', 'download', 'embed',
];
const SHARE = [
    'token', 'url', 'embed_url', 'created_at', 'expires_at', 'has_password', 'download',
    'embed', 'created_by',
];
const SESSION = ['user', 'auth', 'setup'];
const USER = ['name', 'role', 'created_at'];
const SRT = '1\n00:00:00,000 --> 00:00:02,000\nHello\n';
const TUS = { 'Tus-Resumable': '1.0.0' };

const keysOf = (list) => (json) => assert.deepEqual(Object.keys(json), list);
const nothing = (json, { body }) => assert.equal(body.length, 0);
const json = (body) => ({ body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });

const SEGMENT = { more: '360p-1', last: '0.m4s' };
function segment(_, { text }) {
    assert.equal(text, 'segment 0');
}

function page(_, { text }) {
    assert.match(text, /<!doctype html>/i);
}

/* What every video says of who asks. */
function seesVideo(video, { column }) {
    keysOf(VIDEO)(video);
    assert.equal(video.owner, 'mia');
    const all = ['member', 'owner', 'program'].includes(column);
    assert.deepEqual(video.may, { edit: all, share: all, download: all });
}

/*
 * A row: [letters of the columns, status of +, what + has as its body, and the rest: how the
 * request is made of what the world w has (target: what stands in the URL; fresh: what has to
 * be made for this one request; scope: what the token of the last column is for)].
 */
const ROWS = {
    //                              nobody share viewer all other all member owner revoked expired scope program
    'GET /api/videos': ['s s + + + + + + s t c +', 200, (body, { world, column }) => {
        assert.deepEqual(Object.keys(body), ['videos', 'next']);
        const seen = new Set(body.videos.map(({ id }) => id));
        assert.equal(seen.has(world.private.id), ['member', 'owner', 'program'].includes(column));
        assert.equal(seen.has(world.hidden.id), ['other', 'other, all', 'owner', 'program'].includes(column));
        assert.ok(seen.has(world.everyone.id));
        for (const video of body.videos) assert.deepEqual(Object.keys(video), VIDEO);
    }, { scope: 'upload', query: '?limit=200' }],
    'GET /api/videos/*': ['s s - + - + + + s t c +', 200, seesVideo, { scope: 'upload' }],
    'PATCH /api/videos/*': ['s s - f - f + + s t c +', 200, seesVideo, { send: () => json({ title: 'New' }) }],
    'DELETE /api/videos/*': ['s s - f - f + + s t c +', 204, nothing, { fresh: 'video' }],
    'GET /api/videos/*/original': ['s s - f - f + + s t c +', 200, (_, { body, headers }) => {
        assert.deepEqual(body, tinyMp4());
        assert.equal(headers['content-disposition'],
            'attachment; filename="clip.mp4"; filename*=UTF-8\'\'clip.mp4');
    }, { scope: 'upload' }],
    'PUT /api/videos/*/poster': ['s s - f - f + + s t c +', 202, seesVideo, { send: () => json({ at: 1 }) }],
    'POST /api/videos/*/rekey': ['s s - f - f + + s t c +', 200, seesVideo, { fresh: 'video' }],
    'POST /api/videos/*/retry': ['s s - f - f + + s t c +', 202, seesVideo, { fresh: 'failed' }],
    'GET /api/videos/*/segments': ['s s - + - + + + s t c +', 200, keysOf(['renditions']), { scope: 'upload' }],
    'GET /api/videos/*/shares': ['s s - f - f + + s t c +', 200, (body) => {
        assert.deepEqual(Object.keys(body.shares[0]), SHARE);
    }, { scope: 'upload' }],
    'POST /api/videos/*/shares': ['s s - f - f + + s t c +', 201, keysOf(SHARE), { fresh: 'video', send: () => json({}) }],
    'PUT /api/videos/*/subtitles/*': ['s s - f - f + + s t c +', 201, seesVideo, {
        fresh: 'video', more: 'en', send: () => ({ body: SRT }),
    }],
    'DELETE /api/videos/*/subtitles/*': ['s s - f - f + + s t c +', 204, nothing, { fresh: 'subtitled', more: 'en' }],

    'GET /api/shares/*': ['+ + + + + + + + + t + +', 200, keysOf(SHARED), { target: 'plainShare' }],
    'POST /api/shares/*': ['+ + + + + + + + + t + +', 200, keysOf([...SHARED, 'proof']), {
        target: 'share', send: () => json({ password: PASSWORD }),
    }],
    'DELETE /api/shares/*': ['s s - f - f + + s t c +', 204, nothing, { fresh: 'share', target: 'share' }],
    'GET /api/shares/*/segments': ['+ + + + + + + + + t + +', 200, keysOf(['renditions']), { target: 'plainShare' }],
    'GET /api/shares/*/original': ['+ + + + + + + + + t + +', 200, (_, { body }) => {
        assert.deepEqual(body, tinyMp4());
    }, { target: 'plainShare' }],
    'GET /e/*': ['+ + + + + + + + + t + +', 200, (_, { text, headers }) => {
        assert.match(text, /<!doctype html>/i);
        assert.match(headers['content-security-policy'], /frame-ancestors \*/);
    }, { target: 'plainShare' }],

    'GET /api/session': ['+ + + + + + + + + t + +', 200, (body, { name }) => {
        keysOf(SESSION)(body);
        assert.equal(body.user?.name, name);
        assert.equal(body.auth, 'required');
        assert.equal(body.setup, false);
    }],
    'POST /api/session': ['+ + + + + + + + + t + +', 201, (body) => {
        assert.deepEqual(body.user, { name: 'vera', role: 'viewer' });
    }, { fresh: 'session', send: () => json({ name: 'vera', password: PASSWORD }) }],
    'DELETE /api/session': ['+ + + + + + + + + t + +', 204, nothing, { fresh: 'session' }],
    'POST /api/setup': ['- - - - - - - - - t - -', 0, nothing, {
        refused: { '-': [409, 'exists'] },
        send: () => json({ token: letters(52), name: 'eve', password: PASSWORD }),
    }],
    'GET /api/sessions': ['s s + + + + + + s t c +', 200, (body, { column }) => {
        assert.deepEqual(Object.keys(body.sessions[0]),
            ['n', 'created_at', 'used_at', 'expires_at', 'agent', 'address', 'current']);
        assert.equal(body.sessions.filter(({ current }) => current).length, column === 'program' ? 0 : 1);
    }],
    'DELETE /api/sessions/*': ['s s + + + + + + s t c +', 204, nothing, { fresh: 'session', target: 'session' }],
    'GET /api/tokens': ['s s + + + + + + s t c +', 200, keysOf(['tokens'])],
    'POST /api/tokens': ['s s + + + + + + s t c f', 201,
        keysOf(['n', 'label', 'scopes', 'created_at', 'expires_at', 'used_at', 'token']),
        { send: () => json({ label: 'x', scopes: ['read'] }) }],
    'DELETE /api/tokens/*': ['s s + + + + + + s t c +', 204, nothing, { fresh: 'token', target: 'token' }],
    'GET /api/users': ['s s f f f f f + s t c +', 200, (body) => {
        assert.deepEqual(Object.keys(body.users[0]), USER);
    }],
    'POST /api/users': ['s s f f f f f + s t c +', 201, keysOf(USER), {
        send: () => json({ name: `u${letters(8)}`, role: 'viewer', password: PASSWORD }),
    }],
    'PATCH /api/users/*': ['s s f f f f + + s t c +', 200, keysOf(USER), {
        fresh: 'password', target: 'user', send: () => json({ password: PASSWORD, old_password: PASSWORD }),
    }],
    'DELETE /api/users/*': ['s s f f f f f + s t c +', 204, nothing, { fresh: 'user', target: 'user' }],
    'GET /api/activity': ['s s f f + + + + s t c +', 200, (body, { world, column }) => {
        const seen = new Set(body.activity.map((row) => row.video_id));
        assert.equal(seen.has(world.private.id), ['member', 'owner', 'program'].includes(column));
        assert.equal(seen.has(world.hidden.id), ['other', 'other, all', 'owner', 'program'].includes(column));
    }, { scope: 'upload', query: '?limit=1000' }],
    'GET /api/health': ['+ + + + + + + + + t + +', 503, (body, { column }) => {
        const all = ['status', 'database', 'worker', 'jail', 'disk'];
        // The token of the last column is the owner's, and may read.
        assert.deepEqual(Object.keys(body), ['owner', 'scope', 'program'].includes(column) ? all : ['status']);
    }],

    'POST /api/videos': ['s s f f + + + + s t c +', 201, (video, { name }) => {
        keysOf(VIDEO)(video);
        assert.equal(video.owner, name);
        assert.equal(video.visibility, 'private');
        assert.deepEqual(video.may, { edit: true, share: true, download: true });
    }, {
        send: () => {
            const form = formAround('clip.mp4');
            return { body: whole(form, tinyMp4()), headers: { 'Content-Type': form.type } };
        },
    }],
    'OPTIONS /api/uploads': ['+ + + + + + + + + t + +', 204, nothing],
    'OPTIONS /api/uploads/': ['+ + + + + + + + + t + +', 204, nothing],
    'OPTIONS /api/uploads/*': ['+ + + + + + + + + t + +', 204, nothing, { target: 'upload' }],
    'POST /api/uploads': ['s s f f + + + + s t c +', 201, nothing, { send: () => newUpload(newUploadId()) }],
    'POST /api/uploads/': ['s s f f + + + + s t c +', 201, nothing, { send: () => newUpload(newUploadId()) }],
    'HEAD /api/uploads/*': ['s s f f - - + + s t c +', 200, nothing, { target: 'upload', send: () => ({ headers: TUS }) }],
    'PATCH /api/uploads/*': ['s s f f - - + + s t c +', 204, nothing, {
        fresh: 'upload', target: 'upload',
        send: () => ({
            body: tinyMp4(),
            headers: { ...TUS, 'Upload-Offset': 0, 'Content-Type': 'application/offset+octet-stream' },
        }),
    }],
    'DELETE /api/uploads/*': ['s s f f - - + + s t c +', 204, nothing, {
        fresh: 'upload', target: 'upload', send: () => ({ headers: TUS }),
    }],
    'PUT /api/uploads/*/index': ['s s f f - - + + s t c +', 422, (body) => {
        assert.equal(body.error.code, 'bad_index', 'it was read, and is none');
    }, { target: 'upload', query: '?offset=19000', send: () => ({ body: 'no index' }) }],

    // By its key alone, in this mode.
    'GET /media/*/*/*': ['+ + + + + + + + + + + +', 200, segment, { target: 'key', ...SEGMENT }],
    'HEAD /media/*/*/*': ['+ + + + + + + + + + + +', 200, nothing, { target: 'key', ...SEGMENT }],
    'OPTIONS /media/*/*/*': ['+ + + + + + + + + + + +', 204, (_, { headers }) => {
        assert.equal(headers.allow, 'GET, HEAD');
    }, { target: 'key', more: '360p-1', last: '4.m4s' }],

    // The pages, which are one file; what they show, they ask for.
    'GET /': ['+ + + + + + + + + + + +', 200, page],
    'GET /watch/*': ['+ + + + + + + + + + + +', 200, page],
    'GET /s/*': ['+ + + + + + + + + + + +', 200, page, { target: 'share' }],
    'GET /activity': ['+ + + + + + + + + + + +', 200, page],
    'GET /login': ['+ + + + + + + + + + + +', 200, page],
    'GET /account': ['+ + + + + + + + + + + +', 200, page],
};

/* With media_auth = strict: by a key that was told to whoever asks, or would have been if they
 * might, and by mia's. */
const STRICT_ROWS = [
    //                     nobody share viewer all other all member owner revoked expired scope program
    ['GET /media/*/*/*', ['- + - + - + + + - - - +', 200, segment, { target: 'ownKey', scope: 'upload', ...SEGMENT }]],
    ['GET /media/*/*/*', ['- + - + - + + + - - + +', 200, segment, { target: 'ownKey', scope: 'read', ...SEGMENT }]],
    ['GET /media/*/*/*', ['- - - - - - + - - - - -', 200, segment, { target: 'key', scope: 'read', ...SEGMENT }]],
];

/* The addresses at which lighttpd serves the one page. */
async function pagesOf(site) {
    const config = await fs.readFile(site.path('etc/lighttpd.conf'), 'utf8');
    const [rule, below, alone] = /"\^\/\(\?:\(\?:([a-z|]+)\)\/\[a-z2-7\]\+\|([a-z|]+)\)[^"]*" => "\/index\.html"/.exec(config) ?? [];
    assert.ok(rule, 'the rule of the pages is as this reads it');
    assert.equal(config.split('=> "/index.html"').length, 2, 'there is one');
    return [...below.split('|').map((name) => `GET /${name}/*`), ...alone.split('|').map((name) => `GET /${name}`)];
}

function newUpload(upload_id) {
    return {
        headers: {
            ...TUS,
            'Upload-Length': tinyMp4().length,
            'Upload-Metadata': metadata({ filename: 'clip.mp4', upload_id }),
        },
    };
}

const matrix = (mediaAuth, rows) => () => {
    let site, people, world, roots;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));

    async function makeVideo(client, title, visibility = 'private') {
        const { json: video } = await client.upload(tinyMp4(), { fields: { title } });
        roots.push(await pretend(site, video.id));
        if (visibility !== 'private')
            await client.api('PATCH', `/api/videos/${video.id}`, { visibility });
        return video;
    }

    /* The key that somebody is told for a video. */
    const keyOf = async (client, { id }) =>
        (await client.api('GET', `/api/videos/${id}`)).json.media.split('/')[2];

    /* Who asks in each column. name: who the server takes them for; all: they ask for the one
     * of mia's videos that is for everyone; key: what they were told for it; person: whose
     * program it is. */
    async function makePeople() {
        const { owner, member, other, viewer } = people;
        const revoked = await new Client(site).signIn('mia');
        const before = revoked.clone();
        assert.equal((await revoked.api('DELETE', '/api/session')).status, 204);
        const expired = await member.newToken(['read', 'upload', 'admin'], { expires_in: 3600 });
        await sql(site, `UPDATE tokens SET expires_ms = ${Date.now()}
            WHERE expires_ms IS NOT NULL`);
        const share = new Client(site);
        const opened = await share.api('POST', `/api/shares/${world.share}`, { password: PASSWORD });
        share.headers['Share-Password-Proof'] = opened.json.proof;
        return {
            nobody: { client: new Client(site) },
            share: { client: share, key: opened.json.media.split('/')[2] },
            viewer: { client: viewer, name: 'vera' },
            'viewer, all': { client: viewer, name: 'vera', all: true, key: await keyOf(viewer, world.everyone) },
            other: { client: other, name: 'otto' },
            'other, all': { client: other, name: 'otto', all: true, key: await keyOf(other, world.everyone) },
            member: { client: member, name: 'mia' },
            owner: { client: owner, name: 'olga', key: await keyOf(owner, world.private) },
            revoked: { client: before },
            expired: { client: new Client(site, { token: expired }) },
            scope: {
                name: 'olga',
                key: await keyOf(owner, world.private),
                read: new Client(site, { token: await owner.newToken(['read']) }),
                upload: new Client(site, { token: await owner.newToken(['upload']) }),
            },
            program: {
                name: 'olga',
                key: await keyOf(owner, world.private),
                client: new Client(site, { token: await owner.newToken(['read', 'upload', 'admin']) }),
                person: owner,
            },
        };
    }

    /* Makes what a row takes away or changes, for one request. Resolves to that part of the
     * world. */
    async function makeFresh(what, asker) {
        const { member } = people;
        const visibility = asker.all ? 'everyone' : 'private';
        switch (what) {
            case undefined:
                return {};
            case 'upload': {
                const id = newUploadId();
                await member.request('POST', '/api/uploads', newUpload(id));
                return { upload: id };
            }
            case 'session': {
                if (!asker.client || !asker.name) return { session: 1, client: asker.client?.clone() };
                const client = await new Client(site).signIn(asker.name);
                const { json: list } = await client.api('GET', '/api/sessions');
                const { n } = list.sessions.find(({ current }) => current);
                return { session: n, client: asker.person ? asker.client : client };
            }
            case 'token': {
                if (!asker.client || !asker.name) return { token: 1 };
                const made = await (asker.person ?? asker.client).api('POST', '/api/tokens', { label: 'x', scopes: ['read'] });
                return { token: made.json.n };
            }
            case 'user': {
                const name = `gone-${letters(6)}`;
                await addUser(people.owner, name, 'viewer');
                return { user: name };
            }
            // Of the one who asks, where that is a member; else of somebody else.
            case 'password': {
                const name = `user-${letters(6)}`;
                const client = await addUser(people.owner, name, 'member');
                return asker === world.people.member ? { user: name, client } : { user: name };
            }
        }
        const video = await makeVideo(member, `for one request, ${visibility}`, visibility);
        if (what === 'failed')
            await sql(site, `UPDATE videos SET state = 'failed', error = 'no' WHERE id = '${video.id}'`);
        if (what === 'subtitled')
            await member.request('PUT', `/api/videos/${video.id}/subtitles/en`, {
                body: SRT, headers: { 'Content-Length': SRT.length },
            });
        const share = what === 'share' ? (await member.newShare(video.id)).token : undefined;
        return { video: video.id, share };
    }

    /* The address of a row, for one asker. */
    function targetOf(route, { target = 'video', more, last, query = '' }, asker, fresh) {
        const video = fresh.video ?? (asker.all ? world.everyone : world.private).id;
        const shares = asker.all ? world.allShares : world;
        const named = {
            video, key: world.key, ownKey: asker.key ?? world.key, upload: world.upload,
            share: shares.share, plainShare: shares.plainShare, ...fresh,
        };
        if (fresh.share === undefined) named.share = shares.share;
        const parts = [named[target], more, last];
        return route.split(' ')[1].replace(/\*/g, () => parts.shift()) + query;
    }

    async function ask(route, asker, options) {
        const fresh = await makeFresh(options.fresh, asker);
        const target = targetOf(route, options, asker, fresh);
        const { body, headers = {} } = options.send?.(asker) ?? {};
        if (body !== undefined) headers['Content-Length'] = Buffer.byteLength(body);
        const client = fresh.client ?? asker.client ?? asker[options.scope ?? 'read'];
        return client.request(route.split(' ')[0], target, { headers, body });
    }

    function check(route, [, status, body, options = {}], letter, response, about) {
        const what = `${about.column}: ${response.status} ${response.text.slice(0, 300)}`;
        const [refused, code] = { ...REFUSED, ...options.refused }[letter] ?? [];
        assert.equal(response.status, refused ?? status, what);
        if (refused && !route.startsWith('HEAD')) {
            assert.equal(response.json.error.code, code, what);
            assert.deepEqual(Object.keys(response.json), ['error']);
        }
        if (refused) {
            assert.match(response.headers['cache-control'], /^no-store\b/);
            assert.equal(response.headers['www-authenticate'], refused === 401 ? 'Bearer' : undefined);
        } else {
            body(response.json, { ...about, ...response, world });
        }
        const all = response.text + JSON.stringify(response.headers);
        for (const root of roots) assert.ok(!all.includes(root), `${what}: a media root is told`);
    }

    before(async () => {
        const accounts = await startAccounts({ env: { DROPSTREAM_WAIT_S: '1', DROPSTREAM_MEDIA_AUTH: mediaAuth } });
        ({ site } = accounts);
        people = accounts;
        roots = [];
        world = {
            private: await makeVideo(people.member, 'private'),
            everyone: await makeVideo(people.member, 'everyone', 'everyone'),
            hidden: await makeVideo(people.other, 'of another'),
            upload: newUploadId(),
        };
        const shares = async ({ id }) => ({
            share: (await people.member.newShare(id, { password: PASSWORD })).token,
            plainShare: (await people.member.newShare(id, { download: true, embed: true })).token,
        });
        Object.assign(world, await shares(world.private));
        world.allShares = await shares(world.everyone);
        await people.member.request('POST', '/api/uploads', newUpload(world.upload));
        world.key = await keyOf(people.member, world.private);
        world.people = await makePeople();
    });
    after(() => site?.stop());

    if (mediaAuth === 'static') it('every route has a row, and every row a route', async () => {
        const routes = [];
        for (const name of ['api.fcgi', 'upload.fcgi', 'media.fcgi']) {
            const { stdout } = await promisify(execFile)(site.path('cgi-bin', name), ['--routes']);
            for (const line of stdout.trim().split('\n')) routes.push(line.split(' ').slice(0, 2).join(' '));
        }
        routes.push('GET /', ...(await pagesOf(site)));
        assert.ok(routes.length > 50);
        assert.deepEqual(routes.sort(), Object.keys(ROWS).sort());
        for (const [route, [cells]] of Object.entries(ROWS))
            assert.equal(cells.split(' ').length, COLUMNS.length, route);
    });

    for (const [route, row] of rows) {
        const [cells, , , options = {}] = row;
        const by = mediaAuth === 'strict' ? `, by ${options.target}, token to ${options.scope}` : '';
        test(route + by, async () => {
            for (const [i, letter] of cells.split(' ').entries()) {
                const column = COLUMNS[i];
                const asker = world.people[column];
                const response = await ask(route, asker, options);
                check(route, row, letter, response, { column, name: asker.name });
            }
        });
    }

    if (mediaAuth === 'static') test('HEAD is to everybody what GET is', async () => {
        for (const [route, [cells, status, , options = {}]] of Object.entries(ROWS)) {
            if (!route.startsWith('GET') || route.includes('/media/')) continue;
            for (const [i, letter] of cells.split(' ').entries()) {
                const asker = world.people[COLUMNS[i]];
                const response = await ask(route.replace('GET', 'HEAD'), asker, options);
                assert.equal(response.status, REFUSED[letter]?.[0] ?? status, `${route}, ${COLUMNS[i]}`);
                assert.equal(response.body.length, 0);
            }
        }
    });
};

describe('who may do what', matrix('static', Object.entries(ROWS)));
describe('who may do what with media_auth = strict', matrix('strict', STRICT_ROWS));
