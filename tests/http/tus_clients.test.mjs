/*
 * Clients that people use, tus-js-client and Uppy, over a network that loses connections
 * and with a server that is started anew in the middle: the file comes in whole, and no
 * byte that was acknowledged is sent again.
 */
import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import { describe, it } from 'node:test';
import Uppy from '@uppy/core';
import UppyTus from '@uppy/tus';
import * as tus from 'tus-js-client';
import { startProxy } from '../lib/cutting_proxy.mjs';
import { startSite, tinyMp4, waitFor } from '../lib/site.mjs';

const MB = 1_000_000;
const SIZE = 30 * MB;
const RETRY = Array(40).fill(50); // ms; both begin to count anew when bytes got through

const file = tinyMp4(SIZE);
randomFillSync(file, 40);
const sha256 = createHash('sha256').update(file).digest('hex');

async function fileHash(name) {
    const hash = createHash('sha256');
    for await (const block of createReadStream(name)) hash.update(block);
    return hash.digest('hex');
}

/*
 * Runs upload(url, file) against a site behind a proxy that cuts connections at random
 * places; when half of the file has gone through, lighttpd and its programs are killed
 * and started again.
 */
async function throughTrouble(upload) {
    const site = await startSite();
    let restarted;
    const restart = async () => {
        await site.end('lighttpd', 'SIGKILL');
        await waitFor(async () => Object.keys(await site.handlers()).length === 0);
        site.startLighttpd();
        await waitFor(() => site.answers());
    };
    const cuts = Array.from({ length: 9 }, () => Math.round((0.02 + Math.random() * 4) * MB));
    const proxy = await startProxy(site.port, {
        cuts,
        onBytes: (sent) => {
            if (sent > SIZE / 2) restarted ??= restart();
        },
    });
    try {
        await upload(`${proxy.url}/api/uploads`);
        await restarted;
        await check(site, proxy);
    } catch (error) {
        console.error(`cuts: ${cuts}\n`, proxy.requests, await site.logs());
        throw error;
    } finally {
        await proxy.stop();
        await site.stop();
    }
}

/* The file is there, whole and once, and what the proxy saw is as it should be. */
async function check(site, proxy) {
    const { videos } = (await site.api('GET', '/api/videos')).json;
    assert.equal(videos.length, 1);
    const [video] = videos;
    assert.equal(video.state, 'stored');
    assert.equal(video.filename, 'film.mp4');
    assert.equal(await fileHash(site.path('spool', `${video.id}.src`)), sha256);
    assert.deepEqual(await site.spool(), [`${video.id}.src`]);

    assert.ok(proxy.cut >= 5, `only ${proxy.cut} connections were cut`);
    assert.equal(proxy.requests.filter((r) => r.status === 201).length, 1, 'it was begun twice');
    let acknowledged = 0;
    let patches = 0;
    for (const r of proxy.requests) {
        if (r.offset !== undefined) {
            patches++;
            assert.equal(r.offset, acknowledged, 'bytes were sent again, or left out');
        }
        if (r.told !== undefined) {
            assert.ok(r.told >= acknowledged, 'an acknowledged byte was lost');
            acknowledged = r.told;
        }
    }
    assert.equal(acknowledged, SIZE);
    assert.ok(patches >= proxy.cut);
}

const settled = (start) => new Promise((resolve, reject) => start(resolve, reject));

/* tus-js-client with a Buffer. */
const byTusJs = (options) => (endpoint) =>
    settled((resolve, reject) => {
        const upload = new tus.Upload(file, {
            endpoint,
            retryDelays: RETRY,
            metadata: { filename: 'film.mp4', filetype: 'video/mp4' },
            onSuccess: resolve,
            onError: reject,
            ...options,
        });
        upload.start();
    });

/*
 * Uppy is made for browsers: of a file it wants the size, and of a request the object that
 * the browser would have. What it sends when, and again, is the same here.
 */
const stack = new tus.DefaultHttpStack();
const httpStack = {
    getName: () => stack.getName(),
    createRequest: (method, url) =>
        Object.assign(stack.createRequest(method, url), { getUnderlyingObject: () => ({}) }),
};

const byUppy = async (endpoint) => {
    const uppy = new Uppy();
    uppy.use(UppyTus, { endpoint, retryDelays: RETRY, httpStack });
    uppy.addFile({
        name: 'film.mp4',
        type: 'video/mp4',
        data: Object.assign(Buffer.from(file), { size: file.length }),
    });
    const { successful, failed } = await uppy.upload();
    assert.deepEqual(failed.map((f) => f.error), []);
    assert.equal(successful.length, 1);
};

describe('over a network that loses connections', () => {
    it('tus-js-client, in one request', () => throughTrouble(byTusJs({})));
    it('tus-js-client, in chunks', () => throughTrouble(byTusJs({ chunkSize: 3 * MB })));
    it('tus-js-client, where only POST gets through', () =>
        throughTrouble(byTusJs({ overridePatchMethod: true })));
    it('Uppy', () => throughTrouble(byUppy));
});

it('tus-js-client can give an upload up', async () => {
    const site = await startSite();
    try {
        await settled((resolve, reject) => {
            const upload = new tus.Upload(file, {
                endpoint: `${site.url}/api/uploads/`,
                chunkSize: MB,
                uploadDataDuringCreation: true,
                onError: reject,
                onChunkComplete: () => upload.abort(true).then(resolve, reject),
            });
            upload.start();
        });
        await waitFor(async () => (await site.spool()).length === 0);
        assert.deepEqual((await site.api('GET', '/api/videos')).json.videos, []);
        assert.deepEqual(await fs.readdir(site.path('tmp')), []);
    } finally {
        await site.stop();
    }
});
