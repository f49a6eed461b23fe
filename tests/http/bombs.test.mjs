/*
 * Small files that ask for a lot: each is refused in a sentence, or plays, and takes no more
 * memory, disk and time than is fair. A real site, a real worker.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { box } from '../lib/bmff_write.mjs';
import * as bombs from '../lib/bombs.mjs';
import { cost } from '../lib/cost.mjs';
import { brightness, fetchVideo, ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';
import { WATCHED } from '../lib/under.mjs';
import { create, patch } from '../lib/tus.mjs';

const MEMORY_MB = 200; // of any one program
const DISK_MB = 50;
const WITHIN_S = 10;
const BUSY = 6; // times as long, on a machine that has a lot else to do

const worst = { memory_mb: 0, disk_mb: 0, seconds: 0 };
let site;
let temp;
before(async () => {
    temp = await tempDir();
    site = await startSite({ worker: true, extras: true, env: { DROPSTREAM_BACKOFF_MS: '100' } });
});
after(async () => {
    console.log('the most that any of them took:', worst);
    await site?.stop();
    await temp.remove();
});

/* Uploads it, waits for its end, and says what it took. */
async function exploded(bytes, name, t) {
    const used = await cost(site, async () => {
        const { status, json } = await site.upload(bytes, { name });
        if (status !== 201) {
            assert.equal(status, 415);
            return { state: 'refused', error: json.error.message };
        }
        return site.waitForState(json.id, ['ready', 'failed']);
    });
    const video = used.result;
    t.diagnostic(`${bytes.length} bytes: ${video.state}, ${video.error ?? video.warning ?? ''} ${used.memory_mb} MB (${used.program}), ${used.disk_mb} MB on disk, ${used.seconds} s`);
    if (video.state !== 'ready') assert.match(video.error, /^[A-Z][^\n]*\.$/);
    return { ...used, video };
}

function assertFair({ memory_mb: memory, disk_mb: disk, seconds, program }) {
    worst.memory_mb = Math.max(worst.memory_mb, memory);
    worst.disk_mb = Math.max(worst.disk_mb, disk);
    worst.seconds = Math.max(worst.seconds, seconds);
    assert.ok(WATCHED || memory < MEMORY_MB, `${program} took ${memory} MB`);
    assert.ok(disk < DISK_MB, `${disk} MB on disk`);
    assert.ok(seconds < BUSY * WITHIN_S, `${seconds} s`);
}

const LONG = /longer than this site takes|no video that can be decoded/;
const LIES = /^The file is damaged: its index tells of more pictures than/;
const STREAMS = /^The file has 65 streams; at most 64 are taken\.$/;
const UNPACKED = /^The file's index takes more than 64 MB when it is unpacked\.$/;
const MKV = { name: 'a.mkv' };
const BOMBS = {
    'a picture that is shown for 1.9 million seconds': [bombs.longPicture],
    'two pictures that are 1.9 million seconds apart': [bombs.farApart(1_900_000), { says: LONG }],
    'two pictures that are 23 hours apart': [bombs.farApart(23 * 3600), { says: /^The file is damaged: it is too small for a video of 23:00:00\.$/ }],
    'pictures that say they are 16,000 × 16,000': [bombs.hugePictures, { name: 'a.mov' }],
    'a picture of 16,000 × 16,000': [bombs.realHuge],
    '10,000 streams in an MP4': [bombs.mp4Streams(10_000), { says: /^The file has 10,000 streams; at most 64 are taken\.$/ }],
    '10,000 streams in a Matroska file': [bombs.mkvStreams(10_000), { ...MKV, says: /^The file has 10,000 streams; at most 64 are taken\.$/ }],
    '120,000 pictures a second': [bombs.fastPictures(120_000, 3000), { says: /^The file has 120,000 pictures a second; at most 1,000 are taken\.$/ }],
    'twenty million samples in a few bytes': [bombs.countlessSamples(), { says: /^The file has 120,000 pictures a second/ }],
    'as many in a day, on each of 60 tracks': [bombs.countlessSamples(60, 5_000_000, 60), { says: LIES }],
    'a fragment that has as many': [bombs.countlessFragments(), { says: LIES }],
    'many fragments that do': [bombs.countlessFragments(200), { says: LIES }],
    'as many in a compressed index': [bombs.compressedIndex(bombs.countlessSamples()), { name: 'a.mov', says: /^The file has 120,000 pictures a second/ }],
    'a compressed index of 80 MB': [bombs.hugeIndex(80 << 20), { name: 'a.mov', says: UNPACKED }],
    'one that says it has 4 GB': [bombs.boastfulIndex(0xfffffff0), { name: 'a.mov', says: UNPACKED }],
    'streams behind 32 MB of empty boxes in one': [bombs.crowdedIndex(65, 32 << 20), { name: 'a.mov', says: STREAMS }],
    'streams in an index by another name': [bombs.disguised(bombs.mp4Streams(65), 'free'), { says: STREAMS }],
    'boxes that are nested': [bombs.nestedBoxes(200_000)],
    'elements that are nested': [bombs.nestedElements(2000), MKV],
    'cues without end': [bombs.endlessCues(600_000), { ...MKV, says: /index has no end/ }],
    'cues that say nothing, without end': [bombs.emptyCues(5_000_000), { ...MKV, says: /index has no end/ }],
    'a title of five million letters': [bombs.longTitle(5_000_000), { ...MKV, says: /^The file says more of itself than/ }],
    'a list of places that leads to itself': [bombs.seekLoop, MKV],
};

describe('a small file that asks for a lot', () => {
    for (const [what, [make, { name = 'a.mp4', says } = {}]] of Object.entries(BOMBS))
        test(what, async (t) => {
            const used = await exploded(await make(temp.dir), name, t);
            assertFair(used);
            if (says) assert.match(used.video.error ?? used.video.warning, says);
        });
});

/* ffmpeg is given what is there of a file while it comes in. */
describe('one that comes in is refused before any program has it', () => {
    const padded = (make) => async (dir) => Buffer.concat([await make(dir), Buffer.alloc(20_000)]);
    const front = async (dir) => {
        const file = path.join(dir, 'clip.mp4');
        await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=25:d=2', '-c:v', 'libx264', '-movflags', '+faststart', file);
        const bytes = await fs.readFile(file);
        const mdat = bytes.indexOf('mdat') - 4;
        return Buffer.concat([bytes.subarray(0, mdat), ...Array.from({ length: 64 }, () => box('moov', box('trak'))), bytes.subarray(mdat)]);
    };
    const cases = {
        'streams in an MP4': [front, 'a.mp4', 'The file has 65 streams; at most 64 are taken.'],
        'streams in a Matroska file': [padded(bombs.mkvStreams(65)), 'a.mkv', 'The file has 65 streams; at most 64 are taken.'],
    };
    for (const [what, [make, filename, says]] of Object.entries(cases))
        test(what, () => site.logged(async () => {
            const bytes = await make(temp.dir);
            const upload = await create(site, bytes.length, { filename });
            const { headers } = await patch(site, upload, 0, bytes.subarray(0, -1));
            const id = headers['dropstream-video'];
            const read = async () => (await site.api('GET', `/api/videos/${id}`)).json;
            const warned = await waitFor(async () => (await read()).warning && read(), { what: 'it to be refused' });
            assert.equal(warned.warning, says);
            assert.equal(warned.state, 'receiving');
            await patch(site, upload, bytes.length - 1, bytes.subarray(-1));
            assert.equal((await site.waitForState(id, 'failed')).error, says);
            const logs = (await fs.readdir(site.path('log/jobs'))).map((name) => fs.readFile(site.path('log/jobs', name), 'utf8'));
            const ofIt = (await Promise.all(logs)).filter((text) => text.includes(id));
            assert.ok(ofIt.length > 0);
            assert.doesNotMatch(ofIt.join(''), /ffprobe|ffmpeg/);
        })());
});

test('a film of QuickTime with a compressed index plays', async (t) => {
    const used = await exploded(await bombs.compressedIndex(bombs.quickTime)(temp.dir), 'a.mov', t);
    assert.equal(used.video.state, 'ready');
    assert.equal(used.video.warning, null);
    const out = await fetchVideo(site, used.video);
    assert.equal((await brightness(out.video.file)).length, out.video.frames);
    assert.equal(out.video.duration, 2);
});

test('a real clip of 8K takes what it takes, and plays', async (t) => {
    const used = await exploded(await bombs.realClip(temp.dir, '7680x4320'), 'a.mp4', t);
    assert.equal(used.video.state, 'ready');
    assert.equal(used.video.warning, null);
    const out = await fetchVideo(site, used.video);
    assert.equal((await brightness(out.video.file)).length, out.video.frames);
});
