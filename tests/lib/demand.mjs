/*
 * demand.mjs: viewers who ask for segments that do not exist yet, and what came of it.
 *
 * A viewer here behaves like hls.js: a request of its own for the picture and one for
 * the sound, the ones of an earlier position given up at a seek, a 503 asked again. What
 * the worker did about it is read from the logs of its jobs, from /proc and from the
 * files that appeared.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { promises as fs, readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { parseMaster, parseMedia } from './media.mjs';
import { waitFor } from './site.mjs';

const RETRY_MS = 700; // as htdocs/src/player/keep_alive.ts has it
const PATIENCE_MS = 120_000; // on a busy machine

// ---- what is promised ------------------------------------------------------------

async function playlist(site, url) {
    const res = await site.request('GET', url);
    assert.equal(res.status, 200, `GET ${url}`);
    return res.text;
}

async function rendition(site, kind, base, uri) {
    const { segments, map } = parseMedia(await playlist(site, base + uri));
    const folder = (base + uri).replace(/[^/]+$/, '');
    let at = 0;
    const starts = segments.map(({ duration }) => (at += duration) - duration);
    return {
        kind,
        name: uri.replace(/-\d+\/.*$/, ''),
        folder, // of its URLs, with the slash
        dir: site.path('htdocs', folder),
        init: folder + map,
        segments: segments.length,
        starts,
        seconds: at,
        url: (k) => folder + segments[k].uri,
        /* The segment that is on at a time. */
        at: (t) => Math.max(0, starts.findLastIndex((start) => start <= t)),
    };
}

/* { video, audio } of a video that is playable, as its playlists promise them; audio is
 * undefined where there is none. */
export async function timelineOf(site, video) {
    const base = video.media.replace(/[^/]+$/, '');
    const master = parseMaster(await playlist(site, video.media));
    const found = { video: await rendition(site, 'video', base, master.variants[0].URI) };
    if (master.audio.length)
        found.audio = await rendition(site, 'audio', base, master.audio[0].URI);
    return found;
}

/* Numbers of the segments that exist as files. */
export async function existing(rendition) {
    const names = await fs.readdir(rendition.dir);
    return new Set(names.filter((name) => /^\d+\.m4s$/.test(name)).map((name) => parseInt(name, 10)));
}

/* name → the state of each segment, by what the API says. Its runs must be a run-length
 * list: from 0 on, without a gap, no two alike side by side. */
export async function readinessOf(site, id) {
    const { status, json, text } = await site.api('GET', `/api/videos/${id}/segments`);
    assert.equal(status, 200, text);
    const found = new Map();
    for (const { name, segments, runs } of json.renditions) {
        const states = [];
        runs.forEach(({ state, from, count }, i) => {
            assert.ok(['ready', 'encoding', 'missing'].includes(state), state);
            assert.equal(from, states.length, `${name}: the runs follow each other`);
            assert.ok(count >= 1);
            assert.notEqual(state, runs[i - 1]?.state, `${name}: a run is as long as it can be`);
            for (let n = 0; n < count; n++) states.push(state);
        });
        assert.equal(states.length, segments, `${name}: the runs cover every segment`);
        found.set(name, states);
    }
    return found;
}

/* An upload that is being encoded and plays: its JSON, since the first segment is out. */
export async function uploadPlayable(site, file, options) {
    const { status, json, text } = await site.upload(file, options);
    assert.equal(status, 201, text);
    const video = await waitFor(
        async () => {
            const now = (await site.api('GET', `/api/videos/${json.id}`)).json;
            return (now.state === 'failed' || (now.playable && now.media)) && now;
        },
        { every: 10, timeout: 60_000, what: 'the video to be playable' },
    );
    if (video.state === 'failed') throw new Error(`${video.id} failed: ${video.error}`);
    return video;
}

/* A program that is ffmpeg, but reads only so many times as fast as real time: short clips
 * would be done before a viewer comes. Its path, for DROPSTREAM_FFMPEG. Called again, it is
 * those that start from then on which have the new speed. */
export async function slowFfmpeg(dir, speed) {
    const file = path.join(dir, 'slow-ffmpeg');
    await fs.writeFile(`${file}.new`, `#!/bin/sh\nexec ffmpeg -readrate ${speed} "$@"\n`, { mode: 0o755 });
    await fs.rename(`${file}.new`, file);
    return file;
}

// ---- asking ------------------------------------------------------------------------

/*
 * One GET: resolves to { status, headers, body, firstByteMs, ms } and never rejects for
 * what the server says. agent: keeps connections; from: the local address, to be another
 * client (all of 127.0.0.0/8 is here); sid: the viewer's session as hls.js sends it;
 * signal: gives the request up, which rejects with an AbortError.
 */
export function get(site, url, { agent = false, from, sid, signal } = {}) {
    const headers = sid ? { 'CMCD-Session': `sid="${sid}"` } : {};
    const begun = performance.now();
    return new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port: site.port, path: url, agent, headers, signal };
        const req = http.get({ ...options, localAddress: from }, (res) => {
            const chunks = [];
            let firstByteMs;
            res.on('data', (chunk) => {
                firstByteMs ??= performance.now() - begun;
                chunks.push(chunk);
            });
            res.on('error', reject);
            res.on('end', () =>
                resolve({
                    status: res.statusCode,
                    headers: res.headers,
                    body: Buffer.concat(chunks),
                    firstByteMs: firstByteMs ?? performance.now() - begun,
                    ms: performance.now() - begun,
                }),
            );
        });
        req.on('error', reject);
    });
}

/* As get, but a 503 is asked again as hls.js would; both times count from the first
 * request on. retryMs: the pause before it; patienceMs: then it throws. */
export async function demand(site, url, options = {}) {
    const { retryMs = RETRY_MS, patienceMs = PATIENCE_MS, signal } = options;
    const begun = performance.now();
    for (;;) {
        const before = performance.now() - begun;
        const res = await get(site, url, options);
        const ms = before + res.ms;
        if (res.status !== 503) return { ...res, ms, firstByteMs: before + res.firstByteMs };
        assert.equal(res.headers['cache-control'], 'no-store', `${url}: a 503 is never kept`);
        if (ms > patienceMs) throw new Error(`${url} did not come within ${patienceMs} ms`);
        await pause(retryMs, undefined, { signal });
    }
}

/*
 * Somebody in front of a player. seek(t) gives up what was asked for before, asks for the
 * picture and the sound at t at once, and resolves to { ms } when both are there; then
 * the next few of each follow on their own until leave() or another seek.
 */
export class Viewer {
    #site;
    #timeline;
    #ahead;
    #options;
    #now = new AbortController();
    #busy = Promise.resolve();

    constructor(site, timeline, { ahead = 2, from } = {}) {
        this.#site = site;
        this.#timeline = timeline;
        this.#ahead = ahead;
        this.#options = { from, sid: randomUUID(), agent: new http.Agent({ keepAlive: true }) };
    }

    async seek(t) {
        await this.#giveUp();
        this.#now = new AbortController();
        const begun = performance.now();
        const tracks = Object.values(this.#timeline).filter((track) => track !== undefined);
        const first = tracks.map((track) => this.#ask(track, track.at(t)));
        this.#busy = Promise.all(tracks.map((track, i) => this.#goOn(track, track.at(t) + 1, first[i])))
            .catch(notAborted);
        const got = await Promise.all(first);
        for (const { status } of got) assert.equal(status, 200);
        return { ms: performance.now() - begun };
    }

    /* Closes the page. */
    async leave() {
        await this.#giveUp();
        this.#options.agent.destroy();
    }

    async #goOn(track, from, first) {
        await first;
        const end = Math.min(from + this.#ahead, track.segments);
        for (let k = from; k < end; k++) assert.equal((await this.#ask(track, k)).status, 200);
    }

    #ask(track, k) {
        return demand(this.#site, track.url(k), { ...this.#options, signal: this.#now.signal });
    }

    async #giveUp() {
        this.#now.abort();
        await this.#busy;
    }
}

function notAborted(error) {
    if (error.name !== 'AbortError') throw error;
}

// ---- what the worker did -------------------------------------------------------------

/*
 * The runs of ffmpeg for a video's segments, out of the logs of its jobs, in the order in
 * which they began: { kind, log, command, first (its first segment), made (segments
 * published; undefined while it runs), end (how it ended) }.
 */
export async function runsOf(site, video, timeline) {
    const dir = site.path('log/jobs');
    const runs = [];
    for (const name of await fs.readdir(dir)) {
        const text = await fs.readFile(path.join(dir, name), 'utf8');
        assert.doesNotMatch(text, /^# log limit reached/m, `${name} is whole`);
        const own = [];
        for (const line of text.split('\n')) {
            // A run that is given its source as that arrives reads no file of that name.
            const source = line.includes(video.id) || (line.includes(' -i pipe:0 ') && text.includes(video.id));
            const begun = line.startsWith('+ ') && source && beginningOf(line, timeline);
            if (begun) own.push({ ...begun, log: name, command: line.slice(2) });
            const ended = /^# \S+ run \d+ at (\d+): made (\d+) segments?, (.*)$/.exec(line);
            if (!ended || own.length === 0) continue;
            const run = own.findLast(({ first, made }) => first === Number(ended[1]) && made === undefined);
            assert.ok(run, `${name}: ${line}: no such run was begun`);
            Object.assign(run, { made: Number(ended[2]), end: ended[3] });
        }
        runs.push(...own);
    }
    return runs;
}

/*
 * Of runs that have all ended: each segment of a rendition was made by exactly one of them,
 * or was there before. So none was encoded twice, but for the one that a run was at when it
 * was stopped, or came to what another had made. had: the numbers of those before.
 */
export function assertMadeOnce(runs, rendition, had = new Set()) {
    const makers = Array.from({ length: rendition.segments }, (_, k) => (had.has(k) ? ['before'] : []));
    for (const run of runs.filter(({ kind }) => kind === rendition.kind)) {
        assert.notEqual(run.made, undefined, `${run.log}: the run at ${run.first} has no end`);
        for (let k = run.first; k < run.first + run.made; k++) makers[k].push(`by the run at ${run.first}`);
    }
    const wrong = makers.map((by, k) => `${k}: ${by.join(' and ') || 'by none'}`).filter((_, k) => makers[k].length !== 1);
    assert.deepEqual(wrong, [], `each segment of ${rendition.name} is made once`);
}

/* Waits until the worker has read where a video's keyframes are, if it does so: runs that
 * begin from then on seek to the right one, earlier ones to one that is early enough. */
export async function keyframesKnown(site, video) {
    const logs = async () => {
        const dir = site.path('log/jobs');
        const texts = (await fs.readdir(dir)).map((name) => fs.readFile(path.join(dir, name), 'utf8'));
        return (await Promise.all(texts)).filter((text) => text.includes(`360p of video ${video.id}`));
    };
    const isOver = (text) => !/^\+ ffprobe/m.test(text) || /^# \S+ keyframes/m.test(text);
    await waitFor(async () => (await logs()).every(isOver), { what: 'the keyframes' });
}

/* The rendition and the first segment of ffmpeg's command line, by what it cuts away. */
function beginningOf(command, { video, audio }) {
    const picture = /start_time=([0-9.]+)/.exec(command);
    if (command.includes('libx264') && picture) {
        const first = video.starts.findIndex((start) => Math.abs(start - Number(picture[1])) < 0.01);
        return { kind: 'video', first };
    }
    const sound = /drop=lt\(pts\\+,(\d+)\)/.exec(command);
    if (audio && sound) {
        const begin = Number(sound[1]) / 48000;
        return { kind: 'audio', first: audio.starts.findIndex((s) => Math.abs(s - begin) < 0.01) };
    }
    return undefined;
}

/* Process ids of the programs that the worker runs just now, and what they are. */
export function childrenOf(pid) {
    const found = [];
    for (const name of readdirSync('/proc')) {
        if (!/^\d+$/.test(name)) continue;
        try {
            const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
            const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
            if (Number(parent) !== pid || state === 'Z') continue;
            const argv = readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0');
            found.push({ pid: Number(name), state, argv });
        } catch {
            // it has ended meanwhile
        }
    }
    return found;
}
