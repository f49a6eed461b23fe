/* Uploads and time: slow clients, many of them at once, and uploads that nobody goes on
 * with. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { describe, it } from 'node:test';
import { sleep, tinyMp4, waitFor, withSite } from '../lib/site.mjs';
import { WATCHED } from '../lib/under.mjs';
import * as t from '../lib/tus.mjs';

const file = t.noise(1_000_000);
const HALF = 500_000;
const TOGETHER = { concurrency: 3 }; // each test has a site of its own, and waits a lot

describe('a client that is too slow', TOGETHER, () => {
    const env = { DROPSTREAM_MIN_RATE_BPS: '2000', DROPSTREAM_MIN_RATE_S: '2' };

    it(
        'is sent away, and what it brought stays',
        withSite({ env }, async (site) => {
            const id = await t.create(site, file.length);
            const { socket, closed } = await t.beginPatch(site, id, 0, file.subarray(0, 5000), file.length);
            const drip = setInterval(() => socket.write('x'.repeat(20)), 100);
            const text = await closed;
            clearInterval(drip);
            assert.match(text, /^HTTP\/1\.1 408 .*"too_slow"/s);
            const offset = await t.offsetOf(site, id);
            assert.ok(offset > 5000 && offset < 10_000, String(offset));
        }),
    );
    it(
        'is sent away where it says nothing at all',
        withSite({ env }, async (site) => {
            const id = await t.create(site, file.length);
            const start = Date.now();
            const { closed } = await t.beginPatch(site, id, 0, file.subarray(0, 9000), file.length);
            assert.match(await closed, /^HTTP\/1\.1 408 .*"too_slow"/s);
            assert.ok(Date.now() - start < 8000, `after ${Date.now() - start} ms`);
            assert.equal(await t.offsetOf(site, id), 9000);
            await t.finish(site, id, 9000, file);
        }),
    );
    it(
        'is sent away under plain CGI, too',
        withSite({ env }, async (site) => {
            const id = await t.create(site, file.length);
            const response = await site.cgi('upload.fcgi', {
                method: 'PATCH',
                target: `/api/uploads/${id}`,
                headers: {
                    'Tus-Resumable': '1.0.0',
                    'Content-Type': t.CHUNK,
                    'Upload-Offset': 0,
                    'Content-Length': file.length,
                },
                body: file.subarray(0, 9000),
                under: ['sh', '-c', '(cat; sleep 5) | "$0"'],
            });
            assert.equal(response.status, 408, response.text);
            assert.equal(await t.offsetOf(site, id), 9000);
        }),
    );
});

describe('a client that is never too slow', TOGETHER, () => {
    it(
        'is sent away after some time, too, and goes on in another request',
        withSite({ env: { DROPSTREAM_UPLOAD_REQUEST_S: '2' } }, async (site) => {
            const id = await t.create(site, file.length);
            const { socket, closed } = await t.beginPatch(site, id, 0, file.subarray(0, 9000), file.length);
            let at = 9000;
            const drip = setInterval(() => socket.write(file.subarray(at, (at += 500))), 50);
            const text = await closed;
            clearInterval(drip);
            assert.match(text, /^HTTP\/1\.1 408 .*"too_long"/s);
            const offset = await t.offsetOf(site, id);
            assert.ok(offset >= 9000 && offset <= at, String(offset));
            await t.finish(site, id, offset, file);
        }),
    );
});

describe('many clients', () => {
    it(
        'that all are slow hold up neither a fast one nor each other',
        withSite({}, async (site) => {
            const drips = [];
            for (let i = 0; i < 64; i++) {
                const id = await t.create(site, file.length, { filename: `slow-${i}.mp4` });
                const begun = await t.beginPatch(site, id, 0, file.subarray(0, 5000), file.length);
                drips.push({ id, at: 5000, ...begun });
            }
            const send = (drip, bytes) => {
                drip.socket.write(file.subarray(drip.at, drip.at + bytes));
                drip.at += bytes;
            };
            const timer = setInterval(() => drips.forEach((drip) => send(drip, 100)), 50);
            await waitFor(async () => (await t.videos(site)).length === 50, { what: 'a page of uploads' });
            const fast = tinyMp4(50_000_000);
            const response = await site.upload(fast);
            clearInterval(timer);
            assert.equal(response.status, 201, response.text);
            await t.assertStored(site, response.json.id, fast);
            for (const drip of drips) {
                assert.equal(drip.text(), '', 'an upload was answered before its end');
                send(drip, file.length - drip.at);
            }
            await waitFor(() => drips.every((drip) => drip.text()));
            for (const drip of drips) {
                assert.match(drip.text(), /^HTTP\/1\.1 204 /);
                drip.socket.destroy();
                const id = /Dropstream-Video: (\w+)/i.exec(drip.text())[1];
                await t.assertStored(site, id, file);
            }
            const { 'upload.fcgi': pid } = await site.handlers();
            const status = await fs.readFile(`/proc/${pid}/status`, 'utf8');
            const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)[1]);
            assert.ok(WATCHED || peak < 20 * 1024, `upload.fcgi took ${peak} KiB`);
        }),
    );
});

describe('time that runs out', TOGETHER, () => {
    it('is an hour for an upload of which nothing comes, however often it is asked for', withSite(
        {},
        async (site) => {
            const id = await t.create(site, file.length);
            await t.sql(site, 'UPDATE videos SET created_ms = created_ms - 3000000');
            assert.equal((await t.head(site, id)).status, 200);
            const expires = await t.sql(site, 'SELECT expires_ms - created_ms FROM videos');
            assert.ok(Number(expires) <= 3600_000, `${expires} ms`);
            await t.patch(site, id, 0, file.subarray(0, 1));
            const more = await t.sql(site, 'SELECT expires_ms - created_ms FROM videos');
            assert.ok(Number(more) > 23 * 3600_000, `${more} ms`);
        },
    ));
    it('is counted from the beginning, too, however often some byte comes', withSite(
        { env: { DROPSTREAM_UPLOAD_TOTAL_H: '30' } },
        async (site) => {
            const HOUR_MS = 3600_000;
            const kept = () => t.sql(site, 'SELECT expires_ms - created_ms FROM videos');
            const age = (hours) => t.sql(site, `UPDATE videos SET created_ms = created_ms - ${hours * HOUR_MS}`);
            const id = await t.create(site, file.length, { body: file.subarray(0, 1) });
            await age(10);
            assert.equal((await t.patch(site, id, 1, file.subarray(1, 2))).status, 204);
            assert.equal(await kept(), String(30 * HOUR_MS));
            await age(21);
            assert.equal((await t.patch(site, id, 2, file.subarray(2, 3))).status, 204);
            assert.equal((await t.head(site, id)).status, 410);
        },
    ));
    it(
        'ends an upload, and the worker takes it away',
        withSite({ env: { DROPSTREAM_SETTLE_S: '1' } }, async (site) => {
            const gone = await t.create(site, file.length);
            const kept = await t.create(site, file.length, { filename: 'kept.mp4' });
            for (const id of [gone, kept]) await t.patch(site, id, 0, file.subarray(0, HALF));
            await t.sql(site, `UPDATE videos SET expires_ms = 1 WHERE upload_id = '${gone}'`);
            assert.equal((await t.head(site, gone)).status, 410);
            assert.equal((await t.patch(site, gone, HALF, file.subarray(HALF))).status, 410);
            assert.equal((await site.spool()).length, 2);
            await sleep(1100); // it is left alone for settle_s
            site.startWorker();
            await waitFor(async () => (await site.spool()).length === 1, { what: 'one to be gone' });
            assert.equal((await t.head(site, gone)).status, 404);
            const { json } = await site.api('GET', '/api/activity');
            assert.ok(json.activity.some((a) => /abandoned: it was not finished in time/.test(a.message)));
            assert.equal(await t.offsetOf(site, kept), HALF);
            await t.finish(site, kept, HALF, file);
        }),
    );
    it(
        'can be nothing: then what was interrupted is gone',
        withSite({ env: { DROPSTREAM_SETTLE_S: '1', DROPSTREAM_UPLOAD_EXPIRE_H: '0' } }, async (site) => {
            const body = file.subarray(0, HALF);
            const id = await t.create(site, file.length, { body });
            assert.equal((await t.head(site, id)).status, 410);
            const fields = { upload_id: t.newUploadId(), size: file.length };
            const { socket } = await t.beginForm(site, file, 600_000, fields);
            await waitFor(async () => (await t.videos(site)).length === 2);
            socket.destroy();
            await sleep(1100);
            site.startWorker();
            await waitFor(async () => (await site.spool()).length === 0, { what: 'the spool to be empty' });
            await waitFor(async () => (await t.videos(site)).length === 0);
            assert.equal(await t.sql(site, 'SELECT count(*) FROM videos'), '0');
        }),
    );
    it(
        'frees the name of an upload',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length, { body: file.subarray(0, HALF) });
            await t.sql(site, 'UPDATE videos SET expires_ms = 1');
            assert.equal(await t.create(site, file.length, { upload_id: id }), id);
            assert.equal(await t.offsetOf(site, id), 0);
            await t.sql(site, 'UPDATE videos SET expires_ms = 1');
            const fields = { upload_id: id, size: file.length };
            const response = await site.upload(file, { fields });
            assert.equal(response.status, 201, response.text);
            assert.deepEqual(await site.spool(), [`${response.json.id}.src`]);
        }),
    );
});
