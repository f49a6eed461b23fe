/* media_auth = strict: a media file is for who may watch, and a key alone opens nothing. What
 * was let through once is sent by lighttpd from then on: see passes.test.mjs. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, PASSWORD, addUser, letters, pretend, sql, startAccounts } from '../lib/accounts.mjs';
import { untilParked } from '../lib/parked.mjs';
import { startSite, tinyMp4, waitFor } from '../lib/site.mjs';
import { selfSigned } from '../lib/tls.mjs';

describe('strict mode', () => {
    let site, owner, member, other, viewer, nobody, video, root;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));
    const keyIn = (json) => json.media.split('/')[2];
    const keyOf = async (client) => keyIn((await client.api('GET', `/api/videos/${video.id}`)).json);
    const get = (client, key, file = '360p-1/0.m4s', headers = {}) =>
        client.request('GET', `/media/${key}/${file}`, { headers });
    const status = async (...args) => (await get(...args)).status;
    const isPass = ([name]) => name === 'dropstream_media';
    /* Without its pass, so that it is asked about. */
    const session = (client) => ({
        Cookie: Object.entries(client.cookies).filter((pair) => !isPass(pair)).map((pair) => pair.join('=')).join('; '),
    });

    before(async () => {
        ({ site, owner, member, other, viewer } = await startAccounts({
            env: { DROPSTREAM_MEDIA_AUTH: 'strict', DROPSTREAM_WAIT_S: '2' },
        }));
        nobody = new Client(site);
        video = (await member.upload(tinyMp4())).json;
        root = await pretend(site, video.id);
    });
    after(() => site?.stop());

    test('a file is sent to whom its key was given, and to nobody else', async () => {
        const [mine, owners] = [await keyOf(member), await keyOf(owner)];
        for (const file of ['master.m3u8', 'poster.jpg', '360p-1/0.m4s']) {
            assert.equal(await status(member, mine, file, session(member)), 200, file);
            assert.equal(await status(member, mine, file), 200, `${file}, with a pass`);
            assert.equal(await status(owner, owners, file), 200, file);
            for (const [client, key] of [[nobody, mine], [other, mine], [owner, mine], [member, owners]]) {
                const refused = await get(client, key, file);
                assert.equal(refused.status, 404, file);
                assert.equal(refused.json.error.code, 'not_found');
                assert.match(refused.headers['cache-control'], /^no-store/);
            }
        }
        // One's own key in front of another one opens nothing.
        for (const up of ['..', '%2e%2e', '.%2e', '..%2f..', './..', './/..', 'x/../..', '..%5c', '..;', '%252e%252e'])
            for (const file of [`${up}/${owners}/master.m3u8`, `${up}/${owners}/360p-1/0.m4s`, `${up}/${root}/master.m3u8`])
                assert.ok([400, 403, 404].includes(await status(member, mine, file)), file);
        assert.equal(await status(member, root), 404, 'the folder itself is nobody’s');
        assert.equal(await status(member, letters(26)), 404);
    });
    test('the same is sent with a pass and without: type, validator, ranges, for how long', async () => {
        const key = await keyOf(member);
        await get(member, key);
        for (const more of [session(member), {}]) {
            const whole = await get(member, key, '360p-1/0.m4s', more);
            assert.equal(whole.text, 'segment 0');
            assert.equal(whole.headers['content-type'], 'video/iso.segment');
            assert.match(whole.headers['cache-control'], /private/);
            assert.match(whole.headers['cache-control'], /max-age=31536000/);
            assert.ok(whole.headers.etag);
            const part = await get(member, key, '360p-1/0.m4s', { ...more, Range: 'bytes=2-4' });
            assert.deepEqual([part.status, part.text], [206, 'gme']);
            const again = await get(member, key, '360p-1/0.m4s', { ...more, 'If-None-Match': whole.headers.etag });
            assert.equal(again.status, 304);
            const head = await member.request('HEAD', `/media/${key}/360p-1/0.m4s`, { headers: more });
            assert.deepEqual([head.status, head.headers['content-length']], [200, '9']);
        }
        // All of it, for what may change and for what is refused, too.
        for (const file of ['master.m3u8', 'poster.jpg', '360p-1/0.m4s', '360p-1/9.m4s', 'x.txt', '', '360p-1', '360p-1/']) {
            const [asked, sent] = [await get(member, key, file, session(member)), await get(member, key, file)];
            assert.deepEqual([asked.status, asked.text], [sent.status, sent.text], file);
            for (const name of ['cache-control', ...Object.keys({ ...asked.headers, ...sent.headers })]) {
                const words = ({ headers }) => `${headers[name]}`.split(', ').sort();
                if (!['set-cookie', 'date'].includes(name)) assert.deepEqual(words(asked), words(sent), `${file}: ${name}`);
            }
            assert.equal(sent.headers['set-cookie'], undefined);
        }
    });
    test('a segment that is not there yet is still waited for, by who may have it', async () => {
        const key = await keyOf(member);
        for (const more of [session(member), {}]) {
            const late = await get(member, key, '360p-1/3.m4s', more);
            assert.equal(late.status, 503);
            assert.equal(late.json.error.code, 'not_yet');
        }
        assert.equal(await status(nobody, key, '360p-1/2.m4s'), 404);
        assert.equal(await sql(site, 'SELECT count(*) FROM demand WHERE segment = 2'), '0', 'nobody waits without a right');
        assert.equal(await status(member, key, '360p-1/9.m4s'), 404);
        const waiting = get(member, key, '360p-1/4.m4s');
        await untilParked(site, 1);
        await site.put(`htdocs/media/${root}/360p-1/4.m4s`, 'came');
        const came = await waiting;
        assert.deepEqual([came.status, came.text], [200, 'came']);
    });
    test('a token needs the scope to read', async () => {
        const key = await keyOf(member);
        const token = async (...scopes) => new Client(site, { token: await member.newToken(scopes) });
        assert.equal(await status(await token('read'), key), 200);
        assert.equal(await status(await token('admin'), key), 200);
        assert.equal(await status(await token('upload'), key), 404);
        const program = await token('read');
        assert.equal(await status(program, key), 200);
        assert.deepEqual(program.cookies, {}, 'it keeps none, and is asked each time');
        assert.equal(await status(new Client(site, { token: letters(52) }), key), 404);
    });
    test('whatever ends a right is known with the next request', async () => {
        const here = await new Client(site).signIn('mia');
        const before = here.clone();
        const key = await keyOf(member);
        assert.equal(await status(before, key), 200);
        assert.equal(await status(before, key), 200, 'by its pass');
        await here.api('DELETE', '/api/session');
        assert.equal(await status(before, key), 404);
        assert.equal(await status(member, key), 200);

        const program = new Client(site, { token: await member.newToken(['read']) });
        assert.equal(await status(program, key), 200);
        const end = Date.now() + 1000;
        await sql(site, `UPDATE tokens SET expires_ms = ${end} WHERE n = (SELECT max(n) FROM tokens)`);
        await waitFor(async () => (await status(program, key)) === 404, { what: 'time alone to end it, too' });
        assert.ok(Date.now() >= end, 'not before its time');

        await member.api('PATCH', `/api/videos/${video.id}`, { visibility: 'everyone' });
        const theirs = await keyOf(viewer);
        assert.equal(await status(viewer, theirs), 200);
        await member.api('PATCH', `/api/videos/${video.id}`, { visibility: 'private' });
        assert.equal(await status(viewer, theirs), 404);

        const second = await addUser(owner, 'oskar', 'owner');
        const his = await keyOf(second);
        assert.equal(await status(second, his), 200);
        await owner.api('DELETE', '/api/users/oskar');
        assert.equal(await status(second, his), 404);
    });
    test('a share lets in the browser that has opened it', async () => {
        const share = await member.newShare(video.id, { password: PASSWORD });
        const url = `/api/shares/${share.token}`;
        const guest = new Client(site);
        assert.equal((await guest.api('GET', url)).status, 401);
        assert.deepEqual(guest.cookies, {});
        const opened = await guest.api('POST', url, { password: PASSWORD });
        const key = keyIn(opened.json);
        const cookie = opened.headers['set-cookie'].find((text) => text.startsWith('dropstream_media='));
        assert.match(cookie, new RegExp(`; Path=/media/${key}/; Max-Age=43200; HttpOnly; SameSite=Lax$`));
        assert.equal(await status(guest, key), 200);
        assert.equal(await status(guest, key, 'master.m3u8'), 200);
        assert.equal(await status(guest, key), 200);
        assert.equal(await status(nobody, key), 404);
        assert.equal(await status(member, key), 404, 'it was made for who has the link');
        // The cookie of one share opens no other.
        const another = await member.newShare(video.id);
        const { json } = await new Client(site).api('GET', `/api/shares/${another.token}`);
        const headers = { Cookie: cookie.split(';')[0] };
        assert.equal(await status(nobody, keyIn(json), '360p-1/0.m4s', headers), 404);
        assert.equal(await status(nobody, key, '360p-1/0.m4s', headers), 200);
        assert.equal(await status(nobody, key, '360p-1/0.m4s', { Cookie: `${headers.Cookie}0` }), 404);
        assert.equal((await member.api('DELETE', url)).status, 204);
        assert.equal(await status(guest, key), 404);
    });
    test('through TLS a share that may be embedded lets in frames of other sites', async () => {
        const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'dropstream-tls-'));
        await selfSigned(path.join(dir, 'site.pem'));
        const tls = { DROPSTREAM_TLS_PEM: path.join(dir, 'site.pem'), DROPSTREAM_MEDIA_AUTH: 'strict' };
        const { site: secure, member: mia } = await startAccounts({ env: tls });
        try {
            const { json } = await mia.upload(tinyMp4());
            for (const embed of [true, false]) {
                const { token } = await mia.newShare(json.id, { embed });
                const { headers } = await new Client(secure).api('GET', `/api/shares/${token}`);
                const end = embed ? 'SameSite=None; Secure; Partitioned' : 'SameSite=Lax; Secure';
                assert.ok(headers['set-cookie'][0].endsWith(`; HttpOnly; ${end}`), headers['set-cookie'][0]);
            }
        } finally {
            await secure.stop();
            await fs.rm(dir, { recursive: true });
        }
    });
    test('new keys: the page is told, and given the cookie for them', async () => {
        const share = await member.newShare(video.id);
        const url = `/api/shares/${share.token}`;
        const guest = new Client(site);
        const before = keyIn((await guest.api('GET', url)).json);
        await member.api('POST', `/api/videos/${video.id}/rekey`);
        assert.equal(await status(guest, before), 404);
        const now = keyIn((await guest.api('GET', url)).json);
        assert.notEqual(now, before);
        assert.equal(await status(guest, now), 200);
        assert.equal(await status(member, await keyOf(member)), 200);
    });
});

describe('strict mode of a site without accounts', () => {
    it('lets in whoever reaches it by its own name', async () => {
        const site = await startSite({ env: { DROPSTREAM_MEDIA_AUTH: 'strict' } });
        try {
            const { json: video } = await site.upload(tinyMp4());
            await pretend(site, video.id);
            const { json } = await site.api('GET', `/api/videos/${video.id}`);
            const status = async (headers) => (await site.request('GET', json.media, { headers })).status;
            assert.equal(await status({}), 200);
            assert.equal(await status({ Host: 'evil.example' }), 404);
            assert.equal(await status({}), 200);
        } finally {
            await site.stop();
        }
    });
});
