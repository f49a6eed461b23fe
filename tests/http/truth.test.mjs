/*
 * Nothing is ready that is not so on disk: what became of a segment after it was published,
 * whoever did it, is found out before anybody is told.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { cardClip, fetchVideo, readSegment, tempDir } from '../lib/media.mjs';
import { existing, slowFfmpeg, timelineOf } from '../lib/demand.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

let temp;
before(async () => (temp = await tempDir()));
after(() => temp.remove());

/* On a site that is slow enough, while a clip is being made: spoil(the path of a segment of
 * the picture, number n) is called once that is there. The ready video, and the site. */
async function spoilt(name, spoil, check) {
    const clip = path.join(temp.dir, `${name}.mp4`);
    await cardClip(clip, 24);
    const site = await startSite({ worker: true, env: { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, 4), DROPSTREAM_BACKOFF_MS: '50' } });
    try {
        await site.logged(async () => {
            const { json } = await site.upload(clip);
            const video = await waitFor(async () => {
                const now = (await site.api('GET', `/api/videos/${json.id}`)).json;
                return now.playable && now;
            }, { what: 'its first segment', timeout: 60_000 });
            const { video: pictures, audio } = await timelineOf(site, video);
            for (const rendition of [pictures, audio]) {
                await waitFor(async () => (await existing(rendition)).size >= 2, { what: 'two segments', timeout: 60_000, moving: () => site.made() });
                assert.ok((await existing(rendition)).size < rendition.segments, 'there is something left to make');
                await spoil((k) => path.join(rendition.dir, `${k}.m4s`));
            }
            await check(site, await site.waitForState(json.id, 'ready'));
        })();
    } finally {
        await site.stop();
    }
}

const replace = async (file, bytes) => {
    await fs.writeFile(`${file}.new`, bytes);
    await fs.rename(`${file}.new`, file);
};

async function isTrue(site, video) {
    const out = await fetchVideo(site, video); // fails on a gap, and on what is not as its playlist says
    assert.equal(out.video.duration, video.duration);
    const log = (await Promise.all((await fs.readdir(site.path('log/jobs'))).map((name) => fs.readFile(site.path('log/jobs', name), 'utf8')))).join('');
    assert.match(log, /on disk is not what was promised/);
}

test('segments that are another one are made again', () =>
    spoilt('another', async (at) => {
        await replace(at(0), await fs.readFile(at(1)));
        await replace(at(1), await fs.readFile(at(0)));
    }, isTrue));

test('segments with the right boxes and nothing in them are made again', () =>
    spoilt('nothing', (at) => replace(at(0), Buffer.concat([Buffer.from([0, 0, 0, 8]), Buffer.from('free'), Buffer.from([0, 0, 0, 8]), Buffer.from('mdat')])), isTrue));

test('segments that have lost a frame are made again', () =>
    spoilt('short', async (at) => {
        const bytes = await fs.readFile(at(1));
        const trun = bytes.indexOf('trun') + 8;
        assert.ok(readSegment(bytes).frames === bytes.readUInt32BE(trun));
        bytes.writeUInt32BE(bytes.readUInt32BE(trun) - 1, trun);
        await replace(at(1), bytes);
    }, isTrue));
