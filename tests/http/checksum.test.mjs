/* The checksum of an upload is taken behind all else, whatever happens to the worker. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { flashClip, tempDir } from '../lib/media.mjs';
import { waitFor, withSite } from '../lib/site.mjs';

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

test('it is that of the file, whose video is ready before', withSite({ worker: true }, async (site) => {
    const { json } = await site.upload(clip);
    assert.equal(await job(site, json.id), 'queued');
    await site.waitForState(json.id, 'ready');
    const sum = await waitFor(() => kept(site, json.id), { what: 'the checksum', timeout: 120_000 });
    assert.equal(sum, sha256(await fs.readFile(clip)));
    const order = await site.sql(`SELECT kind FROM jobs WHERE video_id = '${json.id}' ORDER BY ended_ms DESC, id DESC LIMIT 1`);
    assert.equal(order, 'checksum');
    const log = await site.sql(`SELECT id FROM jobs WHERE kind = 'checksum'`);
    assert.match(await fs.readFile(site.path('log/jobs', `${log}.log`), 'utf8'), /sha256sum -z -- /);
}));

test('a worker that is killed at it leaves it to the next one', async (t) => {
    const fake = await endless('killed');
    await withSite({ worker: true, env: { PATH: fake.path, DROPSTREAM_JAIL: 'off' } }, async (site) => {
        const { json } = await site.upload(clip);
        await waitFor(async () => (await fake.pids()).length === 1, { what: 'sha256sum', timeout: 120_000 });
        await site.end('worker', 'SIGKILL');
        assert.equal(await job(site, json.id), 'running');
        site.env.PATH = process.env.PATH;
        site.startWorker();
        await waitFor(() => kept(site, json.id), { what: 'the checksum', timeout: 120_000 });
    })(t);
});

test('it stands still while a video is made, and ends with its own', async (t) => {
    const fake = await endless('paused');
    await withSite({ worker: true, env: { PATH: fake.path, DROPSTREAM_JAIL: 'off' } }, async (site) => {
        const { json } = await site.upload(clip);
        const pid = await waitFor(async () => (await fake.pids())[0], { what: 'sha256sum', timeout: 120_000 });
        const status = async () => (await fs.readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1][0];
        const seen = new Set();
        let made;
        site.upload(clip).then(async ({ json: other }) => (made = await site.waitForState(other.id, 'ready')));
        await waitFor(async () => seen.add(await status()) && made, { every: 5, timeout: 120_000, what: 'another video' });
        assert.ok(seen.has('T'), [...seen].join(' '));
        await waitFor(async () => (await status()) === 'S', { what: 'sha256sum to go on', timeout: 120_000 });
        assert.equal((await site.api('DELETE', `/api/videos/${json.id}`)).status, 204);
        await waitFor(() => fs.access(`/proc/${pid}`).then(() => false, () => true), { what: 'sha256sum to be ended', timeout: 120_000 });
    })(t);
});

test('a file that has lost bytes by then has none', withSite({}, async (site) => {
    const { json } = await site.upload(clip);
    await fs.truncate(site.path('spool', `${json.id}.src`), 5000);
    site.startWorker();
    await waitFor(async () => (await job(site, json.id)) === 'failed', { what: 'the job to fail', timeout: 120_000 });
    assert.equal(await kept(site, json.id), undefined);
}));
