/* parked.mjs: what media.fcgi is doing for those who wait, as far as /proc tells. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { waitFor } from './site.mjs';

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
