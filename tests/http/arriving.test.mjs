/*
 * A video that is watched while it is still being uploaded: real lighttpd, worker and
 * ffmpeg, and an upload whose pace is set here.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { assertMadeOnce, assertWhole, indexOf, PacedUpload } from '../lib/arriving.mjs';
import { childrenOf, demand, existing, get, readinessOf, runsOf, timelineOf } from '../lib/demand.mjs';
import { ffmpeg, paddedClip, tempDir } from '../lib/media.mjs';
import { sleep, startSite, waitFor } from '../lib/site.mjs';
import { newUploadId, tus } from '../lib/tus.mjs';

const SECONDS = 60; // 30 segments of picture, 15 of sound
const POSTER_AT = SECONDS / 10;

let site;
let temp;

before(async () => {
    temp = await tempDir();
    await paddedClip(clip('fast.mp4'), SECONDS, ['-bf', '2', '-movflags', '+faststart']);
    await ffmpeg('-i', clip('fast.mp4'), '-c', 'copy', clip('end.mp4'));
    await ffmpeg('-i', clip('fast.mp4'), '-c', 'copy', clip('clip.mkv'));
    const env = { DROPSTREAM_STALL_S: '6', DROPSTREAM_WAIT_S: '1' };
    site = await startSite({ worker: true, posters: true, env });
});
after(async () => {
    await site?.stop();
    await temp.remove();
});

const clip = (name) => path.join(temp.dir, name);
const logged = (fn) => (t) => site.logged(fn)(t);
const read = async (id) => (await site.api('GET', `/api/videos/${id}`)).json;
const remove = (id) => site.api('DELETE', `/api/videos/${id}`);

/* An upload of which a part has been sent, and its video once it plays. */
async function arriving(name, part, options) {
    const upload = await PacedUpload.begin(site, clip(name), options);
    await upload.sendTo(part);
    const video = await upload.video(({ playable }) => playable);
    return { upload, video, timeline: await timelineOf(site, video) };
}

/* The worker that died had a run that was fed and had given some segments; the next one fed
 * another, which began where that had ended. */
async function assertFedAfter(video, timeline, had) {
    const runs = (await runsOf(site, video, timeline)).filter(({ kind }) => kind === 'video');
    const fed = runs.filter(({ command }) => command.includes(' -i pipe:0 '));
    assert.equal(fed[0].made, undefined, 'the first one has come to no end');
    assert.ok(fed.slice(1).some(({ made }) => made > 0), JSON.stringify(runs));
    for (const { first, made = 0 } of runs)
        for (let k = first; k < first + made; k++) assert.ok(!had.has(k), `${k} was there already`);
}

/* Has the worker call a script that says these lines before it becomes ffmpeg. */
async function useFfmpeg(...lines) {
    const script = path.join(temp.dir, 'bin/ffmpeg');
    await site.end('worker');
    await fs.mkdir(path.dirname(script), { recursive: true });
    await fs.writeFile(script, ['#!/bin/sh', ...lines, 'exec ffmpeg "$@"', ''].join('\n'), { mode: 0o755 });
    site.env.DROPSTREAM_FFMPEG = script;
    site.startWorker();
}

/* What the activity log says of a kind of job of a video, the oldest first. */
async function told(video, kind) {
    const { json } = await site.api('GET', '/api/activity?limit=200');
    const lines = json.activity.filter((line) => line.video_id === video.id && line.kind === kind);
    return lines.map(({ message }) => message);
}

/* The one poster that there is, as a file. */
async function posterFile() {
    const roots = (await fs.readdir(site.path('htdocs/media'), { withFileTypes: true })).filter((d) => d.isDirectory());
    assert.equal(roots.length, 1);
    return site.path('htdocs/media', roots[0].name, 'poster.jpg');
}

/* The poster that is made of a clip that comes at once. */
async function posterOfWhole(name) {
    const { json } = await site.upload(clip(name));
    const { poster } = await waitFor(async () => {
        const video = await read(json.id);
        return video.state !== 'receiving' && video.poster && video;
    }, { what: 'the poster of the whole file' });
    const { body } = await get(site, poster);
    await remove(json.id);
    return body;
}

const lastOf = async (rendition) => Math.max(...(await existing(rendition)));

describe('a video while it is uploaded', () => {
    test('plays as far as it has arrived, and its playlist is whole', logged(async () => {
        const { upload, video, timeline } = await arriving('fast.mp4', 0.4);
        assert.equal(video.state, 'receiving');
        assert.equal(timeline.video.segments, 30);
        assert.ok(Math.abs(video.duration - SECONDS) < 0.1);
        await waitFor(async () => (await existing(timeline.video)).size >= 10, { what: 'what has arrived' });
        assert.ok((await lastOf(timeline.video)) < 14, 'no more than has arrived');
        const segments = await site.api('GET', `/api/videos/${video.id}/segments`);
        await waitFor(async () => {
            const { arrived } = (await site.api('GET', `/api/videos/${video.id}/segments`)).json;
            return arrived > 18 && arrived < 26;
        }, { what: 'how much has arrived' });
        assert.equal(segments.status, 200);

        const there = await get(site, timeline.video.url(3));
        assert.equal(there.status, 200);
        const beyond = await get(site, timeline.video.url(25));
        assert.equal(beyond.status, 503);
        assert.equal(beyond.headers['cache-control'], 'no-store');
        assert.equal((await get(site, timeline.video.url(29).replace('29.m4s', '30.m4s'))).status, 404);

        await upload.sendTo(0.7);
        await waitFor(async () => (await existing(timeline.video)).has(18), { what: 'what has come since' });
        const { status } = await upload.finish();
        assert.equal(status, 201);
        const ready = await site.waitForState(video.id, 'ready');
        assert.equal(ready.media, video.media, 'its address stays');
        assert.equal(ready.warning, null);
        assert.equal((await site.api('GET', `/api/videos/${video.id}/segments`)).json.arrived, undefined);
        await assertWhole(site, ready, SECONDS);
        await assertMadeOnce(site, ready, timeline);
        await waitFor(async () => (await read(video.id)).poster, { what: 'the poster' });
        await remove(video.id);
    }));

    test('stands still as long as the upload does, and nothing fails', logged(async () => {
        const { upload, video, timeline } = await arriving('fast.mp4', 0.3);
        await waitFor(async () => (await existing(timeline.video)).size >= 7, { what: 'what has arrived' });
        const before = (await existing(timeline.video)).size;
        await sleep(8000); // longer than a child may be silent
        assert.equal((await read(video.id)).state, 'receiving');
        assert.ok((await existing(timeline.video)).size <= before + 1);
        const runs = await runsOf(site, video, timeline);
        assert.ok(runs.every(({ end }) => end !== 'failed'), JSON.stringify(runs));
        await upload.finish();
        await assertWhole(site, await site.waitForState(video.id, 'ready'), SECONDS);
        await remove(video.id);
    }));

    test('a worker that is killed goes on where it was', logged(async () => {
        const { upload, video, timeline } = await arriving('fast.mp4', 0.3);
        await waitFor(async () => (await existing(timeline.video)).size >= 5, { what: 'some segments' });
        await site.end('worker', 'SIGKILL');
        await upload.sendTo(0.5);
        site.startWorker();
        await waitFor(async () => (await existing(timeline.video)).has(12), { what: 'it to go on' });
        await upload.finish();
        const ready = await site.waitForState(video.id, 'ready');
        await assertWhole(site, ready, SECONDS);
        await assertMadeOnce(site, ready, timeline);
        await remove(video.id);
    }));

    test('a seek into what has arrived is served, ahead of the run that is on its way', logged(async () => {
        await useFfmpeg('exec ffmpeg -readrate 4 "$@"');
        const { upload, video, timeline } = await arriving('fast.mp4', 0.8);
        assert.ok((await lastOf(timeline.video)) < 10);
        const { status } = await demand(site, timeline.video.url(20), { sid: 'ahead', retryMs: 100 });
        assert.equal(status, 200);
        assert.ok(!(await existing(timeline.video)).has(15), 'it jumped there');
        await useFfmpeg(''); // the rest need not be slow
        await upload.finish();
        const ready = await site.waitForState(video.id, 'ready');
        await assertWhole(site, ready, SECONDS);
        await assertMadeOnce(site, ready, timeline);
        await remove(video.id);
    }));

    test('a file with its index at the end plays too, if that is sent ahead', logged(async () => {
        const { upload, video, timeline } = await arriving('end.mp4', 0.4, { index: await indexOf(clip('end.mp4')) });
        assert.equal(video.state, 'receiving');
        await waitFor(async () => (await existing(timeline.video)).has(8), { what: 'what has arrived' });
        const { status } = await demand(site, timeline.video.url(8), { sid: 'there' });
        assert.equal(status, 200);
        await upload.finish();
        const ready = await site.waitForState(video.id, 'ready');
        assert.equal(ready.media, video.media);
        assert.match(timeline.video.url(0), /360p-1/);
        assert.equal((await timelineOf(site, ready)).video.url(0), timeline.video.url(0), 'nothing is made again');
        await assertWhole(site, ready, SECONDS);
        await assertMadeOnce(site, ready, timeline);
        assert.deepEqual(await site.spool(), [`${video.id}.src`]);
        await remove(video.id);
    }));

    test('an index of a file that becomes whole while no worker runs is kept until it was compared', logged(async () => {
        const { upload, video, timeline } = await arriving('end.mp4', 0.4, { index: await indexOf(clip('end.mp4')) });
        await site.end('worker');
        await upload.finish();
        await sleep(2100); // longer than it takes to be swept
        site.env.DROPSTREAM_SETTLE_S = '1';
        site.startWorker();
        const ready = await site.waitForState(video.id, 'ready');
        assert.equal((await timelineOf(site, ready)).video.url(0), timeline.video.url(0), 'nothing is made again');
        assert.deepEqual(await site.spool(), [`${video.id}.src`]);
        await site.end('worker');
        delete site.env.DROPSTREAM_SETTLE_S;
        site.startWorker();
        await remove(video.id);
    }));

    test('an index that lies is found out, and all is made again', logged(async () => {
        const index = await indexOf(clip('end.mp4'));
        const lie = Buffer.from(index.bytes);
        lie[8 + 8 + 4 + 3] ^= 1; // the time of its making, in mvhd: nothing else depends on it
        const { upload, video, timeline } = await arriving('end.mp4', 0.5, { index: { ...index, bytes: lie } });
        await upload.finish();
        const ready = await site.waitForState(video.id, 'ready');
        const after = await timelineOf(site, ready);
        assert.match(after.video.url(0), /360p-2/);
        assert.notEqual(after.video.url(0), timeline.video.url(0));
        await assertWhole(site, ready, SECONDS);
        await remove(video.id);
    }));

    test('without its index such a file waits for its last byte', logged(async () => {
        const upload = await PacedUpload.begin(site, clip('end.mp4'));
        await upload.sendTo(0.5);
        const video = await upload.video();
        await sleep(1000);
        assert.equal((await read(video.id)).playable, false);
        await upload.finish();
        await assertWhole(site, await site.waitForState(video.id, 'ready'), SECONDS);
        await remove(video.id);
    }));

    for (const [what, name, makeOptions] of [
        ['a Matroska file', 'clip.mkv', async () => ({})],
        ['a file with its index at the end', 'end.mp4', async () => ({ index: await indexOf(clip('end.mp4')) })],
    ])
        test(`${what} plays as it comes in, and goes on after its worker was killed`, logged(async () => {
            const { upload, video, timeline } = await arriving(name, 0.4, await makeOptions());
            assert.equal(video.state, 'receiving');
            await waitFor(async () => (await existing(timeline.video)).has(8), { what: 'what has arrived' });
            await site.end('worker', 'SIGKILL');
            const had = await existing(timeline.video);
            site.startWorker();
            await upload.sendTo(0.7);
            await waitFor(async () => (await existing(timeline.video)).has(18), { what: 'it to go on' });
            await upload.finish();
            const ready = await site.waitForState(video.id, 'ready');
            assert.equal((await timelineOf(site, ready)).video.url(0), timeline.video.url(0), 'nothing is made again');
            await assertWhole(site, ready, SECONDS);
            await assertMadeOnce(site, ready, timeline);
            await assertFedAfter(ready, timeline, had);
            assert.deepEqual(await site.spool(), [`${video.id}.src`]);
            await remove(video.id);
        }));

    test('an upload that is deleted takes all of it along', logged(async () => {
        const { upload, video, timeline } = await arriving('fast.mp4', 0.5);
        await remove(video.id);
        await upload.finish().catch(() => {});
        await waitFor(async () => (await site.spool()).length === 0, { what: 'the spool to be empty' });
        await waitFor(() => childrenOf(site.pid('worker')).length === 0, { what: 'its programs to end' });
        assert.equal((await get(site, timeline.video.url(0))).status, 404);
        await waitFor(async () => (await fs.readdir(site.path('tmp'))).every((name) => !name.includes(video.id)));
    }));

    for (const name of ['fast.mp4', 'end.mp4', 'clip.mkv'])
        test(`the poster of ${name} is there when its picture is, and stays`, logged(async () => {
            const options = name === 'end.mp4' ? { index: await indexOf(clip(name)) } : {};
            const { upload, video } = await arriving(name, (POSTER_AT - 2) / SECONDS, options);
            await sleep(2000);
            assert.equal((await read(video.id)).poster, null, 'not before');
            await upload.sendTo((POSTER_AT + 5) / SECONDS);
            const { poster } = await waitFor(async () => {
                const now = await read(video.id);
                return now.poster && now;
            }, { what: 'the poster' });
            const early = await get(site, poster);
            assert.equal(early.status, 200);
            assert.equal(early.headers['content-type'], 'image/jpeg');
            assert.equal((await read(video.id)).state, 'receiving');
            const file = await posterFile();
            const { ino } = await fs.stat(file);
            await upload.finish();
            await site.waitForState(video.id, 'ready');
            assert.equal((await read(video.id)).poster, poster);
            assert.equal((await fs.stat(file)).ino, ino, 'it is not made again');
            assert.deepEqual(await told(video, 'poster'), ['Making the poster', 'Poster made']);
            await remove(video.id);
            assert.deepEqual(early.body, await posterOfWhole(name));
        }));

    test('a poster that fails meanwhile fails nothing, and is made of the whole file', logged(async () => {
        await useFfmpeg('case "$*" in *.part*image2pipe*) echo "no picture" >&2; exit 1;; esac');
        const { upload, video, timeline } = await arriving('fast.mp4', 0.5);
        await waitFor(async () => (await told(video, 'poster')).length > 1, { what: 'the poster to fail' });
        await waitFor(async () => (await existing(timeline.video)).has(10), { what: 'what has arrived' });
        const now = await read(video.id);
        assert.deepEqual([now.state, now.poster, now.error, now.warning], ['receiving', null, null, null]);
        await upload.finish();
        const ready = await site.waitForState(video.id, 'ready');
        assert.equal((await timelineOf(site, ready)).video.url(0), timeline.video.url(0), 'nothing is made again');
        await assertMadeOnce(site, ready, timeline);
        await waitFor(async () => (await read(video.id)).poster, { what: 'the poster' });
        assert.deepEqual(await told(video, 'poster'), [
            'Making the poster',
            'Has its poster when it is whole: ffmpeg ended with status 1: no picture',
            'Making the poster',
            'Poster made',
        ]);
        await useFfmpeg('');
        await remove(video.id);
    }));

    test('a file that is stored while its poster is being made has one all the same', logged(async () => {
        // The picture is taken only when the file has another name.
        await useFfmpeg(
            'for a; do case "$a" in file:*.part) part=${a#file:};; esac; done',
            'case "$*" in *image2pipe*) while [ -e "$part" ]; do sleep 0.05; done;; esac',
        );
        const { upload, video } = await arriving('fast.mp4', 0.5);
        await waitFor(async () => (await told(video, 'poster')).length > 0, { what: 'the poster to be begun' });
        await upload.finish();
        await site.waitForState(video.id, 'ready');
        await waitFor(async () => (await read(video.id)).poster, { what: 'the poster' });
        assert.ok((await told(video, 'poster')).every((line) => !line.includes('fail')));
        await useFfmpeg('');
        await remove(video.id);
    }));

    for (const [how, end] of [
        ['breaks off', (upload) => upload.cut()],
        ['is given up', (upload, uploadId) => tus(site, 'DELETE', uploadId)],
        ['is begun anew', async (upload, uploadId, file) => {
            const again = await PacedUpload.begin(site, file, { fields: { upload_id: uploadId } });
            await again.sendTo(0.1);
            await waitFor(async () => (await site.spool()).length === 1 && again.video());
            await tus(site, 'DELETE', uploadId);
            await again.cut();
        }],
    ])
        test(`an upload that ${how} leaves nothing of what was made of it`, logged(async () => {
            const uploadId = how === 'breaks off' ? undefined : newUploadId();
            const { upload, video, timeline } = await arriving('fast.mp4', 0.5, { fields: { upload_id: uploadId } });
            const [root] = await fs.readdir(site.path('htdocs/media')).then((all) => all.filter((name) => name.length > 20));
            assert.ok(root);
            await end(upload, uploadId, clip('fast.mp4'));
            await waitFor(async () => (await site.spool()).length === 0, { what: 'the spool to be empty' });
            await waitFor(async () => (await fs.readdir(site.path('htdocs/media'))).length === 0, { what: 'its media to be gone' });
            assert.equal((await get(site, timeline.video.url(0))).status, 404);
            assert.equal((await site.api('GET', `/api/videos/${video.id}`)).status, 404);
            await waitFor(() => childrenOf(site.pid('worker')).length === 0, { what: 'its programs to end' });
            await upload.cut().catch(() => {});
        }));

    test('a readiness that says what is there says nothing of the rest', logged(async () => {
        const { upload, video } = await arriving('fast.mp4', 0.4);
        await waitFor(async () => (await readinessOf(site, video.id)).get('360p')[9] === 'ready');
        const states = (await readinessOf(site, video.id)).get('360p');
        assert.ok(states.slice(16).every((state) => state === 'missing'));
        await upload.finish();
        await site.waitForState(video.id, 'ready');
        await remove(video.id);
    }));
});
