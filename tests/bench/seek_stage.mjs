/*
 * seek_stage.mjs: what the parts of bench-seek share: the clip, and a site with one video
 * in it whose encode has just begun.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';

import { childrenOf, existing, timelineOf, uploadPlayable } from '../lib/demand.mjs';
import { startSite, waitFor } from '../lib/site.mjs';
import { clip as makeClip } from './clip.mjs';
import * as measure from './measure.mjs';

const SECONDS = measure.setting('DROPSTREAM_BENCH_S', 900);
/* A segment so close behind one that exists is not a seek into the unknown. */
const CLEAR = 4;

/* The file of the bench. */
export async function clip() {
    const given = process.env.DROPSTREAM_BENCH_CLIP;
    if (!given) return makeClip(SECONDS);
    measure.needs(existsSync(given), `the file ${given}`);
    return path.resolve(given);
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
        return new Stage(await startSite({ worker: true, posters: true, env }), file);
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
