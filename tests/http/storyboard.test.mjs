/*
 * The small pictures of the seek bar: each is of the time that its cue says, as the picture
 * itself tells.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ffmpeg, tempDir } from '../lib/media.mjs';
import { brighteningClip, keyframes, parseStoryboard, partsOf, partsOfCue, tells, told, wholeStoryboard } from '../lib/pictures.mjs';
import { startSite, waitFor, withSite } from '../lib/site.mjs';

const PREVIEWS = { DROPSTREAM_PREVIEWS: '1' }; // and nothing else beside 360p

let site;
let temp;

before(async () => {
    temp = await tempDir();
    await brighteningClip(clip('short_gops.mp4'), { seconds: 64 });
    await ffmpeg('-i', clip('short_gops.mp4'), '-c', 'copy', clip('short_gops.mkv'));
    site = await startSite({ worker: true, env: PREVIEWS });
});
after(async () => {
    await site?.stop();
    await temp.remove();
});

const clip = (name) => path.join(temp.dir, name);
const logged = (fn) => (t) => site.logged(fn)(t);
const read = async (id, on = site) => (await on.api('GET', `/api/videos/${id}`)).json;

const isMade = async (on, id) => (await told(on, id, 'storyboard')).includes('Previews of the seek bar made');

/* Uploads a clip; its video once its storyboard is whole. */
async function withStoryboard(name, on = site) {
    const { json } = await on.upload(clip(name));
    await waitFor(() => isMade(on, json.id), { what: 'the storyboard' });
    return read(json.id, on);
}

/* Each cue begins at a keyframe, and its picture tells that time. */
async function assertTrue(name, cues, { frame = 1 / 25 } = {}) {
    const keys = await keyframes(clip(name));
    for (const [i, cue] of cues.entries()) {
        const off = Math.min(...keys.map((key) => Math.abs(key - cue.from)));
        assert.ok(i === 0 || off <= frame / 2, `cue at ${cue.from}: ${off} s from a keyframe`);
        const [upper] = await partsOfCue(cue);
        assert.ok(Math.abs(tells(upper) - cue.from) < 0.8, `cue at ${cue.from}: shows ${tells(upper)}`);
    }
}

describe('the storyboard', { concurrency: 4 }, () => {
    for (const name of ['short_gops.mp4', 'short_gops.mkv'])
        test(`of ${name} has a picture each five seconds, of the time that it says`, logged(async () => {
            const video = await withStoryboard(name);
            assert.match(video.storyboard, /^\/media\/[a-z2-7]+\/storyboard\.vtt$/);
            const { cues, etag } = await wholeStoryboard(site, video);
            assert.equal(cues.length, 13);
            for (const { from, to } of cues.slice(0, -1)) assert.ok(Math.abs(to - from - 5) < 0.05);
            assert.deepEqual([cues[0].w, cues[0].h], [160, 90]);
            await assertTrue(name, cues);
            const same = await site.request('GET', video.storyboard, { headers: { 'If-None-Match': etag } });
            assert.equal(same.status, 304);
        }));

    test('spans to the next keyframe where those are far apart', logged(async () => {
        await brighteningClip(clip('long_gops.mp4'), { seconds: 42, gop: 250, rate: 30 });
        const { cues } = await wholeStoryboard(site, await withStoryboard('long_gops.mp4'));
        assert.equal(cues.length, 6); // 8.33 s each
        await assertTrue('long_gops.mp4', cues, { frame: 1 / 30 });
    }));

    test('keeps the times of a file that begins late, at any timescale', logged(async () => {
        const late = ['-output_ts_offset', '3', '-video_track_timescale', '600'];
        await brighteningClip(clip('late.mov'), { seconds: 31, more: late });
        const { cues } = await wholeStoryboard(site, await withStoryboard('late.mov'));
        assert.equal(cues.length, 7);
        await assertTrue('late.mov', cues);
    }));

    test('of a picture in portrait is in portrait', logged(async () => {
        await brighteningClip(clip('portrait.mp4'), { seconds: 12, size: '90x160' });
        const { cues } = await wholeStoryboard(site, await withStoryboard('portrait.mp4'));
        assert.deepEqual([cues[0].w, cues[0].h], [90, 160]);
        await assertTrue('portrait.mp4', cues);
    }));

    test('of a turned picture is upright', logged(async () => {
        await brighteningClip(clip('lying.mp4'), { seconds: 12 });
        await ffmpeg('-i', clip('lying.mp4'), '-c', 'copy', '-metadata:s:v', 'rotate=90', clip('turned.mp4'));
        const { cues } = await wholeStoryboard(site, await withStoryboard('turned.mp4'));
        assert.deepEqual([cues[0].w, cues[0].h], [90, 160]);
        const want = await partsOf(clip('turned.mp4'), { columns: 2, rows: 2 });
        const got = await partsOfCue(cues[0], { columns: 2, rows: 2 });
        assert.ok(Math.abs(want[0] - want[1]) > 3, 'its sides differ');
        assert.ok(want.every((grey, i) => Math.abs(grey - got[i]) < 3), `${want} is ${got}`);
    }));

    test('of pixels that are not square has the right shape', logged(async () => {
        await brighteningClip(clip('wide.mp4'), { seconds: 6, size: '120x90', filters: ['setsar=2/1'] });
        const { cues } = await wholeStoryboard(site, await withStoryboard('wide.mp4'));
        assert.ok(Math.abs(cues[0].w / cues[0].h - 240 / 90) < 0.06, `${cues[0].w}:${cues[0].h}`);
    }));

    test('is made anew when the video is, under other names', logged(async () => {
        const video = await withStoryboard('short_gops.mp4');
        const before = (await wholeStoryboard(site, video)).cues[0].sheet;
        const db = await site.holdDatabase();
        await db.run(`UPDATE videos SET state = 'failed' WHERE id = '${video.id}'`);
        await db.end();
        assert.equal((await site.api('POST', `/api/videos/${video.id}/retry`)).status, 202);
        await site.waitForState(video.id, 'ready');
        const times = async () => (await told(site, video.id, 'storyboard')).filter((line) => line.endsWith(' made'));
        await waitFor(async () => (await times()).length === 2, { what: 'the second one' });
        const cues = await waitFor(async () => {
            const now = await wholeStoryboard(site, await read(video.id));
            return now.cues[0].sheet !== before && now.cues;
        }, { what: 'other names' });
        assert.equal(cues.length, 13);
        const old = video.storyboard.replace('storyboard.vtt', before);
        assert.equal((await site.request('GET', old)).status, 404, 'what is old goes');
    }));
});

describe('the work on a storyboard', { concurrency: 3 }, () => {
    /* A worker whose ffmpeg is a script that says these lines first. */
    const withScript = (lines, fn, env = {}) => async (t) => {
        const script = path.join(temp.dir, `ffmpeg-${Math.random()}`);
        await fs.writeFile(script, ['#!/bin/sh', ...lines, 'exec ffmpeg "$@"', ''].join('\n'), { mode: 0o755 });
        await withSite({ worker: true, env: { ...PREVIEWS, DROPSTREAM_FFMPEG: script, DROPSTREAM_BACKOFF_MS: '50', ...env } }, fn)(t);
    };

    test('is published sheet by sheet', withScript(
        ['case "$*" in *noise=drop*size*) exec ffmpeg -readrate 60 "$@";; esac'],
        async (on) => {
            await brighteningClip(clip('long.mp4'), { seconds: 180, size: '32x18', gop: 125 });
            const { json } = await on.upload(clip('long.mp4'));
            const first = await waitFor(async () => {
                const video = await read(json.id, on);
                return video.storyboard && video;
            }, { what: 'the first sheet' });
            const part = parseStoryboard((await on.request('GET', first.storyboard)).text);
            assert.equal(part.length, 25, 'a sheet of them');
            assert.equal(await isMade(on, json.id), false);
            await waitFor(() => isMade(on, json.id), { what: 'the rest' });
            const all = await wholeStoryboard(on, first);
            assert.equal(all.cues.length, 36);
            assert.equal(all.sheets, 2);
            const times = ({ from, to, sheet }) => ({ from, to, sheet });
            assert.deepEqual(all.cues.slice(0, 25).map(times), part.map(times), 'what was said stays');
        },
    ));

    test('that cannot be done fails nothing else', withScript(
        ['case "$*" in *tile=*) echo "no tiles" >&2; exit 1;; esac'],
        async (on) => {
            const { json } = await on.upload(clip('short_gops.mp4'));
            const video = await on.waitForState(json.id, 'ready');
            const lines = await waitFor(async () => {
                const said = await told(on, json.id, 'storyboard');
                return said.some((line) => line.startsWith('given up')) && said;
            }, { what: 'it to be given up' });
            assert.match(lines.at(-1), /given up at attempt 2: .*no tiles/);
            const now = await read(json.id, on);
            assert.deepEqual([now.state, now.storyboard, now.error, now.warning], ['ready', null, null, null]);
            const left = await fs.readdir(on.path('htdocs', path.dirname(video.media)));
            assert.ok(!left.some((name) => name.startsWith('storyboard')), `${left}`);
        },
        { DROPSTREAM_ATTEMPTS: '2' },
    ));

    test('waits for those who wait for a segment', withSite({ worker: true, env: PREVIEWS }, async (on) => {
        const boot = (await fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
        const watched = await withStoryboard('short_gops.mp4', on);
        const db = await on.holdDatabase();
        await db.run(`INSERT INTO demand VALUES ('${watched.id}', '360p', 0, 0, 1e15, '${boot}')`);
        await db.end();
        const { json } = await on.upload(clip('short_gops.mkv'));
        await on.waitForState(json.id, 'ready');
        assert.deepEqual(await told(on, json.id, 'storyboard'), [], 'it was not begun');
        const again = await on.holdDatabase();
        await again.run('DELETE FROM demand');
        await again.end();
        await waitFor(() => isMade(on, json.id), { what: 'the storyboard' });
    }));
});
