/*
 * upload_busy.mjs: part 3 of bench-upload. The speed of an upload while the worker encodes
 * something else with all its slots, against that beside an idle worker. What is uploaded
 * is no video, so that it does not make the worker busy itself. The two alternate and take
 * turns in going first; one before them is not counted.
 */
import os from 'node:os';

import { childrenOf, uploadPlayable } from '../lib/demand.mjs';
import { waitFor } from '../lib/site.mjs';
import { clip } from './clip.mjs';
import * as measure from './measure.mjs';
import { CLIP_S, MB, needsCurl, needsFfmpeg, PAIRS, removeVideos, uploadSpeed, withFile } from './upload_stage.mjs';

export const title = `${MB} MB as fast as it goes, beside a worker that is idle or busy`;
export const worker = true;
export const limitS = 600;

const SHARE_FLOOR = 0.6;
const SLOTS = os.availableParallelism() + 1; // the default of the setting `jobs`

export function needs() {
    needsCurl();
    needsFfmpeg();
}

/* Three of them have the worker busy for as long as one of the whole length. */
const busyClip = () => clip(Math.ceil(CLIP_S / 3));

export const prepare = busyClip;

/* Programs that the worker has at work. */
const atWork = (site) => childrenOf(site.pid('worker')).filter(({ state }) => state !== 'T').length;

class Worker {
    #videos = new Set();

    constructor(site, clip) {
        this.site = site;
        this.clip = clip;
    }

    /* With one video a slot, as many runs of picture as there are slots. */
    async beBusy() {
        if (this.#videos.size && atWork(this.site) >= SLOTS) return;
        await this.beIdle();
        while (this.#videos.size < SLOTS) this.#videos.add((await uploadPlayable(this.site, this.clip)).id);
        await waitFor(() => atWork(this.site) >= SLOTS, { what: 'all slots to be taken' });
    }

    async beIdle() {
        this.#videos.clear();
        await removeVideos(this.site);
        await waitFor(() => atWork(this.site) === 0, { what: 'the worker to be idle' });
    }

    /* MB a second of an upload beside it as it is; it is gone afterwards. */
    async speedBeside(file) {
        const speed = await uploadSpeed(this.site, file);
        if (this.#videos.size && atWork(this.site) < SLOTS) throw new Error('the clip is too short');
        await removeVideos(this.site, ({ id }) => !this.#videos.has(id));
        return speed;
    }
}

async function pair(beside, idleFirst, file) {
    const found = {};
    for (const state of idleFirst ? ['idle', 'busy'] : ['busy', 'idle']) {
        await (state === 'idle' ? beside.beIdle() : beside.beBusy());
        found[state] = await beside.speedBeside(file);
    }
    return found;
}

export const run = (site, verdicts) =>
    withFile(async ({ file }) => {
        const beside = new Worker(site, await busyClip());
        await beside.speedBeside(file);
        const rows = [['pair', 'idle MB/s', 'busy MB/s', 'ratio']];
        const pairs = [];
        for (let i = 1; i <= PAIRS; i++) {
            const { idle, busy } = await pair(beside, i % 2 === 1, file);
            pairs.push({ idle, busy, share: busy / idle });
            rows.push([i, idle.toFixed(0), busy.toFixed(0), (busy / idle).toFixed(2)]);
        }
        measure.printTable(rows);
        const median = (key) => measure.median(pairs.map((one) => one[key]));
        const name = `upload beside a busy worker, of the speed beside an idle one, median of ${PAIRS}`;
        verdicts.add(name, median('share'), SHARE_FLOOR, { atLeast: true });
        verdicts.note('… busy, idle', `${median('busy').toFixed(0)}, ${median('idle').toFixed(0)} MB/s`);
    });
