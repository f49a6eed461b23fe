/*
 * upload.mjs: what a 1 GB upload costs through lighttpd and upload.fcgi, against a PUT
 * of the same file to lighttpd's mod_webdav. The two alternate and take turns in going
 * first, so that a busy machine hurts both alike; the ratio that counts is the median.
 * A pair before them is not counted: the first touch of the page cache is dearer.
 *
 * DROPSTREAM_BENCH_PAIRS (5), DROPSTREAM_BENCH_MB (1000, of 10^6 bytes).
 */
import { execFile, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { existsSync, promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { freePort, startSite, waitFor } from '../lib/site.mjs';
import * as measure from './measure.mjs';

const PAIRS = measure.setting('DROPSTREAM_BENCH_PAIRS', 5);
const MB = measure.setting('DROPSTREAM_BENCH_MB', 1000);
const RATIO_LIMIT = 3.5;
const HANDLER_MB_LIMIT = 8;
const LIGHTTPD_MB_LIMIT = 16;
const WEBDAV_MODULE = '/usr/lib/lighttpd/mod_webdav.so';

const run = promisify(execFile);

/* A file that begins like an MP4 and holds what nothing can compress or skip. */
async function makeFile(file, bytes) {
    const head = Buffer.alloc(40);
    head.writeUInt32BE(24, 0);
    head.write('ftypisom', 4, 'latin1');
    head.writeUInt32BE(0x200, 12);
    head.write('isommp41', 16, 'latin1');
    head.writeUInt32BE(1, 24); // a 64-bit size follows the type
    head.write('mdat', 28, 'latin1');
    head.writeBigUInt64BE(BigInt(bytes - 24), 32);
    const out = await fs.open(file, 'w');
    const block = Buffer.alloc(8 << 20);
    await out.write(head);
    for (let left = bytes - head.length; left > 0; left -= block.length) {
        randomFillSync(block);
        await out.write(block, 0, Math.min(left, block.length));
    }
    await out.sync();
    await out.close();
}

/* lighttpd with mod_webdav alone, as the floor to measure against. */
async function startWebdav(dir) {
    const port = await freePort();
    await fs.mkdir(path.join(dir, 'dav'));
    await fs.mkdir(path.join(dir, 'tmp'));
    const conf = path.join(dir, 'webdav.conf');
    await fs.writeFile(
        conf,
        `server.modules = ("mod_webdav")
         server.bind = "127.0.0.1"
         server.port = ${port}
         server.document-root = "${dir}/dav"
         server.upload-dirs = ("${dir}/tmp")
         webdav.activate = "enable"
         webdav.is-readonly = "disable"\n`,
    );
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'lighttpd', '-D', '-f', conf], {
        stdio: ['ignore', 'ignore', 'inherit'],
    });
    const url = `http://127.0.0.1:${port}/`;
    await waitFor(() => fetch(url), { what: 'mod_webdav to answer' });
    return { url, root: path.join(dir, 'dav'), pid: child.pid, stop: () => child.kill() };
}

const curl = (...args) =>
    run('curl', ['-sSf', '--http1.1', '-o', '/dev/null', '-H', 'Expect:', ...args]);

/* CPU seconds that pids use while work runs. */
async function cost(pids, work) {
    const before = measure.cpuSeconds(pids);
    await work();
    return measure.cpuSeconds(pids) - before;
}

/* What one upload of the file costs either server, in CPU seconds. What arrived is
 * removed at once, so that the next one finds the page cache as this one did. */
function contenders(site, webdav, file, handler) {
    return {
        async ours() {
            const pids = [site.pid('lighttpd'), handler];
            const url = `${site.url}/api/videos`;
            const spent = await cost(pids, () => curl('-F', `file=@${file}`, url));
            for (const name of await site.spool()) await fs.rm(site.path('spool', name));
            return spent;
        },
        async dav() {
            const spent = await cost([webdav.pid], () => curl('-T', file, `${webdav.url}x.mp4`));
            await fs.rm(path.join(webdav.root, 'x.mp4'));
            return spent;
        },
    };
}

async function measurePairs(site, webdav, file) {
    const handler = (await site.handlers())['upload.fcgi'];
    const { ours, dav } = contenders(site, webdav, file, handler);
    const rows = [['pair', 'dropstream CPU-s', 'webdav CPU-s', 'ratio']];
    const ratios = [];
    await ours();
    await dav();
    for (let pair = 1; pair <= PAIRS; pair++) {
        let b = pair % 2 ? undefined : await dav();
        const a = await ours();
        b ??= await dav();
        ratios.push(a / b);
        rows.push([pair, a.toFixed(2), b.toFixed(2), (a / b).toFixed(2)]);
    }
    measure.printTable(rows);
    return {
        ratio: measure.median(ratios),
        handlerMb: measure.peakMb(handler),
        lighttpdMb: measure.peakMb(site.pid('lighttpd')),
    };
}

measure.needs(measure.hasProgram('curl'), 'curl (Debian package curl)');
measure.needs(existsSync(WEBDAV_MODULE), 'mod_webdav (Debian package lighttpd-mod-webdav)');

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'dropstream-bench-'));
let site;
let webdav;
try {
    const file = path.join(dir, 'clip.mp4');
    await makeFile(file, MB * 1e6);
    site = await startSite({ env: { DROPSTREAM_DISK_RESERVE_MB: '0' } });
    webdav = await startWebdav(dir);
    console.log(`upload of ${MB} MB, ${PAIRS} pairs`);
    const { ratio, handlerMb, lighttpdMb } = await measurePairs(site, webdav, file);
    measure.mustHold('CPU against mod_webdav, median', ratio, RATIO_LIMIT);
    measure.mustHold('peak memory of upload.fcgi', handlerMb, HANDLER_MB_LIMIT, ' MB');
    measure.mustHold('peak memory of lighttpd', lighttpdMb, LIGHTTPD_MB_LIMIT, ' MB');
} finally {
    webdav?.stop();
    await fs.rm(dir, { recursive: true, force: true });
    await site?.stop();
}
