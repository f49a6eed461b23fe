/* tus.mjs: requests of the tus protocol, and connections that break where a test wants. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import { promisify } from 'node:util';
import { formAround, tinyMp4, waitFor } from './site.mjs';

export const CHUNK = 'application/offset+octet-stream';
const VERSION = { 'Tus-Resumable': '1.0.0' };

export const newUploadId = () => randomBytes(16).toString('hex');

/* { filename: 'a.mp4' } as Upload-Metadata. */
export const metadata = (pairs) =>
    Object.entries(pairs)
        .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
        .join(',');

export const checksum = (algorithm, bytes) =>
    `${algorithm} ${createHash(algorithm).update(bytes).digest('base64')}`;

/* A request below /api/uploads; id may be '' (the collection), or a whole path. */
export function tus(site, method, id, { headers = {}, body } = {}) {
    const target = id.startsWith('/') ? id : `/api/uploads${id && `/${id}`}`;
    const length = body === undefined ? {} : { 'Content-Length': body.length };
    return site.request(method, target, { headers: { ...VERSION, ...length, ...headers }, body });
}

/* Creates an upload and resolves to its id. */
export async function create(site, length, { headers = {}, body, ...pairs } = {}) {
    const response = await tus(site, 'POST', '', {
        headers: {
            'Upload-Length': length,
            'Upload-Metadata': metadata({ filename: 'clip.mp4', ...pairs }),
            ...(body ? { 'Content-Type': CHUNK } : {}),
            ...headers,
        },
        body,
    });
    assert.equal(response.status, 201, response.text);
    const id = /^\/api\/uploads\/([0-9a-f]{32})$/.exec(response.headers.location)?.[1];
    assert.ok(id, response.headers.location);
    return id;
}

export const patch = (site, id, offset, body, headers = {}) =>
    tus(site, 'PATCH', id, {
        headers: { 'Content-Type': CHUNK, 'Upload-Offset': offset, ...headers },
        body,
    });

export const head = (site, id) => tus(site, 'HEAD', id);

/* The offset that HEAD tells. */
export async function offsetOf(site, id) {
    const response = await head(site, id);
    assert.equal(response.status, 200);
    return Number(response.headers['upload-offset']);
}

/*
 * A request of which only a part is sent: { socket, text() }. headers and body as for
 * site.request; length is what the request announces.
 */
export async function begin(site, method, target, headers, body, length) {
    const socket = net.connect(site.port, '127.0.0.1');
    let text = '';
    socket.on('data', (data) => (text += data.toString('latin1')));
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', () => resolve(text)));
    await new Promise((resolve) => socket.on('connect', resolve));
    let request = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n`;
    for (const [key, value] of Object.entries({ ...headers, 'Content-Length': length }))
        request += `${key}: ${value}\r\n`;
    socket.write(`${request}\r\n`);
    socket.write(body);
    return { socket, text: () => text, closed };
}

export const beginPatch = (site, id, offset, body, length, headers = {}) =>
    begin(
        site,
        'PATCH',
        `/api/uploads/${id}`,
        { ...VERSION, 'Content-Type': CHUNK, 'Upload-Offset': offset, ...headers },
        body,
        length,
    );

/* A form of which only the first bytes of its file are sent. */
export function beginForm(site, file, bytes, fields) {
    const form = formAround('clip.mp4', fields);
    const length = form.head.length + file.length + form.tail.length;
    const body = Buffer.concat([form.head, file.subarray(0, bytes)]);
    return begin(site, 'POST', '/api/videos', { 'Content-Type': form.type }, body, length);
}

/* The one file in the spool that is being received. */
export async function partOf(site) {
    const parts = (await site.spool()).filter((name) => name.endsWith('.part'));
    assert.equal(parts.length, 1, parts.join());
    return parts[0];
}

export const partSize = async (site) =>
    (await fs.stat(site.path('spool', await partOf(site)))).size;

export const waitForPart = (site, bytes) =>
    waitFor(async () => (await partSize(site)) >= bytes, { what: `${bytes} bytes to be there` });

/* The video is stored and has the bytes of file. */
export async function assertStored(site, videoId, file) {
    const { json } = await site.api('GET', `/api/videos/${videoId}`);
    assert.equal(json.state, 'stored');
    assert.equal(json.size, file.length);
    assert.equal(json.received, file.length);
    const stored = await fs.readFile(site.path('spool', `${videoId}.src`));
    assert.ok(stored.equals(file), 'the stored file differs');
    return json;
}

/* A file of which no part is like another. */
export function noise(bytes) {
    const file = tinyMp4(bytes);
    for (let i = 40; i + 4 <= bytes; i += 4) file.writeUInt32LE((i * 2654435761) >>> 0, i);
    return file;
}

export const videos = async (site) => (await site.api('GET', '/api/videos')).json.videos;

/* Sends the rest of an upload of file and checks that all is well in the end. */
export async function finish(site, id, offset, file) {
    const response = await patch(site, id, offset, file.subarray(offset));
    assert.equal(response.status, 204, response.text);
    await assertStored(site, response.headers['dropstream-video'], file);
    assert.deepEqual(
        (await site.spool()).filter((name) => name.endsWith('.part')),
        [],
    );
}

/* Runs SQL in the site's database. */
export const sql = async (site, text) =>
    (
        await promisify(execFile)('sqlite3', ['-cmd', '.timeout 5000', site.path('db/dropstream.db'), text])
    ).stdout.trim();
