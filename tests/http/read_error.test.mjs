/*
 * A disk that cannot be read for a moment, under real ffmpeg and ffprobe: what they give then
 * is no verdict about the file. The kernel's answer is forged by a library that is loaded
 * into them.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { fetchVideo, ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite } from '../lib/site.mjs';
import { fetchSubtitles, srtOf, waitForSubtitles } from '../lib/subtitles.mjs';

const run = promisify(execFile);
const SECONDS = 20;

let temp;
const inTemp = (name) => path.join(temp.dir, name);

/* From byte EIO_FROM of a stored file on read(2) fails. */
const LIBRARY = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t read(int fd, void *to, size_t n)
{
    static ssize_t (*real)(int, void *, size_t);
    char link[64], name[4096];
    if (!real)
        real = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t k = readlink(link, name, sizeof(name));
    if (k > 4 && memcmp(name + k - 4, ".src", 4) == 0) {
        off_t at = lseek(fd, 0, SEEK_CUR), from = atol(getenv("EIO_FROM"));
        if (at >= from) {
            errno = EIO;
            return -1;
        }
        if ((off_t)n > from - at)
            n = (size_t)(from - at);
    }
    return real(fd, to, n);
}
`;

before(async () => {
    temp = await tempDir();
    await fs.writeFile(inTemp('eio.c'), LIBRARY);
    await run('cc', ['-shared', '-fPIC', '-o', inTemp('eio.so'), inTemp('eio.c'), '-ldl']);
    const make = (...more) =>
        ffmpeg(
            ['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=25:d=${SECONDS}`],
            ['-f', 'lavfi', '-i', `sine=440:d=${SECONDS}:sample_rate=48000`],
            ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'aac'],
            more,
        );
    await make('-movflags', '+faststart', inTemp('clip.mp4'));
    await make(inTemp('clip.mkv'));
});
after(() => temp?.remove());

/* The program, which the first time that its arguments match (a pattern of sh) can read so
 * many bytes of the file. Tells later whether that happened. */
async function failing(program, pattern, from) {
    return once(program, pattern, `EIO_FROM=${from} LD_PRELOAD='${inTemp('eio.so')}' exec ${program} "$@"`);
}

async function once(program, pattern, instead) {
    const flag = inTemp(`flag-${Math.random()}`);
    const script = inTemp(`fake-${program}-${Math.random()}`);
    await fs.writeFile(script, `#!/bin/sh
case "$*" in ${pattern}) [ ! -e '${flag}' ] && touch '${flag}' && ${instead} ;;
esac
exec ${program} "$@"
`, { mode: 0o755 });
    return { script, happened: () => fs.access(flag) };
}

const partOf = async (file, percent) => Math.floor(((await fs.stat(file)).size * percent) / 100);

async function watch(file, env, check) {
    const limits = { DROPSTREAM_SOURCE_MAX_MBPS: '50', DROPSTREAM_SOUND_MAX_KBPS: '384', DROPSTREAM_BACKOFF_MS: '100' };
    const site = await startSite({ worker: true, env: { ...limits, ...env } });
    try {
        await site.logged(async () => {
            const { json } = await site.upload(file);
            await site.waitForState(json.id, 'ready');
            await check(site, json.id);
        })();
    } finally {
        await site.stop();
    }
}

async function jobLogs(site) {
    const logs = await fs.readdir(site.path('log/jobs'));
    return (await Promise.all(logs.map((f) => fs.readFile(site.path(`log/jobs/${f}`), 'utf8')))).join('\n');
}

/* Waits until its source is offered as it is, whole, after the failure was seen. */
async function assertCopied(site, id) {
    const end = Date.now() + 20_000;
    for (;;) {
        const { json } = await site.api('GET', `/api/videos/${id}`);
        const source = json.renditions.find(({ name }) => name === 'source');
        assert.ok(source, `it is left out: ${JSON.stringify((await site.api('GET', '/api/activity?after=0&limit=1000')).json.activity)}`);
        if (source.segments > 0 && source.done === source.segments) break;
        assert.ok(Date.now() < end, 'it takes too long');
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.match(await jobLogs(site), /Input\/output error|Read error/);
    assert.match(await jobLogs(site), /copy source of video \w+, attempt 2/);
}

test('a file that cannot be opened is none that cannot be copied', async () => {
    const { script, happened } = await once('ffmpeg', '*"-frames:v 1 "*negative_cts*', '{ echo "file:x.src: Input/output error" >&2; exit 1; }');
    await watch(inTemp('clip.mp4'), { DROPSTREAM_FFMPEG: script }, async (site, id) => {
        await assertCopied(site, id);
        await happened();
    });
});

test('nor is it damaged', async () => {
    const { script, happened } = await once('ffprobe', '*show_streams*.src', '{ echo "x.src: Input/output error" >&2; exit 1; }');
    await watch(inTemp('clip.mkv'), { DROPSTREAM_FFPROBE: script }, () => happened());
});

test('a file is as long as what could not be read of it', async () => {
    // Without a length in its header, all of it is read to find out.
    await ffmpeg('-i', inTemp('clip.mkv'), '-c', 'copy', '-f', 'matroska', '-live', '1', inTemp('live.mkv'));
    const { script, happened } = await failing('ffprobe', '*packet=stream_index*.src', await partOf(inTemp('live.mkv'), 60));
    await watch(inTemp('live.mkv'), { DROPSTREAM_FFPROBE: script }, async (site, id) => {
        await happened();
        const { duration } = (await site.api('GET', `/api/videos/${id}`)).json;
        assert.ok(duration > SECONDS - 0.1, `${duration} s`);
    });
});

test('subtitles go on behind what could not be read', async () => {
    const cues = [[1, 2, 'one'], [18, 19, 'two']];
    await fs.writeFile(inTemp('cues.srt'), srtOf(cues));
    await ffmpeg('-i', inTemp('clip.mkv'), '-i', inTemp('cues.srt'), '-map', '0', '-map', '1', '-c', 'copy', inTemp('subs.mkv'));
    const { script, happened } = await failing('ffmpeg', '*webvtt*', await partOf(inTemp('subs.mkv'), 60));
    await watch(inTemp('subs.mkv'), { DROPSTREAM_FFMPEG: script }, async (site, id) => {
        const video = await waitForSubtitles(site, id, ['und']);
        await happened();
        const { byName } = await fetchSubtitles(site, video);
        assert.deepEqual(byName, { Subtitles: cues });
    });
});

test('packets that cannot be read are no early end', async () => {
    const { script, happened } = await failing('ffprobe', '*packet=pts_time,dts_time,duration_time,size*', await partOf(inTemp('clip.mkv'), 60));
    await watch(inTemp('clip.mkv'), { DROPSTREAM_FFPROBE: script }, async (site, id) => {
        await assertCopied(site, id);
        await happened();
    });
});

test('nor are parameter sets the only ones there are', async () => {
    const { script, happened } = await failing('ffmpeg', '*pass_types*', await partOf(inTemp('clip.mkv'), 60));
    await watch(inTemp('clip.mkv'), { DROPSTREAM_FFMPEG: script }, async (site, id) => {
        await assertCopied(site, id);
        await happened();
    });
});

test('sound that cannot be read is copied all the same', async () => {
    const { script, happened } = await failing('ffmpeg', '*-xerror*', await partOf(inTemp('clip.mp4'), 60));
    await watch(inTemp('clip.mp4'), { DROPSTREAM_FFMPEG: script }, async (site, id) => {
        await happened();
        assert.match(await jobLogs(site), /Input\/output error/);
        const { json } = await site.api('GET', '/api/activity?after=0&limit=1000');
        assert.deepEqual(json.activity.filter(({ message }) => /cannot be copied/.test(message)), []);
        const video = (await site.api('GET', `/api/videos/${id}`)).json;
        const { master } = await fetchVideo(site, video);
        assert.equal(master.audio[0].URI, 'audio-0-1/index.m3u8');
    });
});
