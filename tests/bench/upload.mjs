/*
 * upload.mjs: what uploads cost, how soon they play, and how they and the rest of the site
 * get on.
 *
 *   1  CPU and memory, against a PUT to lighttpd's mod_webdav
 *   2  1080p at 50 Mb/s, its index first or last: watched while it comes in
 *   3  the speed beside a worker that encodes something else
 *   4  the speed, and that of the API, beside 64 uploads that drip
 *   5  tus-js-client and Uppy, over a line that breaks to a server that restarts
 *
 * DROPSTREAM_BENCH_PARTS (1,2,3,4,5), DROPSTREAM_BENCH_MB (1000, of 10^6 bytes: an upload),
 * DROPSTREAM_BENCH_PAIRS (5).
 */
import os from 'node:os';

import { startSite } from '../lib/site.mjs';
import * as measure from './measure.mjs';

const MODULES = {
    1: './upload_cost.mjs',
    2: './upload_arriving.mjs',
    3: './upload_busy.mjs',
    4: './upload_dripping.mjs',
    5: './upload_clients.mjs',
};
const ENV = { DROPSTREAM_DISK_RESERVE_MB: '0', DROPSTREAM_JOB_LOG_KB: '16384' };

const parts = await Promise.all(
    measure.wantedParts(MODULES).map(async (number) => ({ number, ...(await import(MODULES[number])) })),
);
for (const { needs } of parts) needs();
for (const { prepare } of parts) await prepare?.();

console.log(`${os.availableParallelism()} cores`);
const verdicts = new measure.Verdicts();
try {
    for (const { number, title, worker, env, limitS, run } of parts) {
        const load = measure.load();
        console.log(`${number}: ${title}; load of the machine before it: ${load}`);
        const site = await startSite({ worker, posters: true, env: { ...ENV, ...env } });
        try {
            await measure.within(limitS, run(site, verdicts), `part ${number}`);
        } catch (error) {
            console.error(await site.logs());
            throw error;
        } finally {
            await site.stop();
        }
        verdicts.note(`load of the machine before and after part ${number}`, `${load}, ${measure.load()}`);
    }
} finally {
    verdicts.print(); // what is known, also if a part has thrown
}
