/*
 * site.mjs: a real dropstream site in a temporary folder, for tests and benches.
 *
 *     const site = await startSite({ worker: true, env: { DROPSTREAM_JOBS: '1' } });
 *     const { status, json } = await site.upload('clip.mp4', { fields: { title: 'Clip' } });
 *     const video = await site.waitForState(json.id, 'ready');
 *     await site.stop();
 *
 * It builds nothing: what `make` (and `make ui`) left in build/, or in the folder that
 * DROPSTREAM_BUILD names, is laid out by etc/install.sh as on a real machine. lighttpd,
 * its handlers and the worker listen on 127.0.0.1 only, on a free port, and are killed
 * by the kernel if the test process dies. stop() fails if anything is still running.
 */
import { execFile, spawn } from 'node:child_process';
import { promises as fs, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { answerOf, cgiVariables, runCgi } from './cgi.mjs';
import { formAround, formStream } from './forms.mjs';
import { watchPrograms, WATCHED } from './under.mjs';

export { formAround, tinyMp4, whole, wire } from './forms.mjs';

export const SOURCE = fileURLToPath(new URL('../..', import.meta.url));
export const BUILD = path.resolve(SOURCE, process.env.DROPSTREAM_BUILD ?? 'build');

/* Whatever hangs on a busy machine: no test is meant to take half as long. */
const TEST_MS = WATCHED ? 2_400_000 : 240_000;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const POLL_MS = { least: 50, most: 250 };

/*
 * Calls fn again and again until it returns something truthy, and returns that. every: ms
 * between calls; without it these are the rarer the longer it takes, as they cost time that
 * is waited for. A throw counts as "not yet"; the last one is told when the time is over.
 * moving: of something whose length depends on what else the machine does, how far it has
 * come: the time begins anew as long as that is another value each time it is over.
 */
export async function waitFor(fn, { timeout = 60_000, every, what = 'it', moving } = {}) {
    const begun = Date.now();
    let end = begun + timeout;
    let place;
    let last;
    for (;;) {
        try {
            const value = await fn();
            if (value) return value;
            last = undefined;
        } catch (error) {
            last = error;
        }
        if (Date.now() > end) {
            const before = place;
            place = await moving?.();
            if (place === before) throw new Error(`waited ${timeout} ms for ${what}`, { cause: last });
            end = Date.now() + timeout;
        }
        const share = (Date.now() - begun) / 10;
        await sleep(every ?? Math.min(Math.max(share, POLL_MS.least), POLL_MS.most));
    }
}

/* A TCP port of 127.0.0.1 that nobody listens on. */
export function freePort() {
    return new Promise((resolve, reject) => {
        const server = net.createServer().once('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

/* fn(site, t) for test(), with a site of its own, whose log is shown if the test fails. */
export function withSite(options, fn) {
    return async (t) => {
        const site = await startSite(options);
        try {
            await site.logged(() => fn(site, t))();
        } finally {
            await site.stop();
        }
    };
}

/* What a video is ready without takes half of the programs that are started for a short
 * clip: only tests that are about it have it made. */
const NO_EXTRAS = {
    DROPSTREAM_SOURCE_MAX_MBPS: '0',
    DROPSTREAM_SOUND_MAX_KBPS: '0',
    DROPSTREAM_LADDER_MAX_SIDE: '0',
    DROPSTREAM_PREVIEWS: '0',
};
/* Its poster takes half of the rest. */
const NO_POSTERS = { DROPSTREAM_POSTERS: '0' };

/* Lays out a site and starts it. worker: start dropstream-worker too. extras: the source as
 * it is, the ladder and the small pictures are made, as they are by default. posters: so are
 * posters, which come with extras. env: settings as DROPSTREAM_<KEY>, for all programs. prepare:
 * called with the site before any of them starts. */
export async function startSite({ worker = false, extras = false, posters = extras, env = {}, prepare = () => {} } = {}) {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'dropstream-test-'));
    const site = new Site(dir, await freePort(), { ...(!extras && NO_EXTRAS), ...(!posters && NO_POSTERS), ...env });
    try {
        await promisify(execFile)(path.join(SOURCE, 'etc/install.sh'), [BUILD, dir], { env: site.env });
        await watchPrograms(dir);
        await prepare(site);
        site.startLighttpd();
        if (worker) site.startWorker();
        await waitFor(() => site.answers(), { what: 'lighttpd to answer' });
        return site;
    } catch (error) {
        console.error(await site.logs());
        await site.stop().catch(() => {});
        throw error;
    }
}

export class Site {
    #children = new Map(); // name → { process, exited }
    #output = '';

    constructor(dir, port, env) {
        this.dir = dir;
        this.port = port;
        this.tls = Boolean(env.DROPSTREAM_TLS_PEM); // a certificate that nobody vouches for
        this.url = `${this.tls ? 'https' : 'http'}://127.0.0.1:${port}`;
        this.env = {
            ...process.env,
            DROPSTREAM_SITE: dir,
            DROPSTREAM_BIND: '127.0.0.1',
            DROPSTREAM_PORT: String(port),
            DROPSTREAM_DISK_RESERVE_MB: '16', // the machine's disk is not what is tested
            DROPSTREAM_AUTH: 'none', // but in tests that are about who may do what
            // What is nicer hardly moves beside other tests, which are waited for too.
            DROPSTREAM_NICE: '5',
            ...env,
        };
    }

    /* A path inside the site. */
    path(...parts) {
        return path.join(this.dir, ...parts);
    }

    // ---- processes -----------------------------------------------------------

    startLighttpd() {
        const lines = readFileSync(this.path('etc/lighttpd.env'), 'utf8').split('\n').filter(Boolean);
        // Not for setpriv, as in etc/lighttpd.sh.
        this.#start('lighttpd', 'env', [...lines, 'lighttpd', '-D', '-f', this.path('etc/lighttpd.conf')]);
    }

    /* env: more of the environment. */
    startWorker(env = {}) {
        this.#start('worker', this.path('bin/dropstream-worker'), ['--site', this.dir], env);
    }

    /* Resolves when one of them has ended by itself: { code, signal }. */
    ended(name) {
        return this.#children.get(name).exited;
    }

    /* Each in a session of its own, as etc/serve.sh does it. */
    #start(name, program, args, env = {}) {
        const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], {
            env: { ...this.env, PATH: `${this.env.PATH}:/usr/sbin`, ...env },
            stdio: ['ignore', 'pipe', 'pipe'],
            detached: true,
        });
        for (const stream of [child.stdout, child.stderr])
            stream.on('data', (data) => (this.#output += data));
        const exited = new Promise((resolve) =>
            child.on('exit', (code, signal) => resolve({ code, signal })),
        );
        this.#children.set(name, { process: child, exited });
    }

    /* The process id of 'lighttpd' or 'worker'. */
    pid(name) {
        return this.#children.get(name)?.process.pid;
    }

    /* Ends one of them and tells how it ended: { code, signal }. After ten seconds it is
     * killed. */
    async end(name, signal = 'SIGTERM') {
        const child = this.#children.get(name);
        if (!child) return undefined;
        this.#children.delete(name);
        child.process.kill(signal);
        const timer = setTimeout(() => child.process.kill('SIGKILL'), WATCHED ? 100_000 : 10_000);
        const result = await child.exited;
        clearTimeout(timer);
        return result;
    }

    /* Process ids of the FastCGI programs: { 'api.fcgi': 1, … }. */
    async handlers() {
        const found = {};
        for (const { pid, exe, cmdline } of await this.processes()) {
            // That of valgrind is valgrind.
            const program = [exe, ...cmdline.split(' ')].find((word) => word.startsWith(this.path('cgi-bin/')));
            if (program) found[path.basename(program)] = pid;
        }
        return found;
    }

    /* Every process that has to do with this site: by its program, its arguments, its
     * folder or its environment. */
    async processes() {
        // Not one after another by the thread pool: some tests look at them all the time.
        const read = (look) => {
            try {
                return look();
            } catch {
                return ''; // it has ended meanwhile, or is the kernel's
            }
        };
        const found = [];
        for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
            if (Number(pid) === process.pid) continue;
            const link = (name) => read(() => readlinkSync(`/proc/${pid}/${name}`));
            const text = (name) => read(() => readFileSync(`/proc/${pid}/${name}`, 'latin1'));
            const exe = link('exe');
            if (exe === '') continue;
            const cmdline = text('cmdline');
            const clues = [exe, cmdline, link('cwd'), text('environ')];
            if (clues.some((clue) => clue.includes(this.dir)))
                found.push({ pid: Number(pid), exe, cmdline: cmdline.replaceAll('\0', ' ') });
        }
        return found;
    }

    /* What watches them tells of leaks when they end, which lighttpd would not wait for. */
    async #endHandlers() {
        const pids = Object.values(await this.handlers());
        for (const pid of pids) process.kill(pid, 'SIGTERM');
        await waitFor(async () => {
            const living = Object.values(await this.handlers());
            return !pids.some((pid) => living.includes(pid));
        });
    }

    /* Stops everything and removes the folder. Throws if something does not end by
     * itself or is left over. */
    async stop() {
        const complaints = [];
        if (WATCHED) await this.#endHandlers();
        for (const name of ['worker', 'lighttpd']) {
            const result = await this.end(name);
            // lighttpd says 1 where a connection was still open when it was told to stop. What
            // was only just started may not have got to where it takes the signal.
            const fine = name === 'lighttpd' ? [0, 1] : [0];
            if (result && !fine.includes(result.code) && result.signal !== 'SIGTERM')
                complaints.push(`${name} ended with ${result.signal ?? result.code}`);
        }
        const left = await waitFor(async () => (await this.processes()).length === 0, {
            timeout: 5000,
        }).then(
            () => [],
            () => this.processes(),
        );
        for (const { pid, cmdline } of left) {
            complaints.push(`still running: ${pid} ${cmdline}`);
            process.kill(pid, 'SIGKILL');
        }
        if (complaints.length) complaints.push(await this.logs());
        await fs.rm(this.dir, { recursive: true, force: true });
        if (complaints.length) throw new Error(complaints.join('\n'));
    }

    // ---- what it said ----------------------------------------------------------

    /* The last lines of all that the programs wrote. */
    async logs(lines = 60) {
        let text = this.#output;
        for (const name of await fs.readdir(this.path('log')).catch(() => []))
            if (name.endsWith('.log'))
                text += `-- ${name}\n${await fs.readFile(this.path('log', name), 'utf8')}`;
        return text.split('\n').slice(-lines).join('\n');
    }

    /* fn for test(): the site's log is shown if it fails, or does not end. */
    logged(fn) {
        return async (t) => {
            const late = new AbortController();
            const tooLong = sleepFor(TEST_MS, null, { signal: late.signal }).then(() => {
                throw new Error(`the test takes over ${TEST_MS / 1000} s`);
            });
            try {
                await Promise.race([fn(t), tooLong]);
            } catch (error) {
                console.error(await this.logs());
                throw error;
            } finally {
                tooLong.catch(() => {});
                late.abort();
            }
        };
    }

    /* A file inside the site, which appears as a whole. */
    async put(name, text) {
        await fs.mkdir(path.dirname(this.path(name)), { recursive: true });
        await fs.writeFile(this.path('tmp/put'), text);
        await fs.rename(this.path('tmp/put'), this.path(name));
    }

    /* What sqlite3 prints for some SQL. */
    async sql(text) {
        const { stdout } = await promisify(execFile)('sqlite3', ['-cmd', '.timeout 5000', this.path('db/dropstream.db'), text]);
        return stdout.trim();
    }

    /* Names of the files in the spool. */
    async spool() {
        return (await fs.readdir(this.path('spool'))).sort();
    }

    // ---- requests ----------------------------------------------------------------

    async answers() {
        return (await this.request('GET', '/api/health')).status !== 0;
    }

    /*
     * One request on a connection of its own; the path goes out as it is. body: text, a
     * Buffer or a readable stream (then give a Content-Length); localAddress: from where it
     * comes. Resolves to { status, headers, body, text, json }; json is undefined where the
     * answer is not JSON.
     */
    request(method, target, { headers = {}, body, localAddress } = {}) {
        return new Promise((resolve, reject) => {
            const options = { host: '127.0.0.1', port: this.port, agent: false, rejectUnauthorized: false };
            Object.assign(options, { method, path: target, headers, localAddress });
            const req = (this.tls ? https : http).request(options, (res) => {
                const chunks = [];
                res.on('data', (chunk) => chunks.push(chunk));
                res.on('error', reject);
                res.on('end', () => resolve(answerOf(res, Buffer.concat(chunks))));
            });
            req.on('error', reject);
            if (body?.pipe) body.on('error', reject).pipe(req);
            else req.end(body);
        });
    }

    /* A request of the JSON interface; an object as body is sent as JSON. */
    api(method, target, body) {
        const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
        const headers = text === undefined ? {} : { 'Content-Type': 'application/json' };
        if (text !== undefined) headers['Content-Length'] = Buffer.byteLength(text);
        return this.request(method, target, { headers, body: text });
    }

    /* Uploads a Buffer or the file at a path. name: what the file is called in the form;
     * fields: what goes before it. */
    async upload(source, { name, fields = {} } = {}) {
        const isBuffer = Buffer.isBuffer(source);
        const form = formAround(name ?? (isBuffer ? 'clip.mp4' : path.basename(source)), fields);
        const size = isBuffer ? source.length : (await fs.stat(source)).size;
        const headers = {
            'Content-Type': form.type,
            'Content-Length': form.head.length + size + form.tail.length,
        };
        const body = isBuffer
            ? Buffer.concat([form.head, source, form.tail])
            : formStream(form, source);
        return this.request('POST', '/api/videos', { headers, body });
    }

    /*
     * Sends raw bytes, one after another with a pause in between, and resolves to all
     * that came back as text. hangUp: close after the last byte without waiting.
     */
    raw(parts, { hangUp = false, pause = 50 } = {}) {
        return new Promise((resolve, reject) => {
            const socket = net.connect(this.port, '127.0.0.1');
            let text = '';
            socket.on('data', (data) => (text += data.toString('latin1')));
            socket.on('close', () => resolve(text));
            socket.on('error', (error) => (text ? resolve(text) : reject(error)));
            socket.on('connect', async () => {
                for (const part of [parts].flat()) {
                    if (socket.destroyed) return;
                    socket.write(part);
                    await sleep(pause);
                }
                if (hangUp) socket.destroy();
            });
        });
    }

    /*
     * Keeps all others from writing to the database: resolves to { run(sql), end() } of a
     * transaction that has begun. end() commits.
     */
    async holdDatabase() {
        const child = spawn('sqlite3', ['-bail', this.path('db/dropstream.db')]);
        const exited = new Promise((resolve) => child.on('close', resolve));
        let output = '';
        let failed;
        child.on('error', (error) => (failed = error));
        child.stdin.on('error', () => {});
        for (const stream of [child.stdout, child.stderr])
            stream.on('data', (data) => (output += data));
        const run = async (sql) => {
            const before = output.length;
            child.stdin.write(`${sql};\n.print done\n`);
            await waitFor(() => failed || child.exitCode !== null || output.endsWith('done\n'));
            if (failed || child.exitCode !== null) throw failed ?? new Error(output);
            const text = output.slice(before, -'done\n'.length);
            output = '';
            return text.trim();
        };
        await run('.timeout 5000\nPRAGMA wal_autocheckpoint=0; BEGIN IMMEDIATE');
        const end = async () => {
            child.stdin.end('COMMIT;\n');
            await exited;
        };
        return { run, end };
    }

    /* All videos, as text: for waitFor to see whether the worker moves on. */
    async made() {
        return (await this.api('GET', '/api/videos')).text;
    }

    /* Waits until a video is in one of the states; 'failed' ends the waiting too. */
    async waitForState(id, states, { timeout = 120_000 } = {}) {
        const wanted = [states].flat();
        const video = await waitFor(
            async () => {
                const { json } = await this.api('GET', `/api/videos/${id}`);
                return [...wanted, 'failed'].includes(json?.state) && json;
            },
            { timeout, what: `${id} to be ${wanted.join(' or ')}`, moving: () => this.made() },
        );
        if (!wanted.includes(video.state)) throw new Error(`${id} failed: ${video.error}`);
        return video;
    }

    /* Runs dropstreamctl: { status, out, err }. input: its standard input. */
    ctl(args, input = '') {
        return new Promise((resolve, reject) => {
            const child = spawn(this.path('bin/dropstreamctl'), args, { env: this.env });
            let out = '';
            let err = '';
            child.stdout.on('data', (data) => (out += data));
            child.stderr.on('data', (data) => (err += data));
            child.stdin.on('error', () => {}); // it may have ended before it read anything
            child.on('error', reject);
            child.on('close', (status) => resolve({ status, out, err }));
            child.stdin.end(input);
        });
    }

    /*
     * Runs a program of cgi-bin as plain CGI (RFC 3875), without lighttpd, under the
     * command in `under` if there is one. settings: more of the environment. Resolves
     * to what request() does.
     */
    cgi(program, { settings = {}, under = [], ...request } = {}) {
        const command = [...under, this.path('cgi-bin', program)];
        return runCgi(command, { ...this.env, ...cgiVariables(request), ...settings }, request.body, (said) => (this.#output += said));
    }
}
