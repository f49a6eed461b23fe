/*
 * people.mjs: who uses a site with accounts, in a real browser, and whether what they watch
 * goes on.
 *
 *     const page = await openPage(browser);
 *     await setUp(site, page, 'ada');
 *     await watch(page);                          // plays, and is looked after
 *     await isPlaying(page, 'while others …');    // it has not stopped once since then
 */
import assert from 'node:assert/strict';
import http from 'node:http';

import { watchedPage } from './browser.mjs';
import { waitFor } from './site.mjs';

export const PASSWORD = 'correct horse battery';

const SLOW_MS = 120_000;

/* As watchedPage, but what is not seen within 15 s is missing. */
export async function openPage(browser, options) {
    const page = await watchedPage(browser, options);
    page.setDefaultTimeout(15_000);
    return page;
}

/* What a page said that none should, but for answers that the test means it to get. */
export const complaintsBut = (page, ...statuses) =>
    page.complaints.filter((said) => !new RegExp(`Failed to load resource.*(${statuses.join('|')})`).test(said));

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

/* Ends all sessions of somebody by hand. */
export async function endSessions(site, name) {
    const { out } = await site.ctl(['session', 'ls', name]);
    for (const [, n] of out.matchAll(/^\s*(\d+)\s/gm)) await site.ctl(['session', 'rm', n]);
}

/* Uploads the first video of the library; resolves to its id once it is ready. */
export async function uploadFirst(page, clip) {
    await page.setInputFiles('input[type=file]', clip);
    await page.locator('.card[data-state=ready]').waitFor({ timeout: SLOW_MS });
    return page.locator('.card').getAttribute('data-id');
}

/* Makes a link for a video, as the page does; resolves to it. */
export const makeShare = (page, video, wanted) =>
    page.evaluate(
        async ([id, body]) => {
            const headers = { 'Content-Type': 'application/json' };
            const answer = await fetch(`/api/videos/${id}/shares`, { method: 'POST', headers, body: JSON.stringify(body) });
            return answer.json();
        },
        [video, wanted],
    );

/* Another site, whose one page is a frame of what show() names: to a browser, localhost is none
 * of 127.0.0.1. { origin, show(url), close() } */
export async function startElsewhere() {
    let shown;
    const server = http.createServer((_, res) => {
        res.setHeader('Content-Type', 'text/html');
        res.end(`<!doctype html><iframe src="${shown}" width="640" height="360" allow="autoplay; fullscreen"></iframe>`);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
        origin: `http://localhost:${server.address().port}`,
        show: (url) => (shown = url),
        close: () => server.close(),
    };
}

/* Resolves when the player in the page's frame plays. */
export const playsInFrame = (page) =>
    waitFor(
        () =>
            page.frames().find((frame) => frame.url().includes('/e/')).evaluate(async () => {
                const player = document.querySelector('stream-video');
                player.muted = true;
                await player.play();
                return player.currentTime > 0.3;
            }),
        { timeout: SLOW_MS, what: 'playback in the frame' },
    );

/* Plays what the page shows from a place on, and takes note of all that a viewer would see go
 * wrong. Resolves when it plays. */
export async function watch(page, from = 0) {
    await page.locator('stream-video').waitFor({ timeout: SLOW_MS });
    await page.evaluate((at) => {
        const player = document.querySelector('stream-video');
        const element = player.nativeEl;
        player.muted = true;
        if (at > 0) player.currentTime = at;
        window.broken = [];
        window.began = false;
        const note = (what) => () => window.began && window.broken.push(`${what} at ${element.currentTime.toFixed(1)} s`);
        for (const type of ['waiting', 'stalled', 'pause', 'seeking', 'emptied', 'error'])
            element.addEventListener(type, note(type));
        element.addEventListener('timeupdate', () => {
            if (!element.paused && element.currentTime > at + 0.3) window.began = true;
        });
        return player.play();
    }, from);
    await waitFor(() => page.evaluate(() => window.began), { timeout: SLOW_MS, what: 'playback' });
}

export const position = (page) => page.evaluate(() => document.querySelector('stream-video').currentTime);

export const seek = (page, to) =>
    page.evaluate((s) => (document.querySelector('stream-video').currentTime = s), to);

/* It plays, and nothing was seen to go wrong since watch(). A busy machine may show it slower
 * than the clock goes: that is none of the page's doing, and an element that has nothing to
 * show says that it waits. */
export async function isPlaying(page, when) {
    const before = await position(page);
    await waitFor(async () => (await position(page)) > before + 0.3, { what: `playback ${when}` });
    assert.deepEqual(await page.evaluate(() => window.broken), [], when);
}

/* Addresses of media that the page asks for from now on: [{ url, status }]. */
export function requestsOf(page) {
    const seen = [];
    page.on('response', (response) => {
        if (response.url().includes('/media/')) seen.push({ url: response.url(), status: response.status() });
    });
    return seen;
}
