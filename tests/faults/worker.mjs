/*
 * worker.mjs: the worker is killed, its disk fails, the power goes or its clock jumps, at each
 * call in turn, while it makes one video and removes another. What comes after it finds the
 * rest: the video is made to its end, each segment is there and is what it would have been, and
 * the other one is gone.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';

import { ffmpeg, tempDir } from '../lib/media.mjs';
import { formAround, startSite, waitFor, whole } from '../lib/site.mjs';
import { assertSound, underFaults } from './faults.mjs';

export const WAIT_MS = 60_000;

/* A clip of a few segments that is made in no time. */
export async function makeClip(dir) {
    const file = path.join(dir, 'clip.mp4');
    const sources = ['-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=10:d=5', '-f', 'lavfi', '-i', 'sine=d=5:r=48000'];
    await ffmpeg(...sources, '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20', '-c:a', 'aac', '-shortest', file);
    return fs.readFile(file);
}

const get = (site, id) => site.cgi('api.fcgi', { target: `/api/videos/${id}` });

export async function upload(site, file) {
    const form = formAround('clip.mp4', {});
    const answer = await site.cgi('upload.fcgi', { method: 'POST', target: '/api/videos', headers: { 'Content-Type': form.type }, body: whole(form, file) });
    assert.equal(answer.status, 201, answer.text);
    return answer.json.id;
}

/* What waits for a while, a retry or a disk that was full, waits no longer. */
export const noMoreWaiting = (site) =>
    site.sql("PRAGMA wal_autocheckpoint=0; UPDATE jobs SET due_ms = 0 WHERE state = 'queued' AND due_ms > 0");

/* What is made besides, where a site makes that: small pictures, and the file as it is. */
const EXTRAS = { DROPSTREAM_PREVIEWS: '1', DROPSTREAM_SOURCE_MAX_MBPS: '40' };
const hasExtras = async (site, { id, storyboard }) =>
    storyboard && (await site.sql(`SELECT count(*) FROM jobs WHERE video_id = '${id}' AND state <> 'done'`)) === '0';

/* True once there is nothing left to do for these videos. */
export async function isDone(site, id, removed) {
    const { json } = await get(site, id);
    if (json.state === 'failed') throw new Error(`failed: ${json.error}`);
    if (json.state !== 'ready' || !json.poster) return false;
    if (site.env.DROPSTREAM_PREVIEWS === '1' && !(await hasExtras(site, json))) return false;
    return !removed || (await fs.readdir(site.path('spool'))).every((name) => !name.startsWith(removed));
}

/* The names of all files that a video has; each has something in it. */
export async function filesOf(site, id) {
    const { json } = await get(site, id);
    assert.equal(json.warning, null);
    const dir = await fs.realpath(site.path('htdocs/media', json.media.split('/')[2]));
    const names = [];
    for (const name of (await fs.readdir(dir, { recursive: true })).sort()) {
        const stat = await fs.stat(path.join(dir, name));
        assert.ok(stat.isDirectory() || stat.size > 0, `${name} is empty`);
        names.push(name.replace(/^storyboard-\d+-\d+/, 'storyboard')); // of whichever job and try
    }
    return names;
}

/* A full disk is no try. SQLite does not say why it could not open a file. */
export async function assertNoTry(site, { kind }, id) {
    if (!kind.startsWith('ENOSPC') || kind === 'ENOSPC of open') return;
    assert.equal(await site.sql(`SELECT DISTINCT kind FROM jobs WHERE video_id = '${id}' AND failures > 0`), '', 'a full disk is no try');
}

/* Runs the worker until all is done, it has ended, or it waits for a while after a fault. */
async function runUnderFault(site, fault, id, removed) {
    site.startWorker(fault.env);
    let over = false;
    site.ended('worker').then(() => (over = true));
    let patience;
    let wasReady = false; // as anybody was told before it happened
    await waitFor(async () => {
        const answer = await get(site, id).catch(() => undefined);
        if (!fault.struck()) wasReady = answer?.json?.state === 'ready';
        if (over || (await isDone(site, id, removed).catch(() => true))) return true;
        if (fault.struck()) patience ??= Date.now() + 500;
        return patience && Date.now() > patience;
    }, { timeout: WAIT_MS, every: 20, what: `the worker under ${fault.name}` });
    await site.end('worker');
    await fault.over();
    if (wasReady) assert.equal((await get(site, id)).json.state, 'ready', 'what was ready still is');
}

/* Playlists say what the store says. What was lost of them is written anew by whoever starts. */
const isFollowed = async (site) => (await site.sql('SELECT count(*) FROM videos WHERE lists_followed < lists_changed')) === '0';

/* And one to which nothing happens, until all is done. */
export async function runFreely(site, id, removed) {
    if ((await isDone(site, id, removed)) && (await isFollowed(site))) return;
    site.startWorker();
    await waitFor(async () => {
        if ((await isDone(site, id, removed)) && (await isFollowed(site))) return true;
        await noMoreWaiting(site);
        return false;
    }, { timeout: WAIT_MS, every: 100, what: `${id} to be made` });
    await site.end('worker');
}

/* extras: whether it makes those too. jail: as the setting of that name; each start takes
 * longer with it. */
export async function faultsOfWorker({ extras = false, jail = 'off', ...options } = {}) {
    const temp = await tempDir();
    const site = await startSite({ posters: true, env: { DROPSTREAM_JAIL: jail, DROPSTREAM_NICE: '0', ...(extras && EXTRAS) } });
    try {
        const file = await makeClip(temp.dir);
        let before = await upload(site, file);
        await runFreely(site, before);
        const expected = await filesOf(site, before);
        return await underFaults(site, 'dropstream-worker', options, async (fault) => {
            const id = await upload(site, file);
            assert.equal((await site.cgi('api.fcgi', { method: 'DELETE', target: `/api/videos/${before}` })).status, 204);
            await runUnderFault(site, fault, id, before);
            await runFreely(site, id, before);
            await assertSound(site);
            assert.deepEqual(await filesOf(site, id), expected);
            await assertNoTry(site, fault, id);
            before = id;
        });
    } finally {
        await site.stop();
        await temp.remove();
    }
}
