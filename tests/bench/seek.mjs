/*
 * seek.mjs: what a seek into the part that is not encoded yet costs, and what many of
 * them do to the rest. 1080p H.264 at 30 frames a second with a keyframe every 4 s; each
 * part begins with an upload that has just become playable.
 *
 *   1  in Chromium, from the seek to the first picture from there
 *   2  over HTTP, from the request to the first byte, against the same ffmpeg alone
 *   3  50 seeks of 4 viewers, then rest: each segment made once, and at what CPU
 *   4  500 clients that wait, beside the API and static segments
 *   5  kill -9 of the worker in the middle
 *
 * DROPSTREAM_BENCH_PARTS (1,2,3,4,5), DROPSTREAM_BENCH_S (900, seconds of the clip),
 * DROPSTREAM_BENCH_CLIP (a file to use instead).
 */
import os from 'node:os';

import { clip, Stage } from './seek_stage.mjs';
import * as measure from './measure.mjs';

const MODULES = {
    1: './seek_player.mjs',
    2: './seek_first_byte.mjs',
    3: './seek_viewers.mjs',
    4: './seek_waiting.mjs',
    5: './seek_killed.mjs',
};

const parts = measure.wantedParts(MODULES);
const load = measure.load();
measure.needs(measure.hasProgram('ffmpeg'), 'ffmpeg (Debian package ffmpeg)');
if (parts.includes('1'))
    measure.needs(measure.hasProgram(process.env.DROPSTREAM_CHROMIUM ?? 'chromium'), 'chromium');
const file = await clip();
console.log(`${os.availableParallelism()} cores; load of the machine before this: ${load}`);
const verdicts = new measure.Verdicts();
try {
    for (const part of parts) {
        const { title, run } = await import(MODULES[part]);
        console.log(`${part}: ${title}`);
        const stage = await Stage.open(file);
        try {
            await run(stage, verdicts);
        } catch (error) {
            console.error(await stage.site.logs());
            throw error;
        } finally {
            await stage.close();
        }
    }
} finally {
    verdicts.print(); // what is known, also if a part has thrown
}
