/* The player in the frame of another site, in a real Chromium: where it may be, and what it does
 * without cookies. */
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { requestsOf, setUp } from '../lib/people.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const SLOW = 60_000; // ms

let site, browser, temp, owner, video, elsewhere, shown;

before(async () => {
    temp = await tempDir();
    const clip = path.join(temp.dir, 'clip.mp4');
    await ffmpeg(
        ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=10:d=20', '-f', 'lavfi', '-i', 'sine=440:d=20:sample_rate=48000'],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20', '-c:a', 'aac', clip],
    );
    site = await startSite({ worker: true, env: { DROPSTREAM_AUTH: 'required' } });
    browser = await launchBrowser();
    owner = await watchedPage(browser);
    await setUp(site, owner, 'ada');
    await owner.setInputFiles('input[type=file]', clip);
    await owner.locator('.card[data-state=ready]').waitFor({ timeout: SLOW });
    video = await owner.locator('.card').getAttribute('data-id');
    // A page of another site: to a browser, localhost is none of 127.0.0.1.
    elsewhere = http.createServer((_, res) => {
        res.setHeader('Content-Type', 'text/html');
        res.end(`<!doctype html><iframe src="${shown}" width="640" height="360" allow="autoplay; fullscreen"></iframe>`);
    });
    await new Promise((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
});
after(async () => {
    elsewhere?.close();
    await browser?.close();
    await site?.stop();
    await temp?.remove();
});

const logged = (fn) => (t) => site.logged(fn)(t);
const origin = () => `http://localhost:${elsewhere.address().port}`;

async function share(body) {
    const share = await owner.evaluate(
        async ([id, wanted]) => {
            const headers = { 'Content-Type': 'application/json' };
            const answer = await fetch(`/api/videos/${id}/shares`, { method: 'POST', headers, body: JSON.stringify(wanted) });
            return answer.json();
        },
        [video, body],
    );
    shown = site.url + (share.embed_url ?? `/e/${share.token}`);
    return share;
}

async function framed() {
    const page = await watchedPage(browser, { viewport: { width: 800, height: 600 } });
    page.setDefaultTimeout(15_000);
    await page.goto(origin());
    return { page, frame: page.frameLocator('iframe') };
}

const plays = (page) =>
    waitFor(
        async () => {
            const frame = page.frames().find((f) => f.url().includes('/e/'));
            return frame.evaluate(async () => {
                const player = document.querySelector('stream-video');
                player.muted = true;
                await player.play();
                return player.currentTime > 0.3;
            });
        },
        { timeout: 20_000, what: 'playback in the frame' },
    );

test('where it may be shown the player has the whole frame, and plays', logged(async () => {
    await share({ embed: [origin()] });
    const { page, frame } = await framed();
    await frame.locator('stream-video').waitFor();
    const box = await frame.locator('media-controller').evaluate((e) => e.getBoundingClientRect().toJSON());
    assert.deepEqual([box.x, box.y, box.width, box.height], [0, 0, 640, 360]);
    assert.equal(await frame.locator('h1, nav, a[href]').count(), 0);
    await plays(page);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
}));

test('elsewhere it is not shown, nor where embedding is off', logged(async () => {
    for (const embed of [['https://example.org'], false]) {
        await share({ embed });
        const { page } = await framed();
        await waitFor(() => page.complaints.some((said) => said.includes('frame-ancestors')), { what: 'a refusal' });
        const frame = page.frames().find((f) => f !== page.mainFrame());
        assert.equal(await frame.locator('stream-video').count(), 0);
        await page.context().close();
    }
}));

test('where embedding is off the page itself says so, too', logged(async () => {
    for (const password of [null, 'open sesame']) {
        await share({ embed: false, password });
        const page = await watchedPage(browser);
        page.setDefaultTimeout(15_000);
        const media = requestsOf(page);
        await page.goto(shown);
        if (password) {
            await page.getByLabel('Password', { exact: true }).fill(password);
            await page.getByRole('button', { name: 'Watch' }).click();
        }
        await page.getByRole('heading', { name: 'This video may not be embedded' }).waitFor();
        assert.equal(await page.locator('stream-video').count(), 0);
        assert.deepEqual(media, []);
        assert.deepEqual(page.complaints.filter((said) => !/\b40[14]\b/.test(said)), []);
        await page.context().close();
    }
}));

test('no other page of the site is shown in a frame', logged(async () => {
    const { token } = await share({ embed: true });
    for (const place of ['/', `/s/${token}`, '/login', `/watch/${video}`]) {
        shown = site.url + place;
        const { page } = await framed();
        await waitFor(() => page.complaints.some((said) => said.includes('frame-ancestors')), { what: 'a refusal' });
        await page.context().close();
    }
}));

test('with a password it plays also where no cookies are kept', logged(async () => {
    await share({ embed: true, password: 'open sesame' });
    const { page, frame } = await framed();
    await frame.getByLabel('Password', { exact: true }).fill('open sesame');
    await frame.getByRole('button', { name: 'Watch' }).click();
    await frame.locator('stream-video').waitFor();
    await plays(page);
    assert.deepEqual(page.complaints.filter((said) => !said.includes('401')), []);
    await page.context().close();
}));
