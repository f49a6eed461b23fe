/*
 * seek_viewers.mjs: part 3 of bench-seek. Four viewers seek about at once, 50 times in
 * all, then nobody watches until everything is made. Each segment must have come out of
 * one run only, and all that ffmpeg did, half-made segments of stopped runs included, is
 * held against one pass in order of the same file on the same site.
 */
import { existing, runsOf, Viewer } from '../lib/demand.mjs';
import { fetchVideo } from '../lib/media.mjs';
import { sleep } from '../lib/site.mjs';
import * as measure from './measure.mjs';

export const title = '50 seeks of 4 viewers, then rest';

const VIEWERS = 4;
const SEEKS = measure.setting('DROPSTREAM_BENCH_RANDOM_SEEKS', 50);
const CPU_LIMIT = 1.25;
const READY_MS = 1_800_000;

/* CPU seconds of everything that is run for the video until it is ready. */
async function cpuUntilReady(stage, watch) {
    await stage.remove();
    const before = await stage.childCpu();
    await stage.begin();
    await watch();
    stage.video = await stage.site.waitForState(stage.video.id, 'ready', { timeout: READY_MS });
    return (await stage.childCpu()) - before;
}

/* Seeks about, watches a moment each time, and leaves. Adds to times, in seconds. */
async function watchAbout({ site, timeline }, seeks, from, times) {
    const viewer = new Viewer(site, timeline, { from });
    for (let i = 0; i < seeks; i++) {
        const { ms } = await viewer.seek(Math.random() * timeline.video.seconds);
        times.push(ms / 1000);
        await sleep(300 + Math.random() * 1200);
    }
    await viewer.leave();
}

/* How many segments of one kind more than one run has made. */
function madeTwice(runs, kind) {
    const times = new Map();
    for (const run of runs.filter((run) => run.kind === kind)) {
        if (run.made === undefined) throw new Error(`the run of ${kind} at ${run.first} has no end`);
        for (let k = run.first; k < run.first + run.made; k++) times.set(k, (times.get(k) ?? 0) + 1);
    }
    return [...times.values()].filter((n) => n > 1).length;
}

/* 'complete 31, stopped 12': how the runs ended. */
function endsOf(runs) {
    const ends = new Map();
    for (const { end } of runs) ends.set(end, (ends.get(end) ?? 0) + 1);
    return [...ends].map(([end, n]) => `${end} ${n}`).join(', ');
}

export async function run(stage, verdicts) {
    const straight = await cpuUntilReady(stage, () => {});
    console.log(`  one pass: ${straight.toFixed(1)} CPU-s`);
    const times = [];
    const share = (i) => Math.floor(SEEKS / VIEWERS) + (i < SEEKS % VIEWERS ? 1 : 0);
    const seeking = await cpuUntilReady(stage, () =>
        Promise.all(
            Array.from({ length: VIEWERS }, (_, i) => watchAbout(stage, share(i), `127.0.3.${i + 1}`, times)),
        ),
    );
    console.log(`  with ${times.length} seeks: ${seeking.toFixed(1)} CPU-s`);

    await fetchVideo(stage.site, stage.video); // every segment, as the playlists promise it
    const runs = await runsOf(stage.site, stage.video, stage.timeline);
    for (const kind of ['video', 'audio'])
        console.log(`  runs of ${kind}: ${endsOf(runs.filter((run) => run.kind === kind))}`);
    let [missing, twice] = [0, 0];
    for (const rendition of Object.values(stage.timeline)) {
        missing += rendition.segments - (await existing(rendition)).size;
        twice += madeTwice(runs, rendition.kind);
    }
    const s = (q) => measure.quantile(times, q).toFixed(2);
    verdicts.note(`${times.length} seeks of ${VIEWERS} viewers, both segments there`, `p50 ${s(0.5)} s, p95 ${s(0.95)} s`);
    verdicts.note('… runs of ffmpeg that it took', String(runs.length));
    verdicts.add('… segments that are missing at the end', missing, 0, { digits: 0 });
    verdicts.add('… segments that were made more than once', twice, 0, { digits: 0 });
    verdicts.add('… CPU of all runs against one pass', seeking / straight, CPU_LIMIT);
}
