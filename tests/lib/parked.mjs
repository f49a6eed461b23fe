/*
 * parked.mjs: segments that are promised and missing, and what media.fcgi does for those who
 * wait for them. A real video is made and then the worker is stopped; a segment is moved away,
 * and comes back when the test says so.
 *
 *     const w = await startWaiting();
 *     const part = await w.missing();
 *     const request = w.begin(part.file, named('a viewer'));
 *     await w.untilDemanded(part);
 *     await part.back();
 *     const { status } = await request.answer;
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { flashClip } from './media.mjs';
import { startSite, waitFor } from './site.mjs';

const SECONDS = 70; // 35 segments of video, 18 of sound

// ---- media.fcgi, as far as /proc tells --------------------------------------------

/* The process id of media.fcgi. */
export const mediaPid = async (site) => (await site.handlers())['media.fcgi'];

/* { rss in KB, fds, threads } of it. */
export async function cost(site) {
    const pid = await mediaPid(site);
    const status = await fs.readFile(`/proc/${pid}/status`, 'utf8');
    return {
        rss: Number(status.match(/VmRSS:\s*(\d+)/)[1]),
        fds: (await fs.readdir(`/proc/${pid}/fd`)).length,
        threads: Number(status.match(/Threads:\s*(\d+)/)[1]),
    };
}

/* How many requests are with it, each of which has a socket. */
export async function parked(site) {
    const folder = `/proc/${await mediaPid(site)}/fd`;
    const links = (await fs.readdir(folder)).map((fd) => fs.readlink(path.join(folder, fd)).catch(() => ''));
    const sockets = (await Promise.all(links)).filter((link) => link.startsWith('socket:'));
    return sockets.length - 1; // the one it listens on
}

export const untilParked = (site, n) =>
    waitFor(async () => (await parked(site)) === n, { what: `${n} requests to wait` });

// ---- segments and who asks for them --------------------------------------------------

/* A site with such a video. prepare: called with the site while its worker runs. */
export async function startWaiting(prepare = () => {}) {
    const site = await startSite({ worker: true, env: { DROPSTREAM_WAIT_S: '9' } });
    try {
        const file = site.path('tmp/clip.mp4');
        await flashClip(file, { seconds: SECONDS, rate: 10, size: '160x90' });
        const { json } = await site.upload(file);
        const video = await site.waitForState(json.id, 'ready');
        const [, , key] = video.media.split('/');
        const root = await fs.readlink(site.path('htdocs/media', key));
        await prepare(site);
        await site.end('worker');
        return new Waiting(site, key, root);
    } catch (error) {
        await site.stop();
        throw error;
    }
}

/* Headers of a viewer who can be told from others. */
export const named = (sid) => ({ 'CMCD-Session': `sid="${sid}",v=1` });

/* The answer is that of one who has waited in vain, and says why. */
export function assertLater({ status, headers, json }, code) {
    assert.equal(status, 503);
    assert.equal(json.error.code, code);
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['retry-after'], '1');
}

/* The row of a missing file. */
const row = ({ file }) => file.replace(/-1\/(\d+)\.m4s$/, '/$1').replace(/-1\/init\.mp4$/, '/0');

class Waiting {
    #pictures = 0;
    #sounds = 0;

    constructor(site, key, root) {
        Object.assign(this, { site, key, root });
    }

    url(file, key = this.key) {
        return `/media/${key}/${file}`;
    }
    get(file, headers = {}, method = 'GET', key = this.key) {
        return this.site.request(method, this.url(file, key), { headers });
    }

    nextSound() {
        return `audio-0-1/${this.#sounds++}.m4s`;
    }

    /*
     * A segment that was never asked for, if none is named: lighttpd remembers for a second
     * what it has found. Its file is moved to site/tmp.
     */
    async missing(file = `360p-1/${this.#pictures++}.m4s`) {
        const place = this.site.path('htdocs/media', this.root, file);
        const away = this.site.path('tmp', file.replace('/', '-'));
        await fs.rename(place, away);
        // A link of the same file elsewhere: what a static answer for it is like.
        const twin = file.replace('/', '-');
        await fs.link(away, this.site.path('htdocs/media', this.root, twin));
        return { file, twin, bytes: await fs.readFile(away), back: () => fs.rename(away, place) };
    }

    /* "360p/3" of every row of the demand table, in order. */
    async demands() {
        const sql = 'SELECT rendition, segment FROM demand ORDER BY rendition, segment';
        const args = ['-readonly', '-separator', '/', '-cmd', '.timeout 5000'];
        const { stdout } = await promisify(execFile)('sqlite3', [...args, this.site.path('db/dropstream.db'), sql]);
        return stdout.split('\n').filter(Boolean);
    }
    /* True if these are waited for, and no other. */
    async areDemanded(...segments) {
        const wanted = [...new Set(segments.map(row))].sort();
        return JSON.stringify((await this.demands()).sort()) === JSON.stringify(wanted);
    }
    async untilDemanded(...segments) {
        const what = `the demands to be ${segments.map(row)}`;
        await waitFor(() => this.areDemanded(...segments), { what }).catch(async (error) => {
            throw new Error(`demands are ${await this.demands()}`, { cause: error });
        });
    }

    /* Starts a request; .done says whether it was answered. */
    begin(file, headers, method, key) {
        const request = { done: false };
        request.answer = this.get(file, headers, method, key).then((answer) => {
            request.done = true;
            return answer;
        });
        request.answer.catch(() => {});
        return request;
    }

    /* The same site under other settings. */
    async restart(settings) {
        await this.site.end('lighttpd');
        Object.assign(this.site.env, settings);
        this.site.startLighttpd();
        await waitFor(() => this.site.answers());
    }
}
