/*
 * Uploads that do not tell how long they are before their last byte: fragmented MP4 and
 * Matroska without a duration. Real lighttpd, worker and ffmpeg.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { assertMadeOnce, assertWhole, PacedUpload } from '../lib/arriving.mjs';
import { existing, get, timelineOf } from '../lib/demand.mjs';
import { ffmpeg, paddedClip, tempDir } from '../lib/media.mjs';
import { sleep, startSite, waitFor } from '../lib/site.mjs';

const SECONDS = 40;

let site;
let temp;

const clip = (name) => path.join(temp.dir, name);
const logged = (fn) => (t) => site.logged(fn)(t);
const read = async (id) => (await site.api('GET', `/api/videos/${id}`)).json;
const segmentsOf = async (id) => (await site.api('GET', `/api/videos/${id}/segments`)).json;
const remove = (id) => site.api('DELETE', `/api/videos/${id}`);

before(async () => {
    temp = await tempDir();
    await paddedClip(clip('clip.mp4'), SECONDS);
    const copy = ['-i', clip('clip.mp4'), '-c', 'copy'];
    await ffmpeg(...copy, '-movflags', 'frag_keyframe+empty_moov', clip('fragmented.mp4'));
    await ffmpeg(...copy, '-live', '1', clip('live.mkv'));
    const env = { DROPSTREAM_STALL_S: '3', DROPSTREAM_WAIT_S: '1' };
    site = await startSite({ worker: true, env });
});
after(async () => {
    await site?.stop();
    await temp?.remove();
});

/* The playlist of the picture, and the segments that it names. */
async function playlistOf(rendition) {
    const { status, text } = await site.request('GET', `${rendition.folder}index.m3u8`);
    assert.equal(status, 200);
    return { text, segments: text.match(/^\d+\.m4s$/gm) ?? [] };
}

/* Once it has an end: lighttpd may know the file of a second ago. */
const endedPlaylistOf = (rendition) =>
    waitFor(async () => {
        const now = await playlistOf(rendition);
        return /#EXT-X-PLAYLIST-TYPE:VOD\n[^]*#EXT-X-ENDLIST\n$/.test(now.text) && now;
    }, { timeout: 2500, what: 'the end of the playlist' });

const inodes = async (rendition, numbers) =>
    Promise.all(numbers.map(async (k) => (await fs.stat(path.join(rendition.dir, `${k}.m4s`))).ino));

async function arriving(name, part) {
    const upload = await PacedUpload.begin(site, clip(name));
    await upload.sendTo(part);
    const video = await upload.video(({ playable }) => playable);
    return { upload, video, timeline: await timelineOf(site, video) };
}

describe('a video that does not tell its length', () => {
    for (const name of ['fragmented.mp4', 'live.mkv'])
        test(`${name} is an event that grows, and is VOD when it is whole`, logged(async () => {
            const { upload, video, timeline } = await arriving(name, 0.4);
            assert.equal(video.state, 'receiving');
            assert.equal(video.duration, null);
            await waitFor(async () => (await playlistOf(timeline.video)).segments.length >= 6, { what: 'the playlist to grow' });
            const first = await playlistOf(timeline.video);
            assert.match(first.text, /#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n/);
            assert.doesNotMatch(first.text, /ENDLIST/);
            assert.ok(first.segments.length <= 9, 'no more than has arrived');
            await waitFor(async () => (await existing(timeline.video)).size >= 6, { what: 'what has arrived' });
            const { renditions } = await waitFor(async () => {
                const now = await segmentsOf(video.id); // told about once a second
                return now.arrived > 12 && now.arrived < 18 && now;
            }, { what: 'how much has arrived' });
            assert.ok(renditions.every(({ segments }) => segments < 10));
            assert.equal((await get(site, timeline.video.url(0).replace('0.m4s', '15.m4s'))).status, 404);

            await upload.sendTo(0.7);
            await waitFor(async () => (await playlistOf(timeline.video)).segments.length > first.segments.length, { what: 'more of it' });
            const more = await playlistOf(timeline.video);
            assert.ok(more.text.startsWith(first.text), 'an event is only added to');
            const kept = [0, 1, 2, 3, 4, 5];
            const made = await inodes(timeline.video, kept);

            assert.equal((await upload.finish()).status, 201);
            const ready = await site.waitForState(video.id, 'ready');
            assert.equal(ready.media, video.media);
            assert.equal(ready.warning, null);
            assert.ok(Math.abs(ready.duration - SECONDS) < 0.1, `${ready.duration} s`);
            assert.deepEqual(await inodes(timeline.video, kept), made, 'what was made stays');
            const whole = await endedPlaylistOf(timeline.video);
            assert.equal(whole.segments.length, Math.ceil((ready.duration - 0.01) / 2));
            await assertWhole(site, ready, SECONDS);
            await assertMadeOnce(site, ready, await timelineOf(site, ready));
            await remove(video.id);
        }));

    test('what arrives while no worker runs is found by the next one', logged(async () => {
        const { upload, video, timeline } = await arriving('fragmented.mp4', 0.4);
        await waitFor(async () => (await existing(timeline.video)).size >= 3, { what: 'some segments' });
        await site.end('worker', 'SIGKILL');
        await upload.sendTo(0.6);
        site.startWorker();
        await waitFor(async () => (await playlistOf(timeline.video)).segments.length >= 10, { what: 'more of it' });
        await site.end('worker', 'SIGKILL');
        await upload.finish();
        assert.equal((await read(video.id)).duration, null);
        site.startWorker();
        const ready = await site.waitForState(video.id, 'ready');
        assert.equal(ready.media, video.media);
        await endedPlaylistOf((await timelineOf(site, ready)).video);
        await assertWhole(site, ready, SECONDS);
        await remove(video.id);
    }));

    test('where the rest of it is no video, it ends with what was', logged(async () => {
        const file = await fs.readFile(clip('fragmented.mp4'));
        file.fill(0x5a, Math.floor(0.6 * file.length));
        await fs.writeFile(clip('broken.mp4'), file);
        const { upload, video, timeline } = await arriving('broken.mp4', 0.4);
        assert.equal((await upload.finish()).status, 201);
        const ready = await site.waitForState(video.id, 'ready');
        assert.ok(ready.duration > 0.5 * SECONDS && ready.duration < 0.7 * SECONDS, `${ready.duration} s`);
        const { segments } = await endedPlaylistOf((await timelineOf(site, ready)).video);
        assert.equal(segments.length, (await existing(timeline.video)).size);
        await remove(video.id);
    }));

    test('it stands still as long as its upload does, and nothing fails', logged(async () => {
        const { upload, video, timeline } = await arriving('live.mkv', 0.4);
        await waitFor(async () => (await existing(timeline.video)).size >= 6, { what: 'what has arrived' });
        await sleep(4000); // longer than a child may be silent
        const now = await read(video.id);
        assert.equal(now.state, 'receiving');
        assert.equal(now.error, null);
        await upload.cut();
    }));
});
