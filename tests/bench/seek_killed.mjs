/*
 * seek_killed.mjs: part 5 of bench-seek. The worker is killed while viewers make it run
 * here and there, and started again; a segment that is asked for right then must come
 * soon. All the while every segment is looked at as it appears.
 */
import { demand, Viewer } from '../lib/demand.mjs';
import { sleep } from '../lib/site.mjs';
import { MediaWatcher } from '../lib/watcher.mjs';
import * as measure from './measure.mjs';

export const title = 'kill -9 of the worker in the middle';

const ROUNDS = measure.setting('DROPSTREAM_BENCH_KILLS', 4);
const BACK_LIMIT_S = 3;

/* Makes the worker run in several places, kills it at a random moment, and tells how many
 * seconds after its new start a missing picture is there. */
async function round(stage) {
    const { site, timeline } = stage;
    const viewers = [1, 2].map((i) => new Viewer(site, timeline, { from: `127.0.5.${i}` }));
    for (const viewer of viewers) await viewer.seek(Math.random() * timeline.video.seconds);
    const [k] = await stage.unmade('video');
    if (k === undefined) throw new Error('the clip is too short: everything is made already');
    const asked = viewers.map((viewer) => viewer.seek(Math.random() * timeline.video.seconds));
    for (const seek of asked) seek.catch(() => {}); // nobody may be there to answer it
    await sleep(Math.random() * 1000);
    await site.end('worker', 'SIGKILL');
    await Promise.all(viewers.map((viewer) => viewer.leave()));

    const begun = performance.now();
    site.startWorker();
    const res = await demand(site, timeline.video.url(k), { sid: `back-${k}`, retryMs: 100 });
    if (res.status !== 200) throw new Error(`segment ${k} was answered with ${res.status}`);
    return (performance.now() - begun) / 1000;
}

export async function run(stage, verdicts) {
    await stage.begin();
    const watcher = new MediaWatcher(Object.values(stage.timeline).map(({ dir }) => dir));
    const seconds = [];
    for (let i = 0; i < ROUNDS; i++) {
        seconds.push(await round(stage));
        console.log(`  there ${seconds.at(-1).toFixed(2)} s after the start`);
    }
    const { files, complaints } = await watcher.stop();
    for (const complaint of complaints) console.log(`  ${complaint}`);
    verdicts.add(`kill -9: a demand is served after the start, most of ${ROUNDS}`, Math.max(...seconds), BACK_LIMIT_S, {
        unit: ' s',
    });
    verdicts.add(`… of ${files} segments seen half-written or changed`, complaints.length, 0, { digits: 0 });
}
