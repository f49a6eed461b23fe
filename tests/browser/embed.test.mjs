/* The player in the frame of another site, in a real Chromium: where it may be, and what it does
 * without cookies. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser } from '../lib/browser.mjs';
import { cardClip, tempDir } from '../lib/media.mjs';
import {
    complaintsBut, makeShare, openPage, playsInFrame, requestsOf, setUp, startElsewhere, uploadFirst,
} from '../lib/people.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

let site, browser, temp, owner, video, elsewhere;

before(async () => {
    temp = await tempDir();
    const clip = path.join(temp.dir, 'clip.mp4');
    await cardClip(clip, 20);
    site = await startSite({ worker: true, env: { DROPSTREAM_AUTH: 'required' } });
    browser = await launchBrowser();
    owner = await openPage(browser);
    await setUp(site, owner, 'ada');
    video = await uploadFirst(owner, clip);
    elsewhere = await startElsewhere();
});
after(async () => {
    elsewhere?.close();
    await browser?.close();
    await site?.stop();
    await temp?.remove();
});

const logged = (fn) => (t) => site.logged(fn)(t);

/* Makes a link, which the other site shows from then on. Resolves to the address in its frame. */
async function share(body) {
    const made = await makeShare(owner, video, body);
    const url = site.url + (made.embed_url ?? `/e/${made.token}`);
    elsewhere.show(url);
    return { ...made, url };
}

async function framed() {
    const page = await openPage(browser, { viewport: { width: 800, height: 600 } });
    await page.goto(elsewhere.origin);
    return { page, frame: page.frameLocator('iframe') };
}

test('where it may be shown the player has the whole frame, and plays', logged(async () => {
    await share({ embed: [elsewhere.origin] });
    const { page, frame } = await framed();
    await frame.locator('stream-video').waitFor();
    const box = await frame.locator('media-controller').evaluate((e) => e.getBoundingClientRect().toJSON());
    assert.deepEqual([box.x, box.y, box.width, box.height], [0, 0, 640, 360]);
    assert.equal(await frame.locator('h1, nav, a[href]').count(), 0);
    await playsInFrame(page);
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
        const { url } = await share({ embed: false, password });
        const page = await openPage(browser);
        const media = requestsOf(page);
        await page.goto(url);
        if (password) {
            await page.getByLabel('Password', { exact: true }).fill(password);
            await page.getByRole('button', { name: 'Watch' }).click();
        }
        await page.getByRole('heading', { name: 'This video may not be embedded' }).waitFor();
        assert.equal(await page.locator('stream-video').count(), 0);
        assert.deepEqual(media, []);
        assert.deepEqual(complaintsBut(page, 401, 404), []);
        await page.context().close();
    }
}));

test('no other page of the site is shown in a frame', logged(async () => {
    const { token } = await share({ embed: true });
    for (const place of ['/', `/s/${token}`, '/login', `/watch/${video}`]) {
        elsewhere.show(site.url + place);
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
    await playsInFrame(page);
    assert.deepEqual(complaintsBut(page, 401), []);
    await page.context().close();
}));
