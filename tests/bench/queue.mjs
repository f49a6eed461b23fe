/*
 * queue.mjs: how soon a job starts after the commit that queued it, and what a site
 * costs that has nothing to do.
 *
 * The commit is the moment at which an upload was stored, the start the first line of
 * the activity log about its probe; both are stamped inside their transactions, so that
 * the commit itself counts as waiting. DROPSTREAM_BENCH_SAMPLES (30),
 * DROPSTREAM_BENCH_IDLE_S (20).
 */
import { sleep, startSite, tinyMp4, waitFor } from '../lib/site.mjs';
import * as measure from './measure.mjs';

const SAMPLES = measure.setting('DROPSTREAM_BENCH_SAMPLES', 30);
const IDLE_S = measure.setting('DROPSTREAM_BENCH_IDLE_S', 20);
const START_LIMIT_MS = 100;
const IDLE_LIMIT = 0.5; // per cent of one core
const SETTLE_S = 5;

/* Uploads one file and waits until its probe has come and gone. */
async function oneStart(site) {
    const { status, json } = await site.upload(tinyMp4());
    if (status !== 201) throw new Error(`the upload was answered with ${status}`);
    await site.waitForState(json.id, ['ready', 'failed']);
    const { json: log } = await site.api('GET', '/api/activity?limit=100');
    const rows = log.activity.filter((row) => row.video_id === json.id);
    const stored = rows.find((row) => row.kind === 'upload' && row.message.startsWith('Stored'));
    const started = rows.find((row) => row.kind === 'probe');
    if (!stored || !started) throw new Error('the activity log lacks the upload or its probe');
    return Date.parse(started.at) - Date.parse(stored.at);
}

async function starts(site) {
    const waits = [];
    for (let i = 0; i < SAMPLES; i++) {
        waits.push(await oneStart(site));
        // Not in step with the worker's slow poll, which would hide a wake-up that fails.
        await sleep(137 + ((i * 211) % 700));
    }
    return waits;
}

/* Per cent of one core that lighttpd, its handlers and the worker use while idle. */
async function idle(site) {
    await sleep(SETTLE_S * 1000);
    const pids = [...measure.family(site.pid('lighttpd')), ...measure.family(site.pid('worker'))];
    const before = measure.cpuSeconds(pids);
    const start = performance.now();
    await sleep(IDLE_S * 1000);
    return (100 * (measure.cpuSeconds(pids) - before)) / ((performance.now() - start) / 1000);
}

// One try each: a file without pictures fails at its probe, and is then done with.
const site = await startSite({ worker: true, posters: true, env: { DROPSTREAM_ATTEMPTS: '1' } });
try {
    await waitFor(async () => (await site.api('GET', '/api/health')).status === 200, {
        what: 'the worker to be there',
    });
    const waits = await starts(site);
    const ms = (value) => value.toFixed(0);
    console.log(`commit to start of a job, ms, ${SAMPLES} samples`);
    measure.printTable([
        ['least', 'median', '95 %', 'most'],
        [0, 0.5, 0.95, 1].map((q) => ms(measure.quantile(waits, q))),
    ]);
    measure.mustHold('the longest wait', Math.max(...waits), START_LIMIT_MS, ' ms');
    measure.mustHold(`idle CPU over ${IDLE_S} s`, await idle(site), IDLE_LIMIT, ' %');
} finally {
    await site.stop();
}
