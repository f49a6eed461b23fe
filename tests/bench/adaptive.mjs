/*
 * adaptive.mjs: what it costs to offer more than 360p.
 *
 *   1  1 GB stored: until the source plays, until all of it is served as it is, against
 *      bare `ffmpeg -c copy` to HLS
 *   2  a segment of the source that is not there yet: the first byte
 *   3  1080p and 720p in one program against one each: CPU
 *   4  360p as it is made against a plain command: size and PSNR
 *
 * DROPSTREAM_BENCH_PARTS (1,2,3,4), DROPSTREAM_BENCH_S (900, seconds of the clip of parts
 * 1 and 2), DROPSTREAM_BENCH_CLIP (a file for parts 3 and 4).
 */
import os from 'node:os';

import * as measure from './measure.mjs';

const MODULES = {
    1: './adaptive_source.mjs',
    2: './adaptive_first_byte.mjs',
    3: './adaptive_ladder.mjs',
    4: './adaptive_plain.mjs',
};

measure.needs(measure.hasProgram('ffmpeg'), 'ffmpeg (Debian package ffmpeg)');
const load = measure.load();
console.log(`${os.availableParallelism()} cores; load of the machine before this: ${load}`);
const verdicts = new measure.Verdicts();
try {
    for (const part of measure.wantedParts(MODULES)) {
        const { title, run } = await import(MODULES[part]);
        console.log(`${part}: ${title}`);
        await run(verdicts);
    }
} finally {
    verdicts.print(); // what is known, also if a part has thrown
}
