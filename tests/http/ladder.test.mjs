/*
 * The rungs of the ladder that are made in one program, and what becomes of one that
 * another encoder began.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { existing, uploadPlayable } from '../lib/demand.mjs';
import { ffmpeg, parseMaster, parseMedia, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const LONG = 60_000;

let temp, clip;

before(async () => {
    temp = await tempDir();
    clip = path.join(temp.dir, 'clip.mp4');
    await ffmpeg(['-f', 'lavfi', '-i', 'smptebars=s=1920x1080:r=5:d=13'],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '10'], clip);
});
after(() => temp.remove());

/* A program in place of ffmpeg: lines of sh. */
async function program(name, ...lines) {
    const file = path.join(temp.dir, name);
    await fs.writeFile(file, ['#!/bin/sh', ...lines, 'exec ffmpeg "$@"', ''].join('\n'), { mode: 0o755 });
    return file;
}

const env = (more) => ({ DROPSTREAM_SOURCE_MAX_MBPS: '0', DROPSTREAM_PREVIEWS: '0', ...more });
const read = async (site, id) => (await site.api('GET', `/api/videos/${id}`)).json;
const of = (video, name) => video.renditions.find((r) => r.name === name);

const whole = (site, id) =>
    waitFor(async () => {
        const v = await read(site, id);
        assert.notEqual(v.state, 'failed', v.error);
        return v.state === 'ready' && v.renditions.every((r) => r.segments > 0 && r.done === r.segments) && v;
    }, { timeout: LONG, what: 'all renditions' });

/* The logs of the jobs that make a rendition of a video, the newest last. */
async function logOf(site, video, name) {
    const files = await fs.readdir(site.path('log/jobs'));
    const texts = await Promise.all(files.map((f) => fs.readFile(site.path(`log/jobs/${f}`), 'utf8')));
    return texts.find((t) => t.includes(` ${name} of video ${video.id}`));
}

test('the led one of two rungs has its last segment from its leader, however late', async () => {
    // All that the led one gives comes when the other is complete.
    const held = path.join(temp.dir, 'held');
    const late = await program('late', 'case "$*" in *pipe:3*)',
        `ffmpeg "$@" 3>${held}; status=$?; sleep 1.5; cat ${held} >&3; exit $status ;;`, 'esac');
    const site = await startSite({ worker: true, extras: true, posters: false, env: env({ DROPSTREAM_FFMPEG: late }) });
    try {
        const { json } = await site.upload(clip);
        const video = await whole(site, json.id);
        const [leader, led] = [await logOf(site, video, '1080p'), await logOf(site, video, '720p')];
        assert.match(leader, /made 4 segments, complete/);
        assert.match(led, /made 4 segments beside another/);
        assert.doesNotMatch(led, /^\+ \S*late /m, 'no program of its own');
    } finally {
        await site.stop();
    }
});

test('a rung that another encoder began is made again, and nothing else is', async () => {
    const slow = await program('slow', 'case "$*" in *veryfast*) exec ffmpeg -readrate 2 "$@" ;; esac');
    const site = await startSite({ worker: true, extras: true, posters: false, env: env({ DROPSTREAM_FFMPEG: slow }) });
    try {
        let video = await uploadPlayable(site, clip);
        const base = video.media.replace('master.m3u8', '');
        const dir = (folder) => site.path('htdocs', base, folder);
        await site.waitForState(video.id, 'ready');
        await waitFor(async () => (await existing({ dir: dir('1080p-1') })).size > 0, { what: 'a segment', timeout: LONG });
        await site.end('worker');
        const root = path.resolve(site.path('htdocs/media'), await fs.readlink(site.path('htdocs', base).replace(/\/$/, '')));
        assert.ok((await existing({ dir: dir('1080p-1') })).size < 4, 'it is half made');
        await fs.appendFile(path.join(root, '1080p-1/init.mp4'), Buffer.from('\0\0\0\x08free', 'latin1'));
        site.startWorker();

        await waitFor(async () => parseMaster((await site.request('GET', `${base}player.m3u8`)).text)
            .variants.some(({ URI }) => URI === '1080p-2/index.m3u8'), { what: 'the next generation', timeout: LONG });
        assert.equal((await read(site, video.id)).state, 'ready');
        video = await whole(site, video.id);
        assert.deepEqual(video.renditions.map((r) => r.name), ['360p', '1080p', '720p']);
        assert.equal(video.warning, null);
        // The playlists follow the store.
        await waitFor(async () => {
            const { text } = await site.request('GET', `${base}master.m3u8`);
            const listed = parseMaster(text).variants.map(({ URI }) => URI.split('/')[0]);
            assert.deepEqual(listed, ['360p-1', '1080p-2', '720p-1']);
            return true;
        }, { what: 'all of them in the master' });
        const list = parseMedia((await site.request('GET', `${base}1080p-2/index.m3u8`)).text);
        assert.equal(list.segments.length, of(video, '1080p').segments);
        for (const { uri } of list.segments)
            assert.equal((await site.request('GET', `${base}1080p-2/${uri}`)).status, 200);
        assert.equal((await site.request('GET', `${base}1080p-1/0.m4s`)).status, 404);
        assert.ok(!(await fs.readdir(root)).includes('1080p-1'), 'what was begun is gone');
        // What the led one had stays, and its job was never at fault.
        assert.doesNotMatch(await logOf(site, video, '720p'), /begun anew|Encoding stopped/);
    } finally {
        await site.stop();
    }
});
