/*
 * A video that one person uploads over a slow line that breaks, and another one watches
 * meanwhile: two Chromium contexts on a real site.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { launchBrowser, overhang, watchedPage } from '../lib/browser.mjs';
import { startLine } from '../lib/line.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const LONG_S = 48;
const SHORT_S = 20;
const RATE = 750e3; // bytes of a clip for each second of it
const SLOW = 60_000; // ms; on a busy machine everything takes its time

let site, browser, temp, line, uploader, watcher;

before(async () => {
    temp = await tempDir();
    await makeClip('long.mp4', LONG_S);
    await ffmpeg('-i', clip('long.mp4'), '-t', SHORT_S, '-c', 'copy', clip('end.mp4'));
    site = await startSite({ worker: true });
    browser = await launchBrowser();
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp.remove();
});
afterEach(async () => {
    for (const page of [watcher, uploader]) await page?.context().close();
    await line?.close();
    watcher = uploader = line = undefined;
});

const clip = (name) => path.join(temp.dir, name);
const logged = (fn) => (t) => site.logged(fn)(t);
const read = async (id) => (await site.api('GET', `/api/videos/${id}`)).json;
const sha256 = async (name) => createHash('sha256').update(await fs.readFile(name)).digest('hex');

/* With its index at the beginning, and padded so that a second of it takes RATE bytes. */
function makeClip(name, seconds) {
    const rate = `${(RATE * 8) / 1000}k`;
    return ffmpeg(
        ['-f', 'lavfi', '-i', `testsrc2=s=160x90:r=25:d=${seconds}`],
        ['-f', 'lavfi', '-i', `sine=440:d=${seconds}:sample_rate=48000`],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-b:v', rate, '-minrate', rate, '-maxrate', rate],
        ['-bufsize', rate, '-x264-params', 'nal-hrd=cbr', '-pix_fmt', 'yuv420p'],
        ['-c:a', 'aac', '-movflags', '+faststart', clip(name)],
    );
}

/* ---- who uploads -------------------------------------------------------------- */

/* Seconds of a clip that go over the line in one. */
const setSpeed = (speed) => (line.bytesPerSecond = speed * RATE);

/* Begins an upload from a page at the end of a line, which becomes slow after so many
 * seconds of the clip. Resolves to its video once that can be watched. */
async function upload(name, { seconds, slow }) {
    line = await startLine(site.port, { bytesPerSecond: 4 * RATE });
    uploader = await watchedPage(browser);
    uploader.patches = 0;
    uploader.on('request', (request) => (uploader.patches += request.method() === 'PATCH'));
    await uploader.goto(line.url);
    await uploader.setInputFiles('input[type=file]', clip(name));
    await waitFor(() => line.bytes > seconds * RATE, { every: 10, what: `${seconds} s of the clip` });
    setSpeed(slow);
    return waitFor(async () => {
        const [video] = (await site.api('GET', '/api/videos?sort=newest')).json.videos;
        return video?.playable && video;
    }, { timeout: SLOW, what: 'something to watch' });
}

/* On a phone nothing sticks out, and what can be pressed covers nothing. */
async function fitsAPhone(page) {
    const wide = page.viewportSize();
    await page.setViewportSize({ width: 360, height: 740 });
    assert.ok((await overhang(page)) <= 0, 'it fits');
    const row = page.getByRole('listitem').filter({ hasText: 'long.mp4' }).first();
    const [words, buttons] = await Promise.all(['.body', '.actions'].map((part) => row.locator(part).boundingBox()));
    const beside = words.x + words.width <= buttons.x || words.y + words.height <= buttons.y;
    assert.ok(beside, 'the buttons cover nothing');
    assert.ok(words.width > 200, 'the words have room');
    await page.setViewportSize(wide);
}

/* The bytes of it that the server has. */
const received = async (video) => (await fs.stat(site.path('spool', `${video.id}.part`))).size;

/* The whole of it is stored, and nothing else. */
async function isStored(video, name) {
    await uploader.getByText(/^Uploaded · /).waitFor({ timeout: SLOW });
    assert.equal(await sha256(site.path('spool', `${video.id}.src`)), await sha256(clip(name)));
    assert.equal(uploader.posts, 1);
}

/* ---- who watches -------------------------------------------------------------- */

/* Opens the page and plays. window.seen: what the element said, each with its time. */
async function watch(video) {
    watcher = await watchedPage(browser);
    await watcher.goto(`${site.url}/watch/${video.id}`);
    await watcher.locator('stream-video').waitFor({ timeout: SLOW });
    await watcher.evaluate(() => {
        const player = document.querySelector('stream-video');
        const element = player.nativeEl;
        window.seen = [];
        for (const type of ['error', 'seeking', 'timeupdate', 'ended'])
            element.addEventListener(type, () => window.seen.push({ type, at: element.currentTime }));
        player.muted = true;
        return player.play();
    });
}

/* { at, pictures, ended } of the element. */
const playback = () =>
    watcher.evaluate(() => {
        const element = document.querySelector('stream-video').nativeEl;
        const { totalVideoFrames, droppedVideoFrames } = element.getVideoPlaybackQuality();
        return { at: element.currentTime, pictures: totalVideoFrames - droppedVideoFrames, ended: element.ended };
    });

const playsPast = (seconds) =>
    waitFor(async () => (await playback()).at > seconds, { timeout: SLOW, what: `playback past ${seconds} s` });

/* Seeks and plays, as what has ended does not go on by itself, and forgets what was seen
 * before. */
const seek = (seconds) =>
    watcher.evaluate((target) => {
        window.seen = [];
        const player = document.querySelector('stream-video');
        player.currentTime = target;
        player.play().catch(() => {}); // it may be a while until something can be played
    }, seconds);

/* Since the last seek, to t, nothing failed and nothing jumped. */
async function playedOnFrom(t) {
    const seen = await watcher.evaluate(() => window.seen);
    for (const { type, at } of seen) {
        assert.notEqual(type, 'error');
        assert.ok(at >= t - 0.05, `${type} at ${at} s after a seek to ${t} s`);
    }
    const seeks = seen.filter(({ type }) => type === 'seeking').map(({ at }) => at);
    assert.ok(seeks.length <= 1, `nothing seeks by itself: ${seeks}`);
}

/* Where the seek bar says, 0 to 1, that what has arrived ends, and what is to come begins
 * and ends: that is of whole segments. */
const frontier = () =>
    watcher.evaluate(() => {
        const bar = document.querySelector('.marks').getBoundingClientRect();
        const share = (pixels) => (pixels - bar.left) / bar.width;
        const box = (name) => document.querySelector(`.marks ${name}`).getBoundingClientRect();
        const { left, right } = box('.coming');
        return { arrived: share(box('.frontier').left), from: share(left), to: share(right) };
    });

const WAITING = /^This part is still uploading – \d+ % of the video has arrived\.$/;
const message = () => watcher.locator('.message').getByText(WAITING);

/* Nothing moves over the player, so its bars have long gone if nothing keeps them. */
const barsAreSeen = () =>
    watcher.evaluate(() => {
        const idle = document.querySelector('media-controller').hasAttribute('userinactive');
        return idle && getComputedStyle(document.querySelector('.bars')).opacity === '1';
    });

/* Over a place of the seek bar it is said, so that it can be read, that it is to come. */
async function labelAt(share) {
    const { x, y, width } = await watcher.locator('.marks').boundingBox();
    await watcher.mouse.move(x + width * share, y + 1);
    const label = watcher.locator('media-time-range [slot=preview]').filter({ hasText: 'still uploading' });
    await label.waitFor();
    assert.ok((await label.boundingBox()).height > 16, 'the label is as high as its text');
    await watcher.mouse.move(0, 0);
}

/* Plays through to the end of a video that is ready. */
async function playsToItsEnd(video, seconds) {
    await site.waitForState(video.id, 'ready', { timeout: SLOW });
    await watcher.locator('.marks').waitFor({ state: 'detached' });
    await watcher.getByText('Still uploading').waitFor({ state: 'detached' });
    await seek(seconds - 2);
    await waitFor(async () => (await playback()).ended, { timeout: SLOW, what: 'the end' });
    assert.ok(Math.abs((await playback()).at - seconds) < 0.2);
    await playedOnFrom(seconds - 2);
    assert.deepEqual(watcher.complaints, []);
}

/* ---- the tests ----------------------------------------------------------------- */

test('somebody watches while another one uploads, and both get over a line that breaks', logged(async () => {
    const video = await upload('long.mp4', { seconds: 14, slow: 0.25 });
    await watch(video);
    await playsPast(1);
    const { pictures } = await playback();
    assert.ok(pictures > 10, `${pictures} pictures were shown`);
    const soon = await read(video.id);
    assert.equal(soon.state, 'receiving');
    assert.ok(soon.received < soon.size / 2, 'well before the end of the upload');

    const before = await frontier();
    assert.ok(before.arrived > 0.1 && before.arrived < 0.6, `it has arrived up to ${before.arrived}`);
    assert.ok(before.from > 0.1 && before.from < before.arrived + 0.01, `what is to come begins at ${before.from}`);
    assert.ok(Math.abs(before.to - 1) < 0.01, 'and goes to the end');
    await waitFor(async () => (await frontier()).arrived > before.arrived + 0.02, { what: 'the frontier to move' });

    await labelAt(0.9);
    const target = Math.round(LONG_S * ((await frontier()).arrived + 0.2));
    await seek(target);
    await message().waitFor();
    assert.ok((await frontier()).arrived < target / LONG_S, 'it was beyond the frontier');
    await waitFor(barsAreSeen, { what: 'the bars to stay' });

    await line.break();
    await uploader.getByText('Connection lost.', { exact: true }).waitFor();
    await fitsAPhone(uploader);
    await message().waitFor();
    assert.equal((await playback()).at, target);
    await watcher.locator('.message').getByText(/^The upload has stopped – \d+ % of the video has arrived\.$/).waitFor();
    await watcher.locator('.arriving').getByText('It goes on here when whoever uploads it is back.').waitFor();
    const kept = await received(video);
    assert.ok(kept < target * RATE, 'it is still beyond the frontier');
    line.bytes = 0;
    setSpeed(4);
    await line.mend();
    await playsPast(target + 1);
    await watcher.locator('.arriving').getByText('The upload has stopped').waitFor({ state: 'detached' });
    assert.equal(await watcher.locator('.message p').count(), 0, 'no message stays');
    await playedOnFrom(target);

    await isStored(video, 'long.mp4');
    assert.ok(uploader.patches >= 1, 'it went on where it was');
    assert.ok(line.bytes < video.size - kept + 2e6, `${line.bytes} bytes more, of ${video.size - kept}`);
    await playsToItsEnd(video, LONG_S);
}));

test('a file with its index at the end: a viewer who has seen all that came waits, and goes on', logged(async () => {
    const video = await upload('end.mp4', { seconds: 8, slow: 0.1 });
    await watch(video);
    await message().waitFor({ timeout: SLOW });
    const { at, pictures } = await playback();
    assert.ok(at > 1 && at < SHORT_S - 4, `it played up to ${at} s`);
    assert.ok(pictures > 10, `${pictures} pictures were shown`);
    assert.ok(Math.abs((await frontier()).from * SHORT_S - at) < 1, 'up to where the frontier is');
    assert.equal((await read(video.id)).state, 'receiving');

    setSpeed(4);
    await playsPast(at + 2);
    assert.equal(await watcher.locator('.message p').count(), 0, 'no message stays');
    await playedOnFrom(0);
    await isStored(video, 'end.mp4');
    await playsToItsEnd(video, SHORT_S);
}));
