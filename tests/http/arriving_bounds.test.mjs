/*
 * What others do beside an upload that plays while it comes in must not touch it: more
 * uploads than the worker follows, and a second worker.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { assertWhole, indexOf } from '../lib/arriving.mjs';
import { existing, get, timelineOf } from '../lib/demand.mjs';
import { paddedClip, tempDir } from '../lib/media.mjs';
import { sleep, startSite, tinyMp4, waitFor } from '../lib/site.mjs';
import { create, patch, tus } from '../lib/tus.mjs';

const SECONDS = 40;
const FOLLOWED = 256; // ARRIVALS_MAX of worker/arrival.h

let site, temp, file, moov;

before(async () => {
    temp = await tempDir();
    const clip = path.join(temp.dir, 'clip.mp4');
    await paddedClip(clip, SECONDS);
    file = await fs.readFile(clip);
    moov = await indexOf(clip);
    site = await startSite({ worker: true, env: { DROPSTREAM_WAIT_S: '1' } });
});
after(async () => {
    await site?.stop();
    await temp?.remove();
});

const logged = (fn) => (t) => site.logged(fn)(t);
const read = async (id) => (await site.api('GET', `/api/videos/${id}`)).json;

/* An upload with its index ahead, of which this part has come. Its id comes after nearly all
 * others, in whose order they are followed. */
async function arriving(part) {
    for (;;) {
        const upload = await create(site, file.length, { filename: 'clip.mp4' });
        const offset = `/api/uploads/${upload}/index?offset=${moov.offset}`;
        assert.equal((await site.request('PUT', offset, { body: moov.bytes })).status, 204);
        const { headers } = await patch(site, upload, 0, file.subarray(0, 5000));
        const id = headers['dropstream-video'];
        if (id[0] < 'n') {
            await tus(site, 'DELETE', upload);
            continue;
        }
        await patch(site, upload, 5000, file.subarray(5000, part));
        const video = await waitFor(async () => ((await read(id)).playable ? read(id) : null), { what: 'it to play' });
        return { upload, video, timeline: await timelineOf(site, video) };
    }
}

/* All that has arrived is made, and nothing beyond it. */
async function assertAtFrontier({ timeline }, low, high) {
    await waitFor(async () => (await existing(timeline.video)).size >= low, { what: 'what has arrived' });
    await sleep(1500);
    const last = Math.max(...(await existing(timeline.video)));
    assert.ok(last <= high, `segment ${last} was made of what has not arrived`);
}

async function finish({ upload, video }, from) {
    assert.equal((await patch(site, upload, from, file.subarray(from))).status, 204);
    const ready = await site.waitForState(video.id, 'ready');
    assert.equal(ready.media, video.media);
    assert.equal(ready.warning, null);
    await assertWhole(site, ready, SECONDS);
}

describe('beside an upload that plays', () => {
    test('more uploads than are followed do not make it whole', logged(async () => {
        const part = Math.floor(0.4 * file.length);
        const one = await arriving(part);
        await assertAtFrontier(one, 6, 8);
        const tiny = tinyMp4(20_000).subarray(0, 4100);
        const others = [];
        for (let n = 0; n <= FOLLOWED; n += 1) others.push(await create(site, 20_000, { body: tiny }));
        await assertAtFrontier(one, 6, 8);
        await finish(one, part);
        for (const other of others) await tus(site, 'DELETE', other);
    }));

    test('a second worker comes and goes', logged(async () => {
        const part = Math.floor(0.6 * file.length);
        const one = await arriving(part);
        const heads = async () => (await fs.readdir(site.path('tmp'))).filter((name) => name.includes(one.video.id));
        const before = await heads();
        assert.equal(before.length, 1);
        const other = spawn(site.path('bin/dropstream-worker'), ['--site', site.dir], { env: site.env, stdio: 'ignore' });
        try {
            await waitFor(async () => (await heads()).length === 2, { what: 'the other to follow it too' });
        } finally {
            other.kill('SIGTERM');
            await once(other, 'exit');
        }
        assert.deepEqual(await heads(), before);
        await assertAtFrontier(one, 10, 12);
        assert.equal((await get(site, one.timeline.video.url(10))).status, 200);
        await finish(one, part);
    }));
});
