/*
 * What many runs of the encoder have made together is what one run would have made. Each
 * source goes into two sites: into one where nobody watches, so that a single run makes
 * each rendition, and into one where viewers jump about while it is encoded. There ffmpeg
 * reads no faster than a few times real time, or such short clips would be done before
 * the second viewer comes. Then the two are compared, segment by segment, picture by
 * picture, and sample by sample around the seams.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { keyframesKnown, runsOf, slowFfmpeg, timelineOf, uploadPlayable, Viewer } from '../lib/demand.mjs';
import {
    clipsOf, CORPUS, differentPictures, fetchVideo, ffmpeg, samples, tempDir,
} from '../lib/media.mjs';
import { startSite } from '../lib/site.mjs';
import { seamFaults } from '../lib/sound.mjs';

const SECONDS = 40; // 20 segments of picture, 10 of sound
const SPEED = 3; // times real time, of each run on the site with viewers
const LEAST_RUNS = { video: 4, audio: 2 };
const TRIES = 6;
const LANES = 4;
const LEAST_SEGMENTS = 4; // of a real clip, or nothing has to join up

/* How far two encoders may differ; see media.mjs and sound.mjs. */
const GENERATED = { floor: 40, sound: { noise: 0.1 } };
const REAL = { floor: 35, sound: { noise: 0.5 } };
/* Matroska tells times in whole ms: a run in 44.1 kHz sound begins up to half a one early or
 * late. */
const REAL_MATROSKA = { floor: 35, sound: { noise: 0.75, slack: 24 } };

const film = ({ rate = 25, bf = 0, filters = [] } = {}) => ({
    picture: [`testsrc2=s=320x180:r=${rate}:d=${SECONDS}`, ...filters].join(','),
    video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', String(bf), '-force_key_frames', 'expr:gte(t,4*n_forced)'],
});
const SOURCES = {
    '24000/1001 frames a second': { file: 'film.mp4', ...film({ rate: '24000/1001' }) },
    '25 frames a second, sound that begins late': {
        file: 'pal.mkv', ...film(), soundFilters: ['atrim=start=6.5'],
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

async function makeClip(dir, { file, picture, video, sampleRate = 48000, soundFilters = [], more = [] }) {
    const sound = [`aevalsrc='${TONES}':s=${sampleRate}:d=${SECONDS}`, ...soundFilters].join(',');
    await ffmpeg(
        ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound],
        [video, '-c:a', 'aac', '-b:a', '192k', more, path.join(dir, file)].flat(),
    );
    return path.join(dir, file);
}

/*
 * Three viewers at once who jump about in what is not there yet: to the end first and two
 * places far apart, then before and between those. The last of them comes when the worker
 * knows the keyframes, so that there are runs that seek by them, and others.
 */
async function jumpAbout(site, video, timeline) {
    const known = keyframesKnown(site, video);
    const watch = async ([first, second], begin) => {
        const viewer = new Viewer(site, timeline, { ahead: 1 });
        await begin;
        await viewer.seek(first * (timeline.video.seconds - 0.05));
        await known;
        await viewer.seek(second * (timeline.video.seconds - 0.05));
        await viewer.leave();
    };
    await Promise.all([watch([1, 0.22]), watch([0.36, 0.85]), watch([0.67, 0.52], known)]);
}

let straightSite;
let mixedSite;
let temp;

before(async () => {
    temp = await tempDir();
    straightSite = await startSite({ worker: true });
    const env = { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, SPEED), DROPSTREAM_JOBS: '32' };
    mixedSite = await startSite({ worker: true, env });
});
after(async () => {
    await straightSite?.stop();
    await mixedSite?.stop();
    await temp.remove();
});

/* What comes of a file where nobody watches: its JSON. */
async function encodeStraight(file) {
    const { status, json, text } = await straightSite.upload(file);
    assert.equal(status, 201, text);
    return straightSite.waitForState(json.id, 'ready');
}

/* Numbers of the runs that made pictures, and sound. */
function countRuns(runs) {
    const made = (kind) => runs.filter((run) => run.kind === kind && run.made > 0).length;
    return { video: made('video'), audio: made('audio') };
}

/* { mixed, runs }: what comes of a file in which viewers jump about, as served, and how
 * many runs made it. */
async function encodeMixed(file) {
    const playable = await uploadPlayable(mixedSite, file);
    const timeline = await timelineOf(mixedSite, playable);
    await jumpAbout(mixedSite, playable, timeline);
    const mixed = await mixedSite.waitForState(playable.id, 'ready');
    const runs = countRuns(await runsOf(mixedSite, mixed, timeline));
    return { mixed: await fetchVideo(mixedSite, mixed), runs };
}

/* { straight, mixed, runs }. Where starting a run takes very long (on a very busy machine),
 * the worker rightly starts fewer: then once more. least: of each kind. */
async function bothWays(file, least = { video: 1, audio: 0 }) {
    const encoded = encodeStraight(file);
    encoded.catch(() => {}); // is told when it is asked for
    let result = await encodeMixed(file);
    for (let tries = 1; tries < TRIES; tries++)
        if (result.runs.video < least.video || result.runs.audio < least.audio)
            result = await encodeMixed(file);
    return { ...result, straight: await fetchVideo(straightSite, await encoded) };
}

const facts = ({ segments }) =>
    segments.map(({ decodeTime, frames, ticks }) => ({ decodeTime, frames, ticks }));

/* fetchVideo has seen that there is no gap and no overlap at all, not even of a tick. */
function sameShape(straight, mixed) {
    assert.ok(mixed.init.equals(straight.init), 'the init segment is the same, byte by byte');
    assert.deepEqual(facts(mixed), facts(straight));
}

async function samePictures(straight, mixed, floor) {
    assert.deepEqual(await differentPictures(straight, mixed, floor), []);
}

/* Around the beginning of each segment, where a run may have taken over from another. */
async function sameSoundAtSeams(straight, mixed, tolerance) {
    const [a, b] = [await samples(straight.file), await samples(mixed.file)];
    assert.equal(a.length, b.length);
    let at = 0;
    for (const [k, { frames }] of mixed.segments.entries()) {
        assert.deepEqual(seamFaults(a, b, at * 1024, tolerance), [], `seam ${k}`);
        at += frames;
    }
}

describe('runs that viewers asked for join up', () => {
    const results = new Map();
    before(async () => {
        // First, or the worker's children, which are nice, would wait for it.
        const sources = Object.entries(SOURCES);
        const clips = await Promise.all(sources.map(([, source]) => makeClip(temp.dir, source)));
        // A few at a time: all at once would wait for each other.
        const lanes = Array.from({ length: LANES }, () => Promise.resolve());
        sources.forEach(([name], i) => {
            const result = lanes[i % LANES].then(() => bothWays(clips[i], LEAST_RUNS));
            lanes[i % LANES] = result.catch(() => {}); // its test tells
            results.set(name, result);
        });
    });

    for (const name of Object.keys(SOURCES))
        test(name, async () => {
            const { straight, mixed, runs } = await results.get(name);
            assert.ok(runs.video >= LEAST_RUNS.video, `only ${runs.video} runs made pictures`);
            assert.ok(runs.audio >= LEAST_RUNS.audio, `only ${runs.audio} runs made sound`);
            sameShape(straight.video, mixed.video);
            sameShape(straight.audio, mixed.audio);
            await samePictures(straight.video, mixed.video, GENERATED.floor);
            await sameSoundAtSeams(straight.audio, mixed.audio, GENERATED.sound);
        });
});

const clips = CORPUS ? (await clipsOf(CORPUS)).filter((file) => !/hostile|audio_only/.test(file)) : [];

describe('runs of real clips join up', { skip: clips.length === 0 && 'DROPSTREAM_CORPUS names no folder of clips' }, () => {
    for (const file of clips)
        test(path.relative(CORPUS, file), async (t) => {
            const { segments } = (await encodeStraight(file)).renditions[0];
            if (segments < LEAST_SEGMENTS) return t.skip(`${segments} segments`);
            const { straight, mixed } = await bothWays(file);
            sameShape(straight.video, mixed.video);
            const { floor, sound } = /\.(mkv|webm)$/.test(file) ? REAL_MATROSKA : REAL;
            await samePictures(straight.video, mixed.video, floor);
            if (!straight.audio) return;
            sameShape(straight.audio, mixed.audio);
            await sameSoundAtSeams(straight.audio, mixed.audio, sound);
        });
});
