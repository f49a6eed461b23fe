/*
 * upload_dripping.mjs: part 4 of bench-upload. 64 uploads bring a little each second, more
 * than the least that is allowed; beside them one runs as fast as it goes, and the API is
 * asked at an even pace while it does. This against the same without the 64, in pairs that
 * take turns in going first; an upload before them is not counted.
 */
import { open } from 'node:fs/promises';

import { get } from '../lib/demand.mjs';
import { formAround, sleep, waitFor } from '../lib/site.mjs';
import { begin } from '../lib/tus.mjs';
import { clip } from './clip.mjs';
import * as measure from './measure.mjs';
import { CLIP_S, MB, needsCurl, needsFfmpeg, PAIRS, removeVideos, uploadSpeed, withFile } from './upload_stage.mjs';

export const title = `${MB} MB as fast as it goes, beside 64 uploads that drip`;
export const worker = true;
export const limitS = 600;

const DRIPPING = 64;
const DRIP = 4096; // bytes a second; the default of `min_rate_bps` is 1024
const API_LIMIT_MS = 50;
const API_EVERY_MS = 10;

export function needs() {
    needsCurl();
    needsFfmpeg();
}

export const prepare = () => clip(CLIP_S);

/* { size, bytes } of a clip: bytes is enough of its beginning for one that drips. */
async function beginningOf(file) {
    const handle = await open(file);
    try {
        const { size } = await handle.stat();
        const bytes = Buffer.alloc(Math.min(size, DRIP * limitS));
        await handle.read(bytes, 0, bytes.length, 0);
        return { size, bytes };
    } finally {
        await handle.close();
    }
}

/* One upload of a clip that drips until end() hangs up. ended: it was answered. */
async function startDrip(site, { size, bytes }) {
    const form = formAround('dripping.mp4', { size });
    const length = form.head.length + size + form.tail.length;
    const first = Buffer.concat([form.head, bytes.subarray(0, DRIP)]);
    const sent = await begin(site, 'POST', '/api/videos', { 'Content-Type': form.type }, first, length);
    let at = DRIP;
    const timer = setInterval(() => sent.socket.write(bytes.subarray(at, (at += DRIP))), 1000);
    const drip = {
        ended: false,
        end() {
            clearInterval(timer);
            sent.socket.destroy();
            return sent.closed;
        },
    };
    sent.closed.then(() => (drip.ended = true));
    return drip;
}

async function startDripping(site, clip) {
    const drips = await Promise.all(Array.from({ length: DRIPPING }, () => startDrip(site, clip)));
    const receiving = async () => {
        const { videos } = (await site.api('GET', '/api/videos?limit=100')).json;
        return videos.filter(({ state }) => state === 'receiving').length === DRIPPING;
    };
    await waitFor(receiving, { what: 'all of them to be received' });
    return {
        async end() {
            const all = (await receiving()) && !drips.some(({ ended }) => ended);
            await Promise.all(drips.map((drip) => drip.end()));
            if (!all) throw new Error(`not all of the ${DRIPPING} uploads went on`);
        },
    };
}

/* Milliseconds that each request to the API took while work ran, and what it gave. */
async function askedDuring(site, work) {
    let over = false;
    const result = work().finally(() => (over = true));
    const asked = [];
    while (!over) {
        asked.push(get(site, '/api/videos'));
        await sleep(API_EVERY_MS);
    }
    const answers = await Promise.all(asked);
    for (const { status } of answers) if (status !== 200) throw new Error(`the API says ${status}`);
    return { ms: answers.map((answer) => answer.ms), result: await result };
}

/* The speed of one upload, and how the API answered meanwhile. */
async function uploadOnce(site, file) {
    const { ms, result } = await askedDuring(site, () => uploadSpeed(site, file));
    await removeVideos(site, ({ state }) => state !== 'receiving');
    return { speed: result, ms };
}

async function besideDripping(site, file, dripped) {
    const dripping = await startDripping(site, dripped);
    const found = await uploadOnce(site, file);
    await dripping.end();
    await waitFor(async () => (await site.spool()).length === 0, { what: 'the 64 to be forgotten' });
    return found;
}

export const run = (site, verdicts) =>
    withFile(async ({ file }) => {
        const dripped = await beginningOf(await clip(CLIP_S));
        const found = { beside: [], alone: [] };
        const measureOne = {
            beside: async () => found.beside.push(await besideDripping(site, file, dripped)),
            alone: async () => found.alone.push(await uploadOnce(site, file)),
        };
        await uploadOnce(site, file);
        const rows = [['pair', 'beside 64 MB/s', 'without MB/s', 'ratio', 'API p99 ms', 'without ms']];
        const p99 = (all) => measure.quantile(all.flatMap(({ ms }) => ms), 0.99);
        for (let i = 0; i < PAIRS; i++) {
            for (const which of i % 2 ? ['beside', 'alone'] : ['alone', 'beside']) await measureOne[which]();
            const [a, b] = [found.beside[i], found.alone[i]];
            const speeds = [a.speed.toFixed(0), b.speed.toFixed(0), (a.speed / b.speed).toFixed(2)];
            rows.push([i + 1, ...speeds, p99([a]).toFixed(1), p99([b]).toFixed(1)]);
        }
        measure.printTable(rows);
        const median = (all) => measure.median(all.map(({ speed }) => speed)).toFixed(0);
        const asked = found.beside.reduce((sum, { ms }) => sum + ms.length, 0);
        const name = `API beside ${DRIPPING} uploads that drip and a fast one, p99 of ${asked}`;
        verdicts.add(name, p99(found.beside), API_LIMIT_MS, { unit: ' ms', digits: 1 });
        verdicts.note('… without those that drip', `${p99(found.alone).toFixed(1)} ms`);
        verdicts.note('… the fast one, with and without them', `${median(found.beside)}, ${median(found.alone)} MB/s`);
    });
