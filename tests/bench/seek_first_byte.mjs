/*
 * seek_first_byte.mjs: part 2 of bench-seek. A segment that is missing is asked for over
 * HTTP; then the command line by which the worker made it runs alone, cut down to that
 * one segment, while the worker and its children stand still. Pairs of one segment each;
 * the ratio that counts is the median, of picture and sound apart.
 */
import { demand, runsOf } from '../lib/demand.mjs';
import { sleep } from '../lib/site.mjs';
import * as measure from './measure.mjs';
import { runFor, segmentAlone } from './seek_alone.mjs';

export const title = 'the first byte of a missing segment, against ffmpeg alone';

const PAIRS = measure.setting('DROPSTREAM_BENCH_PAIRS', 10);
const RATIO_LIMIT = 1.25;
const PAUSE_MS = 700; // the worker goes back to its usual work

/* { http, alone } in ms of one missing segment; undefined if none is missing any more. */
async function pair(stage, kind) {
    const { site, video, timeline } = stage;
    const [k] = await stage.unmade(kind);
    if (k === undefined) return undefined;
    const res = await demand(site, timeline[kind].url(k), { sid: `bench-${kind}-${k}` });
    if (res.status !== 200) throw new Error(`segment ${k} was answered with ${res.status}`);
    const run = runFor(await runsOf(site, video, timeline), kind, k);
    if (!run) throw new Error(`no run of ${kind} began at segment ${k}, which was asked for`);
    const alone = await segmentAlone(site, run, k, timeline[kind]);
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
