/*
 * faults.mjs: where a program is made to fail (inject.c), one point after another.
 *
 *     const points = await underFaults(site, 'upload.fcgi', { stride: 1 }, async (fault) => {
 *         … run the program with `...fault.env` once …
 *         await fault.over();
 *         … and others, to which nothing happens …
 *     });
 *
 * Of each kind the call is the first one, then the second, and so on, until a run has come
 * through without it. stride: how many calls lie between two points; the first one differs
 * from kind to kind, so that a few points are spread over all calls. Power is lost behind the
 * last call too, at each stride, which is no point of its own. most: of a kind there are no
 * more points than that. lane of lanes: where others go through the same points beside this
 * one, each on a site of its own, its share. Where power is lost lighttpd is ended before, as
 * whatever else runs is then.
 */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';

import { INJECT, KEPT, Power } from './power.mjs';

const ENOSPC = 28;
const EIO = 5;
const DAY_S = 86_400;
const CALLS = ['mkdir', 'sync', 'rename', 'write', 'open']; // the rarest first, as their first point comes early
const FAULTS = [
    { name: 'killed', fault: 'kill', call: 'any' },
    ...CALLS.flatMap((call) => [
        { name: `EIO of ${call}`, fault: EIO, call },
        { name: `ENOSPC of ${call}`, fault: ENOSPC, call },
    ]),
];
const POWER = [
    { name: 'power lost', fault: 'kill', call: 'change', kept: KEPT.nothing },
    { name: 'power lost but the database', fault: 'kill', call: 'change', kept: KEPT.database },
    { name: 'power lost but database and names', fault: 'kill', call: 'change', kept: KEPT.names },
    { name: 'power lost but names', fault: 'kill', call: 'change', kept: KEPT.onlyNames },
];
/* stays: for those that run afterwards too; else they have the right time. */
const CLOCK = [
    ['ahead', `+${DAY_S}`],
    ['back', `-${DAY_S}`],
].flatMap(([where, fault]) => [
    { name: `clock a day ${where}`, fault, call: 'any' },
    { name: `clock a day ${where} for good`, fault, call: 'any', stays: true },
]);
/* deletes: the video is deleted meanwhile. */
const FROZEN = [
    { name: 'frozen', fault: 'stop', call: 'any' },
    { name: 'frozen, the video deleted', fault: 'stop', call: 'any', deletes: true },
];
export const KINDS = { faults: FAULTS, power: POWER, clock: CLOCK, frozen: FROZEN };
const CALLS_MAX = 5000; // of one run, which would never end

/* Every row against its files, and back: dropstreamctl finds nothing wrong. */
export async function assertSound(site) {
    const { status, out, err } = await site.ctl(['check']);
    assert.equal(status, 0, out + err);
}

class Fault {
    constructor(site, kind, power, program, n) {
        const mark = `${site.dir}.struck`; // no file of the site's
        Object.assign(this, { site, power, mark, kept: kind.kept, stays: kind.stays && kind.fault, deletes: kind.deletes });
        this.name = `${kind.name}, call ${n}`;
        this.kind = kind.name;
        this.env = { LD_PRELOAD: INJECT, DROPSTREAM_FAULT: `${program} ${kind.fault} ${kind.call} ${n} ${mark}` };
    }

    /* Whether it has happened. */
    struck() {
        return existsSync(this.mark);
    }

    forget() {
        rmSync(this.mark, { force: true });
    }

    /* Once the program is gone, or has come through: what goes with it is gone too. Power is
     * lost behind the last call as well, where all has just been acknowledged. */
    async over() {
        if (this.power) await this.power.loss(this.kept);
        if (!this.struck()) return;
        if (this.stays) Object.assign(this.site.env, { LD_PRELOAD: INJECT, DROPSTREAM_CLOCK: this.stays });
    }
}

async function* faults(site, program, { stride = 1, most = Infinity, lane = 0, lanes = 1, kinds = FAULTS } = {}) {
    for (const [k, kind] of kinds.entries()) {
        const env = { ...site.env };
        if (kind.kept) await site.end('lighttpd');
        let fault;
        const power = kind.kept && (await Power.of(site));
        try {
            const first = 1 + ((5 * k) % stride) + lane * stride;
            for (let i = 0, n = first; i < most && n < CALLS_MAX; i++, n += stride * lanes) {
                await power?.settle();
                fault = new Fault(site, kind, power, program, n);
                yield fault;
                const struck = fault.struck();
                fault.forget();
                if (kind.stays) site.env = { ...env };
                if (!struck) break;
            }
        } finally {
            site.env = env;
            fault?.forget();
            await power?.close();
        }
    }
}

/* Runs run(fault) at each point, kinds being some of KINDS, and fault { name, kind, env,
 * struck(), over() }; its errors tell where. Adds up in points, which it returns, how many
 * there were of each kind; say(text): so far. */
export async function underFaults(site, program, { say = () => {}, points = {}, ...options }, run) {
    for await (const fault of faults(site, program, options)) {
        try {
            await run(fault);
        } catch (error) {
            throw new Error(`${fault.name}: ${error.message}`, { cause: error });
        }
        if (fault.struck()) points[fault.kind] = (points[fault.kind] ?? 0) + 1;
        else say(JSON.stringify(points));
    }
    return points;
}
