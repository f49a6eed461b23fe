/*
 * all.mjs: `make faults`. upload.fcgi and the worker are killed, or their disk fails, at every
 * call in turn. DROPSTREAM_FAULT_STRIDE (1): only at every so many.
 */
import { setting } from '../bench/measure.mjs';
import { faultsOfUploads } from './uploads.mjs';
import { faultsOfWorker } from './worker.mjs';

const stride = setting('DROPSTREAM_FAULT_STRIDE', 1);
const options = { stride, say: (text) => console.log(`  ${text}`) };
let total = 0;

for (const [title, run] of [['upload.fcgi', faultsOfUploads], ['the worker', faultsOfWorker]]) {
    console.log(title);
    const points = await run(options);
    const n = Object.values(points).reduce((sum, count) => sum + count, 0);
    for (const [kind, count] of Object.entries(points)) console.log(`  ${String(count).padStart(6)}  ${kind}`);
    console.log(`  ${String(n).padStart(6)}  in all: nothing lost, nothing falsely ready, nothing stuck`);
    total += n;
}
console.log(`${total} points`);
