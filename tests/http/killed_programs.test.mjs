/*
 * Programs that are killed on their way, or give nonsense: what they had said so far is not
 * taken for all there is, and what they spoil takes nothing else with it.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite } from '../lib/site.mjs';
import { clipWithTracks, waitForSubtitles } from '../lib/subtitles.mjs';

let temp;
before(async () => (temp = await tempDir()));
after(() => temp.remove());

const inTemp = (name) => path.join(temp.dir, name);
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=s=192x108:r=25:d=20'];
const TONE = ['-f', 'lavfi', '-i', 'sine=440:d=20:sample_rate=48000'];
const CODED = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];

/* A program in place of another, which does something else where its arguments match (a
 * pattern of sh): once, or each time. */
async function fake(program, pattern, instead, { once = true } = {}) {
    const [file, flag] = [inTemp(`fake-${program}-${Math.random()}`), inTemp(`flag-${Math.random()}`)];
    const first = once ? `[ ! -e '${flag}' ] && touch '${flag}' &&` : '';
    await fs.writeFile(file, `#!/bin/sh\ncase "$*" in ${pattern}) ${first} ${instead} ;; esac\nexec ${program} "$@"\n`, { mode: 0o755 });
    return file;
}

async function withSite(env, run) {
    const site = await startSite({ worker: true, env: { DROPSTREAM_BACKOFF_MS: '100', ...env } });
    try {
        return await run(site);
    } finally {
        await site.stop();
    }
}

test('a scan of all packets that is killed is begun again', async () => {
    const [whole, live] = [inTemp('whole.mkv'), inTemp('live.mkv')];
    await ffmpeg(PICTURE, TONE, CODED, whole);
    // As of a recording that nobody ended: it does not say how long it is.
    await ffmpeg('-i', whole, '-c', 'copy', '-f', 'matroska', '-live', '1', live);
    const program = await fake('ffprobe', '*read_intervals*) ;; *packet=stream_index*',
        '{ ffprobe "$@" | head -200; kill -9 $$; }');
    await withSite({ DROPSTREAM_FFPROBE: program }, async (site) => {
        const { json } = await site.upload(live);
        const video = await site.waitForState(json.id, 'ready');
        assert.ok(video.duration > 19.9, `${video.duration} s`);
        const logs = await fs.readdir(site.path('log/jobs'));
        const texts = await Promise.all(logs.map((f) => fs.readFile(site.path(`log/jobs/${f}`), 'utf8')));
        assert.match(texts.join('\n'), /ended by signal 9/);
    });
});

test('the reading of subtitles that is killed is begun again', async () => {
    const cues = [[1, 2, 'one'], [3, 4, 'two']];
    const file = await clipWithTracks(inTemp('subs.mkv'), [{ cues, codec: 'srt', language: 'eng' }]);
    const program = await fake('ffmpeg', '*webvtt*', 'kill -9 $$');
    await withSite({ DROPSTREAM_FFMPEG: program }, async (site) => {
        const { json } = await site.upload(file);
        await site.waitForState(json.id, 'ready');
        const video = await waitForSubtitles(site, json.id, ['en']);
        assert.equal(video.warning, null);
    });
});

test('sound of which comes nonsense is left out, and the picture plays', async () => {
    const file = inTemp('nonsense.mp4');
    await ffmpeg(PICTURE, TONE, CODED, file);
    // Fragments of another length than is promised; it is refused long before it ends.
    const other = 'ffmpeg -v error -f lavfi -i sine -frag_duration 1000000 -movflags +empty_moov+default_base_moof -t 60 -f mp4 pipe:1';
    const program = await fake('ffmpeg', '*"-c:a aac"*', `{ ${other}; exec sleep 30; }`, { once: false });
    await withSite({ DROPSTREAM_FFMPEG: program, DROPSTREAM_ATTEMPTS: '2' }, async (site) => {
        const { json } = await site.upload(file);
        const video = await site.waitForState(json.id, 'ready');
        assert.match(video.warning, /sound could not be decoded and was left out/);
        assert.deepEqual(video.renditions.map(({ name }) => name), ['360p']);
    });
});
