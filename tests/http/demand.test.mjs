/*
 * Segments on demand, from the request to the file: real lighttpd, worker and ffmpeg,
 * which reads no faster than a few times real time, so that a clip of two minutes is
 * still being encoded when somebody jumps about in it.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import {
    assertMadeOnce, demand, existing, get, readinessOf, runsOf, slowFfmpeg, timelineOf, uploadPlayable, Viewer,
} from '../lib/demand.mjs';
import { fetchVideo, ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';
import { MediaWatcher } from '../lib/watcher.mjs';

const SPEED = 10;
const LONG_S = 120; // 60 segments of picture, 30 of sound; 12 s to encode
const MIDDLE_S = 60; // for tests that wait until it is ready

let site;
let temp;

before(async () => {
    temp = await tempDir();
    await makeClip('long.mp4', { seconds: LONG_S });
    await makeClip('middle.mp4', { seconds: MIDDLE_S });
    // More jobs than cores have use for: it is not ffmpeg that slows down what is made here.
    const env = { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, SPEED), DROPSTREAM_JOBS: '6' };
    site = await startSite({ worker: true, env });
});
after(async () => {
    await site?.stop();
    await temp.remove();
});

const clip = (name) => path.join(temp.dir, name);

/* sound: seconds of it, if not as long as the picture; a tone now and then, which takes half as
 * long to encode as one that stays. */
async function makeClip(name, { seconds, sound = seconds, more = [] }) {
    await ffmpeg(
        ['-f', 'lavfi', '-i', `testsrc2=s=160x90:r=10:d=${seconds}`],
        ['-f', 'lavfi', '-i', `sine=d=${sound}:sample_rate=48000,volume='lt(mod(t,4),0.2)':eval=frame`],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '40', '-c:a', 'aac', ...more, clip(name)],
    );
}

/* { video, timeline } of an upload that has just become playable. */
async function begin(name) {
    const video = await uploadPlayable(site, clip(name));
    return { video, timeline: await timelineOf(site, video) };
}

/* Takes a video away again, so that its runs do not slow the next test. */
const remove = ({ video }) => site.api('DELETE', `/api/videos/${video.id}`);

/* fn of a test about the long clip, which is removed afterwards. */
const ofLong = (fn) =>
    logged(async () => {
        const upload = await begin('long.mp4');
        await fn(upload);
        await remove(upload);
    });

/* Likewise about the middle one: what happens to its segments until it is ready is watched,
 * and is as it should be. */
const ofMiddle = (fn) =>
    logged(async (t) => {
        const upload = await begin('middle.mp4');
        const renditions = Object.values(upload.timeline);
        const watcher = new MediaWatcher(renditions.map(({ dir }) => dir));
        await fn(upload, t);
        await site.waitForState(upload.video.id, 'ready');
        const { files, complaints } = await watcher.stop();
        assert.deepEqual(complaints, []);
        assert.equal(files, renditions.reduce((sum, { segments }) => sum + segments, 0));
        await remove(upload);
    });

/* The site exists only when the tests run. */
function logged(fn) {
    return (t) => site.logged(fn)(t);
}

async function isMissing(rendition, k) {
    return !(await existing(rendition)).has(k);
}

describe('a segment far ahead', () => {
    test(
        'is made long before the encoder would have come there',
        ofLong(async ({ video, timeline }) => {
            for (const rendition of Object.values(timeline)) {
                const k = rendition.segments - 5;
                assert.ok(await isMissing(rendition, k));
                const { status, body } = await demand(site, rendition.url(k));
                assert.equal(status, 200);
                assert.ok(body.length > 0);
                const have = (await existing(rendition)).size;
                assert.ok(have < rendition.segments / 2, `${have} of ${rendition.segments} exist`);
            }
            const runs = await runsOf(site, video, timeline);
            const begun = runs.filter(({ kind }) => kind === 'video').map(({ first }) => first);
            assert.ok(begun.includes(timeline.video.segments - 5), `runs began at ${begun}`);
        }),
    );

    test(
        'is answered as it is later, when it is a file like any other',
        ofLong(async ({ timeline }) => {
            const url = timeline.video.url(40);
            const made = await demand(site, url);
            const again = await get(site, url);
            assert.equal(again.status, 200);
            assert.ok(again.body.equals(made.body));
            for (const name of ['content-type', 'cache-control', 'etag', 'last-modified', 'accept-ranges', 'content-length'])
                assert.equal(made.headers[name], again.headers[name], name);
            assert.match(made.headers['cache-control'], /max-age=31536000/);
        }),
    );

    test(
        'may be the very last one',
        ofLong(async ({ video, timeline }) => {
            const last = Object.values(timeline).map((r) => demand(site, r.url(r.segments - 1)));
            for (const { status } of await Promise.all(last)) assert.equal(status, 200);
            const beyond = await get(site, timeline.video.folder + `${timeline.video.segments}.m4s`);
            assert.equal(beyond.status, 404);
            assert.equal(beyond.headers['cache-control'], 'no-store');
            assert.notEqual((await site.api('GET', `/api/videos/${video.id}`)).json.state, 'ready');
        }),
    );

    test(
        'is said to be encoded, then to be ready, by the API',
        ofLong(async ({ video, timeline }) => {
            const k = 45;
            const states = new Set();
            const asked = demand(site, timeline.video.url(k));
            await waitFor(
                async () => {
                    const state = (await readinessOf(site, video.id)).get(timeline.video.name)[k];
                    states.add(state);
                    return state === 'ready';
                },
                { every: 10, what: 'it to be ready' },
            );
            assert.equal((await asked).status, 200);
            assert.deepEqual([...states], ['missing', 'encoding', 'ready'].filter((s) => states.has(s)));
            assert.ok(states.has('encoding'));
            const said = (await readinessOf(site, video.id)).get(timeline.video.name);
            const have = await existing(timeline.video);
            said.forEach((state, i) => assert.ok(state !== 'ready' || have.has(i), `${i} is ready but no file`));
        }),
    );
});

describe('many viewers', () => {
    test(
        'of different videos all get what they ask for',
        logged(async () => {
            const uploads = await Promise.all([1, 2, 3].map(() => begin('long.mp4')));
            const watch = async ({ timeline }, i) => {
                const viewer = new Viewer(site, timeline, { from: `127.0.6.${i + 1}` });
                for (const t of [110, 50]) await viewer.seek(t + i);
                await viewer.leave();
            };
            await Promise.all(uploads.map(watch));
            await Promise.all(uploads.map(remove));
        }),
    );

    test(
        'who jump about at random get what they ask for, and no segment is made twice',
        ofMiddle(async ({ video, timeline }, t) => {
            const watch = async (i) => {
                const viewer = new Viewer(site, timeline, { from: `127.0.8.${i}` });
                for (let n = 0; n < 5; n++) {
                    const to = Math.random() * timeline.video.seconds;
                    t.diagnostic(`viewer ${i} goes to ${to.toFixed(3)} s`);
                    await viewer.seek(to);
                }
                await viewer.leave();
            };
            await Promise.all([1, 2, 3].map(watch));
            await site.waitForState(video.id, 'ready');
            const runs = await runsOf(site, video, timeline);
            for (const rendition of Object.values(timeline)) assertMadeOnce(runs, rendition);
        }),
    );

    test(
        'of one segment are one run, and all of them get it',
        ofLong(async ({ video, timeline }) => {
            const k = 50;
            const asked = Array.from({ length: 1000 }, (_, i) =>
                demand(site, timeline.video.url(k), { from: `127.0.7.${1 + (i % 50)}`, sid: `crowd-${i}` }),
            );
            const answers = await Promise.all(asked);
            for (const { status, body } of answers) {
                assert.equal(status, 200);
                assert.ok(body.equals(answers[0].body));
            }
            const runs = await runsOf(site, video, timeline);
            const there = runs.filter((run) => run.kind === 'video' && run.first > 40);
            assert.deepEqual(there.map(({ first }) => first), [k]);
        }),
    );

    test(
        'who hang up leave a video that is made to its end',
        logged(async () => {
            await makeClip('short.mp4', { seconds: 30 });
            const { video, timeline } = await begin('short.mp4');
            const off = new AbortController();
            const asked = [14, 9, 12, 6].map((k) => get(site, timeline.video.url(k), { sid: `gone-${k}`, signal: off.signal }));
            const ended = Promise.allSettled(asked);
            await waitFor(async () => (await runsOf(site, video, timeline)).length >= 3, { what: 'some runs' });
            off.abort();
            await ended;
            await fetchVideo(site, await site.waitForState(video.id, 'ready'));
            for (const rendition of Object.values(timeline))
                assert.equal((await existing(rendition)).size, rendition.segments);
        }),
    );
});

/* Asks for the last segments first, of picture and sound, and then for all: what the
 * playlists promise has to be there, whatever the source holds. */
async function everySegmentComes(name) {
    const { video, timeline } = await begin(name);
    for (const rendition of Object.values(timeline))
        for (const k of [rendition.segments - 1, rendition.segments - 2])
            assert.equal((await demand(site, rendition.url(k), { sid: name })).status, 200, `${rendition.name} ${k}`);
    const ready = await site.waitForState(video.id, 'ready');
    return { ready, out: await fetchVideo(site, ready) };
}

describe('of a source that is not what it says every promised segment comes', () => {
    const results = new Map(); // they are made at the same time, each is judged in its test
    const sources = {
        'cut.mp4': { seconds: 40, share: 0.7, more: ['-movflags', '+faststart'] },
        'cut.mkv': { seconds: 40, share: 0.7 },
        'mute.mp4': { seconds: 30, sound: 11 },
        'still.mp4': { seconds: 11, sound: 30 },
    };

    async function makeSource(name, { share = 1, ...options }) {
        await makeClip(name, options);
        const bytes = await fs.readFile(clip(name));
        await fs.writeFile(clip(name), bytes.subarray(0, Math.floor(bytes.length * share)));
    }

    before(() => {
        for (const [name, options] of Object.entries(sources)) {
            const result = makeSource(name, options).then(() => everySegmentComes(name));
            result.catch(() => {}); // its test tells
            results.set(name, result);
        }
    });

    for (const name of ['cut.mp4', 'cut.mkv'])
        test(
            `if it is truncated: ${name}`,
            logged(async () => assert.match((await results.get(name)).ready.warning, /ends early/)),
        );
    for (const [what, name] of [['sound', 'mute.mp4'], ['picture', 'still.mp4']])
        test(
            `if its ${what} ends early`,
            logged(async () => {
                const { out } = await results.get(name);
                assert.ok(Math.abs(out.audio.duration - out.video.duration) < 0.1);
                assert.ok(out.video.duration > 29);
            }),
        );
});

describe('a worker that is killed with kill -9', () => {
    /* Those of the runs that began after the others, which are all that there were then. */
    const since = (others, runs) => {
        const of = (list, log) => list.filter((run) => run.log === log);
        return runs.filter((run) => of(runs, run.log).indexOf(run) >= of(others, run.log).length);
    };

    test(
        'is followed by one that serves what is asked for, and makes nothing again',
        ofMiddle(async ({ video, timeline }) => {
            const { video: pictures, audio: sound } = timeline;
            assert.equal((await demand(site, pictures.url(15))).status, 200);
            const asked = demand(site, pictures.url(25)); // while nobody is there to make it
            await site.end('worker', 'SIGKILL');
            const runs = await runsOf(site, video, timeline);
            const had = [await existing(pictures), await existing(sound)];
            assert.ok(had[0].size < pictures.segments, 'there is something left to make');
            site.startWorker();
            assert.equal((await asked).status, 200);
            assert.equal((await demand(site, pictures.url(20))).status, 200);
            await site.waitForState(video.id, 'ready');
            const later = since(runs, await runsOf(site, video, timeline));
            assertMadeOnce(later, pictures, had[0]);
            assertMadeOnce(later, sound, had[1]);
        }),
    );
});
