/*
 * What the watch page is like to use on a phone and by keyboard, in a real Chromium: a video
 * that has all there is to choose, with two sounds, subtitles and several qualities.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { launchBrowser, overhang, watchedPage } from '../lib/browser.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite } from '../lib/site.mjs';
import { srtOf } from '../lib/subtitles.mjs';

const SLOW = 60_000; // ms
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const MENUS = {
    'media-chrome-menu-button': 'media-chrome-menu',
    'media-captions-menu-button': 'media-captions-menu',
    'media-audio-track-menu-button': 'media-audio-track-menu',
};

let site, browser, temp, video, page;

before(async () => {
    temp = await tempDir();
    const clip = path.join(temp.dir, 'clip.mp4');
    const sine = (hz) => ['-f', 'lavfi', '-i', `sine=${hz}:d=12:sample_rate=48000`];
    await ffmpeg(
        ['-f', 'lavfi', '-i', 'smptebars=s=1280x720:r=15:d=12', sine(440), sine(880)].flat(),
        ['-map', '0', '-map', '1', '-map', '2', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '30'],
        // Padded, so that there are several qualities.
        ['-b:v', '8M', '-minrate', '8M', '-maxrate', '8M', '-bufsize', '8M', '-x264-params', 'nal-hrd=cbr'],
        ['-c:a', 'aac', '-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=deu', clip],
    );
    site = await startSite({ worker: true, extras: true });
    const { json } = await site.upload(clip);
    for (const lang of ['en', 'de', 'fr', 'es', 'it', 'nl', 'pl', 'pt-BR']) {
        const res = await site.request('PUT', `/api/videos/${json.id}/subtitles/${lang}`, {
            body: Buffer.from(srtOf([[0, 11, 'Text']])),
        });
        assert.equal(res.status, 201);
    }
    video = await site.waitForState(json.id, 'ready', { timeout: SLOW });
    browser = await launchBrowser();
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp?.remove();
});
afterEach(async () => {
    await page?.context().close();
    page = undefined;
});

const logged = (fn) => (t) => site.logged(fn)(t);

async function watch(options) {
    page = await watchedPage(browser, { reducedMotion: 'no-preference', ...options });
    page.setDefaultTimeout(15_000);
    await page.goto(`${site.url}/watch/${video.id}`);
    for (const button of Object.keys(MENUS)) await page.locator(button).waitFor();
    await page.waitForFunction(() => document.querySelector('stream-video').readyState >= 2);
}

const boxOf = (locator) => locator.evaluate((e) => e.getBoundingClientRect().toJSON());
const within = (inner, outer) =>
    inner.left >= outer.left - 1 && inner.right <= outer.right + 1 && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;

/* What has the focus, inside of elements too. */
const focused = () =>
    page.evaluate(() => {
        const host = document.activeElement;
        let inner = host;
        while (inner.shadowRoot?.activeElement) inner = inner.shadowRoot.activeElement;
        const seen = [host, inner].some((e) => {
            const { boxShadow, outlineStyle, outlineColor } = getComputedStyle(e);
            const outlined = outlineStyle !== 'none' && !/, 0\)$/.test(outlineColor);
            return boxShadow !== 'none' || outlined;
        });
        const { width, height } = host.getBoundingClientRect();
        const { opacity, visibility } = getComputedStyle(host);
        return { host: host.localName, inner: inner.localName, seen, shown: opacity !== '0' && visibility === 'visible' && width * height > 1 };
    });

test('on a phone each button of the player has its size, and lies within it', logged(async () => {
    await watch(PHONE);
    const frame = await boxOf(page.locator('media-controller'));
    const buttons = page.locator('.bars :is(media-play-button, media-mute-button, media-fullscreen-button, .quality, media-captions-menu-button, media-audio-track-menu-button)');
    assert.equal(await buttons.count(), 6);
    for (const button of await buttons.all()) {
        const box = await boxOf(button);
        assert.ok(within(box, frame), JSON.stringify(box));
        assert.ok(box.width >= 28 && box.height >= 28, `${await button.evaluate((e) => e.localName)} ${JSON.stringify(box)}`);
    }
    const icon = await page.evaluate(() => document.querySelector('.bars media-play-button').shadowRoot.querySelector('svg').getBoundingClientRect().width);
    assert.ok(icon >= 18, `an icon of ${icon} pixels`);
    assert.ok((await overhang(page)) <= 0);
}));

test('so it is beside an upright picture in a wide window', logged(async () => {
    const clip = path.join(temp.dir, 'upright.mkv');
    const sound = ['-f', 'lavfi', '-i', 'sine=d=4:sample_rate=48000'];
    await ffmpeg(
        ['-f', 'lavfi', '-i', 'testsrc2=s=360x640:r=15:d=4', ...sound, ...sound],
        ['-map', '0', '-map', '1', '-map', '2', '-c:v', 'libx264', '-preset', 'ultrafast', clip],
    );
    const { json } = await site.upload(clip);
    await site.waitForState(json.id, 'ready', { timeout: SLOW });
    page = await watchedPage(browser, { reducedMotion: 'no-preference', viewport: { width: 1280, height: 720 } });
    await page.goto(`${site.url}/watch/${json.id}`);
    await page.locator('media-audio-track-menu-button').waitFor({ timeout: SLOW });
    const frame = await boxOf(page.locator('media-controller'));
    assert.ok(frame.width < 400, `${frame.width}`);
    const parts = page.locator('.bars :is(media-play-button, media-mute-button, media-fullscreen-button, .quality, media-audio-track-menu-button, media-time-display)');
    for (const part of await parts.all()) {
        const box = await boxOf(part);
        assert.ok(within(box, frame), JSON.stringify(box));
        assert.ok(box.width >= 28 && box.height >= 28 && box.height < 50, JSON.stringify(box));
    }
}));

test('on a phone each menu lies within the player, and all of its choices can be reached', logged(async () => {
    await watch(PHONE);
    const frame = await boxOf(page.locator('media-controller'));
    for (const [button, menu] of Object.entries(MENUS)) {
        await page.locator(button).click();
        await page.waitForFunction((m) => document.activeElement.closest(m) !== null, menu);
        assert.ok(within(await boxOf(page.locator(menu)), frame), menu);
        const items = page.locator(menu).getByRole('menuitemradio');
        assert.ok((await items.count()) > 1);
        for (const item of await items.all()) {
            await item.scrollIntoViewIfNeeded();
            const box = await boxOf(item);
            assert.ok(within(box, await boxOf(page.locator(menu))), `${menu}: ${await item.innerText()} ${JSON.stringify(box)}`);
            assert.ok(box.height >= 24);
        }
        await page.keyboard.press('Escape');
        await page.waitForFunction((m) => document.querySelector(m).hidden, menu);
    }
}));

test('each menu has a name, is opened by keyboard, and Escape leads back to its button', logged(async () => {
    await watch();
    for (const [button, menu] of Object.entries(MENUS)) {
        await page.locator(button).focus();
        await page.keyboard.press('Enter');
        await page.waitForFunction((m) => document.activeElement.closest(m) !== null, menu);
        await page.keyboard.press('ArrowDown');
        assert.ok((await focused()).seen, menu);
        assert.match(await page.locator(menu).getAttribute('aria-label'), /^(Quality|Subtitles|Sound)$/);
        const gap = await page.evaluate(
            ([b, m]) => document.querySelector(b).getBoundingClientRect().left - document.querySelector(m).getBoundingClientRect().left,
            [button, menu],
        );
        assert.ok(Math.abs(gap) < 150, `${menu} is over its button: ${gap}`);
        await page.keyboard.press('Escape');
        await page.waitForFunction((m) => document.querySelector(m).hidden, menu);
        assert.equal((await focused()).host, button);
    }
    assert.deepEqual(page.complaints, []);
}));

test('a menu whose way in is not shown has the focus all the same', logged(async () => {
    await watch();
    for (const [button, menu] of Object.entries(MENUS)) {
        await page.evaluate((m) => (document.querySelector(m).style.transition = 'none'), menu);
        await page.locator(button).focus();
        await page.keyboard.press('Enter');
        await page.waitForFunction((m) => document.activeElement.closest(m) !== null, menu);
        await page.keyboard.press('Escape');
        await page.waitForFunction((m) => document.querySelector(m).hidden, menu);
        assert.equal((await focused()).host, button);
    }
}));

test('who goes through the page by keyboard sees where that is, also once it has played', logged(async () => {
    await watch();
    await page.evaluate(async () => {
        const media = document.querySelector('stream-video');
        media.muted = true;
        await media.play();
        media.pause();
    });
    await page.waitForFunction(() => getComputedStyle(document.querySelector('.big')).opacity === '0');
    await page.locator('media-controller').focus();
    const seen = [];
    while (seen.at(-1)?.host !== 'media-fullscreen-button' && seen.length < 30) {
        await page.keyboard.press('Tab');
        seen.push(await focused());
    }
    assert.equal(seen.at(-1).host, 'media-fullscreen-button');
    for (const at of seen) assert.ok(at.seen && at.shown, JSON.stringify(at));
}));

test('subtitles stand above the controls while those are there', logged(async () => {
    await watch();
    // What the element around the video moves the browser's own subtitles by.
    const lifted = () =>
        page.evaluate(() => {
            const { nativeEl } = document.querySelector('stream-video');
            return getComputedStyle(nativeEl).getPropertyValue('--media-webkit-text-track-transform');
        });
    assert.equal(await lifted(), 'translateY(-5rem)');
    await page.evaluate(() => {
        const media = document.querySelector('stream-video');
        media.muted = true;
        return media.play();
    });
    await page.waitForFunction(() => document.querySelector('media-controller').hasAttribute('userinactive'));
    await page.waitForFunction(() => !document.querySelector('media-controller').hasAttribute('mediapaused'));
    assert.equal(await lifted(), '');
}));

test('adding subtitles by keyboard goes from the file to its language, and back', logged(async () => {
    await watch();
    const card = page.getByRole('region', { name: 'Subtitles' });
    const input = card.getByLabel('Add a file of subtitles');
    await input.focus();
    await input.setInputFiles({ name: 'clip.da.srt', mimeType: 'text/plain', buffer: Buffer.from(srtOf([[1, 2, 'Ja']])) });
    await page.waitForFunction(() => document.activeElement.localName === 'select');
    assert.equal(await card.getByLabel('Language').inputValue(), 'da');
    await card.getByRole('button', { name: 'Cancel' }).press('Enter');
    await page.waitForFunction(() => document.activeElement.type === 'file');
    await input.setInputFiles({ name: 'clip.da.srt', mimeType: 'text/plain', buffer: Buffer.from(srtOf([[1, 2, 'Ja']])) });
    await card.getByRole('button', { name: 'Add', exact: true }).press('Enter');
    await card.getByRole('listitem').filter({ hasText: 'Danish' }).waitFor();
    await page.waitForFunction(() => document.activeElement.type === 'file');
    assert.deepEqual(page.complaints, []);
}));
