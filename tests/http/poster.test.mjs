/*
 * The poster: a picture that tells something, or the one that somebody has chosen.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { PacedUpload } from '../lib/arriving.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { brighteningClip, partsOf, sizeOf, tells } from '../lib/pictures.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

let site;
let temp;

before(async () => {
    temp = await tempDir();
    await brighteningClip(clip('clip.mp4'), { gop: 250, more: ['-movflags', '+faststart'] });
    site = await startSite({ worker: true, posters: true });
});
after(async () => {
    await site?.stop();
    await temp.remove();
});

const clip = (name) => path.join(temp.dir, name);
const logged = (fn) => (t) => site.logged(fn)(t);
const read = async (id) => (await site.api('GET', `/api/videos/${id}`)).json;
const choose = (id, body) => site.api('PUT', `/api/videos/${id}/poster`, body);

async function uploaded(name) {
    const { json } = await site.upload(clip(name));
    await site.waitForState(json.id, 'ready');
    return waitFor(async () => {
        const video = await read(json.id);
        return video.poster && video;
    }, { what: 'the poster' });
}

/* The bytes of a poster, which no cache may take for another one. */
async function posterOf(video) {
    const res = await site.request('GET', video.poster);
    assert.equal(res.status, 200);
    assert.equal(res.headers['content-type'], 'image/jpeg');
    assert.match(res.headers['cache-control'], /no-cache/);
    assert.ok(res.headers.etag);
    return res.body;
}

const versionOf = (url) => Number(/^\/media\/[a-z2-7]+\/poster\.jpg\?v=(\d+)$/.exec(url)[1]);

/* The video once it has another poster than before. */
const withNewPoster = ({ id, poster }) =>
    waitFor(async () => {
        const now = await read(id);
        return now.poster !== poster && now;
    }, { what: 'the new poster' });

/* What the picture that was chosen tells of its time. */
async function timeOf(video) {
    const [upper] = await partsOf(await posterOf(video));
    return tells(upper);
}

/* So that a part of a file is a part of its time. */
const PADDED = ['-b:v', '1M', '-minrate', '1M', '-maxrate', '1M', '-bufsize', '1M', '-x264-params', 'nal-hrd=cbr'];

/* A picture at `from` seconds and later, black before. */
const blackUntil = (from, more) => ({
    seconds: 30,
    filters: [`drawbox=enable='lt(t,${from})':color=black:t=fill`],
    more,
});

describe('the poster that is found', { concurrency: 4 }, () => {
    for (const [name, gop] of [['long_gops.mp4', 250], ['short_gops.mkv', 25], ['one_gop.mp4', 750]])
        test(`of a video that begins with 12 s of black shows something: ${name}`, logged(async () => {
            await brighteningClip(clip(name), { ...blackUntil(12), gop });
            const { id } = await uploaded(name);
            await waitFor(async () => {
                const [upper, lower] = await partsOf(await posterOf(await read(id)));
                return upper > 30 && upper - lower > 10;
            }, { what: 'a picture that is not black' });
        }));

    for (const [name, bf] of [['keyframes.mp4', 0], ['reordered.mp4', 3], ['keyframes.mkv', 0], ['reordered.mkv', 3]])
        test(`is the very keyframe that was looked at, where all else is black: ${name}`, logged(async () => {
            const filters = ["drawbox=enable='mod(n,50)':color=black:t=fill"];
            await brighteningClip(clip(name), { seconds: 30, filters, gop: 50, more: ['-bf', String(bf)] });
            const [upper, lower] = await partsOf(await posterOf(await uploaded(name)));
            assert.ok(upper > 30 && upper - lower > 10, `${upper}, ${lower}`);
        }));

    test('while the video comes in is replaced when that was black', logged(async () => {
        await brighteningClip(clip('arriving.mp4'), { ...blackUntil(12, ['-movflags', '+faststart']), gop: 50, quality: PADDED });
        const upload = await PacedUpload.begin(site, clip('arriving.mp4'));
        await upload.sendTo(0.35);
        const early = await upload.video(({ poster }) => poster);
        const [dark] = await partsOf(await posterOf(early));
        assert.ok(dark < 30, `${dark}: there is nothing else yet`);
        await upload.finish();
        const [upper, lower] = await partsOf(await posterOf(await withNewPoster(early)));
        assert.ok(upper > 30 && upper - lower > 10, `${upper}, ${lower}`);
    }));

    test('of a video that is black all over is black', logged(async () => {
        await brighteningClip(clip('black.mp4'), { ...blackUntil(31), seconds: 4 });
        const parts = await partsOf(await posterOf(await uploaded('black.mp4')));
        assert.ok(Math.max(...parts) < 10, `${parts}`);
    }));

    test('of a picture that begins late is of that', logged(async () => {
        // Only the end of it is there, in its place; and sound from the beginning.
        const sound = ['-f', 'lavfi', '-i', 'sine=440:d=8'];
        await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=10:d=8,trim=start=6', ...sound,
            '-fps_mode', 'passthrough', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', clip('late.mkv'));
        await posterOf(await uploaded('late.mkv'));
    }));

    test('is upright and has the shape of the video', logged(async () => {
        await ffmpeg('-i', clip('clip.mp4'), '-t', '5', '-c', 'copy', '-metadata:s:v', 'rotate=90', clip('turned.mp4'));
        const jpeg = await posterOf(await uploaded('turned.mp4'));
        assert.deepEqual(sizeOf(jpeg), { width: 90, height: 160 });
    }));
});

describe('the poster that is chosen', { concurrency: 4 }, () => {
    test('is the picture at that very time, now and when the video is made again', logged(async () => {
        const video = await uploaded('clip.mp4');
        assert.equal(versionOf(video.poster), 1);
        const before = await posterOf(video);
        const { status, json } = await choose(video.id, { at: 47.3 });
        assert.equal(status, 202);
        assert.equal(json.id, video.id);
        let now = await withNewPoster(video);
        assert.equal(versionOf(now.poster), 2);
        assert.notDeepEqual(await posterOf(now), before);
        assert.ok(Math.abs((await timeOf(now)) - 47.3) < 0.9, `${await timeOf(now)}`);

        const db = await site.holdDatabase();
        await db.run(`UPDATE videos SET state = 'failed' WHERE id = '${video.id}'`);
        await db.end();
        assert.equal((await site.api('POST', `/api/videos/${video.id}/retry`)).status, 202);
        now = await withNewPoster(now);
        assert.ok(Math.abs((await timeOf(now)) - 47.3) < 0.9, `${await timeOf(now)}`);
    }));

    test('may be the first picture, the last one, and one after another', logged(async () => {
        let video = await uploaded('clip.mp4');
        for (const at of [0, video.duration, 12.34, 12.34]) {
            assert.equal((await choose(video.id, { at })).status, 202);
            video = await withNewPoster(video);
            assert.ok(Math.abs((await timeOf(video)) - at) < 0.9, `${await timeOf(video)} for ${at}`);
        }
    }));

    test('of a video that comes in has to have arrived', logged(async () => {
        await brighteningClip(clip('large.mp4'), { gop: 50, quality: PADDED, more: ['-movflags', '+faststart'] });
        const upload = await PacedUpload.begin(site, clip('large.mp4'));
        await upload.sendTo(0.6);
        const video = await upload.video(({ playable, poster }) => playable && poster);
        assert.equal((await choose(video.id, { at: 59 })).status, 409);
        assert.equal((await choose(video.id, { at: 13 })).status, 202);
        const now = await withNewPoster(video);
        assert.ok(Math.abs((await timeOf(now)) - 13) < 0.9, `${await timeOf(now)}`);
        await upload.finish();
        await site.waitForState(video.id, 'ready');
        assert.equal((await read(video.id)).poster, now.poster, 'it stays');
    }));

    test('is refused where it makes no sense, and nothing changes', logged(async () => {
        const { id, poster } = await uploaded('clip.mp4');
        const cases = [
            [{ at: -1 }, 422], [{ at: 60.1 }, 422], [{ at: 1e300 }, 422], [{ at: '3' }, 422],
            [{ at: null }, 422], [{}, 422], [[3], 422], [{ at: 3, by: 1 }, 422], ['{', 400], ['', 400],
        ];
        for (const [body, status] of cases) {
            const res = await choose(id, body);
            assert.equal(res.status, status, JSON.stringify(body));
            assert.match(res.json.error.message, /\.$/);
        }
        assert.equal((await choose('aaaaaaaaaaaaaaaa', { at: 1 })).status, 404);
        const wrong = await site.api('POST', `/api/videos/${id}/poster`, { at: 1 });
        assert.equal(wrong.status, 405);
        assert.equal(wrong.headers.allow, 'PUT');
        assert.equal((await read(id)).poster, poster);
    }));
});
