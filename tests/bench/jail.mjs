/*
 * jail.mjs: what the jail costs. A start of ffmpeg, and an encode at 360p of a clip in
 * 1080p, each free and in the jail by turns; the median of the differences of neighbours
 * counts, as both have the same machine.
 *
 *     make bench-jail        DROPSTREAM_BENCH_ROUNDS (60), DROPSTREAM_BENCH_ENCODES (21)
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';

import { ffmpeg, tempDir } from '../lib/media.mjs';
import { BUILD } from '../lib/site.mjs';
import * as measure from './measure.mjs';

const ROUNDS = measure.setting('DROPSTREAM_BENCH_ROUNDS', 60);
const ENCODES = measure.setting('DROPSTREAM_BENCH_ENCODES', 21);
const START_LIMIT_MS = 20;
const ENCODE_LIMIT = 1.02;

/* { free: [ms…], jailed: [ms…] } of a command line. */
function times(rounds, file, argv) {
    const out = execFileSync(path.join(BUILD, 'tests/bench/jail_times'), [String(rounds), file, ...argv], { encoding: 'utf8' });
    const found = { free: [], jailed: [] };
    for (const [, how, ms] of out.matchAll(/^(free|jailed) ([\d.]+)$/gm)) found[how].push(Number(ms));
    return found;
}

const verdicts = new measure.Verdicts();
const temp = await tempDir();
try {
    const clip = path.join(temp.dir, 'clip.mp4');
    await ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=1920x1080:r=25:d=20,noise=alls=15:allf=t'],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '9M', '-pix_fmt', 'yuv420p', clip]);
    const start = times(ROUNDS, '', ['ffmpeg', '-version']);
    const differences = start.jailed.map((ms, i) => ms - start.free[i]);
    verdicts.add('a start in the jail, longer by', measure.median(differences), START_LIMIT_MS, { unit: ' ms' });
    verdicts.note('a start, free', `${measure.median(start.free).toFixed(1)} ms`);
    const encode = times(ENCODES, clip, ['ffmpeg', '-v', 'error', '-i', `file:${clip}`, '-vf', 'scale=640:360:flags=bilinear',
        '-c:v', 'libx264', '-preset', 'ultrafast', '-f', 'mp4', '-movflags', 'frag_keyframe+empty_moov', 'pipe:1']);
    const ratios = encode.jailed.map((ms, i) => ms / encode.free[i]);
    verdicts.add('an encode in the jail, against a free one', measure.median(ratios), ENCODE_LIMIT, { digits: 3 });
    verdicts.note('an encode, free', `${(measure.median(encode.free) / 1000).toFixed(2)} s`);
    verdicts.print();
} finally {
    await temp.remove();
}
