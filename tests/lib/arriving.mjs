/*
 * arriving.mjs: an upload whose pace is set from here, for tests of what happens while a
 * video comes in.
 *
 *     const upload = await PacedUpload.begin(site, 'clip.mp4');
 *     await upload.sendTo(0.4); // two fifths of the file
 *     const video = await upload.video();
 *     const { status } = await upload.finish();
 */
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

import { runsOf } from './demand.mjs';
import { beeps, fetchVideo, flashes } from './media.mjs';
import { formAround, sleep, waitFor } from './site.mjs';

const BLOCK = 64 * 1024;

/* The index (moov) of an MP4 file, to be sent ahead: { offset, bytes }. */
export async function indexOf(file) {
    const handle = await open(file);
    try {
        const header = Buffer.alloc(16);
        for (let offset = 0; ; ) {
            const { bytesRead } = await handle.read(header, 0, 16, offset);
            if (bytesRead < 8) throw new Error(`${file} has no index`);
            let size = header.readUInt32BE(0);
            if (size === 1) size = Number(header.readBigUInt64BE(8));
            if (header.toString('latin1', 4, 8) === 'moov') {
                const bytes = Buffer.alloc(size);
                await handle.read(bytes, 0, size, offset);
                return { offset, bytes };
            }
            offset += size;
        }
    } finally {
        await handle.close();
    }
}

/* The two parts of a form that carry an index. */
function indexParts(form, { offset, bytes }) {
    const boundary = form.type.split('boundary=')[1];
    const begin = (name) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"`;
    return [
        Buffer.from(`${begin('index_offset')}\r\n\r\n${offset}\r\n${begin('index')}; filename="moov"\r\n\r\n`),
        bytes,
        Buffer.from('\r\n'),
    ];
}

/* undefined of a page that lighttpd wrote itself. */
const jsonOf = (res, text) =>
    res.headers['content-type'] === 'application/json' && text ? JSON.parse(text) : undefined;

export class PacedUpload {
    sent = 0; // bytes of the file

    constructor(site, handle, size, form) {
        this.site = site;
        this.handle = handle;
        this.size = size;
        this.form = form;
    }

    /* Sends the form up to the file. fields go before it, index too ({ offset, bytes } of
     * a moov box that is sent ahead); file is a path. rate: bytes a second, which the form
     * too takes its time for. */
    static async begin(site, file, { fields = {}, from, index, rate } = {}) {
        const handle = await open(file);
        const { size } = await handle.stat();
        const form = formAround(path.basename(file), { size, ...fields });
        if (index) {
            const at = form.head.lastIndexOf('--' + form.type.split('boundary=')[1]);
            form.head = Buffer.concat([form.head.subarray(0, at), ...indexParts(form, index), form.head.subarray(at)]);
        }
        const upload = new PacedUpload(site, handle, size, form);
        const headers = {
            'Content-Type': form.type,
            'Content-Length': form.head.length + size + form.tail.length,
        };
        upload.began = performance.now();
        upload.req = http.request({
            host: '127.0.0.1',
            port: site.port,
            localAddress: from,
            agent: false,
            method: 'POST',
            path: '/api/videos',
            headers,
        });
        upload.answer = new Promise((resolve) => {
            upload.req.on('error', (error) => resolve({ error }));
            upload.req.on('close', () => upload.req.res || resolve({ error: new Error('there is no answer') }));
            upload.req.on('response', (res) => {
                let text = '';
                res.setEncoding('utf8').on('data', (data) => (text += data));
                res.on('end', () => resolve({ status: res.statusCode, json: jsonOf(res, text) }));
                res.on('error', (error) => resolve({ error }));
            });
        });
        if (rate) await sleep((1000 * form.head.length) / rate);
        await upload.#write(form.head);
        return upload;
    }

    /* What still waits to be written when the connection closes is told of to nobody. */
    #write(data) {
        return new Promise((resolve, reject) => {
            const gone = () => reject(new Error('the connection has been closed'));
            if (this.req.destroyed) return gone();
            this.req.once('close', gone);
            this.req.write(data, (error) => {
                this.req.off('close', gone);
                if (error) reject(error);
                else resolve();
            });
        });
    }

    /* Sends the file up to this byte, or to this part of it where it is at most 1. rate:
     * bytes a second, else as fast as it goes. */
    async sendTo(where, { rate } = {}) {
        const end = where <= 1 ? Math.floor(where * this.size) : where;
        const began = performance.now();
        const first = this.sent;
        const block = Buffer.alloc(BLOCK);
        while (this.sent < end) {
            const n = Math.min(BLOCK, end - this.sent);
            await this.handle.read(block, 0, n, this.sent);
            await this.#write(Buffer.from(block.subarray(0, n)));
            this.sent += n;
            const ahead = rate && ((this.sent - first) / rate) * 1000 - (performance.now() - began);
            if (ahead > 0) await sleep(ahead);
        }
    }

    /* Sends the rest and the end of the form; resolves to { status, json }. */
    async finish(options) {
        try {
            await this.sendTo(this.size, options);
            this.req.end(this.form.tail);
            const answer = await this.answer;
            if (answer.error) throw answer.error;
            return answer;
        } finally {
            await this.handle.close();
        }
    }

    /* The connection breaks. */
    async cut() {
        this.req.destroy();
        await this.handle.close();
    }

    /* The video's row, once it has one: the newest one that is receiving. test: what else
     * has to be true of it. */
    async video(test = () => true, options = {}) {
        const find = async () => {
            const { json } = await this.site.api('GET', '/api/videos?sort=newest');
            const video = json.videos.find(({ id, state }) => (this.id ? id === this.id : state === 'receiving'));
            this.id = video?.id;
            return video && test(video) && video;
        };
        return waitFor(find, { every: 10, what: 'the video that comes in', ...options });
    }
}

/* What came of a clip of flashClip is what was in it, to its end. */
export async function assertWhole(site, video, seconds) {
    const found = await fetchVideo(site, video);
    const places = { flash: await flashes(found.video), beep: await beeps(found.audio) };
    for (const [what, seen] of Object.entries(places)) {
        assert.equal(seen.length, seconds);
        seen.forEach((at, i) => assert.ok(Math.abs(at - i) < 0.06, `the ${what} of ${i} s is at ${at}`));
    }
}

/* No segment came out of two runs. */
export async function assertMadeOnce(site, video, timeline) {
    const seen = new Set();
    for (const { kind, first, made = 0 } of await runsOf(site, video, timeline))
        for (let k = first; k < first + made; k++) {
            assert.ok(!seen.has(`${kind} ${k}`), `${kind} ${k} is made once`);
            seen.add(`${kind} ${k}`);
        }
}
