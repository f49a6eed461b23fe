/*
 * seek_first_byte.mjs: part 2 of bench-seek. A segment that is missing is asked for over
 * HTTP; then the command line by which the worker made it runs alone, cut down to that
 * one segment, while the worker and its children stand still. Pairs of one segment each;
 * the ratio that counts is the median, of picture and sound apart.
 */
import { spawn } from 'node:child_process';

import { childrenOf, demand, runsOf } from '../lib/demand.mjs';
import { sleep } from '../lib/site.mjs';
import * as measure from './measure.mjs';

export const title = 'the first byte of a missing segment, against ffmpeg alone';

const PAIRS = measure.setting('DROPSTREAM_BENCH_PAIRS', 10);
const RATIO_LIMIT = 1.25;
const PAUSE_MS = 700; // the worker goes back to its usual work
const SEGMENT = 192 * 1024; // samples of sound
const WARM_UP = 3 * 1024; // the encoder reads on as far behind the end
const NICE = 10; // the default of the setting of that name

/* The command line of a run, made to end after its first segment. */
function oneSegment({ kind, command }) {
    if (kind === 'video') {
        const gop = Number(/ -g (\d+)/.exec(command)[1]);
        return command.replace(/-frames:v (\d+)/, (_, n) => `-frames:v ${Math.min(gop, Number(n))}`);
    }
    const end = Number(/drop=lt\(pts\\+,(\d+)\)/.exec(command)[1]) + SEGMENT;
    const atMost = (most) => (_, before, n) => before + Math.min(most, Number(n));
    return command
        .replace(/(gte\(pts\\+,)(\d+)/, atMost(end))
        .replace(/(atrim=end_pts=)(\d+)/, atMost(end + WARM_UP));
}

/* How far the boxes at the front of some bytes reach that are complete, and their types. */
function* completeBoxes(buf) {
    for (let at = 0; at + 8 <= buf.length; ) {
        const size = buf.readUInt32BE(at);
        if (size < 8 || at + size > buf.length) return;
        yield buf.toString('latin1', at + 4, at + 8);
        at += size;
    }
}

/* Milliseconds until a command has written its first moof and mdat whole. */
function timeFirstFragment(command) {
    const begun = performance.now();
    const child = spawn('nice', ['-n', String(NICE), 'sh', '-c', `exec ${command}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    let got = Buffer.alloc(0);
    let ms;
    child.stdout.on('data', (data) => {
        got = Buffer.concat([got, data]);
        if (ms === undefined && [...completeBoxes(got)].join().includes('moof,mdat'))
            ms = performance.now() - begun;
    });
    return new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('close', () =>
            ms === undefined ? reject(new Error(`no fragment from ${command}`)) : resolve(ms),
        );
    });
}

/* Stops the worker and what it runs, and lets only those go on that did before. */
async function whileStopped(pid, fn) {
    process.kill(pid, 'SIGSTOP');
    const running = childrenOf(pid).filter(({ state }) => state !== 'T');
    for (const child of running) process.kill(child.pid, 'SIGSTOP');
    try {
        return await fn();
    } finally {
        for (const child of running) process.kill(child.pid, 'SIGCONT');
        process.kill(pid, 'SIGCONT');
    }
}

/* { http, alone } in ms of one missing segment; undefined if none is missing any more. */
async function pair(stage, kind) {
    const { site, video, timeline } = stage;
    const [k] = await stage.unmade(kind);
    if (k === undefined) return undefined;
    const res = await demand(site, timeline[kind].url(k), { sid: `bench-${kind}-${k}` });
    if (res.status !== 200) throw new Error(`segment ${k} was answered with ${res.status}`);
    const run = (await runsOf(site, video, timeline)).findLast(
        (run) => run.kind === kind && run.first === k,
    );
    if (!run) throw new Error(`no run of ${kind} began at segment ${k}, which was asked for`);
    const alone = await whileStopped(site.pid('worker'), () => timeFirstFragment(oneSegment(run)));
    await sleep(PAUSE_MS);
    return { k, http: res.firstByteMs, alone };
}

/* Pairs in as many uploads as it takes. The first one is not counted: ffmpeg and the file
 * come from disk. */
async function pairs(stage, kind) {
    const found = [];
    while (found.length < PAIRS + 1) {
        const before = found.length;
        await stage.begin();
        for (let one; found.length < PAIRS + 1 && (one = await pair(stage, kind)); ) {
            found.push(one);
            const { k, http, alone } = one;
            console.log(`  ${kind} ${k}: ${http.toFixed(0)} ms, alone ${alone.toFixed(0)} ms`);
        }
        if (found.length === before) throw new Error(`the clip is too short: no ${kind} is missing`);
    }
    return found.slice(1);
}

export async function run(stage, verdicts) {
    for (const kind of ['audio', 'video']) {
        const found = await pairs(stage, kind);
        const what = kind === 'video' ? 'picture' : 'sound';
        const ms = (of) => measure.median(found.map(of)).toFixed(0);
        verdicts.add(
            `first byte of ${what} against ffmpeg alone, median of ${PAIRS}`,
            measure.median(found.map(({ http, alone }) => http / alone)),
            RATIO_LIMIT,
        );
        verdicts.note('… medians of both', `${ms((p) => p.http)} ms, ${ms((p) => p.alone)} ms`);
    }
}
