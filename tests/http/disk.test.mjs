/*
 * A disk that gets full, for real: the site lies on a small file system of its own. Needs
 * to be root, and to be allowed to mount.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { existing, slowFfmpeg, timelineOf, uploadPlayable } from '../lib/demand.mjs';
import { flashClip, paddedClip, parseMedia, tempDir } from '../lib/media.mjs';
import { sleep, startSite, waitFor, withSite } from '../lib/site.mjs';

const run = promisify(execFile);
const MIB = 1024 ** 2;
const RESERVE = 16; // MiB; the tests' own setting
const LONG = 60_000;

let temp, refusal;

/* Makes and mounts a file system of so many MiB: its folder, whose name is short. */
async function mount(mib) {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'disk-'));
    try {
        await run('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', dir]);
    } catch (error) {
        await fs.rmdir(dir);
        throw error;
    }
    return dir;
}

/* What was killed may not be gone yet: then the disk goes with it. */
async function unmount(dir) {
    await run('umount', ['--lazy', dir]);
    await fs.rmdir(dir);
}

before(async () => {
    temp = await tempDir();
    try {
        await unmount(await mount(1));
    } catch (error) {
        refusal = `no file system can be mounted here: ${error.message.trim()}`;
    }
});
after(() => temp.remove());

/* fn(site, disk, t) with a site on a disk of its own, of which it can take all but some. */
const onDisk = (options, fn) => async (t) => {
    if (refusal) return t.skip(refusal);
    const dir = await mount(256);
    const before = process.env.TMPDIR;
    let site;
    try {
        process.env.TMPDIR = dir;
        site = await startSite(options).finally(() => {
            if (before === undefined) delete process.env.TMPDIR;
            else process.env.TMPDIR = before;
        });
        await site.logged(() => fn(site, new Disk(dir), t))();
    } finally {
        await site?.stop();
        await unmount(dir);
    }
};

class Disk {
    constructor(dir) {
        this.filler = path.join(dir, 'filler');
        this.dir = dir;
    }
    async free() {
        const { bavail, bsize } = await fs.statfs(this.dir);
        return bavail * bsize;
    }
    /* Something else takes all but so many MiB; once more if others took some meanwhile. */
    fillTo(mib) {
        return waitFor(() => this.#fillOnce(mib).then(() => true), { what: 'the disk to be filled' });
    }
    async #fillOnce(mib) {
        const { size = 0 } = await fs.stat(this.filler).catch(() => ({}));
        const bytes = size + (await this.free()) - mib * MIB;
        // In place: at no moment is more free than both before and afterwards.
        if (bytes < size) await fs.truncate(this.filler, bytes);
        else await run('fallocate', ['-l', String(bytes), this.filler]);
    }
    clear() {
        return fs.rm(this.filler, { force: true });
    }
}

const clipOf = async (name, seconds) => {
    const file = path.join(temp.dir, `${name}.mp4`);
    await flashClip(file, { seconds });
    return file;
};

const health = async (site) => (await site.api('GET', '/api/health')).json;
/* Not by its own address: who asks for that watches it. */
const read = async (site, id) => (await site.api('GET', '/api/videos')).json.videos.find((v) => v.id === id);
const sayings = async (site) =>
    (await site.api('GET', '/api/activity?limit=200')).json.activity.filter((a) => a.kind === 'disk');
const sql = async (site, text) =>
    (await run('sqlite3', ['-cmd', '.timeout 10000', site.path('db/dropstream.db'), text])).stdout.trim();

/* The states that /proc tells of the programs that make segments. */
async function encoders(site) {
    const states = [];
    for (const { pid, exe } of await site.processes()) {
        if (!exe.endsWith('/ffmpeg')) continue;
        const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
        if (stat) states.push(stat.slice(stat.lastIndexOf(')') + 2)[0]);
    }
    return states;
}

describe('a disk with less free than its reserve', () => {
    test('an upload that would touch it is a 507, and leaves nothing', onDisk({ worker: true }, async (site, disk) => {
        await disk.fillTo(RESERVE + 3);
        const file = path.join(temp.dir, 'large.mp4');
        await paddedClip(file, 10);
        assert.ok((await fs.stat(file)).size > 3.5 * MIB);
        const { status, json } = await site.upload(file);
        assert.equal(status, 507);
        assert.equal(json.error.code, 'no_space');
        assert.deepEqual(await site.spool(), []);
        assert.deepEqual((await site.api('GET', '/api/videos')).json.videos, []);
        await disk.clear();
        assert.equal((await site.upload(file)).status, 201);
    }));

    test('nothing is begun, that is said once, and it begins by itself', onDisk({}, async (site, disk) => {
        const { json } = await site.upload(await clipOf('waits', 3));
        await disk.fillTo(RESERVE - 1);
        site.startWorker();
        await waitFor(async () => (await health(site)).disk.paused, { what: 'the pause', timeout: LONG });
        assert.equal((await read(site, json.id)).state, 'stored');
        assert.equal((await sayings(site)).length, 1);
        const [{ level, message }] = await sayings(site);
        assert.equal(level, 'warn');
        assert.match(message, /^Less than 16 MiB of the disk are free/);
        const { out } = await site.ctl(['status']);
        assert.match(out, /^originals +1 MiB\nmedia +0 MiB\nfree +\d+ MiB\nreserve +16 MiB\nless is free/);
        await site.end('worker');
        site.startWorker();
        await waitFor(async () => (await health(site)).worker.alive, { timeout: LONG });
        // A little over the reserve is too little to begin again.
        await disk.fillTo(RESERVE + 1);
        await sleep(2500); // two looks; that nothing happens cannot be waited for
        assert.equal((await health(site)).disk.paused, true);
        assert.equal((await read(site, json.id)).state, 'stored');
        assert.equal((await sayings(site)).length, 1);
        await disk.clear();
        await site.waitForState(json.id, 'ready', LONG);
        assert.equal((await health(site)).disk.paused, false);
        const said = await sayings(site);
        assert.equal(said.length, 2);
        assert.deepEqual([said[1].level, said[1].message], ['info', 'There is room on the disk again: the work goes on']);
    }));

    test('what is being made stands still, for viewers too, and goes on', async (t) => {
        const env = { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, 2), DROPSTREAM_WAIT_S: '1' };
        await onDisk({ worker: true, env }, async (site, disk) => {
            const video = await uploadPlayable(site, await clipOf('slow', 14));
            const timeline = await timelineOf(site, video);
            await disk.fillTo(RESERVE - 1);
            await waitFor(async () => {
                const states = await encoders(site);
                return states.length > 0 && states.every((s) => s === 'T');
            }, { what: 'encoders to stand still', timeout: LONG });
            const before = await existing(timeline.video);
            const last = timeline.video.segments - 1;
            assert.ok(!before.has(last));
            const res = await site.request('GET', timeline.video.url(last));
            assert.equal(res.status, 503);
            assert.deepEqual(await existing(timeline.video), before);
            await disk.clear();
            await site.waitForState(video.id, 'ready', LONG);
            assert.equal((await existing(timeline.video)).size, timeline.video.segments);
        })(t);
    });

    test('a disk that is full to the last byte loses nothing', async (t) => {
        const env = { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, 2), DROPSTREAM_DISK_RESERVE_MB: '0' };
        await onDisk({ worker: true, env }, async (site, disk) => {
            const video = await uploadPlayable(site, await clipOf('full', 14));
            const timeline = await timelineOf(site, video);
            const before = await existing(timeline.video);
            await disk.fillTo(0);
            await waitFor(async () => (await encoders(site)).length === 0, {
                what: 'the encoders to be given up', timeout: LONG,
            });
            await disk.clear();
            const ready = await site.waitForState(video.id, 'ready', 2 * LONG);
            assert.equal(ready.error, null);
            const now = await existing(timeline.video);
            assert.equal(now.size, timeline.video.segments);
            for (const k of before) assert.ok(now.has(k));
        })(t);
    });
});

// ---- the budget -------------------------------------------------------------------

test('what the environment says of it is what everybody is told', withSite({ env: { DROPSTREAM_MEDIA_BUDGET_MB: '500' } }, async (site) => {
    assert.equal((await health(site)).disk.budget, 500 * MIB);
    assert.match((await site.ctl(['status'])).out, /^budget +500 MiB$/m);
}));

const extras = { extras: true, posters: false, env: { DROPSTREAM_LADDER_MAX_SIDE: '0', DROPSTREAM_PREVIEWS: '0' } };
const of = (video, name) => video.renditions.find((r) => r.name === name);

/* A ready video whose source is offered as it is, some MiB of it. */
async function withSource(site, name) {
    const file = path.join(temp.dir, `${name}.mp4`);
    await paddedClip(file, 10);
    const { json } = await site.upload(file);
    const video = await waitFor(async () => {
        const v = await read(site, json.id);
        const source = of(v, 'source');
        return v.state === 'ready' && source?.segments > 0 && source.done === source.segments && v;
    }, { what: 'a copy', timeout: LONG });
    return { ...video, source: await sourceOf(site, video) };
}

async function sourceOf(site, video) {
    const url = video.media.replace('master.m3u8', 'source-1/');
    const { segments, map } = parseMedia((await site.request('GET', `${url}index.m3u8`)).text);
    return { url, dir: site.path('htdocs', url), init: url + map, segments };
}

/* What the health says of the disk, once all is made and summed up. */
async function settled(site) {
    const open = "SELECT count(*) FROM jobs WHERE state <> 'done' AND kind <> 'storyboard'";
    await waitFor(async () => (await sql(site, open)) === '0', { what: 'the end of all jobs', timeout: LONG });
    const bytes = Number(await sql(site, 'SELECT sum(bytes) FROM renditions'));
    return waitFor(async () => {
        const { disk } = await health(site);
        return disk.media === bytes && disk;
    }, { what: 'the sum of what there is', timeout: LONG });
}

const filesOf = async (dir) => (await fs.readdir(dir)).filter((name) => name.endsWith('.m4s')).length;
const watchedDaysAgo = (site, video, days) =>
    sql(site, `UPDATE videos SET watched_ms = ${Date.now() - days * 86_400_000} WHERE id = '${video.id}'`);

/* The worker, stopped and started with another budget, of MiB. */
async function withBudget(site, mib) {
    await site.end('worker');
    site.env.DROPSTREAM_MEDIA_BUDGET_MB = String(mib);
    site.startWorker();
}

const putAway = (site, video) =>
    waitFor(async () => of(await read(site, video.id), 'source').put_away && (await filesOf(video.source.dir)) === 0, {
        what: `${video.title} to be put away`, timeout: LONG,
    });

/* One after the other, as a player does, and a 503 again. */
async function hashes(site, source) {
    const found = [];
    for (const url of [source.init, ...source.segments.map(({ uri }) => source.url + uri)]) {
        const { body } = await waitFor(async () => {
            const res = await site.request('GET', url);
            return res.status === 200 && res;
        }, { what: url, timeout: LONG });
        found.push(createHash('sha256').update(body).digest('hex'));
    }
    return found;
}

test('what was watched longest ago is put away, and comes back for who watches', onDisk(extras, async (site) => {
    site.startWorker();
    const [a, b, c] = [await withSource(site, 'a'), await withSource(site, 'b'), await withSource(site, 'c')];
    const before = await hashes(site, b.source);
    const disk = await settled(site);
    assert.ok(disk.media > 3 * 3 * MIB);
    assert.equal(disk.originals, [a, b, c].reduce((sum, { size }) => sum + size, 0));
    await watchedDaysAgo(site, a, 3);
    await watchedDaysAgo(site, b, 30);
    await watchedDaysAgo(site, c, 20);
    await withBudget(site, Math.floor(disk.media / MIB));
    await putAway(site, b);
    assert.match((await sayings(site)).at(-1).message, /^source: put away to make room/);
    for (const { source } of [a, c]) assert.equal(await filesOf(source.dir), source.segments.length);
    assert.equal((await read(site, b.id)).state, 'ready');
    const { status, out } = await site.ctl(['check']);
    assert.equal(status, 0, out); // what was put away is not missing

    // Nobody makes it again by themselves, and the first picture is always there.
    const first = await site.request('GET', b.media.replace('master.m3u8', '360p-1/0.m4s'));
    assert.equal(first.status, 200);
    await withBudget(site, 0);
    await waitFor(async () => (await health(site)).worker.alive, { timeout: LONG });
    assert.equal(of(await read(site, b.id), 'source').put_away, true);

    const again = await hashes(site, b.source);
    assert.deepEqual(again, before);
    const whole = await waitFor(async () => {
        const source = of(await read(site, b.id), 'source');
        return source.done === source.segments && source;
    }, { timeout: LONG });
    assert.equal(whole.put_away, undefined);
}));

test('a budget that cannot be met leaves what is needed, and what is watched', onDisk(extras, async (site) => {
    site.startWorker();
    const [a, b] = [await withSource(site, 'a'), await withSource(site, 'b')];
    await watchedDaysAgo(site, a, 3);
    await watchedDaysAgo(site, b, 0);
    await withBudget(site, 1);
    await putAway(site, a);
    await sleep(2500); // two looks; that nothing happens cannot be waited for
    assert.equal(await filesOf(b.source.dir), b.source.segments.length);
    for (const video of [a, b])
        for (const name of ['360p', 'audio-0'])
            assert.equal(await filesOf(path.join(video.source.dir, `../${name}-1`)), of(video, name).segments);
}));

test('a worker that is killed while it puts away is followed by one that finishes', onDisk(extras, async (site) => {
    site.startWorker();
    const video = await withSource(site, 'a');
    const source = video.source;
    await site.end('worker');
    // What is there after the first step, with some of the files gone.
    await sql(site, `BEGIN IMMEDIATE;
        UPDATE jobs SET state = 'queued', asleep = 2, fence = fence + 1 WHERE rendition = 'source';
        UPDATE renditions SET done = 0, ready = NULL WHERE name = 'source'; COMMIT`);
    await fs.rm(path.join(source.dir, '0.m4s'));
    site.startWorker();
    await putAway(site, video);
    await waitFor(async () => (await sql(site, 'SELECT asleep FROM jobs WHERE asleep <> 0')) === '1');
    assert.equal(await sql(site, "SELECT bytes FROM renditions WHERE name = 'source'"), '0');
    assert.equal((await hashes(site, source)).length, source.segments.length + 1);

    // For real, at whatever it is at.
    await waitFor(async () => of(await read(site, video.id), 'source').done === source.segments.length);
    await watchedDaysAgo(site, video, 3);
    await withBudget(site, 1);
    await waitFor(async () => (await sql(site, "SELECT done FROM renditions WHERE name = 'source'")) === '0', { every: 1 });
    await site.end('worker', 'SIGKILL');
    site.startWorker();
    await putAway(site, video);
    assert.equal((await read(site, video.id)).state, 'ready');
}));

test('what an older version has made is measured', onDisk(extras, async (site) => {
    site.startWorker();
    await withSource(site, 'a');
    const bytes = (await settled(site)).media;
    await site.end('worker');
    await sql(site, 'UPDATE renditions SET bytes = NULL');
    site.startWorker();
    await waitFor(async () => (await sql(site, 'SELECT sum(bytes) FROM renditions')) === String(bytes), { timeout: LONG });
    assert.equal((await settled(site)).media, bytes);
}));
