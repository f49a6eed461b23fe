/*
 * The service units for systemd: what systemd itself says of how far each is locked in,
 * and what comes of the commands that they name. Those are run without systemd, in the
 * environment that it would give them and no other, for a site in a temporary folder.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, promises as fs, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

import { BUILD, freePort, Site, SOURCE, waitFor } from '../lib/site.mjs';
import { watchPrograms } from '../lib/under.mjs';

const run = promisify(execFile);

/* The most exposure that is let pass, in tenths of what systemd-analyze(1) shows. */
const MOST = { 'dropstream-worker.service': 15, 'dropstream-web.service': 20 };

function hasAnalyze() {
    try {
        execFileSync('systemd-analyze', ['--version']);
        return true;
    } catch {
        return false;
    }
}
const skip = !hasAnalyze() && 'systemd-analyze is not installed';

for (const [unit, most] of Object.entries(MOST))
    test(`${unit} is locked in`, { skip }, async () => {
        const file = path.join(SOURCE, 'etc/systemd', unit);
        const args = ['security', '--offline=true', '--no-pager', `--threshold=${most}`, file];
        const { stdout, stderr } = await run('systemd-analyze', args);
        assert.match(stdout, /Overall exposure level/);
        assert.doesNotMatch(stderr, /Unknown|ignoring/);
    });

/* Where the units have the site. */
const HOME = '/var/lib/dropstream';
/* What systemd.exec(5) gives each command. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin';

const assignments = (lines) => Object.fromEntries(lines.map((line) => /^([^=]+)=(.*)$/.exec(line).slice(1)));

/* A unit of a site that lies elsewhere: its processes, as systemd has them. */
class Unit {
    #settings = new Map(); // key → values, as they come
    #main;
    #said = '';

    constructor(name, site) {
        const text = readFileSync(path.join(SOURCE, 'etc/systemd', name), 'utf8');
        for (const line of text.replaceAll(HOME, site.dir).split('\n')) {
            const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
            if (key) this.#settings.set(key, [...this.#all(key), value]);
        }
    }

    #all(key) {
        return this.#settings.get(key) ?? [];
    }

    /* Words as systemd.service(5) has them, as far as the units make use of that. */
    #words(key) {
        return this.#all(key).map((value) =>
            [...value.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => (a ?? b ?? c).replaceAll('$$', () => '$')));
    }

    /* The files are read anew for each command, those of ExecStartPre too. */
    #environment() {
        const lines = this.#words('Environment').flat();
        for (const file of this.#all('EnvironmentFile')) {
            const name = file.replace(/^-/, '');
            if (name !== file && !existsSync(name)) continue;
            lines.push(...readFileSync(name, 'utf8').split('\n').filter((line) => /^[^#;]/.test(line)));
        }
        return { PATH, ...assignments(lines) };
    }

    get #options() {
        return { env: this.#environment(), cwd: this.#all('WorkingDirectory').at(-1) ?? '/' };
    }

    /* Rejects where a command before the main one fails: that is not started then. */
    async start() {
        for (const [program, ...args] of this.#words('ExecStartPre')) await run(program, args, this.#options);
        const [command] = this.#words('ExecStart');
        const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { ...this.#options, stdio: ['ignore', 'pipe', 'pipe'] });
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (this.#said += data));
        this.#main = { child, exited: new Promise((resolve) => child.on('exit', (code) => resolve(code))) };
    }

    get pid() {
        return this.#main.child.pid;
    }

    /* Waits until fn() is true; throws if the main process ends before. */
    async until(fn) {
        await waitFor(async () => this.#main.child.exitCode !== null || fn());
        assert.equal(this.#main.child.exitCode, null, this.#said);
    }

    said() {
        return this.#said;
    }

    /* Its exit status. */
    async stop() {
        this.#main?.child.kill('SIGTERM');
        return this.#main?.exited;
    }
}

/* A site as README has it laid out for the units, with their processes: those that fn
 * leaves running are stopped. */
function withUnits(fn) {
    return async () => {
        const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'dropstream-units-'));
        const site = new Site(dir, await freePort(), {});
        const units = ['web', 'worker'].map((name) => new Unit(`dropstream-${name}.service`, site));
        try {
            await run(path.join(SOURCE, 'etc/install.sh'), [BUILD, dir], { env: { PATH } });
            await watchPrograms(dir);
            await set(site, 'port', site.port);
            await site.logged(() => fn(site, ...units))();
        } finally {
            for (const unit of units) await unit.stop();
            await site.stop();
        }
    };
}

/* One of dropstream.conf, where each stands with its default. */
async function set(site, key, value) {
    const file = site.path('etc/dropstream.conf');
    const text = await fs.readFile(file, 'utf8');
    assert.match(text, new RegExp(`^#?${key} =`, 'm'));
    await fs.writeFile(file, text.replace(new RegExp(`^#?${key} =.*`, 'm'), `${key} = ${value}`));
}

describe('with nothing but what the units say', () => {
    const file = '/media/abcdefghijklmnopqrstuvwxyz/360p-1/0.m4s';

    test('the web server runs, and each start goes by the settings of then', withUnits(async (site, web) => {
        await site.put('htdocs/index.html', '<!doctype html><title>dropstream</title>');
        await site.put(`htdocs${file}`, '0123456789');
        const start = async () => {
            await web.start();
            await web.until(() => site.answers());
        };
        await start();
        assert.match((await site.request('GET', '/')).text, /<title>dropstream/);
        assert.equal((await site.request('GET', file)).text, '0123456789');
        assert.match(readFileSync(`/proc/${web.pid}/maps`, 'latin1'), /address_limit\.so/);

        await web.stop();
        await set(site, 'media_auth', 'strict');
        await set(site, 'connections_per_address', 0);
        await set(site, 'port', (site.port = await freePort()));
        await start();
        assert.match((await site.request('GET', '/')).text, /<title>dropstream/);
        const refused = await site.request('GET', file);
        assert.equal(refused.status, 404);
        assert.doesNotMatch(refused.text, /0123/);
        assert.doesNotMatch(readFileSync(`/proc/${web.pid}/maps`, 'latin1'), /address_limit\.so/);

        await web.stop();
        await set(site, 'media_auth', 'srict');
        await assert.rejects(web.start(), /media_auth must be static or strict, not "srict"/);
    }));

    test('the web server does not run with a lighttpd.conf that leaves out the settings', withUnits(async (site, web) => {
        await site.put('etc/lighttpd.conf', '# mine\n');
        await assert.rejects(web.start(), /lighttpd\.conf was edited, and is of an older version/);
    }));

    test('the worker runs', withUnits(async (site, web, worker) => {
        await worker.start();
        await worker.until(() => worker.said().includes('worker started'));
        assert.equal(await worker.stop(), 0);
    }));
});

describe('an install', () => {
    const install = (args, options = {}) => spawn(path.join(SOURCE, 'etc/install.sh'), args, { stdio: 'inherit', ...options });
    const ended = (child) => new Promise((resolve) => child.on('exit', (code) => resolve(code)));
    const page = (site) => fs.readFile(site.path('htdocs/index.html'), 'utf8');

    /* The programs as they are, with pages of their own. */
    async function another(site) {
        const dir = site.path('build');
        await fs.mkdir(`${dir}/htdocs`, { recursive: true });
        for (const name of ['cgi-bin', 'worker']) await fs.symlink(path.join(BUILD, name), `${dir}/${name}`);
        for (const name of ['index.html', 'another.js', '.well-known']) await fs.writeFile(`${dir}/htdocs/${name}`, name);
        return dir;
    }

    test('waits for another one, whose pages it would take for old ones', withUnits(async (site) => {
        const [build, before] = [await another(site), await page(site)];
        const holder = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'flock', site.path('htdocs'), 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
        await new Promise((resolve) => holder.stdout.once('data', resolve));
        const code = ended(install([build, site.dir]));
        await waitFor(() => /^\d+: -> FLOCK/m.test(readFileSync('/proc/locks', 'latin1')), { what: 'it to wait' });
        assert.equal(await page(site), before);
        holder.stdin.end();
        assert.equal(await code, 0);
        assert.equal(await page(site), 'index.html');
        assert.deepEqual((await fs.readdir(site.path('htdocs'))).sort(), ['.well-known', 'another.js', 'assets', 'index.html', 'media']);
    }));

    test('that is told to end leaves nothing half done', withUnits(async (site) => {
        const build = await another(site);
        await site.put('bin/comm', `#!/bin/sh\ntouch ${site.path('run/asked')}\nexec sleep 60\n`);
        await fs.chmod(site.path('bin/comm'), 0o755);
        const child = install([build, site.dir], { detached: true, env: { PATH: `${site.path('bin')}:${PATH}` } });
        const code = ended(child);
        await waitFor(() => existsSync(site.path('run/asked')), { what: 'it to be in the middle' });
        process.kill(-child.pid, 'SIGTERM');
        assert.notEqual(await code, 0);
        assert.deepEqual(await fs.readdir(site.path('tmp')), []);
    }));

    test('finds its build whatever CDPATH says', withUnits(async (site) => {
        await another(site);
        assert.equal(await ended(install(['build', '.'], { cwd: site.dir, env: { PATH, CDPATH: `.:${os.tmpdir()}` } })), 0);
        assert.equal(await page(site), 'index.html');
        assert.deepEqual(await fs.readdir(site.path('tmp')), []);
    }));
});

describe('two starts at once', () => {
    test('leave whole settings', withUnits(async (site) => {
        const names = ['options.conf', 'lighttpd.env'];
        const read = () => Promise.all(names.map((name) => fs.readFile(site.path('etc', name), 'utf8')));
        const options = () => run(site.path('bin/options.sh'), [site.dir], { env: { PATH } });
        await set(site, 'media_auth', 'strict');
        await options();
        const whole = await read();
        await Promise.all(Array.from({ length: 8 }, options));
        assert.deepEqual(await read(), whole);
    }));

    test('take no sockets from each other, only those of who has ended', withUnits(async (site, web) => {
        const gone = spawn('true');
        await new Promise((resolve) => gone.on('exit', resolve));
        const stale = site.path(`run/api-${gone.pid}.sock-0`);
        await fs.writeFile(stale, '');
        await web.start();
        await web.until(() => site.answers());
        assert.ok(!existsSync(stale));
        // It ends, as the port is taken.
        await assert.rejects(run(site.path('bin/lighttpd.sh'), [site.dir], { env: { PATH } }));
        assert.equal((await site.request('GET', '/api/health')).json?.status, 'degraded');
    }));
});
