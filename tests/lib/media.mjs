/*
 * media.mjs: what HLS clients see of a video, checked against RFC 8216 and the grid.
 *
 * Makes source clips with ffmpeg, reads playlists and fragmented MP4 (ISO 14496-12) as
 * served, and decodes what came out to compare it with what went in.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/* The folder of real clips that tests also use, or undefined. */
export const CORPUS = process.env.DROPSTREAM_CORPUS || undefined;

const LARGEST = 20 << 20; // bytes; larger clips cost more time than they show

/* The clips of a folder and of those in it, sorted. */
export async function clipsOf(dir, deeper = true) {
    const found = [];
    for (const entry of await fs.readdir(dir, { withFileTypes: true })) {
        const file = path.join(dir, entry.name);
        if (entry.isDirectory() && deeper) found.push(...(await clipsOf(file, false)));
        else if (/\.(mp4|mov|mkv|webm|m4v)$/.test(entry.name) && (await fs.stat(file)).size <= LARGEST)
            found.push(file);
    }
    return found.sort();
}

/* A folder that is removed by the returned function. */
export async function tempDir() {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'dropstream-media-'));
    return { dir, remove: () => fs.rm(dir, { recursive: true, force: true }) };
}

/* Runs ffmpeg with the words of a command line; throws with what it said. */
export async function ffmpeg(...args) {
    await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args.flat()], {
        maxBuffer: 1 << 24,
    });
}

/*
 * A clip whose picture flashes white and whose sound beeps in the first tenth of every
 * second: what is seen and heard together must stay together. options: seconds, rate,
 * size, video and audio: ffmpeg's output options (audio null: none), filters: more video
 * filters, soundFilters.
 */
export async function flashClip(file, options = {}) {
    const { seconds = 6, rate = 25, size = '320x180', filters = [], input = [] } = options;
    const video = options.video ?? ['-c:v', 'libx264', '-preset', 'veryfast'];
    const audio = options.audio === undefined ? ['-c:a', 'aac'] : options.audio;
    const pulse = 'lt(mod(t,1),0.1)';
    const picture = [
        `color=black:s=${size}:r=${rate}:d=${seconds}`,
        `drawbox=enable='${pulse}':color=white:t=fill`,
        'format=yuv420p',
        ...filters,
    ].join(',');
    const sound = `sine=1000:d=${seconds}:sample_rate=${options.sampleRate ?? 48000},volume='${pulse}':eval=frame,aformat=sample_fmts=fltp`;
    await ffmpeg(
        ...input,
        ['-f', 'lavfi', '-i', picture],
        audio ? ['-f', 'lavfi', '-i', `${sound},asetnsamples=256`] : [],
        video,
        audio ?? [],
        file,
    );
}

/* The same, padded (H.264 s. 7.4.2.7) so that a second of it (half a megabyte) is many times
 * what is buffered on the way: noise would take several times as long to encode. more: further
 * options of its picture. */
export const paddedClip = (file, seconds, more = []) =>
    flashClip(file, {
        seconds,
        rate: 10, // or most of a test's time is spent on encoding it
        filters: ['drawbox=w=iw/4:color=gray:t=fill'],
        video: [
            ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20', '-x264-params', 'nal-hrd=cbr'],
            ['-b:v', '4M', '-minrate', '4M', '-maxrate', '4M', '-bufsize', '1M', ...more],
        ].flat(),
    });

/* A test card with a tone that begins now and then, made as fast as it goes: what ffmpeg takes
 * longest for is a tone that stays. */
export const cardClip = (file, seconds) =>
    ffmpeg(
        ['-f', 'lavfi', '-i', `testsrc2=s=160x90:r=10:d=${seconds}`],
        ['-f', 'lavfi', '-i', `sine=440:d=${seconds}:sample_rate=48000,volume='lt(mod(t,4),0.2)':eval=frame`],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20', '-c:a', 'aac', '-movflags', '+faststart', file],
    );

// ---- playlists -----------------------------------------------------------------

function attributes(text) {
    const found = {};
    for (const [, key, quoted, plain] of text.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^",]*))/g))
        found[key] = quoted ?? plain;
    return found;
}

/* { audio: [attributes…], subtitles: [attributes…], variants: [attributes with URI…] } of a
 * master playlist. */
export function parseMaster(text) {
    const lines = text.split('\n');
    assert.equal(lines[0], '#EXTM3U');
    const master = { audio: [], subtitles: [], variants: [] };
    lines.forEach((line, i) => {
        if (line.startsWith('#EXT-X-MEDIA:')) {
            const media = attributes(line.slice(13));
            (media.TYPE === 'SUBTITLES' ? master.subtitles : master.audio).push(media);
        }
        if (line.startsWith('#EXT-X-STREAM-INF:'))
            master.variants.push({ ...attributes(line.slice(18)), URI: lines[i + 1] });
    });
    return master;
}

/* { target, ended, type, map, segments: [{ duration, uri }] } of a media playlist. */
export function parseMedia(text) {
    const lines = text.split('\n');
    assert.equal(lines[0], '#EXTM3U');
    const media = { segments: [], ended: lines.includes('#EXT-X-ENDLIST') };
    let duration;
    for (const line of lines) {
        if (line.startsWith('#EXT-X-TARGETDURATION:')) media.target = Number(line.slice(22));
        else if (line.startsWith('#EXT-X-PLAYLIST-TYPE:')) media.type = line.slice(21);
        else if (line.startsWith('#EXT-X-MAP:')) media.map = attributes(line.slice(11)).URI;
        else if (line.startsWith('#EXTINF:')) duration = Number.parseFloat(line.slice(8));
        else if (line && !line.startsWith('#')) media.segments.push({ duration, uri: line });
    }
    return media;
}

// ---- boxes ---------------------------------------------------------------------

/* [{ type, body }] of the boxes that fill buf exactly. */
export function boxes(buf) {
    const found = [];
    let at = 0;
    while (at < buf.length) {
        let size = buf.readUInt32BE(at);
        const header = size === 1 ? 16 : 8;
        if (size === 1) size = Number(buf.readBigUInt64BE(at + 8));
        assert.ok(size >= header && at + size <= buf.length, 'a box runs over its end');
        found.push({
            type: buf.toString('latin1', at + 4, at + 8),
            body: buf.subarray(at + header, at + size),
        });
        at += size;
    }
    return found;
}

function box(buf, ...names) {
    let body = buf;
    for (const name of names) {
        body = boxes(body).find(({ type }) => type === name)?.body;
        assert.ok(body, `no box ${names.join('/')}`);
    }
    return body;
}

/* { timescale, avc: "avc1.xxxxxx" or undefined } of an init segment. */
export function readInit(buf) {
    const mdhd = box(buf, 'moov', 'trak', 'mdia', 'mdhd');
    const stsd = box(buf, 'moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd');
    const entry = boxes(stsd.subarray(8))[0];
    let avc;
    if (entry.type === 'avc1') {
        const avcC = box(entry.body.subarray(78), 'avcC');
        avc = `avc1.${avcC.toString('hex', 1, 4)}`;
    }
    return { timescale: mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12), entry: entry.type, avc };
}

/* { decodeTime, frames, ticks } of a media segment. */
export function readSegment(buf) {
    const moof = box(buf, 'moof');
    assert.equal(boxes(moof).filter(({ type }) => type === 'traf').length, 1);
    const traf = box(moof, 'traf');
    const tfhd = box(traf, 'tfhd');
    const tfdt = box(traf, 'tfdt');
    const flags = tfhd.readUInt32BE(0) & 0xffffff;
    let at = 8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0);
    const usual = flags & 8 ? tfhd.readUInt32BE(at) : undefined;
    let frames = 0;
    let ticks = 0;
    for (const { type, body } of boxes(traf)) {
        if (type !== 'trun') continue;
        const has = body.readUInt32BE(0) & 0xffffff;
        const count = body.readUInt32BE(4);
        const sample = [0x100, 0x200, 0x400, 0x800].filter((bit) => has & bit).length * 4;
        at = 8 + (has & 1 ? 4 : 0) + (has & 4 ? 4 : 0);
        for (let i = 0; i < count; i++, at += sample)
            ticks += has & 0x100 ? body.readUInt32BE(at) : usual;
        frames += count;
    }
    const decodeTime = tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
    return { decodeTime, frames, ticks };
}

// ---- a whole rendition -----------------------------------------------------------

const YEAR = /max-age=31536000/;

async function get(site, url) {
    const res = await site.request('GET', url);
    assert.equal(res.status, 200, `GET ${url}`);
    return res;
}

/*
 * Fetches a rendition's playlist, init segment and every segment as a client would and
 * checks: VOD with an end, EXTINF = what is in the segment, no gap and no overlap from 0
 * on, cache headers. Returns { init (its bytes), file (all of it as one MP4), frames,
 * duration, segments }.
 */
export async function fetchRendition(site, url) {
    const base = url.slice(0, url.lastIndexOf('/') + 1);
    const res = await get(site, url);
    assert.match(res.headers['content-type'], /^application\/vnd\.apple\.mpegurl/);
    assert.match(res.headers['cache-control'], /no-cache/);
    const list = parseMedia(res.text);
    assert.equal(list.type, 'VOD');
    assert.ok(list.ended);

    const init = await get(site, base + list.map);
    assert.match(init.headers['cache-control'], YEAR);
    const { timescale, entry, avc } = readInit(init.body);
    const parts = [init.body];
    const segments = [];
    let next = 0;
    for (const { uri, duration } of list.segments) {
        const part = await get(site, base + uri);
        assert.match(part.headers['cache-control'], YEAR);
        assert.equal(part.headers['content-type'], 'video/iso.segment');
        const segment = readSegment(part.body);
        // Sound that is copied begins with its first whole packet, and its list with 0.
        const late = segments.length === 0 && entry === 'mp4a' && segment.decodeTime <= timescale / 10 ? segment.decodeTime : 0;
        next += late;
        assert.equal(segment.decodeTime, next, `${uri} begins where the one before ends`);
        // Of its last packet only a part may be meant to be heard.
        const by = entry === 'mp4a' && segments.length === list.segments.length - 1 ? 1024 / timescale : 0.001;
        assert.ok(Math.abs((segment.ticks + late) / timescale - duration) < by, `${uri}: EXTINF`);
        assert.ok(Math.round(duration) <= list.target, `${uri}: TARGETDURATION`);
        next += segment.ticks;
        parts.push(part.body);
        segments.push({ ...segment, bytes: part.body.length, duration });
    }
    const frames = segments.reduce((sum, s) => sum + s.frames, 0);
    const file = Buffer.concat(parts);
    return { init: init.body, file, frames, duration: next / timescale, segments, entry, avc, timescale };
}

/* What a ready video began with, picture and sound: { video, audio (or undefined), master }. */
export async function fetchVideo(site, video) {
    const base = video.media.slice(0, video.media.lastIndexOf('/') + 1);
    const master = parseMaster((await get(site, video.media)).text);
    const [variant] = master.variants;
    assert.match(variant.URI, /^360p-/, 'the one that is there first is the first one listed');
    const result = { master, video: await fetchRendition(site, base + variant.URI) };
    assert.equal(variant.CODECS.split(',')[0], result.video.avc, 'CODECS is what is in it');
    const inPlaylist = video.renditions.find(({ kind }) => kind === 'video');
    assert.equal(variant.RESOLUTION, `${inPlaylist.width}x${inPlaylist.height}`);
    if (master.audio.length) {
        assert.equal(variant.AUDIO, master.audio[0]['GROUP-ID']);
        result.audio = await fetchRendition(site, base + master.audio[0].URI);
        assert.equal(result.audio.entry, 'mp4a');
        assert.match(variant.CODECS, /,mp4a\.40\.2$/);
    }
    return result;
}

// ---- decoding --------------------------------------------------------------------

/* What ffmpeg makes of a buffer: its raw output. Fails on any decoding error. */
export function decode(buf, args) {
    return new Promise((resolve, reject) => {
        const child = spawn('ffmpeg', ['-v', 'error', '-i', 'pipe:0', ...args, 'pipe:1']);
        const out = [];
        let said = '';
        child.stdout.on('data', (data) => out.push(data));
        child.stderr.on('data', (data) => (said += data));
        child.stdin.on('error', () => {});
        child.on('error', reject);
        child.on('close', (code) =>
            code === 0 && said === ''
                ? resolve(Buffer.concat(out))
                : reject(new Error(`ffmpeg: ${code} ${said}`)),
        );
        child.stdin.end(buf);
    });
}

/* The mean brightness of every frame, 0 to 255. Fails on any decoding error. */
export async function brightness(buf) {
    const args = ['-vf', 'scale=1:1:flags=area,format=gray', '-fps_mode', 'passthrough'];
    return [...(await decode(buf, [...args, '-f', 'rawvideo']))];
}

/* The sound as mono samples at 48 kHz, −1 to 1. */
export async function samples(buf) {
    const raw = await decode(buf, ['-ac', '1', '-ar', '48000', '-f', 'f32le']);
    return new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
}

/* When values rise over a level after having been below it for a while: seconds. */
function rises(values, rate, level, rest) {
    const found = [];
    let below = Number.POSITIVE_INFINITY; // silence before the beginning
    for (let i = 0; i < values.length; i++) {
        if (Math.abs(values[i]) < level) {
            below++;
        } else {
            if (below >= rest) found.push(i / rate);
            below = 0;
        }
    }
    return found;
}

/* When the flashes of a flashClip are seen in a decoded rendition, in seconds. */
export async function flashes(rendition) {
    const values = await brightness(rendition.file);
    assert.equal(values.length, rendition.frames, 'every frame decodes');
    return rises(values, rendition.frames / rendition.duration, 128, 3);
}

/* When its beeps are heard. */
export async function beeps(rendition) {
    const values = await samples(rendition.file);
    assert.equal(values.length, rendition.frames * 1024, 'every AAC frame decodes');
    return rises(values, 48000, 0.02, 24000);
}

/*
 * The pictures of two renditions that are not alike: "picture 7: 23.5 dB" for each whose
 * PSNR is below floor. Both must have as many of them.
 */
export async function differentPictures(a, b, floor) {
    const { dir, remove } = await tempDir();
    try {
        const [one, two, stats] = ['a.mp4', 'b.mp4', 'stats'].map((name) => path.join(dir, name));
        await fs.writeFile(one, a.file);
        await fs.writeFile(two, b.file);
        // Compared by their numbers: two that differ in time by a tick are still a pair.
        const number = 'settb=1/1000,setpts=N';
        const graph = `[0:v]${number}[a];[1:v]${number}[b];[a][b]psnr=stats_file=${stats}`;
        await ffmpeg('-i', one, '-i', two, '-lavfi', graph, '-fps_mode', 'passthrough', '-f', 'null', '-');
        const lines = (await fs.readFile(stats, 'utf8')).trim().split('\n');
        assert.equal(lines.length, a.frames);
        assert.equal(lines.length, b.frames);
        const decibels = lines.map((line) => Number(/psnr_avg:(inf|[0-9.]+)/.exec(line)[1].replace('inf', 'Infinity')));
        return decibels.map((db, i) => `picture ${i}: ${db} dB`).filter((_, i) => decibels[i] < floor);
    } finally {
        await remove();
    }
}
