/* Uploads that break: killed programs, connections that are cut or hang half open, slow
 * clients, time that runs out. What was acknowledged is never lost nor asked for again. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { sleep, startSite, tinyMp4, waitFor } from '../lib/site.mjs';
import * as t from '../lib/tus.mjs';

/* A file of which no part is like another. */
function noise(bytes) {
    const file = tinyMp4(bytes);
    for (let i = 40; i + 4 <= bytes; i += 4) file.writeUInt32LE((i * 2654435761) >>> 0, i);
    return file;
}

const file = noise(1_000_000);
const HALF = 500_000;

/* A site for one test, with its log shown if the test fails. */
function withSite(options, fn) {
    return async (ctx) => {
        const site = await startSite(options);
        try {
            await fn(site, ctx);
        } catch (error) {
            console.error(await site.logs());
            throw error;
        } finally {
            await site.stop();
        }
    };
}

const videos = async (site) => (await site.api('GET', '/api/videos')).json.videos;

/* Sends the rest and checks that all is well in the end. */
async function finish(site, id, offset, whole = file) {
    const response = await t.patch(site, id, offset, whole.subarray(offset));
    assert.equal(response.status, 204, response.text);
    await t.assertStored(site, response.headers['dropstream-video'], whole);
    assert.deepEqual(
        (await site.spool()).filter((name) => name.endsWith('.part')),
        [],
    );
}

/* Runs SQL in the site's database. */
const sql = async (site, text) =>
    (
        await promisify(execFile)('sqlite3', ['-cmd', '.timeout 5000', site.path('db/dropstream.db'), text])
    ).stdout.trim();

const killHandler = async (site) => {
    const { 'upload.fcgi': pid } = await site.handlers();
    process.kill(pid, 'SIGKILL');
    await waitFor(async () => {
        const now = (await site.handlers())['upload.fcgi'];
        return now && now !== pid;
    });
};

describe('a request that takes over', () => {
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
            await finish(site, id, offset);
        }),
    );
    it(
        'has it with PATCH alone, too',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length);
            const old = await t.beginPatch(site, id, 0, file.subarray(0, HALF), file.length);
            await t.waitForPart(site, HALF - 64 * 1024);
            await finish(site, id, HALF);
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
            await finish(site, id, offset);
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
            await finish(site, id, HALF);
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
            await finish(site, id, HALF);
        }),
    );
});

describe('an upload that is interrupted goes on', () => {
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
            const { json } = await site.api('GET', `/api/videos/${(await videos(site))[0].id}`);
            assert.equal(json.received, 700_000);
            await finish(site, id, offset);
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
            assert.equal((await videos(site))[0].received, offset);
            await finish(site, id, offset);
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
            await finish(site, id, offset);
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
            await finish(site, id, 9001);
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
            assert.deepEqual(await videos(site), []);
        }),
    );
});

describe('a form that breaks off', () => {
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
            const [video] = await videos(site);
            assert.equal(video.title, 'Broken');
            assert.equal(video.received, 600_000);
            assert.equal(response.headers['dropstream-video'], video.id);
            await finish(site, uploadId, 600_000);
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
            await finish(site, uploadId, 600_000);
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
            const [first] = await videos(site);
            const response = await site.upload(file, { fields });
            assert.equal(response.status, 201, response.text);
            assert.notEqual(response.json.id, first.id);
            await old.closed;
            await t.assertStored(site, response.json.id, file);
            assert.deepEqual((await videos(site)).map((v) => v.id), [response.json.id]);
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
            assert.deepEqual(await videos(site), []);
        }),
    );
    it(
        'leaves nothing where it has no name',
        withSite({}, async (site) => {
            const { socket } = await t.beginForm(site, file, 600_000, { size: file.length });
            await t.waitForPart(site, 500_000);
            socket.destroy();
            await waitFor(async () => (await site.spool()).length === 0);
            await waitFor(async () => (await videos(site)).length === 0);
        }),
    );
});

describe('a client that is too slow', () => {
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
            await finish(site, id, 9000);
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
            await waitFor(async () => (await videos(site)).length === 50, { what: 'a page of uploads' });
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
            assert.ok(peak < 20 * 1024, `upload.fcgi took ${peak} KiB`);
        }),
    );
});

describe('time that runs out', () => {
    it(
        'ends an upload, and the worker takes it away',
        withSite({ env: { DROPSTREAM_SETTLE_S: '1' } }, async (site) => {
            const gone = await t.create(site, file.length);
            const kept = await t.create(site, file.length, { filename: 'kept.mp4' });
            for (const id of [gone, kept]) await t.patch(site, id, 0, file.subarray(0, HALF));
            await sql(site, `UPDATE videos SET expires_ms = 1 WHERE upload_id = '${gone}'`);
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
            await finish(site, kept, HALF);
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
            await waitFor(async () => (await videos(site)).length === 2);
            socket.destroy();
            await sleep(1100);
            site.startWorker();
            await waitFor(async () => (await site.spool()).length === 0, { what: 'the spool to be empty' });
            await waitFor(async () => (await videos(site)).length === 0);
            assert.equal(await sql(site, 'SELECT count(*) FROM videos'), '0');
        }),
    );
    it(
        'frees the name of an upload',
        withSite({}, async (site) => {
            const id = await t.create(site, file.length, { body: file.subarray(0, HALF) });
            await sql(site, 'UPDATE videos SET expires_ms = 1');
            assert.equal(await t.create(site, file.length, { upload_id: id }), id);
            assert.equal(await t.offsetOf(site, id), 0);
            await sql(site, 'UPDATE videos SET expires_ms = 1');
            const fields = { upload_id: id, size: file.length };
            const response = await site.upload(file, { fields });
            assert.equal(response.status, 201, response.text);
            assert.deepEqual(await site.spool(), [`${response.json.id}.src`]);
        }),
    );
});
