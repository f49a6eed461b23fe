/*
 * cost.mjs: what something takes of a site's machine while it is done: the memory of each
 * program that runs for it, or is started, disk below the site's folder, and time.
 */
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';

import { sleep } from './site.mjs';

const run = promisify(execFile);
const MB = 1 << 20;

/* Every process below pid, itself too. */
function family(pid) {
    const children = new Map();
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
        try {
            const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
            const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
            children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
        } catch {
            // it has ended meanwhile
        }
    }
    const below = (p) => [p, ...(children.get(p) ?? []).flatMap(below)];
    return below(pid);
}

/* [program, kB that it had at its most so far], or undefined of one that has ended. */
function peakOf(pid) {
    try {
        const status = readFileSync(`/proc/${pid}/status`, 'latin1');
        return [/^Name:\s+(.*)$/m.exec(status)[1], Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)[1])];
    } catch {
        return undefined;
    }
}

async function diskOf(dir) {
    const { stdout } = await run('du', ['-sk', dir]).catch((error) => error); // of files that go
    return Number(stdout.split('\t')[0]);
}

/* { result (of what), memory_mb (the most that one program had, by looks at it in short
 * intervals), program (which one), disk_mb (the most that came to the site's folder),
 * seconds }. */
export async function cost(site, what) {
    const begin = Date.now();
    const before = await diskOf(site.dir);
    let [program, most, disk] = ['', 0, 0];
    let over = false;
    const watch = async () => {
        for (let i = 0; !over; i++) {
            for (const pid of [...family(site.pid('worker')), ...family(site.pid('lighttpd'))]) {
                const peak = peakOf(pid);
                if (peak && peak[1] > most) [program, most] = peak;
            }
            if (i % 10 === 0) disk = Math.max(disk, (await diskOf(site.dir)) - before);
            await sleep(10);
        }
    };
    const watching = watch();
    try {
        const result = await what();
        const seconds = (Date.now() - begin) / 1000;
        disk = Math.max(disk, (await diskOf(site.dir)) - before);
        return { result, program, memory_mb: Math.round((most * 1024) / MB), disk_mb: Math.round((disk * 1024) / MB), seconds };
    } finally {
        over = true;
        await watching;
    }
}
