/* adaptive_first_byte.mjs: part 2 of bench-adaptive. */
import { existsSync } from 'node:fs';

import { demand } from '../lib/demand.mjs';
import { parseMedia } from '../lib/media.mjs';
import { sleep } from '../lib/site.mjs';
import { got, longClip, openSite, stored } from './adaptive_stage.mjs';
import * as measure from './measure.mjs';

export const title = 'a segment of the source that is not there yet';

const SAMPLES = measure.setting('DROPSTREAM_BENCH_SAMPLES', 10);
const PAUSE_MS = 400;

/* First bytes, in ms, of what is far from being there, in one upload. */
async function samples(site, file, wanted) {
    const { id, key } = await stored(site, file);
    const base = `/media/${key}/source-1/`;
    const { segments } = parseMedia(await got(site, `${base}index.m3u8`));
    const found = [];
    for (let k = segments.length - 2; k > 8 && found.length < wanted; k -= 17) {
        if (existsSync(site.path(`htdocs${base}${k}.m4s`))) continue;
        const res = await demand(site, `${base}${k}.m4s`, { sid: `bench-${k}` });
        if (res.status !== 200) throw new Error(`segment ${k}: ${res.status}`);
        found.push(res.firstByteMs);
        await sleep(PAUSE_MS);
    }
    await site.api('DELETE', `/api/videos/${id}`);
    return found;
}

export async function run(verdicts) {
    const file = await longClip();
    const site = await openSite();
    const found = [];
    try {
        while (found.length < SAMPLES) {
            const some = await samples(site, file, SAMPLES - found.length);
            if (some.length === 0) throw new Error('the clip is too short: all of it is there at once');
            found.push(...some);
        }
    } finally {
        await site.stop();
    }
    console.log(`  ${found.map((ms) => ms.toFixed(0)).join(' ')} ms`);
    verdicts.add(`first byte of an unmade part of the source, median of ${SAMPLES}`, measure.median(found) / 1000, 0.5, { unit: ' s' });
    verdicts.note('… the slowest', `${Math.max(...found).toFixed(0)} ms`);
}
