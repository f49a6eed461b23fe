/*
 * upload_clients.mjs: part 5 of bench-upload. tus-js-client and Uppy upload a large file
 * over a line that cuts their connections at random places, to a server that is killed
 * once and told to stop once, and started again. The stored file is the one that was sent,
 * and nothing that was acknowledged has gone over the line a second time.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

import Uppy from '@uppy/core';
import UppyTus from '@uppy/tus';
import * as tus from 'tus-js-client';

import { startProxy } from '../lib/cutting_proxy.mjs';
import { waitFor } from '../lib/site.mjs';
import { BYTES, MB, withFile } from './upload_stage.mjs';

export const title = `tus-js-client and Uppy, ${MB} MB each, over a line that breaks`;
export const worker = false; // what was stored stays as it is
export const limitS = 400;
export const needs = () => {};

const CUTS = 10;
const CUT_FROM = 0.01; // of the file, in one connection
const CUT_TO = 0.08; // all of them together: less than the file
const RESTARTS = [
    { at: 0.3, signal: 'SIGKILL' },
    { at: 0.6, signal: 'SIGTERM' },
];
const RETRY = Array(40).fill(100); // ms; both clients begin to count anew when bytes got through

async function sha256(file) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
    return hash.digest('hex');
}

// ---- the clients -----------------------------------------------------------------------

const byTusJs = (endpoint, file) =>
    new Promise((resolve, reject) => {
        const upload = new tus.Upload(createReadStream(file), {
            endpoint,
            retryDelays: RETRY,
            metadata: { filename: 'film.mp4', filetype: 'video/mp4' },
            onSuccess: resolve,
            onError: reject,
        });
        upload.start();
    });

/* Uppy is made for browsers: of a file it wants the size, and of a request the object that
 * the browser would have. What it sends when, and again, is the same here. */
const stack = new tus.DefaultHttpStack();
const httpStack = {
    getName: () => stack.getName(),
    createRequest: (method, url) =>
        Object.assign(stack.createRequest(method, url), { getUnderlyingObject: () => ({}) }),
};

async function byUppy(endpoint, file) {
    const uppy = new Uppy();
    uppy.use(UppyTus, { endpoint, retryDelays: RETRY, httpStack });
    const data = Object.assign(createReadStream(file), { size: BYTES });
    uppy.addFile({ name: 'film.mp4', type: 'video/mp4', data });
    const { successful, failed } = await uppy.upload();
    if (successful.length !== 1) throw new Error(`Uppy: ${failed.map(({ error }) => error)}`);
}

// ---- the trouble -----------------------------------------------------------------------

async function restart(site, signal) {
    await site.end('lighttpd', signal);
    await waitFor(async () => Object.keys(await site.handlers()).length === 0, { what: 'the handlers to end' });
    site.startLighttpd();
    await waitFor(() => site.answers(), { what: 'lighttpd to answer' });
}

/* A proxy that cuts, and restarts the server when so much has gone through. */
async function startTrouble(site) {
    const cuts = Array.from({ length: CUTS }, () =>
        Math.round((CUT_FROM + Math.random() * (CUT_TO - CUT_FROM)) * BYTES),
    );
    const due = [...RESTARTS];
    let restarts = Promise.resolve();
    const onBytes = (sent) => {
        if (due.length === 0 || sent < due[0].at * BYTES) return;
        const { signal } = due.shift();
        restarts = restarts.then(() => restart(site, signal));
        restarts.catch(() => {}); // told below
    };
    const proxy = await startProxy(site.port, { cuts, onBytes });
    return { proxy, restarted: () => restarts, done: () => proxy.cut === CUTS && due.length === 0 };
}

/* What requests sent again, in bytes: of what had been acknowledged to the client before,
 * and of anything else. */
function sentAgain(requests) {
    let acknowledged = 0;
    let again = 0;
    let body = 0;
    for (const { offset, sent, told } of requests) {
        if (offset !== undefined) {
            again += Math.min(sent, Math.max(0, acknowledged - offset));
            body += sent;
        }
        if (told !== undefined) acknowledged = Math.max(acknowledged, told);
    }
    return { again, inVain: body - BYTES - again };
}

async function throughTrouble(site, upload, file) {
    const { proxy, restarted, done } = await startTrouble(site);
    const begun = performance.now();
    try {
        await upload(`${proxy.url}/api/uploads`, file);
        const seconds = (performance.now() - begun) / 1000;
        await restarted();
        if (!done()) throw new Error(`only ${proxy.cut} connections were cut`);
        return { seconds, requests: proxy.requests, ...sentAgain(proxy.requests) };
    } finally {
        await proxy.stop();
    }
}

/* The hash of the one file that is stored, which is then removed. */
async function takeStored(site) {
    const { videos } = (await site.api('GET', '/api/videos')).json;
    const [video, ...others] = videos.filter(({ state }) => state === 'stored');
    if (!video || others.length) throw new Error(`${videos.length} videos, and not one that is stored`);
    const hash = await sha256(site.path('spool', `${video.id}.src`));
    await site.api('DELETE', `/api/videos/${video.id}`);
    return hash;
}

export const run = (site, verdicts) =>
    withFile(async ({ file }) => {
        const hash = await sha256(file);
        for (const [name, upload] of [['tus-js-client', byTusJs], ['Uppy', byUppy]]) {
            const { seconds, requests, again, inVain } = await throughTrouble(site, upload, file);
            const what = `${CUTS} cuts, ${RESTARTS.length} restarts, ${requests.length} requests`;
            console.log(`  ${name}: ${seconds.toFixed(1)} s, ${what}`);
            const wrong = (await takeStored(site)) === hash ? 0 : 1;
            verdicts.add(`${name}, ${CUTS} cuts and ${RESTARTS.length} restarts: files that differ`, wrong, 0, { digits: 0 });
            verdicts.add('… acknowledged bytes that were sent again', again, 0, { digits: 0 });
            verdicts.note('… bytes that were lost on the line and sent again', `${(inVain / 1e6).toFixed(1)} MB`);
        }
    });
