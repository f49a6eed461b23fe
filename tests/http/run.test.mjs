/*
 * run.sh as a person uses it: started, started twice, called from elsewhere, stopped by
 * Ctrl-C and killed. Each site lies in a temporary folder; what is built is this checkout.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { slowFfmpeg } from '../lib/demand.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { selfSigned } from '../lib/tls.mjs';
import { Site, SOURCE, formAround, freePort, tinyMp4, waitFor } from '../lib/site.mjs';

const STARTS = 120_000; // ms; it may have to build something first
const STOPS = 20_000;

let temp;
let longClip;
let slow; // an ffmpeg that takes some seconds for it
const runs = new Set();

before(async () => {
    temp = await tempDir();
    // Root runs a site as the user dropstream, who must get to it; that user is not made
    // for the sake of a test.
    if (spawnSync('getent', ['passwd', 'dropstream']).status === 0) await fs.chmod(temp.dir, 0o755);
    longClip = path.join(temp.dir, 'long.mp4');
    await ffmpeg(
        ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=30:d=60'],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '35', longClip],
    );
    slow = await slowFfmpeg(temp.dir, 10);
});
after(() => temp.remove());
afterEach(async () => {
    for (const run of runs) {
        run.process.kill('SIGKILL');
        await run.exited;
    }
    runs.clear();
});

/* What the settings of this test run, or the make that started it, must not change. Only
 * tests that are about it have anybody sign in. */
function cleanEnv(settings = {}) {
    const ours = { DROPSTREAM_DISK_RESERVE_MB: '16', DROPSTREAM_FFMPEG: slow, DROPSTREAM_AUTH: 'none' };
    const env = { ...process.env, ...ours, ...settings };
    for (const name of Object.keys(env))
        if (/^(DROPSTREAM_(SITE|PORT|BIND|BUILD)|MAKEFLAGS|MFLAGS|MAKELEVEL|BUILD|CC)$/.test(name))
            delete env[name];
    return env;
}

/*
 * Starts run.sh in a process group of its own, as a shell with job control does, its
 * output going into pipes. { process, said(), complained(), exited → { code, signal } }
 */
function runSh(args, { cwd = temp.dir, env } = {}) {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', path.join(SOURCE, 'run.sh'), ...args], {
        cwd,
        env: cleanEnv(env),
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    const exited = new Promise((resolve) =>
        child.on('exit', (code, signal) => resolve({ code, signal })),
    );
    const run = { process: child, said: () => out, complained: () => err, exited };
    runs.add(run);
    exited.then(() => runs.delete(run));
    return run;
}

/* Resolves to how a run ended; fails if it goes on. */
function ended(run, timeout) {
    let timer;
    const late = new Promise((_, reject) => {
        const complain = () => reject(new Error(`goes on: ${run.said()}${run.complained()}`));
        timer = setTimeout(complain, timeout);
    });
    return Promise.race([run.exited, late]).finally(() => clearTimeout(timer));
}

/* A run that should end by itself: { code, out, err }. */
async function runToItsEnd(args, options) {
    const run = runSh(args, options);
    const { code } = await ended(run, STARTS);
    return { code, out: run.said(), err: run.complained() };
}

/* Starts a site and waits until it says where it is. */
async function serve(dir, { args = ['--site', dir], cwd, env = {} } = {}) {
    const port = await freePort();
    const run = runSh([...args, '--port', String(port)], { cwd, env });
    const site = new Site(dir, port, env);
    const ready = `dropstream runs at ${site.url}/  (site: ${dir};`;
    await waitFor(
        () => {
            if (run.process.exitCode !== null) return true;
            return run.said().includes(ready);
        },
        { timeout: STARTS, what: 'the address of the site' },
    );
    assert.ok(run.said().includes(ready), run.said() + run.complained());
    return { run, site };
}

/* What Ctrl-C does on a terminal: every process of the group gets it. */
async function interrupt({ run, site }) {
    process.kill(-run.process.pid, 'SIGINT');
    assert.deepEqual(await ended(run, STOPS), { code: 0, signal: null }, run.complained());
    assert.match(run.said(), /^stopped$/m);
    assert.deepEqual(await site.processes(), []);
}

/* Begins an encode and an upload, both of which go on for a while. */
async function keepBusy(site) {
    const { status, json } = await site.upload(longClip);
    assert.equal(status, 201);
    await waitFor(
        async () => {
            const found = await site.processes();
            return found.some(({ exe, cmdline }) => /ffmpeg/.test(exe) && /libx264/.test(cmdline));
        },
        { what: 'the encode to begin', every: 20 },
    );
    const form = formAround('half.mp4');
    const head =
        `POST /api/videos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n` +
        `Content-Type: ${form.type}\r\n\r\n`;
    const half = Buffer.concat([Buffer.from(head), form.head, tinyMp4(300_000)]);
    const talk = site.raw([half], { pause: 0 }).catch(() => {});
    await waitFor(async () => (await site.spool()).some((name) => name.endsWith('.part')), {
        what: 'the upload to begin',
    });
    assert.notEqual((await site.api('GET', `/api/videos/${json.id}`)).json.state, 'ready');
    return { id: json.id, talk };
}

/* How much the session of a program of the site stands back; undefined: the kernel has no
 * such thing. */
async function sessionNice(site, name) {
    const found = (await site.processes()).find(({ exe }) => exe.endsWith(`/${name}`));
    const text = await fs.readFile(`/proc/${found.pid}/autogroup`, 'utf8').catch(() => '');
    return text && Number(text.match(/nice (-?\d+)/)[1]);
}

describe('a site', () => {
    test('starts, says where it is, takes an upload, and ends with Ctrl-C', async () => {
        // What ld.so would split and fill in, were it told of what it loads by this path.
        const running = await serve(path.join(temp.dir, 'first:$LIB'));
        const { run, site } = running;
        const page = await site.request('GET', '/');
        assert.equal(page.status, 200);
        assert.match(page.text, /<script/);
        assert.equal((await site.upload(tinyMp4())).status, 201);
        if ((await sessionNice(site, 'lighttpd')) === 0)
            assert.equal(await sessionNice(site, 'dropstream-worker'), 10);
        // The live log: the upload, and what became of a file without pictures.
        await waitFor(() => /clip/.test(run.said()) && /Worker started/.test(run.said()), {
            what: 'the upload in the log',
        });
        await interrupt(running);
        assert.doesNotMatch(run.complained(), /one address can have all connections/);
        assert.ok(!run.said().includes('\x1b'), 'no escape sequences in a pipe');
        assert.ok(!run.said().includes('\r'));
    });

    test('is not started twice, whatever the port', async () => {
        const dir = path.join(temp.dir, 'twice');
        const running = await serve(dir);
        const processes = async () => (await running.site.processes()).map(({ pid }) => pid);
        const before = await processes();
        for (const port of [running.site.port, await freePort()]) {
            const { code, out, err } = await runToItsEnd(['--site', dir, '--port', String(port)]);
            assert.equal(code, 1);
            assert.equal(err, `run.sh: already running at ${running.site.url}/\n`);
            assert.doesNotMatch(out, /runs at/);
        }
        // One that was about to end at the start may have.
        assert.deepEqual((await processes()).filter((pid) => !before.includes(pid)), []);
        assert.equal((await running.site.request('GET', '/')).status, 200);
        await interrupt(running);

        const again = await serve(dir);
        await interrupt(again);
    });

    test('lies where the caller stands if its path is relative', async () => {
        const cwd = path.join(temp.dir, 'elsewhere');
        await fs.mkdir(cwd);
        const running = await serve(path.join(cwd, 'deep/site'), { cwd, args: ['--site=deep/site'] });
        await fs.access(path.join(cwd, 'deep/site/etc/dropstream.conf'));
        assert.deepEqual(await fs.readdir(cwd), ['deep']);
        await interrupt(running);
    });

    test('ends with Ctrl-C in the middle of an upload and an encode, and goes on later', async () => {
        const dir = path.join(temp.dir, 'busy');
        const running = await serve(dir);
        const { id, talk } = await keepBusy(running.site);
        await interrupt(running);
        await talk;
        const again = await serve(dir);
        await again.site.waitForState(id, 'ready');
        await interrupt(again);
    });

    test('leaves nothing behind when it is killed', async () => {
        const { run, site } = await serve(path.join(temp.dir, 'killed'));
        const { talk } = await keepBusy(site);
        run.process.kill('SIGKILL');
        assert.deepEqual(await ended(run, STOPS), { code: null, signal: 'SIGKILL' });
        await waitFor(async () => (await site.processes()).length === 0, {
            timeout: STOPS,
            what: 'everything to end',
        });
        await talk;
    });
});

describe('who gets in', () => {
    const required = { DROPSTREAM_AUTH: '' }; // the default
    const link = (site) => new RegExp(`^Set up: ${site.url}/login#setup=([a-z2-7]{52})$`, 'm');

    test('a link makes the first owner, as long as there is no user', async () => {
        const dir = path.join(temp.dir, 'set-up');
        const running = await serve(dir, { env: required });
        await waitFor(() => link(running.site).test(running.run.said()), { what: 'the link' });
        assert.doesNotMatch(running.run.complained(), /warning/);
        await interrupt(running);

        const again = await serve(dir, { env: required });
        await waitFor(() => link(again.site).test(again.run.said()), { what: 'another link' });
        assert.notEqual(again.run.said().match(link(again.site))[1], running.run.said().match(link(running.site))[1]);
        const add = spawnSync(path.join(dir, 'bin/dropstreamctl'), ['user', 'add', 'ada'], {
            input: 'correct horse\n',
            encoding: 'utf8',
        });
        assert.equal(add.status, 0, add.stderr);
        await interrupt(again);

        const third = await serve(dir, { env: required });
        await waitFor(async () => (await third.site.request('GET', '/api/session')).status !== 503);
        await interrupt(third);
        assert.doesNotMatch(third.run.said(), /Set up|setup/);
    });

    test('nobody has to sign in: that is said, and there is nothing to set up', async () => {
        const running = await serve(path.join(temp.dir, 'open'));
        await interrupt(running);
        assert.match(running.run.complained(), /^run\.sh: warning: nobody has to sign in \(auth = none\): whoever gets to 127\.0\.0\.1,/m);
        assert.doesNotMatch(running.run.said(), /Set up/);
    });

    /* No address of this machine, so nothing is ever served there. */
    const elsewhere = ['--bind', '192.0.2.1', '--port', '8099'];
    test('auth = none at an address that others reach is refused', async () => {
        const dir = path.join(temp.dir, 'refused');
        const { code, err, out } = await runToItsEnd(['--site', dir, ...elsewhere]);
        assert.equal(code, 1);
        assert.match(err, /auth = none makes everybody who reaches the site its owner: it is refused unless bind is a loopback address such as 127\.0\.0\.1, not 192\.0\.2\.1/);
        assert.equal(err.match(/auth = none makes/g).length, 1);
        assert.doesNotMatch(out, /runs at/);
    });
    test('passwords in clear at an address that others reach are warned of', async () => {
        const dir = path.join(temp.dir, 'clear');
        const { code, err } = await runToItsEnd(['--site', dir, ...elsewhere], { env: required });
        assert.equal(code, 1);
        assert.match(err, /warning: what is sent to 192\.0\.2\.1 can be read on its way, passwords too: set tls_pem/);
        assert.match(err, /lighttpd ended by itself/);
    });

    test('TLS: the address says so; a certificate that cannot be read stops it', async () => {
        const pem = path.join(temp.dir, 'tls.pem');
        const env = { ...required, DROPSTREAM_TLS_PEM: pem };
        const dir = path.join(temp.dir, 'tls');
        const { code, err } = await runToItsEnd(['--site', dir], { env });
        assert.equal(code, 1);
        assert.match(err, new RegExp(`^run\\.sh: tls_pem: .* cannot read ${pem}$`, 'm'));
        await selfSigned(pem);
        await fs.chmod(pem, 0o644); // the one who runs the site may be another user
        const running = await serve(dir, { env });
        await waitFor(() => link(running.site).test(running.run.said()), { what: 'the link' });
        assert.match(running.site.url, /^https/);
        assert.equal((await running.site.request('GET', '/')).status, 200);
        await interrupt(running);
    });

    test('a lighttpd.conf of before, with changes, is not run as if it knew the settings', async () => {
        const dir = path.join(temp.dir, 'old-conf');
        await fs.mkdir(path.join(dir, 'etc'), { recursive: true });
        await fs.chmod(dir, 0o755);
        await fs.writeFile(path.join(dir, 'etc/dropstream.conf'), '');
        await fs.writeFile(path.join(dir, 'etc/lighttpd.conf'), '# mine\n');
        const { code, err } = await runToItsEnd(['--site', dir]);
        assert.equal(code, 1);
        assert.match(err, /lighttpd\.conf was edited, and is of an older version: move what you changed to lighttpd\.conf\.new/);
        assert.equal(await fs.readFile(path.join(dir, 'etc/lighttpd.conf'), 'utf8'), '# mine\n');
    });
});

describe('what cannot be done is said in words', () => {
    test('a port that is taken', async () => {
        const other = net.createServer((socket) => socket.end());
        await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
        try {
            const { port } = other.address();
            const dir = path.join(temp.dir, 'taken');
            const { code, out, err } = await runToItsEnd(['--site', dir, '--port', String(port)]);
            assert.equal(code, 1);
            assert.match(err, new RegExp(`port ${port} on 127\\.0\\.0\\.1 is taken; choose another with --port`));
            assert.doesNotMatch(out, /runs at/);
            assert.deepEqual(await new Site(dir, port, {}).processes(), []);
        } finally {
            other.close();
        }
    });

    test("a folder that holds somebody's files", async () => {
        const dir = path.join(temp.dir, 'photos');
        await fs.mkdir(dir);
        await fs.writeFile(path.join(dir, 'me.jpg'), 'x');
        const { code, err } = await runToItsEnd(['--site', dir]);
        assert.equal(code, 1);
        assert.match(err, /holds something else, not a site; nothing was touched/);
        assert.deepEqual(await fs.readdir(dir), ['me.jpg']);
    });

    test('a checkout of the source', async () => {
        const dir = path.join(temp.dir, 'checkout');
        await fs.mkdir(path.join(dir, 'etc'), { recursive: true });
        await fs.writeFile(path.join(dir, 'etc/dropstream.conf'), '');
        await fs.writeFile(path.join(dir, 'run.sh'), '');
        const { code, err } = await runToItsEnd(['--site', dir]);
        assert.equal(code, 1);
        assert.match(err, /holds a checkout, not a site; nothing was touched/);
        assert.deepEqual((await fs.readdir(dir)).sort(), ['etc', 'run.sh']);
    });

    test('a setting that is not understood', async () => {
        const dir = path.join(temp.dir, 'typo');
        await fs.mkdir(path.join(dir, 'etc'), { recursive: true });
        await fs.chmod(dir, 0o755);
        await fs.writeFile(path.join(dir, 'etc/dropstream.conf'), '[web]\nprot = 8081\n');
        const { code, err } = await runToItsEnd(['--site', dir]);
        assert.equal(code, 1);
        assert.match(err, /dropstream\.conf:2: .*prot/);
        assert.deepEqual(await new Site(dir, 0, {}).processes(), []);
    });

    const misuses = {
        '--port 0': /--port 0: a number from 1 to 65535/,
        '--port 65536': /--port 65536: a number/,
        '--port=http': /--port http: a number/,
        '--port': /--port needs a value/,
        '--site': /--site needs a value/,
        '--bind some/where': /an address is needed, such as 127\.0\.0\.1/,
        '--prot 8080': /unknown option: --prot/,
        'here': /unknown option: here/,
        'test --port 8080': /test takes no options/,
    };
    for (const [line, message] of Object.entries(misuses))
        test(`./run.sh ${line}`, async () => {
            const { code, out, err } = await runToItsEnd(line.split(' '));
            assert.equal(code, 2);
            assert.match(err, message);
            assert.match(err, /--help says what is possible/);
            assert.equal(out, '');
        });

    test('./run.sh --help', async () => {
        const { code, out, err } = await runToItsEnd(['--help']);
        assert.equal(code, 0);
        assert.match(out, /^Usage: \.\/run\.sh/);
        for (const flag of ['--port', '--bind', '--site', 'test']) assert.ok(out.includes(flag));
        assert.equal(err, '');
    });
});
