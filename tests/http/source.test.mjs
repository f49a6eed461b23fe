/*
 * The source as it is: cut at its own keyframes, shown when it was, asked for anywhere, and
 * not offered where it would play wrong. And the rungs of the ladder beside it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { demand, slowFfmpeg, uploadPlayable } from '../lib/demand.mjs';
import { validateVideo } from '../lib/hls_validator.mjs';
import { boxes, ffmpeg, parseMaster, parseMedia, readInit, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const run = promisify(execFile);
const LONG = 60_000;

let site, temp;

before(async () => {
    temp = await tempDir();
    site = await startSite({ worker: true, extras: true, posters: false, env: { DROPSTREAM_SOURCE_MAX_MBPS: '8', DROPSTREAM_PREVIEWS: '0' } });
});
after(async () => {
    await site?.stop();
    await temp.remove();
});

const clip = (name) => path.join(temp.dir, name);
const picture = (options) => ['-f', 'lavfi', '-i', `testsrc2=${options}`];
const tone = (seconds) => ['-f', 'lavfi', '-i', `sine=440:d=${seconds}:sample_rate=48000`];
const x264 = (...more) => ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', ...more];

/* Uploads a file and waits until nothing is left to be made of it. */
async function whole(file, on = site) {
    const { json, text, status } = await on.upload(file);
    assert.equal(status, 201, text);
    return waitFor(
        async () => {
            const v = (await on.api('GET', `/api/videos/${json.id}`)).json;
            assert.notEqual(v.state, 'failed', v.error);
            return v.state === 'ready' && v.renditions.every((r) => r.segments > 0 && r.done === r.segments) && v;
        },
        { timeout: LONG, what: 'all renditions' },
    );
}

const rendition = (video, name) => video.renditions.find((r) => r.name === name);
const folder = (video, name) => video.media.replace('master.m3u8', `${name}-1/`);

/* As a player fetches it: what is being made is asked for again. */
async function fetched(on, url) {
    const { status, body } = await demand(on, url);
    assert.equal(status, 200, url);
    return { body, text: () => body.toString() };
}

/* The parts of a rendition: { list, init, segments: [Buffer…] }. */
async function parts(video, name, on = site) {
    const base = folder(video, name);
    const list = parseMedia((await fetched(on, `${base}index.m3u8`)).text());
    const init = (await fetched(on, base + list.map)).body;
    const segments = [];
    for (const { uri } of list.segments) segments.push((await fetched(on, base + uri)).body);
    return { list, init, segments };
}

/* The hash of each picture, in the order of showing. */
async function hashes(file) {
    const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, '-map', '0:v:0',
        '-fps_mode', 'passthrough', '-f', 'framemd5', '-'], { maxBuffer: 1 << 24 });
    const lines = stdout.split('\n').filter((line) => line && !line.startsWith('#'));
    return lines.map((line) => line.split(',').at(-1).trim());
}

/* When each picture of a file is shown, seconds of the timeline, which begins with the
 * earliest of its streams. */
async function shownIn(file) {
    const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-of', 'json',
        '-show_entries', 'packet=pts_time:format=start_time', file], { maxBuffer: 1 << 24 });
    const { packets, format } = JSON.parse(stdout);
    return packets.map((p) => p.pts_time - format.start_time).sort((x, y) => x - y);
}

/* When each picture of a fragmented stream is shown, by its boxes alone (ffmpeg moves times
 * where composition offsets are negative). */
function shownBy(init, segment) {
    const { timescale } = readInit(init);
    const found = [];
    for (const { type, body: moof } of boxes(segment)) {
        if (type !== 'moof') continue;
        const inTraf = boxes(boxes(moof).find((b) => b.type === 'traf').body);
        const part = (name) => inTraf.find((b) => b.type === name).body;
        const [tfhd, tfdt] = [part('tfhd'), part('tfdt')];
        const flags = tfhd.readUInt32BE(0) & 0xffffff;
        const usual = flags & 8 ? tfhd.readUInt32BE(8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0)) : 0;
        let time = tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
        for (const { body } of inTraf.filter((b) => b.type === 'trun')) {
            const has = body.readUInt32BE(0) & 0xffffff;
            let at = 8 + (has & 1 ? 4 : 0) + (has & 4 ? 4 : 0);
            for (let i = 0; i < body.readUInt32BE(4); i++) {
                const ticks = has & 0x100 ? body.readUInt32BE(at) : usual;
                at += 4 * [0x100, 0x200, 0x400].filter((bit) => has & bit).length;
                found.push((time + (has & 0x800 ? body.readInt32BE(at) : 0)) / timescale);
                at += has & 0x800 ? 4 : 0;
                time += ticks;
            }
        }
    }
    return found.sort((x, y) => x - y);
}

const shownAll = ({ init, segments }) => segments.flatMap((s) => shownBy(init, s));

function assertTimes(got, expected) {
    assert.equal(got.length, expected.length);
    got.forEach((time, i) =>
        assert.ok(Math.abs(time - expected[i]) < 0.0011, `picture ${i}: ${time}, not ${expected[i]}`));
}

async function saved(name, { init, segments }) {
    await fs.writeFile(clip(name), Buffer.concat([init, ...segments]));
    return clip(name);
}

/* The pictures of `source` are those of the file, each within a millisecond of its time,
 * and its playlist is true. */
async function assertSource(file, video) {
    const got = await parts(video, 'source');
    assert.deepEqual(await hashes(await saved('got.mp4', got)), await hashes(file));
    assertTimes(shownAll(got), await shownIn(file));
    let at = 0;
    for (const [k, { duration }] of got.list.segments.entries()) {
        const [first] = shownBy(got.init, got.segments[k]);
        if (k > 0) assert.ok(Math.abs(first - at) < 0.0011, `segment ${k} begins at ${first}, not ${at}`);
        assert.ok(Math.round(duration) <= got.list.target);
        at += duration;
    }
    assert.ok(got.list.ended);
}

/* To a frame. */
function assertLength({ segments }, expected) {
    const seconds = segments.reduce((sum, { duration }) => sum + duration, 0);
    assert.ok(Math.abs(seconds - expected) < 0.041, `${seconds} of ${expected} s`);
}

async function variantOf(video, name) {
    const master = parseMaster((await fetched(site, video.media)).text());
    return master.variants.find(({ URI }) => URI.startsWith(`${name}-`));
}

/* Keyframes at scenes, so that groups are from 0.4 to 7 s long. */
const IRREGULAR = ['-force_key_frames', '0,0.4,3,10,11,12.5', '-g', '1000', '-sc_threshold', '0'];

const KINDS = {
    'MP4 with B-frames and an edit list': ['a.mp4', x264('-bf', '2', ...IRREGULAR), /^avc1\./],
    'Matroska with B-frames': ['b.mkv', x264('-bf', '2', ...IRREGULAR), /^avc1\./],
    'fragmented MP4': ['c.mp4', x264('-g', '60', '-movflags', 'frag_keyframe+empty_moov'), /^avc1\./],
    'HEVC': ['d.mp4', ['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-pix_fmt', 'yuv420p',
        '-x265-params', 'log-level=error:open-gop=0:keyint=50'], /^hvc1\.1\.6\.L/],
    'VP9 in WebM': ['e.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '50'], /^vp09\.00\./, ['-c:a', 'libopus']],
    'sound whose first packet is cut into': ['g.mp4', x264('-bf', '2', '-g', '50'), /^avc1\./, ['-c:a', 'libopus']],
    'times that begin at 5 s': ['f.mkv', [...x264('-g', '50'), '-output_ts_offset', '5'], /^avc1\./],
};

describe('the source', () => {
    for (const [kind, [name, options, codecs, audio = ['-c:a', 'aac']]] of Object.entries(KINDS)) {
        test(`of ${kind} is shown as it is, when it was`, async () => {
            const seconds = 14;
            await ffmpeg(picture(`s=192x108:r=25:d=${seconds}`), tone(seconds), options, audio, clip(name));
            const video = await whole(clip(name));
            assert.equal(video.copy_refused, null);
            await assertSource(clip(name), video);
            const variant = await variantOf(video, 'source');
            assert.match(variant.CODECS, codecs);
            assert.equal(variant.RESOLUTION, '192x108');
        });
    }

    test('of an MP4 is looked at by its index: no program reads the whole file for that', async () => {
        // Over 15 segments, as many as it takes for keyframes to be read for other renditions.
        await ffmpeg(picture('s=192x108:r=25:d=80'), x264('-g', '50'), clip('long.mp4'));
        await ffmpeg(['-i', clip('long.mp4'), '-c', 'copy', clip('long.mkv')]);
        const commands = async (name) => {
            const { id } = await whole(clip(name));
            const logs = await fs.readdir(site.path('log/jobs'));
            const texts = await Promise.all(logs.map((f) => fs.readFile(site.path(`log/jobs/${f}`), 'utf8')));
            const log = texts.find((t) => t.includes(`copy source of video ${id}`));
            return log.split('\n').filter((line) => line.startsWith('+ '));
        };
        // Its first picture, for CODECS; all of it; and the sync.
        assert.deepEqual((await commands('long.mp4')).map((line) => line.split(' ')[1]), ['ffmpeg', 'ffmpeg', 'sync']);
        assert.equal((await commands('long.mkv')).filter((line) => line.startsWith('+ ffprobe')).length, 1);
    });

    test('of a file that was cut off is offered as far as that goes', async () => {
        await ffmpeg(picture('s=192x108:r=25:d=20'), tone(20), x264('-g', '50'), '-c:a', 'aac', '-movflags', 'faststart', clip('full.mp4'));
        const { size } = await fs.stat(clip('full.mp4'));
        await fs.copyFile(clip('full.mp4'), clip('cut_off.mp4'));
        await fs.truncate(clip('cut_off.mp4'), Math.floor(size * 0.6));
        const video = await whole(clip('cut_off.mp4'));
        assert.ok(video.warning);
        assert.equal(video.copy_refused, null);
        const { list, init, segments } = await parts(video, 'source');
        // The packet that the end cuts in two is left out: nobody could append it.
        const { stderr } = await run('ffmpeg', ['-v', 'error', '-i', await saved('cut_off_source.mp4', { init, segments }), '-f', 'null', '-']);
        assert.equal(stderr, '');
        assertLength(list, video.duration);
    });

    /* Of the last fragment the pictures are there, and none of the sound, which comes behind
     * them: each rendition has all pictures that can be shown, and ends with the last one. */
    test('of a fragmented file that was cut off ends with all others, and a warning', async () => {
        await ffmpeg(picture('s=192x108:r=25:d=11,noise=alls=40:allf=t'), tone(11), x264('-bf', '2', '-g', '100'), '-c:a', 'aac',
            '-movflags', 'frag_keyframe+empty_moov', clip('fragments.mp4'));
        const file = await fs.readFile(clip('fragments.mp4'));
        const lastFragment = file.lastIndexOf('moof');
        for (const [name, share, warning] of [['most', 0.5, /ends early: it should be 0:11/], ['all', 0.98, /was cut off/]]) {
            const cut = clip(`fragments-${name}.mp4`);
            await fs.writeFile(cut, file.subarray(0, lastFragment + (file.length - lastFragment) * share));
            const video = await whole(cut);
            assert.match(video.warning, warning);
            const pictures = (await shownIn(cut)).length;
            const [a, b] = [await parts(video, '360p'), await parts(video, 'source')];
            assert.ok(shownAll(b).length > 200 && shownAll(b).length >= pictures - 1, `${shownAll(b).length} of ${pictures}`);
            assert.ok(Math.abs(shownAll(a).at(-1) - shownAll(b).at(-1)) < 0.0011);
            assertLength(a.list, video.duration);
            assertLength(b.list, video.duration);
            const { master } = await validateVideo(site, video.id);
            assert.deepEqual(master.complaints, []);
        }
    });

    /* With and without pictures that are reordered, of which ffmpeg knows less. */
    for (const order of ['0', '2'])
        test(`of a still last picture is as long as that is shown (${order} B-frames)`, async () => {
            const [moving, still] = [clip(`moving-${order}.mp4`), clip(`still-${order}.mp4`)];
            await ffmpeg(picture('s=192x108:r=25:d=30'), tone(30), x264('-bf', order, '-g', '50'), '-c:a', 'aac', moving);
            await ffmpeg(['-i', moving, '-c', 'copy', '-bsf:v', 'setts=pts=PTS:dts=DTS:duration=if(eq(N\\,749)\\,8/TB\\,DURATION)'], still);
            const video = await whole(still);
            assert.equal(video.warning, null);
            assert.equal(video.copy_refused, null);
            assert.ok(Math.abs(video.duration - 37.96) < 0.041, `${video.duration} s`);
            assert.equal(video.fps, 25);
            for (const name of ['360p', 'source']) {
                const { list } = await parts(video, name);
                assertLength(list, video.duration);
                assert.equal((await variantOf(video, name))['FRAME-RATE'], '25.000');
            }
            const { master } = await validateVideo(site, video.id);
            assert.deepEqual(master.complaints, []);
            const lengths = [...master.media.values()].map(({ duration }) => duration);
            assert.ok(Math.max(...lengths) - Math.min(...lengths) < 0.041, `${lengths}`);
        });

    test('is put together to segments of about 4 s, and says how long each is', async () => {
        const video = await whole(clip('a.mp4'));
        const { list } = await parts(video, 'source');
        assert.deepEqual(list.segments.map(({ duration }) => Math.round(duration * 1000)), [3000, 7000, 4000]);
    });

    test('agrees with the first rendition to a millisecond', async () => {
        const video = await whole(clip('a.mp4'));
        const [a, b] = [await parts(video, '360p'), await parts(video, 'source')];
        assertTimes(shownAll(a), shownAll(b));
    });

    test('asked for anywhere is the same as made in order', async () => {
        const slow = await startSite({
            worker: true, extras: true, posters: false,
            env: { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, 4) },
        });
        try {
            const straight = await whole(clip('b.mkv'));
            const expected = await parts(straight, 'source');
            const video = await uploadPlayable(slow, clip('b.mkv'));
            const now = () => slow.api('GET', `/api/videos/${video.id}`);
            await waitFor(async () => rendition((await now()).json, 'source')?.segments > 0, { what: 'the offer' });
            const n = expected.segments.length;
            const order = Array.from({ length: n }, (_, i) => n - 1 - i);
            const got = [];
            for (const k of order) got[k] = (await fetched(slow, `${folder(video, 'source')}${k}.m4s`)).body;
            const init = (await fetched(slow, `${folder(video, 'source')}init.mp4`)).body;
            assert.ok(init.equals(expected.init));
            // All but the number that a run counts its fragments by.
            const media = (buf) => Buffer.concat(boxes(buf).filter(({ type }) => type === 'mdat').map(({ body }) => body));
            const times = (buf) => boxes(buf).filter(({ type }) => type === 'moof')
                .map(({ body }) => boxes(body).find(({ type }) => type === 'traf').body.toString('hex'));
            got.forEach((buf, k) => {
                assert.ok(media(buf).equals(media(expected.segments[k])), `segment ${k}`);
                assert.deepEqual(times(buf), times(expected.segments[k]), `segment ${k}`);
            });
        } finally {
            await slow.stop();
        }
    });
});

/* What must not be offered: the options of a clip, and the reason that is told. */
const REFUSED = {
    'open groups of pictures': ['open.mkv', x264('-bf', '3', '-x264-params', 'open-gop=1:keyint=25:scenecut=0'), /open/],
    'keyframes that are no refresh': ['refresh.mkv', x264('-x264-params', 'intra-refresh=1:keyint=25'), /open/],
    'an interlaced picture': ['fields.mp4', x264('-flags', '+ildct+ilme', '-x264-params', 'tff=1'), /interlaced/],
    'more than 8 bits': ['deep.mp4', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p10le', '-preset', 'ultrafast'], /colours/],
    '4:4:4': ['full.mp4', ['-c:v', 'libx264', '-pix_fmt', 'yuv444p', '-preset', 'ultrafast'], /colours/],
    'a codec of before': ['old.mp4', ['-c:v', 'mpeg4'], /format/],
    'pixels of a shape that makes no sense': ['shape.mkv', x264('-vf', 'setsar=1000/3'), /shape/],
    'too many bits': ['rich.mp4', [...x264('-b:v', '20M', '-minrate', '20M', '-maxrate', '20M', '-bufsize', '1M',
        '-x264-params', 'nal-hrd=cbr')], /bits/],
};

describe('a source that would play wrong', () => {
    const assertRefused = async (file, reason) => {
        const video = await whole(file);
        assert.match(video.copy_refused ?? '', reason);
        assert.equal(rendition(video, 'source'), undefined);
        assert.equal(await variantOf(video, 'source'), undefined);
        assert.equal(video.warning, null);
        return video;
    };
    for (const [kind, [name, options, reason]] of Object.entries(REFUSED)) {
        test(`for ${kind} is not offered, and says why`, async () => {
            await ffmpeg(picture('s=192x108:r=25:d=4'), options, clip(name));
            await assertRefused(clip(name), reason);
        });
    }

    test('for one picture beside a lot of sound', async () => {
        await ffmpeg(picture('s=192x108:r=25:d=0.04'), tone(10), x264(), '-c:a', 'aac', clip('still.mp4'));
        await assertRefused(clip('still.mp4'), /ends much earlier/);
    });

    test('for a pause before a keyframe that is decoded long before it is shown', async () => {
        await ffmpeg(picture("s=192x108:r=25:d=12,select='lt(t,4)+gt(t,9)'"), tone(12), '-fps_mode', 'vfr',
            x264('-bf', '2', '-g', '25'), '-c:a', 'aac', clip('pause.mp4'));
        await assertRefused(clip('pause.mp4'), /pauses/);
    });

    test('for a group of more than 20 s', async () => {
        await ffmpeg(picture('s=64x48:r=5:d=24'), x264('-g', '1000'), clip('long.mp4'));
        await assertRefused(clip('long.mp4'), /20 seconds/);
    });

    test('for an edit list that begins inside a group', async () => {
        await ffmpeg(picture('s=192x108:r=25:d=6'), x264('-g', '50'), clip('uncut.mp4'));
        await ffmpeg(['-ss', '1.3', '-i', clip('uncut.mp4'), '-c', 'copy', clip('edited.mp4')]);
        await assertRefused(clip('edited.mp4'), /edit list/);
    });

    test('for parameters that change on the way', async () => {
        const streams = [];
        for (const size of ['192x108', '96x54']) {
            await ffmpeg(picture(`s=${size}:r=25:d=2`), x264('-g', '25'), clip(`${size}.h264`));
            streams.push(await fs.readFile(clip(`${size}.h264`)));
        }
        await fs.writeFile(clip('both.h264'), Buffer.concat(streams));
        await ffmpeg(['-r', '25', '-i', clip('both.h264'), '-c', 'copy', clip('changes.mkv')]);
        await assertRefused(clip('changes.mkv'), /changes/);
    });

    test('has a rung of its own size instead', async () => {
        await ffmpeg(picture('s=854x480:r=10:d=3'), x264('-x264-params', 'intra-refresh=1:keyint=10'), clip('own.mkv'));
        const video = await assertRefused(clip('own.mkv'), /open/);
        assert.deepEqual(video.renditions.map((r) => r.name), ['360p', '480p']);
        assert.equal(rendition(video, '480p').width, 854);
    });
});

/* A program in place of ffmpeg that ends with status 1 for such arguments (a pattern of
 * sh), the others having gone on. */
async function failingFfmpeg(name, pattern, passed = '') {
    const file = clip(name);
    const pass = passed && `${passed}) ;;`;
    await fs.writeFile(file, `#!/bin/sh
case "$*" in ${pass} ${pattern}) echo 'No way.' >&2; exit 1 ;; esac
exec ffmpeg "$@"
`, { mode: 0o755 });
    return file;
}

const COPIES = '*"-map 0:0 -c copy"*';
const LOOKS = '*"-frames:v 1 "*|*"-f data"*';

describe('a source that cannot be copied', () => {
    // So few bits that no rung is worth it beside the source.
    before(() => ffmpeg(picture('s=1920x1080:r=5:d=5'), tone(5), x264('-g', '10', '-b:v', '200k'), ['-c:a', 'aac'], clip('plain.mp4')));

    const NO_COPIES = {
        'at all': [COPIES],
        'though it was offered': [COPIES, LOOKS],
    };
    for (const [i, [how, patterns]] of Object.entries(NO_COPIES).entries())
        test(`${how} has its rungs instead, in the playlists too, and leaves no files`, async () => {
            const on = await startSite({
                worker: true, extras: true, posters: false,
                env: {
                    DROPSTREAM_FFMPEG: await failingFfmpeg(`failing-${i}`, ...patterns),
                    DROPSTREAM_ATTEMPTS: '2', DROPSTREAM_BACKOFF_MS: '100',
                },
            });
            try {
                const good = await whole(clip('plain.mp4'));
                assert.ok(rendition(good, 'source') && !rendition(good, '1080p'));
                const video = await whole(clip('plain.mp4'), on);
                assert.match(video.copy_refused, /^It could not be copied: .* status 1: No way\.$/);
                assert.equal(video.warning, null);
                assert.deepEqual(video.renditions.map((r) => r.name).sort(), ['1080p', '360p', '720p', 'audio-0']);
                for (const file of ['master.m3u8', 'player.m3u8']) {
                    // lighttpd may serve a list that was replaced just now for a moment longer.
                    await waitFor(async () => {
                        const { text } = await fetched(on, video.media.replace('master.m3u8', file));
                        const names = parseMaster(text()).variants.map(({ URI }) => URI.split('-')[0]);
                        return names.sort().join() === '1080p,360p,720p';
                    }, { timeout: 5000, what: `${file} to name what is there` });
                }
                await parts(video, '1080p', on);
                const folders = await fs.readdir(on.path('htdocs', path.dirname(video.media)));
                assert.deepEqual(folders.filter((name) => name.startsWith('source')), []);
                const logs = await fs.readdir(on.path('log/jobs'));
                const texts = await Promise.all(logs.map((f) => fs.readFile(on.path(`log/jobs/${f}`), 'utf8')));
                const log = texts.find((t) => t.includes(`copy source of video ${video.id}`));
                assert.equal(/attempt 2: /.test(log), how !== 'at all', 'what cannot be is not tried again');
            } finally {
                await on.stop();
            }
        });
});

describe('the ladder', () => {
    let video;
    before(async () => {
        await ffmpeg(
            picture('s=1920x1080:r=5:d=9,noise=alls=30:allf=t'), tone(9),
            x264('-b:v', '4M', '-maxrate', '5M', '-bufsize', '5M', '-g', '10'), ['-c:a', 'aac'], clip('hd.mp4'),
        );
        video = await whole(clip('hd.mp4'));
    });

    test('has 1080p and 720p, in the bounds of their bits, on one grid', async () => {
        assert.deepEqual(video.renditions.map((r) => r.name), ['360p', 'source', '1080p', '720p', 'audio-0']);
        for (const [name, width, height] of [['1080p', 1920, 1080], ['720p', 1280, 720]]) {
            const { list, init, segments } = await parts(video, name);
            const times = shownAll({ init, segments });
            assert.deepEqual(list.segments.map(({ duration }) => duration), [4, 4, 1]);
            assertTimes(times, Array.from({ length: 45 }, (_, i) => i / 5));
            // lighttpd may serve a list that was replaced just now for a moment longer.
            const variant = await waitFor(async () => {
                const found = await variantOf(video, name);
                return found?.['AVERAGE-BANDWIDTH'] && found;
            }, { timeout: 5000, what: 'it to be measured' });
            assert.equal(variant.RESOLUTION, `${width}x${height}`);
            assert.ok(Number(variant['AVERAGE-BANDWIDTH']) <= width * height * 5 * 0.08 * 1.15 + 140_000);
        }
    });

    test('is made in one program', async () => {
        const logs = await fs.readdir(site.path('log/jobs'));
        const texts = await Promise.all(logs.map((f) => fs.readFile(site.path(`log/jobs/${f}`), 'utf8')));
        const mine = texts.filter((t) => t.includes(video.id) && /^# \S+ ladder /m.test(t));
        assert.equal(mine.length, 2);
        assert.equal(mine.filter((t) => /^\+ ffmpeg .*split/m.test(t)).length, 1);
        assert.equal(mine.filter((t) => /beside another/.test(t)).length, 1);
    });

    test('lists for any player what is whole, and for the page all that is planned', async () => {
        const slow = await startSite({ worker: true, extras: true, posters: false, env: { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, 2) } });
        try {
            const now = await uploadPlayable(slow, clip('hd.mp4'));
            const names = async (file) =>
                parseMaster((await fetched(slow, now.media.replace('master.m3u8', file))).text())
                    .variants.map(({ URI }) => URI.split('-')[0]);
            assert.deepEqual(await names('player.m3u8'), ['360p', 'source', '1080p', '720p']);
            assert.ok(!(await names('master.m3u8')).includes('720p'));
            // Whoever asks for a rung that is not there yet waits for it, and no longer.
            const { body } = await fetched(slow, `${folder(now, '720p')}1.m4s`);
            assert.ok(body.length > 1000);
            assert.ok(!(await names('master.m3u8')).includes('720p'));
        } finally {
            await slow.stop();
        }
    });
});
