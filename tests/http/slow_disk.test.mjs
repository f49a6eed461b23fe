/*
 * A disk that takes for ever to sync a file: here it does so until the test lets it. What is to
 * be told waits for it, and nothing else does: other videos are made, and who waits for a
 * segment gets it. What replaces a file waits too, so that no loss of power leaves an empty one.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { INJECT, KEPT, Power } from '../faults/power.mjs';
import { assertSound } from '../faults/faults.mjs';
import { ffmpeg, parseMaster, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

let site;
let temp;
let kept; // a video that is there before the disk is slow
const inTemp = (name) => path.join(temp.dir, name);

before(async () => {
    temp = await tempDir();
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=10:d=5'];
    const sound = ['-f', 'lavfi', '-i', 'sine=d=5:r=48000'];
    await ffmpeg(picture, sound, '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20', '-c:a', 'aac', inTemp('clip.mp4'));
    site = await startSite({ posters: true, env: { DROPSTREAM_JAIL: 'off', DROPSTREAM_PREVIEWS: '1', DROPSTREAM_JOBS: '3' } });
    site.startWorker({ LD_PRELOAD: INJECT, DROPSTREAM_HOLD: inTemp('hold') });
    kept = await upload();
    await whole(kept);
});
after(async () => {
    if (temp) await fs.rm(inTemp('hold'), { force: true });
    await site?.stop();
    await temp?.remove();
});

const read = async (id) => (await site.api('GET', `/api/videos/${id}`)).json;
const upload = async () => (await site.upload(inTemp('clip.mp4'))).json.id;
const masterOf = async (video) => (await site.request('GET', video.media)).text;

/* Its poster, its previews and all of its playlists are there. */
const isWhole = async (id) => {
    const video = await read(id);
    return video.state === 'ready' && video.poster && video.storyboard && video;
};
const whole = (id) => waitFor(() => isWhole(id), { what: `all of ${id}` });

/* Nothing is missing but what the disk does not say. */
const isMade = async (id) =>
    (await site.sql(`SELECT count(*) FROM renditions WHERE video_id = '${id}' AND done = segments`)) === '2';

const rows = (id) => site.sql(`SELECT count(*) FROM videos WHERE id = '${id}'`);

test('nothing but what is to be told waits for a disk that does not sync', () => site.logged(async () => {
    const deleted = await upload();
    await whole(deleted);
    await fs.writeFile(inTemp('hold'), '');
    assert.equal((await site.api('DELETE', `/api/videos/${deleted}`)).status, 204);
    await waitFor(async () => !(await site.spool()).includes(`${deleted}.src`), { what: 'its files to go' });
    assert.equal((await site.api('PUT', `/api/videos/${kept}/poster`, { at: 4 })).status, 202);
    const before = await read(kept);

    const first = await upload();
    await waitFor(() => isMade(first), { what: 'the segments of the first one' });
    const second = await upload();
    const video = await waitFor(async () => (await read(second)).media && read(second), { what: 'the plan of the second one' });
    const [{ URI: uri }] = parseMaster(await masterOf(video)).variants;
    const segment = await site.request('GET', `${path.dirname(video.media)}/${path.dirname(uri)}/0.m4s`);
    assert.equal(segment.status, 200);
    await waitFor(() => isMade(second), { what: 'the segments of the second one' });
    // By now as many posters wait as programs may be at work.
    const third = await upload();
    await waitFor(() => isMade(third), { what: 'the segments of the third one' });

    for (const id of [first, second, third]) {
        const { state, poster, storyboard } = await read(id);
        assert.deepEqual([state, poster, storyboard], ['processing', null, null]);
    }
    assert.equal((await read(kept)).poster, before.poster);
    assert.equal(await rows(deleted), '1');

    await fs.rm(inTemp('hold'));
    for (const id of [first, second, third]) assert.match(await masterOf(await whole(id)), /AVERAGE-BANDWIDTH/);
    await waitFor(async () => (await read(kept)).poster !== before.poster, { what: 'the poster that was chosen' });
    await waitFor(async () => (await rows(deleted)) === '0', { what: 'the row to go' });
    await assertSound(site);
    await waitFor(async () => (await fs.readdir(site.path('tmp'))).length === 0, { what: 'nothing to be left in tmp' });
})());

test('who stops says so before the disk is done', () => site.logged(async () => {
    const tmp = () => fs.readdir(site.path('tmp'));
    await fs.writeFile(inTemp('hold'), '');
    assert.equal((await site.api('PUT', `/api/videos/${kept}/poster`, { at: 1 })).status, 202);
    await waitFor(async () => (await tmp()).length > 0, { what: 'a poster that waits' });
    const ended = site.end('worker');
    await waitFor(async () => (await site.sql('SELECT count(*) FROM workers')) === '0', { what: 'the worker to say that it stops' });
    assert.equal(await site.sql("SELECT count(*) FROM jobs WHERE state = 'running'"), '0');
    await fs.rm(inTemp('hold'));
    assert.equal((await ended).code, 0);
    assert.deepEqual(await tmp(), []);
    site.startWorker({ LD_PRELOAD: INJECT, DROPSTREAM_HOLD: inTemp('hold') });
    await waitFor(async () => (await site.sql("SELECT count(*) FROM jobs WHERE state = 'queued'")) === '0', { what: 'another one to make it' });
})());

test('a playlist is whole, whenever the power goes', () => site.logged(async () => {
    const { media } = await read(kept);
    const master = site.path('htdocs', media);
    const old = await fs.readFile(master, 'utf8');
    await site.end('worker');
    const power = await Power.of(site);
    try {
        await site.sql(`PRAGMA wal_autocheckpoint=0; UPDATE renditions SET bitrate = bitrate + 1;
            UPDATE videos SET lists_changed = lists_changed + 1 WHERE id = '${kept}'`);
        await fs.writeFile(inTemp('hold'), '');
        site.startWorker({ DROPSTREAM_HOLD: inTemp('hold') });
        await waitFor(async () => (await fs.readdir(site.path('tmp'))).length > 0 || (await fs.readFile(master, 'utf8')) !== old,
            { what: 'the worker to write it anew' });
        await power.loss(KEPT.onlyNames);
        assert.equal(await fs.readFile(master, 'utf8'), old);
        await fs.rm(inTemp('hold'));
        site.startWorker();
        await waitFor(async () => (await fs.readFile(master, 'utf8')) !== old, { what: 'it to be written after all' });
    } finally {
        await fs.rm(inTemp('hold'), { force: true });
        await site.end('worker');
        await power.close();
    }
})());
