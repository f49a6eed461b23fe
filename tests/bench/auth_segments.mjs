/*
 * auth_segments.mjs: part 3 of bench-auth. CPU of lighttpd and media.fcgi in strict mode, for
 * each request of a segment: by a browser, which has a pass, and by a program,
 * whose token is asked about each time. All take turns, each round begins with
 * another one, and the ratio that counts is the median of the rounds: many short ones, so
 * that a busy machine hurts all alike. Connections stay open, as those of players do; and once
 * not, as those of who asks for a single file.
 */
import { readFileSync, readdirSync, promises as fs } from 'node:fs';
import http from 'node:http';
import { Client } from '../lib/accounts.mjs';
import { freePort } from '../lib/site.mjs';
import { plainConf, SIZES_KB, startLighttpd, startWithSegments } from './auth_serving.mjs';
import * as measure from './measure.mjs';

const REQUESTS = measure.setting('DROPSTREAM_BENCH_REQUESTS', 400);
const ROUNDS = measure.setting('DROPSTREAM_BENCH_ROUNDS', 30);
const CASES = [[0, true], [1, true], [2, true], [0, false], [1, false]]; // which size, connections that stay
const AT_ONCE = 4;
const STRICT_LIMIT = 3;

export const title = `CPU of a request for a segment in strict mode, ${ROUNDS} rounds of ${REQUESTS} requests`;
export const limitS = 1800;

/* ns on a CPU, of all threads (the kernel's Documentation/scheduler/sched-stats): the ticks
 * of /proc/<pid>/stat are too coarse for so few. */
function cpuNs(pids) {
    let ns = 0;
    for (const pid of pids)
        for (const task of readdirSync(`/proc/${pid}/task`))
            ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
    return ns;
}

/* lighttpd that only serves the files of a site. */
async function startPlain({ site, root }) {
    const port = await freePort();
    const conf = site.path('tmp/plain.conf');
    await fs.writeFile(conf, plainConf(site, port));
    const { pid, stop } = await startLighttpd(conf, port);
    return { port, pids: [pid], headers: {}, folder: `/media/${root}/360p-1/`, stop };
}

/* A site in strict mode; who may watch it asks, with a pass or with a token. */
async function startStrict() {
    const { site, owner, root, folder } = await startWithSegments('strict');
    const bearer = { Authorization: `Bearer ${await owner.newToken(['read'])}` };
    const { status } = await new Client(site).request('GET', `${folder}0.m4s`);
    if (status !== 404) throw new Error('strict mode lets nobody in particular watch');
    await owner.request('GET', `${folder}0.m4s`); // which gives the browser its pass
    const headers = { Cookie: owner.cookieHeader(folder) };
    if (!headers.Cookie.includes('dropstream_media=')) throw new Error('strict mode gives no pass');
    const pids = [site.pid('lighttpd'), (await site.handlers())['media.fcgi']];
    return { site, root, port: site.port, pids, headers, bearer, folder };
}

function get(server, agent, path) {
    return new Promise((resolve, reject) => {
        http.get({ host: '127.0.0.1', port: server.port, agent, path, headers: server.headers }, (res) => {
            if (res.statusCode !== 200) reject(new Error(`${path}: ${res.statusCode}`));
            res.on('data', () => {}).on('end', resolve).on('error', reject);
        }).on('error', reject);
    });
}

/* µs of CPU for one request. */
async function cost(server, path, keepAlive) {
    const agent = new http.Agent({ keepAlive, maxSockets: AT_ONCE });
    let left = REQUESTS;
    const before = cpuNs(server.pids);
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        while (left-- > 0) await get(server, agent, path);
    }));
    const ns = cpuNs(server.pids) - before;
    agent.destroy();
    return ns / 1000 / REQUESTS;
}

async function measureSize(servers, i, keepAlive) {
    const names = Object.keys(servers);
    const costs = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = -1; round < ROUNDS; round++)
        for (let k = 0; k < names.length; k++) {
            const name = names[(k + round + names.length) % names.length];
            const us = await cost(servers[name], `${servers[name].folder}${i}.m4s`, keepAlive);
            if (round >= 0) costs[name].push(us); // the first round warms up
        }
    const ratio = (name) => measure.median(costs[name].map((us, round) => us / costs.plain[round]));
    return { costs, ratio };
}

export async function run(verdicts) {
    const strict = await startStrict();
    const plain = await startPlain(strict);
    const servers = { plain, strict, token: { ...strict, headers: strict.bearer } };
    const names = Object.keys(servers);
    const rows = [['KB', 'connections', ...names.map((name) => `${name} µs`), ...names.slice(1)]];
    try {
        for (const [i, keepAlive] of CASES) {
            const kb = SIZES_KB[i];
            const { costs, ratio } = await measureSize(servers, i, keepAlive);
            const us = names.map((name) => measure.median(costs[name]).toFixed(1));
            rows.push([kb, keepAlive ? 'stay' : 'one each', ...us, ...names.slice(1).map((name) => ratio(name).toFixed(2))]);
            const of = `segment of ${kb} KB, connections ${keepAlive ? 'stay' : 'are one each'}: CPU against plain lighttpd`;
            verdicts.add(`${of}, strict`, ratio('strict'), STRICT_LIMIT);
            verdicts.note(`${of}, strict with a token`, ratio('token').toFixed(2));
        }
    } finally {
        await plain.stop();
        await strict.site.stop();
    }
    measure.printTable(rows);
}
