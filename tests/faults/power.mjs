/*
 * power.mjs: the machine goes down. What its programs did is written down (journal.h); what
 * no sync has made durable by then is undone, the last of it first.
 *
 *     const power = await Power.of(site);   // site.env: all programs keep the journal
 *     … programs run …
 *     await power.loss(KEPT.nothing);       // those that still do are gone too
 *     await power.close();
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';

import { BUILD, waitFor } from '../lib/site.mjs';

export const INJECT = path.join(BUILD, 'tests/faults/inject.so');

const isDatabase = (file) => path.basename(file).startsWith('dropstream.db');

/* What is there afterwards, besides what was synced. POSIX promises no more than nothing.
 * The database lasts where a sync of another program's comes just then; names without their
 * bytes are what many file systems leave, as files of no size; and they may well be older on disk
 * than the database's last commits. */
export const KEPT = {
    nothing: { bytes: () => false, names: () => false },
    database: { bytes: isDatabase, names: isDatabase },
    names: { bytes: isDatabase, names: () => true },
    onlyNames: { bytes: () => false, names: () => true },
};

/* Lines of the journal that were not synced before its end. */
function unsynced(lines) {
    const open = new Set();
    for (const line of lines) {
        const [kind, what] = line;
        if (kind === 'A') open.clear();
        else if (kind === 'S') forget(open, (o) => o[0] === 'W' && o[1] === what);
        else if (kind === 'T') forget(open, (o) => o[0] !== 'W' && o[1] === what);
        else open.add(line);
    }
    return [...open];
}

function forget(set, matches) {
    for (const line of set) if (matches(line)) set.delete(line);
}

export class Power {
    static async of(site) {
        const power = new Power(site);
        await fs.mkdir(power.path('kept'), { recursive: true });
        await fs.writeFile(power.path('log'), '');
        await power.#boot();
        Object.assign(site.env, { LD_PRELOAD: INJECT, DROPSTREAM_JOURNAL: power.dir });
        return power;
    }

    constructor(site) {
        this.site = site;
        this.dir = `${site.dir}.power`;
    }

    path(name) {
        return path.join(this.dir, name);
    }

    /* What a lease was given in belongs to a boot. */
    async #boot() {
        await fs.writeFile(this.path('boot_id'), randomUUID());
    }

    /* All that was done lasts. */
    async settle() {
        await fs.truncate(this.path('log'), 0);
        await fs.rm(this.path('kept'), { recursive: true });
        await fs.mkdir(this.path('kept'));
    }

    async loss(kept) {
        await this.#endAll();
        const text = await fs.readFile(this.path('log'), 'latin1');
        const lines = text.split('\n').slice(0, -1).map((line) => line.split(' '));
        for (const line of unsynced(lines).reverse()) await this.#undo(line, kept);
        for (const name of await fs.readdir(this.site.path('db')))
            if (name.endsWith('-shm')) await fs.rm(this.site.path('db', name));
        await this.settle();
        await this.#boot();
    }

    async #endAll() {
        for (const name of ['worker', 'lighttpd']) await this.site.end(name, 'SIGKILL');
        await waitFor(async () => {
            const alive = await this.site.processes();
            for (const { pid } of alive) {
                try {
                    process.kill(pid, 'SIGKILL');
                } catch (error) {
                    if (error.code !== 'ESRCH') throw error;
                }
            }
            return alive.length === 0;
        }, { every: 5, what: 'all programs of the site to be gone' });
    }

    async #undo([kind, where, name, ...what], kept) {
        if (kind === 'W') {
            if (!kept.bytes(name)) await this.#restore(where, ...what);
        } else if (kept.names(name)) {
            return;
        } else if (kind === 'N') {
            await fs.rm(name, { recursive: true, force: true });
        } else {
            // Of a folder that is gone for good nothing comes back.
            await this.#putBack(kind, name, ...what).catch((error) => assert.equal(error.code, 'ENOENT', error));
        }
    }

    #putBack(kind, name, what) {
        if (kind === 'D') return fs.mkdir(name);
        if (kind === 'L') return fs.symlink(what, name);
        return fs.link(this.path(`kept/${what}`), name);
    }

    async #restore(inode, size, at, hex) {
        const file = await fs.open(this.path(`kept/${inode}`), 'r+');
        try {
            await file.write(Buffer.from(hex, 'hex'), 0, hex.length / 2, Number(at));
            await file.truncate(Number(size));
        } finally {
            await file.close();
        }
    }

    async close() {
        await fs.rm(this.dir, { recursive: true, force: true });
    }
}
