/*
 * frozen.mjs: the worker stands still at some call while it makes a video, for longer than its
 * leases last, and a second one takes over. The first one goes on while that is at work, or
 * once it has done all. Nothing is done twice to effect, and all is there; or the video is
 * deleted meanwhile, and nothing of it is left.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';

import { tempDir } from '../lib/media.mjs';
import { Site, sleep, startSite, waitFor } from '../lib/site.mjs';
import { assertSound, underFaults } from './faults.mjs';
import { filesOf, isDone, makeClip, runFreely, upload, WAIT_MS } from './worker.mjs';

const LEASE_S = 2; // the least there is

/* What was achieved for a video, as the activity tells it; claims are none. */
async function effects(site, id) {
    const rows = await site.sql(`SELECT message FROM activity WHERE video_id = '${id}' ORDER BY message`);
    return rows.split('\n').filter((row) => !/^(Looking|Making)|: encoding|Deleted/.test(row))
        .map((row) => row.replace(/Ready after .*/, 'Ready'));
}

/* Who stands still inside of a transaction keeps all others from writing. */
const mayWrite = (site) =>
    site.sql('PRAGMA busy_timeout = 0; PRAGMA wal_autocheckpoint = 0; BEGIN IMMEDIATE; ROLLBACK')
        .then(() => true, () => false);

/* True where the video is made. Nobody makes small pictures here. */
async function isMade(site, id) {
    const left = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running') AND kind <> 'storyboard'";
    return (await isDone(site, id)) && (await site.sql(left)) === '0';
}

/* True where nothing is left of a video, whose files were in htdocs/media/<root>. */
async function isGone(site, id, root) {
    const names = [...(await fs.readdir(site.path('htdocs/media'))), ...(await site.spool())];
    return (await site.sql(`SELECT count(*) FROM videos WHERE id = '${id}'`)) === '0'
        && !names.some((name) => name === root || name.startsWith(id));
}

async function remove(site, id) {
    assert.equal((await site.cgi('api.fcgi', { method: 'DELETE', target: `/api/videos/${id}` })).status, 204);
}

/* The site's worker stands still, and a second one comes, which begins, does all, or can do
 * nothing, as the first one has the database's lock. late: that goes on once all is done. */
async function takeOver(site, id, { late, deletes, isOver }) {
    const other = new Site(site.dir, site.port, site.env);
    const begun = () => site.sql(`SELECT count(*) FROM jobs JOIN workers USING (owner) WHERE pid = ${other.pid('worker')}`);
    try {
        const isFree = await mayWrite(site);
        if (deletes && isFree) await remove(site, id);
        other.startWorker();
        if (!isFree) await sleep(LEASE_S * 1000 + 500);
        else
            await waitFor(async () => (await isOver()) || (!late && (deletes || (await begun()) !== '0')),
                { timeout: WAIT_MS, every: 20, what: 'the second worker to take over' });
        process.kill(site.pid('worker'), 'SIGCONT');
        if (deletes && !isFree) await remove(site, id);
        await waitFor(isOver, { timeout: WAIT_MS, every: 50, what: `${id} to be made, or gone` });
        await sleep(300); // for the first one to do whatever it still would
        for (const one of [site, other]) assert.equal((await one.end('worker')).code, 0);
    } finally {
        for (const one of [site, other]) await one.end('worker', 'SIGKILL');
    }
}

async function assertMade(site, id, file, expected) {
    assert.deepEqual(await filesOf(site, id), expected.files);
    assert.deepEqual(await effects(site, id), expected.effects);
    assert.deepEqual(await fs.readFile(site.path(`spool/${id}.src`)), file);
}

export async function faultsOfFrozen(options = {}) {
    const temp = await tempDir();
    const site = await startSite({ posters: true, env: { DROPSTREAM_JAIL: 'off', DROPSTREAM_NICE: '0', DROPSTREAM_LEASE_S: String(LEASE_S) } });
    let late = false;
    try {
        const file = await makeClip(temp.dir);
        const first = await upload(site, file);
        await runFreely(site, first);
        const expected = { files: await filesOf(site, first), effects: await effects(site, first) };
        return await underFaults(site, 'dropstream-worker', options, async (fault) => {
            const id = await upload(site, file);
            site.startWorker(fault.env);
            await waitFor(async () => fault.struck() || (await isMade(site, id)), { timeout: WAIT_MS, every: 20, what: 'the worker' });
            const root = await site.sql(`SELECT media_root FROM videos WHERE id = '${id}'`);
            const deletes = fault.deletes && fault.struck();
            const isOver = () => (deletes ? isGone(site, id, root) : isMade(site, id));
            if (!fault.struck()) await site.end('worker');
            else await takeOver(site, id, { late, deletes, isOver });
            late = !late;
            await assertSound(site);
            assert.deepEqual(await fs.readdir(site.path('tmp')), []);
            if (deletes) assert.ok(await isOver());
            else await assertMade(site, id, file, expected);
        });
    } finally {
        await site.stop();
        await temp.remove();
    }
}
