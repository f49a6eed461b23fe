/*
 * Sound that is served as it is: the very packets of the file at their own times, whoever
 * asks for whichever segment first. And sound that would play wrong so, which is encoded.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { PacedUpload } from '../lib/arriving.mjs';
import { slowFfmpeg, uploadPlayable } from '../lib/demand.mjs';
import { validateVideo } from '../lib/hls_validator.mjs';
import { CORPUS, ffmpeg, flashClip, parseMaster, parseMedia, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const run = promisify(execFile);
const COPIES = { DROPSTREAM_SOUND_MAX_KBPS: '384' };
const FRAME = 1024;
const SEGMENT = 192;

let site, temp;

async function assertValid(on, id) {
    const { master, player } = await validateVideo(on, id);
    assert.deepEqual([...master.complaints, ...player.complaints], []);
}

before(async () => {
    temp = await tempDir();
    site = await startSite({ worker: true, env: COPIES });
});
after(async () => {
    await site?.stop();
    await temp.remove();
});

const clip = (name) => path.join(temp.dir, name);
/* Small, as it is not what is tested. */
const picture = (seconds) => ['-f', 'lavfi', '-i', `testsrc2=s=96x54:r=10:d=${seconds}`];
const tone = (seconds, rate, more = '') => ['-f', 'lavfi', '-i', `sine=440:d=${seconds}:sample_rate=${rate}${more}`];
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
/* Padded to so many bytes that they come in a while after each other. */
const PADDED = [...X264, '-g', '50', '-x264-params', 'nal-hrd=cbr', '-b:v', '4M', '-minrate', '4M', '-maxrate', '4M', '-bufsize', '1M'];
const AAC = ['-c:a', 'aac', '-b:a', '96k'];

const ready = (id, on = site) => on.waitForState(id, 'ready');

async function uploaded(file, on = site) {
    const { json, text, status } = await on.upload(file);
    assert.equal(status, 201, text);
    return ready(json.id, on);
}

/* [{ at, hash }] of the packets of a track of sound, seconds of the file's clock. */
async function packetsOf(file, track = 0) {
    const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', `a:${track}`, '-of', 'json',
        '-show_data_hash', 'md5', '-show_entries', 'packet=pts_time,data_hash:format=start_time', file], { maxBuffer: 1 << 26 });
    const { packets, format } = JSON.parse(stdout);
    return packets.map((p) => ({ at: Number(p.pts_time) - Number(format.start_time), hash: p.data_hash }));
}

async function fetched(on, url) {
    const res = await on.request('GET', url);
    assert.equal(res.status, 200, url);
    return res;
}

/* Of a rendition as served: { list, file }, segments asked for in the order of `order`. */
async function served(video, name = 'audio-0', on = site, order = (k) => k) {
    const master = parseMaster((await fetched(on, video.media)).text);
    const { URI } = master.audio.find((a) => a.URI.startsWith(`${name}-`));
    const base = video.media.replace('master.m3u8', URI.replace('index.m3u8', ''));
    const list = parseMedia((await fetched(on, `${base}index.m3u8`)).text);
    const parts = [];
    for (const k of list.segments.map((_, i) => order(i, list.segments.length)))
        parts[k] = (await fetched(on, base + list.segments[k].uri)).body;
    const init = (await fetched(on, base + list.map)).body;
    const file = clip(`${video.id}-${name}.mp4`);
    await fs.writeFile(file, Buffer.concat([init, ...parts]));
    return { list, file, base };
}

/* What is served are the packets of the file from 0 on, at their times to within 0.1 ms. */
async function assertSame(source, track, part, rate) {
    const wanted = (await packetsOf(source, track)).filter(({ at }) => at >= -1e-6);
    const { stdout } = await run('ffprobe', ['-v', 'error', '-of', 'json', '-show_data_hash', 'md5',
        '-show_entries', 'packet=pts,data_hash:stream=time_base,sample_rate', part.file], { maxBuffer: 1 << 26 });
    const { packets, streams } = JSON.parse(stdout);
    const scale = Number(streams[0].time_base.split('/')[1]);
    assert.equal(Number(streams[0].sample_rate), rate);
    const got = packets.map((p) => ({ at: Number(p.pts) / scale, hash: p.data_hash }));
    assert.deepEqual(got.map(({ hash }) => hash), wanted.map(({ hash }) => hash));
    for (const [i, { at }] of got.entries())
        assert.ok(Math.abs(at - wanted[i].at) < 1e-4, `packet ${i} at ${at}, should be at ${wanted[i].at}`);
    const { segments } = part.list;
    assert.equal(segments.length, Math.ceil(wanted.length / SEGMENT));
    for (const [k, { duration }] of segments.slice(1, -1).entries())
        assert.ok(Math.abs(duration - (SEGMENT * FRAME) / rate) < 0.012, `segment ${k + 1} of ${duration} s`);
}

/* The folder of a video, below htdocs/media. */
async function mediaOf(on, id) {
    const media = on.path('htdocs/media');
    for (const name of await fs.readdir(media))
        if ((await fs.lstat(path.join(media, name))).isSymbolicLink()) return path.join(media, name);
    throw new Error(`no media of ${id}`);
}

/* 'name inode time' of what is made of a rendition, or of the files of the video. */
async function filesOf(on, id, folder) {
    const dir = path.join(await mediaOf(on, id), folder);
    const names = (await fs.readdir(dir)).filter((name) => /\.(m4s|mp4|jpg)$/.test(name)).sort();
    return Promise.all(names.map(async (name) => {
        const { ino, mtimeMs } = await fs.stat(path.join(dir, name));
        return `${name} ${ino} ${mtimeMs}`;
    }));
}

async function assertStayed(on, id, folder, before) {
    const now = await filesOf(on, id, folder);
    for (const file of before) assert.ok(now.includes(file), `${file} of ${folder} was made again`);
}

describe('sound of an MP4 in AAC-LC', () => {
    const kinds = {
        '44.1 kHz, stereo': { rate: 44100, channels: 2 },
        '48 kHz, mono': { rate: 48000, channels: 1 },
        '32 kHz': { rate: 32000, channels: 2 },
        '96 kHz': { rate: 96000, channels: 2 },
        'a MOV whose index comes last': { rate: 44100, channels: 2, ext: 'mov', flags: [] },
        'without an edit list': { rate: 48000, channels: 2, flags: ['-use_editlist', '0'] },
        'which begins a little late': { rate: 48000, channels: 2, late: 0.06 },
        'beside a picture that begins late': { rate: 44100, channels: 2, early: 0.4 },
    };
    for (const [name, { rate, channels, ext = 'mp4', flags = ['-movflags', '+faststart'], late = 0, early = 0 }] of Object.entries(kinds))
        test(`is served as it is: ${name}`, async () => {
            const file = clip(`${name.replace(/\W/g, '_')}.${ext}`);
            await ffmpeg(
                early ? ['-itsoffset', `${early}`] : [], picture(13), late ? ['-itsoffset', `${late}`] : [], tone(13, rate),
                ['-map', '0', '-map', '1'], X264, AAC, ['-ac', `${channels}`], flags, file,
            );
            const video = await uploaded(file);
            await assertSame(file, 0, await served(video), rate);
            const master = parseMaster((await fetched(site, video.media)).text);
            assert.equal(master.audio[0].CHANNELS, `${channels}`);
            await assertValid(site, video.id);
        });

    test('ends where an edit list has it end, within a packet', async () => {
        const [uncut, file] = [clip('uncut.mp4'), clip('ends.mp4')];
        await ffmpeg(picture(9), tone(9.2, 44100), X264, AAC, uncut);
        const bytes = await fs.readFile(uncut);
        const elst = bytes.indexOf('elst', bytes.indexOf('elst') + 1) + 4; // of the second track
        assert.deepEqual([bytes.readUInt32BE(elst + 4), bytes.readUInt32BE(elst + 8)], [1, 9200]);
        bytes.writeUInt32BE(8900, elst + 8);
        await fs.writeFile(file, bytes);
        const video = await uploaded(file);
        const { list } = await served(video);
        const said = list.segments.reduce((sum, { duration }) => sum + duration, 0);
        const { master } = await validateVideo(site, video.id);
        const { duration } = [...master.media.values()].find(({ kind }) => kind === 'audio');
        assert.deepEqual(master.complaints, []);
        assert.ok(Math.abs(duration - 8.9) < 0.0005, `${duration} s`);
        assert.ok(Math.abs(said - duration) < 0.0005, `${said} s, it is ${duration} s long`);
    });

    test('of several tracks each is judged by itself', async () => {
        const file = clip('tracks.mp4');
        await ffmpeg(picture(9), tone(9, 48000), tone(9, 22050), tone(9, 44100),
            ['-map', '0', '-map', '1', '-map', '2', '-map', '3'], X264, AAC, ['-ac', '2'], file);
        const video = await uploaded(file);
        await assertSame(file, 0, await served(video, 'audio-0'), 48000);
        await assertSame(file, 2, await served(video, 'audio-2'), 44100);
        const encoded = await served(video, 'audio-1');
        assert.deepEqual(encoded.list.segments.map(({ duration }) => duration).slice(0, 2), [4.096, 4.096]);
        await assertValid(site, video.id);
    });

    test('is cut the same wherever the first listener begins', async () => {
        const slow = await startSite({ worker: true, env: { ...COPIES, DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, 3) } });
        try {
            const file = clip('44_1_kHz__stereo.mp4');
            const long = clip('long.mp4');
            await ffmpeg('-stream_loop', '3', '-i', file, '-map', '0', '-c', 'copy', long);
            const video = await uploadPlayable(slow, long);
            const part = await served(video, 'audio-0', slow, (k, n) => n - 1 - k);
            const logs = await fs.readdir(slow.path('log/jobs'));
            const texts = await Promise.all(logs.map((f) => fs.readFile(slow.path(`log/jobs/${f}`), 'utf8')));
            const starts = texts.join('\n').match(/^\+ \S*ffmpeg .*-ss .*-map 0:1 -c copy/gm) ?? [];
            assert.ok(starts.length >= 2, `${starts.length} runs began in the middle`);
            const { stdout } = await run('ffprobe', ['-v', 'error', '-of', 'csv=p=0', '-show_entries', 'packet=pts', part.file], { maxBuffer: 1 << 26 });
            const times = stdout.trim().split('\n').map(Number);
            for (let i = 1; i < times.length; i++) assert.ok(Math.abs(times[i] - times[i - 1] - FRAME) < 410, `packet ${i}`);
        } finally {
            await slow.stop();
        }
    });

    test('plays as it comes in, and is the same when all of it is there', async () => {
        const file = clip('arriving.mp4');
        await ffmpeg(picture(40), tone(40, 44100), PADDED, AAC, ['-movflags', '+faststart'], file);
        const upload = await PacedUpload.begin(site, file);
        await upload.sendTo(0.5);
        const early = await waitFor(async () => {
            const v = await upload.video();
            return v?.renditions.some((r) => r.name === 'audio-0' && r.done >= 2) && v;
        }, { timeout: 30_000, what: 'sound of what has arrived', moving: () => site.made() });
        assert.equal(early.state, 'receiving');
        await upload.finish();
        const video = await ready(early.id);
        assert.equal(video.renditions.every((r) => r.segments === r.done), true);
        const part = await served(video);
        assert.match(part.base, /audio-0-1\/$/, 'what was promised is kept');
        await assertSame(file, 0, part, 44100);
    });
});

describe('other sound is encoded', () => {
    /* '48000,2' of what is served. */
    const rates = async (video) => {
        const { file } = await served(video);
        const { stdout } = await run('ffprobe', ['-v', 'error', '-of', 'csv=p=0', '-show_entries', 'stream=sample_rate,channels', file]);
        return stdout.trim();
    };
    const made = {
        'six channels': [tone(5, 44100), AAC, ['-ac', '6']],
        'another codec': [tone(5, 44100), ['-c:a', 'mp3']],
        'few samples a second': [tone(5, 22050), AAC],
        'sound that begins a second late': [['-itsoffset', '1', ...tone(4, 44100)], AAC],
        'sound that ends early': [tone(3, 44100), AAC],
        'too many bits a second': [['-f', 'lavfi', '-i', "aevalsrc='random(0)-0.5|random(1)-0.5':s=96000:d=5"], ['-c:a', 'aac', '-b:a', '800k']],
        'a Matroska file': [tone(5, 44100), AAC, 'mkv'],
        'a fragmented file': [tone(5, 44100), AAC, ['-movflags', '+frag_keyframe+empty_moov']],
    };
    for (const [name, [input, ...options]] of Object.entries(made))
        test(name, async () => {
            const ext = options.at(-1) === 'mkv' ? options.pop() : 'mp4';
            const file = clip(`${name.replace(/\W/g, '_')}.${ext}`);
            await ffmpeg(picture(5), input, ['-map', '0', '-map', '1'], X264, ...options, file);
            const video = await uploaded(file);
            assert.equal(await rates(video), '48000,2');
        });

    test('sound with a hole', async () => {
        const [whole, file] = [clip('no-hole.mp4'), clip('hole.mp4')];
        await flashClip(whole, { seconds: 9, sampleRate: 44100 });
        await ffmpeg('-i', whole, '-map', '0', '-c', 'copy', '-bsf:a', 'noise=drop=between(n\\,150\\,190)', file);
        assert.equal(await rates(await uploaded(file)), '48000,2');
    });

    test('of a file that was cut off', async () => {
        const [whole, file] = [clip('whole.mp4'), clip('cut-off.mp4')];
        await ffmpeg(picture(9), tone(9, 44100), X264, AAC, ['-movflags', '+faststart'], whole);
        const bytes = await fs.readFile(whole);
        await fs.writeFile(file, bytes.subarray(0, bytes.length * 0.7));
        const video = await uploaded(file);
        assert.equal(await rates(video), '48000,2');
        assert.match(video.warning, /ends early/);
    });

    /* A clip of 40 s with one packet of sound that cannot be decoded. */
    async function damaged(name, packet) {
        const [whole, file] = [clip(`whole-${name}`), clip(name)];
        await ffmpeg(picture(40), tone(40, 44100, ',aeval=val(0)+0.1*(random(0)-0.5)'), PADDED, AAC, ['-movflags', '+faststart'], whole);
        const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'a', '-of', 'csv=p=0', '-show_entries', 'packet=pos,size', whole]);
        const bytes = await fs.readFile(whole);
        const [size, pos] = stdout.trim().split('\n')[packet].split(',').map(Number);
        bytes.fill(0, pos, pos + size);
        await fs.writeFile(file, bytes);
        return file;
    }

    test('that is damaged, while the file comes in: it is encoded, and the picture goes on', async () => {
        const on = await startSite({ worker: true, env: { ...COPIES, DROPSTREAM_ATTEMPTS: '2', DROPSTREAM_BACKOFF_MS: '100' } });
        try {
            const upload = await PacedUpload.begin(on, await damaged('coming.mp4', 400));
            await upload.sendTo(0.6);
            const early = await waitFor(async () => {
                const v = await upload.video();
                const { json } = v ? await on.api('GET', `/api/videos/${v.id}/segments`) : {};
                const sound = json?.renditions?.find(({ name }) => name === 'audio-0');
                return sound?.generation === 2 && sound.done >= 3 && v;
            }, { timeout: 30_000, what: 'encoded sound of what has arrived', moving: () => on.made() });
            assert.equal(early.state, 'receiving');
            const pictures = await filesOf(on, early.id, '360p-1');
            assert.ok(pictures.length > 5, `${pictures.length} files of the picture`);
            await upload.finish();
            const video = await ready(early.id, on);
            assert.equal(video.warning, null);
            const { list, base } = await served(video, 'audio-0', on);
            assert.match(base, /audio-0-2\/$/, 'what was promised then is kept');
            assert.equal(list.segments.length, 10);
            await assertStayed(on, video.id, '360p-1', pictures);
            await assertValid(on, video.id);
        } finally {
            await on.stop();
        }
    });

    /* A browser would end where its decoder does. */
    test('that is damaged, once that is found; and no picture is made again', async () => {
        const go = clip('go-on');
        const script = clip('ffmpeg-that-waits');
        await fs.writeFile(script,
            `#!/bin/sh\ncase "$*" in *-xerror*) while ! [ -e ${go} ]; do sleep 0.05; done;; esac\nexec ffmpeg "$@"\n`, { mode: 0o755 });
        const on = await startSite({ worker: true, extras: true, env: { ...COPIES, DROPSTREAM_FFMPEG: script, DROPSTREAM_LADDER_MAX_SIDE: '0' } });
        try {
            const { json } = await on.upload(await damaged('damaged.mp4', 1200));
            await waitFor(async () => {
                const v = (await on.api('GET', `/api/videos/${json.id}`)).json;
                const made = v.renditions.filter(({ name }) => name !== 'audio-0');
                return made.length === 2 && made.every((r) => r.segments > 0 && r.done === r.segments) && v.poster && v.storyboard;
            }, { timeout: 60_000, what: 'all but the sound', moving: () => on.made() });
            const before = await Promise.all(['360p-1', 'source-1', ''].map((folder) => filesOf(on, json.id, folder)));
            await fs.writeFile(go, '');
            const video = await ready(json.id, on);
            const { base, list } = await served(video, 'audio-0', on);
            assert.match(base, /audio-0-2\/$/);
            assert.equal(list.segments.length, 10);
            for (const [i, folder] of ['360p-1', 'source-1'].entries()) await assertStayed(on, json.id, folder, before[i]);
            assert.deepEqual((await filesOf(on, json.id, '')).filter((f) => f.includes('jpg')), before[2].filter((f) => f.includes('jpg')));
            const folders = await fs.readdir(await mediaOf(on, json.id));
            assert.deepEqual(folders.filter((f) => /-\d+$/.test(f)).sort(), ['360p-1', 'audio-0-2', 'source-1'], 'no folder is left over');
            const old = await on.request('GET', `${path.posix.dirname(video.media)}/audio-0-1/0.m4s`);
            assert.equal(old.status, 404, 'a page that was open is told so');
            await assertValid(on, video.id);
        } finally {
            await on.stop();
        }
    });

    test('if a site wants it so', async () => {
        const on = await startSite({ worker: true });
        try {
            const video = await uploaded(clip('48_kHz__mono.mp4'), on);
            const { list } = await served(video, 'audio-0', on);
            assert.deepEqual(list.segments.map(({ duration }) => duration).slice(0, 2), [4.096, 4.096]);
        } finally {
            await on.stop();
        }
    });

    /* Its ffmpeg gives something else than the index promises. */
    test('once a copy came out wrong, and it plays', async () => {
        const script = clip('ffmpeg-that-cannot-copy');
        await fs.writeFile(script,
            '#!/bin/sh\ncase "$*" in *"-map 0:1 -c copy"*) exec ffmpeg -itsoffset 0.3 "$@";; esac\nexec ffmpeg "$@"\n', { mode: 0o755 });
        const on = await startSite({ worker: true, env: { ...COPIES, DROPSTREAM_FFMPEG: script, DROPSTREAM_BACKOFF_MS: '100' } });
        try {
            const { json } = await on.upload(clip('48_kHz__mono.mp4'));
            const video = await ready(json.id, on);
            const { list, base } = await served(video, 'audio-0', on);
            assert.match(base, /audio-0-2\/$/);
            assert.deepEqual(list.segments.map(({ duration }) => duration).slice(0, 2), [4.096, 4.096]);
            await assertValid(on, video.id);
        } finally {
            await on.stop();
        }
    });
});

/* A video of which the sound is there, and perhaps nothing else. */
async function soundOf(file) {
    const { json, text, status } = await site.upload(file);
    assert.equal(status, 201, text);
    return waitFor(
        async () => {
            const v = (await site.api('GET', `/api/videos/${json.id}`)).json;
            return v.media && v.renditions.some((r) => r.name === 'audio-0' && r.segments > 0 && r.done === r.segments) && v;
        },
        { timeout: 60_000, what: 'its sound', moving: () => site.made() },
    );
}

test('a real recording whose first packets are a little long', { skip: !CORPUS }, async () => {
    const file = path.join(CORPUS, 'hlsjs-samples__bbb_720p_aac_moov-at-end.mp4');
    const video = await soundOf(file);
    await assertSame(file, 0, await served(video), 48000);
    await site.api('DELETE', `/api/videos/${video.id}`);
});
