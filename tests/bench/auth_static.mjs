/*
 * auth_static.mjs: part 2 of bench-auth. What lighttpd does for a segment by its key alone
 * (media_auth = static), against a lighttpd that only serves files, with the same headers.
 *
 * Both make the same system calls, which is where nearly all of the time goes; what differs
 * is what lighttpd executes between them. CPU times of two equal servers differ by a fifth
 * from second to second here and there, which hides two in a hundred; so instructions are
 * counted, by callgrind, and weighed with the share of the time that they take.
 */
import { execFile, spawn } from 'node:child_process';
import { readFileSync, promises as fs } from 'node:fs';
import http from 'node:http';
import { promisify } from 'node:util';
import { freePort, waitFor } from '../lib/site.mjs';
import { plainConf, SIZES_KB, startLighttpd, startWithSegments } from './auth_serving.mjs';
import * as measure from './measure.mjs';

const REQUESTS = 200;
const WARM_UP = 50;
const LOAD_S = 20;
const CLIENTS = 4;
const LIMIT = 1.02;
const TOOLS = ['valgrind', 'callgrind_control', 'strace'];

export const title = 'a segment by its key, against a lighttpd that only serves files';
export const limitS = 600;

/* The three: how each is started, on a port, itself or below a tool. */
async function kindsOf(site, headers) {
    const ours = Object.fromEntries(
        readFileSync(`/proc/${site.pid('lighttpd')}/environ`, 'latin1').split('\0').filter(Boolean)
            .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    const plain = (name, own) => async (below) => {
        const port = await freePort();
        const conf = site.path(`tmp/${name}.conf`);
        await fs.writeFile(conf, plainConf(site, port, own));
        return startLighttpd(conf, port, { below });
    };
    return {
        bare: plain('bare'),
        plain: plain('plain', headers),
        site: async (below) => {
            const port = await freePort();
            const env = { ...ours, DROPSTREAM_PORT: String(port) };
            return startLighttpd(site.path('etc/lighttpd.conf'), port, { below, env });
        },
    };
}

function get(port, agent, path) {
    return new Promise((resolve, reject) => {
        http.get({ host: '127.0.0.1', port, agent, path }, (res) => {
            if (res.statusCode !== 200) reject(new Error(`${path}: ${res.statusCode}`));
            res.on('data', () => {}).on('end', () => resolve(res.headers)).on('error', reject);
        }).on('error', reject);
    });
}

/* So many requests, one after the other, on a connection that stays. */
async function requests(port, path, n) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < n; i++) await get(port, agent, path);
    agent.destroy();
}

/* Instructions of lighttpd for a request of each path. */
async function instructions(start, site, paths) {
    const out = site.path('tmp/callgrind.out');
    const server = await start(['valgrind', '--tool=callgrind', `--callgrind-out-file=${out}`]);
    let dumps = 0;
    const sinceLast = async () => {
        const file = `${out}.${++dumps}`;
        await promisify(execFile)('callgrind_control', ['-d', String(server.pid)]);
        const text = await waitFor(() => fs.readFile(file, 'latin1').catch(() => ''), { what: file });
        await fs.unlink(file);
        return Number(/^(?:summary|totals): (\d+)/m.exec(text)[1]);
    };
    const found = [];
    for (const path of paths) {
        await requests(server.port, path, WARM_UP);
        await sinceLast();
        await requests(server.port, path, REQUESTS);
        found.push((await sinceLast()) / REQUESTS);
    }
    await server.stop();
    return found;
}

/* System calls of lighttpd for a request, to a tenth: some are for the time that passes. */
async function systemCalls(start, path) {
    const server = await start([]);
    await requests(server.port, path, WARM_UP);
    const trace = spawn('strace', ['-c', '-p', String(server.pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    trace.stderr.on('data', (data) => (said += data));
    await waitFor(() => said.includes('attached'), { what: 'strace to attach' });
    await requests(server.port, path, REQUESTS);
    trace.kill('SIGINT');
    await new Promise((resolve) => trace.on('close', resolve));
    await server.stop();
    const calls = Number(/^100\.00 +\S+ +(?:\S+ +)?(\d+) +(?:\d+ +)?total$/m.exec(said)[1]);
    return Math.round((calls / REQUESTS) * 10) / 10;
}

/* Of a server that a few ordinary clients ask, as fast as they can read: µs of CPU of a
 * request, and the share that is lighttpd's own. */
async function timeOf(server, path) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
    const before = measure.cpuTicks(server.pid);
    const end = performance.now() + LOAD_S * 1000;
    let answers = 0;
    await Promise.all(Array.from({ length: CLIENTS }, async () => {
        for (; performance.now() < end; answers++) await get(server.port, agent, path);
    }));
    agent.destroy();
    const after = measure.cpuTicks(server.pid);
    const [user, system] = [after.user - before.user, after.system - before.system];
    return { us: ((user + system) * measure.TICK_US) / answers, share: user / (user + system) };
}

const SECURITY = /^(?:x-|referrer|content-security)/;

/* A site with segments: { site, paths, headers: those of security that it sends }. */
async function startOne() {
    const { site, folder } = await startWithSegments('static');
    const paths = SIZES_KB.map((_, i) => `${folder}${i}.m4s`);
    const answer = await get(site.port, undefined, paths[0]);
    return { site, paths, headers: Object.entries(answer).filter(([name]) => SECURITY.test(name)) };
}

async function measureAll({ site, paths, headers }) {
    const kinds = await kindsOf(site, headers);
    const found = {};
    for (const [name, start] of Object.entries(kinds))
        found[name] = { instructions: await instructions(start, site, paths), calls: await systemCalls(start, paths[0]) };
    const server = await kinds.plain([]);
    found.times = [];
    for (const path of paths) found.times.push(await timeOf(server, path));
    await server.stop();
    return found;
}

export async function run(verdicts) {
    for (const tool of TOOLS) measure.needs(measure.hasProgram(tool), `${tool} (Debian packages valgrind and strace)`);
    const one = await startOne();
    try {
        const { bare, plain, site, times } = await measureAll(one);
        const rows = [['KB', 'instructions: bare', 'plain', 'site', 'µs of CPU, plain', 'in lighttpd itself', 'site', 'against bare']];
        for (const [i, kb] of SIZES_KB.entries()) {
            const { us, share } = times[i];
            const [b, p, s] = [bare, plain, site].map((server) => server.instructions[i]);
            // The time of an instruction is that of the plain server's.
            const [ratio, againstBare] = [1 + share * (s / p - 1), (1 + share * (s / p - 1)) / (1 + share * (b / p - 1))];
            rows.push([kb, ...[b, p, s].map(Math.round), us.toFixed(1), `${(100 * share).toFixed(1)} %`, ratio.toFixed(3), againstBare.toFixed(3)]);
            verdicts.add(`segment of ${kb} KB by its key: CPU against plain lighttpd`, ratio, LIMIT, { digits: 3 });
            verdicts.note('… against one that does not send the security headers', againstBare.toFixed(3));
        }
        verdicts.add('… system calls for a request, beyond those of plain lighttpd', site.calls - plain.calls, 0, { digits: 1 });
        measure.printTable(rows);
    } finally {
        await one.site.stop();
    }
}
