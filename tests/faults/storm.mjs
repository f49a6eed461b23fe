/*
 * storm.mjs: programs of a site are killed at random while people upload, watch and delete.
 * Once it is over, each upload that was acknowledged is there as it was sent, and plays; what
 * was deleted is gone; nothing is stuck. Meanwhile no answer is half of a file.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';

import { family } from '../bench/measure.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { sleep, startSite, waitFor } from '../lib/site.mjs';
import { head, metadata, patch, tus } from '../lib/tus.mjs';
import { assertSound } from './faults.mjs';

const UPLOADERS = 3;
const VIEWERS = 2;
const PIECE = 100_000;
const KEEP = 12; // videos; more are deleted
const SETTLE_MS = 180_000;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const some = (list) => list[Math.floor(Math.random() * list.length)];
const between = (least, most) => least + Math.random() * (most - least);

/* What a server says that may be gone at any moment: undefined if it was. */
const ask = (promise) => promise.then((answer) => (answer.status >= 500 ? undefined : answer), () => undefined);

/* A clip of a few seconds, the same each time but for a box that nobody reads. */
async function clipMaker(dir) {
    const file = `${dir}/clip.mp4`;
    const sources = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=6,noise=alls=20:allf=t', '-f', 'lavfi', '-i', 'sine=d=6:r=48000'];
    await ffmpeg(...sources, '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-c:a', 'aac', '-shortest', '-movflags', '+faststart', file);
    const clip = await fs.readFile(file);
    return () => {
        const box = Buffer.concat([Buffer.from([0, 0, 0, 40]), Buffer.from('free'), randomBytes(32)]);
        return Buffer.concat([clip, box]);
    };
}

class Storm {
    constructor(site, makeClip, say) {
        Object.assign(this, { site, makeClip, say, over: false });
        this.sent = new Map(); // title → sha256 of what was acknowledged in whole
        this.deleted = new Set(); // titles whose deletion was acknowledged
        this.maybe = new Set(); // titles that somebody wanted to delete
        this.counts = { uploads: 0, deletions: 0, segments: 0, kills: 0 };
    }

    // ---- people ---------------------------------------------------------------

    /* One upload to its end, whatever happens on the way. */
    async upload() {
        const file = this.makeClip();
        const title = randomBytes(16).toString('hex');
        const headers = { 'Upload-Length': file.length, 'Upload-Metadata': metadata({ filename: 'clip.mp4', title, upload_id: title }) };
        let acknowledged = 0;
        let offset = -1;
        while (offset < file.length) {
            if (offset < 0) {
                const begun = await ask(tus(this.site, 'POST', '', { headers }));
                offset = begun?.status === 201 ? 0 : await this.#offset(title, acknowledged);
            } else {
                const to = Math.min(offset + PIECE, file.length);
                const answer = await ask(patch(this.site, title, offset, file.subarray(offset, to)));
                offset = answer?.status === 204 ? to : await this.#offset(title, acknowledged);
            }
            acknowledged = Math.max(acknowledged, offset);
            await sleep(between(0, 30));
        }
        this.sent.set(title, sha256(file));
        this.counts.uploads++;
    }

    /* How much of an upload is there; -1: nothing. It is asked until there is an answer. */
    async #offset(title, acknowledged) {
        const answer = await waitFor(() => ask(head(this.site, title)), { timeout: SETTLE_MS, what: 'an answer to HEAD' });
        assert.ok(answer.status === 200 || acknowledged === 0, `${title}: ${answer.status} after ${acknowledged} bytes were acknowledged`);
        if (answer.status !== 200) return -1;
        const offset = Number(answer.headers['upload-offset']);
        assert.ok(offset >= acknowledged, `${title}: ${offset} of ${acknowledged} acknowledged bytes`);
        return offset;
    }

    async library() {
        const answer = await ask(this.site.api('GET', '/api/videos?limit=100'));
        return answer?.json.videos ?? [];
    }

    async deleteOne() {
        const videos = (await this.library()).filter(({ title }) => this.sent.has(title));
        if (videos.length <= KEEP) return sleep(200);
        const { id, title } = some(videos);
        this.maybe.add(title);
        const answer = await ask(this.site.api('DELETE', `/api/videos/${id}`));
        if (answer?.status === 204) this.deleted.add(title);
        this.counts.deletions++;
    }

    /* A segment of some video, there or not; what comes is whole boxes. */
    async watch() {
        const playable = (await this.library()).filter(({ media }) => media);
        if (playable.length === 0) return sleep(100);
        const url = some(playable).media.replace('master.m3u8', `${some(['360p', 'audio-0'])}-1/${Math.floor(between(0, 3))}.m4s`);
        const answer = await ask(this.site.request('GET', url));
        if (answer?.status !== 200) return undefined;
        let at = 0;
        while (at < answer.body.length) at += answer.body.readUInt32BE(at) || Infinity;
        assert.equal(at, answer.body.length, `${url} is not whole`);
        assert.equal(answer.body.toString('latin1', 4, 8), 'moof', url);
        this.counts.segments++;
        return sleep(20);
    }

    // ---- what kills them --------------------------------------------------------

    async kill() {
        await sleep(between(100, 1200));
        const handlers = await this.site.handlers();
        const children = this.site.pid('worker') ? family(this.site.pid('worker')).slice(1) : [];
        const victim = some(['worker', 'worker', 'upload.fcgi', 'api.fcgi', 'media.fcgi', 'child', 'child', 'lighttpd']);
        this.counts.kills++;
        if (victim === 'worker' || victim === 'lighttpd') {
            await this.site.end(victim, 'SIGKILL');
            await sleep(between(0, 300));
            if (victim === 'worker') this.site.startWorker();
            else await this.#restartLighttpd();
            return;
        }
        const pid = victim === 'child' ? some(children) : handlers[victim];
        try {
            if (pid) process.kill(pid, 'SIGKILL');
        } catch {
            // it has ended by itself
        }
    }

    /* Its handlers end with it, but not at once; the port is free when it is gone. */
    async #restartLighttpd() {
        this.site.startLighttpd();
        await waitFor(() => this.site.answers(), { what: 'lighttpd to answer' });
    }

    // ---- all of it -----------------------------------------------------------------

    async rage(seconds) {
        const end = Date.now() + seconds * 1000;
        const until = async (fn) => {
            while (Date.now() < end) await fn.call(this);
        };
        await Promise.all([
            ...Array.from({ length: UPLOADERS }, () => until(this.upload)),
            ...Array.from({ length: VIEWERS }, () => until(this.watch)),
            until(this.deleteOne), until(this.kill),
        ]);
    }

    /* What has failed for being interrupted too often is made when somebody asks for it. */
    async settled() {
        const videos = await this.library();
        for (const { id, state } of videos) if (state === 'failed') await this.site.api('POST', `/api/videos/${id}/retry`);
        return videos.length > 0 && videos.every(({ state }) => state === 'ready') && videos;
    }

    async check() {
        const videos = await waitFor(() => this.settled(), { timeout: SETTLE_MS, every: 500, what: 'all to be ready' });
        const there = new Map(videos.map((video) => [video.title, video]));
        assert.equal(there.size, videos.length, 'nothing is there twice');
        for (const [title, sum] of this.sent) {
            const video = there.get(title);
            if (this.deleted.has(title)) assert.equal(video, undefined, `${title} was deleted`);
            else if (!this.maybe.has(title)) assert.ok(video, `${title} is lost`);
            if (video) assert.equal(sha256(await fs.readFile(this.site.path('spool', `${video.id}.src`))), sum, title);
        }
        for (const title of there.keys()) assert.ok(this.sent.has(title), `${title} was never acknowledged`);
        const sources = () => this.site.spool().then((names) => names.filter((name) => /\.(?:src|part)$/.test(name)));
        await waitFor(async () => (await sources()).length === videos.length, { timeout: SETTLE_MS, what: 'the files of deleted videos to go' });
        await assertSound(this.site);
        return videos.length;
    }
}

/* { uploads, deletions, segments, kills, videos }: how much happened in so many seconds. */
export async function storm({ seconds = 600, say = () => {} } = {}) {
    const temp = await tempDir();
    const site = await startSite({ worker: true, posters: true, env: { DROPSTREAM_BACKOFF_MS: '200', DROPSTREAM_JOBS: '4' } });
    try {
        const one = new Storm(site, await clipMaker(temp.dir), say);
        await one.rage(seconds);
        say(`over: ${JSON.stringify(one.counts)}`);
        return { ...one.counts, videos: await one.check() };
    } catch (error) {
        console.error(await site.logs());
        throw error;
    } finally {
        await site.stop();
        await temp.remove();
    }
}
