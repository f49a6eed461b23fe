/*
 * Every kind of clip in the table of matrix.mjs goes into one site. What comes out is valid
 * HLS, as long as the clip, upright, of square pixels, of the right colours, in time, and as
 * loud as it was. So in the first rendition as in all that are made after it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { validateVideo } from '../lib/hls_validator.mjs';
import { makeMatrix, MARK_S } from '../lib/matrix.mjs';
import {
    beepAt, colourFaults, combed, discSize, ears, flashAt, levelOf, patches, peakOf, picture, tagsOf, toneFaults,
} from '../lib/matrix_measure.mjs';
import { brightness, decode, fetchRendition, parseMaster, tempDir } from '../lib/media.mjs';
import { MATRIX } from '../lib/matrix.mjs';
import { startSite } from '../lib/site.mjs';

let site;
let temp;
const clips = new Map(); // name → clip, with the id of its video

before(async () => {
    [site, temp] = await Promise.all([startSite({ worker: true }), tempDir()]);
    for (const clip of await makeMatrix(temp.dir)) clips.set(clip.name, clip);
    await Promise.all(
        [...clips.values()].map(async (clip) => {
            const { status, json, text } = await site.upload(clip.file);
            assert.equal(status, 201, text);
            clip.id = json.id;
        }),
    );
});
after(async () => {
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

async function checkPicture(clip, rendition) {
    const tags = await tagsOf(rendition.file);
    assert.equal(tags.color_range, 'tv');
    for (const tag of ['color_space', 'color_primaries', 'color_transfer']) assert.ok(tags[tag], `it says its ${tag}`);
    if (clip.tagged) assert.equal(tags.color_space, clip.tagged);
    const size = { width: rendition.width, height: rendition.height, matrix: tags.color_space };
    const shown = await picture(rendition.file, 0, size);
    const found = patches(shown);
    assert.deepEqual(clip.toneMapped ? toneFaults(found, clip) : colourFaults(found, clip), []);
    if (!clip.round) return;
    const { across, down } = discSize(shown);
    assert.ok(across > 8 && Math.abs(across - down) <= 2 + 0.01 * across, `the disc is ${across} × ${down}`);
}

/* A poster is a JPEG: BT.601, full range. */
async function checkPoster(clip, video) {
    const { body } = await site.request('GET', video.poster);
    const { width, height } = await tagsOf(body);
    const found = patches(await picture(body, 0, { width, height, matrix: 'bt601', range: 'pc' }));
    const lossy = { ...clip, near: clip.near + 6 };
    assert.deepEqual(clip.toneMapped ? toneFaults(found, lossy) : colourFaults(found, lossy), []);
}

async function checkTime(clip, rendition, sound) {
    const rate = rendition.frames / rendition.duration;
    if (clip.fps) isNear(rate, clip.fps, 0.01, 'frames a second');
    const values = await brightness(rendition.file);
    assert.equal(values.length, rendition.frames, 'every frame decodes');
    if (!clip.marked || clip.woven) return;
    const seen = flashAt(values, rate);
    isNear(seen, MARK_S, 1 / rate + 0.001, 'the flash is seen at');
    if (sound) isNear(beepAt(sound), seen, 1 / rate + 0.001, 'the beep is heard at');
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

describe('of every kind of clip comes what it should', { concurrency: 3 }, () => {
    for (const name of Object.keys(MATRIX))
        test(name, async () => {
            const clip = clips.get(name);
            const { video, master, player } = await validateVideo(site, clip.id);
            assert.deepEqual([...master.complaints, ...player.complaints], []);
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
                if (clip.woven) {
                    const teeth = await combed(rendition.file, rendition.width, rendition.height);
                    assert.ok(teeth < 0.002, `${(100 * teeth).toFixed(2)} % of ${rendition.name} is combed`);
                } else await checkPicture(clip, rendition);
                await checkTime(clip, rendition, heard);
            }
            if (!clip.woven) await checkPoster(clip, video);
            if (heard) checkSound(clip, heard);
        });

    test('and the woven ones were combed', async () => {
        const woven = [...clips.values()].find(({ woven }) => woven);
        const { promises: fs } = await import('node:fs');
        const matroska = await decode(await fs.readFile(woven.file), ['-c', 'copy', '-f', 'matroska']);
        assert.ok((await combed(matroska, ...woven.size)) > 0.02);
    });
});
