/*
 * The checks that other tests rely on find what they look for: each is shown something that
 * is as it should be, and then the same with a fault in it.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { assertMadeOnce } from '../lib/demand.mjs';
import { differentPictures, ffmpeg, samples, tempDir } from '../lib/media.mjs';
import { sleep } from '../lib/site.mjs';
import { seamFaults } from '../lib/sound.mjs';
import { MediaWatcher } from '../lib/watcher.mjs';

let temp;

before(async () => {
    temp = await tempDir();
});
after(() => temp.remove());

describe('a watcher of segments', () => {
    const box = (type, bytes) => {
        const head = Buffer.alloc(8);
        head.writeUInt32BE(8 + bytes);
        head.write(type, 4, 'latin1');
        return Buffer.concat([head, Buffer.alloc(bytes)]);
    };
    const segment = Buffer.concat([box('moof', 16), box('mdat', 1000)]);

    /* What it says of what fn does in a folder with the segment 0.m4s; fn gets a path of
     * each name in it, and one of a whole segment elsewhere. */
    async function watched(fn) {
        const top = await fs.mkdtemp(path.join(temp.dir, 'watched-'));
        const dir = path.join(top, '360p-1');
        await fs.mkdir(dir);
        await fs.writeFile(path.join(dir, '0.m4s'), segment);
        const watcher = new MediaWatcher([dir]);
        const whole = path.join(top, 'whole');
        await fs.writeFile(whole, segment);
        await fn((name) => path.join(dir, name), whole);
        await sleep(50); // so that it has looked
        return watcher.stop();
    }

    test('has nothing to say of one that is linked into its place', async () => {
        const { files, complaints } = await watched(async (at, whole) => {
            await fs.link(whole, at('1.m4s'));
            await fs.unlink(whole);
        });
        assert.deepEqual({ files, complaints }, { files: 2, complaints: [] });
    });

    const faults = {
        'is written where it can be seen': [
            async (at) => {
                await fs.writeFile(at('1.m4s'), segment.subarray(0, 100));
                await sleep(100);
                await fs.appendFile(at('1.m4s'), segment.subarray(100));
            },
            /1\.m4s was not whole/,
            /1\.m4s was written to in its place/,
        ],
        'is cut off at the end of a box': [
            (at) => fs.writeFile(at('1.m4s'), segment.subarray(0, 24)),
            /1\.m4s was seen as moof/,
        ],
        'takes the place of another': [
            (at, whole) => fs.rename(whole, at('0.m4s')),
            /0\.m4s came more than once/,
        ],
        'goes and comes again': [
            async (at, whole) => {
                await fs.link(whole, at('1.m4s'));
                await fs.unlink(at('1.m4s'));
                await fs.link(whole, at('1.m4s'));
            },
            /1\.m4s came more than once/,
        ],
    };
    for (const [what, [fn, ...expected]] of Object.entries(faults))
        test(`tells of one that ${what}`, async () => {
            const { complaints } = await watched(fn);
            for (const complaint of expected) assert.match(complaints.join('\n'), complaint);
        });
});

describe('segments that are made once', () => {
    const rendition = { kind: 'video', name: '360p', segments: 6 };
    const run = (first, made, kind = 'video') => ({ kind, log: '1.log', first, made });

    test('are those that runs share out between them', () => {
        assertMadeOnce([run(0, 2), run(4, 2), run(2, 2), run(2, 0), run(0, 3, 'audio')], rendition);
        assertMadeOnce([run(3, 3)], rendition, new Set([0, 1, 2]));
    });
    test('are not those of two runs, nor of none', () => {
        assert.throws(() => assertMadeOnce([run(0, 4), run(3, 3)], rendition), /3: by the run at 0 and by the run at 3/);
        assert.throws(() => assertMadeOnce([run(0, 5)], rendition), /5: by none/);
        assert.throws(() => assertMadeOnce([run(0, 6)], rendition, new Set([2])), /2: before and by the run at 0/);
        assert.throws(() => assertMadeOnce([run(0, undefined)], rendition), /the run at 0 has no end/);
    });
});

describe('pictures on either side of a seam', () => {
    const FRAMES = 50;
    const encoded = async (name, filter = 'null', quality = 23) => {
        const file = path.join(temp.dir, name);
        const picture = `testsrc2=s=320x180:r=25:d=${FRAMES / 25},${filter}`;
        await ffmpeg('-f', 'lavfi', '-i', picture, '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', `${quality}`, file);
        return { file: await fs.readFile(file), frames: FRAMES };
    };

    test('may differ by what encoders do to them', async () => {
        const [a, b] = [await encoded('a.mp4'), await encoded('b.mp4', 'null', 22)];
        assert.ok(!a.file.equals(b.file));
        assert.deepEqual(await differentPictures(a, b, 40), []);
    });
    test('do not bear one that is shown twice instead of the next', async () => {
        const order = Array.from({ length: FRAMES }, (_, i) => (i === 25 ? 24 : i)).join(' ');
        const different = await differentPictures(await encoded('a.mp4'), await encoded('b.mp4', `shuffleframes=${order}`), 35);
        assert.match(different[0], /^picture 25: /);
        assert.equal(different.length, 1);
    });
});

describe('sound at a seam', () => {
    const FRAME = 1024; // samples of AAC
    const AT = 40 * FRAME;
    /* As strict as with sound that tests make, and as mild as with real clips. */
    const tolerances = [{ noise: 0.1 }, { noise: 0.5 }, { noise: 0.75, slack: 24 }];
    let straight;
    let other;

    /* Two encoders' idea of the same tones: the second heard some noise before. */
    before(async () => {
        const encoded = async (name, expression) => {
            const file = path.join(temp.dir, name);
            await ffmpeg('-f', 'lavfi', '-i', `aevalsrc='${expression}':s=48000:d=2`, '-c:a', 'aac', '-b:a', '64k', file);
            return samples(await fs.readFile(file));
        };
        const tones = '0.3*sin(2*PI*997*t)+0.2*sin(2*PI*211.3*t)+0.004*(random(0)*2-1)';
        straight = await encoded('straight.aac', tones);
        other = await encoded('other.aac', `${tones}+lt(t,0.3)*0.2*(random(1)*2-1)`);
    });

    const faultsOf = (change, tolerance) => {
        const changed = other.slice();
        change(changed);
        return seamFaults(straight, changed, AT, tolerance);
    };

    test('may differ by what encoders do to it', () => {
        assert.ok(straight.some((v, i) => i > AT - FRAME && v !== other[i]), 'they are not the same');
        for (const tolerance of tolerances) assert.deepEqual(faultsOf(() => {}, tolerance), []);
    });
    test('may be early by half a millisecond, where that is known', () => {
        const early = (b) => b.copyWithin(AT, AT + 20);
        assert.deepEqual(faultsOf(early, { noise: 0.75, slack: 24 }).filter((fault) => !/click/.test(fault)), []);
        assert.match(faultsOf(early, { noise: 0.5 }).join(), /differs/);
    });

    const faults = {
        'a click of a thirtieth of full scale': [(b) => (b[AT] += 0.03), /: a click of/],
        'a jump of a thirtieth': [(b) => b.forEach((v, i) => i >= AT && i < AT + 480 && (b[i] = v + 0.03)), /: a click of/],
        'a frame that is left out': [(b) => b.copyWithin(AT, AT + FRAME), /: differs by/],
        'a frame that is there twice': [(b) => b.copyWithin(AT + FRAME, AT), /: differs by/],
        'a frame of silence': [(b) => b.fill(0, AT, AT + FRAME), /: differs by/],
        'a frame that fades out and in': [
            (b) => b.forEach((v, i) => i >= AT && i < AT + FRAME && (b[i] = v * Math.cos(((i - AT) / FRAME) * Math.PI) ** 2)),
            /: differs by/,
        ],
    };
    for (const [what, [change, expected]] of Object.entries(faults))
        test(`does not bear ${what}`, () => {
            for (const tolerance of tolerances) assert.match(faultsOf(change, tolerance).join('\n'), expected);
        });
});
