/*
 * The checksum of an upload is that of what came in, so that a byte which the disk changes
 * from then on is told. Where it was lost on the way it is taken of the file, behind all else,
 * whatever happens to the worker.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { flashClip, tempDir } from '../lib/media.mjs';
import { waitFor, withSite } from '../lib/site.mjs';
import * as t from '../lib/tus.mjs';

let temp;
let clip;

before(async () => {
    temp = await tempDir();
    clip = path.join(temp.dir, 'clip.mp4');
    await flashClip(clip, { seconds: 3 });
});
after(() => temp.remove());

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const kept = async (site, id) => (await site.sql(`SELECT lower(hex(sha256)) FROM videos WHERE id = '${id}'`)) || undefined;
const job = (site, id) => site.sql(`SELECT state FROM jobs WHERE video_id = '${id}' AND kind = 'checksum'`);

/* A sha256sum that does not end by itself, and says that it has begun. */
async function endless(name) {
    const dir = path.join(temp.dir, name);
    await fs.mkdir(dir);
    await fs.writeFile(path.join(dir, 'sha256sum'), `#!/bin/sh\necho $$ >>${dir}/pids\nexec sleep 600\n`, { mode: 0o755 });
    const pids = async () => (await fs.readFile(path.join(dir, 'pids'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
    return { path: `${dir}:${process.env.PATH}`, pids };
}

const state = (site) => site.sql('SELECT length(hash_state) FROM videos');
const last = (out) => out.trimEnd().split('\n').at(-1);

/* ---- of what came in ------------------------------------------------------------ */

const file = t.noise(1_000_003);

/* Its checksum is known at once, and one byte that changes is found. */
async function assertProved(site, id) {
    assert.equal(await kept(site, id), sha256(file));
    assert.equal(await job(site, id), '');
    const good = await site.ctl(['check']);
    assert.equal(good.status, 0, good.out);
    assert.match(last(good.out), /^1 videos, \d+ files: 0 findings$/);
    const src = await fs.open(site.path('spool', `${id}.src`), 'r+');
    await src.write(Buffer.from([file[700_000] ^ 1]), 0, 1, 700_000);
    await src.close();
    const { out, status } = await site.ctl(['check']);
    assert.match(out, new RegExp(`^source\\t${id}\\tits file has other bytes than when it was stored\n`));
    assert.equal(status, 1);
}

/* It is not: the worker is to take it. */
async function assertUnproved(site, id) {
    assert.equal(await kept(site, id), undefined);
    assert.equal(await job(site, id), 'queued');
    const { out, status } = await site.ctl(['check']);
    assert.equal(status, 0, out);
    assert.match(last(out), /: 0 findings; originals not verified yet: 1$/);
}

async function send(site, id, offset, to, headers) {
    const answer = await t.patch(site, id, offset, file.subarray(offset, to), headers);
    assert.equal(answer.status, 204, answer.text);
    return answer.headers['dropstream-video'];
}

async function killHandler(site) {
    const { 'upload.fcgi': pid } = await site.handlers();
    process.kill(pid, 'SIGKILL');
    await waitFor(async () => ((await site.handlers())['upload.fcgi'] ?? pid) !== pid, { what: 'another handler' });
}

describe('a byte that changes after the answer is found', { concurrency: 4 }, () => {
    it('in a form', withSite({}, async (site) => {
        const { status, json } = await site.upload(file);
        assert.equal(status, 201);
        await assertProved(site, json.id);
    }));
    it('in parts, also where the handler is killed in the middle of one', withSite({}, async (site) => {
        const id = await t.create(site, file.length);
        await send(site, id, 0, 100_001);
        await killHandler(site);
        await send(site, id, 100_001, 300_000);
        await t.beginPatch(site, id, 300_000, file.subarray(300_000, 500_000), file.length - 300_000);
        await t.waitForPart(site, 400_000);
        await killHandler(site);
        const offset = await t.offsetOf(site, id);
        assert.ok(offset >= 400_000 && offset <= 500_000, String(offset));
        await assertProved(site, await send(site, id, offset));
    }));
    it('in parts, of which one did not have its checksum', withSite({}, async (site) => {
        const id = await t.create(site, file.length);
        await send(site, id, 0, 200_001, { 'Upload-Checksum': t.checksum('sha1', file.subarray(0, 200_001)) });
        const wrong = { 'Upload-Checksum': t.checksum('sha1', file) };
        assert.equal((await t.patch(site, id, 200_001, Buffer.alloc(300_000, 7), wrong)).status, 460);
        await send(site, id, 200_001, 600_000);
        const unchecked = await t.beginPatch(site, id, 600_000, Buffer.alloc(100_000, 7), 200_000, wrong);
        await t.waitForPart(site, 630_000);
        await killHandler(site);
        unchecked.socket.destroy();
        assert.equal(await t.offsetOf(site, id), 600_000);
        await assertProved(site, await send(site, id, 600_000));
    }));
    it('in a form that broke off and went on in parts', withSite({}, async (site) => {
        const id = t.newUploadId();
        const { socket } = await t.beginForm(site, file, 250_007, { upload_id: id });
        await t.waitForPart(site, 180_000);
        socket.destroy();
        await waitFor(async () => (await t.offsetOf(site, id)) === 250_007, { what: 'what came of the form' });
        await assertProved(site, await send(site, id, 250_007, file.length, { 'Upload-Length': file.length }));
    }));
});

describe('where the hash was lost', { concurrency: 4 }, () => {
    const lost = (name, sql) =>
        it(name, withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            await send(site, id, 0, 100_001);
            assert.ok(Number(await state(site)) > 40);
            await site.sql(`UPDATE videos SET hash_state = ${sql}`);
            await send(site, id, 100_001, 500_000);
            assert.equal(await state(site), '');
            const video = await send(site, id, 500_000);
            await assertUnproved(site, video);
        }));
    lost('somebody has to read the file', 'NULL');
    lost('so it has where half of it is there', 'substr(hash_state, 1, 39)');
    lost('so it has where it is of more than there is', "CAST(x'000000000007a120' || substr(hash_state, 9, 32) AS BLOB)");
});

test('where that is switched off the file is read', withSite({ env: { DROPSTREAM_UPLOAD_CHECKSUMS: '0' } }, async (site) => {
    const { json } = await site.upload(file);
    await assertUnproved(site, json.id);
}));

const off = (site, method, id, headers, body) =>
    site.cgi('upload.fcgi', {
        method,
        target: `/api/uploads/${id}`,
        headers: { 'Tus-Resumable': '1.0.0', 'Content-Type': t.CHUNK, ...headers },
        body,
        settings: { DROPSTREAM_UPLOAD_CHECKSUMS: '0' },
    });

/* Also where a loss of power has left nothing of it. */
test('nobody goes on with what was kept before it was switched off', withSite({}, async (site) => {
    for (const left of [100_001, 0]) {
        const id = await t.create(site, file.length);
        await send(site, id, 0, 100_001);
        await fs.truncate(site.path('spool', await t.partOf(site)), left);
        assert.equal((await off(site, 'PATCH', id, { 'Upload-Offset': left }, file.subarray(left, 150_000))).status, 204);
        assert.equal(await state(site), '');
        const video = await send(site, id, 150_000);
        assert.equal(await kept(site, video), undefined);
        assert.equal(await job(site, video), 'queued');
    }
}));

/* Its handler has died before it could enter it. */
test('nor enters a whole file with it', withSite({}, async (site) => {
    const id = await t.create(site, file.length);
    await send(site, id, 0, 100_001);
    const part = site.path('spool', await t.partOf(site));
    await fs.rename(part, part.replace(/part$/, 'src'));
    const { headers } = await off(site, 'HEAD', id);
    await assertUnproved(site, headers['dropstream-video']);
}));

/* ---- of the file --------------------------------------------------------------- */

/* A stored clip whose hash was lost on the way. */
async function uploaded(site) {
    const bytes = await fs.readFile(clip);
    const id = await t.create(site, bytes.length);
    assert.equal((await t.patch(site, id, 0, bytes.subarray(0, 5000))).status, 204);
    await site.sql(`UPDATE videos SET hash_state = NULL WHERE upload_id = '${id}'`);
    const { status, headers } = await t.patch(site, id, 5000, bytes.subarray(5000));
    assert.equal(status, 204);
    return headers['dropstream-video'];
}

test('it is that of the file, whose video is ready before', withSite({ worker: true }, async (site) => {
    const id = await uploaded(site);
    assert.equal(await job(site, id), 'queued');
    await site.waitForState(id, 'ready');
    const sum = await waitFor(() => kept(site, id), { what: 'the checksum', timeout: 120_000 });
    assert.equal(sum, sha256(await fs.readFile(clip)));
    const order = await site.sql(`SELECT kind FROM jobs WHERE video_id = '${id}' ORDER BY ended_ms DESC, id DESC LIMIT 1`);
    assert.equal(order, 'checksum');
    const log = await site.sql(`SELECT id FROM jobs WHERE kind = 'checksum'`);
    assert.match(await fs.readFile(site.path('log/jobs', `${log}.log`), 'utf8'), /sha256sum -z -- /);
}));

test('a worker that is killed at it leaves it to the next one', async (t) => {
    const fake = await endless('killed');
    await withSite({ worker: true, env: { PATH: fake.path, DROPSTREAM_JAIL: 'off' } }, async (site) => {
        const id = await uploaded(site);
        await waitFor(async () => (await fake.pids()).length === 1, { what: 'sha256sum', timeout: 120_000 });
        await site.end('worker', 'SIGKILL');
        assert.equal(await job(site, id), 'running');
        site.env.PATH = process.env.PATH;
        site.startWorker();
        await waitFor(() => kept(site, id), { what: 'the checksum', timeout: 120_000 });
    })(t);
});

test('it stands still while a video is made, and ends with its own', async (t) => {
    const fake = await endless('paused');
    await withSite({ worker: true, env: { PATH: fake.path, DROPSTREAM_JAIL: 'off' } }, async (site) => {
        const id = await uploaded(site);
        const pid = await waitFor(async () => (await fake.pids())[0], { what: 'sha256sum', timeout: 120_000 });
        const status = async () => (await fs.readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1][0];
        const seen = new Set();
        let made;
        site.upload(clip).then(async ({ json: other }) => (made = await site.waitForState(other.id, 'ready')));
        await waitFor(async () => seen.add(await status()) && made, { every: 5, timeout: 120_000, what: 'another video' });
        assert.ok(seen.has('T'), [...seen].join(' '));
        await waitFor(async () => (await status()) === 'S', { what: 'sha256sum to go on', timeout: 120_000 });
        assert.equal((await site.api('DELETE', `/api/videos/${id}`)).status, 204);
        await waitFor(() => fs.access(`/proc/${pid}`).then(() => false, () => true), { what: 'sha256sum to be ended', timeout: 120_000 });
    })(t);
});

test('a file that has lost bytes by then has none', withSite({}, async (site) => {
    const id = await uploaded(site);
    await fs.truncate(site.path('spool', `${id}.src`), 5000);
    site.startWorker();
    await waitFor(async () => (await job(site, id)) === 'failed', { what: 'the job to fail', timeout: 120_000 });
    assert.equal(await kept(site, id), undefined);
}));
