/* Uploads through the real lighttpd: what is taken, what is refused and how, and that
 * nothing of a refused one stays. No worker runs here. What goes wrong on the way:
 * upload_trouble.test.mjs. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { assertError } from '../lib/errors.mjs';
import { formAround, startSite, tinyMp4, waitFor, whole, wire } from '../lib/site.mjs';
import { WATCHED } from '../lib/under.mjs';
import { videos } from '../lib/tus.mjs';

const MIB = 1024 * 1024;

function post(site, type, body) {
    const headers = { 'Content-Length': body.length };
    if (type) headers['Content-Type'] = type;
    return site.request('POST', '/api/videos', { headers, body });
}

describe('uploads that are refused', () => {
    let site, pids;
    before(async () => {
        site = await startSite({ env: { DROPSTREAM_MAX_UPLOAD_MB: '1' } });
        pids = await site.handlers();
    });
    after(() => site.stop());
    afterEach(async () => {
        await waitFor(async () => (await site.spool()).length === 0, {
            timeout: 5000,
            what: 'the spool to be empty',
        });
        await waitFor(async () => (await videos(site)).length === 0, {
            timeout: 5000,
            what: 'the rows to be gone',
        });
        assert.deepEqual(await site.handlers(), pids, 'a handler died');
    });
    const refused = (name, fn) => it(name, (t) => site.logged(fn)(t));

    refused('an empty file', async () => {
        assertError(await site.upload(Buffer.alloc(0)), 422, 'empty_file');
    });
    refused('ten bytes', async () => {
        assertError(await site.upload(tinyMp4().subarray(0, 10)), 422, 'too_short');
    });
    refused('a file of the wrong type, with the reason', async () => {
        const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(9000)]);
        const response = await site.upload(png, { name: 'film.mp4' });
        assertError(response, 415, 'unsupported_type');
        assert.match(response.json.error.message, /PNG|image|picture/i);
    });
    refused('a file of the wrong type, while the rest is still unsent', async () => {
        const form = formAround('a.mp4');
        const start = Buffer.concat([form.head, Buffer.alloc(4096 + 512, 0x20)]);
        const text = await site.raw(wire(form.type, start, 900_000));
        assert.match(text, /^HTTP\/1\.1 415 .*"unsupported_type"/s);
    });
    refused('a body that is not a form', async () => {
        assertError(await post(site, 'video/mp4', tinyMp4()), 415, 'not_multipart');
        assertError(await post(site, null, tinyMp4()), 415, 'not_multipart');
    });
    refused('a form without a boundary', async () => {
        const body = whole(formAround('a.mp4'), tinyMp4());
        assertError(await post(site, 'multipart/form-data', body), 400, 'bad_boundary');
        assertError(await post(site, 'multipart/form-data; boundary=', body), 400, 'bad_boundary');
    });
    refused('a form that breaks the grammar', async () => {
        const body = Buffer.from('--B\r\nno header here\r\n\r\nx\r\n--B--\r\n');
        assertError(await post(site, 'multipart/form-data; boundary=B', body), 400, 'bad_multipart');
    });
    refused('a form without a file', async () => {
        const body = Buffer.from(
            '--B\r\nContent-Disposition: form-data; name="title"\r\n\r\nt\r\n--B--\r\n',
        );
        assertError(await post(site, 'multipart/form-data; boundary=B', body), 400, 'no_file');
    });
    refused('a form with two files', async () => {
        const form = formAround('a.mp4');
        const second = Buffer.from(form.head.toString().replace(/^/, '\r\n'));
        const body = Buffer.concat([form.head, tinyMp4(), second, tinyMp4(), form.tail]);
        assertError(await post(site, form.type, body), 400, 'two_files');
    });
    refused('a body without its closing boundary', async () => {
        const form = formAround('a.mp4');
        const body = Buffer.concat([form.head, tinyMp4()]);
        assertError(await post(site, form.type, body), 400, 'truncated');
    });
    refused('an empty body', async () => {
        assertError(await post(site, formAround('a').type, Buffer.alloc(0)), 400, 'truncated');
    });
    refused('a body of unknown length', async () => {
        const body = whole(formAround('a.mp4'), tinyMp4());
        const text = await site.raw(
            'POST /api/videos HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
                `Content-Type: ${formAround('a').type}\r\nTransfer-Encoding: chunked\r\n\r\n` +
                `${body.length.toString(16)}\r\n`,
        );
        assert.match(text, /^HTTP\/1\.1 411 /);
    });
    refused('a connection that breaks off in the middle', async () => {
        const form = formAround('a.mp4');
        const start = Buffer.concat([form.head, tinyMp4(100_000)]);
        const sent = site.raw(wire(form.type, start, 500_000), { hangUp: true, pause: 300 });
        await waitFor(async () => (await site.spool()).some((name) => name.endsWith('.part')), {
            what: 'the upload to begin',
        });
        await sent;
        await waitFor(async () => (await site.spool()).length === 0);
        const lastOf = async () => (await site.api('GET', '/api/activity')).json.activity.at(-1).message;
        await waitFor(async () => /broke off/.test(await lastOf()), { what: 'the log to say so' });
    });
    refused('a connection that breaks off inside the first bytes of the file', async () => {
        const form = formAround('a.mp4');
        const start = Buffer.concat([form.head, tinyMp4().subarray(0, 100)]);
        await site.raw(wire(form.type, start, 500_000), { hangUp: true, pause: 200 });
    });
    refused('a body that is announced too large, before any of it is read', async () => {
        const text = await site.raw(wire(formAround('a').type, Buffer.alloc(0), 70 * MIB));
        assert.match(text, /^HTTP\/1\.1 413 .*"too_large"/s);
    });
    refused('a file that must be too large by what is left of the body', async () => {
        const form = formAround('a.mp4');
        const start = Buffer.concat([form.head, tinyMp4(2 * MIB).subarray(0, 5000)]);
        const text = await site.raw(wire(form.type, start, 2 * MIB));
        assert.match(text, /^HTTP\/1\.1 413 .*"too_large"/s);
    });
    refused('a size field over the limit', async () => {
        const response = await site.upload(tinyMp4(), { fields: { size: 2 * MIB } });
        assertError(response, 413, 'too_large');
    });
    refused('a file that turns out too large', async () => {
        assertError(await site.upload(tinyMp4(MIB + 1)), 413, 'too_large');
    });
    refused('a file of another size than announced', async () => {
        assertError(await site.upload(tinyMp4(9000), { fields: { size: 8999 } }), 400, 'size_mismatch');
        assertError(await site.upload(tinyMp4(9000), { fields: { size: 9001 } }), 400, 'size_mismatch');
    });
    refused('fields that are wrong', async () => {
        const attempt = (fields) => site.upload(tinyMp4(), { fields });
        assertError(await attempt({ size: 'many' }), 400, 'bad_size');
        assertError(await attempt({ upload_id: '../../etc' }), 400, 'bad_upload_id');
        assertError(await attempt({ note: 'x'.repeat(5000) }), 413, 'field_too_large');
        assertError(await attempt({ title: 'x'.repeat(5000) }), 413, 'field_too_large');
    });
    refused('a method that the address does not have', async () => {
        const response = await site.api('PUT', '/api/videos', '{}');
        assertError(response, 405, 'method_not_allowed');
        assert.equal(response.headers.allow, 'GET, HEAD, POST');
    });
    refused('a body that ends early, under plain CGI', async () => {
        const form = formAround('a.mp4');
        const body = Buffer.concat([form.head, tinyMp4()]);
        const response = await site.cgi('upload.fcgi', {
            method: 'POST',
            headers: { 'Content-Type': form.type, 'Content-Length': 500_000 },
            body,
        });
        assertError(response, 400, 'truncated');
    });
    refused('a request without a length, under plain CGI', async () => {
        const headers = { 'Content-Type': formAround('a').type };
        const response = await site.cgi('upload.fcgi', { method: 'POST', headers });
        assertError(response, 411, 'length_required');
        headers['Content-Length'] = '12x';
        assertError(await site.cgi('upload.fcgi', { method: 'POST', headers }), 400, 'invalid');
    });
    refused('another method under plain CGI', async () => {
        const response = await site.cgi('upload.fcgi', { method: 'GET' });
        assertError(response, 405, 'method_not_allowed');
        assert.equal(response.headers.allow, 'POST');
    });
    refused('any upload while the disk has less than its reserve', async (t) => {
        const { bavail, bsize } = await fs.statfs(site.dir);
        const reserve = 1024 * 1024; // MiB
        if (bavail * bsize > (reserve + 1) * MIB) return t.skip('this disk is too large');
        const form = formAround('a.mp4');
        const response = await site.cgi('upload.fcgi', {
            method: 'POST',
            headers: { 'Content-Type': form.type },
            body: whole(form, tinyMp4()),
            settings: { DROPSTREAM_DISK_RESERVE_MB: String(reserve) },
        });
        return assertError(response, 507, 'no_space');
    });
    refused('a file that the disk has no room for', async () => {
        // The kernel refuses to let a file grow: to the program that is a full disk.
        const form = formAround('a.mp4');
        const response = await site.cgi('upload.fcgi', {
            method: 'POST',
            headers: { 'Content-Type': form.type },
            body: whole(form, tinyMp4(5 * MIB)),
            settings: { DROPSTREAM_MAX_UPLOAD_MB: '10' },
            under: ['prlimit', `--fsize=${4 * MIB}`],
        });
        assertError(response, 507, 'no_space');
    });
    refused('an upload whose video is deleted meanwhile', async () => {
        const form = formAround('doomed.mp4');
        const body = whole(form, tinyMp4(600_000));
        const bytes = wire(form.type, body);
        const parts = [];
        for (let i = 0; i < 4; i++) parts.push(bytes.subarray(i * 150_000, (i + 1) * 150_000));
        const text = site.raw(parts, { pause: 900 });
        const [video] = await waitFor(async () => {
            const list = await videos(site);
            return list.length && list;
        });
        assert.equal(video.state, 'receiving');
        assert.equal(video.filename, 'doomed.mp4');
        assert.equal((await site.api('DELETE', `/api/videos/${video.id}`)).status, 204);
        assert.match(await text, /^HTTP\/1\.1 410 .*"deleted"/s);
    });
});

describe('uploads that are taken', () => {
    let site, pids;
    before(async () => {
        site = await startSite();
        pids = await site.handlers();
    });
    after(() => site.stop());
    const taken = (name, fn) => it(name, (t) => site.logged(fn)(t));

    async function assertStored(response, file) {
        assert.equal(response.status, 201, response.text);
        assert.equal(response.headers.location, `/api/videos/${response.json.id}`);
        assert.equal(response.headers['cache-control'], 'no-store');
        assert.equal(response.json.state, 'stored');
        assert.equal(response.json.size, file.length);
        assert.equal(response.json.received, file.length);
        const stored = await fs.readFile(site.path('spool', `${response.json.id}.src`));
        assert.ok(stored.equals(file), 'the stored file differs');
        return response.json;
    }

    taken('the stored file is the sent file, byte by byte', async () => {
        const file = tinyMp4(3_000_000);
        for (let i = 24; i < file.length; i += 4) if (i > 40) file.writeUInt32LE(i * 2654435761 >>> 0, i - 4);
        const video = await assertStored(await site.upload(file, { name: 'clip.mp4' }), file);
        assert.match(video.id, /^[a-z2-7]{16}$/);
        assert.equal(video.title, 'clip');
        assert.equal(video.container, 'mp4');
        assert.equal(video.playable, false);
        assert.equal(video.media, null);
        assert.equal(video.poster, null);
        assert.deepEqual(video.renditions, []);
        assert.equal(typeof video.timing.stored_s, 'number');
        assert.equal(video.timing.ready_s, null);
        assert.ok(Math.abs(Date.parse(video.created_at) - Date.now()) < 60_000);
        const mode = (await fs.stat(site.path('spool', `${video.id}.src`))).mode & 0o777;
        assert.equal(mode, 0o600);
    });
    taken('a file that looks like a boundary all over', async () => {
        const form = formAround('a.mp4');
        const mark = form.tail.subarray(0, form.tail.length - 5);
        const file = tinyMp4(400_000);
        for (let i = 100; i + mark.length < file.length; i += mark.length) mark.copy(file, i);
        // One byte short of the boundary each time.
        for (let i = 100 + mark.length - 1; i < file.length; i += mark.length) file[i] = 0x21;
        await assertStored(await site.upload(file), file);
    });
    taken('small and odd sizes', async () => {
        for (const size of [40, 4095, 4096, 4097, 65_537]) {
            const file = tinyMp4(size);
            await assertStored(await site.upload(file), file);
        }
    });
    taken('title, size and names from outside are data, never a path', async () => {
        const file = tinyMp4();
        const fields = { title: '  Ein Käse 🧀  ', size: file.length, upload_id: 'a1'.repeat(16) };
        const video = await assertStored(
            await site.upload(file, { name: '../../../etc/cron.d/x.mp4', fields }),
            file,
        );
        assert.equal(video.title, 'Ein Käse 🧀');
        assert.equal(video.filename, 'x.mp4');
        await assertStored(await site.upload(file, { name: 'a%00b\\..\\$(id);`x`.mp4' }), file);
    });
    taken('unknown fields are passed over', async () => {
        const file = tinyMp4();
        await assertStored(await site.upload(file, { fields: { other: 'y' } }), file);
    });
    taken('bytes that come in dribs and drabs', async () => {
        const file = tinyMp4(5000);
        const form = formAround('slow.mp4');
        const bytes = wire(form.type, whole(form, file));
        const parts = [];
        for (let i = 0; i < bytes.length; i += 97) parts.push(bytes.subarray(i, i + 97));
        const text = await site.raw(parts, { pause: 3 });
        assert.match(text, /^HTTP\/1\.1 201 /);
        const json = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
        assert.ok((await fs.readFile(site.path('spool', `${json.id}.src`))).equals(file));
    });
    taken('a running upload is listed with its progress', async () => {
        const form = formAround('running.mp4', { size: 400_000 });
        const bytes = wire(form.type, whole(form, tinyMp4(400_000)));
        const parts = [bytes.subarray(0, 150_000), bytes.subarray(150_000, 300_000), bytes.subarray(300_000)];
        const text = site.raw(parts, { pause: 1300 });
        const running = await waitFor(async () =>
            (await videos(site)).find((v) => v.state === 'receiving' && v.received > 0),
        );
        assert.equal(running.size, 400_000);
        assert.ok(running.received < 400_000);
        assert.match(await text, /^HTTP\/1\.1 201 /);
    });
    taken('twenty at once', async () => {
        const files = Array.from({ length: 20 }, (_, i) => tinyMp4(1_000_000 + i, i));
        const responses = await Promise.all(
            files.map((file, i) => site.upload(file, { name: `at-once-${i}.mp4` })),
        );
        const ids = new Set();
        for (const [i, response] of responses.entries()) {
            const video = await assertStored(response, files[i]);
            assert.equal(video.title, `at-once-${i}`);
            ids.add(video.id);
        }
        assert.equal(ids.size, 20);
    });
    taken('an upload under plain CGI', async () => {
        const form = formAround('cgi.mp4');
        const file = tinyMp4(300_000);
        const response = await site.cgi('upload.fcgi', {
            method: 'POST',
            headers: { 'Content-Type': form.type },
            body: whole(form, file),
        });
        await assertStored(response, file);
    });
    taken('memory stays small and no handler died', async () => {
        await site.upload(tinyMp4(50_000_000));
        assert.deepEqual(await site.handlers(), pids);
        const status = await fs.readFile(`/proc/${pids['upload.fcgi']}/status`, 'utf8');
        const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)[1]);
        // 128 threads that wait, twenty uploads at once, and one that is large.
        assert.ok(WATCHED || peak < 12 * 1024, `upload.fcgi took ${peak} KiB`);
    });
});
