/* adaptive_source.mjs: part 1 of bench-adaptive. */
import { promises as fs } from 'node:fs';

import { parseMedia } from '../lib/media.mjs';
import { waitFor } from '../lib/site.mjs';
import { got, longClip, openSite, stored, tempFolder, timed } from './adaptive_stage.mjs';
import * as measure from './measure.mjs';

export const title = '1 GB stored: until its source plays, and until all of it is served';

const PAIRS = measure.setting('DROPSTREAM_BENCH_PAIRS', 3);

async function bare(file) {
    const dir = await tempFolder();
    try {
        const { wall } = await timed(
            `ffmpeg -nostdin -v error -i '${file}' -c copy -f hls -hls_segment_type fmp4 -hls_time 4 ` +
                '-hls_playlist_type vod out.m3u8',
            dir,
        );
        return wall;
    } finally {
        await fs.rm(dir, { recursive: true, force: true });
    }
}

/* { first, all }: seconds since it was stored. 360p is encoded meanwhile, as ever. */
async function ours(site, file) {
    const { id, key, storedAt } = await stored(site, file);
    const since = () => (performance.now() - storedAt) / 1000;
    const base = `/media/${key}/source-1/`;
    const list = parseMedia(await got(site, `${base}index.m3u8`));
    await got(site, `${base}${list.map}`);
    await got(site, `${base}0.m4s`);
    const first = since();
    await waitFor(
        async () => {
            const { renditions } = (await site.api('GET', `/api/videos/${id}`)).json;
            const source = renditions.find(({ name }) => name === 'source');
            return source.done === list.segments.length;
        },
        { every: 20, timeout: 120_000, what: 'all of the source' },
    );
    for (const { uri } of list.segments) {
        const { status } = await site.request('HEAD', base + uri);
        if (status !== 200) throw new Error(`${uri}: ${status}`);
    }
    const all = since();
    await site.api('DELETE', `/api/videos/${id}`);
    return { first, all };
}

export async function run(verdicts) {
    const file = await longClip();
    const site = await openSite();
    const found = [];
    try {
        for (let i = 0; i < PAIRS; i++) {
            const alone = await bare(file);
            const { first, all } = await ours(site, file);
            found.push({ alone, first, all });
            console.log(`  plays after ${first.toFixed(2)} s, all served after ${all.toFixed(2)} s; bare ${alone.toFixed(2)} s`);
        }
    } finally {
        await site.stop();
    }
    const median = (of) => measure.median(found.map(of));
    verdicts.add('source plays, seconds after it was stored', median((f) => f.first), 1, { unit: ' s' });
    verdicts.add('all of it served, against bare ffmpeg -c copy', median((f) => f.all / f.alone), 1.3);
    verdicts.note('… medians of both', `${median((f) => f.all).toFixed(1)} s, ${median((f) => f.alone).toFixed(1)} s`);
}
