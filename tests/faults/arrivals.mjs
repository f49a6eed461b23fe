/*
 * arrivals.mjs: the worker is killed, its disk fails, the power goes or its clock jumps, while
 * it makes a video whose file comes in by tus, with a track of subtitles. The client sends the
 * first part before it starts, and the rest once some of it is made, or the worker is gone. What
 * comes after it finds the rest: all is what it would have been, the subtitles too.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';

import { ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';
import { srtOf } from '../lib/subtitles.mjs';
import { metadata } from '../lib/tus.mjs';
import { assertSound, underFaults } from './faults.mjs';
import { assertNoTry, filesOf, isDone, noMoreWaiting, WAIT_MS } from './worker.mjs';

const PART = 0.6; // of the file, which is sent before the worker starts
const TUS = { 'Tus-Resumable': '1.0.0' };

async function makeClip(dir) {
    const [text, file] = ['cues.srt', 'clip.mp4'].map((name) => path.join(dir, name));
    await fs.writeFile(text, srtOf([[1, 2, 'One'], [6, 7, 'Two']]));
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=10:d=8', '-f', 'lavfi', '-i', 'sine=d=8:r=48000', '-i', text,
        '-map', '0', '-map', '1', '-map', '2', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20', '-c:a', 'aac',
        '-c:s', 'mov_text', '-movflags', '+faststart', file);
    return fs.readFile(file);
}

/* An upload by tus. Nothing happens to what takes it. */
class Upload {
    constructor(site, file) {
        Object.assign(this, { site, file, id: randomBytes(16).toString('hex') });
    }

    #send(method, target, headers, body) {
        return this.site.cgi('upload.fcgi', { method, target, headers: { ...TUS, ...headers }, body });
    }

    async begin() {
        const headers = { 'Upload-Length': this.file.length, 'Upload-Metadata': metadata({ filename: 'clip.mp4', upload_id: this.id }) };
        assert.equal((await this.#send('POST', '/api/uploads', headers)).status, 201);
        await this.sendTo(Math.round(PART * this.file.length));
        return this.site.sql(`SELECT id FROM videos WHERE upload_id = '${this.id}'`);
    }

    /* All that was acknowledged is there, whatever has happened to the worker. */
    async sendTo(to) {
        const target = `/api/uploads/${this.id}`;
        const from = Number((await this.#send('HEAD', target)).headers['upload-offset']);
        assert.equal(from, this.offset ?? 0);
        if (from === to) return;
        const headers = { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': from };
        assert.equal((await this.#send('PATCH', target, headers, this.file.subarray(from, to))).status, 204);
        this.offset = to;
    }

    async finish() {
        if (this.offset !== this.file.length) await this.sendTo(this.file.length);
    }
}

const get = async (site, id) => (await site.cgi('api.fcgi', { target: `/api/videos/${id}` })).json;

async function isAll(site, id) {
    if (!(await isDone(site, id))) return false;
    const { subtitles } = await get(site, id);
    return subtitles.length === 1 && subtitles[0].url !== null;
}

/* Until all is made, the worker is gone, or it waits for a while after the fault. */
async function runUnderFault(site, fault, id, upload) {
    site.startWorker(fault.env);
    let gone = false;
    site.ended('worker').then(() => (gone = true));
    let patience;
    await waitFor(async () => {
        const video = await get(site, id).catch(() => undefined);
        if (!fault.struck() && video?.renditions?.some(({ done }) => done > 0)) await upload.finish();
        if (gone || (await isAll(site, id).catch(() => true))) return true;
        if (fault.struck()) patience ??= Date.now() + 500;
        return patience && Date.now() > patience;
    }, { timeout: WAIT_MS, every: 20, what: `the worker under ${fault.name}` });
    await site.end('worker');
    await fault.over();
}

async function runFreely(site, id) {
    site.startWorker();
    await waitFor(async () => {
        if (await isAll(site, id)) return true;
        await noMoreWaiting(site);
        return false;
    }, { timeout: WAIT_MS, every: 100, what: `${id} and its subtitles to be made` });
    await site.end('worker');
}

export async function faultsOfArrivals(options = {}) {
    const temp = await tempDir();
    // What has not come in whole expires by the clock that jumps.
    const env = { DROPSTREAM_JAIL: 'off', DROPSTREAM_NICE: '0', DROPSTREAM_UPLOAD_EXPIRE_H: '48' };
    const site = await startSite({ posters: true, env });
    const none = { env: {}, struck: () => false, over: () => {}, name: 'no fault', kind: 'none' };
    let expected;
    const run = async (fault) => {
        const upload = new Upload(site, file);
        const id = await upload.begin();
        await runUnderFault(site, fault, id, upload);
        await upload.finish();
        if (!(await isAll(site, id))) await runFreely(site, id);
        await assertSound(site);
        expected ??= await filesOf(site, id);
        assert.deepEqual(await filesOf(site, id), expected);
        assert.ok(file.equals(await fs.readFile(site.path(`spool/${id}.src`))));
        await assertNoTry(site, fault, id);
        assert.equal((await site.cgi('api.fcgi', { method: 'DELETE', target: `/api/videos/${id}` })).status, 204);
    };
    let file;
    try {
        file = await makeClip(temp.dir);
        await run(none);
        return await underFaults(site, 'dropstream-worker', options, run);
    } finally {
        await site.stop();
        await temp.remove();
    }
}
