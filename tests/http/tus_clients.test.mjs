/*
 * Clients that people use, tus-js-client and Uppy, over a network that loses connections
 * and with a server that is started anew in the middle: the file comes in whole, and no
 * byte that was acknowledged is sent again.
 */
import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import { describe, it } from 'node:test';
import * as tus from 'tus-js-client';
import { startProxy } from '../lib/cutting_proxy.mjs';
import { startSite, tinyMp4, waitFor } from '../lib/site.mjs';
import { byTusJs, byUppy } from '../lib/tus_clients.mjs';

const MB = 1_000_000;
const SIZE = 30 * MB;

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

const withTusJs = (options) => (endpoint) => byTusJs(endpoint, file, options);
const withUppy = (endpoint) => byUppy(endpoint, Buffer.from(file), SIZE);

describe('over a network that loses connections', () => {
    it('tus-js-client, in one request', () => throughTrouble(withTusJs({})));
    it('tus-js-client, in chunks', () => throughTrouble(withTusJs({ chunkSize: 3 * MB })));
    it('tus-js-client, where only POST gets through', () =>
        throughTrouble(withTusJs({ overridePatchMethod: true })));
    it('Uppy', () => throughTrouble(withUppy));
});

it('tus-js-client can give an upload up', async () => {
    const site = await startSite();
    try {
        await new Promise((resolve, reject) => {
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
