/*
 * upload_stage.mjs: what the parts of bench-upload share: a large file that is no video,
 * and sending it with curl, which costs little itself.
 */
import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { tempDir } from '../lib/media.mjs';
import { waitFor } from '../lib/site.mjs';
import * as measure from './measure.mjs';

const run = promisify(execFile);

export const MB = measure.setting('DROPSTREAM_BENCH_MB', 1000);
export const PAIRS = measure.setting('DROPSTREAM_BENCH_PAIRS', 5);
export const BYTES = MB * 1e6;
/* Of the clip that has as many bytes. */
export const CLIP_S = Math.ceil((MB * 9) / 10);

export const needsCurl = () => measure.needs(measure.hasProgram('curl'), 'curl (Debian package curl)');
export const needsFfmpeg = () => measure.needs(measure.hasProgram('ffmpeg'), 'ffmpeg (Debian package ffmpeg)');

/* A file that begins like an MP4 and holds what nothing can compress or skip. */
async function makeFile(file, bytes) {
    const head = Buffer.alloc(40);
    head.writeUInt32BE(24, 0);
    head.write('ftypisom', 4, 'latin1');
    head.writeUInt32BE(0x200, 12);
    head.write('isommp41', 16, 'latin1');
    head.writeUInt32BE(1, 24); // a 64-bit size follows the type
    head.write('mdat', 28, 'latin1');
    head.writeBigUInt64BE(BigInt(bytes - 24), 32);
    const out = await fs.open(file, 'w');
    const block = Buffer.alloc(8 << 20);
    await out.write(head);
    for (let left = bytes - head.length; left > 0; left -= block.length) {
        randomFillSync(block);
        await out.write(block, 0, Math.min(left, block.length));
    }
    await out.sync();
    await out.close();
}

/* Calls work({ file, dir }) with such a file of BYTES in a folder that is removed. */
export async function withFile(work) {
    const { dir, remove } = await tempDir();
    try {
        const file = path.join(dir, 'clip.mp4');
        await makeFile(file, BYTES);
        return await work({ file, dir });
    } finally {
        await remove();
    }
}

/* Fails where the answer is no success. */
export const curl = (...args) =>
    run('curl', ['-sSf', '--http1.1', '-o', '/dev/null', '-H', 'Expect:', ...args]);

/* MB (10^6 bytes) a second of a whole upload by the form, until its 201. */
export async function uploadSpeed(site, file) {
    const { size } = await fs.stat(file);
    const begun = performance.now();
    await curl('-F', `file=@${file}`, `${site.url}/api/videos`);
    return size / 1e3 / (performance.now() - begun);
}

/* Deletes each video that test(video) is true of, and waits until its files are gone. */
export async function removeVideos(site, test = () => true) {
    const { json } = await site.api('GET', '/api/videos?limit=100');
    const gone = json.videos.filter(test);
    for (const { id } of gone) await site.api('DELETE', `/api/videos/${id}`);
    await waitFor(
        async () => (await site.spool()).every((name) => !gone.some(({ id }) => name.startsWith(id))),
        { what: 'the files to go' },
    );
}
