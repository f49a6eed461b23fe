/*
 * What many runs of the encoder have made together is what one run would have made, of
 * sources that each need care in their own way. Real clips: corpus.test.mjs.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { assertJoined, encodeInRuns, encodeStraight, inLanes, startMixedSite } from '../lib/joined.mjs';
import { fetchVideo, ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite } from '../lib/site.mjs';

const SECONDS = 40; // 20 segments of picture, 10 of sound
const LEAST_RUNS = { video: 4, audio: 2 };
const TOLERANCE = { floor: 40, sound: { noise: 0.1 } };

const film = ({ rate = 25, bf = 0, filters = [] } = {}) => ({
    picture: [`testsrc2=s=160x90:r=${rate}:d=${SECONDS}`, ...filters].join(','),
    video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', String(bf), '-force_key_frames', 'expr:gte(t,4*n_forced)'],
});
const SOURCES = {
    '24000/1001 frames a second': { file: 'film.mp4', ...film({ rate: '24000/1001' }) },
    '25 frames a second, sound that begins late': {
        file: 'pal.mp4', ...film(), soundFilters: ['atrim=start=6.5'], // Matroska would round each packet's time
    },
    '30000/1001 frames a second': { file: 'ntsc.mp4', ...film({ rate: '30000/1001' }) },
    '60 frames a second': { file: 'fast.mp4', ...film({ rate: 60 }) },
    'a variable rate with a gap': {
        file: 'vfr.mkv',
        ...film({ rate: 30, filters: ["select='not(between(t,9.2,12.8))*not(eq(mod(n,7),5))'"] }),
        more: ['-fps_mode', 'vfr'],
    },
    'B-frames in MP4, sound at 44.1 kHz': { file: 'b.mp4', ...film({ bf: 3 }), sampleRate: 44100 },
    'B-frames in Matroska': { file: 'b.mkv', ...film({ bf: 3 }) },
};

/* Tones that are nowhere in step with a segment, and a little noise: a sample that is
 * missing or there twice is a jump in them. */
const TONES = '0.3*sin(2*PI*997*t)+0.2*sin(2*PI*211.3*t)+0.004*(random(0)*2-1)';

const AAC = ['-c:a', 'aac', '-b:a', '192k'];
const tones = (rate) => ['-f', 'lavfi', '-i', `aevalsrc='${TONES}':s=${rate}:d=${SECONDS}`];

/* sound: of 48 kHz, as most have it: it takes longer than the picture. */
async function makeClip(dir, sound, { file, picture, video, sampleRate, soundFilters = [], more = [] }) {
    const input = sampleRate ? tones(sampleRate) : ['-i', sound];
    const copied = !sampleRate && soundFilters.length === 0;
    await ffmpeg(
        ['-f', 'lavfi', '-i', picture, ...input],
        soundFilters.length ? ['-af', soundFilters.join(',')] : [],
        [video, copied ? ['-c:a', 'copy'] : AAC, more, path.join(dir, file)].flat(),
    );
    return path.join(dir, file);
}

let straightSite;
let mixedSite;
let temp;

before(async () => {
    temp = await tempDir();
    straightSite = await startSite({ worker: true });
    mixedSite = await startMixedSite(temp.dir);
});
after(async () => {
    await straightSite?.stop();
    await mixedSite?.stop();
    await temp.remove();
});

/* { straight, mixed, runs } */
async function bothWays(file) {
    const encoded = encodeStraight(straightSite, file);
    encoded.catch(() => {}); // is told when it is asked for
    const result = await encodeInRuns(mixedSite, file, LEAST_RUNS);
    return { ...result, straight: await fetchVideo(straightSite, await encoded) };
}

describe('runs that viewers asked for join up', () => {
    let results;
    before(async () => {
        // First, or the worker's children, which are nice, would wait for it.
        const sound = path.join(temp.dir, 'tones.m4a');
        await ffmpeg(tones(48000), AAC, sound);
        const made = Object.entries(SOURCES).map(async ([name, source]) => [name, await makeClip(temp.dir, sound, source)]);
        const clips = new Map(await Promise.all(made));
        results = inLanes(Object.keys(SOURCES), (name) => bothWays(clips.get(name)));
    });

    for (const name of Object.keys(SOURCES))
        test(name, async () => {
            const { straight, mixed, runs } = await results.get(name);
            assert.ok(runs.video >= LEAST_RUNS.video, `only ${runs.video} runs made pictures`);
            assert.ok(runs.audio >= LEAST_RUNS.audio, `only ${runs.audio} runs made sound`);
            await assertJoined(straight, mixed, TOLERANCE);
            assert.ok(straight.audio);
        });
});
