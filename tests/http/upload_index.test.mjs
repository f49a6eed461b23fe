/* The index of a file that ends with it, sent ahead: in a form, and beside an upload by
 * tus. It lies beside the bytes while they come in. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { assertError } from '../lib/errors.mjs';
import { sleep, startSite, tinyMp4, waitFor } from '../lib/site.mjs';
import * as t from '../lib/tus.mjs';

const MIB = 1024 * 1024;
const file = tinyMp4(400_000);

/* An index of so many bytes that says nothing: a moov box around a free one. */
function emptyIndex(bytes, fill = 'm') {
    const box = Buffer.alloc(bytes, fill);
    box.writeUInt32BE(bytes, 0);
    box.write('moov', 4);
    box.writeUInt32BE(bytes - 8, 8);
    box.write('free', 12);
    return box;
}
const box = (type, ...inner) => {
    const body = Buffer.concat(inner.map((part) => Buffer.from(part)));
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + body.length);
    head.write(type, 4);
    return Buffer.concat([head, body]);
};
/* An index with the chunks of one track, at these offsets, of `count` that it speaks of. */
function chunkIndex(offsets, count = offsets.length) {
    const table = Buffer.alloc(8 + 4 * offsets.length);
    table.writeUInt32BE(count, 4);
    offsets.forEach((at, i) => table.writeUInt32BE(at, 8 + 4 * i));
    return box('moov', box('trak', box('mdia', box('minf', box('stbl', box('stco', table))))));
}
const moov = emptyIndex(30_000);
const OFFSET = 370_000;

const sql = async (site, text) =>
    (
        await promisify(execFile)('sqlite3', ['-cmd', '.timeout 5000', site.path('db/dropstream.db'), text])
    ).stdout.trim();
const offsetInRow = (site, uploadId) =>
    sql(site, `SELECT index_offset FROM videos WHERE upload_id = '${uploadId}'`);
const spoolOf = async (site, suffix) => (await site.spool()).filter((name) => name.endsWith(suffix));

/* What can be no index of the file, at OFFSET. */
const WRONG = [
    ['no box at all', Buffer.alloc(64, 'garbage!'), 'The index that was sent is not a whole moov box.'],
    ['cut off', moov.subarray(0, -1), 'The index that was sent is not a whole moov box.'],
    ['damaged', chunkIndex([100], 7), 'The index that was sent is damaged.'],
    [
        'of a longer file',
        chunkIndex([100, 399_999, 400_000]),
        'The index that was sent refers to media outside the file.',
    ],
    [
        'said to hold media',
        chunkIndex([100, OFFSET + 8]),
        'The index that was sent refers to media where it is itself.',
    ],
];

let site;
before(async () => (site = await startSite({ env: { DROPSTREAM_INDEX_MAX_MB: '1' } })));
after(() => site.stop());
const test = (name, fn) => it(name, (ctx) => site.logged(fn)(ctx));

/* Nothing but whole files is left. */
async function assertClean() {
    await waitFor(async () => (await site.spool()).every((name) => name.endsWith('.src')), {
        timeout: 5000,
        what: 'the spool to be clean',
    });
}

describe('an index in a form', () => {
    const fields = (more) => ({ size: file.length, index_offset: OFFSET, index: moov, ...more });

    test('is kept beside the bytes, and told of in the row', async () => {
        const uploadId = t.newUploadId();
        const begun = await t.beginForm(site, file, 100_000, fields({ upload_id: uploadId }));
        await t.waitForPart(site, 10_000);
        const part = await t.partOf(site);
        const index = part.replace('.part', '.idx');
        assert.deepEqual(await fs.readFile(site.path('spool', index)), moov);
        assert.equal((await fs.stat(site.path('spool', index))).mode & 0o777, 0o600);
        assert.equal(await offsetInRow(site, uploadId), String(OFFSET));
        begun.socket.destroy();
        // It stays with an upload that can go on.
        await waitFor(async () => (await t.offsetOf(site, uploadId)) === 100_000);
        assert.deepEqual(await spoolOf(site, '.idx'), [index]);
        assert.equal((await t.tus(site, 'DELETE', uploadId)).status, 204);
        await assertClean();
    });
    test('does not change the file', async () => {
        const response = await site.upload(file, { fields: fields() });
        assert.equal(response.status, 201, response.text);
        await t.assertStored(site, response.json.id, file);
        await fs.rm(site.path('spool', `${response.json.id}.idx`));
    });
    test('may be as large as the limit, and no larger', async () => {
        const large = { size: 3 * MIB, index_offset: MIB, index: emptyIndex(MIB) };
        const response = await site.upload(tinyMp4(3 * MIB), { fields: large });
        assert.equal(response.status, 201, response.text);
        await fs.rm(site.path('spool', `${response.json.id}.idx`));
        const larger = { ...large, index: emptyIndex(MIB + 1) };
        assertError(await site.upload(tinyMp4(3 * MIB), { fields: larger }), 413, 'index_too_large');
        await assertClean();
    });
    test('is refused where it does not fit', async () => {
        for (const wrong of [
            { index_offset: OFFSET + 1 },
            { index_offset: 0 },
            { index_offset: undefined },
            { index_offset: 'x' },
            { index: '' },
        ])
            assertError(await site.upload(file, { fields: fields(wrong) }), 400, 'bad_index');
        await assertClean();
    });
    for (const [what, index, sentence] of WRONG)
        test(`is refused, and its form with it, if it is ${what}`, async () => {
            const uploadId = t.newUploadId();
            const kept = await t.create(site, file.length, { body: file.subarray(0, 50_000), upload_id: uploadId });
            assert.equal(kept, uploadId);
            for (const upload_id of [uploadId, undefined]) {
                const response = await site.upload(file, { fields: fields({ index, upload_id }) });
                assertError(response, 422, 'bad_index');
                assert.equal(response.json.error.message, sentence);
            }
            // What had come by that name before is not begun anew for nothing.
            assert.equal(await t.offsetOf(site, uploadId), 50_000);
            await t.tus(site, 'DELETE', uploadId);
            await assertClean();
        });
    test('goes with a form that breaks off', async () => {
        for (const bytes of [0, 2000, 100_000]) {
            const { socket } = await t.beginForm(site, file, bytes, fields());
            await waitFor(async () => (await site.spool()).some((name) => name.includes('.idx')));
            await sleep(100);
            socket.destroy();
            await assertClean();
        }
    });
    test('goes with a file that is refused', async () => {
        const text = Buffer.alloc(400_000, 'no video ');
        assertError(await site.upload(text, { fields: fields() }), 415, 'unsupported_type');
        await assertClean();
    });
});

describe('an index beside an upload by tus', () => {
    let id;
    const put = (query, body, headers = {}) =>
        t.tus(site, 'PUT', `/api/uploads/${id}/index${query}`, { body, headers });
    beforeEach(async () => {
        id = await t.create(site, file.length, { body: file.subarray(0, 100_000) });
    });

    test('is kept while the bytes come in', async () => {
        const { socket, closed } = await t.beginPatch(site, id, 100_000, file.subarray(100_000, 200_000), 300_000, {
            Connection: 'close',
        });
        await t.waitForPart(site, 130_000);
        const response = await put(`?offset=${OFFSET}`, moov);
        assert.equal(response.status, 204, response.text);
        assert.ok(response.headers['dropstream-video']);
        const index = site.path('spool', `${response.headers['dropstream-video']}.idx`);
        assert.deepEqual(await fs.readFile(index), moov);
        assert.equal(await offsetInRow(site, id), String(OFFSET));
        // The bytes come in all the while.
        socket.write(file.subarray(200_000));
        assert.match(await closed, /^HTTP\/1\.1 204 /);
        await t.assertStored(site, response.headers['dropstream-video'], file);
        await fs.rm(index);
        await assertClean();
    });
    test('may be sent again, but not another one', async () => {
        assert.equal((await put(`?offset=${OFFSET}`, moov)).status, 204);
        const [index] = await spoolOf(site, '.idx');
        const whole = await fs.stat(site.path('spool', index));
        assert.equal((await put(`?offset=${OFFSET}`, moov)).status, 204);
        for (const [query, body] of [
            [`?offset=${OFFSET - 1}`, moov],
            [`?offset=${OFFSET}`, emptyIndex(30_000, 'n')],
            [`?offset=${OFFSET}`, emptyIndex(29_000)],
            [`?offset=${OFFSET - 1}`, emptyIndex(30_001)],
        ])
            assertError(await put(query, body), 409, 'another_index');
        assert.equal((await fs.stat(site.path('spool', index))).ino, whole.ino);
        assert.deepEqual(await fs.readFile(site.path('spool', index)), moov);
        assert.equal(await offsetInRow(site, id), String(OFFSET));
        await t.tus(site, 'DELETE', id);
        await assertClean();
    });
    test('is not that of a form, which has its own', async () => {
        await t.tus(site, 'DELETE', id);
        id = t.newUploadId();
        const fields = { size: file.length, index_offset: OFFSET, index: moov, upload_id: id };
        const begun = await t.beginForm(site, file, 100_000, fields);
        await t.waitForPart(site, 10_000);
        assertError(await put(`?offset=${OFFSET}`, emptyIndex(30_000, 'n')), 409, 'another_index');
        assert.equal((await put(`?offset=${OFFSET}`, moov)).status, 204);
        begun.socket.destroy();
        await t.tus(site, 'DELETE', id);
        await assertClean();
    });
    test('is left to be compared with the file, if it is sent again too late', async () => {
        assert.equal((await put(`?offset=${OFFSET}`, moov)).status, 204);
        const [index] = await spoolOf(site, '.idx');
        const target = `/api/uploads/${id}/index?offset=${OFFSET}`;
        const { socket, closed } = await t.begin(site, 'PUT', target, { Connection: 'close' }, moov.subarray(0, 1), moov.length);
        await waitFor(async () => (await spoolOf(site, '.idx-part')).length === 1);
        await t.patch(site, id, 100_000, file.subarray(100_000));
        socket.write(moov.subarray(1));
        assert.match(await closed, /^HTTP\/1\.1 409 .*"finished"/s);
        await waitFor(async () => (await spoolOf(site, '.idx-part')).length === 0);
        assert.deepEqual(await spoolOf(site, '.idx'), [index]);
        await fs.rm(site.path('spool', index));
        await assertClean();
    });
    test('is refused where it does not fit', async () => {
        assertError(await put('', moov), 400, 'bad_index');
        assertError(await put('?offset=0', moov), 400, 'bad_index');
        assertError(await put('?offset=x', moov), 400, 'bad_index');
        assertError(await put(`?offset=${OFFSET + 1}`, moov), 400, 'bad_index');
        assertError(await put('?offset=9223372036854775807', moov), 400, 'bad_index');
        assertError(await put('?offset=5', ''), 400, 'bad_index');
        assertError(await put('?offset=5', emptyIndex(MIB + 1)), 413, 'index_too_large');
        assertError(await put('?offset=5', moov, { 'Tus-Resumable': '0.1' }), 412, 'wrong_version');
        assert.equal(await offsetInRow(site, id), '-1');
        const plain = await site.request('PUT', `/api/uploads/${id}/index?offset=5`, {
            headers: { 'Content-Length': 16 },
            body: emptyIndex(16),
        });
        assert.equal(plain.status, 204, plain.text);
        const other = await t.tus(site, 'GET', `/api/uploads/${id}/index`);
        assertError(other, 405, 'method_not_allowed');
        assert.equal(other.headers.allow, 'PUT');
        await t.tus(site, 'DELETE', id);
        await assertClean();
    });
    for (const [what, index, sentence] of WRONG)
        test(`is refused if it is ${what}, and the upload goes on`, async () => {
            const response = await put(`?offset=${OFFSET}`, index);
            assertError(response, 422, 'bad_index');
            assert.equal(response.json.error.message, sentence);
            assert.equal(await offsetInRow(site, id), '-1');
            assert.deepEqual(await spoolOf(site, '.idx'), []);
            assert.deepEqual(await spoolOf(site, '.idx-part'), []);
            assert.equal((await put(`?offset=${OFFSET}`, moov)).status, 204);
            await t.tus(site, 'DELETE', id);
            await assertClean();
        });
    test('leaves the one before where it breaks off', async () => {
        const first = emptyIndex(100);
        assert.equal((await put('?offset=5', first)).status, 204);
        const target = `/api/uploads/${id}/index?offset=5`;
        const { socket } = await t.begin(site, 'PUT', target, {}, first.subarray(0, 3), 100);
        await waitFor(async () => (await spoolOf(site, '.idx-part')).length === 1);
        socket.destroy();
        await waitFor(async () => (await spoolOf(site, '.idx-part')).length === 0);
        const [index] = await spoolOf(site, '.idx');
        assert.deepEqual(await fs.readFile(site.path('spool', index)), first);
        assert.equal(await offsetInRow(site, id), '5');
        // One that hangs is taken over.
        const hung = await t.begin(site, 'PUT', target, {}, first.subarray(0, 3), 100);
        await waitFor(async () => (await spoolOf(site, '.idx-part')).length === 1);
        assert.equal((await put('?offset=5', first)).status, 204);
        assert.match(await hung.closed, /^HTTP\/1\.1 409 .*"taken_over"/s);
        await t.tus(site, 'DELETE', id);
        await assertClean();
    });
    test('is for uploads that are not finished', async () => {
        await t.patch(site, id, 100_000, file.subarray(100_000));
        assertError(await put('?offset=5', moov), 409, 'finished');
        id = t.newUploadId();
        assertError(await put('?offset=5', moov), 404, 'not_found');
        await assertClean();
    });
    test('is not kept of an upload that ends while it comes', async () => {
        for (const end of [
            () => t.tus(site, 'DELETE', id),
            () => t.patch(site, id, 100_000, file.subarray(100_000)),
        ]) {
            id = await t.create(site, file.length, { body: file.subarray(0, 100_000) });
            const target = `/api/uploads/${id}/index?offset=6`;
            const { socket, closed } = await t.begin(site, 'PUT', target, { Connection: 'close' }, moov.subarray(0, 3), moov.length);
            await waitFor(async () => (await spoolOf(site, '.idx-part')).length === 1);
            assert.equal((await end()).status, 204);
            socket.write(moov.subarray(3));
            assert.match(await closed, /^HTTP\/1\.1 (409|410) /);
            await waitFor(async () => (await site.spool()).every((name) => !name.includes('.idx')));
        }
    });
});

describe('an index of no more use', () => {
    it('is taken away by the worker, and one in use is not', async () => {
        const own = await startSite({ env: { DROPSTREAM_SETTLE_S: '1' } });
        try {
            const fields = { size: file.length, index_offset: OFFSET, index: moov };
            const done = await own.upload(file, { fields });
            own.startWorker();
            await waitFor(async () => (await own.api('GET', `/api/videos/${done.json.id}`)).json.state === 'failed');
            await own.end('worker');
            const uploadId = t.newUploadId();
            const { socket } = await t.beginForm(own, file, 100_000, { ...fields, upload_id: uploadId });
            await t.waitForPart(own, 10_000);
            socket.destroy();
            await fs.writeFile(own.path('spool', 'aaaaaaaaaaaaaaaa.idx'), 'x');
            await fs.writeFile(own.path('spool', 'bbbbbbbbbbbbbbbb.idx-part'), 'x');
            assert.equal((await own.spool()).length, 6, 'the index of a file that could not be probed is swept');
            await sleep(2100);
            own.startWorker();
            const part = await t.partOf(own);
            const want = [`${done.json.id}.src`, part, part.replace('.part', '.idx')].sort();
            await waitFor(async () => (await own.spool()).join() === want.join());
        } finally {
            await own.stop();
        }
    });
});
