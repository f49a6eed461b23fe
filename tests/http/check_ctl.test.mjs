/*
 * dropstreamctl check: each thing that can be lost is taken away from a real site, and is
 * found, by its name and nothing else; what can be mended is.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { flashClip, tempDir } from '../lib/media.mjs';
import { startSite, waitFor, withSite } from '../lib/site.mjs';

const MINUTE = 60_000;

let temp;
let clip;

before(async () => {
    temp = await tempDir();
    clip = path.join(temp.dir, 'clip.mp4');
    await flashClip(clip, { seconds: 9 });
});
after(() => temp.remove());

/* What check says: its status, its findings as [kind, subject, sentence, …], its summary. */
async function check(site, ...options) {
    const { status, out, err } = await site.ctl(['check', ...options]);
    const lines = out.split('\n').filter(Boolean);
    return { status, found: lines.slice(0, -1).map((line) => line.split('\t')), summary: lines.at(-1), err };
}

async function whole(site, ...options) {
    const { status, found, summary, err } = await check(site, ...options);
    assert.deepEqual(found, [], err);
    assert.match(summary, /^\d+ videos, \d+ files: 0 findings/);
    assert.equal(status, 0);
}

/* Exactly these, as [kind, subject, /sentence/]. */
function same(found, expected) {
    assert.deepEqual(found.map(([kind, subject]) => [kind, subject]), expected.map(([kind, subject]) => [kind, subject]), JSON.stringify(found));
    for (const [i, [, , sentence]] of expected.entries()) assert.match(found[i][2], sentence);
}

const settled = (site) =>
    waitFor(async () => (await site.sql("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')")) === '0', {
        what: 'all jobs to end',
        timeout: MINUTE,
        moving: () => site.sql('SELECT count(ended_ms), sum(progress) FROM jobs'),
    });

async function made(site) {
    const { json } = await site.upload(clip);
    await site.waitForState(json.id, 'ready');
    const srt = '1\n00:00:01,000 --> 00:00:02,000\nHello\n';
    const put = await site.request('PUT', `/api/videos/${json.id}/subtitles/en`, { headers: { 'Content-Length': srt.length, 'Content-Type': 'text/plain' }, body: srt });
    assert.ok(put.status < 300, put.text);
    await settled(site);
    const root = await site.sql(`SELECT media_root FROM videos WHERE id = '${json.id}'`);
    return { id: json.id, root: (...parts) => site.path('htdocs/media', root, ...parts), src: site.path('spool', `${json.id}.src`) };
}

describe('of a video that is ready', () => {
    let site;
    let video;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));
    before(async () => {
        site = await startSite({ worker: true, extras: true });
        video = await made(site);
    });
    after(() => site?.stop());

    /* Finds this and nothing else, has it mended, and the site is whole once that is done. */
    async function mended(expected, { said = 'queued' } = {}) {
        same((await check(site)).found, expected);
        const { found, status } = await check(site, '--repair');
        same(found, expected);
        for (const one of found) assert.equal(one[3], said);
        assert.equal(status, 0);
        await settled(site);
        await waitFor(async () => (await check(site, '--quick')).status === 0, { what: 'the site to be whole', timeout: 2 * MINUTE, every: 500 });
        await whole(site);
        assert.equal((await site.api('GET', `/api/videos/${video.id}`)).json.state, 'ready');
    }

    test('nothing is wrong, whether the site runs or not', async () => {
        await whole(site);
        await site.end('worker');
        await whole(site);
        site.startWorker();
    });
    test('segments that are missing, empty or cut off are made again, and no others', async () => {
        const names = await fs.readdir(video.root());
        const before = {};
        for (const folder of names.filter((name) => /-1$/.test(name))) {
            before[folder] = (await fs.stat(video.root(folder, '0.m4s'))).ino;
            await fs.rm(video.root(folder, '1.m4s'));
        }
        await fs.truncate(video.root('360p-1', '2.m4s'));
        await fs.truncate(video.root('360p-1', '3.m4s'), 1000);
        await mended(
            (await site.sql(`SELECT name, generation FROM renditions WHERE video_id = '${video.id}' ORDER BY kind = 'audio', extra, position`)).split('\n').map((row) => {
                const folder = row.replace('|', '-');
                return ['segments', video.id, new RegExp(`^${folder}: ${folder === '360p-1' ? 3 : 1} of \\d+ segments are missing or damaged, the first is 1.m4s$`)];
            }),
        );
        for (const [folder, ino] of Object.entries(before)) assert.equal((await fs.stat(video.root(folder, '0.m4s'))).ino, ino);
    });
    test('an init segment', async () => {
        const init = await fs.readFile(video.root('360p-1/init.mp4'));
        await fs.rm(video.root('360p-1/init.mp4'));
        await mended([['segments', video.id, /^360p-1: init.mp4 is missing/]]);
        assert.deepEqual(await fs.readFile(video.root('360p-1/init.mp4')), init);
    });
    test('playlists, that of a copy too', async () => {
        const texts = {};
        for (const name of ['master.m3u8', '360p-1/index.m3u8', 'source-1/index.m3u8']) {
            texts[name] = await fs.readFile(video.root(name), 'utf8');
            await fs.rm(video.root(name));
        }
        const lists = [
            ['playlist', video.id, /^master.m3u8 is missing/],
            ['playlist', video.id, /^360p-1\/index.m3u8 is missing/],
            ['playlist', video.id, /^source-1\/index.m3u8 is missing/],
        ];
        same((await check(site)).found, lists);
        same((await check(site, '--repair')).found, lists);
        await site.end('worker'); // its next sweep is at its start
        site.startWorker();
        await waitFor(() => fs.access(video.root('source-1/index.m3u8')).then(() => true), { timeout: MINUTE });
        await waitFor(() => fs.access(video.root('master.m3u8')).then(() => true), { timeout: MINUTE });
        for (const [name, text] of Object.entries(texts)) assert.equal(await fs.readFile(video.root(name), 'utf8'), text);
        await whole(site);
    });
    test('the poster, the previews and the subtitles', async () => {
        await fs.rm(video.root('poster.jpg'));
        for (const name of await fs.readdir(video.root())) if (/^storyboard-/.test(name)) await fs.rm(video.root(name));
        await fs.rm(video.root('subs/en.vtt'));
        await mended([
            ['subtitles', video.id, /^subs\/en.vtt is missing/],
            ['poster', video.id, /^poster.jpg is missing/],
            ['storyboard', video.id, /^storyboard-.*jpg is missing/],
        ]);
    });
    test('all of its folder', async () => {
        await fs.rm(video.root(), { recursive: true });
        const { found, status } = await check(site, '--repair');
        assert.equal(status, 0, JSON.stringify(found));
        assert.deepEqual([...new Set(found.map(([kind]) => kind))].sort(), ['playlist', 'poster', 'segments', 'storyboard', 'subtitles']);
        await settled(site);
        await site.end('worker');
        site.startWorker();
        await waitFor(async () => (await check(site, '--quick')).status === 0, { timeout: MINUTE, every: 500 });
        await whole(site);
    });
    test('symlinks, without a worker', async () => {
        await site.api('GET', `/api/videos/${video.id}`);
        await site.end('worker');
        const media = site.path('htdocs/media');
        for (const e of await fs.readdir(media, { withFileTypes: true })) if (e.isSymbolicLink()) await fs.rm(path.join(media, e.name));
        await mended([['grant', video.id, /^of its 1 symlinks in htdocs\/media 1 are missing/]], { said: 'made again' });
        site.startWorker();
    });
    test('a row that says something else', async () => {
        const size = await site.sql(`SELECT size FROM videos WHERE id = '${video.id}'`);
        await site.sql(`UPDATE videos SET size = size + 1 WHERE id = '${video.id}'`);
        const { found, status } = await check(site);
        same(found, [['source', video.id, new RegExp(`^its file has ${size} bytes, of ${Number(size) + 1}$`)]]);
        assert.equal(status, 1);
        await site.sql(`UPDATE videos SET size = ${size}, sha256 = NULL WHERE id = '${video.id}'`);
        await mended([['checksum', video.id, /never taken/]]);
        await site.sql(`PRAGMA foreign_keys = OFF; INSERT INTO demand VALUES ('x', 'y', 0, 0, 0, 'z')`);
        same((await check(site)).found, [['database', 'db/dropstream.db', /refers to nothing in videos/]]);
        await site.sql(`DELETE FROM demand WHERE video_id = 'x'`);
        await whole(site);
    });
    test('a flipped byte and a lost end are told, warned of, and not made right', async () => {
        const bytes = await fs.readFile(video.src);
        const flipped = Buffer.from(bytes);
        flipped[bytes.length >> 1] ^= 1;
        await fs.writeFile(video.src, flipped);
        await fs.rm(video.root('360p-1', '1.m4s'));
        const wrong = [['source', video.id, /other bytes than when it was stored/], ['segments', video.id, /^360p-1: 1 of/]];
        same((await check(site)).found, wrong);
        same((await check(site, '--quick')).found, wrong.slice(1));
        const { found, status, summary } = await check(site, '--repair');
        same(found, wrong);
        assert.deepEqual(found.map((one) => one[3]), ['its page warns of it', 'cannot be mended']);
        assert.match(summary, /2 findings, 2 stay$/);
        assert.equal(status, 1);
        assert.match((await site.api('GET', `/api/videos/${video.id}`)).json.warning, /Bytes of the uploaded file were lost/);
        await fs.writeFile(video.src, bytes.subarray(0, 5000));
        same((await check(site, '--quick')).found.slice(0, 1), [['source', video.id, /^its file has 5000 bytes, of /]]);
        await fs.rename(video.src, `${video.src}.away`);
        same((await check(site)).found.slice(0, 1), [['source', video.id, /^its file is missing$/]]);
        await fs.rm(`${video.src}.away`);
        await fs.writeFile(video.src, bytes);
        await mended(wrong.slice(1));
    });
});

describe('of nobody', () => {
    const env = { DROPSTREAM_SETTLE_S: '1' };
    it('files go aside, symlinks and folders go, and what was uploaded never', withSite({ env }, async (site) => {
        const [id, key, root] = ['bbbbbbbbbbbbbbbb', 'k'.repeat(26), 'r'.repeat(26)];
        await fs.writeFile(site.path('spool', `${id}.src`), 'all there is');
        await fs.writeFile(site.path('spool/no\ttes\n.txt'), 'x');
        await fs.symlink(root, site.path('htdocs/media', key));
        await fs.mkdir(site.path('htdocs/media', root, '360p-1'), { recursive: true });
        await fs.writeFile(site.path('tmp/media-old'), 'x');
        await fs.utimes(site.path('tmp/media-old'), 1, 1);
        await fs.writeFile(site.path('tmp/media-new'), 'x');
        const expected = ['htdocs/media/' + key, 'htdocs/media/' + root, `spool/${id}.src`, 'spool/no tes .txt', 'tmp/media-old'];
        await waitFor(async () => (await check(site)).found.length === 5, { timeout: MINUTE, what: 'all to be old enough' });
        const { status, found } = await check(site, '--repair');
        assert.deepEqual(found.map(([kind, subject]) => `${kind} ${subject}`).sort(), expected.map((name) => `orphan ${name}`));
        assert.equal(status, 0);
        assert.equal(await fs.readFile(site.path('spool/lost', `${id}.src`), 'utf8'), 'all there is');
        assert.deepEqual(await fs.readdir(site.path('htdocs/media')), []);
        assert.deepEqual(await fs.readdir(site.path('tmp')), ['media-new']);
        await whole(site);
    }));
});

describe('jobs', () => {
    it('a video that nobody makes is made, one that is made twice once', withSite({ worker: true, extras: true }, async (site) => {
        const { id } = await made(site);
        await site.end('worker');
        await site.sql(`UPDATE videos SET state = 'processing' WHERE id = '${id}'; DELETE FROM jobs WHERE kind <> 'checksum'`);
        same((await check(site)).found, [['job', id, /no job leads on/]]);
        await check(site, '--repair');
        await whole(site);
        await site.sql(`INSERT INTO jobs (video_id, kind, priority, created_ms) SELECT video_id, kind, priority, created_ms FROM jobs WHERE kind = 'probe'`);
        same((await check(site)).found, [['job', id, /queued twice/]]);
        await check(site, '--repair');
        await whole(site);
        site.startWorker();
        await site.waitForState(id, 'ready');
        await settled(site);
        await whole(site);
    }));
    it('nothing is wrong with a site that is busy', withSite({ worker: true, extras: true }, async (site) => {
        const file = path.join(temp.dir, 'longer.mp4');
        await flashClip(file, { seconds: 20 });
        const ids = [];
        let done = false;
        const work = (async () => {
            for (let i = 0; i < 3; i++) ids.push((await site.upload(file)).json.id);
            await site.api('DELETE', `/api/videos/${ids[0]}`);
            for (const id of ids.slice(1)) await site.waitForState(id, 'ready');
            done = true;
        })();
        let looks = 0;
        for (; !done || looks < 3; looks++) await whole(site);
        await work;
        await settled(site);
        await whole(site);
    }));
    it('an upload on its way has the bytes that were acknowledged', withSite({ worker: true }, async (site) => {
        const bytes = await fs.readFile(clip);
        const half = bytes.length >> 1;
        const tus = { 'Tus-Resumable': '1.0.0' };
        const made = await site.request('POST', '/api/uploads', { headers: { ...tus, 'Upload-Length': bytes.length, 'Content-Length': 0 } });
        assert.equal(made.status, 201);
        await whole(site);
        const headers = { ...tus, 'Upload-Offset': 0, 'Content-Type': 'application/offset+octet-stream', 'Content-Length': half };
        assert.equal((await site.request('PATCH', made.headers.location, { headers, body: bytes.subarray(0, half) })).status, 204);
        await whole(site);
        const id = await site.sql('SELECT id FROM videos');
        await fs.truncate(site.path('spool', `${id}.part`), half - 1);
        same((await check(site)).found, [['source', id, new RegExp(`^${half} bytes have come in, and there are ${half - 1}$`)]]);
    }));
    it('a damaged database is told', withSite({}, async (site) => {
        await site.upload(clip);
        await site.end('lighttpd');
        await site.sql('PRAGMA wal_checkpoint(TRUNCATE)');
        const page = Number(await site.sql("SELECT rootpage FROM sqlite_schema WHERE name = 'jobs_by_video'"));
        const size = Number(await site.sql('PRAGMA page_size'));
        const file = await fs.open(site.path('db/dropstream.db'), 'r+');
        await file.write(Buffer.alloc(size, 0xff), 0, size, (page - 1) * size);
        await file.close();
        const { status, found, err } = await check(site);
        assert.equal(status, 1, err);
        assert.ok(found.length > 0 && found.every(([kind]) => kind === 'database'), JSON.stringify(found));
    }));
    it('it says so if it cannot look', withSite({}, async (site) => {
        await site.end('lighttpd');
        await waitFor(async () => (await site.processes()).length === 0, { what: 'its programs to end', timeout: MINUTE }); // each makes a database
        for (const name of await fs.readdir(site.path('db'))) await fs.rm(site.path('db', name));
        const { status, err, found } = await check(site);
        assert.deepEqual([status, found], [2, []]);
        assert.match(err, /^dropstreamctl: cannot open /);
        assert.deepEqual(await fs.readdir(site.path('db')), []);
    }));
});
