/*
 * auth_segments.mjs: part 2 of bench-auth. CPU of lighttpd, and in strict mode of media.fcgi
 * too, for each request of a segment: there by a browser, which has a pass, and by a program,
 * whose token is asked about each time. All take turns, each round begins with
 * another one, and the ratio that counts is the median of the rounds: many short ones, so
 * that a busy machine hurts all alike. Connections stay open, as those of players do; and once
 * not, as those of who asks for a single file.
 */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, promises as fs } from 'node:fs';
import http from 'node:http';
import { Client, pretend, setUp } from '../lib/accounts.mjs';
import { freePort, startSite, tinyMp4, waitFor } from '../lib/site.mjs';
import * as measure from './measure.mjs';

const REQUESTS = measure.setting('DROPSTREAM_BENCH_REQUESTS', 400);
const ROUNDS = measure.setting('DROPSTREAM_BENCH_ROUNDS', 30);
const SIZES_KB = [100, 500, 1000];
const CASES = [[0, true], [1, true], [2, true], [0, false], [1, false]]; // which size, connections that stay
const AT_ONCE = 4;
const STATIC_LIMIT = 1.02;
const STRICT_LIMIT = 3;

export const title = `CPU of a request for a segment, ${ROUNDS} rounds of ${REQUESTS} requests`;
export const limitS = 1800;

/* ns on a CPU, of all threads (the kernel's Documentation/scheduler/sched-stats): the ticks
 * of /proc/<pid>/stat are too coarse to tell two in a hundred. */
function cpuNs(pids) {
    let ns = 0;
    for (const pid of pids)
        for (const task of readdirSync(`/proc/${pid}/task`))
            ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
    return ns;
}

/* lighttpd that only serves files, as a site's does: types, and how long to keep them. */
async function startPlain(site) {
    const port = await freePort();
    const conf = site.path('tmp/plain.conf');
    await fs.writeFile(conf, `server.modules = ("mod_expire")
        server.bind = "127.0.0.1"
        server.port = ${port}
        server.document-root = "${site.dir}/htdocs"
        mimetype.assign = (".m4s" => "video/iso.segment")
        expire.mimetypes = ("video/iso.segment" => "access plus 31536000 seconds")\n`);
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'lighttpd', '-D', '-f', conf], {
        stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    });
    await waitFor(() => fetch(`http://127.0.0.1:${port}/`), { what: 'plain lighttpd to answer' });
    return { port, pids: [child.pid], headers: {}, stop: () => child.kill() };
}

/* A site with a video whose segments are of these sizes; who may watch it asks. */
async function startOne(mediaAuth) {
    const site = await startSite({ env: { DROPSTREAM_AUTH: 'required', DROPSTREAM_MEDIA_AUTH: mediaAuth } });
    const owner = await setUp(site, 'olga');
    const { json: video } = await owner.upload(tinyMp4());
    const root = await pretend(site, video.id, { segments: SIZES_KB.length, made: [] });
    for (const [i, kb] of SIZES_KB.entries()) await site.put(`htdocs/media/${root}/360p-1/${i}.m4s`, Buffer.alloc(kb * 1000, 7));
    const { json } = await owner.api('GET', `/api/videos/${video.id}`);
    const folder = json.media.replace('master.m3u8', '360p-1/');
    const headers = {};
    const bearer = { Authorization: `Bearer ${await owner.newToken(['read'])}` };
    if (mediaAuth === 'strict') {
        const { status } = await new Client(site).request('GET', `${folder}0.m4s`);
        if (status !== 404) throw new Error('strict mode lets nobody in particular watch');
        await owner.request('GET', `${folder}0.m4s`); // which gives the browser its pass
        headers.Cookie = owner.cookieHeader(folder);
        if (!headers.Cookie.includes('dropstream_media=')) throw new Error('strict mode gives no pass');
    }
    const pids = [site.pid('lighttpd')];
    if (mediaAuth === 'strict') pids.push((await site.handlers())['media.fcgi']);
    return { site, port: site.port, pids, headers, bearer, folder };
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
    const [open, strict] = [await startOne('static'), await startOne('strict')];
    const plain = { ...(await startPlain(open.site)), folder: open.folder };
    const servers = { plain, static: open, strict, token: { ...strict, headers: strict.bearer } };
    const names = Object.keys(servers);
    const rows = [['KB', 'connections', ...names.map((name) => `${name} µs`), ...names.slice(1)]];
    try {
        for (const [i, keepAlive] of CASES) {
            const kb = SIZES_KB[i];
            const { costs, ratio } = await measureSize(servers, i, keepAlive);
            const us = names.map((name) => measure.median(costs[name]).toFixed(1));
            const ratios = names.slice(1).map((name) => ratio(name).toFixed(name === 'static' ? 3 : 2));
            rows.push([kb, keepAlive ? 'stay' : 'one each', ...us, ...ratios]);
            const of = `segment of ${kb} KB, connections ${keepAlive ? 'stay' : 'are one each'}: CPU against plain lighttpd`;
            verdicts.add(`${of}, static`, ratio('static'), STATIC_LIMIT, { digits: 3 });
            verdicts.add(`${of}, strict`, ratio('strict'), STRICT_LIMIT);
            verdicts.note(`${of}, strict with a token`, ratio('token').toFixed(2));
        }
    } finally {
        plain.stop();
        await open.site.stop();
        await strict.site.stop();
    }
    measure.printTable(rows);
}
