/* Uploads by tus 1.0.0 through the real lighttpd: the headers and statuses of the protocol.
 * What is refused on the way is in tus_refused.test.mjs, what becomes of an upload when
 * something breaks in tus_resume.test.mjs. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { afterEach, describe } from 'node:test';
import { tinyMp4 } from '../lib/site.mjs';
import * as t from '../lib/tus.mjs';
import { activity, assertError, suite } from '../lib/tus_suite.mjs';

const MIB = 1024 * 1024;

describe('tus: the protocol', () => {
    const s = suite();

    s.it('OPTIONS tells what there is, to any version', async () => {
        for (const id of ['', 'a'.repeat(32)]) {
            const response = await t.tus(s.site, 'OPTIONS', id, {
                headers: { 'Tus-Resumable': '0.2.2' },
            });
            assert.equal(response.status, 204);
            assert.equal(response.headers['tus-resumable'], '1.0.0');
            assert.equal(response.headers['tus-version'], '1.0.0');
            assert.equal(
                response.headers['tus-extension'],
                'creation,creation-with-upload,termination,expiration,checksum',
            );
            assert.equal(response.headers['tus-max-size'], String(51200 * MIB));
            assert.equal(response.headers['tus-checksum-algorithm'], 'md5,sha1,sha256,sha512');
            assert.equal(response.headers['dropstream-chunk-bytes'], '0');
            assert.equal(response.headers['dropstream-index-bytes'], String(64 * MIB));
        }
    });
    s.it('another version is a 412 that names ours', async () => {
        for (const version of ['0.2.2', '', '1.0.0 ,1.0.1']) {
            const headers = { 'Tus-Resumable': version, 'Upload-Length': 100 };
            const response = await t.tus(s.site, 'POST', '', { headers });
            assertError(response, 412, 'wrong_version');
            assert.equal(response.headers['tus-version'], '1.0.0');
        }
        const none = await s.site.request('HEAD', `/api/uploads/${'a'.repeat(32)}`);
        assertError(none, 412);
        assert.equal((await s.site.spool()).length, 0);
    });
    s.it('other methods are a 405 that lists those there are', async () => {
        const one = await t.tus(s.site, 'GET', 'a'.repeat(32));
        assertError(one, 405, 'method_not_allowed');
        assert.equal(one.headers.allow, 'OPTIONS, HEAD, PATCH, DELETE');
        const all = await t.tus(s.site, 'PUT', '', { body: '' });
        assertError(all, 405, 'method_not_allowed');
        assert.equal(all.headers.allow, 'OPTIONS, POST');
    });
    s.it('names that are none and uploads that are not there are a 404', async () => {
        for (const id of ['a', 'g'.repeat(32), 'a'.repeat(33), `${'a'.repeat(32)}/x`]) {
            assertError(await t.tus(s.site, 'HEAD', id), 404);
            assertError(await t.tus(s.site, 'DELETE', id), 404, 'not_found');
        }
        const id = 'a'.repeat(32);
        assertError(await t.head(s.site, id), 404);
        assertError(await t.patch(s.site, id, 0, Buffer.alloc(10)), 404, 'not_found');
        assertError(await t.tus(s.site, 'DELETE', id), 404, 'not_found');
        assert.equal((await s.site.request('GET', '/api/uploadsx')).status, 404);
    });
    s.it('a file in one chunk becomes a video', async () => {
        const file = tinyMp4(300_000);
        const id = await t.create(s.site, file.length, { title: 'Käse', filetype: 'video/mp4' });
        const response = await t.patch(s.site, id, 0, file);
        assert.equal(response.status, 204, response.text);
        assert.equal(response.headers['upload-offset'], '300000');
        assert.equal(response.headers['upload-expires'], undefined);
        const video = await t.assertStored(s.site, response.headers['dropstream-video'], file);
        assert.equal(video.title, 'Käse');
        assert.equal(video.filename, 'clip.mp4');
        assert.equal(video.container, 'mp4');
        const mode = (await fs.stat(s.site.path('spool', `${video.id}.src`))).mode & 0o777;
        assert.equal(mode, 0o600);
    });
    s.it('a file in chunks of any size is put together', async () => {
        for (const size of [1, 100, 4095, 4096, 4097, 10_000]) {
            const file = tinyMp4(size === 1 ? 60 : 21_000);
            const id = await t.create(s.site, file.length);
            let response;
            for (let at = 0; at < file.length; at += size) {
                const end = Math.min(at + size, file.length);
                response = await t.patch(s.site, id, at, file.subarray(at, end));
                assert.equal(response.status, 204, response.text);
                assert.equal(response.headers['upload-offset'], String(end));
                // It is told of as soon as its first bytes were found good.
                const decided = end >= Math.min(4096, file.length);
                assert.equal('dropstream-video' in response.headers, decided);
            }
            await t.assertStored(s.site, response.headers['dropstream-video'], file);
        }
    });
    s.it('HEAD tells how far an upload is, and what was said of it', async () => {
        const file = tinyMp4(20_000);
        const id = await t.create(s.site, file.length, { 'my-key': 'x' });
        const expected = (headers, offset) => {
            assert.equal(headers['upload-offset'], String(offset));
            assert.equal(headers['upload-length'], '20000');
            assert.equal(headers['upload-metadata'], t.metadata({ filename: 'clip.mp4', 'my-key': 'x' }));
            assert.equal(headers['cache-control'], 'no-store');
            assert.equal(headers['tus-resumable'], '1.0.0');
        };
        let response = await t.head(s.site, id);
        assert.equal(response.status, 200);
        expected(response.headers, 0);
        assert.equal(response.headers['dropstream-video'], undefined);
        const lasts = (hours) => {
            const ms = Date.parse(response.headers['upload-expires']) - Date.now();
            assert.ok(Math.abs(ms - hours * 3600_000) < 60_000, response.headers['upload-expires']);
        };
        lasts(1); // as long as nothing of it has come
        await t.patch(s.site, id, 0, file.subarray(0, 5000));
        response = await t.head(s.site, id.toUpperCase());
        lasts(24);
        expected(response.headers, 5000);
        const video = response.headers['dropstream-video'];
        assert.equal((await s.site.api('GET', `/api/videos/${video}`)).json.received, 5000);
        await t.patch(s.site, id, 5000, file.subarray(5000));
        response = await t.head(s.site, id);
        expected(response.headers, 20_000);
        assert.equal(response.headers['dropstream-video'], video);
        assert.equal(response.headers['upload-expires'], undefined);
    });
    s.it('a finished upload takes nothing more, but says so as often as it is asked', async () => {
        const file = tinyMp4(9000);
        const id = await t.create(s.site, file.length);
        await t.patch(s.site, id, 0, file);
        const again = await t.patch(s.site, id, 9000, Buffer.alloc(0));
        assert.equal(again.status, 204);
        assert.equal(again.headers['upload-offset'], '9000');
        const video = again.headers['dropstream-video'];
        assertError(await t.patch(s.site, id, 9000, Buffer.alloc(10)), 403, 'finished');
        assertError(await t.patch(s.site, id, 0, file), 409, 'wrong_offset');
        assertError(await t.tus(s.site, 'DELETE', id), 403, 'finished');
        await t.assertStored(s.site, video, file);
    });
    s.it('PATCH may be said by a header', async () => {
        const file = tinyMp4(5000);
        const id = await t.create(s.site, file.length);
        const as = (method) => ({ 'X-HTTP-Method-Override': method });
        const options = { headers: { 'Content-Type': t.CHUNK, 'Upload-Offset': 0, ...as('PATCH') } };
        const response = await t.tus(s.site, 'POST', id, { ...options, body: file.subarray(0, 4500) });
        assert.equal(response.status, 204, response.text);
        const told = await t.tus(s.site, 'GET', id, { headers: as('HEAD') });
        assert.equal(told.headers['upload-offset'], '4500');
        assert.equal((await t.tus(s.site, 'POST', id, { headers: as('DELETE') })).status, 204);
        assertError(await t.tus(s.site, 'POST', id, { headers: as('NONE') }), 405, 'method_not_allowed');
    });
    s.it('a video is on no list before its first bytes have come', async () => {
        const id = await t.create(s.site, 10_000, { filename: 'hidden.mp4' });
        const listed = async () => (await t.videos(s.site)).some((v) => v.filename === 'hidden.mp4');
        assert.equal(await listed(), false);
        await t.patch(s.site, id, 0, tinyMp4(10_000).subarray(0, 4000));
        assert.equal(await listed(), false);
        await t.patch(s.site, id, 4000, tinyMp4(10_000).subarray(4000, 4096));
        assert.equal(await listed(), true);
        const [video] = await t.videos(s.site);
        assert.equal(video.state, 'receiving');
        assert.equal(video.received, 4096);
        assert.equal(video.size, 10_000);
        await t.tus(s.site, 'DELETE', id);
        assert.equal(await listed(), false);
    });
    s.it('under plain CGI it is the same', async () => {
        const file = tinyMp4(50_000);
        const cgi = (method, target, headers = {}, body = '') =>
            s.site.cgi('upload.fcgi', {
                method,
                target,
                headers: { 'Tus-Resumable': '1.0.0', ...headers },
                body,
            });
        const created = await cgi('POST', '/api/uploads', { 'Upload-Length': file.length });
        assert.equal(created.status, 201, created.text);
        const target = created.headers.location;
        const chunk = (offset) => ({ 'Content-Type': t.CHUNK, 'Upload-Offset': offset });
        assert.equal((await cgi('PATCH', target, chunk(0), file.subarray(0, 20_000))).status, 204);
        assert.equal((await cgi('HEAD', target)).headers['upload-offset'], '20000');
        // What one program began another goes on with.
        const response = await t.tus(s.site, 'PATCH', target, {
            headers: chunk(20_000),
            body: file.subarray(20_000),
        });
        await t.assertStored(s.site, response.headers['dropstream-video'], file);
    });
    s.it('no handler died', async () => assert.deepEqual(await s.site.handlers(), s.pids));
});

describe('tus: creation', () => {
    const s = suite({
        env: { DROPSTREAM_MAX_UPLOAD_MB: '1', DROPSTREAM_UPLOAD_CHUNK_MB: '90', DROPSTREAM_INDEX_MAX_MB: '2' },
    });
    const post = (headers, body) => t.tus(s.site, 'POST', '', { headers, body });
    afterEach(async () => {
        assert.deepEqual((await s.site.spool()).filter((name) => !name.endsWith('.src')), []);
        assert.deepEqual(await s.site.handlers(), s.pids, 'a handler died');
    });

    s.it('what the page has to keep to is told beforehand', async () => {
        const { headers } = await t.tus(s.site, 'OPTIONS', '');
        assert.equal(headers['tus-max-size'], String(MIB));
        assert.equal(headers['dropstream-chunk-bytes'], String(90 * MIB));
        assert.equal(headers['dropstream-index-bytes'], String(2 * MIB));
    });
    s.it('needs the length, a number', async () => {
        assertError(await post({}), 400, 'bad_header');
        for (const length of ['', 'many', '-1', '1.5', '99999999999999999999'])
            assertError(await post({ 'Upload-Length': length }), 400, 'bad_header');
    });
    s.it('takes no length that comes later, and no parts', async () => {
        assertError(await post({ 'Upload-Defer-Length': 1 }), 400, 'length_deferred');
        const headers = { 'Upload-Length': 100, 'Upload-Concat': 'partial' };
        assertError(await post(headers), 400, 'no_concatenation');
    });
    s.it('refuses what no video is, or none that is taken', async () => {
        assertError(await post({ 'Upload-Length': 0 }), 422, 'empty_file');
        assertError(await post({ 'Upload-Length': 15 }), 422, 'too_short');
        assertError(await post({ 'Upload-Length': MIB + 1 }), 413, 'too_large');
        assert.match((await activity(s.site)).at(-1), /^Upload refused: The file is larger/);
    });
    s.it('refuses metadata that is wrong', async () => {
        const attempt = (value) => post({ 'Upload-Length': 100, 'Upload-Metadata': value });
        for (const value of [
            'filename !!!',
            'filename YQ',
            'filename YQ==,filename YQ==',
            ',',
            'upload_id YQ==',
        ])
            assertError(await attempt(value), 400, 'bad_metadata');
        const many = Array.from({ length: 70 }, (_, i) => `k${i}`).join();
        assertError(await attempt(many), 413, 'too_large');
    });
    s.it('refuses a file that the disk has no room for', async (ctx) => {
        const { bavail, bsize } = await fs.statfs(s.site.dir);
        const reserve = Math.floor((bavail * bsize) / MIB) - 2;
        if (reserve > 1048576) return ctx.skip('this disk is too large');
        const response = await s.site.cgi('upload.fcgi', {
            method: 'POST',
            target: '/api/uploads',
            headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': 100 * MIB },
            settings: {
                DROPSTREAM_DISK_RESERVE_MB: String(reserve),
                DROPSTREAM_MAX_UPLOAD_MB: '1000',
            },
        });
        return assertError(response, 507, 'no_space');
    });
    s.it('makes names where none are given', async () => {
        const headers = { 'Upload-Length': 5000, 'Content-Type': t.CHUNK };
        const response = await post(headers, tinyMp4(5000));
        assert.equal(response.status, 201, response.text);
        const video = await t.assertStored(s.site, response.headers['dropstream-video'], tinyMp4(5000));
        assert.equal(video.title, 'upload');
        assert.equal(video.filename, 'upload');
    });
    s.it('takes names as data, never as a path', async () => {
        const file = tinyMp4(5000);
        const id = await t.create(s.site, 5000, { filename: '../../etc/cron.d/x.mp4', body: file });
        const { headers } = await t.head(s.site, id);
        const video = await t.assertStored(s.site, headers['dropstream-video'], file);
        assert.equal(video.filename, 'x.mp4');
        assert.equal(video.title, 'x');
    });
    s.it('may bring the first bytes along', async () => {
        const file = tinyMp4(30_000);
        const headers = { 'Upload-Length': file.length, 'Content-Type': t.CHUNK };
        const response = await post(headers, file.subarray(0, 10_000));
        assert.equal(response.status, 201, response.text);
        assert.equal(response.headers['upload-offset'], '10000');
        assert.ok(response.headers['upload-expires']);
        const video = response.headers['dropstream-video'];
        const last = await t.tus(s.site, 'PATCH', response.headers.location, {
            headers: { 'Content-Type': t.CHUNK, 'Upload-Offset': 10_000 },
            body: file.subarray(10_000),
        });
        assert.equal(last.headers['dropstream-video'], video);
        await t.assertStored(s.site, video, file);
    });
    s.it('refuses first bytes that are wrong, and forgets the upload', async () => {
        const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(9000)]);
        const headers = { 'Upload-Length': 9008, 'Content-Type': t.CHUNK };
        const uploadId = t.newUploadId();
        const named = { ...headers, 'Upload-Metadata': t.metadata({ upload_id: uploadId }) };
        assertError(await post(named, png), 415, 'unsupported_type');
        assertError(await t.head(s.site, uploadId), 404);
        const wrongType = { ...headers, 'Content-Type': 'video/mp4' };
        assertError(await post(wrongType, png), 415, 'not_a_chunk');
        const tooMuch = { ...headers, 'Upload-Length': 9007 };
        const id = t.newUploadId();
        const pairs = t.metadata({ upload_id: id });
        assertError(await post({ ...tooMuch, 'Upload-Metadata': pairs }, png), 413, 'length_exceeded');
        await t.tus(s.site, 'DELETE', id);
    });
    s.it('takes a name that the client chose, once', async () => {
        const file = tinyMp4(5000);
        const uploadId = t.newUploadId();
        assert.equal(await t.create(s.site, 5000, { upload_id: uploadId.toUpperCase() }), uploadId);
        const attempt = () =>
            post({ 'Upload-Length': 5000, 'Upload-Metadata': t.metadata({ upload_id: uploadId }) });
        assertError(await attempt(), 409, 'upload_id_taken');
        const done = await t.patch(s.site, uploadId, 0, file);
        const video = done.headers['dropstream-video'];
        const taken = await attempt();
        assertError(taken, 409, 'upload_id_taken');
        assert.equal(taken.headers['dropstream-video'], video);
        await t.assertStored(s.site, video, file);
        await s.site.api('DELETE', `/api/videos/${video}`);
        assertError(await t.head(s.site, uploadId), 410);
        assert.equal(await t.create(s.site, 5000, { upload_id: uploadId }), uploadId);
        assert.equal((await t.tus(s.site, 'DELETE', uploadId)).status, 204);
        assertError(await t.head(s.site, uploadId), 404);
    });
});
