/*
 * The Content-Security-Policy of the pages in a real Chromium: nothing inline is let through,
 * and nothing that the player, its menus and the dialogues do needs it.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';
import { srtOf } from '../lib/subtitles.mjs';

const SLOW = 60_000; // ms

let site, browser, temp, video;

before(async () => {
    temp = await tempDir();
    const clip = path.join(temp.dir, 'clip.mp4');
    const sine = (hz) => ['-f', 'lavfi', '-i', `sine=${hz}:d=12:sample_rate=48000`];
    await ffmpeg(
        ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=15:d=12', sine(440), sine(880), '-map', '0', '-map', '1', '-map', '2'].flat(),
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '15', '-c:a', 'aac', clip],
    );
    site = await startSite({ worker: true, extras: true });
    const { json } = await site.upload(clip);
    await site.request('PUT', `/api/videos/${json.id}/subtitles/en`, { body: Buffer.from(srtOf([[0, 11, 'Text']])) });
    video = await site.waitForState(json.id, 'ready', { timeout: SLOW });
    browser = await launchBrowser();
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp?.remove();
});

const logged = (fn) => (t) => site.logged(fn)(t);

async function watch() {
    const page = await watchedPage(browser);
    page.setDefaultTimeout(15_000);
    await page.goto(`${site.url}/watch/${video.id}`);
    await page.locator('media-captions-menu-button').waitFor();
    await page.waitForFunction(() => document.querySelector('stream-video').readyState >= 2);
    return page;
}

test('a script or style that is put into a page is refused, and said', logged(async () => {
    const page = await watch();
    await page.evaluate(() => {
        document.body.append(Object.assign(document.createElement('style'), { textContent: 'h1 { color: red }' }));
        document.body.insertAdjacentHTML('beforeend', '<p id="p" style="color: red" onclick="bad()">x</p>');
        document.body.append(Object.assign(document.createElement('script'), { textContent: 'document.title = "bad"' }));
    });
    await waitFor(() => page.complaints.filter((said) => said.includes('CSP: ')).length >= 4, { what: 'all to be refused' });
    const colours = await page.evaluate(() => ['h1', '#p'].map((name) => getComputedStyle(document.querySelector(name)).color));
    assert.ok(!colours.includes('rgb(255, 0, 0)'), `${colours}`);
    assert.notEqual(await page.title(), 'bad');
    await page.context().close();
}));

test('playing, previews, menus and dialogues need nothing inline', logged(async () => {
    const page = await watch();
    await page.evaluate(() => {
        const media = document.querySelector('stream-video');
        media.muted = true;
        return media.play();
    });
    const bar = await page.locator('media-time-range').boundingBox();
    await page.mouse.move(bar.x + bar.width / 2, bar.y + bar.height / 2);
    const preview = page.locator('media-preview-thumbnail[slot=preview][mediapreviewimage]');
    await preview.waitFor();
    assert.ok((await preview.boundingBox()).width > 60, 'the preview has its size');
    // The range draws how far it is by a rule that it puts into its own styles.
    await waitFor(() => page.evaluate(() => document.querySelector('media-time-range').shadowRoot.querySelector('#progress').getBoundingClientRect().width > 5), { what: 'the bar to follow' });
    for (const menu of ['media-captions-menu', 'media-audio-track-menu', 'media-chrome-menu']) {
        await page.locator(`${menu}-button`).click();
        await page.waitForFunction((m) => document.activeElement.closest(m) !== null, menu);
        await page.keyboard.press('Escape');
        await page.waitForFunction((m) => document.querySelector(m).hidden, menu);
    }
    await page.locator('media-controller').focus();
    await page.keyboard.press('Shift+?');
    await page.locator('media-keyboard-shortcuts-dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog', { name: /^Delete/ }).waitFor();
    await page.keyboard.press('Escape');
    assert.ok((await page.evaluate(() => document.querySelector('stream-video').currentTime)) > 0.5);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
}));
