/*
 * people.mjs: who uses a site with accounts, in a real browser, and whether what they watch
 * goes on.
 *
 *     const page = await watchedPage(browser);
 *     await setUp(site, page, 'ada');
 *     await watch(page);                          // plays, and is looked after
 *     await isPlaying(page, 'while others …');    // it has not stopped once since then
 */
import assert from 'node:assert/strict';

import { waitFor } from './site.mjs';

export const PASSWORD = 'correct horse battery';

/* The address that run.sh prints. */
export async function setupLink(site) {
    const { status, out, err } = await site.ctl(['setup-link', '--url', `${site.url}/`]);
    assert.equal(status, 0, err);
    return out.match(/https?:\S+/)[0];
}

/* Makes the first owner, in the page. */
export async function setUp(site, page, name) {
    await page.goto(await setupLink(site));
    await page.getByLabel('Your name here').fill(name);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Set up this site' }).click();
    await page.getByRole('button', { name: `Signed in as ${name}` }).waitFor();
}

/* Adds somebody by hand. */
export async function addUser(site, name, role) {
    const { status, err } = await site.ctl(['user', 'add', name, '--role', role], `${PASSWORD}\n`);
    assert.equal(status, 0, err);
}

/* Signs in where the page asks for it. */
export async function signIn(page, name, password = PASSWORD) {
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

export async function signOut(page) {
    await page.getByRole('button', { name: /^Signed in as / }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

/* Plays what the page shows from a place on, and takes note of all that a viewer would see go
 * wrong. Resolves when it plays. */
export async function watch(page, from = 0) {
    await page.locator('stream-video').waitFor({ timeout: 60_000 });
    await page.evaluate((at) => {
        const player = document.querySelector('stream-video');
        const element = player.nativeEl;
        player.muted = true;
        if (at > 0) player.currentTime = at;
        window.broken = [];
        window.began = null;
        const note = (what) => () => window.began !== null && window.broken.push(`${what} at ${element.currentTime.toFixed(1)} s`);
        for (const type of ['waiting', 'stalled', 'pause', 'seeking', 'emptied', 'error'])
            element.addEventListener(type, note(type));
        element.addEventListener('timeupdate', () => {
            if (window.began === null && !element.paused && element.currentTime > at + 0.3)
                window.began = { at: element.currentTime, when: performance.now() };
        });
        return player.play();
    }, from);
    await waitFor(() => page.evaluate(() => window.began !== null), { timeout: 60_000, what: 'playback' });
}

export const position = (page) => page.evaluate(() => document.querySelector('stream-video').currentTime);

/* It has played on since watch(), in step with the clock, and nothing was seen to go wrong. */
export async function isPlaying(page, when) {
    const before = await position(page);
    await waitFor(async () => (await position(page)) > before + 0.3, { what: `playback ${when}` });
    const { broken, played, passed } = await page.evaluate(() => {
        const element = document.querySelector('stream-video').nativeEl;
        const passed = (performance.now() - window.began.when) / 1000;
        return { broken: window.broken, played: element.currentTime - window.began.at, passed };
    });
    assert.deepEqual(broken, [], when);
    assert.ok(Math.abs(passed - played) < 1.5, `${played} s of it in ${passed} s, ${when}`);
}

/* Addresses of media that the page asks for from now on: [{ url, status }]. */
export function requestsOf(page) {
    const seen = [];
    page.on('response', (response) => {
        if (response.url().includes('/media/')) seen.push({ url: response.url(), status: response.status() });
    });
    return seen;
}
