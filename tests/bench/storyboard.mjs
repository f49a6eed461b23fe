/*
 * storyboard.mjs: what the small pictures of the seek bar cost, in CPU seconds of the
 * worker's programs for an hour of 1080p. The video is encoded first, and then its
 * storyboard alone is made again, several times; the figure that counts is the median.
 *
 * DROPSTREAM_BENCH_S (900, seconds of the clip), DROPSTREAM_BENCH_TIMES (3).
 */
import { clip } from './clip.mjs';
import * as measure from './measure.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const SECONDS = measure.setting('DROPSTREAM_BENCH_S', 900);
const TIMES = measure.setting('DROPSTREAM_BENCH_TIMES', 3);
const CPU_LIMIT = 10; // seconds an hour

const MADE = 'Previews of the seek bar made';

async function timesMade(site) {
    const { json } = await site.api('GET', '/api/activity?limit=1000');
    return json.activity.filter(({ message }) => message === MADE).length;
}

/* The storyboard's job anew: { cpu (of the programs), wall } in seconds. */
async function makeAgain(site) {
    const before = await timesMade(site);
    const cpu = measure.childCpuSeconds(site.pid('worker'));
    const began = performance.now();
    const db = await site.holdDatabase();
    await db.run("UPDATE jobs SET state = 'queued', due_ms = 0 WHERE kind = 'storyboard'");
    await db.end();
    await waitFor(async () => (await timesMade(site)) > before, { timeout: 300_000, what: 'the storyboard' });
    const wall = (performance.now() - began) / 1000;
    return { cpu: measure.childCpuSeconds(site.pid('worker')) - cpu, wall };
}

measure.needs(measure.hasProgram('ffmpeg'), 'ffmpeg (Debian package ffmpeg)');
const file = await clip(SECONDS);
// The worker under setpriv keeps its process id.
const site = await startSite({ worker: true, extras: true });
try {
    const { json } = await site.upload(file);
    const video = await site.waitForState(json.id, 'ready', { timeout: 1_200_000 });
    await waitFor(() => timesMade(site), { timeout: 300_000, what: 'the first storyboard' });
    const rows = [['', 'CPU s', 'wall s', 'CPU s an hour']];
    const costs = [];
    for (let i = 1; i <= TIMES; i++) {
        const { cpu, wall } = await makeAgain(site);
        costs.push((cpu * 3600) / SECONDS);
        rows.push([i, cpu.toFixed(2), wall.toFixed(2), costs.at(-1).toFixed(2)]);
    }
    const vtt = (await site.request('GET', video.storyboard)).text;
    const pictures = vtt.match(/#xywh=/g).length;
    console.log(`storyboard of ${SECONDS} s of 1080p30, ${pictures} pictures`);
    measure.printTable(rows);
    measure.mustHold('CPU seconds for an hour, median', measure.median(costs), CPU_LIMIT);
} finally {
    await site.stop();
}
