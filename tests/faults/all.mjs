/*
 * all.mjs: `make faults`. At every call in turn upload.fcgi and the worker are killed, their
 * disk fails, the machine loses its power, or their clock jumps by a day, also while the file of
 * a video comes in; the power goes while a copy is put away; and the worker stands still for
 * longer than its leases. Of a worker, which makes a whole video at each point, of some kinds
 * every so many calls only.
 * DROPSTREAM_FAULT_STRIDE (1): so many times fewer points. Several sites share the points, as
 * there are waits in each. It fails too where nothing has happened.
 */
import assert from 'node:assert/strict';
import os from 'node:os';

import { setting } from '../bench/measure.mjs';
import { faultsOfArrivals } from './arrivals.mjs';
import { KINDS } from './faults.mjs';
import { faultsOfEviction } from './evict.mjs';
import { faultsOfFrozen } from './frozen.mjs';
import { faultsOfUploads } from './uploads.mjs';
import { faultsOfWorker } from './worker.mjs';

const fewer = setting('DROPSTREAM_FAULT_STRIDE', 1);
const say = (text) => console.log(`  ${text}`);
const LEAST = 1000; // points
const lanes = os.availableParallelism() + 1;
let total = 0;

/* Runs all lanes: how many points there were of each kind. */
async function together(run, options) {
    const results = await Promise.all(Array.from({ length: lanes }, (_, lane) => run({ ...options, lane, lanes })));
    const points = {};
    for (const [kind, n] of results.flatMap(Object.entries)) points[kind] = (points[kind] ?? 0) + n;
    return points;
}

for (const [title, run, strides] of [
    ['upload.fcgi', faultsOfUploads, { faults: 1, power: 1, clock: 1 }],
    ['the worker', faultsOfWorker, { faults: 1, power: 4, clock: 20 }],
    ['the worker, small pictures and a copy besides', (options) => faultsOfWorker({ ...options, extras: true }), { faults: 4, power: 16, clock: 120 }],
    ['the worker, its programs locked in', (options) => faultsOfWorker({ ...options, jail: 'required' }), { faults: 16, power: 64 }],
    ['the worker, a file that comes in, with subtitles', faultsOfArrivals, { faults: 8, power: 8, clock: 120 }],
    ['what is put away', faultsOfEviction, { power: 4 }],
    ['two workers', faultsOfFrozen, { frozen: 16 }],
])
    for (const [kinds, stride] of Object.entries(strides)) {
        const begun = Date.now();
        console.log(`${title}: ${kinds}`);
        const points = await together(run, { stride: stride * fewer, kinds: KINDS[kinds], say });
        const n = Object.values(points).reduce((sum, count) => sum + count, 0);
        for (const [kind, count] of Object.entries(points)) say(`${String(count).padStart(6)}  ${kind}`);
        say(`${String(n).padStart(6)}  in ${Math.round((Date.now() - begun) / 1000)} s: nothing lost, nothing falsely ready, nothing stuck`);
        assert.ok(n > 0, 'no point of it has been reached');
        total += n;
    }
console.log(`${total} points`);
assert.ok(total >= LEAST / fewer, `there should be ${LEAST / fewer} at least`);
