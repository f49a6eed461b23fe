/*
 * What is extra of a video that was planned before it was whole: listed when the whole file
 * was looked at, not when the first of it is done.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { PacedUpload } from '../lib/arriving.mjs';
import { ffmpeg, parseMaster, parseMedia, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

let site, temp;

before(async () => {
    temp = await tempDir();
    site = await startSite({ worker: true });
});
after(async () => {
    await site?.stop();
    await temp.remove();
});

test('what only the whole file is found to have is listed at once', async (t) => site.logged(async () => {
    const clip = path.join(temp.dir, 'clip.mp4');
    await ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=1280x720:r=10:d=20'],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '20', '-movflags', 'faststart'], clip);
    const upload = await PacedUpload.begin(site, clip);
    await upload.sendTo(0.5);
    const video = await upload.video(({ playable }) => playable);
    const names = async (file) => {
        const { text } = await site.request('GET', video.media.replace('master.m3u8', file));
        return parseMaster(text).variants.map(({ URI }) => URI.split('-')[0]);
    };
    assert.deepEqual(await names('player.m3u8'), ['360p']);

    // The settings are others by the time it is whole; and nothing is made any more, whose
    // end would list all.
    const script = path.join(temp.dir, 'stuck');
    await fs.writeFile(script, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    await site.end('worker');
    for (const key of ['SOURCE_MAX_MBPS', 'LADDER_MAX_SIDE']) delete site.env[`DROPSTREAM_${key}`];
    site.env.DROPSTREAM_FFMPEG = script;
    site.startWorker();
    assert.equal((await upload.finish()).status, 201);
    const now = await waitFor(async () => {
        const v = (await site.api('GET', `/api/videos/${video.id}`)).json;
        return v.renditions.length > 1 && v;
    }, { what: 'what is extra' });
    const planned = now.renditions.map(({ name }) => name);
    assert.ok(planned.includes('source') && planned.includes('720p'), planned.join());
    await waitFor(async () => (await names('player.m3u8')).length === planned.length, { what: 'the list', timeout: 5000 });
    assert.deepEqual(await names('player.m3u8'), planned);
    assert.equal(now.copy_refused, null, 'what was said of it before it was whole');
    const { text } = await site.request('GET', video.media.replace('master.m3u8', '720p-1/index.m3u8'));
    assert.equal(parseMedia(text).segments.length, 5);
    assert.ok(now.renditions.every(({ done, segments }) => done < segments || segments === 0));
})(t));
