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

const NO_LANDLOCK = /The kernel has no Landlock: programs that read uploads can read all/;

let temp;
let clip;
let short; // of it

before(async () => {
    temp = await tempDir();
    clip = path.join(temp.dir, 'clip.mp4');
    await ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=30'], ['-f', 'lavfi', '-i', 'sine=d=30'],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', clip]);
    short = path.join(temp.dir, 'short.mp4');
    await ffmpeg(['-t', '3', '-i', clip], ['-c', 'copy', short]);
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

/* Starts a program for which the kernel has a system call no more. */
const WITHOUT = `
#include <errno.h>
#include <seccomp.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    if (argc < 3 || !f ||
        seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), seccomp_syscall_resolve_name(argv[1]), 0) != 0 ||
        seccomp_load(f) != 0)
        return 99;
    execv(argv[2], argv + 2);
    return 98;
}
`;

/* As startWorker, of a worker without that call. What it gives puts the worker itself in place
 * again. */
async function startWithout(call, site, env = {}) {
    const [source, wrapper] = [path.join(temp.dir, 'without.c'), path.join(temp.dir, 'without')];
    await fs.writeFile(source, WITHOUT);
    execFileSync('cc', ['-o', wrapper, source, '-lseccomp']);
    const [program, real] = [site.path('bin/dropstream-worker'), site.path('bin/dropstream-worker.real')];
    await fs.rename(program, real);
    await fs.writeFile(program, `#!/bin/sh\nexec '${wrapper}' ${call} '${real}' "$@"\n`, { mode: 0o755 });
    site.startWorker(env);
    return () => fs.rename(real, program);
}

const jailOf = async (site) => (await site.api('GET', '/api/health')).json.jail;
const filtersOf = (status) => Number(/^Seccomp_filters:\s+(\d+)$/m.exec(status)[1]);

/* Of each ffmpeg and ffprobe of a site that was seen until a video was ready: its status
 * and limits, as in proc(5). */
async function watched(site, file = clip) {
    const { json } = await site.upload(file);
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
    const logs = await Promise.all((await fs.readdir(site.path('log/jobs'))).map((name) => fs.readFile(site.path('log/jobs', name), 'utf8')));
    assert.deepEqual(logs.join('\n').split('\n').filter((line) => !/^(?:[+#] |$)/.test(line)), [], 'no library complains');
}));

test('without a jail they are free', () => withSite({ DROPSTREAM_JAIL: 'off' }, async (site) => {
    const worker = filtersOf(await fs.readFile(`/proc/${site.pid('worker')}/status`, 'latin1'));
    const programs = await watched(site);
    const { complete, lacks } = await jailOf(site);
    assert.equal(complete, false);
    assert.match(lacks, /^The jail is off: /);
    assert.ok(programs.length > 0);
    for (const { status } of programs) assert.equal(filtersOf(status), worker);
}));

test('without Landlock the rest of the jail stands, and what is missing is told', async () => {
    const site = await startSite();
    try {
        await startWithout('landlock_create_ruleset', site);
        const programs = await watched(site, short);
        const worker = filtersOf(await fs.readFile(`/proc/${site.pid('worker')}/status`, 'latin1'));
        assert.ok(programs.length > 0);
        for (const { status } of programs) assert.equal(filtersOf(status), worker + 1);
        const { complete, lacks } = await jailOf(site);
        assert.equal(complete, false);
        assert.match(lacks, NO_LANDLOCK);
        assert.match(await site.logs(), NO_LANDLOCK);
        assert.match((await site.ctl(['status'])).out, /^jail +The kernel has no Landlock: /m);
    } finally {
        await site.stop();
    }
});

test('without Landlock no worker runs where a jail is required, and the site tells why', async () => {
    const site = await startSite();
    const why = new RegExp(`A jail is required.* ${NO_LANDLOCK.source}`);
    try {
        assert.match((await site.ctl(['status'])).out, /^jail +no worker has said$/m);
        const restore = await startWithout('landlock_create_ruleset', site, { DROPSTREAM_JAIL: 'required' });
        assert.deepEqual(await site.ended('worker'), { code: 1, signal: null });
        const said = (await site.logs()).split('\n').filter((line) => /cannot start/.test(line));
        assert.equal(said.length, 1);
        assert.match(said[0], why);
        const { status, json } = await site.api('GET', '/api/health');
        assert.equal(status, 503);
        assert.deepEqual(json.worker, { alive: false, age_s: null });
        assert.equal(json.jail.complete, false);
        assert.match(json.jail.lacks, why);
        assert.match((await site.ctl(['status'])).out, /^jail +A jail is required/m);
        // One that did not start has not stopped either.
        assert.deepEqual((await site.api('GET', '/api/activity')).json.activity, []);
        await site.end('worker');
        await restore();
        site.startWorker({ DROPSTREAM_JAIL: 'required' });
        await waitFor(async () => (await jailOf(site))?.complete, { what: 'the jail to be complete' });
        assert.match((await site.ctl(['status'])).out, /^jail +complete$/m);
        assert.equal((await site.end('worker')).code, 0);
    } finally {
        await site.end('worker');
        await site.stop();
    }
});

test('where seccomp(2) is kept from the worker there is no jail, which is told', async () => {
    const site = await startSite();
    try {
        const restore = await startWithout('seccomp', site);
        await waitFor(async () => /System calls cannot be limited/.test((await jailOf(site))?.lacks), { what: 'the jail to be told' });
        await site.end('worker');
        await restore();
        await startWithout('seccomp', site, { DROPSTREAM_JAIL: 'required' });
        assert.deepEqual(await site.ended('worker'), { code: 1, signal: null });
        assert.match((await jailOf(site)).lacks, /^A jail is required.*System calls cannot be limited/);
    } finally {
        await site.end('worker');
        await site.stop();
    }
});

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
        await waitFor(async () => /A jail is required/.test(await site.logs()), { what: 'the worker to refuse' });
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
