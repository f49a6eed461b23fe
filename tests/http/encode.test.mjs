/*
 * From an upload to segments: real lighttpd, worker and ffmpeg. Each kind of source goes
 * in once; what comes out is fetched like a player would, decoded, and compared.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { slowFfmpeg } from '../lib/demand.mjs';
import {
    beeps, ffmpeg, fetchVideo, flashClip, flashes, parseMaster, parseMedia, tempDir,
} from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

let site;
let temp;

before(async () => {
    site = await startSite({ worker: true, env: { DROPSTREAM_BACKOFF_MS: '100' } });
    temp = await tempDir();
});
after(async () => {
    await temp.remove();
    await site.stop();
});

const clip = (name) => path.join(temp.dir, name);

async function process(file, states = 'ready') {
    const { status, json, text } = await site.upload(file);
    assert.equal(status, 201, text);
    return site.waitForState(json.id, states);
}

const LONG_S = 90; // 45 segments of two seconds

/* Every answer about a video from its upload until it is ready, asked for quickly. */
async function watchUntilReady(on, uploaded) {
    const seen = [uploaded];
    await waitFor(
        async () => {
            seen.push((await on.api('GET', `/api/videos/${uploaded.id}`)).json);
            return ['ready', 'failed'].includes(seen.at(-1).state);
        },
        { timeout: 60_000, every: 5, what: 'it to be ready', moving: () => on.made() },
    );
    return seen;
}

/* Every state was seen, and nothing that was said was taken back. */
function assertStatesInOrder(seen) {
    assert.deepEqual([...new Set(seen.map(({ state }) => state))], ['stored', 'processing', 'ready']);
    const states = seen.map(({ state }) => ['stored', 'processing', 'ready'].indexOf(state));
    assert.deepEqual(states, [...states].sort((a, b) => a - b), 'no state comes back');
    const playable = seen.findIndex((v) => v.playable);
    assert.equal(seen[playable].state, 'processing');
    assert.ok(seen.slice(playable).every((v) => v.playable && v.media), 'and stays so');
    assert.ok(seen.slice(0, playable).every((v) => v.media === null));
    const done = seen.map((v) => v.renditions[0]?.done ?? 0);
    assert.deepEqual(done, [...done].sort((a, b) => a - b), 'segments only get more');
}

/* On a slow site: what is answered about a clip of LONG_S, and about its segments, while it
 * is encoded. */
async function seenOnItsWay(slow, file) {
    const { status: taken, json } = await slow.upload(file);
    assert.equal(taken, 201);
    assert.equal(json.state, 'stored');
    assert.equal(json.playable, false);
    const watched = watchUntilReady(slow, json);
    watched.catch(() => {}); // is told when it is asked for
    const video = await waitFor(
        async () => {
            const { json: now } = await slow.api('GET', `/api/videos/${json.id}`);
            return now.playable && now;
        },
        { every: 5, what: 'the first segment' },
    );
    assert.equal(video.renditions[0].segments, LONG_S / 2);
    const base = video.media.slice(0, video.media.lastIndexOf('/') + 1);
    const [variant] = parseMaster((await slow.request('GET', video.media)).text).variants;
    const url = base + variant.URI;
    const list = await slow.request('GET', url);
    const folder = url.slice(0, url.lastIndexOf('/') + 1);
    const missing = slow.request('GET', `${folder}${LONG_S / 2 - 1}.m4s`);
    const never = await slow.request('GET', `${folder}${LONG_S / 2}.m4s`);
    // Read last: all of the above was answered while the encode was going on.
    const [{ done }] = (await slow.api('GET', `/api/videos/${json.id}`)).json.renditions;
    assert.ok(done < LONG_S / 2, 'it is still being encoded');

    assert.equal(list.status, 200);
    const { ended, type, segments } = parseMedia(list.text);
    assert.equal(type, 'VOD');
    assert.ok(ended);
    assert.deepEqual(segments.map(({ uri }) => uri), Array.from({ length: LONG_S / 2 }, (_, k) => `${k}.m4s`));
    assert.equal(segments.reduce((sum, { duration }) => sum + duration, 0), LONG_S);
    // It is waited for: there in time, or to be asked for again.
    const { status, headers } = await missing;
    assert.ok([200, 503].includes(status), `${status}`);
    assert.equal(headers['cache-control'], status === 200 ? 'max-age=31536000' : 'no-store');
    assert.equal(never.status, 404);
    assert.doesNotMatch(never.headers['cache-control'] ?? '', /max-age/);

    assertStatesInOrder(await watched);
    assert.equal((await slow.request('GET', url)).text, list.text, 'it was final from the start');
    assert.equal((await slow.request('GET', `${folder}${LONG_S / 2 - 1}.m4s`)).status, 200);
}

/* Uploads a clip of flashes and beeps, and finds every one of them at its second. */
async function comesOutWhole(file, { seconds, rate, sound = true, from = 0 }) {
    const video = await process(file);
    assert.equal(video.error, null);
    assert.equal(video.warning, null);
    assert.ok(Math.abs(video.duration - seconds) < 0.1, `duration ${video.duration}`);
    const out = await fetchVideo(site, video);
    const frame = 1 / rate;
    assert.ok(Math.abs(out.video.duration - video.duration) <= frame + 0.001);
    const needed = video.renditions.filter(({ name }) => /^(360p|audio)/.test(name));
    for (const rendition of needed) assert.equal(rendition.done, rendition.segments);

    const seen = await flashes(out.video);
    const expected = Array.from({ length: seconds - from }, (_, i) => i + from);
    assert.equal(seen.length, expected.length, `flashes at ${seen}`);
    seen.forEach((t, i) => assert.ok(Math.abs(t - expected[i]) <= frame + 0.001, `flash at ${t}`));
    if (sound) {
        const heard = await beeps(out.audio);
        assert.equal(heard.length, seen.length, `beeps at ${heard}`);
        heard.forEach((t, i) =>
            assert.ok(Math.abs(t - seen[i]) <= frame + 0.001, `beep at ${t}, flash at ${seen[i]}`),
        );
    } else {
        assert.equal(out.audio, undefined);
    }
    return { video, out };
}

describe('an ordinary clip', () => {
    test('plays', async () => {
        await flashClip(clip('plain.mp4'), { seconds: 7, size: '640x360' });
        const { video } = await comesOutWhole(clip('plain.mp4'), { seconds: 7, rate: 25 });
        assert.equal(video.video_codec, 'h264');
        assert.equal(video.audio_codec, 'aac');
        assert.equal(video.fps, 25);
        assert.ok(video.timing.first_segment_s >= video.timing.stored_s);
        assert.ok(video.timing.ready_s >= video.timing.first_segment_s);
    });

    test('goes through every state, and has its whole playlist before the encode is done', async () => {
        // Its ffmpeg reads at a pace, so that every state lasts long enough to be seen.
        await ffmpeg('-f', 'lavfi', '-i', `testsrc2=s=160x90:r=10:d=${LONG_S}`,
            '-c:v', 'libx264', '-preset', 'ultrafast', clip('long.mp4'));
        const slow = await startSite({ worker: true, env: { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, 30) } });
        try {
            await slow.logged(() => seenOnItsWay(slow, clip('long.mp4')))();
        } finally {
            await slow.stop();
        }
    });

    test('whose master says what was measured', async () => {
        const { json } = await site.api('GET', '/api/videos?q=plain');
        const { master, video, audio } = await fetchVideo(site, json.videos[0]);
        const [variant] = master.variants;
        const whole = video.segments.filter((s) => s.duration > 1);
        const peak = Math.max(...whole.map((s) => (s.bytes * 8) / s.duration));
        const loud = Math.max(...audio.segments.filter((s) => s.duration > 2)
            .map((s) => (s.bytes * 8) / s.duration));
        assert.ok(Number(variant.BANDWIDTH) >= peak + loud, 'BANDWIDTH covers the peak');
        assert.ok(Number(variant.BANDWIDTH) <= (peak + loud) * 1.1 + 1000);
        assert.ok(Number(variant['AVERAGE-BANDWIDTH']) <= Number(variant.BANDWIDTH));
    });
});

describe('sources that need care', { concurrency: 2 }, () => {
    const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];
    const cases = {
        'without sound': { file: 'mute.mp4', make: { audio: null }, sound: false },
        'Matroska with B-frames': {
            file: 'b.mkv', make: { video: ['-c:v', 'libx264', '-bf', '3', '-g', '60'] },
        },
        'WebM: VP9 and Opus': {
            file: 'vp9.webm',
            make: {
                video: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'],
                audio: ['-c:a', 'libopus'],
            },
        },
        'HEVC': {
            file: 'hevc.mp4', make: { video: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'] },
        },
        'AV1': { file: 'av1.mkv', make: { video: ['-c:v', 'libsvtav1', '-preset', '12'], size: '256x144' }, optional: 'libsvtav1' },
        '10 bits': { file: 'ten.mkv', make: { video: [...h264, '-pix_fmt', 'yuv420p10le'] } },
        '60 frames a second': { file: 'fast.mp4', make: { rate: 60, video: h264 }, rate: 30 },
        '24000/1001 frames a second': { file: 'film.mp4', make: { rate: '24000/1001', video: h264 }, rate: 23.976 },
        'interlaced': {
            file: 'inter.mkv',
            make: { rate: 50, filters: ['tinterlace=interleave_top'], video: [...h264, '-flags', '+ilme+ildct'] },
            rate: 25,
        },
        '44.1 kHz in mono': { file: 'mono.mp4', make: { sampleRate: 44100, video: h264 } },
        'MOV': { file: 'clip.mov', make: { video: h264, audio: ['-c:a', 'pcm_s16le'] } },
        'fragmented MP4': {
            file: 'frag.mp4', make: { video: [...h264, '-g', '25', '-movflags', '+frag_keyframe+empty_moov'] },
        },
        'a width that is odd': { file: 'odd.mkv', make: { size: '321x181', video: [...h264, '-pix_fmt', 'yuv444p'], filters: ['format=yuv444p'] } },
    };
    for (const [name, { file, make, rate = 25, sound = true }] of Object.entries(cases))
        test(name, async () => {
            await flashClip(clip(file), { seconds: 5, ...make });
            await comesOutWhole(clip(file), { seconds: 5, rate, sound });
        });

    test('times that begin at 5 s', async () => {
        await flashClip(clip('base.mkv'), { seconds: 5, video: h264 });
        await ffmpeg('-i', clip('base.mkv'), '-c', 'copy', '-output_ts_offset', '5', clip('late.mkv'));
        await comesOutWhole(clip('late.mkv'), { seconds: 5, rate: 25 });
    });

    test('an edit list that leaves the beginning out', async () => {
        await flashClip(clip('uncut.mp4'), { seconds: 6, video: [...h264, '-g', '250'] });
        // -ss with copy keeps the frames since the keyframe and hides them by an edit list.
        await ffmpeg('-ss', '1', '-i', clip('uncut.mp4'), '-c', 'copy', clip('cut.mp4'));
        await comesOutWhole(clip('cut.mp4'), { seconds: 5, rate: 25 });
    });

    test('sound that begins a second after the picture', async () => {
        await flashClip(clip('both.mkv'), { seconds: 5, video: h264 });
        await ffmpeg('-i', clip('both.mkv'), '-c:v', 'copy', '-af', 'atrim=start=1', '-c:a', 'aac', clip('latesound.mkv'));
        const video = await process(clip('latesound.mkv'));
        const out = await fetchVideo(site, video);
        const seen = await flashes(out.video);
        const heard = await beeps(out.audio);
        assert.equal(seen.length, 5);
        assert.equal(heard.length, 4, `beeps at ${heard}`);
        heard.forEach((t, i) => assert.ok(Math.abs(t - seen[i + 1]) <= 0.041, `beep at ${t}`));
    });

    test('a picture that is shorter than the sound', async () => {
        await flashClip(clip('long.mkv'), { seconds: 8, video: h264 });
        await ffmpeg('-t', '3', '-i', clip('long.mkv'), '-i', clip('long.mkv'), '-map', '0:v', '-map', '1:a',
            '-c', 'copy', clip('shortpicture.mkv'));
        const video = await process(clip('shortpicture.mkv'));
        const out = await fetchVideo(site, video);
        assert.ok(Math.abs(out.video.duration - 8) < 0.1, 'the last picture stays');
        assert.equal((await beeps(out.audio)).length, 8);
    });

    test('a variable frame rate with a gap', async () => {
        await flashClip(clip('vfr.mkv'), {
            seconds: 6, video: [...h264, '-fps_mode', 'vfr'],
            filters: ["select='not(between(t,2.2,3.8))*not(eq(mod(n,7),5))'"],
        });
        const video = await process(clip('vfr.mkv'));
        const out = await fetchVideo(site, video);
        const seen = await flashes(out.video);
        const rate = out.video.frames / out.video.duration;
        // The flash at 3 s is in the gap.
        assert.deepEqual(seen.map((t) => Math.round(t)), [0, 1, 2, 4, 5]);
        for (const t of seen) assert.ok(Math.abs(t - Math.round(t)) <= 2 / rate, `flash at ${t}`);
    });

    test('several sound tracks: the default one is heard', async () => {
        await flashClip(clip('one.mkv'), { seconds: 4, video: h264 });
        await ffmpeg('-i', clip('one.mkv'), '-f', 'lavfi', '-i', 'anullsrc=r=48000:d=4', '-map', '0:v', '-map', '1:a',
            '-map', '0:a', '-c:v', 'copy', '-c:a', 'aac', '-disposition:a:0', '0', '-disposition:a:1', 'default', clip('two.mkv'));
        const out = await fetchVideo(site, await process(clip('two.mkv')));
        assert.equal((await beeps(out.audio)).length, 4);
    });

    test('pictures are upright and have square pixels', async () => {
        await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=720x576:r=25:d=2,setsar=16/15', ...h264, clip('dv.mp4'));
        let video = await process(clip('dv.mp4'));
        assert.deepEqual([video.width, video.height], [768, 576]);
        assert.deepEqual([video.renditions[0].width, video.renditions[0].height], [480, 360]);

        await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=2', ...h264, clip('flat.mp4'));
        await ffmpeg('-i', clip('flat.mp4'), '-c', 'copy', '-metadata:s:v', 'rotate=90', clip('phone.mp4'));
        video = await process(clip('phone.mp4'));
        assert.deepEqual([video.width, video.height], [360, 640]);
        assert.deepEqual([video.renditions[0].width, video.renditions[0].height], [360, 640]);
        await fetchVideo(site, video);
    });
});

describe('sources that are broken', { concurrency: 2 }, () => {
    const cut = async (from, to, share) => {
        const bytes = await fs.readFile(clip(from));
        await fs.writeFile(clip(to), bytes.subarray(0, Math.floor(bytes.length * share)));
    };

    test('a truncated file plays as far as it goes, with a warning', async () => {
        await flashClip(clip('whole.mp4'), { seconds: 12, video: ['-c:v', 'libx264', '-g', '25', '-movflags', '+faststart'] });
        await cut('whole.mp4', 'half.mp4', 0.5);
        const video = await process(clip('half.mp4'));
        assert.match(video.warning, /ends early: it should be 0:12 long/);
        assert.ok(video.duration > 3 && video.duration < 10, `${video.duration}`);
        await fetchVideo(site, video);
    });

    test('a truncated Matroska file likewise', async () => {
        await flashClip(clip('whole.mkv'), { seconds: 12, video: ['-c:v', 'libx264', '-g', '25'] });
        await cut('whole.mkv', 'half.mkv', 0.5);
        const video = await process(clip('half.mkv'));
        assert.match(video.warning, /ends early/);
        await fetchVideo(site, video);
    });

    test('a file without its index fails with a sentence', async () => {
        await flashClip(clip('atend.mp4'), { seconds: 6 });
        await cut('atend.mp4', 'noindex.mp4', 0.6);
        const video = await process(clip('noindex.mp4'), 'failed');
        assert.equal(video.error, 'The file was cut off: its index, which comes last, is missing.');
        assert.equal(video.media, null);
    });

    test('sound alone fails with a sentence', async () => {
        await ffmpeg('-f', 'lavfi', '-i', 'sine=d=2', '-c:a', 'aac', clip('sound.mp4'));
        const video = await process(clip('sound.mp4'), 'failed');
        assert.equal(video.error, 'The file holds only sound, no video.');
    });

    test('noise in the middle of a file: it plays, and says what it is', async () => {
        await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=8', '-c:v', 'libx264', '-g', '50', '-movflags', '+faststart', clip('clean.mp4'));
        const bytes = await fs.readFile(clip('clean.mp4'));
        const from = Math.floor(bytes.length * 0.4);
        for (let i = from; i < from + bytes.length * 0.3; i++) bytes[i] = (i * 7919) & 0xff;
        await fs.writeFile(clip('noise.mp4'), bytes);
        const video = await process(clip('noise.mp4'));
        assert.match(video.warning, /Parts of the picture are damaged/);
        assert.ok(Math.abs(video.duration - 8) < 0.1);
        const out = await fetchVideo(site, video);
        assert.equal(out.video.frames, 200);
    });
});
