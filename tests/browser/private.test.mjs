/*
 * A private site from its set-up link to a link that is taken back: the owner, and two people
 * without an account, each in a context of their own: its cookies, caches and connections are
 * no other's. On a real site.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { launchBrowser, overhang } from '../lib/browser.mjs';
import { cardClip, tempDir } from '../lib/media.mjs';
import {
    addUser, complaintsBut, endSessions, isPlaying, openPage, PASSWORD, position, requestsOf, seek, setUp,
    setupLink, signIn, signOut, uploadFirst, watch,
} from '../lib/people.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const SLOW = 60_000; // ms
const CLIP_S = 200; // more than players load ahead, so that they have to ask
const NOTHING = 'This cannot be watched any more.';

let site, temp, clip, browser, owner, video;

before(async () => {
    temp = await tempDir();
    clip = path.join(temp.dir, 'A day at the sea.mp4');
    await cardClip(clip, CLIP_S);
    // Sound that is copied, or most of the time would go into encoding so much of it.
    site = await startSite({ worker: true, env: { DROPSTREAM_AUTH: 'required', DROPSTREAM_SOUND_MAX_KBPS: '384' } });
    browser = await launchBrowser();
    owner = await openPage(browser);
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp?.remove();
});
const guests = [];
afterEach(async () => {
    for (const guest of guests.splice(0)) await guest.context().close();
});

const logged = (fn) => (t) => site.logged(fn)(t);

async function guest(options) {
    guests.push(await openPage(browser, options));
    return guests.at(-1);
}

/* What a page said that none should, but for what the server refuses. */
const complaintsOf = (page) => complaintsBut(page, 401, 403, 404, 429);

/* Makes a link in the dialogue; resolves to its address. */
async function share(fill = async () => {}) {
    await owner.getByRole('button', { name: 'Share', exact: true }).click();
    const dialog = owner.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Make a link' }).waitFor();
    const rows = dialog.locator('li[data-token]');
    await waitFor(async () => (await dialog.getByText('There is none.').count()) + (await rows.count()) > 0);
    const before = await rows.count();
    await fill(dialog);
    await dialog.getByRole('button', { name: 'Make a link' }).click();
    await waitFor(async () => (await rows.count()) === before + 1, { what: 'the link' });
    const token = await rows.first().getAttribute('data-token');
    await owner.keyboard.press('Escape');
    return { token, url: `${site.url}/s/${token}` };
}

async function revoke({ token }) {
    await owner.getByRole('button', { name: 'Share', exact: true }).click();
    const row = owner.locator(`li[data-token="${token}"]`);
    await row.getByRole('button', { name: /^Revoke/ }).click();
    await owner.getByRole('dialog', { name: 'Revoke this link?' }).getByRole('button', { name: 'Revoke' }).click();
    await row.waitFor({ state: 'detached' });
    await owner.keyboard.press('Escape');
}

const keyIn = (url) => /\/media\/([^/]+)\//.exec(url)[1];
/* The key under which a page gets its media at the moment. */
const keyOf = (requests) => keyIn(requests.filter(({ status }) => status === 200).at(-1).url);

test('a stranger sees nothing but the way in', logged(async () => {
    const stranger = await guest();
    for (const place of ['/', '/account', '/activity', '/watch/abcdefgh234567ab']) {
        await stranger.goto(site.url + place);
        await stranger.getByRole('heading', { name: 'This site is not set up yet' }).waitFor();
        assert.equal(await stranger.locator('nav').count(), 0);
    }
    assert.deepEqual(complaintsOf(stranger), []);
}));

test('the set-up link makes an owner, once, and leaves the address bar', logged(async () => {
    const link = await setupLink(site);
    assert.match(link, /\/login#setup=[a-z2-7]{52}$/);
    await setUp(site, owner, 'ada');
    await owner.waitForURL(`${site.url}/`);
    assert.equal(await owner.evaluate(() => document.documentElement.outerHTML.includes('setup=')), false);

    const late = await guest();
    await late.goto(link);
    await late.getByText('This site has been set up already.').waitFor();
    await late.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    assert.deepEqual(complaintsOf(owner), []);
}));

test('signing in leads to where one wanted to go', logged(async () => {
    await signOut(owner);
    await owner.goto(`${site.url}/account`);
    await signIn(owner, 'ada', 'not the password');
    await owner.getByRole('alert').or(owner.locator('.error-text')).filter({ hasText: /\w/ }).waitFor();
    await signIn(owner, 'ada');
    await owner.getByRole('heading', { name: 'ada' }).waitFor();
    assert.equal(new URL(owner.url()).pathname, '/account');
    await owner.waitForFunction(() => document.activeElement.localName === 'h1');
    assert.deepEqual(complaintsOf(owner), []);
}));

test('from the upload to a link that is taken back: who may watch never stops', logged(async () => {
    await owner.goto(site.url);
    video = await uploadFirst(owner, clip);
    assert.equal(await owner.locator('.card').getByText('Everyone').count(), 0, 'it is private');
    await owner.getByRole('link', { name: 'A day at the sea' }).click();
    const ownerAsks = requestsOf(owner);
    await watch(owner);

    const locked = await share(async (dialog) => {
        await dialog.getByLabel('It ends after').selectOption({ label: '1 day' });
        await dialog.getByLabel('Password (optional)').fill('open sesame');
    });
    const open = await share(async (dialog) => {
        // So that a browser does not fill in what is somebody's own.
        assert.equal(await dialog.getByLabel('Password (optional)').getAttribute('autocomplete'), 'new-password');
        assert.equal(await dialog.getByLabel('It ends after').locator('option:checked').innerText(), '30 days');
        await dialog.locator('li[data-token]').getByText(/^ends (tomorrow|in \d+ hours) · password · made [A-Z][a-z]{2} \d+, \d{4}, .* by ada$/).waitFor();
    });
    assert.notEqual(locked.token, open.token);

    const friend = await guest();
    const friendAsks = requestsOf(friend);
    await friend.goto(locked.url);
    await friend.getByLabel('Password', { exact: true }).fill('sesame');
    await friend.getByRole('button', { name: 'Watch' }).click();
    await friend.locator('.error-text').filter({ hasText: /\w/ }).waitFor();
    assert.equal(friendAsks.length, 0);
    await friend.getByLabel('Password', { exact: true }).fill('open sesame');
    await friend.getByRole('button', { name: 'Watch' }).click();
    await friend.getByRole('heading', { name: 'A day at the sea' }).waitFor();
    assert.equal(await friend.locator('nav, a[href="/"]').count(), 0, 'no way to anything else');
    await watch(friend);

    const other = await guest();
    const otherAsks = requestsOf(other);
    await other.goto(open.url);
    await watch(other);
    const keys = [ownerAsks, friendAsks, otherAsks].map(keyOf);
    assert.equal(new Set(keys).size, 3, 'each has an address of their own');

    await isPlaying(friend, 'before it is taken back');
    await revoke(locked);
    const gone = await friend.request.get(`${site.url}/media/${keys[1]}/master.m3u8`);
    assert.equal(gone.status(), 404, 'its playlist');
    const asked = friendAsks.length;
    await seek(friend, CLIP_S - 20);
    await friend.locator('.message').getByText(NOTHING).waitFor();
    await friend.getByText('This link has ended or was taken back.').waitFor();
    await waitFor(() => friendAsks.length > asked, { what: 'an answer for its next segments' });
    assert.deepEqual([...new Set(friendAsks.slice(asked).map(({ status }) => status))], [404], 'its next segments');
    assert.equal(await position(friend), CLIP_S - 20, 'it stands still');
    await friend.reload();
    await friend.getByRole('heading', { name: 'This link leads nowhere' }).waitFor();

    for (const [person, asks] of [[owner, ownerAsks], [other, otherAsks]]) {
        await isPlaying(person, 'after another link was taken back');
        const last = asks.length;
        await seek(person, CLIP_S - 60);
        await waitFor(() => asks.length > last, { what: 'the next segment' });
        assert.ok(asks.slice(last).every(({ status }) => status === 200), JSON.stringify(asks.slice(last)));
    }
    for (const person of [owner, friend, other]) assert.deepEqual(complaintsOf(person), []);
}));

test('new keys: whoever is watching goes on, and the old addresses lead nowhere', logged(async () => {
    await owner.goto(`${site.url}/watch/${video}`);
    const { url } = await share();
    const friend = await guest();
    await friend.goto(url);
    const people = [owner, friend];
    const asks = people.map(requestsOf);
    await Promise.all(people.map((person) => watch(person)));
    const before = asks.map(keyOf);

    await owner.getByRole('button', { name: 'Share', exact: true }).click();
    const dialog = owner.getByRole('dialog');
    await dialog.getByText('New keys', { exact: true }).click();
    await dialog.getByRole('button', { name: 'Make new keys' }).click();
    await dialog.getByText('The old addresses lead nowhere now.').waitFor();
    await owner.keyboard.press('Escape');
    for (const key of before) {
        const { status } = await site.request('GET', `/media/${key}/master.m3u8`);
        assert.equal(status, 404);
    }
    // Both have loaded a minute ahead, so that they ask for more only now and then.
    await Promise.all(people.map((person, i) => waitFor(() => keyOf(asks[i]) !== before[i], { timeout: SLOW, what: 'a request under the new key' })));
    for (const person of people) await isPlaying(person, 'under new keys');
    for (const person of people) assert.deepEqual(complaintsOf(person), []);
}));

test('new keys: a browser that plays by itself begins again where it was', logged(async () => {
    await owner.goto(`${site.url}/watch/${video}`);
    const { url } = await share();
    const friend = await guest();
    await friend.addInitScript(() => delete window.MediaSource);
    const source = () => friend.evaluate(() => document.querySelector('stream-video').nativeEl.currentSrc);
    await friend.goto(url);
    await watch(friend);
    const before = await source();
    assert.match(before, /\/master\.m3u8$/);
    await owner.evaluate((id) => fetch(`/api/videos/${id}/rekey`, { method: 'POST' }), video);
    await seek(friend, CLIP_S - 60);
    await waitFor(async () => (await position(friend)) > CLIP_S - 59, { timeout: SLOW, what: 'playback under a new key' });
    assert.notEqual(keyIn(await source()), keyIn(before));
    assert.equal(await friend.evaluate(() => document.querySelector('stream-video').paused), false);
    assert.ok((await position(friend)) < CLIP_S - 30);
    assert.deepEqual(complaintsOf(friend), []);
}));

test('a session that ends leads to the sign-in, and back to where one was', logged(async () => {
    await addUser(site, 'bob', 'viewer');
    await owner.goto(`${site.url}/watch/${video}`);
    await owner.getByRole('button', { name: 'Share', exact: true }).click();
    await owner.getByRole('radio', { name: /^Everyone/ }).check();
    await owner.getByRole('button', { name: 'Copy the address' }).waitFor();
    await owner.keyboard.press('Escape');
    await owner.goto(site.url);
    await owner.locator('.card').getByText('Everyone', { exact: true }).waitFor();
    await owner.goto(`${site.url}/watch/${video}`);

    const bob = await guest();
    await bob.goto(`${site.url}/watch/${video}`);
    await signIn(bob, 'bob');
    await bob.getByRole('heading', { name: 'A day at the sea' }).waitFor();
    for (const name of ['Share', 'Rename', 'Delete', 'Use this picture as the poster'])
        assert.equal(await bob.getByRole('button', { name, exact: true }).count(), 0, name);
    assert.equal(await bob.getByLabel('Add a file of subtitles').count(), 0);
    assert.equal(await bob.getByRole('link', { name: 'Activity' }).count(), 0);
    await bob.goto(`${site.url}/activity`);
    await bob.getByRole('heading', { name: 'This is not for you' }).waitFor();
    await bob.goto(site.url);
    await bob.locator('.card').waitFor();
    assert.equal(await bob.locator('input[type=file], .card button').count(), 0);

    await bob.getByRole('link', { name: 'A day at the sea' }).click();
    await watch(bob, 30);
    await bob.evaluate(() => {
        const element = document.querySelector('stream-video').nativeEl;
        element.addEventListener('timeupdate', () => (window.last = element.currentTime));
    });
    await endSessions(site, 'bob');
    await bob.getByText('Your session has ended.').waitFor({ timeout: SLOW });
    assert.equal(await bob.getByLabel('Name', { exact: true }).inputValue(), 'bob');
    await bob.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await bob.keyboard.press('Enter');
    await bob.getByRole('heading', { name: 'A day at the sea' }).waitFor();
    assert.equal(new URL(bob.url()).pathname, `/watch/${video}`);
    await waitFor(() => bob.evaluate(() => document.querySelector('stream-video')?.readyState > 1), { what: 'the player' });
    const [back, last] = [await position(bob), await bob.evaluate(() => window.last)];
    assert.ok(Math.abs(back - last) < 1, `${back} s after ${last} s`);

    // What was for everyone is so no more.
    await watch(bob);
    await owner.getByRole('button', { name: 'Share', exact: true }).click();
    await owner.getByRole('radio', { name: /^Private/ }).check();
    await seek(bob, CLIP_S - 10);
    await bob.locator('.message').getByText(NOTHING).waitFor();
    await bob.getByRole('heading', { name: 'This video does not exist' }).waitFor();
    assert.deepEqual(complaintsOf(bob), []);
    await owner.keyboard.press('Escape');
}));

test('the share dialogue and the page behind a link fit a phone, in light and dark', logged(async () => {
    await owner.goto(`${site.url}/watch/${video}`);
    const { url } = await share(async (dialog) => {
        await dialog.getByLabel('It ends after').selectOption({ label: '7 days' });
        await dialog.getByLabel('The file may be downloaded').check();
        await dialog.getByLabel('Other sites may show the player').check();
        await dialog.getByLabel('Only these sites').fill('https://a-long-name-of-a-site.example.org https://another-long-name.example.org');
    });
    for (const colorScheme of ['light', 'dark']) {
        const phone = { viewport: { width: 360, height: 740 }, colorScheme };
        const small = await guest(phone);
        await small.goto(url);
        await small.getByRole('link', { name: 'Download' }).waitFor();
        await small.getByText('This link ends in 7 days.').waitFor();
        assert.ok((await overhang(small)) <= 0, 'the page behind the link');
        assert.deepEqual(complaintsOf(small), []);

        await owner.setViewportSize(phone.viewport);
        await owner.emulateMedia({ colorScheme });
        await owner.getByRole('button', { name: 'Share', exact: true }).press('Enter');
        const dialog = owner.getByRole('dialog');
        await dialog.locator('li[data-token]').first().waitFor();
        const { x, width } = await dialog.boundingBox();
        assert.ok(x >= 0 && x + width <= 360, `${x} + ${width}`);
        const wide = await dialog.evaluate((e) => [e, ...e.querySelectorAll('*')].filter((part) => part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).overflowX === 'auto').length);
        assert.equal(wide, 0, 'nothing in it is wider than it is');
        await owner.keyboard.press('Escape');
        await owner.waitForFunction(() => document.activeElement.textContent.trim() === 'Share');
    }
    assert.deepEqual(complaintsOf(owner), []);
}));
