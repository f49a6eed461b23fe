/*
 * A few of the points at which `make faults` kills upload.fcgi and the worker, has their disk
 * fail, the machine lose its power, their clock jump, or the worker stand still: nothing is
 * lost, nothing half made is shown, nothing is stuck.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { test } from 'node:test';

import { KINDS } from '../faults/faults.mjs';
import { faultsOfFrozen } from '../faults/frozen.mjs';
import { INJECT, KEPT, Power } from '../faults/power.mjs';
import { faultsOfUploads } from '../faults/uploads.mjs';
import { faultsOfWorker } from '../faults/worker.mjs';
import { startSite, waitFor, withSite } from '../lib/site.mjs';
import { formAround, tinyMp4, whole } from '../lib/forms.mjs';
import { CHUNK, metadata, newUploadId } from '../lib/tus.mjs';

const CLOCK = [KINDS.clock[0], KINDS.clock[3]]; // one of each way
const total = (points) => Object.values(points).reduce((sum, n) => sum + n, 0);

/* Of each kind there is a point. */
function assertPoints(t, points, kinds, least) {
    t.diagnostic(JSON.stringify(points));
    assert.ok(total(points) >= least);
    for (const { name } of kinds) assert.ok(points[name] > 0, name);
}

test('upload.fcgi', async (t) => {
    const points = await faultsOfUploads({ stride: 9 });
    assertPoints(t, points, KINDS.faults.filter(({ call }) => ['any', 'sync', 'write', 'open'].includes(call)), 25);
});

test('upload.fcgi, without power', async (t) => {
    const points = await faultsOfUploads({ stride: 37, kinds: KINDS.power });
    assertPoints(t, points, KINDS.power, 9);
});

test('upload.fcgi, with a clock that jumps', async (t) => {
    const points = await faultsOfUploads({ stride: 61, kinds: CLOCK });
    assertPoints(t, points, CLOCK, 4);
});

test('the worker', async (t) => {
    const points = await faultsOfWorker({ stride: 120, most: 2 });
    assertPoints(t, points, KINDS.faults, 11);
});

test('the worker, without power or with a clock that jumps', async (t) => {
    const kinds = [...KINDS.power.slice(1), CLOCK[1]];
    const points = await faultsOfWorker({ stride: 260, kinds });
    assertPoints(t, points, kinds, 4);
});

test('a worker that stands still while another one takes over', async (t) => {
    const points = await faultsOfFrozen({ stride: 300, lane: 1, kinds: KINDS.frozen });
    assertPoints(t, points, KINDS.frozen, 2);
});

const uploaded = async (site) => {
    const form = formAround('clip.mp4', {});
    const headers = { 'Content-Type': form.type };
    const { json } = await site.cgi('upload.fcgi', { method: 'POST', target: '/api/videos', headers, body: whole(form, tinyMp4(50_000)) });
    return json.id;
};

test('what the API has answered outlives a loss of power', withSite({}, async (site) => {
    const [kept, deleted] = [await uploaded(site), await uploaded(site)];
    await site.end('lighttpd');
    const power = await Power.of(site);
    try {
        const headers = { 'Content-Type': 'application/json' };
        const body = JSON.stringify({ title: 'Another' });
        const patch = await site.cgi('api.fcgi', { method: 'PATCH', target: `/api/videos/${kept}`, headers, body });
        assert.equal(patch.status, 200, patch.text);
        assert.equal((await site.cgi('api.fcgi', { method: 'DELETE', target: `/api/videos/${deleted}` })).status, 204);
        await power.loss(KEPT.nothing);
        const { json } = await site.cgi('api.fcgi', { target: '/api/videos' });
        assert.deepEqual(json.videos.map(({ id, title }) => [id, title]), [[kept, 'Another']]);
    } finally {
        await power.close();
    }
}));

test('what a tus client was told outlives a loss of power', withSite({}, async (site) => {
    await site.end('lighttpd');
    const power = await Power.of(site);
    const [id, tus] = [newUploadId(), { 'Tus-Resumable': '1.0.0' }];
    const target = `/api/uploads/${id}`;
    const send = (method, headers, to = target) => site.cgi('upload.fcgi', { method, target: to, headers: { ...tus, ...headers } });
    try {
        const named = { 'Upload-Length': 50_000, 'Upload-Metadata': metadata({ filename: 'clip.mp4', upload_id: id }) };
        assert.equal((await send('POST', named, '/api/uploads')).status, 201);
        assert.equal((await send('DELETE')).status, 204);
        await power.loss(KEPT.nothing);
        assert.equal((await send('HEAD')).status, 404);
    } finally {
        await power.close();
    }
}));

/* One loss of power takes bytes from the file, of which the database still has the hash; then
 * there are as many again, of another file; and the next loss takes what was not synced of that.
 * between: the settings of who takes those. */
async function isNotHashedAnew(site, between) {
    await site.end('lighttpd');
    const power = await Power.of(site);
    const [id, tus, whole] = [newUploadId(), { 'Tus-Resumable': '1.0.0' }, 50_000];
    const [one, other] = [tinyMp4(whole), tinyMp4(whole).fill(7, 20_000)];
    const patch = async (file, from, to, settings) => {
        const headers = { ...tus, 'Content-Type': CHUNK, 'Upload-Offset': from };
        const answer = await site.cgi('upload.fcgi', { method: 'PATCH', target: `/api/uploads/${id}`, headers, body: file.subarray(from, to), settings });
        assert.equal(answer.status, 204, answer.text);
    };
    const named = { ...tus, 'Upload-Length': whole, 'Upload-Metadata': metadata({ filename: 'clip.mp4', upload_id: id }) };
    try {
        assert.equal((await site.cgi('upload.fcgi', { method: 'POST', target: '/api/uploads', headers: named })).status, 201);
        await patch(one, 0, 30_000);
        await fs.truncate(site.path('spool', (await site.spool())[0]), 20_000);
        await power.settle();
        // Who closes the database as the last one has all of it written.
        await (await site.holdDatabase()).run('COMMIT');
        await patch(other, 20_000, 30_000, between);
        await power.loss(KEPT.nothing);
        await patch(other, 30_000, whole);
        assert.equal(await site.sql("SELECT state, hex(sha256), (SELECT count(*) FROM jobs WHERE kind = 'checksum') FROM videos"), 'stored||1');
    } finally {
        await power.close();
    }
}

test('a hash of bytes that were lost is not that of others after another loss of power', withSite({}, (site) => isNotHashedAnew(site, {})));
test('nor where others came without one', withSite({}, (site) => isNotHashedAnew(site, { DROPSTREAM_UPLOAD_CHECKSUMS: '0' })));

/* A part of it would be another index, and what it is for is over once all bytes are there. */
test('an index that was sent ahead outlives a loss of power, and may be sent again', withSite({}, async (site) => {
    await site.end('lighttpd');
    const [id, tus, bytes, offset] = [newUploadId(), { 'Tus-Resumable': '1.0.0' }, 50_000, 20_000];
    const moov = tinyMp4(bytes - offset);
    moov.writeUInt32BE(moov.length, 0);
    moov.write('moov', 4);
    moov.writeUInt32BE(moov.length - 8, 8);
    moov.write('free', 12);
    const put = () => site.cgi('upload.fcgi', { method: 'PUT', target: `/api/uploads/${id}/index?offset=${offset}`, headers: tus, body: moov });
    const named = { ...tus, 'Upload-Length': bytes, 'Upload-Metadata': metadata({ filename: 'clip.mp4', upload_id: id }) };
    const created = await site.cgi('upload.fcgi', { method: 'POST', target: '/api/uploads', headers: named });
    assert.equal(created.status, 201, created.text);
    for (const kept of [KEPT.nothing, KEPT.database, KEPT.names, KEPT.onlyNames]) {
        const power = await Power.of(site);
        try {
            const first = await put();
            assert.equal(first.status, 204, first.text);
            await power.loss(kept);
            const [index] = (await site.spool()).filter((name) => name.endsWith('.idx'));
            assert.ok(moov.equals(await fs.readFile(site.path('spool', index ?? 'no index'))));
            assert.equal(await site.sql('SELECT index_offset FROM videos'), `${offset}`);
            assert.equal((await put()).status, 204);
            await fs.rm(site.path('spool', index));
            await site.sql('UPDATE videos SET index_offset = -1');
        } finally {
            await power.close();
        }
    }
}));

test('what dropstreamctl has done outlives a loss of power', withSite({}, async (site) => {
    const power = await Power.of(site);
    await site.end('lighttpd');
    try {
        const added = await site.ctl(['user', 'add', 'olga'], 'a long enough password\n');
        assert.equal(added.status, 0, added.err);
        await power.loss(KEPT.nothing);
        assert.match((await site.ctl(['user', 'ls'])).out, /olga/);
    } finally {
        await power.close();
    }
}));

test('a deleted original does not come back once its row is gone', withSite({ env: { DROPSTREAM_JAIL: 'off' } }, async (site) => {
    const id = await uploaded(site);
    await site.end('lighttpd');
    const power = await Power.of(site);
    try {
        assert.equal((await site.cgi('api.fcgi', { method: 'DELETE', target: `/api/videos/${id}` })).status, 204);
        site.startWorker();
        await waitFor(async () => (await site.sql('SELECT count(*) FROM videos')) === '0', { what: 'the row to go' });
        await power.loss(KEPT.database);
        assert.deepEqual(await site.spool(), []);
    } finally {
        await power.close();
    }
}));

/* Its handler has died before it could enter it. created: when it began, by its clock. */
async function isEntered(created) {
    const site = await startSite({ env: { DROPSTREAM_SETTLE_S: '1' } });
    try {
        const id = await uploaded(site);
        await site.sql(`PRAGMA wal_autocheckpoint=0; UPDATE videos SET state = 'receiving', created_ms = ${created}; DELETE FROM jobs`);
        site.startWorker({ LD_PRELOAD: INJECT, DROPSTREAM_CLOCK: '-86400' });
        await waitFor(async () => (await site.sql('SELECT state FROM videos')) !== 'receiving', { what: `${id} to be entered` });
        assert.deepEqual(await site.spool(), [`${id}.src`]);
    } finally {
        await site.stop();
    }
}

test('a whole file that came before the clock was put back is entered', async () => {
    await isEntered('created_ms');
    await isEntered('created_ms - 2 * 86400000');
});
