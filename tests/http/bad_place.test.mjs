/*
 * Places of a file where ffmpeg gives nothing: the runs that begin there are tried from
 * further back, and what cannot be begun at all is left to the run that comes from before
 * it. A script stands in for ffmpeg: it fails where it is told to, and is the real one
 * everywhere else.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { demand, existing, runsOf, timelineOf, uploadPlayable } from '../lib/demand.mjs';
import { fetchVideo, ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite } from '../lib/site.mjs';

const SECONDS = 60; // 30 segments of picture
const GOP = 50; // frames of one
const NOTHING = '{ echo nothing to decode >&2; exit 1; }';

let temp;
let clip;

before(async () => {
    temp = await tempDir();
    clip = path.join(temp.dir, 'clip.mp4');
    await ffmpeg(
        ['-f', 'lavfi', '-i', `testsrc2=s=160x90:r=25:d=${SECONDS}`],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', clip],
    );
});
after(() => temp.remove());

/* What of a command line says that a run of pictures begins at segment k; and that it reads
 * from a time that begins with these digits. */
const begins = (k) => `start_time=${2 * k}.000000`;
const reads = (digits) => `"-ss ${digits}"`;

/* A site where a job may fail no more than attempts - 1 times, and where this shell script
 * is run before ffmpeg is. */
function withFfmpeg(body, attempts, fn) {
    return async () => {
        const file = path.join(temp.dir, `ffmpeg-${attempts}`);
        await fs.writeFile(file, `#!/bin/sh\n${body}\nexec ffmpeg "$@"\n`, { mode: 0o755 });
        const env = { DROPSTREAM_FFMPEG: file, DROPSTREAM_ATTEMPTS: `${attempts}`, DROPSTREAM_BACKOFF_MS: '50' };
        const site = await startSite({ worker: true, env });
        try {
            await site.logged(fn)(site);
        } finally {
            await site.stop();
        }
    };
}

/* How each run that began at segment k ended, and what -ss it was given. */
async function runsAt(site, video, timeline, k) {
    const runs = (await runsOf(site, video, timeline)).filter(({ kind, first }) => kind === 'video' && first === k);
    return runs.map(({ command, made, end }) => ({ seek: Number(/ -ss ([0-9.]+) /.exec(command)?.[1] ?? 0), made, end }));
}

/* Ready, with every promised segment, and this many failed attempts. */
async function comesOutWhole(site, { id }, timeline, failures) {
    const ready = await site.waitForState(id, 'ready');
    await fetchVideo(site, ready);
    assert.equal((await existing(timeline.video)).size, timeline.video.segments);
    const { activity } = (await site.api('GET', '/api/activity?after=0&limit=1000')).json;
    const failed = activity.map(({ message }) => message).filter((message) => /attempt \d+ failed/.test(message));
    assert.equal(failed.length, failures, failed.join('\n'));
    return failed;
}

const HARD = 20;
const BACK = 26;
test(
    'a place in the middle is tried from further back, then left to the run before it',
    withFfmpeg(
        `case "$*" in
        *${begins(0)}*) exec ffmpeg -readrate 10 "$@";;
        *${begins(HARD)}*) ${NOTHING};;
        *${reads(2 * BACK - 1)}*${begins(BACK)}*) ${NOTHING};;
        esac`,
        1,
        async (site) => {
            const video = await uploadPlayable(site, clip);
            const timeline = await timelineOf(site, video);
            const asked = [HARD, BACK].map((k) => demand(site, timeline.video.url(k), { sid: `at-${k}` }));
            for (const { status } of await Promise.all(asked)) assert.equal(status, 200);
            await comesOutWhole(site, video, timeline, 0);

            const hard = await runsAt(site, video, timeline, HARD);
            assert.deepEqual(hard.map(({ made, end }) => `${made}, ${end}`), ['0, failed', '0, failed']);
            assert.ok(Math.abs(hard[0].seek - hard[1].seek - 30) < 1, `read from ${hard[0].seek}, ${hard[1].seek}`);
            const back = await runsAt(site, video, timeline, BACK);
            assert.equal(back.length, 2);
            assert.equal(back[0].end, 'failed');
            assert.ok(back[1].made >= 1 && back[1].seek < back[0].seek - 29, JSON.stringify(back));
            const before = (await runsAt(site, video, timeline, 0)).at(-1);
            assert.ok(before.made > HARD, `the run from the start made ${before.made}`);
        },
    ),
);

const HOLE = 20;
test(
    'a hole that cannot be begun even from the start of the file is a failed attempt',
    withFfmpeg(
        `case "$*" in
        *${begins(0)}*) # it ends where the hole begins
            n=$#; last=
            while [ $n -gt 0 ]; do
                word=$1; shift
                [ "$last" != -frames:v ] || word=${HOLE * GOP}
                set -- "$@" "$word"; last=$word; n=$((n - 1))
            done;;
        *${begins(HOLE)}*) # three times
            echo >> "$0.tries"
            [ "$(wc -l < "$0.tries")" -gt 3 ] || ${NOTHING};;
        esac`,
        2,
        async (site) => {
            const video = await uploadPlayable(site, clip);
            const timeline = await timelineOf(site, video);
            const [failed] = await comesOutWhole(site, video, timeline, 1);
            assert.match(failed, /360p: attempt 1 failed.*Encoding stopped before its end.*nothing to decode/);

            const runs = await runsAt(site, video, timeline, HOLE);
            const ends = [0, 0, 0].map((made) => `${made}, failed`);
            const rest = timeline.video.segments - HOLE;
            assert.deepEqual(runs.map(({ made, end }) => `${made}, ${end}`), [...ends, `${rest}, complete`]);
            const [usual, long, all, again] = runs.map(({ seek }) => seek);
            assert.ok(Math.abs(usual - long - 30) < 1, `read from ${usual}, ${long}`);
            assert.equal(all, 0, 'the whole file was tried');
            assert.ok(Math.abs(again - usual) < 1, `the next attempt read from ${again}`);
        },
    ),
);
