/* The JSON interface through the real lighttpd, and each program under plain CGI. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { assertError } from '../lib/errors.mjs';
import { flashClip } from '../lib/media.mjs';
import { sleep, startSite, tinyMp4, waitFor } from '../lib/site.mjs';

const UNKNOWN = 'a'.repeat(16);

/* Runs SQL on the site's database, as one transaction beside its programs. */
async function sql(site, text) {
    const database = await site.holdDatabase();
    try {
        return await database.run(text);
    } finally {
        await database.end();
    }
}

/* Gives a video renditions by hand: { name, segments, done, and what is not usual }. */
async function plan(site, id, renditions) {
    for (const [position, r] of renditions.entries()) {
        const { kind = 'video', ready = 'NULL', encoding = '', rate = [25, 1], gop = 50 } = r;
        await sql(site, `INSERT INTO renditions (video_id, name, position, kind, generation,
            width, height, bitrate, average_bitrate, codecs, rate_num, rate_den, gop, frames,
            segments, done, stream, source_last_us, seek_margin_us, deinterlace, ready, encoding)
            VALUES ('${id}', '${r.name}', ${position}, '${kind}', 3, 0, 0, 1, 0, '', ${rate[0]},
            ${rate[1]}, ${gop}, ${gop * r.segments}, ${r.segments}, ${r.done}, 0, 0, 0, 0,
            ${ready}, '${encoding}')`);
    }
}

/* A worker's lease on the encode jobs of these renditions, which lasts for an hour. */
async function lease(site, id, names) {
    const boot = (await fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const until = Math.round(os.uptime() * 1000) + 3_600_000;
    for (const name of names)
        await sql(site, `INSERT INTO jobs (video_id, kind, rendition, priority, state, fence,
            due_ms, due_boot, owner, created_ms) VALUES ('${id}', 'encode', '${name}', 30,
            'running', 1, ${until}, '${boot}', 'by hand', 0)`);
}

/* "ready 0+6, missing 6+9" of a rendition. */
const runs = (rendition) =>
    rendition.runs.map(({ state, from, count }) => `${state} ${from}+${count}`).join(', ');

describe('the library', () => {
    const titles = ['delta', 'Alpha', 'charlie', 'Bravo', 'echo 100%', 'Zürich'];
    let site, pids, ids;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));
    const titlesOf = ({ json }) => json.videos.map((video) => video.title);

    before(async () => {
        site = await startSite({ env: { DROPSTREAM_DISK_RESERVE_MB: '2' } });
        ids = [];
        for (const title of titles) {
            const { json } = await site.upload(tinyMp4(), { fields: { title } });
            ids.push(json.id);
        }
        pids = await site.handlers();
    });
    after(async () => {
        const living = await site.handlers();
        await site.stop();
        assert.deepEqual(living, pids, 'a handler died');
    });

    test('is listed newest first, and by the other orders', async () => {
        const list = (query) => site.api('GET', `/api/videos${query}`);
        const response = await list('');
        assert.equal(response.status, 200);
        assert.equal(response.headers['cache-control'], 'no-store');
        assert.deepEqual(titlesOf(response), [...titles].reverse());
        assert.equal(response.json.next, null);
        assert.deepEqual(titlesOf(await list('?sort=newest')), [...titles].reverse());
        assert.deepEqual(titlesOf(await list('?sort=oldest')), titles);
        const byTitle = ['Alpha', 'Bravo', 'charlie', 'delta', 'echo 100%', 'Zürich'];
        assert.deepEqual(titlesOf(await list('?sort=title')), byTitle);
    });
    test('comes in pages that fit together', async () => {
        for (const sort of ['newest', 'oldest', 'title']) {
            const whole = titlesOf(await site.api('GET', `/api/videos?sort=${sort}`));
            const pages = [];
            let after = '';
            for (let i = 0; i < 3; i++) {
                const page = await site.api('GET', `/api/videos?limit=2&sort=${sort}${after}`);
                assert.equal(page.json.videos.length, 2);
                pages.push(...titlesOf(page));
                after = `&after=${page.json.next}`;
                assert.equal(page.json.next, i < 2 ? page.json.videos[1].id : null);
            }
            assert.deepEqual(pages, whole);
        }
    });
    test('is searched by title and name', async () => {
        const found = async (q) =>
            titlesOf(await site.api('GET', `/api/videos?q=${encodeURIComponent(q)}`));
        assert.deepEqual(await found('ALPHA'), ['Alpha']);
        assert.deepEqual(await found('100%'), ['echo 100%']);
        assert.deepEqual(await found('%'), ['echo 100%']);
        assert.deepEqual(await found('_'), []);
        assert.deepEqual(await found('Zür'), ['Zürich']);
        assert.equal((await found('clip.mp4')).length, titles.length);
        assert.deepEqual(await found("' OR 1=1 --"), []);
        assert.deepEqual(titlesOf(await site.api('GET', '/api/videos?q=echo+100')), ['echo 100%']);
    });
    for (const query of [
        'limit=0', 'limit=201', 'limit=-1', 'limit=1x', 'limit=', 'limit=99999999999999999999',
        'sort=size', 'sort=', 'after=nothing', `after=${UNKNOWN}`, 'after=', `q=${'x'.repeat(600)}`,
    ])
        test(`refuses ?${query.slice(0, 40)}`, async () => {
            assertError(await site.api('GET', `/api/videos?${query}`), 400, 'bad_parameter');
        });

    test('refuses broken escapes and control characters, which lighttpd lets no one send', async () => {
        for (const q of ['%', '%4', '%zz', '%00', '%ff', '%0a'])
            assertError(await site.cgi('api.fcgi', { target: `/api/videos?q=${q}` }), 400, 'bad_parameter');
    });
    test('one video, as the list has it', async () => {
        const { json } = await site.api('GET', `/api/videos/${ids[0]}`);
        const list = await site.api('GET', '/api/videos?sort=oldest');
        assert.deepEqual(json, list.json.videos[0]);
        assert.deepEqual(Object.keys(json), [
            'id', 'title', 'filename', 'size', 'received', 'container', 'state', 'playable',
            'error', 'warning', 'copy_refused', 'duration', 'width', 'height', 'fps',
            'video_codec', 'audio_codec', 'created_at', 'owner', 'visibility', 'may', 'media',
            'poster', 'storyboard', 'renditions', 'subtitles', 'timing',
        ]);
        assert.deepEqual(Object.keys(json.timing), ['first_segment_s', 'stored_s', 'ready_s']);
        assert.match(json.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    });
    test('HEAD is GET without the body', async () => {
        const get = await site.api('GET', `/api/videos/${ids[0]}`);
        const head = await site.api('HEAD', `/api/videos/${ids[0]}`);
        assert.equal(head.status, 200);
        assert.equal(head.body.length, 0);
        assert.equal(head.headers['content-length'], String(get.body.length));
    });
    test('what is not there is a 404 in JSON', async () => {
        const send = (method, url) =>
            site.api(method, url, method === 'PATCH' ? { title: 't' } : undefined);
        for (const [method, url] of [
            ['GET', `/api/videos/${UNKNOWN}`],
            ['PATCH', `/api/videos/${UNKNOWN}`],
            ['DELETE', `/api/videos/${UNKNOWN}`],
            ['POST', `/api/videos/${UNKNOWN}/retry`],
            ['GET', `/api/videos/${UNKNOWN}/segments`],
            ['GET', '/api/videos/x/segments'],
            ['GET', `/api/videos/${ids[0]}/segments/0`],
            ['GET', '/api/videos/x'],
            ['GET', `/api/videos/${UNKNOWN.toUpperCase()}`],
            ['GET', '/api/videos/%2e%2e'],
            ['GET', `/api/videos/${ids[0]}/`],
            ['GET', `/api/videos/${ids[0]}/nothing`],
            ['GET', '/api/'],
            ['GET', '/api/none'],
            ['POST', '/api/none'],
            ['GET', `/api/${'x'.repeat(3000)}`],
        ])
            assertError(await send(method, url), 404, 'not_found');
    });
    test('a method that an address does not have is a 405 with the ones it has', async () => {
        for (const [method, url, allow] of [
            ['DELETE', '/api/videos', 'GET, HEAD, POST'],
            ['PATCH', '/api/videos', 'GET, HEAD, POST'],
            ['PUT', `/api/videos/${ids[0]}`, 'GET, HEAD, PATCH, DELETE'],
            ['POST', `/api/videos/${ids[0]}`, 'GET, HEAD, PATCH, DELETE'],
            ['GET', `/api/videos/${ids[0]}/retry`, 'POST'],
            ['POST', `/api/videos/${ids[0]}/segments`, 'GET, HEAD'],
            ['POST', '/api/activity', 'GET, HEAD'],
            ['DELETE', '/api/health', 'GET, HEAD'],
        ]) {
            const response = await site.api(method, url);
            assertError(response, 405, 'method_not_allowed');
            assert.equal(response.headers.allow, allow);
        }
    });
    test('a title is changed, and cleaned of spaces at its ends', async () => {
        const url = `/api/videos/${ids[1]}`;
        const { status, json } = await site.api('PATCH', url, { title: '  Über – 🎬 ' });
        assert.equal(status, 200);
        assert.equal(json.title, 'Über – 🎬');
        assert.equal((await site.api('GET', url)).json.title, 'Über – 🎬');
        await site.api('PATCH', url, { title: 'x'.repeat(1020) });
        assert.equal((await site.api('GET', url)).json.title.length, 1020);
        await site.api('PATCH', url, { title: titles[1] });
    });
    for (const [what, body, status, code] of [
        ['no JSON', 'title', 400, 'bad_json'],
        ['half of it', '{"title":', 400, 'bad_json'],
        ['nothing', '', 400, 'bad_json'],
        ['bytes that are not UTF-8', '{"title":"\\ud800"}', 400, 'bad_json'],
        ['a key twice', '{"title":"a","title":"b"}', 400, 'bad_json'],
        ['brackets without end', '['.repeat(60_000), 400, 'bad_json'],
        ['a deep array', `{"title":${'['.repeat(2000)}${']'.repeat(2000)}}`, 422, 'bad_field'],
        ['a deep object', `{"title":${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}}`, 422, 'bad_field'],
        ['an array', '["title"]', 422, 'bad_field'],
        ['no title', '{}', 422, 'bad_field'],
        ['a number as title', '{"title":1}', 422, 'bad_field'],
        ['null as title', '{"title":null}', 422, 'bad_field'],
        ['another key', '{"state":"ready"}', 422, 'bad_field'],
        ['one key too many', '{"title":"a","state":"ready"}', 422, 'bad_field'],
        ['an empty title', '{"title":""}', 422, 'bad_field'],
        ['a blank title', '{"title":"  "}', 422, 'bad_field'],
        ['a line break in the title', '{"title":"a\\nb"}', 422, 'bad_field'],
        ['a NUL in the title', '{"title":"a\\u0000b"}', 422, 'bad_field'],
        ['a title too long', `{"title":"${'x'.repeat(1021)}"}`, 422, 'bad_field'],
        ['more than 64 KiB', `{"title":"${'x'.repeat(65_536)}"}`, 413, 'too_large'],
    ])
        test(`a change with ${what} changes nothing`, async () => {
            assertError(await site.api('PATCH', `/api/videos/${ids[2]}`, body), status, code);
            assert.equal((await site.api('GET', `/api/videos/${ids[2]}`)).json.title, titles[2]);
        });
    test('a body of a megabyte never reaches a program', async () => {
        const body = `{"title":"${'x'.repeat(1_000_000)}"}`;
        const response = await site.api('PATCH', `/api/videos/${ids[2]}`, body);
        assert.equal(response.status, 413);
        assert.equal(response.json, undefined, 'lighttpd says so by itself');
    });
    test('clients that stop in the middle of a body keep nobody waiting', async () => {
        const head = `PATCH /api/videos/${ids[2]} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\n{`;
        const sockets = Array.from({ length: 12 }, () => net.connect(site.port, '127.0.0.1'));
        try {
            for (const socket of sockets) socket.on('error', () => {}).write(head);
            await sleep(300);
            for (let i = 0; i < 8; i++) {
                const answered = site.api('GET', '/api/videos');
                assert.equal((await Promise.race([answered, sleep(2000)]))?.status, 200);
            }
            // A body that comes late is still read to its end.
            const title = JSON.stringify({ title: titles[2] });
            const rest = `${title.slice(1).padEnd(39)}`;
            const answer = new Promise((resolve) => sockets[0].on('data', resolve));
            sockets[0].write(rest);
            assert.match(String(await answer), /^HTTP\/1\.1 200 /);
        } finally {
            for (const socket of sockets) socket.destroy();
        }
    });
    test('segments of a video that was not planned yet are none', async () => {
        const response = await site.api('GET', `/api/videos/${ids[0]}/segments`);
        assert.equal(response.status, 200);
        assert.equal(response.headers['content-type'], 'application/json');
        assert.equal(response.headers['cache-control'], 'no-store');
        assert.deepEqual(response.json, { renditions: [] });
    });
    test('segments are told as runs that exist, are encoded, or are missing', async () => {
        const { json: video } = await site.upload(tinyMp4());
        const url = `/api/videos/${video.id}/segments`;
        await plan(site, video.id, [
            { name: '360p', segments: 20, done: 9, ready: 'X\'3F8003\'', encoding: '6 15 16 17' },
            { name: '720p', segments: 10, done: 4, encoding: '3 4' },
            { name: 'audio-0', kind: 'audio', segments: 8, done: 8, rate: [375, 8], gop: 192 },
        ]);
        const none = (await site.api('GET', url)).json.renditions;
        assert.equal(runs(none[0]), 'ready 0+6, missing 6+9, ready 15+3, missing 18+2');
        await lease(site, video.id, ['360p', '720p']);
        const response = await site.api('GET', url);
        assert.equal(response.status, 200);
        const [small, large, sound] = response.json.renditions;
        assert.deepEqual(Object.keys(small), [
            'name', 'kind', 'generation', 'segment_duration', 'segments', 'done', 'runs',
        ]);
        assert.deepEqual(Object.keys(small.runs[0]), ['state', 'from', 'count']);
        assert.deepEqual({ ...small, runs: undefined }, {
            name: '360p', kind: 'video', generation: 3, segment_duration: 2, segments: 20,
            done: 9, runs: undefined,
        });
        assert.equal(runs(small), 'ready 0+6, encoding 6+1, missing 7+8, ready 15+3, missing 18+2');
        assert.equal(runs(large), 'ready 0+4, encoding 4+1, missing 5+5');
        assert.equal(runs(sound), 'ready 0+8');
        assert.equal(sound.kind, 'audio');
        assert.equal(sound.segment_duration, 4.096);
        const head = await site.api('HEAD', url);
        assert.equal(head.status, 200);
        assert.equal(head.body.length, 0);
        assert.equal(head.headers['content-length'], String(response.body.length));
        assert.equal((await site.api('DELETE', `/api/videos/${video.id}`)).status, 204);
        assertError(await site.api('GET', url), 404, 'not_found');
    });
    test('segments of a day in pieces are told in full', async () => {
        const { json: video } = await site.upload(tinyMp4());
        const ready = `X'${'AA'.repeat(5400)}'`;
        await plan(site, video.id, [{ name: '360p', segments: 43200, done: 21600, ready }]);
        const { json } = await site.api('GET', `/api/videos/${video.id}/segments`);
        const [{ runs }] = json.renditions;
        assert.equal(runs.length, 43200);
        assert.deepEqual(runs[43198], { state: 'missing', from: 43198, count: 1 });
        assert.deepEqual(runs[43199], { state: 'ready', from: 43199, count: 1 });
        await site.api('DELETE', `/api/videos/${video.id}`);
    });
    test('only a failed video is tried again', async () => {
        assertError(await site.api('POST', `/api/videos/${ids[0]}/retry`), 409, 'conflict');
    });
    test('a deleted video is gone everywhere', async () => {
        const { json } = await site.upload(tinyMp4());
        const url = `/api/videos/${json.id}`;
        const response = await site.api('DELETE', url);
        assert.equal(response.status, 204);
        assert.equal(response.body.length, 0);
        assertError(await site.api('GET', url), 404, 'not_found');
        assertError(await site.api('DELETE', url), 404, 'not_found');
        assertError(await site.api('PATCH', url, { title: 't' }), 404, 'not_found');
        assertError(await site.api('GET', `/api/videos?after=${json.id}`), 400, 'bad_parameter');
        assert.deepEqual(titlesOf(await site.api('GET', '/api/videos?sort=oldest')), titles);
    });
    test('the activity log is read on from where one was', async () => {
        const all = (await site.api('GET', '/api/activity?limit=1000')).json;
        assert.deepEqual(Object.keys(all.activity[0]), [
            'id', 'at', 'level', 'kind', 'video_id', 'title', 'message',
        ]);
        assert.equal(all.next, all.activity.at(-1).id);
        const newest = (await site.api('GET', '/api/activity?limit=2')).json;
        assert.deepEqual(newest.activity, all.activity.slice(-2));
        const first = (await site.api('GET', '/api/activity?after=0&limit=3')).json;
        assert.deepEqual(first.activity, all.activity.slice(0, 3));
        const rest = (await site.api('GET', `/api/activity?after=${first.next}&limit=1000`)).json;
        assert.deepEqual(rest.activity, all.activity.slice(3));
        const none = (await site.api('GET', `/api/activity?after=${all.next}`)).json;
        assert.deepEqual(none, { activity: [], next: all.next });
        for (const query of ['after=-1', 'after=x', 'limit=0', 'limit=1001'])
            assertError(await site.api('GET', `/api/activity?${query}`), 400, 'bad_parameter');
    });
    test('many requests at once are all answered', async () => {
        const answers = await Promise.all(
            Array.from({ length: 100 }, (_, i) => {
                const url = `/api/videos/${ids[i % 6]}`;
                if (i % 10) return site.api('GET', url);
                return site.api('PATCH', url, { title: titles[i % 6] });
            }),
        );
        for (const [i, { status, json }] of answers.entries()) {
            assert.equal(status, 200);
            assert.equal(json.title, titles[i % 6]);
        }
    });
    test('health without a worker is a 503 that says so', async () => {
        const { status, json } = await site.api('GET', '/api/health');
        assert.equal(status, 503);
        assert.equal(json.status, 'degraded');
        assert.equal(json.database, 'ok');
        assert.deepEqual(json.worker, { alive: false, age_s: null });
        assert.equal(json.jail, null);
        assert.ok(json.disk.free > 0);
        assert.equal(json.disk.reserve, 2 * 1024 ** 2);
    });

    test('api.fcgi answers under plain CGI', async () => {
        const list = await site.cgi('api.fcgi', { target: '/api/videos?sort=oldest' });
        assert.equal(list.status, 200);
        assert.deepEqual(titlesOf(list), titles);
        const url = `/api/videos/${ids[3]}`;
        const patch = await site.cgi('api.fcgi', {
            method: 'PATCH',
            target: url,
            body: JSON.stringify({ title: titles[3] }),
        });
        assert.equal(patch.json.title, titles[3]);
        assertError(await site.cgi('api.fcgi', { method: 'PATCH', target: url }), 411, 'length_required');
        const head = await site.cgi('api.fcgi', { method: 'HEAD', target: url });
        assert.equal(head.body.length, 0);
        assertError(await site.cgi('api.fcgi', { target: '/nothing' }), 404, 'not_found');
        // A server that sends no REQUEST_URI: the path of RFC 3875.
        const parts = { REQUEST_URI: '', SCRIPT_NAME: '/api', PATH_INFO: `/videos/${ids[3]}` };
        const byParts = await site.cgi('api.fcgi', { settings: parts });
        assert.equal(byParts.json.id, ids[3]);
    });
    test('a damaged database is a 503, not the end of the program', async () => {
        const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'dropstream-test-'));
        for (const name of ['etc', 'htdocs', 'db']) await fs.mkdir(path.join(dir, name));
        await fs.copyFile(site.path('etc/dropstream.conf'), path.join(dir, 'etc/dropstream.conf'));
        await fs.writeFile(path.join(dir, 'db/dropstream.db'), Buffer.alloc(8192, 0x55));
        const settings = { DROPSTREAM_SITE: dir };
        try {
            const list = await site.cgi('api.fcgi', { target: '/api/videos', settings });
            assertError(list, 503, 'corrupt');
            assert.ok(Number(list.headers['retry-after']) > 0);
            const health = await site.cgi('api.fcgi', { target: '/api/health', settings });
            assert.equal(health.status, 503);
            assert.equal(health.json.database, 'corrupt');
        } finally {
            await fs.rm(dir, { recursive: true });
        }
    });
    test('wrong settings keep a program from starting', async () => {
        const settings = { DROPSTREAM_API_THREADS: 'many' };
        await assert.rejects(site.cgi('api.fcgi', { target: '/api/videos', settings }), /ended with 1/);
        assert.match(await site.logs(), /DROPSTREAM_API_THREADS/);
    });
});

describe('with a worker', () => {
    it('health is a 200', async () => {
        const site = await startSite({ worker: true, env: { DROPSTREAM_DISK_RESERVE_MB: '1' } });
        try {
            await waitFor(async () => (await site.api('GET', '/api/health')).status === 200);
            const { json } = await site.api('GET', '/api/health');
            assert.equal(json.status, 'ok');
            assert.equal(json.worker.alive, true);
            assert.ok(json.worker.age_s < 10);
            assert.equal(json.disk.reserve, 1024 ** 2);
        } finally {
            await site.stop();
        }
    });
    it('a failed video is tried again, 202', async () => {
        const env = { DROPSTREAM_FFPROBE: '/bin/false', DROPSTREAM_ATTEMPTS: '1' };
        const site = await startSite({ worker: true, env });
        const failed = async (id) => {
            await waitFor(async () => (await site.api('GET', `/api/videos/${id}`)).json.state === 'failed');
        };
        try {
            const { json } = await site.upload(tinyMp4());
            await failed(json.id);
            const again = await site.api('POST', `/api/videos/${json.id}/retry`);
            assert.equal(again.status, 202);
            assert.notEqual(again.json.state, 'failed');
            assert.equal(again.json.error, null);
            await failed(json.id);
            const video = (await site.api('GET', `/api/videos/${json.id}`)).json;
            assert.ok(video.error.length > 10);
        } finally {
            await site.stop();
        }
    });
    it('all segments of an encoded video are ready', async () => {
        const site = await startSite({ worker: true, extras: true });
        try {
            const file = site.path('tmp/clip.mp4');
            await flashClip(file, { seconds: 5 });
            const { json } = await site.upload(file);
            const video = await site.waitForState(json.id, 'ready');
            const { renditions } = (await site.api('GET', `/api/videos/${json.id}/segments`)).json;
            const shared = ({ name, kind, segments, done }) => ({ name, kind, segments, done });
            assert.deepEqual(renditions.map(shared), video.renditions.map(shared));
            const [picture, source, sound] = renditions;
            assert.deepEqual([picture, sound].map(runs), ['ready 0+3', 'ready 0+2']);
            assert.deepEqual(
                [picture, sound].map((r) => [r.generation, r.segment_duration]),
                [[1, 2], [1, 4.096]],
            );
            assert.equal(source.name, 'source');
            assert.ok(Math.abs(source.segments * source.segment_duration - 5) < 0.1);
        } finally {
            await site.stop();
        }
    });
    it('a deleted video stops being served with the answer to DELETE', async () => {
        const site = await startSite({ worker: true });
        try {
            const file = site.path('tmp/clip.mp4');
            await flashClip(file, { seconds: 3 });
            const { json } = await site.upload(file);
            const video = await site.waitForState(json.id, 'ready');
            assert.equal((await site.request('GET', video.media)).status, 200);
            assert.equal((await site.api('DELETE', `/api/videos/${video.id}`)).status, 204);
            await assert.rejects(fs.lstat(site.path('htdocs', path.dirname(video.media))), {
                code: 'ENOENT',
            });
            await waitFor(async () => (await site.request('GET', video.media)).status === 404, {
                timeout: 3000,
            });
        } finally {
            await site.stop();
        }
    });
});
