/*
 * uploads.mjs: upload.fcgi is killed, its disk fails, the power goes or its clock jumps, at each
 * call in turn, while a client uploads by a form, or by tus in two parts. The client does what
 * every client would: it goes on from what the server says that it has, or begins anew with the
 * same upload_id. In the end its file is there once and whole, and nothing else is.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';

import { formAround, startSite, tinyMp4, whole } from '../lib/site.mjs';
import { metadata } from '../lib/tus.mjs';
import { assertSound, underFaults } from './faults.mjs';

const BYTES = 100_000;
const HALF = 60_000;
const TRIES = 5;
const TUS = { 'Tus-Resumable': '1.0.0' };
const CHUNK = { ...TUS, 'Content-Type': 'application/offset+octet-stream' };

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/* One upload of one file. struck: the step whose first request is made under the fault. */
class Client {
    constructor(site, struck, fault) {
        Object.assign(this, { site, struck, fault });
        this.file = tinyMp4(BYTES);
        randomBytes(1000).copy(this.file, 50);
        this.id = randomBytes(16).toString('hex');
        this.acknowledged = 0;
        this.video = undefined; // once the server has said that it has all
    }

    /* What the server says; undefined if it ended before that. */
    async #send(step, target, request) {
        const isStruck = step === this.struck;
        if (isStruck) this.struck = undefined;
        const settings = isStruck ? this.fault.env : {};
        // What was said before the end was said.
        const answer = await this.site.cgi('upload.fcgi', { target, ...request, settings }).catch((error) => error.answer);
        if (isStruck) await this.fault.over();
        if (answer && answer.status >= 400) this.#isPlain(answer, isStruck);
        return answer;
    }

    /* An error is told in JSON, and says whether it is the disk that is full. */
    #isPlain({ status, json, text }, isStruck) {
        if (isStruck) this.#isOfTheDisk(status, json);
        // What was begun, and of which nothing has come, expires within the hour.
        const mayExpire = this.fault.kind.startsWith('clock') && this.acknowledged === 0;
        assert.ok([404, 409, 500, 503, 507].includes(status) || (status === 410 && mayExpire), `${status} ${text}`);
        assert.ok(json?.error?.message || text === '', text);
    }

    /* What the request itself ran into; SQLite does not say why it could not open a file. */
    #isOfTheDisk(status, json) {
        const [error, call] = this.fault.kind.split(' of ');
        if (error === 'EIO') assert.notEqual(status, 507);
        else if (error === 'ENOSPC' && call !== 'open') assert.ok(status === 507 || json.error.code === 'not_entered', json.error.code);
    }

    async form() {
        const form = formAround('clip.mp4', { upload_id: this.id, size: BYTES });
        const headers = { 'Content-Type': form.type };
        const answer = await this.#send('form', '/api/videos', { method: 'POST', headers, body: whole(form, this.file) });
        if (answer?.status === 201) this.video = answer.json.id;
    }

    async create() {
        const headers = { ...TUS, 'Upload-Length': BYTES, 'Upload-Metadata': metadata({ filename: 'clip.mp4', upload_id: this.id }) };
        return (await this.#send('create', '/api/uploads', { method: 'POST', headers }))?.status === 201;
    }

    async patch(step, from, to) {
        const headers = { ...CHUNK, 'Upload-Offset': from };
        const answer = await this.#send(step, `/api/uploads/${this.id}`, { method: 'PATCH', headers, body: this.file.subarray(from, to) });
        if (answer?.status !== 204) return false;
        this.acknowledged = Number(answer.headers['upload-offset']);
        assert.equal(this.acknowledged, to);
        return true;
    }

    /* How much the server has; -1: nothing of it. What it has acknowledged it has, but where a
     * sync failed: then nobody knows which bytes are there. */
    async head() {
        const answer = await this.#send('head', `/api/uploads/${this.id}`, { method: 'HEAD', headers: TUS });
        if (answer?.status === 404 && this.fault.struck() && this.fault.kind.endsWith(' of sync')) this.acknowledged = 0;
        if (answer?.status === 404) assert.equal(this.acknowledged, 0, 'an upload that was acknowledged in part is gone');
        if (answer?.status !== 200) return -1;
        const offset = Number(answer.headers['upload-offset']);
        assert.ok(offset >= this.acknowledged, `${offset} of ${this.acknowledged} acknowledged bytes are there`);
        return offset;
    }

    /* Goes on until the server says that it has all. */
    async goOn() {
        for (let i = 0; i < TRIES && !this.video; i++) {
            const offset = await this.head();
            if (offset < 0) await this.form();
            else if (offset === BYTES || (await this.patch('rest', offset, BYTES))) return;
        }
    }
}

const WAYS = {
    form: async (client) => client.form(),
    create: async (client) => (await client.create()) && client.patch('half', 0, BYTES),
    half: async (client) => (await client.create()) && (await client.patch('half', 0, HALF)) && client.patch('rest', HALF, BYTES),
    rest: async (client) => (await client.create()) && (await client.patch('half', 0, HALF)) && client.patch('rest', HALF, BYTES),
};

/* Every video of the library, as the API lists them. */
async function library(site) {
    const { json } = await site.cgi('api.fcgi', { target: '/api/videos?limit=100' });
    return json.videos;
}

/* The one video that was uploaded is there once, whole; its files are all that there are. */
async function isThere(site, client, known) {
    const added = (await library(site)).filter(({ id }) => !known.has(id));
    assert.equal(added.length, 1, `${added.length} videos of one upload`);
    const [video] = added;
    if (client.video) assert.equal(video.id, client.video);
    assert.equal(video.state, 'stored');
    assert.equal(video.received, BYTES);
    assert.equal(sha256(await fs.readFile(site.path('spool', `${video.id}.src`))), sha256(client.file));
    known.add(video.id);
    const spool = (await fs.readdir(site.path('spool'))).sort();
    assert.deepEqual(spool, [...known].map((id) => `${id}.src`).sort(), 'nothing else is left behind');
    await assertSound(site);
}

const VIDEOS_MAX = 90; // of one site: a page of the library

/* Runs through all points; returns how many there were, by kind. say(text): what was done. */
export async function faultsOfUploads({ say = () => {}, ...options } = {}) {
    const points = {};
    for (const [step, way] of Object.entries(WAYS)) {
        // Longer than any clock jumps here: what expires does so by that clock.
        let site = await startSite({ env: { DROPSTREAM_UPLOAD_EXPIRE_H: '48' } });
        let known = new Set();
        try {
            await underFaults(site, 'upload.fcgi', { ...options, points }, async (fault) => {
                const client = new Client(site, step, fault);
                await way(client);
                await client.goOn();
                await isThere(site, client, known);
                if (known.size >= VIDEOS_MAX) {
                    for (const id of known) assert.equal((await site.cgi('api.fcgi', { method: 'DELETE', target: `/api/videos/${id}` })).status, 204);
                    known = new Set();
                    await fs.rm(site.path('spool'), { recursive: true });
                    await fs.mkdir(site.path('spool'), { mode: 0o700 });
                }
            });
        } catch (error) {
            throw new Error(`${step}: ${error.message}`, { cause: error });
        } finally {
            await site.stop();
        }
        say(`${step}: ${JSON.stringify(points)}`);
    }
    return points;
}
