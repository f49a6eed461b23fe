/*
 * joined.mjs: what many runs of the encoder have made together is what one run would have
 * made. A source goes into two sites: into one where nobody watches, so that a single run
 * makes each rendition, and into one where viewers jump about while it is encoded. There
 * ffmpeg reads no faster than a few times real time, or short clips would be done before
 * the second viewer comes. Then the two are compared, segment by segment, picture by
 * picture, and sample by sample around the seams.
 */
import assert from 'node:assert/strict';

import { keyframesKnown, runsOf, slowFfmpeg, timelineOf, uploadPlayable, Viewer } from './demand.mjs';
import { differentPictures, fetchVideo, samples } from './media.mjs';
import { seamFaults } from './sound.mjs';
import { startSite } from './site.mjs';

const SPEED = 2; // times real time, of each run on the site with viewers, at first
const SLOWEST = 0.5; // then the next segment of sound takes eight seconds
const TRIES = 6;
const LANES = 2; // more would make each other wait, which makes for fewer runs

/* The site with viewers. dir: where its ffmpeg may lie. */
export async function startMixedSite(dir) {
    const env = { DROPSTREAM_FFMPEG: await slowFfmpeg(dir, SPEED), DROPSTREAM_JOBS: '32' };
    return Object.assign(await startSite({ worker: true, env }), { runsIn: dir, runsAt: SPEED });
}

/* Half as fast as it was for a try that had too few runs; others may have seen to it. */
async function slowDown(site, from) {
    if (site.runsAt < from || from === SLOWEST) return;
    site.runsAt = from / 2;
    await slowFfmpeg(site.runsIn, site.runsAt);
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

/* What comes of a file where nobody watches: its JSON. */
export async function encodeStraight(site, file) {
    const { status, json, text } = await site.upload(file);
    assert.equal(status, 201, text);
    return site.waitForState(json.id, 'ready');
}

/* Numbers of the runs that made pictures, and sound. */
function countRuns(runs) {
    const made = (kind) => runs.filter((run) => run.kind === kind && run.made > 0).length;
    return { video: made('video'), audio: made('audio') };
}

/* { mixed, runs }: what comes of a file in which viewers jump about, as served, and how
 * many runs made it. */
async function encodeMixed(mixedSite, file) {
    const playable = await uploadPlayable(mixedSite, file);
    const timeline = await timelineOf(mixedSite, playable);
    await jumpAbout(mixedSite, playable, timeline);
    // What was begun goes on at its pace.
    const mixed = await mixedSite.waitForState(playable.id, 'ready', { timeout: (120_000 * SPEED) / mixedSite.runsAt });
    const runs = countRuns(await runsOf(mixedSite, mixed, timeline));
    return { mixed: await fetchVideo(mixedSite, mixed), runs };
}

/*
 * { mixed, runs } of a file on the site with viewers. Where starting a run takes very long
 * (on a very busy machine), the worker rightly starts fewer, as the one on its way will be
 * there sooner: then once more, with runs that are slower still. least: of each kind.
 */
export async function encodeInRuns(site, file, least = { video: 1, audio: 0 }) {
    for (let tries = 1; ; tries++) {
        const speed = site.runsAt;
        const result = await encodeMixed(site, file);
        const enough = result.runs.video >= least.video && result.runs.audio >= least.audio;
        if (enough || tries === TRIES) return result;
        await slowDown(site, speed);
    }
}

/* fn of each of the keys, a few at a time, as all at once would wait for each other:
 * a map of key to promise. */
export function inLanes(keys, fn) {
    const results = new Map();
    const lanes = Array.from({ length: LANES }, () => Promise.resolve());
    keys.forEach((key, i) => {
        const result = lanes[i % LANES].then(() => fn(key));
        lanes[i % LANES] = result.catch(() => {}); // whoever awaits it is told
        results.set(key, result);
    });
    return results;
}

const facts = ({ segments }) =>
    segments.map(({ decodeTime, frames, ticks }) => ({ decodeTime, frames, ticks }));

/* fetchVideo has seen that there is no gap and no overlap at all, not even of a tick. */
function sameShape(straight, mixed) {
    assert.ok(mixed.init.equals(straight.init), 'the init segment is the same, byte by byte');
    assert.deepEqual(facts(mixed), facts(straight));
}

async function samePictures(straight, mixed, floor, odd) {
    const different = await differentPictures(straight, mixed, floor);
    assert.ok(different.length <= odd, different.join('\n'));
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

/* Of a video in one run, and in many, as fetched. floor: PSNR of each picture, in dB, but for
 * so many odd ones; sound: as seamFaults has it. */
export async function assertJoined(straight, mixed, { floor, sound, odd = 0 }) {
    sameShape(straight.video, mixed.video);
    await samePictures(straight.video, mixed.video, floor, odd);
    assert.equal(Boolean(mixed.audio), Boolean(straight.audio));
    if (!straight.audio) return;
    sameShape(straight.audio, mixed.audio);
    await sameSoundAtSeams(straight.audio, mixed.audio, sound);
}
