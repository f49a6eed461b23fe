/* A file dropped on the page, watched to its end, in a real Chromium on a real site. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { dropFiles, launchBrowser, overhang, slowUploads, watchedPage } from '../lib/browser.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const CLIP_S = 12;
const SLOW = 60_000; // ms; on a busy machine an encode takes its time

let site, browser, dir, clip;

before(async () => {
    dir = await fs.mkdtemp(path.join(os.tmpdir(), 'dropstream-clip-'));
    clip = path.join(dir, 'A day at the sea.mp4');
    await makeClip(clip);
    site = await startSite({ worker: true, extras: true });
    browser = await launchBrowser();
});

after(async () => {
    await browser?.close();
    await site?.stop();
    await fs.rm(dir, { recursive: true, force: true });
});

/* A test picture with a tone; 1.5 MB, so that a slow upload takes a moment. */
async function makeClip(file) {
    await promisify(execFile)('ffmpeg', [
        ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=30:duration=${CLIP_S}`],
        ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${CLIP_S}`],
        ...['-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '900k', '-pix_fmt', 'yuv420p'],
        ...['-c:a', 'aac', '-movflags', '+faststart', file],
    ]);
}

/* A video that is there already, put in by the API. */
async function uploaded(title) {
    const { status, json } = await site.upload(clip, { fields: { title } });
    assert.equal(status, 201);
    return site.waitForState(json.id, 'ready', { timeout: SLOW });
}

const card = (page, title) => page.locator('.card').filter({ hasText: title });

/* What the player's element says; it is a video element in all but name. */
const media = (page, property) =>
    page.evaluate((p) => document.querySelector('stream-video')[p], property);

async function play(page) {
    await page.evaluate(() => {
        const video = document.querySelector('stream-video');
        video.muted = true;
        return video.play();
    });
}

async function seekTo(page, seconds) {
    await page.evaluate((s) => (document.querySelector('stream-video').currentTime = s), seconds);
}

const playedPast = (page, seconds) =>
    waitFor(async () => (await media(page, 'currentTime')) > seconds, {
        timeout: SLOW,
        what: `playback past ${seconds} s`,
    });

test('a picked file shows its progress, becomes a card and plays to its end', async () => {
    const page = await watchedPage(browser);
    await page.goto(site.url);
    await page.getByText('There are no videos here yet').waitFor();

    await slowUploads(page, 500_000);
    await page.setInputFiles('input[type=file]', clip);
    const bar = page.getByRole('progressbar', { name: 'Upload of A day at the sea.mp4' });
    const seen = await waitFor(async () => {
        const value = Number(await bar.getAttribute('aria-valuenow'));
        return value > 0 && value < 100 && value;
    });
    await waitFor(async () => Number(await bar.getAttribute('aria-valuenow')) > seen, {
        what: 'progress to go on',
    });
    await page.getByText(/MB\/s · |kB\/s · /).waitFor();
    await page.locator('.card[data-state=receiving]').waitFor();

    await page.getByRole('link', { name: 'Watch' }).click();
    await page.waitForURL(/\/watch\/[a-z2-7]{16}$/);
    await page.locator('stream-video').waitFor({ timeout: SLOW });
    assert.equal(page.posts, 1);
    assert.match(await page.title(), /^A day at the sea/);

    await play(page);
    await playedPast(page, 1);
    assert.ok(Math.abs((await media(page, 'duration')) - CLIP_S) < 0.2);
    assert.equal(await media(page, 'videoHeight'), 360);
    await seekTo(page, CLIP_S - 2.5);
    await playedPast(page, CLIP_S - 2);
    await waitFor(() => media(page, 'ended'), { timeout: SLOW, what: 'the end' });

    await page.getByRole('link', { name: 'Library' }).first().click();
    await page.locator('.card[data-state=ready] img').waitFor({ timeout: SLOW });
    assert.match(await card(page, 'A day at the sea').textContent(), /0:12/);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test('of two dropped files the wrong one is refused and never sent', async () => {
    const page = await watchedPage(browser);
    await page.goto(site.url);
    const script = Buffer.from('#!/bin/sh\necho "this only calls itself a video"\n');
    await dropFiles(page, [{ name: 'holiday.mp4', buffer: script }]);
    await page.getByText('This is a script, not a video.').waitFor();
    assert.equal(page.posts, 0);

    await dropFiles(page, [
        { name: 'empty.mkv', buffer: Buffer.alloc(0) },
        { name: 'dropped.mp4', buffer: await fs.readFile(clip) },
    ]);
    await page.getByText('The file is empty.').waitFor();
    await card(page, 'dropped').waitFor({ timeout: SLOW });
    await page.getByText(/^Uploaded · /).waitFor();
    assert.equal(page.posts, 1);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test('an upload that is cancelled leaves nothing', async () => {
    const page = await watchedPage(browser);
    await page.goto(site.url);
    await slowUploads(page, 200_000);
    const before = (await site.api('GET', '/api/videos')).json.videos.length;
    await page.setInputFiles('input[type=file]', clip);
    await page.locator('.card[data-state=receiving]').waitFor();
    await page.getByRole('button', { name: /^Cancel the upload of / }).click();
    await page.locator('.card[data-state=receiving]').waitFor({ state: 'detached' });
    assert.equal((await site.api('GET', '/api/videos')).json.videos.length, before);
    assert.equal(await page.getByRole('heading', { name: 'Uploads' }).count(), 0);
    await page.context().close();
});

test('on a phone the progress of a file with a long name lies within its row', async () => {
    const page = await watchedPage(browser, { viewport: { width: 360, height: 740 } });
    await page.goto(site.url);
    await slowUploads(page, 100_000);
    const name = 'What we saw on a long day at the sea with everybody.mp4';
    await page.setInputFiles('input[type=file]', { name, mimeType: 'video/mp4', buffer: await fs.readFile(clip) });
    const bar = page.getByRole('progressbar', { name: `Upload of ${name}` });
    const row = await page.getByRole('listitem').filter({ has: bar }).boundingBox();
    const { x, width } = await bar.boundingBox();
    assert.ok(x >= row.x && x + width <= row.x + row.width, `${x} + ${width} in ${JSON.stringify(row)}`);
    await page.getByRole('button', { name: `Cancel the upload of ${name}` }).click();
    await page.locator('.card[data-state=receiving]').waitFor({ state: 'detached' });
    await page.context().close();
});

test('a video is renamed and deleted by keyboard alone', async () => {
    const { id } = await uploaded('Before');
    const page = await watchedPage(browser);
    await page.goto(site.url);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');

    await page.getByRole('button', { name: 'Rename Before' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('Not this');
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Before' }).waitFor();
    await page.keyboard.press('Enter'); // the focus is back on the button
    await page.keyboard.type('After <b>all</b>');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'After <b>all</b>' }).waitFor();
    assert.equal((await site.api('GET', `/api/videos/${id}`)).json.title, 'After <b>all</b>');

    const button = page.getByRole('button', { name: 'Delete After <b>all</b>' });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    assert.equal((await site.api('GET', `/api/videos/${id}`)).status, 200);
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).focus();
    await page.keyboard.press('Enter');
    await card(page, 'After <b>all</b>').waitFor({ state: 'detached' });
    assert.equal((await site.api('GET', `/api/videos/${id}`)).status, 404);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test('the player is driven by its keys and the address survives a reload', async () => {
    const { id } = await uploaded('Keys');
    const page = await watchedPage(browser);
    await page.goto(`${site.url}/watch/${id}`);
    await page.locator('stream-video').waitFor({ timeout: SLOW });
    await waitFor(async () => (await media(page, 'readyState')) > 0, { timeout: SLOW });
    await page.evaluate(() => (document.querySelector('stream-video').muted = true));
    await page.keyboard.press('k');
    await playedPast(page, 0.5);
    await page.keyboard.press('k');
    await waitFor(() => media(page, 'paused'), { what: 'a pause' });
    await page.keyboard.press('ArrowRight');
    await waitFor(async () => (await media(page, 'currentTime')) > 9, { what: 'a seek by 10 s' });
    await page.reload();
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test('searching, and addresses that lead nowhere, are answered in words', async () => {
    await uploaded('Needle in a haystack');
    const page = await watchedPage(browser);
    await page.goto(site.url);
    await card(page, 'Needle').waitFor();
    const all = await page.locator('.card').count();
    assert.ok(all > 1);
    await page.getByRole('searchbox').fill('nEEdle');
    await waitFor(async () => (await page.locator('.card').count()) === 1, { what: 'one hit' });
    await page.getByRole('searchbox').fill('no such thing');
    await page.getByText('Nothing matches “no such thing”.').waitFor();
    assert.deepEqual(page.complaints, []);

    await page.goto(`${site.url}/watch/aaaaaaaaaaaaaaaa`);
    await page.getByRole('heading', { name: 'This video does not exist' }).waitFor();
    await page.context().close();
});

test('what the jail of decoders lacks is told beside the use of the disk', async () => {
    const page = await watchedPage(browser);
    const lacks = 'The walls are low.';
    await page.route('**/api/health', async (route) => {
        const json = await (await route.fetch()).json();
        await route.fulfill({ json: { ...json, jail: { complete: false, lacks } } });
    });
    await page.goto(`${site.url}/activity`);
    await page.getByRole('status').filter({ hasText: lacks }).waitFor();
    await page.unroute('**/api/health');
    await page.reload();
    await page.getByText('of files as they were uploaded').waitFor();
    assert.equal(await page.getByText(lacks).count(), 0);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test('every page fits a phone, in light and dark', async () => {
    const { id } = await uploaded(`Averyveryverylongtitlewithoutanyspace${'x'.repeat(100)}`);
    for (const colorScheme of ['light', 'dark']) {
        const viewport = { width: 360, height: 740 };
        const page = await watchedPage(browser, { viewport, colorScheme });
        await page.goto(site.url);
        await page.locator('.card').first().waitFor();
        assert.ok((await overhang(page)) <= 0, 'library');
        await page.goto(`${site.url}/watch/${id}`);
        await page.locator('media-time-range').waitFor();
        assert.ok((await overhang(page)) <= 0, 'watch');
        await page.goto(`${site.url}/activity`);
        await page.locator('main li').first().waitFor();
        assert.ok((await overhang(page)) <= 0, 'activity');
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    }
});

test('a server that goes away is said in words, and forgotten when it is back', async () => {
    const page = await watchedPage(browser);
    await page.goto(site.url);
    await page.locator('.card').first().waitFor();
    await site.end('lighttpd');
    await page.getByText('The server does not answer.').waitFor({ timeout: 20_000 });
    assert.ok((await page.locator('.card').count()) > 0, 'what was there stays to be seen');
    site.startLighttpd();
    await page.getByText('The server does not answer.').waitFor({ state: 'detached' });
    await page.context().close();
});
