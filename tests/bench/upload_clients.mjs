/*
 * upload_clients.mjs: part 5 of bench-upload. tus-js-client and Uppy upload a large file
 * over a line that cuts their connections at random places, to a server that is killed
 * once and told to stop once, and started again. The stored file is the one that was sent,
 * and nothing that was acknowledged has gone over the line a second time.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

import { startProxy } from '../lib/cutting_proxy.mjs';
import { waitFor } from '../lib/site.mjs';
import { byTusJs, byUppy } from '../lib/tus_clients.mjs';
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

async function sha256(file) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
    return hash.digest('hex');
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
        await upload(`${proxy.url}/api/uploads`, createReadStream(file), BYTES);
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
        for (const [name, upload] of [['tus-js-client', (url, data) => byTusJs(url, data)], ['Uppy', byUppy]]) {
            const { seconds, requests, again, inVain } = await throughTrouble(site, upload, file);
            const what = `${CUTS} cuts, ${RESTARTS.length} restarts, ${requests.length} requests`;
            console.log(`  ${name}: ${seconds.toFixed(1)} s, ${what}`);
            const wrong = (await takeStored(site)) === hash ? 0 : 1;
            verdicts.add(`${name}, ${CUTS} cuts and ${RESTARTS.length} restarts: files that differ`, wrong, 0, { digits: 0 });
            verdicts.add('… acknowledged bytes that were sent again', again, 0, { digits: 0 });
            verdicts.note('… bytes that were lost on the line and sent again', `${(inVain / 1e6).toFixed(1)} MB`);
        }
    });
