/* Links that are given away and taken back: shares, keys, and what becomes of who watches. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Client, PASSWORD, addUser, letters, pretend, sql, startAccounts } from '../lib/accounts.mjs';
import { assertError } from '../lib/errors.mjs';
import { untilParked } from '../lib/parked.mjs';
import { tinyMp4, waitFor } from '../lib/site.mjs';
import { beginPatch } from '../lib/tus.mjs';

describe('shares', () => {
    let site, owner, member, other, viewer, nobody, video, root;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));
    const links = async () => {
        const entries = await fs.readdir(site.path('htdocs/media'), { withFileTypes: true });
        return entries.filter((entry) => entry.isSymbolicLink()).map((entry) => entry.name);
    };
    const keyIn = (json) => json.media.split('/')[2];
    const keyOf = async (client, id = video.id) => keyIn((await client.api('GET', `/api/videos/${id}`)).json);
    const isServed = async (key, file = 'master.m3u8') =>
        (await site.request('GET', `/media/${key}/${file}`)).status === 200;
    /* lighttpd may know a file for a moment longer. */
    const isGone = (key) => waitFor(async () => !(await isServed(key)), { timeout: 3000, what: `${key} to be gone` });

    /* Resolves when so many bytes of an upload have been written: a block may wait for more. */
    async function received(uploadId, bytes) {
        const id = await sql(site, `SELECT id FROM videos WHERE upload_id = '${uploadId}'`);
        const size = async () => (await fs.stat(site.path('spool', `${id}.part`))).size;
        await waitFor(async () => (await size()) >= bytes, { what: `${bytes} bytes to be there` });
    }

    before(async () => {
        ({ site, owner, member, other, viewer } = await startAccounts({ env: { DROPSTREAM_WAIT_S: '9' } }));
        nobody = new Client(site);
        video = (await member.upload(tinyMp4(), { name: 'Zürich (1).mp4' })).json;
        root = await pretend(site, video.id);
    });
    after(() => site?.stop());

    test('each of those who may watch has an address of their own, once they ask', async () => {
        assert.deepEqual(await links(), []);
        const key = await keyOf(member);
        assert.deepEqual(await links(), [key]);
        assert.equal(await fs.readlink(site.path('htdocs/media', key)), root);
        assert.equal(await keyOf(member), key);
        const theirs = await keyOf(owner);
        assert.notEqual(theirs, key);
        assert.deepEqual((await links()).sort(), [key, theirs].sort());
        assert.ok(await isServed(key));
        assert.ok(await isServed(theirs));
        const { json } = await member.api('GET', '/api/videos');
        assert.equal(keyIn(json.videos[0]), key);
        assert.match(json.videos[0].poster, new RegExp(`^/media/${key}/poster`));
        assert.equal((await links()).length, 2);
    });
    test('who may watch no longer loses theirs, and nobody else does', async () => {
        const patch = (visibility) => member.api('PATCH', `/api/videos/${video.id}`, { visibility });
        assert.equal((await patch('everyone')).json.visibility, 'everyone');
        const [mine, theirs, owners] = [await keyOf(member), await keyOf(viewer), await keyOf(owner)];
        assert.ok(await isServed(theirs));
        assert.equal((await patch('private')).status, 200);
        assert.ok(!(await links()).includes(theirs), 'gone with the answer');
        await isGone(theirs);
        assertError(await viewer.api('GET', `/api/videos/${video.id}`), 404, 'not_found');
        assert.ok(await isServed(mine));
        assert.ok(await isServed(owners));
        await patch('everyone');
        assert.notEqual(await keyOf(viewer), theirs, 'an old key never comes back');
        await patch('private');
    });
    test('a user who is removed, or may do less, loses theirs', async () => {
        const second = await addUser(owner, 'oskar', 'owner');
        const third = await addUser(owner, 'ines', 'owner');
        const [a, b] = [await keyOf(second), await keyOf(third)];
        await owner.api('PATCH', '/api/users/oskar', { role: 'viewer' });
        assert.ok(!(await links()).includes(a), 'gone with the answer');
        await owner.api('DELETE', '/api/users/ines');
        assert.ok(!(await links()).includes(b), 'gone with the answer');
        await isGone(a);
        await isGone(b);
    });
    test('a link shows a video to who has no account, and nothing more', async () => {
        const share = await member.newShare(video.id);
        assert.match(share.token, /^[a-z2-7]{26}$/);
        assert.equal(share.url, `/s/${share.token}`);
        assert.equal(share.embed_url, null);
        assert.equal(share.created_by, 'mia');
        const response = await nobody.api('GET', `/api/shares/${share.token}`);
        assert.equal(response.status, 200);
        assert.equal(response.headers['set-cookie'], undefined);
        assert.equal(response.json.download, null);
        for (const text of [video.id, root, '"mia"', await keyOf(member)])
            assert.ok(!response.text.includes(text), text);
        const key = keyIn(response.json);
        assert.ok(await isServed(key));
        assert.ok(await isServed(key, '360p-1/0.m4s'));
        assertError(await nobody.api('GET', `/api/videos/${video.id}`), 401, 'sign_in');
        assertError(await nobody.api('GET', `/api/shares/${share.token}/original`), 403, 'forbidden');
    });
    test('is taken back while others go on', async () => {
        const [one, two] = [await member.newShare(video.id), await member.newShare(video.id)];
        const keys = [];
        for (const { token } of [one, two]) keys.push(keyIn((await nobody.api('GET', `/api/shares/${token}`)).json));
        assert.notEqual(keys[0], keys[1]);
        assert.equal((await member.api('DELETE', `/api/shares/${one.token}`)).status, 204);
        assert.ok(!(await links()).includes(keys[0]), 'gone with the answer');
        await isGone(keys[0]);
        for (const more of ['', '/segments', '/original'])
            assertError(await nobody.api('GET', `/api/shares/${one.token}${more}`), 404, 'not_found');
        assertError(await member.api('DELETE', `/api/shares/${one.token}`), 404, 'not_found');
        assert.ok(await isServed(keys[1]));
        assert.ok(await isServed(await keyOf(member)));
        assert.equal(await sql(site, 'SELECT count(*) FROM grants WHERE revoked'), '0');
    });
    test('ends by itself', async () => {
        const share = await member.newShare(video.id, { expires_in: 60 });
        const url = `/api/shares/${share.token}`;
        const left = Date.parse(share.expires_at) - Date.now();
        assert.ok(left > 55_000 && left <= 60_000);
        const { json } = await nobody.api('GET', url);
        assert.equal(json.expires_at, share.expires_at);
        await sql(site, `UPDATE shares SET expires_ms = ${Date.now() - 1} WHERE token = '${share.token}'`);
        assertError(await nobody.api('GET', url), 404, 'not_found');
        assertError(await site.request('GET', `/media/${keyIn(json)}/360p-1/3.m4s`), 404, 'not_found');
        const { json: { shares } } = await member.api('GET', `/api/videos/${video.id}/shares`);
        assert.ok(!shares.some(({ token }) => token === share.token));
    });
    for (const body of [
        { expires_in: 59 }, { expires_in: 1e10 }, { expires_in: '60' }, { expires_in: 60.5 },
        { password: 'x'.repeat(257) }, { password: 1 }, { password: 'a\0b' },
        { download: 1 }, { embed: 'https://example.org' }, { embed: [] }, { embed: [1] },
        { embed: ['https://example.org/path'] }, { embed: ["https://a; script-src 'unsafe-inline'"] },
        { embed: ['*'] }, { embed: Array.from({ length: 100 }, (_, i) => `https://example-${i}.org`) },
        { title: 'x' }, [],
    ])
        test(`none is made of ${JSON.stringify(body).slice(0, 60)}`, async () => {
            assertError(await member.api('POST', `/api/videos/${video.id}/shares`, body), 422, 'bad_field');
        });
    test('a password is asked for once, and known by a cookie or a header', async () => {
        const share = await member.newShare(video.id, { password: 'müßt', download: true });
        assert.equal(share.has_password, true);
        const url = `/api/shares/${share.token}`;
        const guest = new Client(site);
        for (const more of ['', '/segments', '/original'])
            assertError(await guest.api('GET', url + more), 401, 'password');
        assertError(await guest.api('POST', url, { password: 'must' }), 401, 'bad_password');
        assertError(await guest.api('POST', url, {}), 422, 'bad_field');
        const opened = await guest.api('POST', url, { password: 'müßt' });
        assert.equal(opened.status, 200);
        assert.match(opened.headers['set-cookie'][0], new RegExp(
            `^dropstream_share_${share.token.slice(0, 8)}=\\d+\\.[0-9a-f]{64}; Path=${url}; ` +
            'Max-Age=43200; HttpOnly; SameSite=Lax$'));
        const again = await guest.api('GET', url);
        assert.equal(again.status, 200);
        const { proof, ...rest } = opened.json;
        assert.deepEqual(again.json, rest);
        for (const more of ['/segments', '/original'])
            assert.equal((await guest.api('GET', url + more)).status, 200);
        // Where no cookie is kept.
        const header = (text) => site.request('GET', url, { headers: { 'Share-Password-Proof': text } });
        assert.equal((await header(proof)).status, 200);
        const longer = proof.replace(/^\d+/, (n) => Number(n) + 1);
        for (const text of ['', 'x', longer, `${proof}0`]) assertError(await header(text), 401, 'password');
        const another = await member.newShare(video.id, { password: 'müßt' });
        const wrong = await site.request('GET', `/api/shares/${another.token}`, { headers: { 'Share-Password-Proof': proof } });
        assertError(wrong, 401, 'password');
    });
    test('a password of a link has 4 characters or more', async () => {
        const url = `/api/videos/${video.id}/shares`;
        for (const password of ['', 'abc', 'üüü'])
            assertError(await member.api('POST', url, { password }), 422, 'weak_password');
        assert.equal((await member.api('POST', url, { password: 'abcd' })).status, 201);
    });
    test('a password that is guessed from many addresses has to wait a little', async () => {
        const share = await member.newShare(video.id, { password: 'secret' });
        const tell = (i, password) =>
            new Client(site, { address: `127.0.9.${i}` }).api('POST', `/api/shares/${share.token}`, { password });
        for (let i = 1; i <= 51; i++) assertError(await tell(i, 'guess'), 401, 'bad_password');
        const refused = await tell(100, 'secret');
        assertError(refused, 429, 'too_many');
        assert.ok(Number(refused.headers['retry-after']) <= 30);
        await sql(site, 'UPDATE tries SET last_ms = last_ms - 30000');
        assert.equal((await tell(100, 'secret')).status, 200);
    });
    test('a password that is guessed has to wait, for who guesses alone', async () => {
        const share = await member.newShare(video.id, { password: 'secret' });
        const from = (i) => new Client(site, { address: `127.0.5.${i}` });
        const tell = (client, password) => client.api('POST', `/api/shares/${share.token}`, { password });
        const guesser = from(1);
        for (let i = 0; i < 6; i++) assertError(await tell(guesser, `guess ${i}`), 401, 'bad_password');
        await sql(site, 'UPDATE tries SET failed = failed + 6'); // as if there had been more
        const refused = await tell(guesser, 'secret');
        assertError(refused, 429, 'too_many');
        const wait = Number(refused.headers['retry-after']);
        assert.ok(wait > 30 && wait <= 65, `${wait} s`);
        assert.equal((await tell(from(2), 'secret')).status, 200);
    });
    test('another site’s page tells no password', async () => {
        const share = await member.newShare(video.id, { password: 'secret' });
        const client = new Client(site, { headers: { 'Sec-Fetch-Site': 'cross-site' } });
        assertError(await client.api('POST', `/api/shares/${share.token}`, { password: 'secret' }), 403, 'cross_site');
    });
    test('the file comes under its own name, and in parts', async () => {
        const share = await member.newShare(video.id, { download: true });
        const { json } = await nobody.api('GET', `/api/shares/${share.token}`);
        assert.equal(json.download, `/api/shares/${share.token}/original`);
        for (const [client, target] of [[nobody, json.download], [member, `/api/videos/${video.id}/original`]]) {
            const whole = await client.request('GET', target);
            assert.equal(whole.status, 200);
            assert.deepEqual(whole.body, tinyMp4());
            assert.equal(whole.headers['content-type'], 'video/mp4');
            assert.equal(whole.headers['content-disposition'],
                'attachment; filename="Z_rich (1).mp4"; filename*=UTF-8\'\'Z%C3%BCrich%20%281%29.mp4');
            assert.equal(whole.headers['x-sendfile'], undefined);
            const part = await client.request('GET', target, { headers: { Range: 'bytes=4-7' } });
            assert.equal(part.status, 206);
            assert.equal(part.text, 'ftyp');
            for (const { headers } of [whole, part]) assert.equal(headers['cache-control'], 'private, no-cache');
        }
        const receiving = letters(0) + 'c'.repeat(32);
        await member.request('POST', '/api/uploads', {
            headers: {
                'Tus-Resumable': '1.0.0', 'Upload-Length': 20_000, 'Content-Length': 5000,
                'Upload-Metadata': `upload_id ${Buffer.from(receiving).toString('base64')}`,
                'Content-Type': 'application/offset+octet-stream',
            },
            body: tinyMp4().subarray(0, 5000),
        });
        const { json: list } = await member.api('GET', '/api/videos?mine=1');
        const half = list.videos.find(({ state }) => state === 'receiving');
        assertError(await member.api('GET', `/api/videos/${half.id}/original`), 409, 'not_whole');
        await member.api('DELETE', `/api/videos/${half.id}`);
    });
    test('a page is embedded only where its share says so', async () => {
        const page = await fs.readFile(site.path('htdocs/index.html'), 'utf8');
        const ancestors = async (embed) => {
            const share = await member.newShare(video.id, { embed });
            assert.equal(share.embed_url, embed ? `/e/${share.token}` : null);
            assert.deepEqual(share.embed, embed);
            const { status, headers, text } = await site.request('GET', `/e/${share.token}`);
            assert.equal(text, page);
            assert.equal(headers['content-type'], 'text/html; charset=utf-8');
            const [said, ...more] = headers['content-security-policy'].match(/frame-ancestors [^;,]+/g);
            assert.deepEqual(more, [], 'said once');
            assert.match(headers['content-security-policy'], /script-src 'self'/);
            return `${status} ${said}`;
        };
        assert.equal(await ancestors(true), '200 frame-ancestors *');
        assert.equal(await ancestors(['https://a.example', 'http://b.example:8080']),
            '200 frame-ancestors https://a.example http://b.example:8080');
        assert.equal(await ancestors(false), "404 frame-ancestors 'none'");
        for (const token of [letters(26), letters(25), 'x', `${letters(26)}.`, letters(26).toUpperCase()]) {
            const { status, headers, text } = await site.request('GET', `/e/${token}`);
            assert.equal(status, 404);
            assert.equal(text, page);
            assert.match(headers['content-security-policy'], /frame-ancestors 'none'/);
        }
    });
    test('no frame shows what is no page', async () => {
        const headers = { Authorization: `Bearer ${letters(52)}` };
        const url = `/e/${letters(26)}`;
        for (const [want, ...request] of [
            [404, 'GET', '/e/'], [404, 'GET', `${url}/x`], [404, 'GET', `/e/${'a'.repeat(100)}`],
            [405, 'POST', url, { headers: { 'Content-Length': 0 } }], [401, 'GET', url, { headers }],
        ]) {
            const response = await site.request(...request);
            assert.equal(response.status, want, request[1]);
            assert.match(response.headers['content-security-policy'], /frame-ancestors 'none'/, request[1]);
        }
    });
    test('new keys replace all, and everybody who may goes on', async () => {
        const share = await member.newShare(video.id);
        const url = `/api/shares/${share.token}`;
        const before = [await keyOf(member), await keyOf(owner), keyIn((await nobody.api('GET', url)).json)];
        const { status, json } = await member.api('POST', `/api/videos/${video.id}/rekey`);
        assert.equal(status, 200);
        const keys = await sql(site, `SELECT key FROM grants WHERE video_id = '${video.id}'
            AND (share IS NULL OR share IN (SELECT token FROM shares WHERE expires_ms IS NULL))`);
        const linked = await links();
        assert.deepEqual(keys.split('\n').filter((key) => !linked.includes(key)), [], 'there before anybody asks');
        const now = [keyIn(json), await keyOf(owner), keyIn((await nobody.api('GET', url)).json)];
        const there = await links();
        for (const key of before) {
            assert.ok(!there.includes(key));
            await isGone(key);
        }
        assert.equal(new Set([...before, ...now]).size, 6);
        for (const key of now) assert.ok(await isServed(key));
        assert.equal(await keyOf(member), now[0]);
    });
    test('a key that is told leads to the media, also if who made it was killed', async () => {
        const mine = await keyOf(member);
        await fs.unlink(site.path('htdocs/media', mine));
        const share = await member.newShare(video.id);
        assert.ok(!(await links()).includes(mine), 'a share makes its own link alone');
        const url = `/api/shares/${share.token}`;
        const key = keyIn((await nobody.api('GET', url)).json);
        await fs.unlink(site.path('htdocs/media', key));
        assert.equal(keyIn((await nobody.api('GET', url)).json), key);
        assert.ok(await isServed(key));
        assert.equal((await member.api('DELETE', url)).status, 204);
        assert.ok(!(await links()).includes(mine), 'and ends that alone');
        assert.equal(await keyOf(member), mine);
        assert.ok(await isServed(mine));
    });
    test('a request that waits is told when its key is taken back', async () => {
        const [one, two] = [await member.newShare(video.id), await member.newShare(video.id)];
        const keys = [];
        for (const { token } of [one, two]) keys.push(keyIn((await nobody.api('GET', `/api/shares/${token}`)).json));
        const waiting = keys.map((key) => site.request('GET', `/media/${key}/360p-1/4.m4s`));
        await untilParked(site, 2);
        await member.api('DELETE', `/api/shares/${one.token}`);
        assertError(await waiting[0], 404, 'not_found'); // and no 503, as where its time is over
        // The other one still gets what comes.
        await site.put(`htdocs/media/${root}/360p-1/4.m4s`, 'segment 4');
        const came = await waiting[1];
        assert.equal(came.status, 200);
        assert.equal(came.text, 'segment 4');
        assertError(await site.request('GET', `/media/${keys[0]}/360p-1/3.m4s`), 404, 'not_found');
    });
    test('what goes with a video goes: its shares, its keys', async () => {
        const { json } = await member.upload(tinyMp4());
        await pretend(site, json.id);
        const share = await member.newShare(json.id);
        const key = keyIn((await nobody.api('GET', `/api/shares/${share.token}`)).json);
        const mine = await keyOf(member, json.id);
        assert.equal((await member.api('DELETE', `/api/videos/${json.id}`)).status, 204);
        const there = await links();
        assert.ok(!there.includes(key) && !there.includes(mine));
        assertError(await nobody.api('GET', `/api/shares/${share.token}`), 404, 'not_found');
        await isGone(key);
    });
    test('has a limit, and lists the oldest first', async () => {
        const { json } = await member.upload(tinyMp4());
        const made = [];
        for (let i = 0; i < 100; i++) made.push((await member.newShare(json.id)).token);
        assertError(await member.api('POST', `/api/videos/${json.id}/shares`, {}), 409, 'too_many');
        const { json: list } = await member.api('GET', `/api/videos/${json.id}/shares`);
        assert.deepEqual(list.shares.map(({ token }) => token), made);
        await member.api('DELETE', `/api/videos/${json.id}`);
    });
    test('a member changes and shares nothing of others', async () => {
        await member.api('PATCH', `/api/videos/${video.id}`, { visibility: 'everyone' });
        const { json } = await other.api('GET', `/api/videos/${video.id}`);
        assert.deepEqual(json.may, { edit: false, share: false, download: false });
        assertError(await other.api('POST', `/api/videos/${video.id}/shares`, {}), 403, 'forbidden');
        assertError(await other.api('PATCH', `/api/videos/${video.id}`, { visibility: 'private' }), 403, 'forbidden');
        const share = await owner.newShare(video.id);
        assertError(await other.api('DELETE', `/api/shares/${share.token}`), 403, 'forbidden');
        const { json: mine } = await other.api('GET', '/api/videos?mine=1');
        assert.deepEqual(mine.videos, []);
        const { json: all } = await other.api('GET', '/api/videos');
        assert.deepEqual(all.videos.map(({ id }) => id), [video.id]);
        await member.api('PATCH', `/api/videos/${video.id}`, { visibility: 'private' });
    });
    test('an upload is its user’s, whatever it is called', async () => {
        const name = 'd'.repeat(32);
        const upload_id = `upload_id ${Buffer.from(name).toString('base64')}`;
        const headers = { 'Tus-Resumable': '1.0.0' };
        const begin = (client) => client.request('POST', '/api/uploads', {
            headers: { ...headers, 'Upload-Length': 20_000, 'Upload-Metadata': upload_id },
        });
        assert.equal((await begin(member)).status, 201);
        for (const client of [other, owner]) {
            const taken = await begin(client);
            assertError(taken, 409, 'upload_id_taken');
            assert.equal(taken.headers['dropstream-video'], undefined);
        }
        assertError(await other.upload(tinyMp4(), { fields: { upload_id: name } }), 409, 'upload_id_taken');
        assert.equal((await other.request('HEAD', `/api/uploads/${name}`, { headers })).status, 404);
        const head = await member.request('HEAD', `/api/uploads/${name}`, { headers });
        assert.deepEqual([head.status, head.headers['upload-offset']], [200, '0']);
        assert.equal((await owner.request('DELETE', `/api/uploads/${name}`, { headers })).status, 204);
    });
    test('nobody else ends a request that brings its bytes', async () => {
        const id = 'e'.repeat(32);
        const headers = { 'Tus-Resumable': '1.0.0' };
        const metadata = `upload_id ${Buffer.from(id).toString('base64')}`;
        await member.request('POST', '/api/uploads', {
            headers: { ...headers, 'Upload-Length': 20_000, 'Upload-Metadata': metadata },
        });
        const cookie = { Cookie: member.cookieHeader('/'), 'Sec-Fetch-Site': 'same-origin' };
        const running = await beginPatch(site, id, 0, tinyMp4().subarray(0, 10_000), 20_000, cookie);
        await received(id, 4096);
        for (const method of ['HEAD', 'DELETE'])
            assert.equal((await other.request(method, `/api/uploads/${id}`, { headers })).status, 404);
        assertError(await other.upload(tinyMp4(), { fields: { upload_id: id } }), 409, 'upload_id_taken');
        const index = { headers: { 'Content-Length': 8 }, body: 'no index' };
        assertError(await other.request('PUT', `/api/uploads/${id}/index?offset=100`, index), 404, 'not_found');
        assert.equal(running.text(), '');
        running.socket.write(tinyMp4().subarray(10_000));
        await waitFor(() => running.text());
        assert.match(running.text(), /^HTTP\/1.1 204 /);
        running.socket.destroy();
    });
    test('an upload ends with its user', async () => {
        const client = await addUser(owner, 'ulla', 'member');
        const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': 20_000 };
        const { headers: made } = await client.request('POST', '/api/uploads', { headers });
        const cookie = { Cookie: client.cookieHeader('/'), 'Sec-Fetch-Site': 'same-origin' };
        const id = made.location.split('/').at(-1);
        const running = await beginPatch(site, id, 0, tinyMp4().subarray(0, 10_000), 20_000, cookie);
        await received(id, 4096);
        assert.equal((await owner.api('DELETE', '/api/users/ulla')).status, 204);
        running.socket.write(tinyMp4().subarray(10_000));
        await waitFor(() => running.text());
        assert.match(running.text(), /^HTTP\/1.1 401 /);
        running.socket.destroy();
        const video = await sql(site, `SELECT id FROM videos WHERE upload_id = '${id}'`);
        assert.deepEqual((await site.spool()).filter((name) => name.startsWith(video)), []);
        const kept = `SELECT count(*) FROM videos WHERE upload_id = '${id}' AND deleted_at IS NULL`;
        assert.equal(await sql(site, kept), '0');
    });
    test('nothing of a body is taken from who may not upload', async () => {
        const head = (more) =>
            `POST /api/videos HTTP/1.1\r\nHost: localhost\r\n${more}` +
            'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000000\r\n\r\n';
        const cookie = `Cookie: ${viewer.cookieHeader('/')}\r\nSec-Fetch-Site: same-origin\r\n`;
        const before = await site.spool();
        for (const [more, status] of [['', 401], [cookie, 403], ['Authorization: Bearer x\r\n', 401]]) {
            // Which is all that it sends: whoever waited for the body would never answer so.
            assert.match(await site.raw(head(more)), new RegExp(`^HTTP/1.1 ${status} `));
        }
        assert.deepEqual(await site.spool(), before);
    });
});
