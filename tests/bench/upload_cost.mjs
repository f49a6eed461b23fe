/*
 * upload_cost.mjs: part 1 of bench-upload. What an upload costs through lighttpd and
 * upload.fcgi, against a PUT of the same file to lighttpd's mod_webdav, which computes no
 * checksum: so what counts is a site that computes none either, and beside it stands what
 * uploads cost with theirs. They alternate and take turns in going first, so that a busy
 * machine hurts all alike; the ratio that counts is the median. A round before them is not
 * counted: the first touch of the page cache is dearer.
 */
import { spawn } from 'node:child_process';
import { existsSync, promises as fs } from 'node:fs';
import path from 'node:path';

import { freePort, startSite, waitFor } from '../lib/site.mjs';
import * as measure from './measure.mjs';
import { curl, MB, needsCurl, PAIRS, withFile } from './upload_stage.mjs';

export const title = `${MB} MB, against mod_webdav`;
export const worker = false;
export const env = { DROPSTREAM_UPLOAD_CHECKSUMS: '0' };
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

/* What one upload of the file costs a server, in CPU seconds. What arrived is removed at
 * once, so that the next one finds the page cache as this one did. */
function uploadTo(site, handler, file) {
    return async () => {
        const pids = [site.pid('lighttpd'), handler];
        const spent = await cost(pids, () => curl('-F', `file=@${file}`, `${site.url}/api/videos`));
        for (const name of await site.spool()) await fs.rm(site.path('spool', name));
        return spent;
    };
}

function putTo(webdav, file) {
    return async () => {
        const spent = await cost([webdav.pid], () => curl('-T', file, `${webdav.url}x.mp4`));
        await fs.rm(path.join(webdav.root, 'x.mp4'));
        return spent;
    };
}

/* Each round's ratios to webdav: { plain, summed }. */
async function measureRounds(contenders) {
    const rows = [['round', 'dropstream CPU-s', '… with checksums', 'webdav CPU-s', 'ratio', '… with checksums']];
    const ratios = { plain: [], summed: [] };
    const names = Object.keys(contenders);
    for (let round = 0; round <= PAIRS; round++) {
        const spent = {};
        for (const name of round % 2 ? names : names.toReversed()) spent[name] = await contenders[name]();
        if (round === 0) continue;
        for (const name of Object.keys(ratios)) ratios[name].push(spent[name] / spent.dav);
        rows.push([
            round,
            ...names.map((name) => spent[name].toFixed(2)),
            ...Object.values(ratios).map((all) => all.at(-1).toFixed(2)),
        ]);
    }
    measure.printTable(rows);
    return ratios;
}

const handlerOf = async (site) => (await site.handlers())['upload.fcgi'];

export const run = (site, verdicts) =>
    withFile(async ({ file, dir }) => {
        const webdav = await startWebdav(dir);
        const summing = await startSite({ env: { DROPSTREAM_DISK_RESERVE_MB: '0' } });
        try {
            const [handler, other] = [await handlerOf(site), await handlerOf(summing)];
            const ratios = await measureRounds({
                plain: uploadTo(site, handler, file),
                summed: uploadTo(summing, other, file),
                dav: putTo(webdav, file),
            });
            const mb = { unit: ' MB' };
            const name = `upload of ${MB} MB: CPU against mod_webdav, median`;
            verdicts.add(name, measure.median(ratios.plain), RATIO_LIMIT);
            verdicts.note('… with checksums', measure.median(ratios.summed).toFixed(2));
            const peak = Math.max(measure.peakMb(handler), measure.peakMb(other));
            verdicts.add('… peak memory of upload.fcgi', peak, HANDLER_MB_LIMIT, mb);
            verdicts.add('… peak memory of lighttpd', measure.peakMb(site.pid('lighttpd')), LIGHTTPD_MB_LIMIT, mb);
        } finally {
            await summing.stop();
            webdav.stop();
        }
    });
