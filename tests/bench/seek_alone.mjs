/*
 * seek_alone.mjs: the ffmpeg that made a segment, once more and with the machine to
 * itself: what a seek cannot be quicker than, on the machine as it is just now.
 */
import { spawn } from 'node:child_process';

import { childrenOf } from '../lib/demand.mjs';
import { sleep } from '../lib/site.mjs';

const SEGMENT = 192 * 1024; // samples of sound
const WARM_UP = 3 * 1024; // the encoder reads on as far behind the end
const NICE = 10; // the default of the setting of that name
const SETTLE_MS = 100; // until a process that is being stopped stands still

/* The last of these runs that was begun for segment k; it may begin one earlier, where
 * that has to be decoded anyway. */
export const runFor = (runs, kind, k) =>
    runs.findLast((run) => run.kind === kind && (run.first === k || run.first === k - 1));

/* A picture's command line, made to begin seconds later and to end after one segment. */
function onePicture(command, later) {
    const gop = Number(/ -g (\d+)/.exec(command)[1]);
    const shift = (_, before, time) => before + (Number(time) + later).toFixed(6);
    return command
        .replace(/(-ss )([0-9.]+)/, shift)
        .replace(/(start_time=)([0-9.]+)/, shift)
        .replace(/-frames:v (\d+)/, (_, n) => `-frames:v ${Math.min(gop, Number(n))}`);
}

/* The command line of a run, made to give segment k and no other. */
function oneSegment({ kind, command, first }, k, { starts }) {
    if (kind === 'video') return onePicture(command, starts[k] - starts[first]);
    if (first !== k) throw new Error(`the run of sound at ${first} is not for ${k}`);
    const end = Number(/drop=lt\(pts\\+,(\d+)\)/.exec(command)[1]) + SEGMENT;
    const atMost = (most) => (_, before, n) => before + Math.min(most, Number(n));
    return command
        .replace(/(gte\(pts\\+,)(\d+)/, atMost(end))
        .replace(/(atrim=end_pts=)(\d+)/, atMost(end + WARM_UP));
}

/* How far the boxes at the front of some bytes reach that are complete, and their types. */
function* completeBoxes(buf) {
    for (let at = 0; at + 8 <= buf.length; ) {
        const size = buf.readUInt32BE(at);
        if (size < 8 || at + size > buf.length) return;
        yield buf.toString('latin1', at + 4, at + 8);
        at += size;
    }
}

/* Milliseconds until a command has written its first moof and mdat whole. */
function timeFirstFragment(command) {
    const begun = performance.now();
    const child = spawn('nice', ['-n', String(NICE), 'sh', '-c', `exec ${command}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    let got = Buffer.alloc(0);
    let ms;
    child.stdout.on('data', (data) => {
        got = Buffer.concat([got, data]);
        if (ms === undefined && [...completeBoxes(got)].join().includes('moof,mdat'))
            ms = performance.now() - begun;
    });
    return new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('close', () =>
            ms === undefined ? reject(new Error(`no fragment from ${command}`)) : resolve(ms),
        );
    });
}

/* Stops the worker and what it runs, and lets only those go on that did before: not what
 * the worker itself has just told to stop, which would run unknown to it from then on. */
async function whileStopped(pid, fn) {
    process.kill(pid, 'SIGSTOP');
    await sleep(SETTLE_MS);
    const running = childrenOf(pid).filter(({ state }) => state !== 'T');
    for (const child of running) process.kill(child.pid, 'SIGSTOP');
    try {
        return await fn();
    } finally {
        for (const child of running) process.kill(child.pid, 'SIGCONT');
        process.kill(pid, 'SIGCONT');
    }
}

/* Milliseconds that ffmpeg alone takes to give segment k of a rendition of timelineOf,
 * while the worker and its children stand still. run: what runFor found. */
export function segmentAlone(site, run, k, rendition) {
    return whileStopped(site.pid('worker'), () => timeFirstFragment(oneSegment(run, k, rendition)));
}
