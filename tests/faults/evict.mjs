/*
 * evict.mjs: the power goes while a copy is put away, as what is made takes more than it may.
 * Whoever comes after it ends that, and what a row says is there is there.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';

import { tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';
import { assertSound, underFaults } from './faults.mjs';
import { isDone, makeClip, upload, WAIT_MS } from './worker.mjs';

const BUDGET = { DROPSTREAM_MEDIA_BUDGET_MB: '1' };
const TWICE = 2 * 1024 ** 2; // B
const SETTINGS = { DROPSTREAM_JAIL: 'off', DROPSTREAM_NICE: '0', DROPSTREAM_SOURCE_MAX_MBPS: '40' };

const copy = (site, id, what) =>
    site.sql(`SELECT ${what} FROM jobs j JOIN renditions r ON r.video_id = j.video_id AND r.name = j.rendition WHERE j.video_id = '${id}' AND r.name = 'source'`);

/* A ready video with a copy, which is said to be larger than it is. */
async function withCopy(site, file) {
    const id = await upload(site, file);
    site.startWorker();
    await waitFor(async () => (await isDone(site, id)) && (await copy(site, id, 'j.state')) === 'done',
        { timeout: WAIT_MS, every: 50, what: `${id} and its copy to be made` });
    await site.end('worker');
    await site.sql(`PRAGMA wal_autocheckpoint=0; UPDATE renditions SET bytes = ${TWICE} WHERE video_id = '${id}' AND name = 'source';
        UPDATE videos SET watched_ms = ${Date.now() - 3 * 86_400_000} WHERE id = '${id}'`);
    return id;
}

const isAway = async (site, id) => (await copy(site, id, 'j.asleep')) === '1';

/* Of each rendition as many segments as its row says: what was put away has not come back, as its
 * bytes would be counted by nobody. */
async function assertThere(site, id) {
    const rows = await site.sql(`SELECT name || '-' || generation, done, media_root FROM renditions JOIN videos ON videos.id = video_id WHERE video_id = '${id}'`);
    for (const [folder, done, root] of rows.split('\n').map((row) => row.split('|'))) {
        const names = await fs.readdir(site.path('htdocs/media', root, folder));
        assert.equal(names.filter((name) => name.endsWith('.m4s')).length, Number(done), folder);
    }
}

export async function faultsOfEviction(options = {}) {
    const temp = await tempDir();
    const site = await startSite({ posters: true, env: SETTINGS });
    try {
        const file = await makeClip(temp.dir);
        return await underFaults(site, 'dropstream-worker', options, async (fault) => {
            const id = await withCopy(site, file);
            await fault.power.settle();
            site.startWorker({ ...fault.env, ...BUDGET });
            await waitFor(async () => fault.struck() || (await isAway(site, id)), { timeout: WAIT_MS, every: 20, what: 'the worker' });
            await site.end('worker');
            await fault.over();
            site.startWorker(BUDGET);
            await waitFor(() => isAway(site, id), { timeout: WAIT_MS, every: 50, what: `the copy of ${id} to be put away` });
            await site.end('worker');
            await assertSound(site);
            await assertThere(site, id);
        });
    } finally {
        await site.stop();
        await temp.remove();
    }
}
