/*
 * seek_waiting.mjs: part 4 of bench-seek. The worker is gone, so that nothing that is
 * missing comes: 500 clients ask for missing segments and wait. Beside them the API is
 * asked at an even pace, and segments that exist are fetched as fast as they come; this
 * against the same without the 500, in pairs that take turns in going first.
 */
import { fork } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';

import { existing, get } from '../lib/demand.mjs';
import { sleep, waitFor } from '../lib/site.mjs';
import * as measure from './measure.mjs';

export const title = '500 clients that wait for missing segments';

const CLIENTS = 500;
const ADDRESSES = 100; // as many clients would have; what waits for one is bounded
const PAIRS = measure.setting('DROPSTREAM_BENCH_PAIRS', 5);
const API_LIMIT_MS = 50;
const RATE_FLOOR = 0.9;
const HELD_MS = 8000; // what the server waits at most
const LOAD_S = 2;
const CONNECTIONS = 64;
const API_EVERY_MS = 10;
const API_SAMPLES = 200;

/* Segments that exist, fetched as fast as they come: { perSecond, cpuUs (of lighttpd, for
 * one of them) }. */
async function staticRate(site, urls) {
    const lighttpd = [site.pid('lighttpd')];
    const before = measure.cpuSeconds(lighttpd);
    const child = fork(fileURLToPath(new URL('./seek_load.mjs', import.meta.url)));
    child.send({ port: site.port, urls, seconds: LOAD_S, connections: CONNECTIONS });
    const { answers, seconds } = await new Promise((resolve, reject) => {
        child.once('message', resolve);
        child.once('error', reject);
        child.once('exit', (code) => code === 0 || reject(new Error(`the load ended with ${code}`)));
    });
    const cpu = measure.cpuSeconds(lighttpd) - before;
    return { perSecond: answers / seconds, cpuUs: (cpu * 1e6) / answers };
}

/* Milliseconds that each of so many requests to the API takes. */
async function apiLatencies(site) {
    const asked = [];
    for (let i = 0; i < API_SAMPLES; i++) {
        asked.push(get(site, '/api/videos'));
        await sleep(API_EVERY_MS);
    }
    const answers = await Promise.all(asked);
    for (const { status } of answers) if (status !== 200) throw new Error(`the API says ${status}`);
    return answers.map(({ ms }) => ms);
}

/* 500 requests that wait. stillWaiting(): so many have no answer; end() hangs up on them
 * and returns when the server has forgotten them too. */
async function startWaiting(site, urls) {
    const begun = performance.now();
    const off = new AbortController();
    setMaxListeners(CLIENTS, off.signal);
    let waiting = CLIENTS;
    for (let i = 0; i < CLIENTS; i++) {
        const from = `127.0.4.${1 + (i % ADDRESSES)}`;
        const options = { from, sid: `waiting-${i}`, signal: off.signal };
        get(site, urls[i % urls.length], options).then(
            () => waiting--,
            () => waiting--,
        );
    }
    await sleep(1000);
    return {
        stillWaiting: () => waiting,
        async end() {
            off.abort();
            // lighttpd does not say that a client has gone: what is held is held.
            await sleep(Math.max(0, HELD_MS + 1000 - (performance.now() - begun)));
        },
    };
}

async function rateBeside(site, { ready, missing }, latencies) {
    const crowd = await startWaiting(site, missing);
    const rate = await staticRate(site, ready);
    latencies.push(...(await apiLatencies(site)));
    const stayed = crowd.stillWaiting();
    await crowd.end();
    if (stayed < CLIENTS) throw new Error(`only ${stayed} of ${CLIENTS} clients were made to wait`);
    return rate;
}

/* Addresses of segments of both kinds that exist, and of such that don't. */
async function urlsOf({ timeline }) {
    const [ready, missing] = [[], []];
    for (const rendition of Object.values(timeline)) {
        const have = await existing(rendition);
        for (let k = 0; k < rendition.segments; k++)
            (have.has(k) ? ready : missing).push(rendition.url(k));
    }
    return { ready, missing };
}

async function pairs(site, urls) {
    const found = { latencies: [], beside: [], without: [] };
    const without = async () => found.without.push(await staticRate(site, urls.ready));
    for (let i = 0; i < PAIRS; i++) {
        if (i % 2 === 0) await without();
        found.beside.push(await rateBeside(site, urls, found.latencies));
        if (i % 2 === 1) await without();
        const [a, b] = [found.beside[i].perSecond, found.without[i].perSecond];
        console.log(`  ${a.toFixed(0)} segments a second beside ${CLIENTS}, ${b.toFixed(0)} without`);
    }
    return found;
}

export async function run(stage, verdicts) {
    const { site } = stage;
    await stage.begin();
    await waitFor(async () => (await urlsOf(stage)).ready.length >= 40, { what: 'some segments' });
    await site.end('worker');
    const urls = await urlsOf(stage);
    console.log(`  ${urls.ready.length} segments are there, ${urls.missing.length} are missing`);
    await staticRate(site, urls.ready); // the files come from disk once

    const { latencies, beside, without } = await pairs(site, urls);
    const p99 = measure.quantile(latencies, 0.99);
    const share = measure.median(beside.map(({ perSecond }, i) => perSecond / without[i].perSecond));
    const us = (rates) => measure.median(rates.map(({ cpuUs }) => cpuUs)).toFixed(0);
    verdicts.add(`API beside ${CLIENTS} that wait, p99`, p99, API_LIMIT_MS, { unit: ' ms', digits: 1 });
    verdicts.add('… static segments, of the rate without them', share, RATE_FLOOR, { atLeast: true });
    verdicts.note('… lighttpd, CPU a segment, beside and without', `${us(beside)} µs, ${us(without)} µs`);
    const handler = (await site.handlers())['media.fcgi'];
    verdicts.note('… media.fcgi, most memory', `${measure.peakMb(handler).toFixed(1)} MB`);
}
