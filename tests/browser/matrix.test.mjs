/*
 * Every kind of clip in the table of matrix.mjs goes into one site. What comes out is valid
 * HLS, as long as the clip, upright, of square pixels, of the right colours, in time, and as
 * loud as it was; and each quality of it plays in Chromium, with the same colours. The first
 * rendition as well as all that are made after it; of the ladder only what is small.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../lib/browser.mjs';
import { validateVideo } from '../lib/hls_validator.mjs';
import { makeMatrix, MARK_S, MATRIX } from '../lib/matrix.mjs';
import {
    beepAt, colourFaults, combed, discSize, ears, flashAt, jpegSize, levelOf, matrixOf, patches, peakOf, pictures,
    PLACES, toneFaults,
} from '../lib/matrix_measure.mjs';
import { decode, fetchRendition, parseMaster, tempDir } from '../lib/media.mjs';
import { startPlayer } from '../lib/playback.mjs';
import { startSite, waitFor } from '../lib/site.mjs';
import { sql } from '../lib/tus.mjs';

let site;
let temp;
let browser;
let player;
const clips = new Map(); // name → clip, with the id of its video

before(async () => {
    [site, temp, browser] = await Promise.all([startSite({ worker: true, extras: true, posters: false, env: { DROPSTREAM_LADDER_MAX_SIDE: '480', DROPSTREAM_PREVIEWS: '0' } }), tempDir(), launchBrowser()]);
    player = await startPlayer(browser, site);
    for (const clip of await makeMatrix(temp.dir)) clips.set(clip.name, clip);
    await Promise.all(
        [...clips.values()].map(async (clip) => {
            const { status, json, text } = await site.upload(clip.file);
            assert.equal(status, 201, text);
            clip.id = json.id;
        }),
    );
    const open = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running') AND kind NOT IN ('storyboard', 'checksum')";
    const allEnded = async () => (await sql(site, open)) === '0';
    await waitFor(allEnded, { timeout: 120_000, every: 300, what: 'all jobs to end', moving: () => site.made() });
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp?.remove();
});

/* The renditions that are encoded: [{ name, width, height, … as fetchRendition }]. */
async function encoded(video) {
    const base = video.media.slice(0, video.media.lastIndexOf('/') + 1);
    const master = parseMaster((await site.request('GET', video.media)).text);
    const made = [];
    for (const { URI, RESOLUTION } of master.variants) {
        if (/^source-/.test(URI)) continue;
        const [width, height] = RESOLUTION.split('x').map(Number);
        made.push({ name: URI.split('-')[0], width, height, ...(await fetchRendition(site, base + URI)) });
    }
    const sound = master.audio[0] && (await fetchRendition(site, base + master.audio[0].URI));
    return { made, sound };
}

const isNear = (a, b, by, what) => assert.ok(Math.abs(a - b) <= by, `${what}: ${a}, should be ${b}`);

function checkPicture(clip, rendition, { first }) {
    const found = patches(first);
    assert.deepEqual(clip.toneMapped ? toneFaults(found, clip) : colourFaults(found, clip), []);
    if (!clip.round) return;
    const { across, down } = discSize(first);
    assert.ok(across > 8 && Math.abs(across - down) <= 2 + 0.01 * across, `the disc is ${across} × ${down}`);
}

/* A poster is a JPEG: BT.601, full range. */
async function checkPoster(clip, { id }) {
    await site.api('PUT', `/api/videos/${id}/poster`, { at: 0 });
    const poster = await waitFor(async () => (await site.api('GET', `/api/videos/${id}`)).json.poster, { what: 'the poster', moving: () => site.made() });
    const { body } = await site.request('GET', poster);
    const { first } = await pictures(body, { ...jpegSize(body), matrix: 'bt601', range: 'pc' });
    const lossy = { ...clip, near: clip.near + 6 };
    assert.deepEqual(clip.toneMapped ? toneFaults(patches(first), lossy) : colourFaults(patches(first), lossy), []);
}

function checkTime(clip, rendition, { count, brightness }, sound) {
    const rate = rendition.frames / rendition.duration;
    if (clip.fps) isNear(rate, clip.fps, 0.01, 'frames a second');
    assert.equal(count, rendition.frames, 'every frame decodes');
    if (!clip.marked || clip.woven) return;
    const seen = flashAt(brightness, rate);
    isNear(seen, MARK_S, 1 / rate + 0.001, 'the flash is seen at');
    if (sound) isNear(beepAt(sound), seen, 1 / rate + 0.001, 'the beep is heard at');
}

/* seen: by a browser. It shows what was copied by tags, or by its own guess where there are
 * none; what is HDR in it, by its own lights. And it shows primaries of old television sets as
 * those of today's screens. */
function checkSeen(clip, { url, colours }) {
    if (clip.woven || /\/source-/.test(url)) return;
    const found = Object.fromEntries(Object.keys(PLACES).map((place, i) => [place, colours[i]]));
    const seen = { ...clip, near: clip.near + (clip.primaries ? 24 : 8) };
    assert.deepEqual(clip.toneMapped ? toneFaults(found, seen) : colourFaults(found, seen), [], url);
}

function checkSound(clip, sound) {
    if (clip.level === undefined) return;
    const levels = Array.isArray(clip.level) ? clip.level : [clip.level, clip.level];
    [sound.left, sound.right].forEach((samples, i) => {
        if (levels[i] === null) assert.ok(levelOf(samples) < -40, `ear ${i} hears ${levelOf(samples)} dB`);
        else isNear(levelOf(samples), levels[i], 0.7, `dB in ear ${i}`);
        assert.ok(peakOf(samples) < 1.03, `ear ${i}: a peak of ${peakOf(samples)}`);
    });
}

describe('of every kind of clip comes what it should, and it plays', { concurrency: 3 }, () => {
    for (const name of Object.keys(MATRIX))
        test(name, async () => {
            const clip = clips.get(name);
            const { video, master, player: listed } = await validateVideo(site, clip.id);
            assert.deepEqual([...master.complaints, ...listed.complaints], []);
            assert.equal(video.error, null);
            assert.equal(video.warning, null);
            const { made, sound } = await encoded(video);
            const [first] = made;
            assert.equal(first.name, '360p');
            assert.deepEqual([first.width, first.height], clip.shown);
            assert.equal(Boolean(sound), Boolean(clip.audio));
            const heard = sound && (await ears(sound.file));
            for (const rendition of made) {
                const frame = rendition.duration / rendition.frames;
                isNear(rendition.duration, clip.seconds, frame + 0.025, `${rendition.name} is so many seconds long`);
                const matrix = matrixOf(rendition);
                if (clip.tagged) assert.equal(matrix, clip.tagged);
                const found = await pictures(rendition.file, { width: rendition.width, height: rendition.height, matrix });
                checkTime(clip, rendition, found, heard);
                if (clip.woven) {
                    const teeth = await combed(rendition.file, rendition.width, rendition.height);
                    assert.ok(teeth < 0.002, `${(100 * teeth).toFixed(2)} % of ${rendition.name} is combed`);
                } else checkPicture(clip, rendition, found);
            }
            if (clip.tagged) await checkPoster(clip, video);
            if (heard) checkSound(clip, heard);
            for (const run of await player.playsToItsEnd(video.media, { seconds: clip.seconds, speed: 8, points: Object.values(PLACES) })) checkSeen(clip, run);
        });

    test('and the woven ones were combed', async () => {
        const woven = [...clips.values()].find(({ woven }) => woven);
        const matroska = await decode(await fs.readFile(woven.file), ['-c', 'copy', '-f', 'matroska']);
        assert.ok((await combed(matroska, ...woven.size)) > 0.02);
    });
});
