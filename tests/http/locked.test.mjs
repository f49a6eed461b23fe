/*
 * Somebody else has the database's lock for longer than anybody waits for it, 10 s: while
 * uploads end, and while the worker claims a job, plans, encodes and publishes. No upload
 * that was acknowledged is lost, no job has a try to its name, and all becomes ready.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { assertSound } from '../faults/faults.mjs';
import { slowFfmpeg } from '../lib/demand.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { formAround, sleep, waitFor, whole, wire, withSite } from '../lib/site.mjs';
import { create, offsetOf, patch, videos } from '../lib/tus.mjs';

const LOCKED_MS = 11_000; // who waits gives up after ten seconds
const LEASE_S = 6; // nothing renews it in the moment before the lock is taken
const ENV = { DROPSTREAM_LEASE_S: `${LEASE_S}`, DROPSTREAM_SETTLE_S: '1', DROPSTREAM_ATTEMPTS: '1' };

let temp;
let file;

before(async () => {
    temp = await tempDir();
    const name = path.join(temp.dir, 'clip.mp4');
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=10:d=5', '-f', 'lavfi', '-i', 'sine=d=5:r=48000',
        '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20', '-c:a', 'aac', '-shortest', name);
    file = await fs.readFile(name);
});
after(() => temp.remove());

async function areReady(site, ids) {
    for (const id of ids) {
        const { warning, size } = await site.waitForState(id, 'ready');
        assert.equal(warning, null);
        assert.equal(size, file.length);
        assert.ok(file.equals(await fs.readFile(site.path('spool', `${id}.src`))));
    }
    assert.equal(await site.sql('SELECT kind, failures, error FROM jobs WHERE failures > 0'), '');
    await waitFor(async () => (await site.sql("SELECT count(*) FROM jobs WHERE kind IN ('probe', 'encode', 'checksum') AND state <> 'done'")) === '0', { what: 'all jobs to be done' });
    assert.equal((await videos(site)).length, ids.length);
    await assertSound(site);
}

/* Nobody else writes for so long, nor until act() is over: resolves to what that does. */
async function whileLocked(site, act = () => {}) {
    const database = await site.holdDatabase();
    try {
        return (await Promise.all([act(), sleep(LOCKED_MS)]))[0];
    } finally {
        await database.end();
    }
}

/* All of a form's request but its end: then end() resolves to what is answered. */
async function beginForm(site) {
    const form = formAround('form.mp4');
    const bytes = wire(form.type, whole(form, file));
    const socket = net.connect(site.port, '127.0.0.1');
    let text = '';
    const closed = new Promise((resolve, reject) => socket.on('data', (data) => (text += data)).on('error', reject).on('close', () => resolve(text)));
    socket.write(bytes.subarray(0, -1000));
    await waitFor(async () => (await videos(site)).length === 1);
    return () => {
        socket.write(bytes.subarray(-1000));
        return closed;
    };
}

/* Does all it is told to, and then stands still until letGo() where an argument is `which`. */
async function heldProgram(program, which) {
    const script = path.join(temp.dir, `held-${program}`);
    const held = `${script}.held`;
    await fs.writeFile(held, '');
    await fs.writeFile(script, `#!/bin/sh
case " $* " in *" ${which} "*) ;; *) exec ${program} "$@";; esac
${program} "$@"
status=$?
exec >&-
while [ -e ${held} ]; do sleep 0.05; done
exit $status
`, { mode: 0o755 });
    return { env: { [`DROPSTREAM_${program.toUpperCase()}`]: script }, letGo: () => fs.rm(held) };
}

describe('a database that is locked', { concurrency: 5 }, () => {
    it('while uploads end: they are all there', withSite({ env: ENV }, async (site) => {
        const endForm = await beginForm(site);
        const id = await create(site, file.length);
        assert.equal((await patch(site, id, 0, file.subarray(0, 5000))).status, 204);
        const [form, rest] = await whileLocked(site, () => Promise.all([endForm(), patch(site, id, 5000, file.subarray(5000))]));
        assert.match(form, /^HTTP\/1\.1 503 .*"not_entered"/s);
        assert.equal(rest.status, 503, rest.text);
        assert.ok((await offsetOf(site, id)) >= 5000);
        site.startWorker();
        await areReady(site, (await videos(site)).map((video) => video.id));
    }));

    it('while a job is claimed', withSite({ worker: true, env: ENV }, async (site) => {
        process.kill(site.pid('worker'), 'SIGSTOP');
        const { json } = await site.upload(file);
        await whileLocked(site, () => process.kill(site.pid('worker'), 'SIGCONT'));
        await areReady(site, [json.id]);
    }));

    /* Where leases are long nothing else is to be written once the last program has ended. */
    it('while a video is planned', withSite({ env: { ...ENV, DROPSTREAM_LEASE_S: '60' } }, async (site) => {
        const { env, letGo } = await heldProgram('ffprobe', '-select_streams 1');
        site.startWorker(env);
        const { json } = await site.upload(file);
        await waitFor(async () => (await site.processes()).some(({ cmdline }) => /held-ffprobe .*-select_streams 1/.test(cmdline)));
        await whileLocked(site, letGo);
        await areReady(site, [json.id]);
    }));

    it('while segments are made', withSite({ env: ENV }, async (site) => {
        const slow = await slowFfmpeg(temp.dir, 2);
        site.startWorker({ DROPSTREAM_FFMPEG: slow });
        const { json } = await site.upload(file);
        await waitFor(async () => Number(await site.sql('SELECT max(done) FROM renditions')) > 0, { every: 20 });
        await whileLocked(site);
        await areReady(site, [json.id]);
    }));

    it('while a rendition is said to be done', withSite({ env: ENV }, async (site) => {
        const { env, letGo } = await heldProgram('ffmpeg', '-avoid_negative_ts');
        site.startWorker(env);
        const { json } = await site.upload(file);
        await waitFor(async () => (await site.sql('SELECT count(*) FROM renditions WHERE done = segments')) === '2');
        await whileLocked(site, letGo);
        await areReady(site, [json.id]);
    }));
});
