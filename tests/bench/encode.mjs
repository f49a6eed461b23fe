/*
 * encode.mjs: how much longer the 360p encode of a whole file takes through the worker,
 * which cuts, checks and publishes the segments, than the very same ffmpeg command with
 * its output thrown away. The two alternate; the ratio that counts is the median. One
 * job at a time, so that the audio and the poster do not share the machine with it.
 *
 * DROPSTREAM_BENCH_PAIRS (3), DROPSTREAM_BENCH_S (180, seconds of the clip).
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, promises as fs } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { BUILD, startSite, waitFor } from '../lib/site.mjs';
import * as measure from './measure.mjs';

const PAIRS = measure.setting('DROPSTREAM_BENCH_PAIRS', 3);
const SECONDS = measure.setting('DROPSTREAM_BENCH_S', 180);
const RATIO_LIMIT = 1.05;

/* 1080p30 H.264 and AAC with noise, so that decoding costs what it does with a camera's
 * file. Made once and kept in the build folder. */
async function clip() {
    const file = path.join(BUILD, 'bench', `1080p30-${SECONDS}s.mp4`);
    if (existsSync(file)) return file;
    console.log(`making ${file}`);
    await fs.mkdir(path.dirname(file), { recursive: true });
    const picture = `testsrc2=size=1920x1080:rate=30:duration=${SECONDS},noise=alls=12:allf=t`;
    const sound = `sine=frequency=330:sample_rate=48000:duration=${SECONDS}`;
    await promisify(execFile)('ffmpeg', [
        ...['-v', 'error', '-y', '-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound],
        ...['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '9M', '-pix_fmt', 'yuv420p'],
        ...['-c:a', 'aac', '-b:a', '128k', '-movflags', '+faststart', '-f', 'mp4', `${file}.part`],
    ]);
    await fs.rename(`${file}.part`, file);
    return file;
}

/* Milliseconds between two lines of the activity log about this video. */
async function between(site, id, first, last) {
    const { json } = await site.api('GET', '/api/activity?limit=1000');
    const at = (message) => {
        const row = json.activity.find((a) => a.video_id === id && a.message.startsWith(message));
        if (!row) throw new Error(`no line "${message}" about ${id} in the activity log`);
        return Date.parse(row.at);
    };
    return at(last) - at(first);
}

/* The command line that encoded this video, out of the logs of the jobs, as one that reads
 * the stored file: the first run is often given the bytes as they arrive. */
async function encodeCommand(site, id) {
    const dir = site.path('log', 'jobs');
    for (const name of await fs.readdir(dir)) {
        const text = await fs.readFile(path.join(dir, name), 'utf8');
        const command = text.includes(id) && text.split('\n').find((line) => line.startsWith('+ ') && line.includes('libx264'));
        if (command)
            return command.slice(2).replace('pipe:0', `file:${site.path('spool', `${id}.src`)}`).replace(`${id}.part`, `${id}.src`);
    }
    throw new Error('no job has logged an encode of video');
}

/* Milliseconds that a shell command takes whose output goes to /dev/null. */
function timeCommand(command) {
    const nowhere = openSync('/dev/null', 'w');
    const start = performance.now();
    const child = spawn('sh', ['-c', `exec ${command}`], { stdio: ['ignore', nowhere, 'ignore'] });
    closeSync(nowhere);
    return new Promise((resolve, reject) => {
        child.on('exit', (code) =>
            code === 0 ? resolve(performance.now() - start) : reject(new Error(`ffmpeg: ${code}`)),
        );
    });
}

/* One upload through the site, then its own command alone, then the video is deleted. */
async function measurePair(site, file) {
    const { json } = await site.upload(file);
    const video = await site.waitForState(json.id, 'ready', { timeout: 600_000 });
    const worker = await between(site, video.id, '360p: encoding', '360p: encoded');
    const alone = await timeCommand(await encodeCommand(site, video.id));
    await site.api('DELETE', `/api/videos/${video.id}`);
    await waitFor(async () => (await site.spool()).length === 0, { what: 'the files to go' });
    return { worker: worker / 1000, alone: alone / 1000 };
}

measure.needs(measure.hasProgram('ffmpeg'), 'ffmpeg (Debian package ffmpeg)');
const file = await clip();
const site = await startSite({ worker: true, posters: true, env: { DROPSTREAM_JOBS: '1', DROPSTREAM_NICE: '0' } });
try {
    const rows = [['pair', 'worker s', 'ffmpeg alone s', 'ratio']];
    const ratios = [];
    for (let pair = 1; pair <= PAIRS; pair++) {
        const { worker, alone } = await measurePair(site, file);
        ratios.push(worker / alone);
        rows.push([pair, worker.toFixed(2), alone.toFixed(2), (worker / alone).toFixed(3)]);
    }
    console.log(`360p of ${SECONDS} s of 1080p30, ${PAIRS} pairs`);
    measure.printTable(rows);
    measure.mustHold('wall time against ffmpeg alone, median', measure.median(ratios), RATIO_LIMIT);
} finally {
    await site.stop();
}
