/*
 * clip.mjs: the video that the benches of seeking and of uploads use: 1080p H.264 at 30
 * frames a second with a keyframe every 4 s, 9 Mb/s, and AAC. It is made once and kept in
 * the build folder.
 */
import { existsSync, promises as fs } from 'node:fs';
import path from 'node:path';

import { ffmpeg } from '../lib/media.mjs';
import { BUILD } from '../lib/site.mjs';

const UNIT_S = 60; // as much is encoded, the rest is repeated

const named = (name) => path.join(BUILD, 'bench', name);

/* Makes file by make(name), unless it is there. */
async function once(file, make) {
    if (existsSync(file)) return file;
    console.log(`making ${file}`);
    await fs.mkdir(path.dirname(file), { recursive: true });
    await make(`${file}.part`);
    await fs.rename(`${file}.part`, file);
    return file;
}

/* The picture is noisy so that decoding costs what it does with a camera's. */
const unit = () =>
    once(named('1080p30-gop4-unit.mp4'), (file) =>
        ffmpeg(
            ['-f', 'lavfi', '-i', `testsrc2=size=1920x1080:rate=30:duration=${UNIT_S},noise=alls=12:allf=t`],
            ['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '9M', '-maxrate', '10M', '-bufsize', '18M'],
            ['-g', '120', '-keyint_min', '120', '-sc_threshold', '0', '-pix_fmt', 'yuv420p'],
            ['-f', 'mp4', file],
        ),
    );

/* The path of a clip of so many seconds, its index (moov) first; 900 of them are 1 GB. */
export const clip = (seconds) =>
    once(named(`1080p30-gop4-${seconds}s.mp4`), async (file) =>
        ffmpeg(
            ['-stream_loop', String(Math.ceil(seconds / UNIT_S) - 1), '-i', await unit()],
            ['-f', 'lavfi', '-i', `sine=frequency=330:sample_rate=48000:duration=${seconds}`],
            ['-map', '0:v', '-map', '1:a', '-c:v', 'copy', '-c:a', 'aac', '-b:a', '128k'],
            ['-t', String(seconds), '-movflags', '+faststart', '-f', 'mp4', file],
        ),
    );

/* The same clip with its index at the end. */
export const clipWithIndexLast = (seconds) =>
    once(named(`1080p30-gop4-${seconds}s-index-last.mp4`), async (file) =>
        ffmpeg(['-i', await clip(seconds)], ['-map', '0', '-c', 'copy', '-f', 'mp4', file]),
    );
