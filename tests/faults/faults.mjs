/*
 * faults.mjs: where a program is made to fail (inject.c), one point after another.
 *
 *     for (const fault of faults(site, 'upload.fcgi', { stride: 1 }))
 *         … run the program with `...fault.env` once …
 *
 * Of each kind the call is the first one, then the second, and so on, until a run has come
 * through without it. stride: how many calls lie between two points; the first one differs
 * from kind to kind, so that a few points are spread over all calls.
 */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';

import { BUILD } from '../lib/site.mjs';

export const INJECT = path.join(BUILD, 'tests/faults/inject.so');

const ENOSPC = 28;
const EIO = 5;
const KINDS = [
    { name: 'killed', code: 0, call: 'any' },
    ...['write', 'sync', 'rename', 'open'].map((call) => ({ name: `EIO of ${call}`, code: EIO, call })),
    ...['write', 'rename', 'open'].map((call) => ({ name: `ENOSPC of ${call}`, code: ENOSPC, call })),
];
const CALLS_MAX = 5000; // of one run, which would never end

/* Every row against its files, and back: dropstreamctl finds nothing wrong. */
export async function assertSound(site) {
    const { status, out, err } = await site.ctl(['check']);
    assert.equal(status, 0, out + err);
}

/* Each fault: { name, kind, env, struck(): whether it has happened }. */
export function* faults(site, program, { stride = 1 } = {}) {
    const mark = site.path('tmp', 'struck');
    for (const [k, { name, code, call }] of KINDS.entries())
        for (let n = 1 + ((7 * k) % stride); n < CALLS_MAX; n += stride) {
            rmSync(mark, { force: true });
            const fault = {
                name: `${name}, call ${n}`,
                kind: name,
                env: { LD_PRELOAD: INJECT, DROPSTREAM_FAULT: `${program} ${code} ${call} ${n} ${mark}` },
                struck: () => existsSync(mark),
            };
            yield fault;
            if (!fault.struck()) break;
        }
}
