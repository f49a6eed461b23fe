/*
 * accounts.mjs: a site that asks people to sign in, and people who do.
 *
 *     const { site, owner, member, other, viewer } = await startAccounts();
 *     const { json } = await member.upload(tinyMp4());
 *     const token = await member.newToken(['read']);
 *
 * A Client asks as a browser does, with the cookies that it was given and the headers by
 * which browsers say where a request comes from; or as a program, with a token.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Site, startSite } from './site.mjs';

export const PASSWORD = 'correct horse battery';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/* n random letters: 52 are a secret, 26 a key, 16 an id. */
export const letters = (n) =>
    [...randomBytes(n)].map((byte) => BASE32[byte % BASE32.length]).join('');

/* Runs SQL on the site's database, as one transaction beside its programs. */
export async function sql(site, text) {
    const database = await site.holdDatabase();
    try {
        return await database.run(text);
    } finally {
        await database.end();
    }
}

export class Client {
    #cookies = new Map(); // name and path → { name, value, path }

    /* headers: sent with each request. token: a program's. address: of 127.0.0.0/8, from
     * which it comes. plain: a browser that reached the site by http and another name than
     * localhost, where none sends Sec-Fetch-Site, nor Origin with GET and HEAD. */
    constructor(site, { headers = {}, token, address, plain = false } = {}) {
        this.site = site;
        this.address = address;
        this.plain = plain;
        this.headers = token ? { Authorization: `Bearer ${token}`, ...headers } : headers;
        this.isBrowser = !token;
    }

    /* What a browser says of the page that asks, which is one of the site's own. */
    #origin(method) {
        if (!this.isBrowser) return {};
        if (!this.plain) return { 'Sec-Fetch-Site': 'same-origin' };
        return ['GET', 'HEAD'].includes(method) ? {} : { Origin: `http://127.0.0.1:${this.site.port}` };
    }

    /* As Site.request. */
    async request(method, target, { headers = {}, ...options } = {}) {
        const cookie = this.cookieHeader(target);
        const response = await this.site.request(method, target, {
            localAddress: this.address,
            ...options,
            headers: {
                ...(cookie ? { Cookie: cookie } : {}), ...this.#origin(method), ...this.headers, ...headers,
            },
        });
        for (const line of response.headers['set-cookie'] ?? []) this.#keep(line);
        return response;
    }

    #keep(line) {
        const [pair, ...rest] = line.split('; ');
        const [name, value] = pair.split('=');
        const said = Object.fromEntries(rest.map((part) => part.split('=')));
        const key = `${name} ${said.Path}`;
        if (Number(said['Max-Age']) > 0) this.#cookies.set(key, { name, value, path: said.Path });
        else this.#cookies.delete(key);
    }

    /* What a browser would send to that address: the longest path first. */
    cookieHeader(target) {
        return [...this.#cookies.values()]
            .filter(({ path }) => target === path || target.startsWith(path.replace(/\/?$/, '/')))
            .sort((a, b) => b.path.length - a.path.length)
            .map(({ name, value }) => `${name}=${value}`)
            .join('; ');
    }
    get cookies() {
        return Object.fromEntries([...this.#cookies.values()].map(({ name, value }) => [name, value]));
    }

    /* A browser that has the same cookies now, and its own from then on. */
    clone() {
        const other = new Client(this.site, {
            headers: this.headers, address: this.address, plain: this.plain,
        });
        other.#cookies = new Map(this.#cookies);
        return other;
    }

    async signIn(name, password = PASSWORD) {
        const response = await this.api('POST', '/api/session', { name, password });
        assert.equal(response.status, 201, response.text);
        return this;
    }

    /* The text of a new token of this one's own. */
    async newToken(scopes, more = {}) {
        const body = { label: 'for a test', scopes, ...more };
        const response = await this.api('POST', '/api/tokens', body);
        assert.equal(response.status, 201, response.text);
        return response.json.token;
    }

    async newShare(video, body = {}) {
        const response = await this.api('POST', `/api/videos/${video}/shares`, body);
        assert.equal(response.status, 201, response.text);
        return response.json;
    }
}
/* They do what Site does, by their own request(). */
for (const name of ['api', 'upload', 'waitForState'])
    Client.prototype[name] = Site.prototype[name];

/* The site's first owner, by a set-up link as `dropstreamctl setup-link` makes them. */
export async function setUp(site, name) {
    const token = letters(52);
    const hash = createHash('sha256').update(token).digest('hex');
    await site.api('GET', '/api/session');
    await sql(site, `INSERT OR REPLACE INTO site_secrets (name, secret, expires_ms)
        VALUES ('setup', X'${hash}', ${Date.now() + 3_600_000})`);
    const owner = new Client(site);
    const response = await owner.api('POST', '/api/setup', { token, name, password: PASSWORD });
    assert.equal(response.status, 201, response.text);
    return owner;
}

export async function addUser(owner, name, role) {
    const response = await owner.api('POST', '/api/users', { name, role, password: PASSWORD });
    assert.equal(response.status, 201, response.text);
    return new Client(owner.site).signIn(name);
}

/* A site with olga, its owner, the members mia and otto, and vera, who only watches. */
export async function startAccounts({ env = {}, ...options } = {}) {
    const site = await startSite({ ...options, env: { DROPSTREAM_AUTH: 'required', ...env } });
    try {
        const owner = await setUp(site, 'olga');
        const [member, other, viewer] = [
            await addUser(owner, 'mia', 'member'),
            await addUser(owner, 'otto', 'member'),
            await addUser(owner, 'vera', 'viewer'),
        ];
        return { site, owner, member, other, viewer };
    } catch (error) {
        console.error(await site.logs());
        await site.stop();
        throw error;
    }
}

/* Has a video look as if it could be watched, without a worker: 360p of `segments`
 * segments, of which the files in `made` are there. Resolves to its media root. */
export async function pretend(site, id, { segments = 5, made = [0, 1] } = {}) {
    const root = await sql(site, `UPDATE videos SET playable = 1, has_poster = 1,
        state = 'processing', duration_us = ${segments * 2_000_000} WHERE id = '${id}';
        INSERT OR IGNORE INTO renditions (video_id, name, position, kind, generation, width,
            height, bitrate, average_bitrate, codecs, rate_num, rate_den, gop, frames, segments,
            done, stream, source_last_us, seek_margin_us, deinterlace)
            VALUES ('${id}', '360p', 0, 'video', 1, 640, 360, 500000, 0, 'avc1.42c01e', 25, 1,
            50, ${50 * segments}, ${segments}, ${made.length}, 0, 0, 0, 0);
        SELECT media_root FROM videos WHERE id = '${id}'`);
    await site.put(`htdocs/media/${root}/master.m3u8`, '#EXTM3U\n');
    await site.put(`htdocs/media/${root}/poster.jpg`, 'jpeg');
    for (const n of made) await site.put(`htdocs/media/${root}/360p-1/${n}.m4s`, `segment ${n}`);
    return root;
}
