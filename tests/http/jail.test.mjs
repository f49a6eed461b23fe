/*
 * The jail of what reads uploads, as a real worker builds it for a real ffmpeg: the
 * kernel's own word for each fence. What they keep out is in tests/unit/test_jail.c.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

let temp;
let clip;

before(async () => {
    temp = await tempDir();
    clip = path.join(temp.dir, 'clip.mp4');
    await ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=30'], ['-f', 'lavfi', '-i', 'sine=d=30'],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', clip]);
});
after(() => temp.remove());

async function withSite(env, fn) {
    const site = await startSite({ worker: true, env });
    try {
        await site.logged(() => fn(site))();
    } finally {
        await site.stop();
    }
}

const jailOf = async (site) => (await site.api('GET', '/api/health')).json.jail;
const filtersOf = (status) => Number(/^Seccomp_filters:\s+(\d+)$/m.exec(status)[1]);

/* Of each ffmpeg and ffprobe of a site that was seen until a video was ready: its status
 * and limits, as in proc(5). */
async function watched(site) {
    const { json } = await site.upload(clip);
    const seen = new Map();
    await waitFor(async () => {
        for (const { pid, exe } of await site.processes()) {
            if (!/\/ff(mpeg|probe)$/.test(exe) || seen.has(pid)) continue;
            const read = (name) => fs.readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
            const [status, limits] = [await read('status'), await read('limits')];
            if (limits) seen.set(pid, { status, limits });
        }
        return (await site.api('GET', `/api/videos/${json.id}`)).json.state === 'ready';
    }, { timeout: 60_000, every: 20, what: 'the video to be ready', moving: () => site.made() });
    return [...seen.values()];
}

test('each program that reads an upload is locked in', () => withSite({ DROPSTREAM_POSTERS: '1' }, async (site) => {
    const programs = await watched(site);
    assert.ok(programs.length >= 2, `${programs.length} were seen`);
    assert.deepEqual(await jailOf(site), { complete: true, lacks: '' });
    const worker = filtersOf(await fs.readFile(`/proc/${site.pid('worker')}/status`, 'latin1'));
    for (const { status, limits } of programs) {
        assert.match(status, /^NoNewPrivs:\s+1$/m);
        assert.match(status, /^Seccomp:\s+2$/m);
        assert.equal(filtersOf(status), worker + 1);
        assert.match(limits, /^Max file size +0 +0 /m);
        assert.match(limits, /^Max core file size +0 +0 /m);
        assert.match(limits, /^Max open files +64 +64 /m);
        assert.match(limits, new RegExp(`^Max address space +${8192 * 2 ** 20} `, 'm'));
        assert.match(limits, /^Max cpu time +\d+ +\d+ /m);
    }
}));

test('without a jail they are free', () => withSite({ DROPSTREAM_JAIL: 'off' }, async (site) => {
    const worker = filtersOf(await fs.readFile(`/proc/${site.pid('worker')}/status`, 'latin1'));
    const programs = await watched(site);
    assert.deepEqual(await jailOf(site), { complete: false, lacks: 'The jail is off.' });
    assert.ok(programs.length > 0);
    for (const { status } of programs) assert.equal(filtersOf(status), worker);
}));

test('a script in place of ffmpeg runs free, but no worker does where a jail is required', async () => {
    const script = path.join(temp.dir, 'ffmpeg-script');
    await fs.writeFile(script, '#!/bin/sh\nexec ffmpeg "$@"\n', { mode: 0o755 });
    const env = { DROPSTREAM_FFMPEG: script, DROPSTREAM_BACKOFF_MS: '10' };
    await withSite(env, async (site) => {
        const { json } = await site.upload(clip);
        await site.waitForState(json.id, 'ready');
        assert.match((await jailOf(site)).lacks, /ffmpeg-script is a script, and runs without a jail/);
    });
    await withSite({ ...env, DROPSTREAM_JAIL: 'required' }, async (site) => {
        await waitFor(async () => /a jail is required/.test(await site.logs()), { what: 'the worker to refuse' });
        const { code } = await site.end('worker');
        assert.equal(code, 1);
    });
});

test('a worker of a user like any other stands back, and its memory is its own', { skip: process.getuid() !== 0 && 'for root alone' }, async () => {
    const site = await startSite();
    const as = ['--pdeathsig', 'KILL', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
    let said = '';
    execFileSync('chown', ['-R', '65534:65534', site.dir]);
    const worker = spawn('setpriv', [...as, site.path('bin/dropstream-worker'), '--site', site.dir], { env: site.env, detached: true });
    const ended = new Promise((resolve) => worker.on('exit', (code) => resolve(code)));
    worker.stderr.on('data', (data) => (said += data));
    try {
        await waitFor(() => /worker started/.test(said), { what: 'the worker to start' });
        assert.doesNotMatch(said, /stand back for/);
        const nice = async (pid) => /nice (-?\d+)/.exec(await fs.readFile(`/proc/${pid}/autogroup`, 'utf8').catch(() => ''))?.[1];
        if ((await nice(site.pid('lighttpd'))) === '0') assert.equal(await nice(worker.pid), site.env.DROPSTREAM_NICE);
        assert.equal((await fs.stat(`/proc/${worker.pid}/mem`)).uid, 0);
    } finally {
        worker.kill();
        assert.equal(await ended, 0);
        await site.stop();
    }
});
