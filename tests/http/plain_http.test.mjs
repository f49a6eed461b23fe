/* Browsers on plain http at a host of the network: they send less than Sec-Fetch-Site, and all
 * that the pages do has to work all the same. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, PASSWORD, pretend, startAccounts } from '../lib/accounts.mjs';
import { tinyMp4 } from '../lib/site.mjs';

describe('a browser on plain http', () => {
    let site, browser;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));
    const tus = (method, target, headers = {}, body = '') =>
        browser.request(method, target, {
            headers: { 'Tus-Resumable': '1.0.0', 'Content-Length': body.length, ...headers }, body,
        });

    before(async () => {
        ({ site } = await startAccounts());
        browser = await new Client(site, { plain: true }).signIn('mia');
    });
    after(() => site?.stop());

    test('uploads by a form, changes it and deletes it', async () => {
        const { status, json } = await browser.upload(tinyMp4());
        assert.equal(status, 201);
        const url = `/api/videos/${json.id}`;
        assert.equal((await browser.api('PATCH', url, { title: 'x' })).status, 200);
        assert.equal((await browser.api('DELETE', url)).status, 204);
    });
    test('resumes an upload where it was cut', async () => {
        const bytes = tinyMp4(), half = bytes.length >> 1;
        const made = await tus('POST', '/api/uploads', {
            'Upload-Length': bytes.length, 'Upload-Metadata': `filename ${btoa('clip.mp4')}`,
        });
        assert.equal(made.status, 201, made.text);
        const url = new URL(made.headers.location, site.url).pathname;
        const send = (from, to) => tus('PATCH', url, {
            'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': from,
        }, bytes.subarray(from, to));
        assert.equal((await send(0, half)).status, 204);
        const head = await tus('HEAD', url);
        assert.equal(head.status, 200);
        assert.equal(Number(head.headers['upload-offset']), half);
        assert.equal((await send(half)).headers['upload-offset'], String(bytes.length));
        assert.equal((await tus('OPTIONS', url)).status, 204);
        const finished = await tus('DELETE', url);
        assert.equal(finished.json.error.code, 'finished', finished.text);
    });
    test('asks about an upload by POST where HEAD is not let through', async () => {
        const made = await tus('POST', '/api/uploads', { 'Upload-Length': 20_000 });
        const url = new URL(made.headers.location, site.url).pathname;
        const head = await tus('POST', url, { 'X-HTTP-Method-Override': 'HEAD' });
        assert.equal(head.status, 200, head.text);
        const hidden = await tus('GET', url, { 'X-HTTP-Method-Override': 'DELETE' });
        assert.equal(hidden.json.error.code, 'cross_site', 'what changes something is to say more');
        assert.equal((await tus('DELETE', url)).status, 204);
    });
    test('shares a video, and unlocks a share', async () => {
        const { json: video } = await browser.upload(tinyMp4());
        await pretend(site, video.id);
        const share = await browser.newShare(video.id, { password: PASSWORD });
        const visitor = new Client(site, { plain: true });
        const url = `/api/shares/${share.token}`;
        assert.equal((await visitor.api('GET', url)).status, 401);
        assert.equal((await visitor.api('POST', url, { password: PASSWORD })).status, 200);
        assert.equal((await visitor.api('GET', url)).status, 200);
        assert.equal((await browser.api('DELETE', url)).status, 204);
        assert.equal((await browser.api('DELETE', '/api/session')).status, 204);
    });
});
