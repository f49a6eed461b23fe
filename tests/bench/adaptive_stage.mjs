/*
 * adaptive_stage.mjs: what the parts of bench-adaptive share: an upload, its source, and
 * commands that run alone.
 */
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { childrenOf } from '../lib/demand.mjs';
import { BUILD, startSite, waitFor } from '../lib/site.mjs';
import { clip as makeClip } from './clip.mjs';
import * as measure from './measure.mjs';

const run = promisify(execFile);
const SECONDS = measure.setting('DROPSTREAM_BENCH_S', 900);

export const longClip = () => makeClip(SECONDS);
/* One that an encoder is done with soon. */
export const shortClip = async () => process.env.DROPSTREAM_BENCH_CLIP ?? makeClip(60);

export const openSite = () =>
    startSite({ worker: true, extras: true, env: { DROPSTREAM_DISK_RESERVE_MB: '0', DROPSTREAM_JOB_LOG_KB: '16384' } });

/* Uploads a file; resolves, once it is stored, to { id, key, storedAt (performance.now) }. */
export async function stored(site, file) {
    const { json, status, text } = await site.upload(file);
    if (status !== 201) throw new Error(`upload: ${status} ${text}`);
    const storedAt = performance.now();
    const media = await waitFor(
        async () => (await site.api('GET', `/api/videos/${json.id}`)).json.media,
        { every: 10, timeout: 60_000, what: 'the first segment' },
    );
    return { id: json.id, key: media.split('/')[2], storedAt };
}

/* Tries until the answer is a 200; resolves to the body's text. */
export const got = (site, url) =>
    waitFor(
        async () => {
            const res = await site.request('GET', url);
            return res.status === 200 && res.text;
        },
        { every: 25, timeout: 120_000, what: url },
    );

/* Resolves once the worker runs nothing any more. */
export const idle = (site) =>
    waitFor(() => childrenOf(site.pid('worker')).length === 0, { timeout: 600_000, what: 'rest' });

/* Wall and CPU seconds of a shell command. */
export async function timed(command, cwd) {
    const start = performance.now();
    const { stderr } = await run('bash', ['-c', `TIMEFORMAT='%U %S'; time { ${command} ; }`], {
        cwd, maxBuffer: 1 << 26,
    });
    const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
    return { wall: (performance.now() - start) / 1000, cpu: user + system };
}

export async function tempFolder() {
    await fs.mkdir(path.join(BUILD, 'bench'), { recursive: true });
    return fs.mkdtemp(path.join(BUILD, 'bench', 'tmp-'));
}

/* The first command in the logs of the jobs of a video, the only one of its site, that matches,
 * as one that reads the whole file. */
export async function commandOf(site, id, pattern) {
    const dir = site.path('log', 'jobs');
    for (const name of await fs.readdir(dir))
        for (const line of (await fs.readFile(path.join(dir, name), 'utf8')).split('\n'))
            if (line.startsWith('+ ') && pattern.test(line))
                return line.slice(2).replace(`${id}.part`, `${id}.src`).replace('pipe:0', site.path('spool', `${id}.src`));
    throw new Error(`no command of ${id} matches ${pattern}`);
}
