/*
 * memory.mjs: whether the memory of the worker and of the handlers grows with what they do:
 * what each holds after a quarter of it, against what it holds in the end. Before that each
 * of their threads has had something to do, as its stack is there from then on, and a quarter
 * of it is done already, as each keeps what it will need again; and the worker has swept,
 * as it does once a minute.
 *
 * DROPSTREAM_BENCH_REQUESTS (10000, a third of each kind), DROPSTREAM_BENCH_VIDEOS (50, of
 * four jobs each, uploaded, made and deleted).
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import { ffmpeg, tempDir } from '../lib/media.mjs';
import { sleep, startSite, tinyMp4, waitFor } from '../lib/site.mjs';
import * as measure from './measure.mjs';

const REQUESTS = measure.setting('DROPSTREAM_BENCH_REQUESTS', 10_000);
const VIDEOS = measure.setting('DROPSTREAM_BENCH_VIDEOS', 50);
const ROUNDS = 4;
const LIMIT_KB = 256; // 34 bytes of a request would be more
const WARM_UP = { requests: 4000, atOnce: 64, uploads: 300 }; // of 128 threads
const AT_ONCE = 8;
const SWEPT_MS = 65_000; // after a start the worker has

/* KB of memory that are a process's own; what it shares with files is the kernel's to keep. */
const ownKb = (pid) => Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]);

async function clip(dir) {
    const file = path.join(dir, 'clip.mp4');
    const sources = ['-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=10:d=5', '-f', 'lavfi', '-i', 'sine=d=5:r=48000'];
    await ffmpeg(...sources, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-shortest', file);
    return file;
}

function ask(site, agent, { method = 'GET', target, headers = {}, body }) {
    return new Promise((resolve, reject) => {
        const req = http.request({ host: '127.0.0.1', port: site.port, agent, method, path: target, headers }, (res) => {
            res.resume().on('end', () => resolve(res.statusCode)).on('error', reject);
        });
        req.on('error', reject).end(body);
    });
}

/* Requests of each program: some succeed, some are refused. */
async function requests(site, n, atOnce = AT_ONCE) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: atOnce });
    const kinds = [
        () => ({ target: '/api/videos?limit=100' }),
        (i) => ({ target: `/media/${'a'.repeat(26)}/360p-1/${i}.m4s` }),
        () => ({
            method: 'POST', target: '/api/videos', body: '--b\r\nContent-Disposition: form-data; name="file"; filename="x.mp4"\r\n\r\nno video\r\n--b--\r\n',
            headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
        }),
    ];
    let i = 0;
    await Promise.all(Array.from({ length: atOnce }, async () => {
        while (i < n) {
            const at = i++;
            const status = await ask(site, agent, kinds[at % kinds.length](at));
            if (![200, 404, 415, 422].includes(status)) throw new Error(`request ${at}: ${status}`);
        }
    }));
    agent.destroy();
}

/* A file that is no video after all, and gone again. */
async function uploads(site, n) {
    for (let i = 0; i < n; i++) {
        const { json } = await site.upload(tinyMp4());
        await site.api('DELETE', `/api/videos/${json.id}`);
    }
}

async function videos(site, file, n) {
    for (let i = 0; i < n; i++) {
        const { json } = await site.upload(file);
        await site.waitForState(json.id, 'ready');
        await waitFor(async () => (await site.api('GET', `/api/videos/${json.id}`)).json.poster, { what: 'the poster' });
        await site.api('DELETE', `/api/videos/${json.id}`);
    }
    await waitFor(async () => (await site.spool()).length === 0, { what: 'the files to go' });
}

const temp = await tempDir();
const site = await startSite({ worker: true, posters: true, env: { DROPSTREAM_NICE: '0' } });
const started = Date.now();
try {
    const file = await clip(temp.dir);
    const found = [];
    await uploads(site, WARM_UP.uploads);
    await requests(site, WARM_UP.requests, WARM_UP.atOnce);
    for (let round = 0; round <= ROUNDS; round++) {
        await requests(site, Math.ceil(REQUESTS / ROUNDS));
        await videos(site, file, Math.ceil(VIDEOS / ROUNDS));
        if (round === 0) {
            await sleep(Math.max(0, started + SWEPT_MS - Date.now()));
            continue;
        }
        const pids = { worker: site.pid('worker'), lighttpd: site.pid('lighttpd'), ...(await site.handlers()) };
        found.push(Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, ownKb(pid)])));
    }
    console.log(`own memory in KB, after each of ${ROUNDS} parts of ${REQUESTS} requests and ${VIDEOS} videos`);
    measure.printTable([['', ...found.map((_, i) => `part ${i + 1}`)], ...Object.keys(found[0]).map((name) => [name, ...found.map((kb) => kb[name])])]);
    for (const name of Object.keys(found[0]))
        measure.mustHold(`${name}: growth since the first part`, found.at(-1)[name] - found[0][name], LIMIT_KB, ' KB');
} finally {
    await site.stop();
    await temp.remove();
}
