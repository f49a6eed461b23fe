/*
 * upload_alone.mjs: the ffmpeg commands that encoded a video while it came in, picture and
 * sound at once, once more with the machine to themselves: what the worker cannot be
 * quicker than, on the machine as it is just now.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

import { runsOf } from '../lib/demand.mjs';

const NICE = '10'; // the default of the setting of that name
const SAMPLE_RATE = 48000;

/* The command line of a run from the beginning, made to end after so many seconds. */
function shortened({ kind, command }, seconds, { video }) {
    const atMost = (most) => (_, before, n) => before + Math.min(most, Number(n));
    if (kind === 'video') {
        const gop = Number(/ -g (\d+)/.exec(command)[1]);
        return command.replace(/(-frames:v )(\d+)/, atMost(gop * (video.at(seconds - 0.001) + 1)));
    }
    return command
        .replace(/(gte\(pts\\+,)(\d+)/, atMost(seconds * SAMPLE_RATE))
        .replace(/(atrim=end_pts=)(\d+)/, atMost(seconds * SAMPLE_RATE));
}

/* Runs a command line that reads the file from its standard input. */
function runOn(file, command) {
    const input = openSync(file, 'r');
    const args = ['--pdeathsig', 'KILL', '--', 'nice', '-n', NICE, 'sh', '-c', `exec ${command}`];
    const child = spawn('setpriv', args, { stdio: [input, 'ignore', 'inherit'] });
    closeSync(input);
    return new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}`))));
    });
}

/* The commands that encoded a video as it came in, out of the logs of its jobs, made to end
 * after so many seconds. timeline: of timelineOf. */
export async function commandsOf(site, { video, timeline }, seconds) {
    const runs = await runsOf(site, video, timeline);
    return Object.keys(timeline).map((kind) => {
        const run = runs.find((one) => one.kind === kind && one.first === 0 && one.command.includes(' -i pipe:0 '));
        if (!run) throw new Error(`${kind} was not encoded as it came in`);
        return shortened(run, seconds, timeline);
    });
}

/* Seconds that such commands take, all at once, for a file that begins with its index. */
export async function secondsAlone(commands, file) {
    const begun = performance.now();
    await Promise.all(commands.map((command) => runOn(file, command)));
    return (performance.now() - begun) / 1000;
}
