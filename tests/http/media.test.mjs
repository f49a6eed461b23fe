/*
 * Requests for segments that are not made yet: media.fcgi parks them until the file is
 * there. A real video is made and then the worker is stopped; a segment moved away is one
 * that is promised and missing, and comes back when the test says so.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { get as getAs } from '../lib/demand.mjs';
import { flashClip } from '../lib/media.mjs';
import { cost, mediaPid, untilParked } from '../lib/parked.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const run = promisify(execFile);
const YEAR = 'max-age=31536000';
const SECONDS = 70; // 35 segments of video, 18 of sound
const HANDLE_FDS = 12; // the store handles that are opened when first needed

let site;
let key;
let root;
let passing; // { id, key } of another video, none of whose segments are there

const test = (name, fn) => it(name, (t) => site.logged(fn)(t));
const url = (file, its = key) => `/media/${its}/${file}`;
const get = (file, headers = {}, method = 'GET', its = key) =>
    site.request(method, url(file, its), { headers });
const named = (sid) => ({ 'CMCD-Session': `sid="${sid}",v=1` });

before(async () => {
    site = await startSite({ worker: true, env: { DROPSTREAM_WAIT_S: '9' } });
    const file = site.path('tmp/clip.mp4');
    await flashClip(file, { seconds: SECONDS, rate: 10, size: '160x90' });
    const { json } = await site.upload(file);
    const video = await site.waitForState(json.id, 'ready');
    [, , key] = video.media.split('/');
    root = await fs.readlink(site.path('htdocs/media', key));
    passing = await makePassing();
    await site.end('worker');
});
after(() => site.stop());

async function makePassing() {
    const file = site.path('tmp/short.mp4');
    await flashClip(file, { seconds: 12, rate: 10, size: '160x90' });
    const { json } = await site.upload(file);
    const video = await site.waitForState(json.id, 'ready');
    const [, , itsKey] = video.media.split('/');
    const folders = ['360p-1', 'audio-0-1'].map((name) => site.path('htdocs/media', itsKey, name));
    for (const folder of folders)
        for (const name of await fs.readdir(folder))
            if (name.endsWith('.m4s')) await fs.unlink(path.join(folder, name));
    return { id: json.id, key: itsKey };
}

/*
 * A segment that was never asked for: lighttpd remembers for a second what it has found.
 * Its files are moved to site/tmp.
 */
let used = 0;
let usedSound = 0;
async function missing(name) {
    const file = name ?? `360p-1/${used++}.m4s`;
    const place = site.path('htdocs/media', root, file);
    const away = site.path('tmp', file.replace('/', '-'));
    await fs.rename(place, away);
    // A link of the same file elsewhere: what a static answer for it is like.
    const twin = file.replace('/', '-');
    await fs.link(away, site.path('htdocs/media', root, twin));
    return { file, twin, bytes: await fs.readFile(away), back: () => fs.rename(away, place) };
}

/* "360p/3" of every row of the demand table, in order. */
async function demands() {
    const sql = 'SELECT rendition, segment FROM demand ORDER BY rendition, segment';
    const args = ['-readonly', '-separator', '/', '-cmd', '.timeout 5000'];
    const { stdout } = await run('sqlite3', [...args, site.path('db/dropstream.db'), sql]);
    return stdout.split('\n').filter(Boolean);
}

/* The row of a missing file. */
const row = ({ file }) => file.replace(/-1\/(\d+)\.m4s$/, '/$1').replace(/-1\/init\.mp4$/, '/0');

async function untilDemanded(...segments) {
    const wanted = [...new Set(segments.map(row))].sort();
    const isSo = async () => JSON.stringify((await demands()).sort()) === JSON.stringify(wanted);
    await waitFor(isSo, { timeout: 5000, what: `the demands to be ${wanted}` }).catch(async (error) => {
        throw new Error(`demands are ${await demands()}`, { cause: error });
    });
}

/* Starts a request; .done says whether it was answered. */
function begin(file, headers, method, its) {
    const request = { done: false };
    request.answer = get(file, headers, method, its).then((answer) => {
        request.done = true;
        return answer;
    });
    request.answer.catch(() => {});
    return request;
}

function assertLater({ status, headers, json }, code) {
    assert.equal(status, 503);
    assert.equal(json.error.code, code);
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['retry-after'], '1');
}

/* The same site under other settings. */
async function restart(settings) {
    await site.end('lighttpd');
    Object.assign(site.env, settings);
    site.startLighttpd();
    await waitFor(() => site.answers());
}

describe('a segment that is not there', () => {
    /* Everything that a client sees but the moment. */
    const seen = ({ status, headers, body }) => {
        const { date, ...rest } = headers;
        assert.ok(date);
        return { status, headers: rest, body: body.toString('hex') };
    };

    test('is answered when it comes, like a static file', async () => {
        const asked = [
            ['GET', () => ({}), 200],
            ['HEAD', () => ({}), 200],
            ['GET', () => ({ Range: 'bytes=2-4' }), 206],
            ['GET', () => ({ Range: 'bytes=99999999-' }), 416],
            ['GET', ({ etag }) => ({ 'If-None-Match': etag }), 304],
            ['GET', (h) => ({ 'If-Modified-Since': h['last-modified'] }), 304],
        ];
        const files = [...asked.map(() => undefined), '360p-1/init.mp4', `audio-0-1/${usedSound++}.m4s`];
        const all = [];
        for (const [i, name] of files.entries()) {
            const [method, makeHeaders, status] = asked[i] ?? asked[0];
            const part = await missing(name);
            const headers = makeHeaders((await get(part.twin)).headers);
            const request = begin(part.file, { ...headers, ...named(`v${i}`) }, method);
            all.push({ method, headers, status, part, request });
        }
        await untilDemanded(...all.map(({ part }) => part));
        assert.ok(all.every(({ request }) => !request.done));
        for (const { method, headers, status, part, request } of all) {
            await part.back();
            const answer = await request.answer;
            assert.deepEqual(seen(answer), seen(await get(part.twin, headers, method)));
            assert.equal(answer.status, status);
            if (status === 200) {
                assert.equal(answer.headers['cache-control'], YEAR);
                assert.equal(answer.headers['accept-ranges'], 'bytes');
                assert.equal(Number(answer.headers['content-length']), part.bytes.length);
            }
            assert.ok(!JSON.stringify(answer.headers).includes(root), 'the folder stays hidden');
            assert.equal(answer.headers['x-sendfile'], undefined);
        }
        await untilDemanded();
    });
    test('comes by link(2) as well, and HTTP/1.0 has an Expires', async () => {
        const part = await missing();
        const request = site.raw([`GET ${url(part.file)} HTTP/1.0\r\n\r\n`]);
        await untilDemanded(part);
        const media = site.path('htdocs/media', root);
        await fs.link(path.join(media, part.twin), path.join(media, part.file));
        const [head, body] = (await request).split('\r\n\r\n');
        assert.match(head, /^HTTP\/1\.0 200 /);
        assert.match(head, /^Expires: /m);
        assert.equal(body, part.bytes.toString('latin1'));
    });
    test('is seen by a slow look where its folder cannot be watched', async () => {
        const folder = site.path('htdocs/media', root, '360p-1');
        await fs.rename(folder, `${folder}-away`);
        const request = begin('360p-1/34.m4s');
        await untilDemanded({ file: '360p-1/34.m4s' });
        await fs.rename(`${folder}-away`, folder);
        assert.equal((await request.answer).status, 200);
        await untilDemanded();
    });
    test('comes although nobody can write to the database', async () => {
        const [one, two] = [await missing(), await missing()];
        const held = await site.holdDatabase();
        const first = begin(one.file, named('a'));
        await untilParked(site, 1);
        await one.back();
        const { status } = await first.answer;
        const second = begin(two.file, named('a'));
        await untilParked(site, 1);
        const before = await demands();
        await held.end();
        assert.equal(status, 200);
        assert.deepEqual(before, []);
        await untilDemanded(two);
        await two.back();
        assert.equal((await second.answer).status, 200);
        await untilDemanded();
    });
    test('what will never exist is a 404 at once, and no demand', async () => {
        const past = ['360p-1/35.m4s', 'audio-0-1/18.m4s', '360p-1/00.m4s', '360p-1/x.m4s'];
        const wrong = ['360p-2/0.m4s', '360p-2/init.mp4', '720p-1/0.m4s', 'audio-1-1/0.m4s'];
        const targets = [...past, ...wrong].map(url);
        const part = await missing();
        targets.push(`/media/${'b'.repeat(26)}/${part.file}`, `/media/${root}/${part.file}`);
        for (const target of targets) {
            const { status, headers, json } = await site.request('GET', target);
            assert.equal(status, 404, target);
            assert.equal(json.error.code, 'not_found');
            assert.equal(headers['cache-control'], 'no-store');
        }
        const held = await site.holdDatabase();
        await held.run("UPDATE videos SET state = 'failed'");
        await held.end();
        const { status } = await get(part.file);
        const again = await site.holdDatabase();
        await again.run("UPDATE videos SET state = 'ready'");
        await again.end();
        assert.equal(status, 404, 'of a failed video');
        assert.deepEqual(await demands(), []);
    });
});

describe('viewers', () => {
    test('who wait for one segment are one demand', async () => {
        const part = await missing();
        const requests = Array.from({ length: 200 }, (_, i) => begin(part.file, named(`v${i}`)));
        await waitFor(async () => (await cost(site)).fds > 200);
        await untilDemanded(part);
        assert.ok(requests.every(({ done }) => !done));
        await part.back();
        for (const { answer } of requests) {
            const { status, body } = await answer;
            assert.equal(status, 200);
            assert.ok(body.equals(part.bytes));
        }
        await untilDemanded();
    });
    for (const [who, headers] of [
        ['by CMCD', named('6e2fb550-c457-11e9-bb97-0800200c9a66')],
        ['by their player', { 'X-Playback-Session-Id': 'F1A2' }],
    ])
        test(`known ${who} replace what they wanted before`, async () => {
            const [one, two, shared] = [await missing(), await missing(), await missing()];
            const sound = await missing(`audio-0-1/${usedSound++}.m4s`);
            const other = begin(shared.file, named('someone else'));
            const heard = begin(sound.file, headers);
            const first = begin(one.file, headers);
            await untilDemanded(one, shared, sound);
            const second = begin(shared.file, headers);
            assertLater(await first.answer, 'replaced');
            await untilDemanded(shared, sound);
            const third = begin(two.file, headers);
            assertLater(await second.answer, 'replaced');
            await untilDemanded(two, shared, sound);
            assert.ok([other, heard, third].every(({ done }) => !done));
            for (const part of [one, two, shared, sound]) await part.back();
            for (const { answer } of [other, heard, third])
                assert.equal((await answer).status, 200);
            await untilDemanded();
        });
    test('unknown ones have four demands at once', async () => {
        const parts = [];
        for (let i = 0; i < 5; i++) parts.push(await missing());
        const requests = [];
        for (const part of parts.slice(0, 4)) {
            requests.push(begin(part.file, { 'User-Agent': 'old' }));
            await untilDemanded(...parts.slice(0, requests.length));
        }
        const { fds } = await cost(site);
        const again = begin(parts[0].file, { 'User-Agent': 'old' });
        const another = begin(parts[0].file, { 'User-Agent': 'new' });
        await waitFor(async () => (await cost(site)).fds >= fds + 2);
        requests.push(begin(parts[4].file, { 'User-Agent': 'old' }));
        assertLater(await requests[0].answer, 'replaced');
        assertLater(await again.answer, 'replaced');
        await untilDemanded(...parts);
        for (const part of parts) await part.back();
        for (const { answer } of [...requests.slice(1), another])
            assert.equal((await answer).status, 200);
        await untilDemanded();
    });
    test('who hang up cost nothing for long', async () => {
        const part = await missing();
        const before = await cost(site);
        const head = `GET ${url(part.file)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
        await Promise.all(Array.from({ length: 50 }, () => site.raw([head], { hangUp: true })));
        const stays = begin(part.file, named('stays'));
        await untilDemanded(part);
        await part.back();
        assert.equal((await stays.answer).status, 200);
        await waitFor(async () => (await cost(site)).fds <= before.fds + HANDLE_FDS);
        assert.equal((await get(part.file)).status, 200);
        await untilDemanded();
    });
});

describe('a segment that will never be', () => {
    const files = (...names) => names.map((file) => ({ file }));
    /* Three viewers of each; resolves when they wait. */
    async function wait(...segments) {
        const { fds } = await cost(site);
        const requests = segments.flatMap(({ file }) =>
            ['a', 'b', 'c'].map((sid) => begin(file, named(sid), 'GET', passing.key)),
        );
        await waitFor(async () => (await cost(site)).fds >= fds + requests.length);
        return requests;
    }
    async function assertGone(requests) {
        for (const { answer } of requests) {
            const { status, headers, json } = await answer;
            assert.equal(status, 404);
            assert.equal(json.error.code, 'not_found');
            assert.equal(headers['cache-control'], 'no-store');
        }
    }
    async function change(sql) {
        const held = await site.holdDatabase();
        await held.run(sql);
        await held.end();
    }

    test('is a 404 when its video fails', async () => {
        const part = await missing();
        const other = begin(part.file);
        const [lost] = files('360p-1/0.m4s');
        const requests = await wait(lost);
        await untilDemanded(part, lost);
        await change(`UPDATE videos SET state = 'failed' WHERE id = '${passing.id}'`);
        await assertGone(requests);
        await untilDemanded(part);
        await change(`UPDATE videos SET state = 'ready' WHERE id = '${passing.id}'`);
        assert.equal(other.done, false);
        await part.back();
        assert.equal((await other.answer).status, 200);
        await untilDemanded();
    });
    test('is a 404 when its rendition is begun anew', async () => {
        const [picture, sound] = files('360p-1/1.m4s', 'audio-0-1/0.m4s');
        const watching = await wait(picture);
        const listening = await wait(sound);
        await untilDemanded(picture, sound);
        const where = `WHERE video_id = '${passing.id}' AND name =`;
        await change(`UPDATE renditions SET generation = 2 ${where} 'audio-0'`);
        await assertGone(listening);
        await untilDemanded(picture);
        assert.ok(watching.every(({ done }) => !done));
        await change(`UPDATE renditions SET generation = 2 ${where} '360p'`);
        await assertGone(watching);
        await untilDemanded();
        await change(`UPDATE renditions SET generation = 1 WHERE video_id = '${passing.id}'`);
    });
    test('is a 404 when its video is deleted', async () => {
        const parts = [await missing(), await missing(`audio-0-1/${usedSound++}.m4s`)];
        const others = parts.map(({ file }) => begin(file, named('a')));
        const segments = files('360p-1/2.m4s', 'audio-0-1/1.m4s');
        const requests = await wait(...segments);
        await untilDemanded(...parts, ...segments);
        assert.equal((await site.api('DELETE', `/api/videos/${passing.id}`)).status, 204);
        await assertGone(requests);
        await untilDemanded(...parts);
        assert.ok(others.every(({ done }) => !done));
        for (const part of parts) await part.back();
        for (const { answer } of others) assert.equal((await answer).status, 200);
        await untilDemanded();
    });
});

describe('limits', () => {
    test('600 waits are a little memory and no thread', async () => {
        await restart({ DROPSTREAM_WAITS_PER_ADDRESS: '700' });
        await site.request('GET', url('360p-1/99.m4s'));
        const before = await cost(site);
        const pid = await mediaPid(site);
        const part = await missing();
        const requests = Array.from({ length: 600 }, (_, i) => begin(part.file, named(`v${i}`)));
        await waitFor(async () => (await cost(site)).fds >= before.fds + 600);
        const during = await cost(site);
        assert.equal(during.threads, before.threads);
        assert.ok(during.rss - before.rss < 600 * 32, `${before.rss} to ${during.rss} KB`);
        assert.equal((await site.api('GET', '/api/videos')).status, 200);
        await part.back();
        for (const { answer } of requests) assert.equal((await answer).status, 200);
        await waitFor(async () => {
            const now = await cost(site);
            return now.fds <= before.fds + HANDLE_FDS && now.rss < before.rss + 4096;
        });
        assert.equal(await mediaPid(site), pid);
    });
    test('a wait ends after wait_s, and its demand a little later', async () => {
        await restart({ DROPSTREAM_WAIT_S: '1' });
        const part = await missing();
        const began = Date.now();
        assertLater(await get(part.file), 'not_yet');
        assert.ok(Date.now() - began >= 950, 'it waited');
        await untilDemanded(part);
        const sql = 'SELECT until_ms - since_ms FROM demand';
        const { stdout } = await run('sqlite3', ['-readonly', site.path('db/dropstream.db'), sql]);
        assert.equal(Number(stdout), 3000, 'the player asks again right away');
        assert.equal((await get(part.file, {}, 'HEAD')).status, 503);
    });
    /* lighttpd is sure to notice it of a client that has asked for something before on the
     * same connection, as players have. */
    test('who hangs up is waited for no longer', async () => {
        await restart({ DROPSTREAM_WAIT_S: '9' });
        const [left, shared] = [await missing(), await missing()];
        const off = new AbortController();
        const leave = async (part, i) => {
            const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
            const master = await getAs(site, url('master.m3u8'), { agent });
            assert.equal(master.status, 200);
            const answer = getAs(site, url(part.file), { sid: `leaves${i}`, signal: off.signal, agent });
            await assert.rejects(answer, { name: 'AbortError' });
        };
        const gone = Promise.all([left, shared].map(leave));
        const stays = begin(shared.file, named('stays'));
        await untilParked(site, 3);
        await untilDemanded(left, shared);
        const began = Date.now();
        off.abort();
        await gone;
        await untilDemanded(shared);
        await untilParked(site, 1);
        assert.ok(Date.now() - began < 8000, 'before its time was over');
        await shared.back();
        assert.equal((await stays.answer).status, 200);
        await left.back();
    });
    test('an address has a bounded number of waits', async () => {
        await restart({ DROPSTREAM_WAIT_S: '9', DROPSTREAM_WAITS_PER_ADDRESS: '20' });
        const [part, other] = [await missing(), await missing()];
        const requests = Array.from({ length: 20 }, (_, i) => begin(part.file, named(`v${i}`)));
        await untilDemanded(part);
        await waitFor(async () => (await cost(site)).fds > 20);
        assertLater(await get(part.file, named('late')), 'crowded');
        assertLater(await get(other.file), 'crowded');
        assert.equal((await get('master.m3u8')).status, 200);
        await untilDemanded(part);
        await part.back();
        for (const { answer } of requests) assert.equal((await answer).status, 200);
        await other.back();
        assert.equal((await get(other.file)).status, 200);
    });
    test('all of them together are bounded too', async () => {
        await restart({ DROPSTREAM_WAITS: '5' });
        const part = await missing();
        const requests = Array.from({ length: 5 }, (_, i) => begin(part.file, named(`v${i}`)));
        await waitFor(async () => (await cost(site)).fds > 10);
        await untilDemanded(part);
        assertLater(await get(part.file, named('late')), 'crowded');
        await part.back();
        for (const { answer } of requests) assert.equal((await answer).status, 200);
    });
});

describe('media.fcgi', () => {
    test('leaves no demand behind when it is killed', async () => {
        const part = await missing();
        const request = begin(part.file);
        await untilDemanded(part);
        const pid = await mediaPid(site);
        process.kill(pid, 'SIGKILL');
        assert.notEqual((await request.answer).status, 200);
        await waitFor(async () => ![undefined, pid].includes(await mediaPid(site)));
        await untilDemanded();
    });
    test('waits under plain CGI too', async () => {
        const [part, other] = [await missing(), await missing()];
        const answer = site.cgi('media.fcgi', { target: url(part.file) });
        await untilDemanded(part);
        await part.back();
        const { status, headers, body } = await answer;
        assert.equal(status, 200);
        assert.equal(headers['x-sendfile'], site.path('htdocs/media', key, part.file));
        assert.equal(body.length, 0);
        await untilDemanded();
        const settings = { DROPSTREAM_WAIT_S: '1' };
        assertLater(await site.cgi('media.fcgi', { target: url(other.file), settings }), 'not_yet');
        await untilDemanded(other);
        assert.equal((await site.cgi('media.fcgi', { target: url('360p-1/99.m4s') })).status, 404);
    });
});
