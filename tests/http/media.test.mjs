/*
 * Requests for segments that are not made yet: media.fcgi parks them until the file is
 * there. Who waits, and how many may, is in waits.test.mjs.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { flashClip } from '../lib/media.mjs';
import { assertLater, cost, mediaPid, named, startWaiting, untilParked } from '../lib/parked.mjs';
import { waitFor } from '../lib/site.mjs';

const YEAR = 'max-age=31536000';

let site, w;
/* { id, key } of another video, none of whose segments are there. Those that are asked for have
 * other numbers than those of the first, as the demands are told by these. */
let passing;

const test = (name, fn) => it(name, (t) => site.logged(fn)(t));

before(async () => {
    w = await startWaiting(async (begun) => {
        site = begun;
        passing = await makePassing();
    });
});
after(() => site?.stop());

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
        const files = [...asked.map(() => undefined), '360p-1/init.mp4', w.nextSound()];
        const all = [];
        for (const [i, name] of files.entries()) {
            const [method, makeHeaders, status] = asked[i] ?? asked[0];
            const part = await w.missing(name);
            const headers = makeHeaders((await w.get(part.twin)).headers);
            const request = w.begin(part.file, { ...headers, ...named(`v${i}`) }, method);
            all.push({ method, headers, status, part, request });
        }
        await w.untilDemanded(...all.map(({ part }) => part));
        assert.ok(all.every(({ request }) => !request.done));
        for (const { method, headers, status, part, request } of all) {
            await part.back();
            const answer = await request.answer;
            assert.deepEqual(seen(answer), seen(await w.get(part.twin, headers, method)));
            assert.equal(answer.status, status);
            if (status === 200) {
                assert.equal(answer.headers['cache-control'], YEAR);
                assert.equal(answer.headers['accept-ranges'], 'bytes');
                assert.equal(Number(answer.headers['content-length']), part.bytes.length);
            }
            assert.ok(!JSON.stringify(answer.headers).includes(w.root), 'the folder stays hidden');
            assert.equal(answer.headers['x-sendfile'], undefined);
        }
        await w.untilDemanded();
    });
    test('comes by link(2) as well, and HTTP/1.0 has an Expires', async () => {
        const part = await w.missing();
        const request = site.raw([`GET ${w.url(part.file)} HTTP/1.0\r\n\r\n`]);
        await w.untilDemanded(part);
        const media = site.path('htdocs/media', w.root);
        await fs.link(path.join(media, part.twin), path.join(media, part.file));
        const [head, body] = (await request).split('\r\n\r\n');
        assert.match(head, /^HTTP\/1\.0 200 /);
        assert.match(head, /^Expires: /m);
        assert.equal(body, part.bytes.toString('latin1'));
    });
    test('is seen by a slow look where its folder cannot be watched', async () => {
        const folder = site.path('htdocs/media', w.root, '360p-1');
        await fs.rename(folder, `${folder}-away`);
        const request = w.begin('360p-1/34.m4s');
        await w.untilDemanded({ file: '360p-1/34.m4s' });
        await fs.rename(`${folder}-away`, folder);
        assert.equal((await request.answer).status, 200);
        await w.untilDemanded();
    });
    test('comes although nobody can write to the database', async () => {
        const [one, two] = [await w.missing(), await w.missing()];
        const held = await site.holdDatabase();
        const first = w.begin(one.file, named('a'));
        await untilParked(site, 1);
        await one.back();
        const { status } = await first.answer;
        const second = w.begin(two.file, named('a'));
        await untilParked(site, 1);
        const before = await w.demands();
        await held.end();
        assert.equal(status, 200);
        assert.deepEqual(before, []);
        await w.untilDemanded(two);
        await two.back();
        assert.equal((await second.answer).status, 200);
        await w.untilDemanded();
    });
    test('what will never exist is a 404 at once, and no demand', async () => {
        const past = ['360p-1/35.m4s', 'audio-0-1/18.m4s', '360p-1/00.m4s', '360p-1/x.m4s'];
        const wrong = ['360p-2/0.m4s', '360p-2/init.mp4', '720p-1/0.m4s', 'audio-1-1/0.m4s'];
        const targets = [...past, ...wrong].map((file) => w.url(file));
        const part = await w.missing();
        targets.push(`/media/${'b'.repeat(26)}/${part.file}`, `/media/${w.root}/${part.file}`);
        for (const target of targets) {
            const { status, headers, json } = await site.request('GET', target);
            assert.equal(status, 404, target);
            assert.equal(json.error.code, 'not_found');
            assert.equal(headers['cache-control'], 'no-store');
        }
        const held = await site.holdDatabase();
        await held.run("UPDATE videos SET state = 'failed'");
        await held.end();
        const { status } = await w.get(part.file);
        const again = await site.holdDatabase();
        await again.run("UPDATE videos SET state = 'ready'");
        await again.end();
        assert.equal(status, 404, 'of a failed video');
        assert.deepEqual(await w.demands(), []);
    });
});

describe('a segment that will never be', () => {
    const files = (...names) => names.map((file) => ({ file }));
    /* Three viewers of each; resolves when they wait. */
    async function wait(...segments) {
        const { fds } = await cost(site);
        const requests = segments.flatMap(({ file }) =>
            ['a', 'b', 'c'].map((sid) => w.begin(file, named(sid), 'GET', passing.key)),
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
        const part = await w.missing();
        const other = w.begin(part.file);
        const [lost] = files('360p-1/0.m4s');
        const requests = await wait(lost);
        await w.untilDemanded(part, lost);
        await change(`UPDATE videos SET state = 'failed' WHERE id = '${passing.id}'`);
        await assertGone(requests);
        await w.untilDemanded(part);
        await change(`UPDATE videos SET state = 'ready' WHERE id = '${passing.id}'`);
        assert.equal(other.done, false);
        await part.back();
        assert.equal((await other.answer).status, 200);
        await w.untilDemanded();
    });
    test('is a 404 when its rendition is begun anew', async () => {
        const [picture, sound] = files('360p-1/1.m4s', 'audio-0-1/0.m4s');
        const watching = await wait(picture);
        const listening = await wait(sound);
        await w.untilDemanded(picture, sound);
        const where = `WHERE video_id = '${passing.id}' AND name =`;
        await change(`UPDATE renditions SET generation = 2 ${where} 'audio-0'`);
        await assertGone(listening);
        await w.untilDemanded(picture);
        assert.ok(watching.every(({ done }) => !done));
        await change(`UPDATE renditions SET generation = 2 ${where} '360p'`);
        await assertGone(watching);
        await w.untilDemanded();
        await change(`UPDATE renditions SET generation = 1 WHERE video_id = '${passing.id}'`);
    });
    test('is a 404 when its video is deleted', async () => {
        const parts = [await w.missing(), await w.missing(w.nextSound())];
        const others = parts.map(({ file }) => w.begin(file, named('a')));
        const segments = files('360p-1/2.m4s', 'audio-0-1/2.m4s');
        const requests = await wait(...segments);
        await w.untilDemanded(...parts, ...segments);
        assert.equal((await site.api('DELETE', `/api/videos/${passing.id}`)).status, 204);
        await assertGone(requests);
        await w.untilDemanded(...parts);
        assert.ok(others.every(({ done }) => !done));
        for (const part of parts) await part.back();
        for (const { answer } of others) assert.equal((await answer).status, 200);
        await w.untilDemanded();
    });
});

describe('media.fcgi', () => {
    test('leaves no demand behind when it is killed', async () => {
        const part = await w.missing();
        const request = w.begin(part.file);
        await w.untilDemanded(part);
        const pid = await mediaPid(site);
        process.kill(pid, 'SIGKILL');
        assert.notEqual((await request.answer).status, 200);
        await waitFor(async () => ![undefined, pid].includes(await mediaPid(site)));
        await w.untilDemanded();
    });
    test('waits under plain CGI too', async () => {
        const [part, other] = [await w.missing(), await w.missing()];
        const answer = site.cgi('media.fcgi', { target: w.url(part.file) });
        await w.untilDemanded(part);
        await part.back();
        const { status, headers, body } = await answer;
        assert.equal(status, 200);
        assert.equal(headers['x-sendfile'], site.path('htdocs/media', w.key, part.file));
        assert.equal(body.length, 0);
        await w.untilDemanded();
        const settings = { DROPSTREAM_WAIT_S: '1' };
        assertLater(await site.cgi('media.fcgi', { target: w.url(other.file), settings }), 'not_yet');
        await w.untilDemanded(other);
        assert.equal((await site.cgi('media.fcgi', { target: w.url('360p-1/99.m4s') })).status, 404);
    });
});
