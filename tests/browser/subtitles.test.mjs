/*
 * Subtitles on the watch page, in a real Chromium: what is shown, when, and that they come
 * and go while the video plays.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { launchBrowser, overhang, watchedPage } from '../lib/browser.mjs';
import { tempDir } from '../lib/media.mjs';
import { SOURCE, startSite, waitFor } from '../lib/site.mjs';
import { clipWithTracks, srtOf, waitForSubtitles } from '../lib/subtitles.mjs';

const ENGLISH = [
    [1, 2.5, 'One'],
    [4, 6, 'Four & <i>more</i>'],
    [14, 16, 'Fourteen'],
];
const GERMAN = [[4, 6, 'Vier']];

let site, browser, temp, video, page;

before(async () => {
    temp = await tempDir();
    site = await startSite({ worker: true });
    browser = await launchBrowser();
    const tracks = [{ cues: ENGLISH, codec: 'srt', language: 'eng' }];
    const file = await clipWithTracks(path.join(temp.dir, 'clip.mkv'), tracks, { seconds: 20 });
    const { json } = await site.upload(file);
    await site.waitForState(json.id, 'ready');
    video = await waitForSubtitles(site, json.id, ['en']);
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

async function watch(id, options) {
    page = await watchedPage(browser, options);
    page.setDefaultTimeout(10_000);
    await page.goto(`${site.url}/watch/${id}`);
    await page.locator('stream-video').waitFor();
    await page.waitForFunction(() => document.querySelector('stream-video').readyState >= 2);
}

/* Goes there and stays. */
const seek = (s) =>
    page.evaluate(async (to) => {
        const media = document.querySelector('stream-video').nativeEl;
        media.pause();
        media.currentTime = to;
        await new Promise((resolve) => media.addEventListener('seeked', resolve, { once: true }));
    }, s);

/* What stands in the picture: the text of each cue of a track that is on. */
const shown = () =>
    page.evaluate(() =>
        [...document.querySelector('stream-video').nativeEl.textTracks]
            .filter((track) => track.mode === 'showing')
            .flatMap((track) => [...(track.activeCues ?? [])].map((cue) => cue.getCueAsHTML().textContent)),
    );
const waitForShown = (texts) =>
    waitFor(async () => JSON.stringify(await shown()) === JSON.stringify(texts), { what: `${texts} to be shown` });

const button = () => page.locator('media-captions-menu-button');

/* Chooses by the menu of the player, as a person does. */
async function choose(name) {
    await page.hover('media-controller', { position: { x: 20, y: 20 } });
    await button().click();
    await page.getByRole('menuitemradio', { name, exact: true }).click();
}

test('a cue is shown at its time, once its language is chosen', logged(async () => {
    await watch(video.id);
    await seek(5);
    assert.deepEqual(await shown(), []);
    await choose('English');
    await waitForShown(['Four & more']);
    for (const [at, texts] of [[0.5, []], [1.2, ['One']], [3, []], [15, ['Fourteen']], [17, []]]) {
        await seek(at);
        await waitForShown(texts);
    }
    await choose('Off');
    await seek(5);
    await waitForShown([]);
    assert.deepEqual(page.complaints, []);
}));

test('what is added while it plays appears, and goes again, without a jump', logged(async () => {
    await watch(video.id);
    await choose('English');
    await seek(5);
    await waitForShown(['Four & more']);
    const marked = await page.evaluate(() => ((document.querySelector('stream-video').nativeEl.mark = 1), true));
    assert.ok(marked);

    const card = page.getByRole('region', { name: 'Subtitles' });
    await card.locator('input[type=file]').setInputFiles({ name: 'clip.German.srt', mimeType: 'text/plain', buffer: Buffer.from(srtOf(GERMAN)) });
    assert.equal(await card.getByLabel('Language').inputValue(), 'de');
    await card.getByRole('button', { name: 'Add', exact: true }).click();
    await card.getByRole('listitem').filter({ hasText: 'German' }).getByText(/^added$/).waitFor();

    // The one that is on stays on, at the same place of the same player.
    await waitForShown(['Four & more']);
    await choose('German');
    await waitForShown(['Vier']);
    const now = await page.evaluate(() => {
        const { mark, currentTime } = document.querySelector('stream-video').nativeEl;
        return { mark, currentTime };
    });
    assert.deepEqual(now, { mark: 1, currentTime: 5 });

    await card.getByRole('button', { name: 'Remove German (de)' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await card.getByRole('listitem').filter({ hasText: 'German' }).waitFor({ state: 'detached' });
    await waitForShown([]);
    await choose('English');
    await waitForShown(['Four & more']);
    assert.deepEqual(page.complaints, []);
    await waitForSubtitles(site, video.id, ['en']);
}));

test('without any there is no button; with the first one there is', logged(async () => {
    const { json } = await site.upload(await clipWithTracks(path.join(temp.dir, 'none.mp4'), []));
    await site.waitForState(json.id, 'ready');
    await watch(json.id, { viewport: { width: 360, height: 740 } });
    const card = page.getByRole('region', { name: 'Subtitles' });
    await card.getByText('There are none.').waitFor();
    assert.equal(await button().count(), 0);
    const input = card.locator('input[type=file]');
    await input.setInputFiles({ name: 'x.srt', mimeType: 'text/plain', buffer: Buffer.from('no subtitles') });
    await card.getByRole('button', { name: 'Add', exact: true }).click();
    await card.getByText('This is neither an SRT nor a WebVTT file of subtitles.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Add', 'the focus stays');
    // Chromium logs what was refused.
    assert.match(page.complaints.splice(0).join('\n'), /415/);
    await input.setInputFiles({ name: 'x.vtt', mimeType: 'text/vtt', buffer: Buffer.from('WEBVTT\n\n00:01.000 --> 00:02.000\nJa\n') });
    await card.getByLabel('Language').selectOption('nl');
    await card.getByRole('button', { name: 'Add', exact: true }).click();
    await button().waitFor();
    await choose('Dutch');
    await seek(1.5);
    await waitForShown(['Ja']);
    assert.ok((await overhang(page)) <= 0, 'it fits a phone');
    // Two of a language are told apart, in the list as in the menu.
    await input.setInputFiles({ name: 'y.vtt', mimeType: 'text/vtt', buffer: Buffer.from('WEBVTT\n\n00:01.000 --> 00:02.000\nNee\n') });
    await card.getByLabel('Language').selectOption('nl');
    await card.getByRole('button', { name: 'Add', exact: true }).click();
    await card.getByRole('listitem').filter({ hasText: 'Dutch 2' }).getByText(/^added$/).waitFor();
    await choose('Dutch 2');
    await waitForShown(['Nee']);
    assert.deepEqual(page.complaints, []);
}));

/* Any player that reads the master has them too. */
test('hls.js finds them in the master, at the same times', logged(async () => {
    page = await watchedPage(browser, { bypassCSP: true });
    await page.goto(`${site.url}/api/health`);
    await page.addScriptTag({ path: path.join(SOURCE, 'htdocs/node_modules/hls.js/dist/hls.min.js') });
    const found = await page.evaluate(
        (url) =>
            new Promise((resolve, reject) => {
                const media = document.body.appendChild(document.createElement('video'));
                const hls = new Hls();
                hls.on(Hls.Events.ERROR, (_, data) => data.fatal && reject(new Error(data.details)));
                hls.loadSource(url);
                hls.attachMedia(media);
                setTimeout(() => reject(new Error('no cues')), 15_000);
                const look = setInterval(() => {
                    const [track] = media.textTracks;
                    if (track) track.mode = 'hidden'; // chosen, as by a menu
                    if (!(track?.cues?.length > 2)) return;
                    clearInterval(look);
                    resolve({ name: track.label, lang: track.language, cues: [...track.cues].map((c) => [c.startTime, c.endTime]) });
                }, 100);
            }),
        video.media,
    );
    assert.deepEqual(found, { name: 'English', lang: 'en', cues: ENGLISH.map(([start, end]) => [start, end]) });
}));
