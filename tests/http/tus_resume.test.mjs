/* Uploads that break: killed programs, connections that are cut or hang half open. What was
 * acknowledged is never lost nor asked for again. Time: tus_time.test.mjs. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { describe, it } from 'node:test';
import { sleep, waitFor, withSite } from '../lib/site.mjs';
import * as t from '../lib/tus.mjs';

const file = t.noise(1_000_000);
const HALF = 500_000;
const TOGETHER = { concurrency: 4 }; // each test has a site of its own, and waits a lot

const killHandler = async (site) => {
    const { 'upload.fcgi': pid } = await site.handlers();
    process.kill(pid, 'SIGKILL');
    await waitFor(async () => {
        const now = (await site.handlers())['upload.fcgi'];
        return now && now !== pid;
    });
};

describe('a request that takes over', TOGETHER, () => {
    it(
        'has the upload at once from one that hangs half open',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            const old = await t.beginPatch(site, id, 0, file.subarray(0, HALF), file.length);
            await t.waitForPart(site, HALF - 64 * 1024);
            // Nothing more comes, and nobody says that it is over.
            const start = Date.now();
            const offset = await t.offsetOf(site, id);
            assert.ok(Date.now() - start < 2000, `it took ${Date.now() - start} ms`);
            assert.equal(offset, HALF);
            assert.match(await old.closed, /^HTTP\/1\.1 409 .*"taken_over"/s);
            await t.finish(site, id, offset, file);
        }),
    );
    it(
        'has it with PATCH alone, too',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            const old = await t.beginPatch(site, id, 0, file.subarray(0, HALF), file.length);
            await t.waitForPart(site, HALF - 64 * 1024);
            await t.finish(site, id, HALF, file);
            assert.match(await old.closed, /^HTTP\/1\.1 409 /);
        }),
    );
    it(
        'stops one that still sends, and loses none of what came',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            const old = await t.beginPatch(site, id, 0, file.subarray(0, 100_000), file.length);
            const sending = (async () => {
                for (let at = 100_000; at < file.length && !old.socket.destroyed; at += 10_000) {
                    old.socket.write(file.subarray(at, at + 10_000));
                    await sleep(20);
                }
            })();
            await t.waitForPart(site, 150_000);
            const offset = await t.offsetOf(site, id);
            assert.ok(offset >= 100_000 && offset < file.length, String(offset));
            await old.closed;
            await sending;
            assert.equal(await t.offsetOf(site, id), offset);
            await t.finish(site, id, offset, file);
        }),
    );
    it(
        'is the last of many that come at once',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            const old = await t.beginPatch(site, id, 0, file.subarray(0, HALF), file.length);
            await t.waitForPart(site, HALF - 64 * 1024);
            const answers = await Promise.all(Array.from({ length: 12 }, () => t.head(site, id)));
            const told = answers.filter((a) => a.status === 200);
            assert.ok(told.length >= 1);
            for (const { headers } of told) assert.equal(headers['upload-offset'], String(HALF));
            for (const { status } of answers) assert.ok(status === 200 || status === 409, String(status));
            await old.closed;
            await t.finish(site, id, HALF, file);
        }),
    );
    it(
        'waits for a writer in another process, and says so if that does not end',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            const cgi = site.cgi('upload.fcgi', {
                method: 'PATCH',
                target: `/api/uploads/${id}`,
                headers: {
                    'Tus-Resumable': '1.0.0',
                    'Content-Type': t.CHUNK,
                    'Upload-Offset': 0,
                    'Content-Length': file.length,
                },
                body: file.subarray(0, HALF),
                under: ['sh', '-c', '(head -c 500000; sleep 7) | "$0"'],
            });
            await t.waitForPart(site, HALF - 64 * 1024);
            const response = await t.head(site, id);
            assert.equal(response.status, 503);
            assert.ok(response.headers['retry-after']);
            assert.equal((await cgi).json.error.code, 'truncated');
            assert.equal(await t.offsetOf(site, id), HALF);
            await t.finish(site, id, HALF, file);
        }),
    );
});

describe('an upload that is interrupted goes on', TOGETHER, () => {
    it(
        'where its connection broke',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            let offset = 0;
            for (const to of [3000, 4096, 200_000, 200_001, 700_000]) {
                const { socket } = await t.beginPatch(site, id, offset, file.subarray(offset, to), file.length - offset);
                await sleep(100);
                socket.destroy();
                await waitFor(async () => (await t.offsetOf(site, id)) === to, { what: `offset ${to}` });
                offset = to;
            }
            const { json } = await site.api('GET', `/api/videos/${(await t.videos(site))[0].id}`);
            assert.equal(json.received, 700_000);
            await t.finish(site, id, offset, file);
        }),
    );
    it(
        'after upload.fcgi was killed',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            await t.patch(site, id, 0, file.subarray(0, 300_000));
            const { closed } = await t.beginPatch(site, id, 300_000, file.subarray(300_000, 600_000), 700_000);
            await t.waitForPart(site, 500_000);
            await killHandler(site);
            await closed;
            const offset = await t.offsetOf(site, id);
            assert.ok(offset >= 500_000 && offset <= 600_000, String(offset));
            assert.equal((await t.videos(site))[0].received, offset);
            await t.finish(site, id, offset, file);
        }),
    );
    it(
        'after lighttpd was killed, and after it was stopped',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            let offset = 0;
            for (const signal of ['SIGKILL', 'SIGTERM']) {
                const to = offset + 300_000;
                const begun = await t.beginPatch(site, id, offset, file.subarray(offset, to), file.length - offset);
                await t.waitForPart(site, to - 64 * 1024);
                await site.end('lighttpd', signal);
                await begun.closed;
                await waitFor(async () => Object.keys(await site.handlers()).length === 0);
                site.startLighttpd();
                await waitFor(() => site.answers());
                const now = await t.offsetOf(site, id);
                assert.ok(now >= to - 64 * 1024 && now <= to, String(now));
                offset = now;
            }
            await t.finish(site, id, offset, file);
        }),
    );
    it(
        'after a chunk whose checksum nobody came to look at, from where that began',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            await t.patch(site, id, 0, file.subarray(0, 300_000));
            const rest = file.subarray(300_000);
            const headers = { 'Upload-Checksum': t.checksum('sha256', rest) };
            const begin = () => t.beginPatch(site, id, 300_000, rest.subarray(0, 400_000), rest.length, headers);

            const cut = await begin();
            await t.waitForPart(site, 600_000);
            cut.socket.destroy();
            await waitFor(async () => (await t.partSize(site)) === 300_000, { what: 'the cut' });
            assert.equal(await t.offsetOf(site, id), 300_000);

            await begin();
            await t.waitForPart(site, 600_000);
            await killHandler(site);
            assert.ok((await t.partSize(site)) >= 600_000);
            assert.equal(await t.offsetOf(site, id), 300_000);
            assert.equal(await t.partSize(site), 300_000);

            const response = await t.patch(site, id, 300_000, rest, headers);
            assert.equal(response.status, 204, response.text);
            await t.assertStored(site, response.headers['dropstream-video'], file);
        }),
    );
    it(
        'and is finished by HEAD where only its end was missed',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            await t.patch(site, id, 0, file.subarray(0, HALF));
            // As a handler leaves it that is killed after the last byte came.
            await fs.appendFile(site.path('spool', await t.partOf(site)), file.subarray(HALF));
            const response = await t.head(site, id);
            assert.equal(response.headers['upload-offset'], String(file.length));
            await t.assertStored(site, response.headers['dropstream-video'], file);
        }),
    );
    it(
        'and is entered by HEAD where only its row was missed',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            await t.patch(site, id, 0, file.subarray(0, HALF));
            const part = site.path('spool', await t.partOf(site));
            await fs.appendFile(part, file.subarray(HALF));
            await fs.rename(part, part.replace('.part', '.src'));
            const response = await t.head(site, id);
            assert.equal(response.headers['upload-offset'], String(file.length));
            await t.assertStored(site, response.headers['dropstream-video'], file);
        }),
    );
    it(
        'and is looked into again where what was found was not noted',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            await t.patch(site, id, 0, file.subarray(0, 3000));
            await fs.appendFile(site.path('spool', await t.partOf(site)), file.subarray(3000, 9000));
            assert.equal(await t.offsetOf(site, id), 9000);
            const response = await t.patch(site, id, 9000, file.subarray(9000, 9001));
            assert.ok(response.headers['dropstream-video']);
            await t.finish(site, id, 9001, file);
        }),
    );
    it(
        'but is gone where its bytes are',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            await t.patch(site, id, 0, file.subarray(0, HALF));
            await fs.rm(site.path('spool', await t.partOf(site)));
            assert.equal((await t.head(site, id)).status, 410);
            assert.equal((await t.head(site, id)).status, 404);
            assert.deepEqual(await t.videos(site), []);
        }),
    );
});

describe('a form that breaks off', TOGETHER, () => {
    it(
        'goes on by tus, from the bytes of its file that came',
        withSite({}, async (site) => {
            const uploadId = t.newUploadId();
            const { socket } = await t.beginForm(site, file, 600_000, {
                upload_id: uploadId.toUpperCase(),
                size: file.length,
                title: 'Broken',
            });
            await t.waitForPart(site, 600_000 - 64 * 1024);
            socket.destroy();
            const response = await waitFor(async () => {
                const answer = await t.head(site, uploadId);
                return answer.headers['upload-offset'] === '600000' && answer;
            });
            assert.equal(response.headers['upload-length'], String(file.length));
            const [video] = await t.videos(site);
            assert.equal(video.title, 'Broken');
            assert.equal(video.received, 600_000);
            assert.equal(response.headers['dropstream-video'], video.id);
            await t.finish(site, uploadId, 600_000, file);
        }),
    );
    it(
        'is taken over while it hangs',
        withSite({}, async (site) => {
            const uploadId = t.newUploadId();
            const fields = { upload_id: uploadId, size: file.length };
            const old = await t.beginForm(site, file, 600_000, fields);
            await t.waitForPart(site, 600_000 - 64 * 1024);
            assert.equal(await t.offsetOf(site, uploadId), 600_000);
            assert.match(await old.closed, /^HTTP\/1\.1 409 .*"taken_over"/s);
            await t.finish(site, uploadId, 600_000, file);
        }),
    );
    it(
        'needs to be told its length where it did not say it',
        withSite({}, async (site) => {
            const uploadId = t.newUploadId();
            const { socket } = await t.beginForm(site, file, 600_000, { upload_id: uploadId });
            await t.waitForPart(site, 600_000 - 64 * 1024);
            socket.destroy();
            const response = await waitFor(async () => {
                const answer = await t.head(site, uploadId);
                return answer.headers['upload-offset'] === '600000' && answer;
            });
            assert.equal(response.headers['upload-length'], undefined);
            assert.equal(response.headers['upload-defer-length'], '1');
            const rest = file.subarray(600_000);
            const attempt = (headers) => t.patch(site, uploadId, 600_000, rest, headers);
            assert.equal((await attempt({})).status, 400);
            assert.equal((await attempt({ 'Upload-Length': 599_999 })).status, 400);
            const last = await attempt({ 'Upload-Length': file.length });
            assert.equal(last.status, 204, last.text);
            await t.assertStored(site, last.headers['dropstream-video'], file);
        }),
    );
    it(
        'begins anew where it is sent again, unless it is finished',
        withSite({}, async (site) => {
            const fields = { upload_id: t.newUploadId(), size: file.length };
            const old = await t.beginForm(site, file, 600_000, fields);
            await t.waitForPart(site, 600_000 - 64 * 1024);
            const [first] = await t.videos(site);
            const response = await site.upload(file, { fields });
            assert.equal(response.status, 201, response.text);
            assert.notEqual(response.json.id, first.id);
            await old.closed;
            await t.assertStored(site, response.json.id, file);
            assert.deepEqual((await t.videos(site)).map((v) => v.id), [response.json.id]);
            assert.deepEqual(await site.spool(), [`${response.json.id}.src`]);

            const again = await site.upload(file, { fields });
            assert.equal(again.status, 409);
            assert.equal(again.json.error.code, 'finished');
            assert.ok(again.json.error.message.includes(response.json.id));
            assert.equal(again.headers['dropstream-video'], response.json.id);
            assert.equal(await t.offsetOf(site, fields.upload_id), file.length);
        }),
    );
    it(
        'leaves nothing where it is wrong itself',
        withSite({}, async (site) => {
            const fields = { upload_id: t.newUploadId(), size: file.length - 1 };
            const response = await site.upload(file, { fields });
            assert.equal(response.status, 400);
            assert.equal(response.json.error.code, 'size_mismatch');
            assert.equal((await t.head(site, fields.upload_id)).status, 404);
            assert.deepEqual(await site.spool(), []);
            assert.deepEqual(await t.videos(site), []);
        }),
    );
    it(
        'leaves nothing where it has no name',
        withSite({}, async (site) => {
            const { socket } = await t.beginForm(site, file, 600_000, { size: file.length });
            await t.waitForPart(site, 500_000);
            socket.destroy();
            await waitFor(async () => (await site.spool()).length === 0);
            await waitFor(async () => (await t.videos(site)).length === 0);
        }),
    );
});

