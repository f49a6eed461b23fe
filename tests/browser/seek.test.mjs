/*
 * Seeking about in a video that is still being encoded, in a real Chromium. ffmpeg reads
 * no faster than a few times real time here, so that there is something to seek into.
 */
import assert from 'node:assert/strict';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { childrenOf, runsOf, slowFfmpeg, timelineOf, uploadPlayable, Viewer } from '../lib/demand.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { sleep, startSite, waitFor } from '../lib/site.mjs';

const SPEED = 2; // times real time, at first: nothing is there before it is asked for, however slow the machine
const SLOWEST = 0.25;
const LONG_S = 150;
const SHORT_S = 16; // 8 segments of picture, 4 of sound
const SOURCES = {
    '25 frames a second': 'short.mp4',
    '24000/1001 and B-frames': 'film.mkv',
    'a variable rate with a gap': 'vfr.mkv',
};
const SLOW = 60_000; // ms; on a busy machine everything takes its time

let site, browser, temp;
let speed = SPEED;

before(async () => {
    temp = await tempDir();
    await makeClip('long.mp4', LONG_S, { rate: 10, gop: 40 });
    await makeClip('short.mp4', SHORT_S);
    await makeClip('film.mkv', SHORT_S, { rate: '24000/1001', video: ['-bf', '3'] });
    await makeClip('vfr.mkv', SHORT_S, {
        filters: ",select='not(between(t,5.2,7.8))*not(eq(mod(n,7),5))'", video: ['-fps_mode', 'vfr'],
    });
    site = await startSite({ worker: true, env: { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, speed) } });
    browser = await launchBrowser();
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp.remove();
});

const clip = (name) => path.join(temp.dir, name);

/* Its sound is a tone now and then: one that stays takes twice as long to encode. */
async function makeClip(name, seconds, { rate = 25, gop = 100, filters = '', video = [] } = {}) {
    await ffmpeg(
        ['-f', 'lavfi', '-i', `testsrc2=s=160x90:r=${rate}:d=${seconds}${filters}`],
        ['-f', 'lavfi', '-i', `sine=440:d=${seconds}:sample_rate=48000,volume='lt(mod(t,4),0.2)':eval=frame`],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', String(gop), ...video, '-c:a', 'aac', clip(name)],
    );
}

/*
 * A page that plays a video and keeps a record of it: window.seen has the events of the
 * element that is inside the player, each with the time of playback.
 */
async function openPlayer(video, { rate = 1 } = {}) {
    const page = await watchedPage(browser);
    await page.goto(`${site.url}/watch/${video.id}`);
    await page.locator('stream-video').waitFor({ timeout: SLOW });
    await page.evaluate((playbackRate) => {
        const player = document.querySelector('stream-video');
        const element = player.nativeEl;
        window.seen = [];
        for (const type of ['error', 'seeking', 'seeked', 'timeupdate', 'ended'])
            element.addEventListener(type, () => window.seen.push({ type, at: element.currentTime }));
        player.muted = true;
        player.playbackRate = playbackRate;
        return player.play();
    }, rate);
    await playsPast(page, 0.3);
    return page;
}

const currentTime = (page) => page.evaluate(() => document.querySelector('stream-video').currentTime);

const playsPast = (page, t) =>
    waitFor(async () => (await currentTime(page)) > t, { timeout: SLOW, what: `playback past ${t} s` });

/* Seeks and forgets what was seen before. */
const seek = (page, t) =>
    page.evaluate((target) => {
        window.seen = [];
        document.querySelector('stream-video').currentTime = target;
    }, t);

/* Playback went on from t as if it had all been there. */
async function playsOnFrom(page, t) {
    await playsPast(page, t + 1);
    const seen = await page.evaluate(() => window.seen);
    for (const { type, at } of seen) {
        assert.notEqual(type, 'error');
        assert.ok(at >= t - 0.05, `${type} at ${at} s after a seek to ${t} s`);
    }
    assert.equal(seen.filter(({ type }) => type === 'seeking').length, 1, 'nothing seeks by itself');
    await page.locator('.message p').waitFor({ state: 'detached' });
    await waitFor(() => page.evaluate(() => !document.querySelector('media-controller').hasAttribute('medialoading')), {
        what: 'the spinner to go',
    });
}

const remove = (video) => site.api('DELETE', `/api/videos/${video.id}`);

const logged = (fn) => (t) => site.logged(fn)(t);

test('a seek into what is not encoded yet plays on from there', logged(async () => {
    const video = await uploadPlayable(site, clip('long.mp4'));
    const timeline = await timelineOf(site, video);
    const page = await openPlayer(video);
    for (const t of [120.7, 61.3, 140.2]) {
        await seek(page, t);
        await playsOnFrom(page, t);
    }
    const runs = await runsOf(site, video, timeline);
    assert.ok(runs.filter(({ kind }) => kind === 'video').length >= 3, 'it was made because it was asked for');
    assert.deepEqual(page.complaints, []);
    await page.context().close();
    await remove(video);
}));

/* Looks at the worker's children all the time until stop() tells the most encoders that
 * existed at any moment. */
function countEncoders() {
    let most = 0;
    const timer = setInterval(() => {
        const encoders = childrenOf(site.pid('worker')).filter(({ argv }) => argv.includes('-movflags'));
        most = Math.max(most, encoders.length);
    }, 25);
    return {
        stop() {
            clearInterval(timer);
            return most;
        },
    };
}

test('scrubbing wildly ends with the last position playing, and starts no storm', logged(async () => {
    const video = await uploadPlayable(site, clip('long.mp4'));
    const timeline = await timelineOf(site, video);
    const page = await openPlayer(video);
    const before = (await runsOf(site, video, timeline)).length;
    const encoders = countEncoders();
    for (let i = 0; i < 30; i++) {
        await seek(page, 10 + ((i * 53.7) % (LONG_S - 20)));
        await sleep(100);
    }
    const last = 97.3;
    await seek(page, last);
    await playsOnFrom(page, last);

    const most = encoders.stop();
    const slots = os.availableParallelism() + 1; // as `jobs` and `runs` have it by default
    const ending = 4; // have been told to end, and are about to
    assert.ok(most >= 2, 'they were seen');
    assert.ok(most <= 4 * slots + ending, `${most} encoders at once`);
    const begun = (await runsOf(site, video, timeline)).length - before;
    assert.ok(begun <= 45, `${begun} runs for 31 seeks, each of picture and sound`);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
    await remove(video);
}));

/* Playback as it goes: how many buffered ranges there are, and pictures dropped. */
async function watchToItsEnd(page) {
    const samples = [];
    await waitFor(
        async () => {
            samples.push(
                await page.evaluate(() => {
                    const { buffered, currentTime, ended } = document.querySelector('stream-video').nativeEl;
                    const { droppedVideoFrames, totalVideoFrames } = document
                        .querySelector('stream-video')
                        .nativeEl.getVideoPlaybackQuality();
                    return { ranges: buffered.length, currentTime, ended, dropped: droppedVideoFrames, total: totalVideoFrames };
                }),
            );
            return samples.at(-1).ended;
        },
        { every: 100, timeout: SLOW, what: 'the end' },
    );
    return samples;
}

/* A short video that three runs or more have made, as viewers jumped about in it. Where
 * starting a run takes long (on a busy machine) the worker rightly starts fewer: then
 * once more, with runs that are slower still. */
async function makeByManyRuns(file) {
    for (let tries = 0; tries < 6; tries++) {
        const playable = await uploadPlayable(site, file);
        const timeline = await timelineOf(site, playable);
        const viewers = [0, 1, 2].map((i) => new Viewer(site, timeline, { ahead: 1, from: `127.0.8.${i + 1}` }));
        // From the end on: a run that begins early would also come to what is asked for later.
        const seeks = [];
        for (const [i, viewer] of viewers.entries()) {
            seeks.push(viewer.seek([15.5, 10.5, 5.5][i]));
            await sleep(60);
        }
        await Promise.all(seeks);
        await Promise.all(viewers.map((viewer) => viewer.leave()));
        const video = await site.waitForState(playable.id, 'ready');
        const runs = (await runsOf(site, video, timeline)).filter(({ kind, made }) => kind === 'video' && made > 0);
        if (runs.length >= 3) return video;
        await remove(video);
        speed = Math.max(speed / 2, SLOWEST);
        await slowFfmpeg(temp.dir, speed);
    }
    throw new Error('three runs never came about');
}

/* Some pictures are dropped on a busy machine; a seam that does not fit drops them all
 * for a while, or ends the range. */
function playedSmoothly(samples) {
    for (const { ranges, currentTime } of samples) assert.equal(ranges, 1, `at ${currentTime} s`);
    assert.ok(Math.abs(samples.at(-1).currentTime - SHORT_S) < 0.1, 'it ends at its end');
    samples.slice(1).forEach(({ dropped, total, currentTime }, i) => {
        const burst = dropped - samples[i].dropped;
        const shown = total - samples[i].total;
        assert.ok(burst <= 10 + shown / 2, `${burst} of ${shown} pictures are dropped at ${currentTime} s`);
    });
    const { dropped, total } = samples.at(-1);
    assert.ok(dropped <= total / 4, `${dropped} of ${total} pictures are dropped`);
}

for (const [name, file] of Object.entries(SOURCES))
    test(`what many runs have made plays through as one piece: ${name}`, logged(async () => {
        const video = await makeByManyRuns(clip(file));
        const page = await openPlayer(video, { rate: 2 });
        playedSmoothly(await watchToItsEnd(page));
        const jumps = (await page.evaluate(() => window.seen)).filter(({ type }) => ['error', 'seeking'].includes(type));
        assert.deepEqual(jumps, []);
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    }));
