/*
 * Playlists, scripts and references in disguise: whatever a file says it is, and whatever it
 * names, no other file is read for it and no request is made. A server that listens must see
 * nothing; what is in a secret file must be in no output.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { EBML_HEAD, FTYP, box, element, full, mvhd, short, trak, u16, u32 } from '../lib/bmff_write.mjs';
import { childrenOf } from '../lib/demand.mjs';
import { assertError } from '../lib/errors.mjs';
import { ffmpeg, flashClip, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';
import { waitForSubtitles } from '../lib/subtitles.mjs';

const SECRET = 'the-secret-words-8c1f';

let site;
let temp;
let clip; // a video, which names no other
let server;
const asked = []; // by anybody, of the server

before(async () => {
    temp = await tempDir();
    server = http.createServer((req, res) => {
        asked.push(`${req.method} ${req.url}`);
        res.end(SECRET);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    site = await startSite({ worker: true, extras: true, env: { DROPSTREAM_BACKOFF_MS: '50' } });
    await fs.writeFile(temp.dir + '/secret.srt', `1\n00:00:00,000 --> 00:00:03,000\n${SECRET}\n`);
    clip = path.join(temp.dir, 'clip.mp4');
    await flashClip(clip, { seconds: 4 });
    // A secret that could be shown: another video, of one colour.
    await ffmpeg('-f', 'lavfi', '-i', 'color=red:s=320x180:r=25:d=4', '-c:v', 'libx264', '-metadata', `title=${SECRET}`, path.join(temp.dir, 'secret.mp4'));
});
after(async () => {
    await site?.stop();
    server?.close();
    await temp.remove();
});

const places = () => [`file://${temp.dir}/secret.mp4`, `${temp.dir}/secret.srt`, `http://127.0.0.1:${server.address().port}/secret`];

const TEXTS = {
    'an HLS playlist': (of) => `#EXTM3U\n#EXT-X-TARGETDURATION:4\n${of.map((url) => `#EXTINF:4,\n${url}\n`).join('')}#EXT-X-ENDLIST\n`,
    'a list to be joined': (of) => `ffconcat version 1.0\n${of.map((url) => `file '${url}'\n`).join('')}`,
    'a DASH manifest': (of) => `<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>${of[2]}</BaseURL></Representation></AdaptationSet></Period></MPD>\n`,
    'an SDP description': () => 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
    'subtitles as SRT': (of) => `1\n00:00:00,000 --> 00:00:03,000\n<img src="${of[2]}"> ${of[0]}\n`,
    'subtitles as ASS': (of) => `[Script Info]\nScriptType: v4.00+\nVideo File: ${of[0]}\n[Events]\nFormat: Start, End, Text\nDialogue: 0:00:00.00,0:00:03.00,${of[2]}\n`,
    'subtitles as WebVTT': (of) => `WEBVTT\n\nSTYLE\n::cue { background: url(${of[2]}) }\n\n00:00.000 --> 00:03.000\n${of[0]}\n`,
};

/* All files that the site has made, wherever they are. */
async function outputs(dir = site.dir, skip = site.path('spool')) {
    const found = [];
    for (const entry of await fs.readdir(dir, { withFileTypes: true })) {
        const file = path.join(dir, entry.name);
        if (entry.isDirectory() && file !== skip) found.push(...(await outputs(file, skip)));
        else if (entry.isFile()) found.push(file);
    }
    return found;
}

async function nothingGotOut() {
    assert.deepEqual(asked, []);
    for (const file of await outputs())
        assert.ok(!(await fs.readFile(file).catch(() => Buffer.alloc(0))).includes(SECRET), file);
}

/* It is refused at the door, or by the worker, or plays what is its own; in any case nothing
 * that it names is looked at. */
async function harmless(bytes, name) {
    const { status, json } = await site.upload(bytes, { name });
    if (status === 201) {
        const video = await site.waitForState(json.id, ['ready', 'failed']);
        await quiet(json.id);
        if (video.state === 'failed') assert.match(video.error, /^[A-Z]/);
        await nothingGotOut();
        return video;
    }
    assert.equal(status, 415);
    await nothingGotOut();
    return { state: 'refused' };
}

/* Until nothing is made of it any more: what is extra comes behind. */
const quiet = (id) => waitFor(async () => {
    const { renditions, state, poster } = (await site.api('GET', `/api/videos/${id}`)).json;
    if (state === 'failed') return true;
    return poster && childrenOf(site.pid('worker')).length === 0 && renditions.every(({ done, segments }) => !segments || done === segments);
}, { timeout: 60_000, what: 'all of it', moving: () => site.made() });

test('a program that is not kept from it asks the server', async () => {
    const file = path.join(temp.dir, 'list.txt');
    await fs.writeFile(file, TEXTS['a list to be joined'](places().slice(2)));
    const asks = ffmpeg('-f', 'concat', '-safe', '0', '-protocol_whitelist', 'file,http,tcp', '-i', file, '-f', 'null', '-');
    await assert.rejects(asks, 'what it gets is no video');
    assert.ok(asked.splice(0).includes('GET /secret'));
});

describe('a text in place of a video', () => {
    for (const [what, text] of Object.entries(TEXTS))
        for (const name of ['a.mp4', 'a.mkv', 'a.m3u8'])
            test(`${what} named ${name} is refused`, async () => {
                const bytes = Buffer.from(text(places()).padEnd(5000, '\n'));
                assertError(await site.upload(bytes, { name }), 415, 'unsupported_type');
                await nothingGotOut();
            });
});

describe('a text behind the beginning of a video', () => {
    const begins = {
        'an MP4 with junk': () => Buffer.concat([FTYP, box('free', Buffer.alloc(4096))]),
        'an MP4 with an empty index': () => Buffer.concat([FTYP, box('moov', mvhd(1000, 0)), box('free', Buffer.alloc(4096))]),
        'a Matroska header': () => Buffer.concat([EBML_HEAD, element(0x18538067, element(0xec, Buffer.alloc(4096)))]),
    };
    for (const [begin, head] of Object.entries(begins))
        for (const [what, text] of Object.entries(TEXTS))
            test(`${what} behind ${begin}`, async () => {
                const bytes = Buffer.concat([head(), Buffer.from(`\n${text(places())}`)]);
                const { state } = await harmless(bytes, begin.includes('Matroska') ? 'a.mkv' : 'a.mp4');
                assert.equal(state, 'failed');
            });
});

/* A data reference to another file (ISO 14496-12 s. 8.7.2; QuickTime's alias). */
const urlBox = (url) => box('url ', u32(0), Buffer.from(`${url}\0`));
function alias(file) {
    const name = path.basename(file);
    const volume = Buffer.alloc(28);
    volume[0] = 4;
    volume.write('disk', 1);
    const short64 = Buffer.alloc(64);
    short64[0] = name.length;
    short64.write(name, 1);
    const record = (type, text) => Buffer.concat([u16(type), u16(text.length), Buffer.from(text), Buffer.alloc(text.length % 2)]);
    return box('alis', u32(0), Buffer.alloc(10), volume, Buffer.alloc(12), short64, Buffer.alloc(16), u16(1), u16(1), Buffer.alloc(16),
        record(2, file), record(18, file), u16(0xffff), u16(0));
}

/* The index of the clip that is the secret, whose samples are said to be in that file. */
async function refersTo(dref) {
    const secret = await fs.readFile(path.join(temp.dir, 'secret.mp4'));
    const moovAt = secret.indexOf('moov') - 4;
    const moov = secret.subarray(moovAt, moovAt + secret.readUInt32BE(moovAt));
    const at = moov.indexOf('dref') - 4;
    const old = moov.readUInt32BE(at);
    const fresh = full('dref', u32(1), dref);
    const bytes = Buffer.concat([moov.subarray(0, at), fresh, moov.subarray(at + old)]);
    const grown = fresh.length - old;
    for (const name of ['moov', 'trak', 'mdia', 'minf', 'dinf']) {
        const head = bytes.indexOf(name) - 4;
        bytes.writeUInt32BE(bytes.readUInt32BE(head) + grown, head);
    }
    const title = bytes.indexOf(SECRET);
    if (title >= 0) bytes.write('x'.repeat(SECRET.length), title);
    return Buffer.concat([FTYP, bytes, box('mdat', Buffer.alloc(40_000))]);
}

describe('an index that refers to another file', () => {
    const references = {
        'by url, file:': () => urlBox(places()[0]),
        'by url, http:': () => urlBox(places()[2]),
        'by url, a path': () => urlBox(path.join(temp.dir, 'secret.mp4')),
        'by alias': () => alias(path.join(temp.dir, 'secret.mp4')),
        'by an alias that names its neighbour': () => alias('secret.mp4'),
    };
    for (const [how, dref] of Object.entries(references))
        test(how, async () => {
            await fs.copyFile(path.join(temp.dir, 'secret.mp4'), site.path('spool/secret.mp4'));
            const video = await harmless(await refersTo(dref()), 'a.mov');
            if (video.state !== 'ready') return;
            // What is shown is its own: grey where there is nothing, and never red.
            const { body } = await site.request('GET', video.media.replace('master.m3u8', 'poster.jpg'));
            const redness = await reddest(body);
            assert.ok(redness < 40, `${redness}`);
        });
});

/* How much more red than green there is at most in a picture. */
async function reddest(jpeg) {
    const file = path.join(temp.dir, 'poster.jpg');
    const raw = path.join(temp.dir, 'poster.raw');
    await fs.writeFile(file, jpeg);
    await ffmpeg('-i', file, '-pix_fmt', 'rgb24', '-f', 'rawvideo', raw);
    const pixels = await fs.readFile(raw);
    let most = 0;
    for (let i = 0; i + 2 < pixels.length; i += 3) most = Math.max(most, pixels[i] - pixels[i + 1]);
    return most;
}

describe('a Matroska file that names others', () => {
    test('by an attachment that is a playlist', async () => {
        const list = path.join(temp.dir, 'list.m3u8');
        await fs.writeFile(list, TEXTS['an HLS playlist'](places()));
        const file = path.join(temp.dir, 'attached.mkv');
        await ffmpeg('-i', clip, '-c', 'copy', '-attach', list, '-metadata:s:t', 'mimetype=application/vnd.apple.mpegurl', file);
        assert.equal((await harmless(await fs.readFile(file), 'a.mkv')).state, 'ready');
    });

    test('by links to other segments, and chapters that are theirs', async () => {
        const file = path.join(temp.dir, 'plain.mkv');
        await ffmpeg('-i', clip, '-c', 'copy', file);
        const bytes = await fs.readFile(file);
        const uid = Buffer.alloc(16, 7);
        const link = element(0x1549a966, short(0x73a4, Buffer.alloc(16, 1)), short(0x3cb923, uid), short(0x3eb923, uid),
            element(0x3c83ab, Buffer.from(`${temp.dir}/secret.mp4`)), element(0x3e83bb, Buffer.from(places()[2])),
            short(0x2ad7b1, u32(1_000_000)));
        const ordered = element(0x1043a770, element(0x45b9, short(0x45dd, Buffer.from([1])),
            element(0xb6, short(0x73c4, u16(1)), short(0x91, u16(0)), short(0x92, u32(4_000_000_000)), short(0x6e67, uid))));
        const at = bytes.indexOf('1549a966', 0, 'hex');
        const rest = bytes.subarray(at);
        const named = Buffer.concat([EBML_HEAD, element(0x18538067, link, ordered, rest)]);
        assert.notEqual((await harmless(named, 'a.mkv')).state, 'refused');
    });
});

describe('subtitles that name other files', () => {
    for (const what of ['subtitles as SRT', 'subtitles as ASS', 'subtitles as WebVTT', 'an HLS playlist', 'a list to be joined'])
        test(what, async () => {
            const { json } = await site.upload(clip);
            await site.waitForState(json.id, 'ready');
            const body = TEXTS[what](places());
            const { status } = await site.request('PUT', `/api/videos/${json.id}/subtitles/en`, { body, headers: { 'Content-Length': Buffer.byteLength(body) } });
            if (/SRT|WebVTT/.test(what)) {
                assert.equal(status, 201);
                const video = await waitForSubtitles(site, json.id, ['en']);
                const { text } = await site.request('GET', video.media.replace('master.m3u8', 'subs/en.vtt'));
                assert.doesNotMatch(text, /STYLE|<img|url\(/);
            } else {
                assert.ok([415, 422].includes(status), `${status}`);
            }
            await quiet(json.id);
            await nothingGotOut();
        });

    test('as a track inside a file', async () => {
        const srt = path.join(temp.dir, 'names.srt');
        await fs.writeFile(srt, TEXTS['subtitles as SRT'](places()));
        const file = path.join(temp.dir, 'track.mkv');
        await ffmpeg('-i', clip, '-i', srt, '-map', '0', '-map', '1', '-c', 'copy', '-c:s', 'srt', file);
        assert.equal((await harmless(await fs.readFile(file), 'a.mkv')).state, 'ready');
    });
});
