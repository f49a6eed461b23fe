/* adaptive_ladder.mjs: part 3 of bench-adaptive. The worker's own command line for two
 * rungs, and what it would be for each of them, take turns. */
import { waitFor } from '../lib/site.mjs';
import { commandOf, idle, openSite, shortClip, stored, timed } from './adaptive_stage.mjs';
import * as measure from './measure.mjs';

export const title = '1080p and 720p in one program, against one each';

const PAIRS = measure.setting('DROPSTREAM_BENCH_PAIRS', 3);

/* { both, large, small }: command lines whose outputs go nowhere. */
function commands(line) {
    const parts = /^(.*) -filter_complex '\[0:(\d+)\](.*),split\[one\]\[two\];\[two\](scale=(\d+:\d+)[^[]*)\[three\]' -map '\[one\]' (.*) pipe:1 -map '\[three\]' (.*) pipe:3$/.exec(line);
    if (!parts) throw new Error(`this is not the command of two rungs: ${line}`);
    const [, input, stream, chain, , size, large, small] = parts;
    const one = (filters, output) => `${input} -map 0:${stream} -vf '${filters}' ${output} pipe:1 >/dev/null`;
    return {
        both: `${line} >/dev/null 3>/dev/null`,
        large: one(chain, large),
        small: one(chain.replace(/scale=\d+:\d+/, `scale=${size}`), small),
    };
}

export async function run(verdicts) {
    const file = await shortClip();
    const site = await openSite();
    const ratios = [];
    try {
        const { id } = await stored(site, file);
        await waitFor(
            async () => (await site.api('GET', `/api/videos/${id}`)).json.renditions.every((r) => r.done === r.segments),
            { timeout: 600_000, what: 'the ladder' },
        );
        await idle(site);
        const lines = commands(await commandOf(site, id, /split/));
        for (let i = 0; i < PAIRS; i++) {
            const [both, large, small] = [await timed(lines.both), await timed(lines.large), await timed(lines.small)];
            ratios.push(both.cpu / (large.cpu + small.cpu));
            console.log(`  CPU ${both.cpu.toFixed(1)} s in one, ${large.cpu.toFixed(1)} + ${small.cpu.toFixed(1)} s apart`);
        }
    } finally {
        await site.stop();
    }
    verdicts.add(`CPU of two rungs in one program against one each, median of ${PAIRS}`, measure.median(ratios), 1);
}
