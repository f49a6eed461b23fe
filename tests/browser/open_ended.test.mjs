/*
 * A video that does not tell how long it is, watched in a real Chromium from before its
 * upload ends until after it.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { PacedUpload } from '../lib/arriving.mjs';
import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { ffmpeg, paddedClip, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const SECONDS = 24;
const SLOW = 60_000; // ms; on a busy machine an encode takes its time

let site, browser, temp;
const clip = (name) => path.join(temp.dir, name);

before(async () => {
    temp = await tempDir();
    await paddedClip(clip('clip.mp4'), SECONDS);
    const copy = ['-i', clip('clip.mp4'), '-c', 'copy'];
    await ffmpeg(...copy, '-movflags', 'frag_keyframe+empty_moov', clip('fragmented.mp4'));
    site = await startSite({ worker: true });
    browser = await launchBrowser();
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp?.remove();
});

const media = (page, property) =>
    page.evaluate((p) => document.querySelector('stream-video')[p], property);

/* window.jumps: each place where the position was not what it had been a moment before. */
const noteJumps = (page) =>
    page.evaluate(() => {
        const video = document.querySelector('stream-video');
        let before = video.currentTime;
        window.jumps = [];
        video.addEventListener('timeupdate', () => {
            const step = video.currentTime - before;
            if (step < -0.01 || step > 2) window.jumps.push(`${before} to ${video.currentTime}`);
            before = video.currentTime;
        });
    });

test('it plays from its start, as far as it has come, and on to its end', async () => {
    const upload = await PacedUpload.begin(site, clip('fragmented.mp4'));
    await upload.sendTo(0.4);
    const { id } = await upload.video(({ playable }) => playable);
    const page = await watchedPage(browser);
    await page.goto(`${site.url}/watch/${id}`);
    await page.locator('stream-video').waitFor({ timeout: SLOW });
    await waitFor(async () => (await media(page, 'readyState')) >= 2, { timeout: SLOW, what: 'a picture' });
    assert.equal(await media(page, 'currentTime'), 0, 'it begins at its start, not where it is live');
    const short = await media(page, 'duration');
    assert.ok(short > 3 && short < 12, `so far it is ${short} s long`);
    await noteJumps(page);
    await page.evaluate(() => {
        const video = document.querySelector('stream-video');
        video.muted = true;
        return video.play();
    });
    await waitFor(async () => (await media(page, 'currentTime')) > 2, { timeout: SLOW, what: 'it to play' });

    // It comes to the end of what is there, and says why it stands still.
    const said = page.locator('.message p');
    await said.filter({ hasText: /Still uploading|The upload has stopped/ }).waitFor({ timeout: SLOW });
    await upload.sendTo(0.8);
    await waitFor(async () => (await media(page, 'currentTime')) > short + 1, { timeout: SLOW, what: 'it to go on' });
    await waitFor(async () => (await media(page, 'duration')) > 14, { timeout: SLOW, what: 'it to get longer' });
    assert.equal((await upload.finish()).status, 201);
    await site.waitForState(id, 'ready');
    await waitFor(async () => (await media(page, 'duration')) >= SECONDS, { timeout: SLOW, what: 'its whole length' });
    await waitFor(async () => media(page, 'ended'), { timeout: SLOW, what: 'its end' });
    assert.ok((await media(page, 'currentTime')) > SECONDS - 0.5);
    assert.deepEqual(await page.evaluate(() => window.jumps), []);
    await said.waitFor({ state: 'detached' });
    assert.deepEqual(page.complaints, []);
});
