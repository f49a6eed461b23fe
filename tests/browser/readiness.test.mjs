/*
 * A video that is watched while it is being prepared, in a real Chromium on a real site.
 * The worker is stopped like a process that gets no CPU, so that what is not made stays so
 * for as long as a test looks at it. Its ffmpeg reads no faster than SPEED times real time, so
 * that it is stopped early enough.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { slowFfmpeg } from '../lib/demand.mjs';
import { cardClip, tempDir } from '../lib/media.mjs';
import { sleep, startSite, waitFor } from '../lib/site.mjs';

const CLIP_S = 180;
const SPEED = 16;
const REST_MS = 200; // as htdocs/src/player/scrub.ts has it
const SLOW = 90_000; // ms; on a busy machine an encode takes its time
const PREPARED = 'This part is being prepared.';

let site, browser, temp, clip;

before(async () => {
    temp = await tempDir();
    clip = path.join(temp.dir, 'clip.mp4');
    await cardClip(clip, CLIP_S);
    site = await startSite({ worker: true, env: { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, SPEED) } });
    browser = await launchBrowser();
});

after(async () => {
    await browser?.close();
    await site?.stop();
    await temp?.remove();
});

afterEach(() => wake()); // also where a test failed before it could

const freeze = () => process.kill(site.pid('worker'), 'SIGSTOP');
const wake = () => process.kill(site.pid('worker'), 'SIGCONT');

/* The page of a video whose beginning is there and whose worker stands still. */
async function halfMade(title, options) {
    const { json } = await site.upload(clip, { fields: { title } });
    const begun = async () => {
        const { renditions } = (await site.api('GET', `/api/videos/${json.id}`)).json;
        return renditions.length > 0 && renditions.every((r) => r.done > 3);
    };
    await waitFor(begun, { timeout: SLOW, every: 20, what: 'the first segments' });
    freeze();
    const page = await watchedPage(browser, options);
    page.segments = [];
    page.on('request', (request) => {
        if (/\.m4s$/.test(request.url())) page.segments.push(request);
    });
    await page.goto(`${site.url}/watch/${json.id}`);
    await page.locator('stream-video').waitFor({ timeout: SLOW });
    await waitFor(async () => (await media(page, 'readyState')) >= 2, { timeout: SLOW });
    await page.locator('.marks .gap').first().waitFor({ state: 'attached' });
    await noteMessages(page);
    return { page, id: json.id };
}

async function done({ page, id }) {
    assert.deepEqual(page.complaints, []);
    await page.context().close();
    await site.api('DELETE', `/api/videos/${id}`);
}

const media = (page, property) =>
    page.evaluate((p) => document.querySelector('stream-video')[p], property);
const act = (page, name) =>
    page.evaluate((n) => {
        const video = document.querySelector('stream-video');
        video.muted = true;
        return video[n]();
    }, name);
const seek = (page, seconds) =>
    page.evaluate((s) => (document.querySelector('stream-video').currentTime = s), seconds);

/* window.said: every message the player has shown. */
async function noteMessages(page) {
    await page.evaluate(() => {
        const box = document.querySelector('.message');
        window.said = [];
        const note = () => box.textContent.trim() && window.said.push(box.textContent.trim());
        new MutationObserver(note).observe(box, { childList: true, subtree: true });
    });
}
const message = async (page) => (await page.locator('.message').textContent()).trim();

/* Left, top, width and height of the track, and of the marks drawn on it. */
const places = (page) =>
    page.evaluate(() => {
        const bar = document.querySelector('media-time-range');
        const track = bar.shadowRoot.querySelector('[part=track]');
        return [track, document.querySelector('.marks')].map((element) => {
            const { left, top, width, height } = element.getBoundingClientRect();
            return [left, top, width, height];
        });
    });

test('a seek into what is not made yet says so, and plays when it is made', async () => {
    const watching = await halfMade('Seek');
    const { page, id } = watching;
    await act(page, 'play');
    const far = CLIP_S - 20.5;
    await seek(page, far);
    await page.getByText(PREPARED).waitFor();
    assert.equal(await media(page, 'error'), null);

    wake();
    await waitFor(async () => (await media(page, 'currentTime')) > far + 1, {
        timeout: SLOW,
        what: 'playback from there',
    });
    assert.equal(await message(page), '', 'no message stays');
    assert.deepEqual([...new Set(await page.evaluate(() => window.said))], [PREPARED]);

    await act(page, 'pause');
    await site.waitForState(id, 'ready', { timeout: SLOW });
    await page.locator('.marks').waitFor({ state: 'detached' });
    await page.evaluate(() => (window.said = []));
    await seek(page, CLIP_S / 3);
    await waitFor(async () => !(await media(page, 'seeking')));
    assert.deepEqual(await page.evaluate(() => window.said), [], 'nothing is said of what is ready');
    await done(watching);
});

test('a seek in a pause, before anything was played, shows its picture when it is made', async () => {
    const watching = await halfMade('Pause');
    const { page } = watching;
    await seek(page, CLIP_S / 2);
    await page.getByText(PREPARED).waitFor();
    wake();
    await waitFor(async () => !(await media(page, 'seeking')), { timeout: SLOW, what: 'the seek' });
    assert.ok((await media(page, 'readyState')) >= 2);
    assert.equal(await media(page, 'currentTime'), CLIP_S / 2);
    assert.equal(await media(page, 'paused'), true);
    assert.equal(await message(page), '');
    await done(watching);
});

test('the marks lie on the track at any width, and say their share in words', async () => {
    for (const viewport of [
        { width: 1400, height: 900 },
        { width: 390, height: 800 },
    ]) {
        const watching = await halfMade('Marks', { viewport });
        const { page } = watching;
        const [track, marks] = await places(page);
        assert.deepEqual(marks, track);
        await page.getByText(/^\d+ % of this video is prepared$/).waitFor({ state: 'attached' });
        const last = await page.locator('.gap').last().boundingBox();
        assert.ok(Math.abs(last.x + last.width - (track[0] + track[2])) < 1, 'to the end');
        assert.ok(last.x > track[0], 'the beginning is ready');
        wake();
        await done(watching);
    }
});

test('dragging over what is not made asks for where the hand rests, not for all it passes', async () => {
    const watching = await halfMade('Drag');
    const { page } = watching;
    await act(page, 'play');
    const [[left, top, width]] = await places(page);
    const to = (share) => page.mouse.move(left + width * share, top + 2);
    const MOVES = 80;
    await to(0.5);
    await page.mouse.down();
    await sleep(300);
    page.segments.length = 0;
    let rests = 0; // of a hand that a busy machine holds
    for (let i = 0; i < MOVES; i++) {
        const begun = performance.now();
        await to(0.5 + (0.4 * i) / MOVES);
        if (performance.now() - begun > REST_MS / 2) rests++;
    }
    await page.mouse.up();
    await waitFor(async () => (await media(page, 'currentTime')) > 0.88 * CLIP_S);
    await page.getByText(PREPARED).waitFor();
    assert.ok(page.segments.length < MOVES / 2 + 4 * rests, `${page.segments.length} requests, ${rests} rests`);
    wake();
    await waitFor(async () => !(await media(page, 'seeking')), { timeout: SLOW });
    await done(watching);
});

test('requests of one view of the page carry one CMCD session id', async () => {
    const watching = await halfMade('Session');
    const { page } = watching;
    wake();
    await act(page, 'play');
    await waitFor(() => page.segments.length > 4, { timeout: SLOW });
    const ids = page.segments.map((request) => request.headers()['cmcd-session']);
    assert.match(ids[0], /^sid="[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}"$/);
    assert.equal(new Set(ids).size, 1);
    await done(watching);
});
