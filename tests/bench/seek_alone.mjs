/*
 * seek_alone.mjs: the ffmpeg that made a segment, once more and with the machine to
 * itself: what a seek cannot be quicker than, on the machine as it is just now.
 */
import { spawn } from 'node:child_process';

import { childrenOf } from '../lib/demand.mjs';

const SEGMENT = 192 * 1024; // samples of sound
const WARM_UP = 3 * 1024; // the encoder reads on as far behind the end
const NICE = 10; // the default of the setting of that name

/* The command line of a run, made to end after its first segment. */
function oneSegment({ kind, command }) {
    if (kind === 'video') {
        const gop = Number(/ -g (\d+)/.exec(command)[1]);
        return command.replace(/-frames:v (\d+)/, (_, n) => `-frames:v ${Math.min(gop, Number(n))}`);
    }
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

/* Stops the worker and what it runs, and lets only those go on that did before. */
async function whileStopped(pid, fn) {
    process.kill(pid, 'SIGSTOP');
    const running = childrenOf(pid).filter(({ state }) => state !== 'T');
    for (const child of running) process.kill(child.pid, 'SIGSTOP');
    try {
        return await fn();
    } finally {
        for (const child of running) process.kill(child.pid, 'SIGCONT');
        process.kill(pid, 'SIGCONT');
    }
}

/* Milliseconds from the start of a run's command line to its first segment, while the
 * worker and its children stand still. run is one of runsOf. */
export function firstSegmentAlone(site, run) {
    return whileStopped(site.pid('worker'), () => timeFirstFragment(oneSegment(run)));
}
