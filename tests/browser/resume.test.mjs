/*
 * Uploads that break off, in a real Chromium on a real site, over a line that is slow and
 * can be cut. There is no worker: what has come in stays in the spool, to be compared.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { startLine } from '../lib/line.mjs';
import { tempDir } from '../lib/media.mjs';
import { startSite, tinyMp4, waitFor } from '../lib/site.mjs';

const SIZE = 24e6;
const SPEED = 6e6; // bytes a second
const IN_FLIGHT = 8e6; // what the kernel may hold of a connection on its way
const SLOW = 60_000; // ms

let site, browser, temp, line, page, file;

before(async () => {
    temp = await tempDir();
    browser = await launchBrowser();
    site = await startSite();
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp.remove();
});
afterEach(async () => {
    await page?.context().close();
    await line?.close();
    page = line = undefined;
});

/* A file that nobody has seen before, on disk. */
async function newFile(name = 'A long walk.mp4') {
    const bytes = tinyMp4(SIZE);
    randomBytes(SIZE - 40).copy(bytes, 40);
    const target = path.join(temp.dir, name);
    await fs.writeFile(target, bytes);
    return target;
}

const sha256 = async (name) => createHash('sha256').update(await fs.readFile(name)).digest('hex');

/* A page at the end of a bad line. */
async function open(options = {}) {
    line = await startLine(site.port, { bytesPerSecond: SPEED });
    page = await watchedPage(browser, options);
    page.on('dialog', (dialog) => dialog.accept()); // "Leave the page?"
    page.requests = [];
    page.on('request', (request) => page.requests.push(request));
    await page.goto(line.url);
}

const pick = (name) => page.setInputFiles('input[type=file]', name);
const bar = () => page.getByRole('progressbar', { name: /^Upload of / });
const percent = async () => Number(await bar().getAttribute('aria-valuenow'));

/* Waits until some of the file has left, and not all. */
async function underWay(share = 35) {
    await waitFor(async () => (await percent()) >= share, { every: 10, what: `${share} %` });
    assert.ok((await percent()) < 90, 'it is not over yet');
}

/* Waits for the end; the file in the spool is the one that was sent. */
async function arrives(name) {
    await page.getByText(/^Uploaded · /).waitFor({ timeout: SLOW });
    const link = page.getByRole('link', { name: 'Watch', exact: true });
    const id = path.basename(await link.getAttribute('href'));
    const video = (await site.api('GET', `/api/videos/${id}`)).json;
    assert.equal(video.state, 'stored');
    assert.equal(video.size, SIZE);
    assert.equal(await sha256(site.path('spool', `${id}.src`)), await sha256(name));
    return video;
}

const sentBy = (method) => page.requests.filter((request) => request.method() === method);

/* The bytes that the server has of the one upload that is unfinished. */
async function received() {
    const [part] = (await site.spool()).filter((name) => name.endsWith('.part'));
    return (await fs.stat(site.path('spool', part))).size;
}

test('a line that is cut for a while: it says so, goes on by itself, and nothing is lost', async () => {
    const name = await newFile();
    await open();
    await pick(name);
    await underWay();
    const cut = line.cut(2000);
    await Promise.all([
        page.getByText('Connection lost.', { exact: true }).waitFor(),
        page.getByText(/^Going on in \d+ s…$/).waitFor(),
        page.locator('header').getByText('Connection lost').waitFor(),
    ]);
    await cut;
    const kept = await received();
    line.bytes = 0;
    await arrives(name);
    assert.ok(line.bytes < SIZE - kept + 1e6, `${line.bytes} bytes more, of ${SIZE - kept}`);
    assert.equal(page.posts, 1);
    assert.ok(sentBy('PATCH').length >= 1);
    assert.equal(await page.getByText('Connection lost.').count(), 0);
});

test('a person need not wait for the pause to end', async () => {
    const name = await newFile();
    await open();
    await pick(name);
    await underWay();
    await line.break();
    await page.getByText(/^Going on in (8|7) s…$/).waitFor({ timeout: SLOW });
    await line.mend();
    await page.getByRole('button', { name: /^Go on now/ }).click();
    await waitFor(() => percent().then((p) => p > 0), { timeout: 3000, what: 'it to go on' });
    assert.equal(await page.getByText(/^Going on in/).count(), 0);
    await arrives(name);
});

test('after a reload it is listed, and the same file goes on where it stopped', async () => {
    const name = await newFile();
    const other = await newFile('Another walk.mp4');
    await open();
    await pick(name);
    await underWay(50);
    await page.reload();
    await page.getByRole('heading', { name: 'Unfinished uploads' }).waitFor();
    await page.getByText(/^\d+ % of 24 MB has arrived$/).waitFor();
    const kept = await received();
    assert.ok(kept > 0.5 * SIZE - IN_FLIGHT, `${kept} bytes were kept`);

    line.bytes = 0;
    page.requests.length = 0;
    await pick(name);
    await page.getByRole('heading', { name: 'Unfinished uploads' }).waitFor({ state: 'detached' });
    await arrives(name);
    assert.ok(line.bytes < SIZE - kept + 1e6, `${line.bytes} bytes more, of ${SIZE - kept}`);
    assert.equal(sentBy('POST').length, 0);

    await page.getByRole('button', { name: 'Clear finished' }).click();
    await pick(other);
    await arrives(other);
    assert.equal(sentBy('POST').length, 1, 'another file is an upload of its own');
});

test('a server that is killed and comes back: it goes on', async () => {
    const name = await newFile();
    await open();
    await pick(name);
    await underWay();
    process.kill((await site.handlers())['upload.fcgi'], 'SIGKILL');
    await site.end('lighttpd');
    await page.getByText(/^Going on in \d+ s…$/).waitFor();
    site.startLighttpd();
    await arrives(name);
    assert.equal(page.posts, 1);
});

test('what is forgotten is gone from the page, from the server and for good', async () => {
    const name = await newFile();
    await open();
    await pick(name);
    await underWay();
    await page.reload();
    await page.getByRole('button', { name: 'Forget A long walk.mp4' }).click();
    await page.getByRole('heading', { name: 'Unfinished uploads' }).waitFor({ state: 'detached' });
    await waitFor(async () => !(await site.spool()).some((n) => n.endsWith('.part')), { what: 'an empty spool' });
    page.requests.length = 0;
    await pick(name);
    await arrives(name);
    assert.equal(sentBy('POST').length, 1, 'it is begun anew');
});

test('cancelled in the middle of a pause, nothing stays', async () => {
    const name = await newFile();
    await open();
    await pick(name);
    await underWay();
    await line.break();
    await page.getByText(/^Going on in \d+ s…$/).waitFor();
    await page.getByRole('button', { name: /^Cancel the upload of / }).click();
    await page.getByRole('heading', { name: 'Uploads' }).waitFor({ state: 'detached' });
    await line.mend();
    await page.reload(); // the server could not be told before
    await waitFor(async () => !(await site.spool()).some((n) => n.endsWith('.part')), { what: 'an empty spool' });
    assert.equal(await page.getByRole('heading', { name: 'Unfinished uploads' }).count(), 0);
});

test('a second page leaves alone what the first one is busy with', async () => {
    const name = await newFile();
    await open();
    await pick(name);
    await underWay(10);
    const second = await page.context().newPage();
    await second.goto(line.url);
    await second.locator('.card[data-state=receiving]').waitFor();
    assert.equal(await second.getByRole('heading', { name: 'Unfinished uploads' }).count(), 0);
    await arrives(name);
    assert.equal(sentBy('PATCH').length, 0, 'it was not cut off');
});
