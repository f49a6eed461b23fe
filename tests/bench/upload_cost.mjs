/*
 * upload_cost.mjs: part 1 of bench-upload. What an upload costs through lighttpd and
 * upload.fcgi, against a PUT of the same file to lighttpd's mod_webdav. The two alternate
 * and take turns in going first, so that a busy machine hurts both alike; the ratio that
 * counts is the median. A pair before them is not counted: the first touch of the page
 * cache is dearer.
 */
import { spawn } from 'node:child_process';
import { existsSync, promises as fs } from 'node:fs';
import path from 'node:path';

import { freePort, waitFor } from '../lib/site.mjs';
import * as measure from './measure.mjs';
import { curl, MB, needsCurl, PAIRS, withFile } from './upload_stage.mjs';

export const title = `${MB} MB, against mod_webdav`;
export const worker = false;
export const limitS = 600;

const RATIO_LIMIT = 3.5;
const HANDLER_MB_LIMIT = 8;
const LIGHTTPD_MB_LIMIT = 16;
const WEBDAV_MODULE = '/usr/lib/lighttpd/mod_webdav.so';

export function needs() {
    needsCurl();
    measure.needs(existsSync(WEBDAV_MODULE), 'mod_webdav (Debian package lighttpd-mod-webdav)');
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

/* The ratio of each pair. */
async function measurePairs(site, webdav, file, handler) {
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
    return ratios;
}

export const run = (site, verdicts) =>
    withFile(async ({ file, dir }) => {
        const webdav = await startWebdav(dir);
        try {
            const handler = (await site.handlers())['upload.fcgi'];
            const ratios = await measurePairs(site, webdav, file, handler);
            const mb = { unit: ' MB' };
            verdicts.add(`upload of ${MB} MB: CPU against mod_webdav, median`, measure.median(ratios), RATIO_LIMIT);
            verdicts.add('… peak memory of upload.fcgi', measure.peakMb(handler), HANDLER_MB_LIMIT, mb);
            verdicts.add('… peak memory of lighttpd', measure.peakMb(site.pid('lighttpd')), LIGHTTPD_MB_LIMIT, mb);
        } finally {
            webdav.stop();
        }
    });
