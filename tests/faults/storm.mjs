/*
 * storm.mjs: programs of a site are killed at random while people upload, watch and delete.
 * Once it is over, each upload that was acknowledged is there as it was sent, and plays; what
 * was deleted is gone; nothing is stuck. Meanwhile no answer is half of a file, what was ready
 * stays ready, and what was promised comes. Of all of it there has to be enough: a storm in
 * which nobody watches proves nothing.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, promises as fs, readFileSync } from 'node:fs';

import { family } from '../bench/measure.mjs';
import { slowFfmpeg } from '../lib/demand.mjs';
import { boxes, fetchVideo, ffmpeg, parseMaster, parseMedia, tempDir } from '../lib/media.mjs';
import { sleep, startSite, waitFor } from '../lib/site.mjs';
import { head, metadata, patch, tus } from '../lib/tus.mjs';
import { assertSound } from './faults.mjs';

const UPLOADERS = 3;
const VIEWERS = 3;
const PIECE = 30_000;
const BACKLOG = 4; // videos on their way; then uploaders wait, or none is ever made
const EARLY = 3; // so many are made for each that is deleted on its way
const SPEED = 12; // times as fast as it lasts is the clip read: so it can be watched on its way
const CLIP_S = 12;
const SETTLE_MS = 180_000; // for what is to happen, also on a slow machine
const ATTEMPTS = 3; // as by default: of each job, at its own failures
const LOST_MAX = 5; // workers that may die at a job (worker/jobs.c)

/* What is to happen in each 15 s at least; that much of it there is also on a slow machine,
 * which goes on for longer. */
const LEAST_S = 15;
const LEAST = { uploads: 4, deletions: 2, early: 1, ready: 3, segments: 20, awaited: 3 };
/* Whom it meets, one after another in some order; a child is whatever the worker runs. */
const VICTIMS = ['worker', 'worker', 'child', 'child', 'child', 'upload.fcgi', 'api.fcgi', 'media.fcgi', 'lighttpd'];
/* What a kill does to a job: an attempt that failed, as ARCHITECTURE.md has it. */
const KILLED = /was ended by signal 9|interrupted too often/;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const some = (list) => list[Math.floor(Math.random() * list.length)];
const between = (least, most) => least + Math.random() * (most - least);
const shuffled = (list) => list.map((one) => [Math.random(), one]).sort(([a], [b]) => a - b).map(([, one]) => one);

/* What a server says that may be gone at any moment: undefined if it was. */
const ask = (promise) => promise.then((answer) => (answer.status >= 500 ? undefined : answer), () => undefined);

/* A clip that is made in no time, the same each time but for a box that nobody reads. */
async function clipMaker(dir) {
    const file = `${dir}/clip.mp4`;
    const sources = ['-f', 'lavfi', '-i', `testsrc2=s=96x54:r=10:d=${CLIP_S},noise=alls=20:allf=t`, '-f', 'lavfi', '-i', `sine=d=${CLIP_S}:r=48000`];
    await ffmpeg(...sources, '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20', '-c:a', 'aac', '-shortest', '-movflags', '+faststart', file);
    const clip = await fs.readFile(file);
    return () => {
        const box = Buffer.concat([Buffer.from([0, 0, 0, 40]), Buffer.from('free'), randomBytes(32)]);
        return Buffer.concat([clip, box]);
    };
}

class Storm {
    constructor(site, makeClip, options) {
        Object.assign(this, { site, makeClip, ...options, broken: false });
        this.sent = new Map(); // title → sha256 of what was acknowledged in whole
        this.deleted = new Set(); // titles whose deletion was acknowledged
        this.maybe = new Set(); // titles that somebody wanted to delete
        this.ready = new Set(); // ids
        this.seen = new Map(); // URL → sha256 of a segment
        this.retried = []; // { id, error } of each time that a failed video was begun anew
        this.counts = { uploads: 0, deletions: 0, early: 0, ready: 0, segments: 0, awaited: 0 };
        this.kills = Object.fromEntries([...VICTIMS.filter((name) => name !== 'child'), 'ffmpeg'].map((name) => [name, 0]));
        this.deck = [];
        this.pace = 1; // times the pause between two kills
        this.readyThen = -1; // how many were ready when the deck was full
    }

    // ---- people ---------------------------------------------------------------

    /* One upload to its end, whatever happens on the way. */
    async upload() {
        const videos = await this.library();
        if (!videos || videos.filter(({ state }) => state !== 'ready').length >= BACKLOG) return sleep(100);
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
            await sleep(between(0, 100));
        }
        this.sent.set(title, sha256(file));
        this.counts.uploads++;
        return undefined;
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

    /* All videos; undefined: nobody answered. What was ready before is ready still. */
    async library() {
        const before = new Set(this.ready);
        const answer = await ask(this.site.api('GET', '/api/videos?limit=100'));
        for (const { id, state } of answer?.json.videos ?? []) {
            if (state === 'ready') this.ready.add(id);
            else assert.ok(!before.has(id), `${id} was ready, and is ${state}`);
        }
        return answer?.json.videos;
    }

    /* Mostly of what is ready; and now and then of what is on its way. */
    async deleteOne() {
        const videos = ((await this.library()) ?? []).filter(({ title }) => this.sent.has(title));
        const ready = videos.filter(({ state }) => state === 'ready');
        const early = videos.filter(({ state }) => state !== 'ready');
        const one = ready.length > this.keep ? some(ready) : this.counts.early < this.ready.size / EARLY && some(early);
        if (!one) return sleep(200);
        this.maybe.add(one.title);
        const answer = await ask(this.site.api('DELETE', `/api/videos/${one.id}`));
        if (answer?.status !== 204) return undefined;
        this.deleted.add(one.title);
        this.counts.deletions++;
        if (one.state !== 'ready') this.counts.early++;
        return undefined;
    }

    /* A few segments from some place on, picture and sound, of a video that is ready or, if
     * there is any, of one on its way. */
    async watch() {
        const playable = ((await this.library()) ?? []).filter(({ media }) => media);
        const early = playable.filter(({ state }) => state !== 'ready');
        const one = some(early.length > 0 && Math.random() < 0.7 ? early : playable);
        if (!one) return sleep(100);
        const list = some([one.media, one.media.replace('master', 'player')]);
        const base = list.replace(/[^/]+$/, '');
        const master = await ask(this.site.request('GET', list));
        if (master?.status !== 200) return sleep(100);
        const { variants, audio } = parseMaster(master.text);
        const at = Math.random();
        await Promise.all([...variants, ...audio].map(({ URI }) => this.#watchTrack(base + URI, at)));
        return undefined;
    }

    async #watchTrack(list, at) {
        const answer = await ask(this.site.request('GET', list));
        if (answer?.status !== 200) return;
        const { segments } = parseMedia(answer.text);
        const first = Math.floor(at * segments.length);
        for (const { uri } of segments.slice(first, first + 3)) {
            if (!(await this.#segment(list, list.replace(/[^/]+$/, uri)))) return;
            await sleep(between(50, 150));
        }
    }

    /* One segment, waited for as long as it is promised: whole, and the same each time. False
     * once it is of nothing that is there. */
    async #segment(list, url) {
        const awaited = !existsSync(this.site.path(`htdocs${url}`));
        const found = await waitFor(async () => {
            const answer = await ask(this.site.request('GET', url));
            if (answer?.status === 200) return answer;
            const promise = await ask(this.site.request('GET', list));
            return promise && promise.status !== 200 && promise;
        }, { timeout: SETTLE_MS, what: `${url}, which is promised` });
        if (found.status !== 200) return false;
        assert.equal(boxes(found.body)[0].type, 'moof', url);
        const sum = sha256(found.body);
        assert.equal(this.seen.get(url) ?? sum, sum, `${url} is another one than before`);
        this.seen.set(url, sum);
        this.counts.segments++;
        if (awaited) this.counts.awaited++;
        return true;
    }

    /* Whoever sees that a video has failed begins it anew. That it did is a finding, but where
     * each of its attempts was killed. */
    async retry() {
        for (const { id, state, error } of (await this.library()) ?? []) {
            if (state !== 'failed') continue;
            await this.#assertKilled(id, error);
            const answer = await ask(this.site.api('POST', `/api/videos/${id}/retry`));
            if (answer && answer.status < 300) this.retried.push({ id, error });
        }
        await sleep(300);
    }

    /* A job of its that was given up had all of its attempts killed, or took workers with it. */
    async #assertKilled(id, error) {
        const sql = `SELECT message FROM activity WHERE video_id = '${id}' AND kind IN ('probe', 'encode') AND level = 'warn' ORDER BY id`;
        const told = (await this.site.sql(sql)).split('\n');
        assert.ok(told.every((one) => KILLED.test(one)), `${id} failed, and not of kills alone:\n${told.join('\n')}`);
        const begun = told.slice(0, -1).findLastIndex((one) => /given up/.test(one)) + 1; // since it was begun anew
        const [, job, claims] = /^(.*?)given up at attempt (\d+)/.exec(told.at(-1)) ?? assert.fail(`${id} failed: ${told.at(-1)}`);
        const failures = told.slice(begun).filter((one) => one.startsWith(`${job}attempt`)).length + 1;
        const often = /interrupted/.test(error) ? Number(claims) > LOST_MAX + 1 : failures >= ATTEMPTS;
        assert.ok(often, `${id} failed too soon:\n${told.join('\n')}`);
    }

    // ---- what kills them --------------------------------------------------------

    async kill() {
        if (this.deck.length === 0) this.#shuffle();
        await sleep(between(200, 1600) * this.pace);
        const victim = this.deck.shift();
        if (victim === 'worker' || victim === 'lighttpd') {
            await this.site.end(victim, 'SIGKILL');
            this.kills[victim]++;
            await sleep(between(0, 300));
            if (victim === 'worker') this.site.startWorker();
            else await this.#restartLighttpd();
            return;
        }
        const pid = victim === 'child' ? some(family(this.site.pid('worker')).slice(1)) : (await this.site.handlers())[victim];
        try {
            const name = victim === 'child' ? readFileSync(`/proc/${pid}/comm`, 'utf8').trim() : victim;
            process.kill(pid, 'SIGKILL');
            this.kills[name] = (this.kills[name] ?? 0) + 1;
        } catch {
            this.deck.push(victim); // there is none just now
        }
    }

    /* About one a second; where a machine is too slow to make anything between them, fewer. */
    #shuffle() {
        if (this.ready.size === this.readyThen) this.pace *= 1.5;
        this.readyThen = this.ready.size;
        this.deck = shuffled(VICTIMS);
    }

    /* Its handlers end with it, but not at once; the port is free when it is gone. */
    async #restartLighttpd() {
        this.site.startLighttpd();
        await waitFor(() => this.site.answers(), { what: 'lighttpd to answer' });
    }

    // ---- all of it -----------------------------------------------------------------

    /* What there has not been enough of. */
    missing() {
        this.counts.ready = this.ready.size;
        const least = (n) => Math.ceil((n * this.seconds) / LEAST_S);
        const few = Object.entries(LEAST).filter(([name, n]) => this.counts[name] < least(n));
        return [...few, ...Object.entries(this.kills).filter(([, n]) => n === 0)].map(([name]) => name);
    }

    async rage() {
        const end = Date.now() + this.seconds * 1000;
        const late = end + 2 * (this.seconds * 1000 + SETTLE_MS);
        const goesOn = () => !this.broken && (Date.now() < end || (this.missing().length > 0 && Date.now() < late));
        const until = async (fn) => {
            while (goesOn()) await fn.call(this);
        };
        const people = [...Array(UPLOADERS).fill(this.upload), ...Array(VIEWERS).fill(this.watch), this.deleteOne, this.retry];
        const all = [...people, this.kill].map(until);
        try {
            await Promise.all(all);
        } finally {
            this.broken = true;
            await Promise.allSettled(all);
        }
        assert.deepEqual(this.missing(), [], `too little happened: ${JSON.stringify({ ...this.counts, ...this.kills })}`);
    }

    /* Nothing of a ready video is missing: kills cost it no sound, and what was seen of it is
     * still what it was. */
    async #assertPlays(video) {
        assert.equal(video.warning, null, video.title);
        assert.ok((await fetchVideo(this.site, video)).audio, `${video.title} has lost its sound`);
        for (const [url, sum] of this.seen)
            if (url.startsWith(video.media.replace('master.m3u8', ''))) {
                const now = await this.site.request('GET', url);
                assert.ok(now.status === 404 || sha256(now.body) === sum, `${url} has changed`);
            }
    }

    /* All videos, once there is nothing left to do for any of them. A broken invariant is not
     * waited for. */
    async #settled() {
        let broken;
        const look = async () => {
            await this.retry();
            const all = (await this.library()) ?? [];
            return all.length > 0 && all.every(({ state }) => state === 'ready') && all;
        };
        const videos = await waitFor(() => look().catch((error) => (broken = error)), { timeout: SETTLE_MS, every: 500, what: 'all to be ready', moving: () => this.site.made() });
        if (broken) throw broken;
        // A site that is to have no small pictures leaves those for later.
        const left = () => this.site.sql(`SELECT count(*) FROM jobs WHERE state IN ('queued', 'running') AND (kind <> 'storyboard' OR ${this.extras})`);
        await waitFor(async () => (await left()) === '0', { timeout: SETTLE_MS, what: 'all jobs to end', moving: left });
        return videos;
    }

    async check() {
        const videos = await this.#settled();
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
        for (const video of videos) await this.#assertPlays(video);
        return videos.length;
    }
}

/*
 * Rages for so many seconds and until enough has happened, then looks at what there is:
 * { uploads, deletions, early (of them, of what was on its way), ready (made meanwhile),
 * segments (watched), awaited (of them, that were not there yet), videos (in the end),
 * kills: { program: n }, retried: [{ id, error }] }. extras: whatever a site makes besides is
 * made too. keep: so many ready videos; more are deleted.
 */
export async function storm({ seconds = 600, extras = true, keep = 8, say = () => {} } = {}) {
    const temp = await tempDir();
    const env = { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, SPEED), DROPSTREAM_BACKOFF_MS: '200', DROPSTREAM_JOBS: '4' };
    const site = await startSite({ worker: true, extras, env });
    try {
        const one = new Storm(site, await clipMaker(temp.dir), { seconds, extras, keep });
        const begun = Date.now();
        await one.rage();
        say(`over after ${Math.round((Date.now() - begun) / 1000)} s: ${JSON.stringify(one.counts)}`);
        const videos = await one.check();
        return { ...one.counts, videos, kills: one.kills, retried: one.retried };
    } catch (error) {
        console.error(await site.logs());
        throw error;
    } finally {
        await site.stop();
        await temp.remove();
    }
}
