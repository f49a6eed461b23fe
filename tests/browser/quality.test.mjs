/*
 * From 360p to the source and back to Auto while a video plays, in a real Chromium: no
 * stall, no jump, and nothing offered that is not there.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { sleep, startSite, waitFor } from '../lib/site.mjs';

const SECONDS = 24;
const SLOW = 60_000;

let site, browser, temp, video;

before(async () => {
    temp = await tempDir();
    const clip = path.join(temp.dir, 'clip.mp4');
    // Noise, so that the source has far more bits than a rung may have.
    await ffmpeg(
        ['-f', 'lavfi', '-i', `testsrc2=s=1280x720:r=15:d=${SECONDS},noise=alls=20:allf=t`],
        ['-f', 'lavfi', '-i', `sine=440:d=${SECONDS}:sample_rate=48000`],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '8M', '-g', '30', '-c:a', 'aac', clip],
    );
    site = await startSite({ worker: true, extras: true, posters: false, env: { DROPSTREAM_PREVIEWS: '0' } });
    const { json } = await site.upload(clip);
    video = await site.waitForState(json.id, 'ready', { timeout: SLOW });
    browser = await launchBrowser();
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp.remove();
});

async function openPlayer() {
    const page = await watchedPage(browser, { reducedMotion: 'no-preference' });
    await page.goto(`${site.url}/watch/${video.id}`);
    await page.locator('stream-video').waitFor({ timeout: SLOW });
    await page.evaluate(() => {
        const player = document.querySelector('stream-video');
        window.stalls = [];
        const element = player.nativeEl;
        window.shown = element.videoHeight > 0 ? [element.videoHeight] : [];
        for (const type of ['waiting', 'seeking', 'error', 'emptied'])
            element.addEventListener(type, () => window.stalls.push(`${type} at ${element.currentTime}`));
        element.addEventListener('resize', () => window.shown.push(element.videoHeight));
        player.muted = true;
        return player.play();
    });
    await waitFor(async () => (await state(page)).time > 0.5, { timeout: SLOW, what: 'playback' });
    // What comes before the first picture is no stall.
    await page.evaluate(() => (window.stalls.length = 0));
    return page;
}

const state = (page) =>
    page.evaluate(() => {
        const element = document.querySelector('stream-video').nativeEl;
        const { buffered, currentTime, videoHeight } = element;
        return { time: currentTime, height: videoHeight, ranges: buffered.length, stalls: window.stalls };
    });

async function choose(page, label) {
    await page.locator('media-chrome-menu-button.quality').click();
    await page.locator('media-chrome-menu-item', { hasText: label }).first().click();
}

/* The choices that have a tick. */
const ticked = (page) =>
    page.evaluate(() =>
        [...document.querySelectorAll('#quality-menu media-chrome-menu-item')]
            .filter((item) => item.getAttribute('aria-checked') === 'true')
            .map((item) => item.textContent.trim()),
    );

const shows = (page, height) =>
    waitFor(async () => (await state(page)).height === height, { timeout: SLOW, what: `${height} lines` });

const playsOn = async (page, seconds) => {
    const { time } = await state(page);
    await waitFor(async () => (await state(page)).time > time + seconds, { timeout: SLOW, what: 'more playback' });
};

test('a video starts low, goes up by itself, and is switched while it plays without a stall', async () => {
    const page = await openPlayer();
    assert.equal((await page.evaluate(() => window.shown[0] ?? 360)), 360, 'it starts low');
    await shows(page, 720); // Auto
    assert.deepEqual(await ticked(page), ['Auto']);
    await choose(page, '360p');
    assert.deepEqual(await ticked(page), ['360p']);
    await shows(page, 360);
    await playsOn(page, 1);
    await choose(page, 'Source');
    assert.deepEqual(await ticked(page), ['Source (720p)']);
    await shows(page, 720);
    await playsOn(page, 1);
    await choose(page, 'Auto');
    assert.deepEqual(await ticked(page), ['Auto']);
    await playsOn(page, 2);
    const { stalls, ranges, height } = await state(page);
    assert.deepEqual(stalls, []);
    assert.equal(ranges, 1);
    assert.equal(height, 720);
    assert.match(await page.locator('media-chrome-menu-button.quality').innerText(), /Auto · Source \(720p\)/);
    await page.close();
});

test('a rung is offered as soon as it is whole, to a page that is open', async () => {
    const page = await openPlayer();
    const item = page.locator('media-chrome-menu-item', { hasText: /^\s*720p/ });
    await waitFor(
        async () => {
            const v = (await site.api('GET', `/api/videos/${video.id}`)).json;
            const r = v.renditions.find(({ name }) => name === '720p');
            return r.done === r.segments;
        },
        { timeout: 2 * SLOW, what: 'the rung' },
    );
    await waitFor(async () => !(await item.getAttribute('disabled')), { timeout: SLOW, what: 'its choice' });
    // However long choosing takes, there is something left to play.
    await page.evaluate(() => {
        const player = document.querySelector('stream-video');
        player.pause();
        player.currentTime = 1;
    });
    await choose(page, /^\s*720p/);
    await page.evaluate(() => document.querySelector('stream-video').play());
    const level = () =>
        page.evaluate(() => {
            const { api } = document.querySelector('stream-video');
            return api.levels[api.currentLevel]?.uri ?? '';
        });
    await waitFor(async () => /\/720p-1\//.test(await level()), { timeout: SLOW, what: 'the 720p rung' });
    // What was fetched before is played first.
    await waitFor(async () => (await state(page)).height === 720, { timeout: SLOW, what: 'its picture' });
    await page.close();
});

test('what is in the making is no choice by keyboard either, and what is ticked is what plays', async () => {
    const page = await watchedPage(browser, { reducedMotion: 'no-preference' });
    await page.route(`**/api/videos/${video.id}`, async (route) => {
        const json = await (await route.fetch()).json();
        json.renditions.find(({ name }) => name === '720p').done = 1;
        await route.fulfill({ json });
    });
    await page.goto(`${site.url}/watch/${video.id}`);
    const item = page.locator('media-chrome-menu-item[aria-disabled=true]', { hasText: /720p\s+in the making/ });
    await item.waitFor({ state: 'attached', timeout: SLOW });
    for (const choice of ['Auto', '360p']) {
        await choose(page, choice);
        // Enter would close a menu that is not closed yet.
        await page.waitForFunction(() => document.querySelector('#quality-menu').hidden);
        await page.locator('.quality').press('Enter');
        // At the end of its way in, the menu puts the focus on its first choice.
        await page.waitForFunction(() => {
            const menu = document.querySelector('#quality-menu');
            return menu.contains(document.activeElement) && menu.getAnimations().length === 0;
        });
        await page.keyboard.press('ArrowDown');
        const focused = () => page.evaluate(() => document.activeElement.textContent);
        assert.match(await focused(), /720p\s+in the making/);
        // It says that it cannot be chosen, and why; and nothing comes of trying.
        const spoken = page.getByRole('menuitemradio', { name: /^720p in the making, \d+ %$/, disabled: true });
        assert.equal(await spoken.count(), 1);
        const paused = await page.evaluate(() => document.querySelector('stream-video').nativeEl.paused);
        const tries = [() => page.keyboard.press('Enter'), () => page.keyboard.press('Space'), () => item.click({ timeout: 5000, force: true })];
        for (const attempt of tries) {
            await attempt();
            await sleep(300);
            assert.equal(await page.evaluate(() => document.querySelector('#quality-menu').hidden), false, `closed by ${attempt}`);
            assert.match(await focused(), /720p\s+in the making/);
            assert.deepEqual(await ticked(page), [choice]);
        }
        assert.equal(await page.evaluate(() => document.querySelector('stream-video').nativeEl.paused), paused);
        await page.keyboard.press('ArrowDown');
        assert.doesNotMatch(await focused(), /in the making/);
        await page.keyboard.press('Escape');
        await page.waitForFunction(() => document.querySelector('#quality-menu').hidden);
        assert.deepEqual(await ticked(page), [choice]);
    }
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.close();
});
