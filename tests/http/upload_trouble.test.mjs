/* Uploads by a form when something is in the way: slow clients, a row that others change,
 * a server that ends. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import { describe, it } from 'node:test';
import { formAround, sleep, startSite, tinyMp4, waitFor, whole, wire, withSite } from '../lib/site.mjs';
import { videos } from '../lib/tus.mjs';

const TOGETHER = { concurrency: 4 }; // each test has a site of its own, and waits a lot

describe('uploads from slow clients', TOGETHER, () => {
    const env = { DROPSTREAM_MIN_RATE_BPS: '2000', DROPSTREAM_MIN_RATE_S: '2' };
    const slow = (name, fn) => it(name, withSite({ env }, fn));
    const inParts = (bytes, size) => {
        const parts = [];
        for (let i = 0; i < bytes.length; i += size) parts.push(bytes.subarray(i, i + size));
        return parts;
    };
    /* A good beginning, and then some bytes at a time. */
    async function trickle(site, begin, size, pause) {
        const form = formAround('slow.mp4');
        const bytes = wire(form.type, Buffer.concat([form.head, tinyMp4(30_000)]), 500_000);
        const parts = [bytes.subarray(0, begin), ...inParts(bytes.subarray(begin), size)];
        const start = Date.now();
        const text = await site.raw(parts, { pause });
        return { text, took: Date.now() - start };
    }

    slow('one that trickles is refused in time, and nothing of it stays', async (site) => {
        const { text, took } = await trickle(site, 6000, 20, 100);
        assert.match(text, /^HTTP\/1\.1 408 .*"too_slow"/s);
        assert.ok(took > 1900 && took < 8000, `after ${took} ms`);
        assert.deepEqual(await site.spool(), []);
        assert.deepEqual(await videos(site), []);
        const { json } = await site.api('GET', '/api/activity');
        assert.match(json.activity.at(-1).message, /too slowly/);
    });
    slow('one that trickles before its file was looked at, too', async (site) => {
        const { text, took } = await trickle(site, 300, 1, 200);
        assert.match(text, /^HTTP\/1\.1 408 .*"too_slow"/s);
        assert.ok(took < 8000, `after ${took} ms`);
    });
    slow('one that is slow but fast enough is taken', async (site) => {
        const form = formAround('slow.mp4');
        const file = tinyMp4(24_000);
        const parts = inParts(wire(form.type, whole(form, file)), 500);
        const text = await site.raw(parts, { pause: 100 });
        assert.match(text, /^HTTP\/1\.1 201 /);
    });
    slow('with no rate to keep, any is enough', async (site) => {
        const form = formAround('slow.mp4');
        const response = site.cgi('upload.fcgi', {
            method: 'POST',
            headers: { 'Content-Type': form.type },
            body: whole(form, tinyMp4(3000)),
            settings: { DROPSTREAM_MIN_RATE_BPS: '0', DROPSTREAM_MIN_RATE_S: '1' },
            under: ['sh', '-c', '(head -c 200; sleep 1.2; head -c 200; sleep 1.2; cat) | "$0"'],
        });
        assert.equal((await response).status, 201);
    });
});

describe('uploads whose row is not the handler\'s alone', TOGETHER, () => {
    /* Sends all of an upload but the end, then holds the database and sends that too:
     * resolves once the file is whole while its row still says receiving. */
    async function finishWhileHeld(site, file) {
        const form = formAround('held.mp4');
        const bytes = wire(form.type, whole(form, file));
        const socket = net.connect(site.port, '127.0.0.1');
        const answer = new Promise((resolve, reject) => {
            let text = '';
            socket.on('data', (data) => (text += data)).on('error', reject);
            socket.on('close', () => resolve(text));
        });
        socket.write(bytes.subarray(0, -1000));
        const [{ id }] = await waitFor(async () => {
            const list = await videos(site);
            return list.length && list;
        });
        const database = await site.holdDatabase();
        socket.write(bytes.subarray(-1000));
        await waitFor(async () => (await site.spool()).includes(`${id}.src`), {
            what: 'the file to be whole',
        });
        return { id, database, answer };
    }

    it('one that the worker entered meanwhile is a 201 and keeps its file', withSite({}, async (site) => {
        const file = tinyMp4(200_000);
        const { id, database, answer } = await finishWhileHeld(site, file);
        const set = `state = 'stored', size = ${file.length}, received = ${file.length}`;
        await database.run(`UPDATE videos SET ${set} WHERE id = '${id}'`);
        await database.end();
        const text = await answer;
        assert.match(text, /^HTTP\/1\.1 201 /);
        const video = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
        assert.equal(video.id, id);
        assert.equal(video.state, 'stored');
        assert.equal(video.size, file.length);
        assert.ok((await fs.readFile(site.path('spool', `${id}.src`))).equals(file));
    }));
    it('one that was removed meanwhile is a 410 and leaves no file', withSite({}, async (site) => {
        const { id, database, answer } = await finishWhileHeld(site, tinyMp4(200_000));
        await database.run(`UPDATE videos SET deleted_at = 1 WHERE id = '${id}'`);
        await database.end();
        assert.match(await answer, /^HTTP\/1\.1 410 .*"deleted"/s);
        assert.deepEqual(await site.spool(), []);
    }));
    it('one that cannot be entered now is a 503, and the worker enters it', withSite({ env: { DROPSTREAM_SETTLE_S: '1' } }, async (site) => {
        const file = tinyMp4(200_000);
        const { id, database, answer } = await finishWhileHeld(site, file);
        assert.match(await answer, /^HTTP\/1\.1 503 .*"not_entered"/s);
        await database.end();
        assert.deepEqual(await site.spool(), [`${id}.src`]);
        assert.equal((await site.api('GET', `/api/videos/${id}`)).json.state, 'receiving');
        site.startWorker();
        const video = await waitFor(async () => {
            const { json } = await site.api('GET', `/api/videos/${id}`);
            return json.state !== 'receiving' && json;
        });
        assert.equal(video.size, file.length);
    }));
});

describe('the end of the server', TOGETHER, () => {
    const beginUpload = async (site) => {
        const form = formAround('a.mp4');
        const start = Buffer.concat([form.head, tinyMp4(100_000)]);
        const text = site.raw(wire(form.type, start, 500_000)).catch(() => '');
        await waitFor(async () => (await site.spool()).length > 0);
        return { text };
    };
    const startAgain = async (site) => {
        site.startLighttpd();
        await waitFor(() => site.answers());
        assert.equal((await site.upload(tinyMp4())).status, 201);
    };

    it('ends an upload with it, soon', withSite({}, async (site) => {
        const { text } = await beginUpload(site);
        const start = Date.now();
        await site.end('lighttpd');
        await waitFor(async () => Object.keys(await site.handlers()).length === 0);
        assert.ok(Date.now() - start < 4000, `it took ${Date.now() - start} ms`);
        assert.doesNotMatch(await text, / 201 /);
    }));
    it('takes its programs along, even when it is killed', withSite({}, async (site) => {
        const { text } = await beginUpload(site);
        await site.end('lighttpd', 'SIGKILL');
        await waitFor(async () => Object.keys(await site.handlers()).length === 0, {
            timeout: 3000,
            what: 'the handlers to end',
        });
        assert.doesNotMatch(await text, / 201 /);
        await startAgain(site);
    }));
    it('is followed by one that does without a program of it that has not ended yet', withSite({}, async (site) => {
        await site.end('lighttpd', 'SIGKILL');
        const sockets = (await fs.readdir(site.path('run'))).filter((name) => /^upload.*sock/.test(name));
        assert.equal(sockets.length, 1);
        const late = net.createServer((socket) => socket.destroy());
        await fs.rm(site.path('run', sockets[0]));
        await new Promise((resolve) => late.listen(site.path('run', sockets[0]), resolve));
        site.startLighttpd();
        await waitFor(() => site.answers());
        await new Promise((resolve) => late.close(resolve));
        assert.equal((await site.upload(tinyMp4())).status, 201);
    }));
});
