/*
 * seek_stage.mjs: what the parts of bench-seek share: the clip, and a site with one video
 * in it whose encode has just begun.
 */
import { existsSync, promises as fs } from 'node:fs';
import path from 'node:path';

import { childrenOf, existing, timelineOf, uploadPlayable } from '../lib/demand.mjs';
import { ffmpeg } from '../lib/media.mjs';
import { BUILD, startSite, waitFor } from '../lib/site.mjs';
import * as measure from './measure.mjs';

const SECONDS = measure.setting('DROPSTREAM_BENCH_S', 900);
const UNIT_S = 60; // as much is encoded, the rest is repeated
/* A segment so close behind one that exists is not a seek into the unknown. */
const CLEAR = 4;

/* The file of the bench. The picture is noisy so that decoding costs what it does with a
 * camera's. It is made once and kept in the build folder. */
export async function clip() {
    const given = process.env.DROPSTREAM_BENCH_CLIP;
    if (given) {
        measure.needs(existsSync(given), `the file ${given}`);
        return path.resolve(given);
    }
    const file = path.join(BUILD, 'bench', `1080p30-gop4-${SECONDS}s.mp4`);
    if (existsSync(file)) return file;
    console.log(`making ${file}`);
    await fs.mkdir(path.dirname(file), { recursive: true });
    await ffmpeg(
        ['-f', 'lavfi', '-i', `testsrc2=size=1920x1080:rate=30:duration=${UNIT_S},noise=alls=12:allf=t`],
        ['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '9M', '-maxrate', '10M', '-bufsize', '18M'],
        ['-g', '120', '-keyint_min', '120', '-sc_threshold', '0', '-pix_fmt', 'yuv420p'],
        ['-f', 'mp4', `${file}.unit`],
    );
    await ffmpeg(
        ['-stream_loop', String(Math.ceil(SECONDS / UNIT_S) - 1), '-i', `${file}.unit`],
        ['-f', 'lavfi', '-i', `sine=frequency=330:sample_rate=48000:duration=${SECONDS}`],
        ['-map', '0:v', '-map', '1:a', '-c:v', 'copy', '-c:a', 'aac', '-b:a', '128k'],
        ['-t', String(SECONDS), '-movflags', '+faststart', '-f', 'mp4', `${file}.part`],
    );
    await fs.rm(`${file}.unit`);
    await fs.rename(`${file}.part`, file);
    return file;
}

/* As many whole numbers below n, all different, in random order. */
export function shuffled(n) {
    const all = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
        const j = Math.floor(Math.random() * (i + 1));
        [all[i], all[j]] = [all[j], all[i]];
    }
    return all;
}

export class Stage {
    video = undefined;
    timeline = undefined;

    constructor(site, file) {
        this.site = site;
        this.file = file;
    }

    static async open(file) {
        const env = { DROPSTREAM_DISK_RESERVE_MB: '0', DROPSTREAM_JOB_LOG_KB: '16384' };
        return new Stage(await startSite({ worker: true, env }), file);
    }

    async close() {
        await this.site.stop();
    }

    /* Puts the video in anew: its first segment is out, and little more. */
    async begin() {
        await this.remove();
        this.video = await uploadPlayable(this.site, this.file);
        this.timeline = await timelineOf(this.site, this.video);
    }

    async remove() {
        if (!this.video) return;
        const { site } = this;
        await site.api('DELETE', `/api/videos/${this.video.id}`);
        this.video = undefined;
        await waitFor(
            async () => (await site.spool()).length === 0 && childrenOf(site.pid('worker')).length === 0,
            { what: 'the video to go' },
        );
    }

    /* Numbers of the segments of one kind that are far from being there, shuffled. */
    async unmade(kind) {
        const rendition = this.timeline[kind];
        const have = await existing(rendition);
        const near = (k) => {
            for (let i = k - CLEAR; i <= k; i++) if (have.has(i)) return true;
            return false;
        };
        return shuffled(rendition.segments).filter((k) => !near(k));
    }

    /* A random time whose picture and sound are both far from being there; undefined if
     * there is none any more. */
    async unmadeTime() {
        const { video, audio } = this.timeline;
        const silent = new Set(await this.unmade('audio'));
        for (const k of await this.unmade('video')) {
            const end = video.starts[k + 1] ?? video.seconds;
            const t = video.starts[k] + Math.random() * (end - video.starts[k]);
            if (silent.has(audio.at(t)) && t < video.seconds - 5) return t;
        }
        return undefined;
    }

    /* CPU seconds of all that the worker has started, once it runs nothing any more. */
    async childCpu() {
        const pid = this.site.pid('worker');
        await waitFor(() => childrenOf(pid).length === 0, { what: 'the last child to end' });
        return measure.childCpuSeconds(pid);
    }
}
