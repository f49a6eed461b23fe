/*
 * The small pictures over the seek bar, and the button that makes a picture the poster, in
 * a real Chromium.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { tempDir } from '../lib/media.mjs';
import { brighteningClip, parseStoryboard, partsOf, tells } from '../lib/pictures.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const SECONDS = 70;
const SLOW = 30_000; // ms; on a busy machine everything takes its time

let site, browser, temp;

before(async () => {
    temp = await tempDir();
    const script = path.join(temp.dir, 'ffmpeg');
    // Small pictures of the long video come little by little.
    const slow = 'case "$*" in *noise=drop*size*) test -e "$0.slow" && echo $$ > "$0.pid" && exec ffmpeg -readrate 20 "$@";; esac';
    await fs.writeFile(script, ['#!/bin/sh', slow, 'exec ffmpeg "$@"', ''].join('\n'), { mode: 0o755 });
    await brighteningClip(clip('clip.mp4'), { seconds: SECONDS, size: '320x180', gop: 50 });
    await brighteningClip(clip('long.mp4'), { seconds: 170, size: '64x36', gop: 125 });
    site = await startSite({ worker: true, extras: true, env: { DROPSTREAM_FFMPEG: script } });
    browser = await launchBrowser();
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp.remove();
});

const clip = (name) => path.join(temp.dir, name);
const read = async (id) => (await site.api('GET', `/api/videos/${id}`)).json;

async function upload(name, ready) {
    const { json } = await site.upload(clip(name));
    return waitFor(async () => {
        const video = await read(json.id);
        return ready(video) && video;
    }, { what: `${name} to be watched`, timeout: SLOW });
}

async function openPage(video) {
    const page = await watchedPage(browser);
    await page.goto(`${site.url}/watch/${video.id}`);
    await page.locator('stream-video').waitFor({ timeout: SLOW });
    await page.waitForFunction(() => document.querySelector('stream-video').duration > 1, null, { timeout: SLOW });
    return page;
}

const cuesOf = async (video) => parseStoryboard((await site.request('GET', video.storyboard)).text);

/* Points at a share of the seek bar; what is seen there: { time, image, coords, box, img }. */
async function pointAt(page, share) {
    const bar = await page.locator('media-time-range').boundingBox();
    await page.mouse.move(bar.x + bar.width * share - 2, bar.y + bar.height / 2);
    await page.mouse.move(bar.x + bar.width * share, bar.y + bar.height / 2);
    return page.evaluate(() => {
        const range = document.querySelector('media-time-range');
        const preview = document.querySelector('media-preview-thumbnail');
        const img = preview.shadowRoot.querySelector('img');
        const rect = ({ x, y, width, height }) => ({ x, y, width, height });
        return {
            time: Number(range.getAttribute('mediapreviewtime')),
            image: range.getAttribute('mediapreviewimage'),
            coords: preview.getAttribute('mediapreviewcoords')?.split(' ').map(Number),
            box: rect(preview.getBoundingClientRect()),
            img: { ...rect(img.getBoundingClientRect()), natural: img.naturalWidth },
        };
    });
}

/* As pointAt, once a picture is shown there. */
const pictureAt = (page, share) =>
    waitFor(async () => {
        const now = await pointAt(page, share);
        return now.image && now.img.natural > 0 && now.box.width > 100 && now;
    }, { what: `a picture at ${share}`, timeout: SLOW });

const cueAt = (cues, time) => cues.find(({ from, to }) => from <= time && time < to);

/* Has the page ask for news of the video at once, as one that comes back into view. */
async function poll(page, { id }) {
    const answer = page.waitForResponse((r) => new URL(r.url()).pathname === `/api/videos/${id}`, { timeout: SLOW });
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await answer;
}

test('whoever points at the seek bar is shown the picture of that time', logged(async () => {
    const video = await upload('clip.mp4', ({ state, storyboard }) => state === 'ready' && storyboard);
    const cues = await cuesOf(video);
    const page = await openPage(video);
    for (const share of [0.15, 0.5, 0.9]) {
        const seen = await pictureAt(page, share);
        assert.ok(Math.abs(seen.time - share * SECONDS) < 2, `${seen.time}`);
        const cue = cueAt(cues, seen.time);
        assert.deepEqual(seen.coords, [cue.x, cue.y, cue.w, cue.h]);
        assert.equal(path.basename(new URL(seen.image).pathname), cue.sheet);
        // The sheet lies behind the box such that this picture fills it.
        const scale = seen.box.width / cue.w;
        assert.ok(Math.abs(seen.box.height - cue.h * scale) < 1, JSON.stringify(seen));
        assert.ok(Math.abs(seen.box.x - seen.img.x - cue.x * scale) < 1, JSON.stringify(seen));
        assert.ok(Math.abs(seen.box.y - seen.img.y - cue.y * scale) < 1, JSON.stringify(seen));
    }
    assert.deepEqual(page.complaints, []);
    await page.context().close();
}));

test('the pictures are still there when the page has asked for news', logged(async () => {
    const video = await upload('clip.mp4', ({ state, storyboard }) => state === 'ready' && storyboard);
    const cues = await cuesOf(video);
    const page = await openPage(video);
    await pictureAt(page, 0.2);
    for (const share of [0.8, 0.4]) {
        // With the second answer the page is done with the first one.
        await poll(page, video);
        await poll(page, video);
        const { time, coords } = await pictureAt(page, share);
        assert.ok(Math.abs(time - share * SECONDS) < 2, `${time}`);
        const { x, y, w, h } = cueAt(cues, time);
        assert.deepEqual(coords, [x, y, w, h]);
    }
    assert.deepEqual(page.complaints, []);
    await page.context().close();
}));

test('new sheets are seen on a page that is open', logged(async () => {
    await fs.writeFile(path.join(temp.dir, 'ffmpeg.slow'), '');
    const video = await upload('long.mp4', ({ playable, storyboard }) => playable && storyboard);
    // However long the page takes to open, there is one sheet meanwhile.
    const maker = Number(await fs.readFile(path.join(temp.dir, 'ffmpeg.pid'), 'utf8'));
    process.kill(maker, 'SIGSTOP');
    const page = await openPage(video);
    const first = await waitFor(async () => {
        const seen = await pointAt(page, 0.95);
        return seen.image && seen;
    }, { what: 'a picture', timeout: SLOW });
    assert.match(first.image, /-0\.jpg/, 'the last one that there is');
    assert.equal((await cuesOf(video)).length, 25);
    process.kill(maker, 'SIGCONT');
    const { time } = await waitFor(async () => {
        await pointAt(page, 0.5); // what is pointed at is looked up when that changes
        const seen = await pointAt(page, 0.95);
        return /-1\.jpg/.test(seen.image) && seen;
    }, { what: 'one of the second sheet', timeout: SLOW });
    assert.ok(time > 155);
    assert.equal(await page.evaluate(() => document.querySelectorAll('track[label=thumbnails]').length), 1);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
}));

for (const playing of [false, true])
    test(`the picture of a video that is ${playing ? 'playing' : 'paused'} is made the poster`, logged(async () => {
        const video = await upload('clip.mp4', ({ state, poster }) => state === 'ready' && poster);
        const page = await openPage(video);
        await page.evaluate(async (play) => {
            const player = document.querySelector('stream-video');
            player.muted = true;
            player.currentTime = 41;
            await new Promise((done) => player.addEventListener('seeked', done, { once: true }));
            if (play) await player.play();
        }, playing);
        const button = page.getByRole('button', { name: 'Use this picture as the poster' });
        const at = await page.evaluate(() => document.querySelector('stream-video').currentTime);
        await button.click();
        await page.getByText('This is the poster now').waitFor({ timeout: SLOW });
        const focused = await page.evaluate(() => document.activeElement.textContent.trim());
        assert.equal(focused, 'This is the poster now', 'who has pressed it by keyboard is still there');
        const now = await read(video.id);
        assert.notEqual(now.poster, video.poster);
        const [upper] = await partsOf((await site.request('GET', now.poster)).body);
        const late = playing ? 3 : 0.9;
        assert.ok(tells(upper) > at - 0.9 && tells(upper) < at + late, `${tells(upper)} of ${at}`);

        await page.locator('p.back a').click();
        const src = page.locator(`li.card[data-id="${video.id}"] .poster img`);
        await waitFor(async () => (await src.getAttribute('src', { timeout: 1000 })) === now.poster, { what: 'the new one on the card' });
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    }));

/* fn for test(): the site's log is shown if it fails. */
function logged(fn) {
    return (t) => site.logged(fn)(t);
}
