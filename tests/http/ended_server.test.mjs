/*
 * FastCGI programs end with the server that started them and when they are told to, at
 * whatever moment that is: one that is left over would be taken for the next server's own.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { promisify } from 'node:util';

import { formAround, tinyMp4, waitFor, wire, withSite } from '../lib/site.mjs';

const run = promisify(execFile);
const PROGRAMS = ['upload.fcgi', 'api.fcgi', 'media.fcgi'];

/* SIGTERM comes as soon as libfcgi has a handler of its own for it. */
const LIBRARY = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

int FCGX_Init(void)
{
    int (*real)(void) = (int (*)(void))dlsym(RTLD_NEXT, "FCGX_Init");
    int got = real();
    kill(getpid(), SIGTERM);
    return got;
}
`;

/* Starts one as lighttpd does, with a socket that listens in place of standard input; calls
 * fn with the process, the promise of how it ends, and the socket's path. */
async function started(site, name, env, fn) {
    const socket = site.path(`run/test-${name}.sock`);
    const server = net.createServer().listen(socket);
    await once(server, 'listening');
    const child = spawn(site.path('cgi-bin', name), [], {
        env: { ...site.env, ...env }, stdio: [server._handle.fd, 'ignore', 'inherit'],
    });
    const exit = once(child, 'exit');
    try {
        return await fn({ child, exit, socket });
    } finally {
        child.kill('SIGKILL');
        await exit;
        server.close();
    }
}

async function ended(exit, name) {
    const late = sleepFor(20_000, undefined, { ref: false });
    const how = await Promise.race([exit, late]);
    assert.ok(how, `${name} does not end`);
    return how;
}

test('a program that is told to end while libfcgi starts ends', withSite({}, async (site) => {
    const [source, library] = [site.path('tmp/term.c'), site.path('tmp/term.so')];
    await fs.writeFile(source, LIBRARY);
    await run('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
    for (const name of PROGRAMS)
        await started(site, name, { LD_PRELOAD: library }, async ({ exit }) => {
            assert.deepEqual(await ended(exit, name), [null, 'SIGTERM']);
        });
}));

test('a program whose server has ended already serves nobody', withSite({}, async (site) => {
    const gone = spawn('true');
    await once(gone, 'exit');
    for (const name of PROGRAMS)
        await started(site, name, { DROPSTREAM_SERVER: `${gone.pid}` }, async ({ exit }) => {
            assert.deepEqual(await ended(exit, name), [1, null]);
        });
    for (const name of PROGRAMS)
        await started(site, name, { DROPSTREAM_SERVER: `${process.pid}` }, async ({ child, socket }) => {
            await waitFor(async () => ((await fs.stat(socket)).mode & 0o777) === 0o600, { what: `${name} to serve` });
            assert.equal(child.exitCode, null);
        });
}));

test('programs end with a server that is killed, in the middle of an upload too', withSite({}, async (site) => {
    const client = net.connect(site.port, '127.0.0.1').on('error', () => {});
    const form = formAround('clip.mp4');
    client.write(wire(form.type, Buffer.concat([form.head, tinyMp4()]), 1e9));
    await waitFor(async () => (await fs.readdir(site.path('spool'))).some((f) => f.endsWith('.part')),
        { what: 'the upload to begin' });
    const handlers = await site.handlers();
    assert.deepEqual(Object.keys(handlers).sort(), [...PROGRAMS].sort());
    for (const pid of Object.values(handlers)) {
        const { 1: server } = (await fs.readFile(`/proc/${pid}/environ`, 'latin1')).match(/DROPSTREAM_SERVER=(\d+)/);
        assert.equal(Number(server), site.pid('lighttpd'));
    }
    await site.end('lighttpd', 'SIGKILL');
    await waitFor(async () => Object.keys(await site.handlers()).length === 0, { what: 'all of them to end' });
    client.destroy();
}));
