/*
 * Real clips that nobody here made: every file of the folder that DROPSTREAM_CORPUS
 * names (searched two levels deep) goes in, and must end well or be refused in words. A
 * file MANIFEST.tsv beside them, if there is one, says how long each is. Each quality of each
 * plays in Chromium. Of those that are long enough, one of each kind is made once more, by many
 * runs, and these join up: where a run begins in a source, and what it sees there, depends on
 * its container, on its codec, and on whether it has an edit list or a variable rate.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../lib/browser.mjs';
import { validateVideo } from '../lib/hls_validator.mjs';
import { assertJoined, encodeInRuns, inLanes, startMixedSite } from '../lib/joined.mjs';
import { brightness, clipsOf, CORPUS, fetchVideo, samples, tempDir } from '../lib/media.mjs';
import { told, wholeStoryboard } from '../lib/pictures.mjs';
import { startPlayer } from '../lib/playback.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

/* Name → { duration, audio } of the manifest, with declared durations as they are. */
async function manifestOf(dir) {
    const text = await fs.readFile(path.join(dir, 'MANIFEST.tsv'), 'utf8').catch(() => '');
    const [head, ...rows] = text.trimEnd().split('\n').map((line) => line.split('\t'));
    return Object.fromEntries(
        rows.map((row) => {
            const of = (name) => row[head.indexOf(name)];
            return [of('file'), { duration: Number(of('duration')), audio: of('audio'), tags: of('tags') }];
        }),
    );
}

const isGood = (file) => !/hostile|audio_only/.test(file);
const LEAST_SEGMENTS = 4; // or nothing has to join up

/* How far two encoders may differ; see media.mjs and sound.mjs. Matroska tells times in
 * whole ms: a run in 44.1 kHz sound begins up to half a one early or late. */
const TOLERANCE = { floor: 35, sound: { noise: 0.5 } };
const MATROSKA = { floor: 35, sound: { noise: 0.75, slack: 24 } };
/* Where the size of the pictures changes on the way, ffmpeg builds its filters anew, and a
 * run that began just before may show a neighbour of the right picture: three a run. */
const RESIZED = { ...MATROSKA, odd: 6 };
const toleranceOf = (file) =>
    /resolution-change/.test(file) ? RESIZED : /\.(mkv|webm)$/.test(file) ? MATROSKA : TOLERANCE;

const files = CORPUS ? await clipsOf(CORPUS) : [];
const manifest = CORPUS ? await manifestOf(CORPUS) : {};
const skip = files.length === 0 && 'DROPSTREAM_CORPUS names no folder of clips';

let site;
const videos = new Map();

before(async () => {
    if (skip) return;
    // One rung above 360p, a small one: of two, and of large ones, ladder.test.mjs knows all.
    site = await startSite({ worker: true, extras: true, env: { DROPSTREAM_BACKOFF_MS: '50', DROPSTREAM_LADDER_MAX_SIDE: '480' } });
    for (const file of files) videos.set(file, await site.upload(file));
});
after(() => site?.stop());

/* The last packet of sound that is copied may be a part of one. */
const isNear = (a, b, by) => assert.ok(Math.abs(a - b) <= by, `${a}, should be ${b}`);

describe('real clips', { skip }, () => {
    for (const file of files)
        test(path.relative(CORPUS, file), async () => {
            const { status, json } = videos.get(file);
            const hostile = file.includes('hostile');
            if (status !== 201) {
                assert.ok(hostile, `refused: ${json?.error?.message}`);
                assert.equal(status, 415);
                assert.match(json.error.message, /^[A-Z].*\.$/);
                return;
            }
            const video = await site.waitForState(json.id, hostile || /audio_only/.test(file) ? ['ready', 'failed'] : 'ready', { timeout: 240_000 });
            if (video.state === 'failed') {
                assert.match(video.error, /^[A-Z]/, 'a sentence');
                assert.equal(video.media, null);
                return;
            }
            const out = await fetchVideo(site, video);
            const frame = out.video.duration / out.video.frames;
            assert.equal((await brightness(out.video.file)).length, out.video.frames);
            assert.ok(Math.abs(out.video.duration - video.duration) <= frame);
            if (out.audio) {
                const frame48 = (1024 * 48000) / out.audio.timescale;
                isNear((await samples(out.audio.file)).length, out.audio.frames * frame48, frame48 + 1);
            }
            const said = manifest[path.relative(CORPUS, file)];
            if (said && !hostile && said.duration < 1000 && !/start=|subs=|edit-list|fragmented/.test(said.tags)) {
                assert.ok(Math.abs(video.duration - said.duration) < 0.25, `${video.duration} s of ${said.duration} s`);
                assert.equal(Boolean(out.audio), !/no-audio/.test(said.tags));
            }
        });
});

describe('all that is made of real clips is valid, and plays', { skip, concurrency: 3 }, () => {
    let browser;
    let player;
    before(async () => {
        browser = await launchBrowser();
        player = await startPlayer(browser, site);
    });
    after(() => browser?.close());

    for (const file of files.filter(isGood))
        test(path.relative(CORPUS, file), async () => {
            const { video, master, player: listed } = await validateVideo(site, videos.get(file).json.id);
            assert.deepEqual([...master.complaints, ...listed.complaints], []);
            await player.playsToItsEnd(video.media, { seconds: video.duration, speed: 8 });
        });
});

describe('the poster and the small pictures of real clips', { skip }, () => {
    for (const file of files.filter(isGood))
        test(path.relative(CORPUS, file), async (t) => {
            const { id } = videos.get(file).json;
            const said = await waitFor(async () => {
                const lines = await told(site, id, 'storyboard');
                return lines.some((line) => / made$|given up/.test(line)) && lines.join();
            }, { what: 'the storyboard', timeout: 120_000, moving: () => site.made() });
            // Keyframes of an open GOP may come out of the decoder in another order.
            if (said.includes('Error submitting video frame')) return t.skip(said);
            const video = (await site.api('GET', `/api/videos/${id}`)).json;
            assert.ok(video.poster);
            assert.ok(video.storyboard, said);
            return wholeStoryboard(site, video);
        });
});

/* What a run's beginning depends on. */
function kindOf(file, { video_codec: codec }) {
    const { tags = '' } = manifest[path.relative(CORPUS, file)] ?? {};
    return [path.extname(file), codec, /edit-list/.test(tags), /vfr/.test(tags)].join(' ');
}

/* Of each kind one with sound if there is one, and the shortest of those. */
function oneOfEachKind(candidates) {
    const chosen = new Map();
    const rank = ([, { audio_codec: sound, duration }]) => (sound ? 0 : 1e6) + duration;
    for (const [file, video] of [...candidates].sort((a, b) => rank(a) - rank(b))) {
        const kind = kindOf(file, video);
        if (!chosen.has(kind)) chosen.set(kind, file);
    }
    return new Set(chosen.values());
}

describe('runs of real clips join up', { skip }, () => {
    let temp;
    let mixedSite;
    let straight; // clip → its video in one run; none of those that are too short
    let chosen;
    let results;

    before(async () => {
        temp = await tempDir();
        straight = new Map();
        for (const file of files.filter(isGood)) {
            const video = await site.waitForState(videos.get(file).json.id, 'ready', { timeout: 240_000 });
            if (video.renditions[0].segments >= LEAST_SEGMENTS) straight.set(file, video);
        }
        chosen = oneOfEachKind(straight);
        mixedSite = await startMixedSite(temp.dir);
        results = inLanes([...chosen], (file) => encodeInRuns(mixedSite, file));
    });
    after(async () => {
        await mixedSite?.stop();
        await temp.remove();
    });

    for (const file of files.filter(isGood))
        test(path.relative(CORPUS, file), async (t) => {
            if (!straight.has(file)) return t.skip(`fewer than ${LEAST_SEGMENTS} segments`);
            if (!chosen.has(file)) return t.skip('another one of its kind is shorter, or has sound');
            const { mixed } = await results.get(file);
            const whole = await fetchVideo(site, straight.get(file));
            return assertJoined(whole, mixed, toleranceOf(file));
        });
});
