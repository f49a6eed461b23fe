/* Uploads by tus that are refused on the way, by what a chunk says or holds, and those that
 * are given up. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { afterEach, describe } from 'node:test';
import { tinyMp4, waitFor } from '../lib/site.mjs';
import * as t from '../lib/tus.mjs';
import { activity, assertError, suite } from '../lib/tus_suite.mjs';

const MIB = 1024 * 1024;

describe('tus: chunks that are refused', () => {
    const s = suite();
    const file = tinyMp4(20_000);
    let id;
    const open = async () => {
        id = await t.create(s.site, file.length);
        await t.patch(s.site, id, 0, file.subarray(0, 6000));
    };
    /* The upload goes on as if nothing had been. */
    const goesOn = async () => {
        assert.equal(await t.offsetOf(s.site, id), 6000);
        const last = await t.patch(s.site, id, 6000, file.subarray(6000));
        assert.equal(last.status, 204, last.text);
        await t.assertStored(s.site, last.headers['dropstream-video'], file);
        assert.deepEqual(await s.site.handlers(), s.pids, 'a handler died');
    };
    const refused = (name, fn) =>
        s.it(name, async (ctx) => {
            await open();
            await fn(ctx);
            await goesOn();
        });

    refused('another Content-Type', async () => {
        for (const type of ['application/octet-stream', 'video/mp4', '']) {
            const response = await t.patch(s.site, id, 6000, file.subarray(6000), { 'Content-Type': type });
            assertError(response, 415, 'not_a_chunk');
        }
    });
    refused('no offset, or none that is a number', async () => {
        const headers = { 'Content-Type': t.CHUNK };
        assertError(await t.tus(s.site, 'PATCH', id, { headers, body: 'x' }), 400, 'bad_header');
        assertError(await t.patch(s.site, id, 'x', Buffer.alloc(1)), 400, 'bad_header');
        assertError(await t.patch(s.site, id, -1, Buffer.alloc(1)), 400, 'bad_header');
    });
    refused('another offset than where the upload is', async () => {
        assertError(await t.patch(s.site, id, 0, file), 409, 'wrong_offset');
        assertError(await t.patch(s.site, id, 5999, file.subarray(5999)), 409, 'wrong_offset');
        assertError(await t.patch(s.site, id, 6001, file.subarray(6001)), 409, 'wrong_offset');
    });
    refused('more bytes than the upload has, before any of them is sent', async () => {
        const { closed } = await t.beginPatch(s.site, id, 6000, '', 14_001, { Connection: 'close' });
        assert.match(await closed, /^HTTP\/1\.1 413 .*"length_exceeded"/s);
    });
    refused('a body of unknown length', async () => {
        const { status } = await s.site.cgi('upload.fcgi', {
            method: 'PATCH',
            target: `/api/uploads/${id}`,
            headers: { 'Tus-Resumable': '1.0.0', 'Content-Type': t.CHUNK, 'Upload-Offset': 6000 },
        });
        assert.equal(status, 411);
        const chunked = await s.site.raw(
            `PATCH /api/uploads/${id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
                `Tus-Resumable: 1.0.0\r\nUpload-Offset: 6000\r\nContent-Type: ${t.CHUNK}\r\n` +
                'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
        );
        assert.match(chunked, /^HTTP\/1\.1 411 /);
    });
    refused('bytes that would touch the reserve of the disk', async (ctx) => {
        const { bavail, bsize } = await fs.statfs(s.site.dir);
        const reserve = Math.ceil((bavail * bsize) / MIB) + 50_000; // others may free some meanwhile
        if (reserve > 1048576) return ctx.skip('this disk is too large');
        const response = await s.site.cgi('upload.fcgi', {
            method: 'PATCH',
            target: `/api/uploads/${id}`,
            headers: { 'Tus-Resumable': '1.0.0', 'Content-Type': t.CHUNK, 'Upload-Offset': 6000 },
            body: file.subarray(6000),
            settings: { DROPSTREAM_DISK_RESERVE_MB: String(reserve) },
        });
        return assertError(response, 507, 'no_space');
    });
    refused('a checksum that is none, or of an unknown kind', async () => {
        const attempt = (value) =>
            t.patch(s.site, id, 6000, file.subarray(6000), { 'Upload-Checksum': value });
        assertError(await attempt('crc32 AAAAAA=='), 400, 'unknown_algorithm');
        assertError(await attempt('sha1'), 400, 'bad_header');
        assertError(await attempt('sha1 AAAA'), 400, 'bad_header');
        assertError(await attempt('sha1 !!!!'), 400, 'bad_header');
    });
    refused('bytes that do not have their checksum', async () => {
        for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
            const headers = { 'Upload-Checksum': t.checksum(algorithm, file.subarray(6001)) };
            const response = await t.patch(s.site, id, 6000, file.subarray(6000), headers);
            assertError(response, 460, 'checksum_mismatch');
            assert.equal(await t.offsetOf(s.site, id), 6000);
        }
    });
    s.it('bytes that have their checksum are taken', async () => {
        id = await t.create(s.site, file.length);
        let at = 0;
        let response;
        for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
            const chunk = file.subarray(at, at + 5000);
            const headers = { 'Upload-Checksum': t.checksum(algorithm, chunk) };
            response = await t.patch(s.site, id, at, chunk, headers);
            assert.equal(response.status, 204, response.text);
            at += 5000;
            assert.equal(response.headers['upload-offset'], String(at));
        }
        await t.assertStored(s.site, response.headers['dropstream-video'], file);
    });
    s.it('the first chunk is no video before its checksum was looked at', async () => {
        id = await t.create(s.site, file.length);
        const broken = Buffer.from(file);
        broken.fill(0x20, 0, 100);
        const headers = { 'Upload-Checksum': t.checksum('sha1', file) };
        assertError(await t.patch(s.site, id, 0, broken, headers), 460, 'checksum_mismatch');
        assert.equal(await t.offsetOf(s.site, id), 0);
        const response = await t.patch(s.site, id, 0, file, headers);
        await t.assertStored(s.site, response.headers['dropstream-video'], file);
        id = await t.create(s.site, broken.length);
        const own = { 'Upload-Checksum': t.checksum('sha1', broken) };
        assertError(await t.patch(s.site, id, 0, broken, own), 415, 'unsupported_type');
    });
    s.it('a video is in the library from its first checked chunk on', async () => {
        id = await t.create(s.site, file.length);
        const chunk = file.subarray(0, 5000);
        const headers = { 'Upload-Checksum': t.checksum('sha1', chunk) };
        const response = await t.patch(s.site, id, 0, chunk, headers);
        assert.equal(response.status, 204, response.text);
        const video = (await t.videos(s.site)).find(({ state }) => state === 'receiving');
        assert.equal(video?.container, 'mp4');
        assert.equal(response.headers['dropstream-video'], video.id);
        await t.tus(s.site, 'DELETE', id);
    });
});

describe('tus: uploads that are begun and never sent', () => {
    const s = suite({ env: { DROPSTREAM_UNSEEN_UPLOADS: '3' } });

    s.it('are so many and no more, until some of them are sent or given up', async () => {
        const file = tinyMp4(6000);
        const refused = async () => {
            const headers = { 'Upload-Length': 6000 };
            const response = await t.tus(s.site, 'POST', '', { headers });
            assertError(response, 503, 'too_many_uploads');
            assert.equal(response.headers['retry-after'], '2');
            assert.equal(response.headers.location, undefined);
        };
        const ids = [];
        for (let i = 0; i < 3; i++) ids.push(await t.create(s.site, 6000));
        await refused();
        assert.equal((await s.site.spool()).length, 3);
        // Not by its first bytes, but by as many as tell what it is.
        assert.equal((await t.patch(s.site, ids[0], 0, file.subarray(0, 4095))).status, 204);
        await refused();
        assert.equal((await t.patch(s.site, ids[0], 4095, file.subarray(4095, 5000))).status, 204);
        ids.push(await t.create(s.site, 6000));
        await refused();
        // A form brings its first bytes along.
        assert.equal((await s.site.upload(file, { fields: { upload_id: t.newUploadId() } })).status, 201);
        await t.tus(s.site, 'DELETE', ids[1]);
        ids.push(await t.create(s.site, 6000, { body: file.subarray(0, 10) }));
        await refused();
        assert.ok(!(await activity(s.site)).some((message) => message.includes('Too many')));
    });
});

describe('tus: uploads that are not finished', () => {
    const s = suite({ env: { DROPSTREAM_UNFINISHED_UPLOADS: '2' } });

    s.it('are so many of one person and no more, whatever has come of them', async () => {
        const file = tinyMp4(6000);
        const refused = async () => {
            const headers = { 'Upload-Length': 6000 };
            const response = await t.tus(s.site, 'POST', '', { headers });
            assertError(response, 429, 'too_many_unfinished');
            assert.equal(response.headers.location, undefined);
            assert.equal((await s.site.upload(file)).json?.error?.code, 'too_many_unfinished');
            assert.equal((await s.site.spool()).filter((name) => name.endsWith('.part')).length, 2);
        };
        const ids = [];
        for (let i = 0; i < 2; i++)
            ids.push(await t.create(s.site, 6000, { body: file.subarray(0, 5000) }));
        await refused();
        assert.equal((await t.patch(s.site, ids[0], 5000, file.subarray(5000))).status, 204);
        ids.push(await t.create(s.site, 6000));
        await refused();
        await t.tus(s.site, 'DELETE', ids[1]);
        assert.equal((await s.site.upload(file)).status, 201);
    });
});

describe('tus: files that are refused by what is in them', () => {
    const s = suite();
    const text = Buffer.alloc(9000, 'no video at all ');
    afterEach(async () => {
        assert.deepEqual(await s.site.spool(), []);
        assert.deepEqual(await t.videos(s.site), []);
    });

    s.it('after 4096 bytes, while the rest is still unsent', async () => {
        const id = await t.create(s.site, 5_000_000);
        const { closed } = await t.beginPatch(s.site, id, 0, text.subarray(0, 4096), 5_000_000, {
            Connection: 'close',
        });
        assert.match(await closed, /^HTTP\/1\.1 415 .*"unsupported_type"/s);
        assertError(await t.head(s.site, id), 404);
        assert.match((await activity(s.site)).at(-1), /^Upload of "clip.mp4" abandoned: /);
    });
    s.it('across the borders of chunks', async () => {
        const id = await t.create(s.site, 9000);
        for (let at = 0; at < 4000; at += 1000)
            assert.equal((await t.patch(s.site, id, at, text.subarray(at, at + 1000))).status, 204);
        assertError(await t.patch(s.site, id, 4000, text.subarray(4000, 4100)), 415, 'unsupported_type');
        assertError(await t.patch(s.site, id, 4100, text.subarray(4100)), 404, 'not_found');
    });
    s.it('by the first 4096 bytes whose checksum is right, not by the last ones', async () => {
        const checked = (at, end) => {
            const chunk = text.subarray(at, end);
            return t.patch(s.site, id, at, chunk, { 'Upload-Checksum': t.checksum('md5', chunk) });
        };
        let id = await t.create(s.site, 9000);
        assertError(await checked(0, 5000), 415, 'unsupported_type');
        assertError(await t.head(s.site, id), 404);
        id = await t.create(s.site, 9000);
        assert.equal((await checked(0, 4000)).status, 204);
        assertError(await checked(4000, 4100), 415, 'unsupported_type');
        assertError(await t.head(s.site, id), 404);
    });
    s.it('a whole one that is shorter', async () => {
        const id = await t.create(s.site, 3000);
        assert.equal((await t.patch(s.site, id, 0, text.subarray(0, 2999))).status, 204);
        assertError(await t.patch(s.site, id, 2999, text.subarray(2999, 3000)), 415, 'unsupported_type');
    });
    s.it('one whose video is deleted meanwhile', async () => {
        const file = tinyMp4(40_000);
        const id = await t.create(s.site, file.length);
        const { socket, closed } = await t.beginPatch(s.site, id, 0, file.subarray(0, 20_000), 40_000, {
            Connection: 'close',
        });
        const [video] = await waitFor(async () => {
            const list = await t.videos(s.site);
            return list.length && list;
        });
        assert.equal((await s.site.api('DELETE', `/api/videos/${video.id}`)).status, 204);
        for (let at = 20_000; at < 40_000; at += 1000) {
            socket.write(file.subarray(at, at + 1000));
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
        assert.match(await closed, /^HTTP\/1\.1 410 .*"deleted"/s);
        assertError(await t.head(s.site, id), 410);
        assertError(await t.patch(s.site, id, 0, file), 410, 'gone');
        assertError(await t.tus(s.site, 'DELETE', id), 410, 'gone');
    });
});

describe('tus: termination', () => {
    const s = suite();

    s.it('removes all of an upload', async () => {
        const id = await t.create(s.site, 10_000);
        await t.patch(s.site, id, 0, tinyMp4(10_000).subarray(0, 5000));
        assert.equal((await s.site.spool()).length, 1);
        const response = await t.tus(s.site, 'DELETE', id);
        assert.equal(response.status, 204);
        assert.equal(response.headers['tus-resumable'], '1.0.0');
        assert.deepEqual(await s.site.spool(), []);
        assert.deepEqual(await t.videos(s.site), []);
        assertError(await t.head(s.site, id), 404);
        assertError(await t.patch(s.site, id, 5000, Buffer.alloc(1)), 404, 'not_found');
        assert.match((await activity(s.site)).at(-1), /gave it up/);
    });
    s.it('stops the request that brings the bytes', async () => {
        const id = await t.create(s.site, 10_000);
        const { closed } = await t.beginPatch(s.site, id, 0, tinyMp4(10_000).subarray(0, 5000), 10_000);
        await t.waitForPart(s.site, 4096);
        assert.equal((await t.tus(s.site, 'DELETE', id)).status, 204);
        assert.match(await closed, /^HTTP\/1\.1 409 .*"taken_over"/s);
        assert.deepEqual(await s.site.spool(), []);
    });
});
