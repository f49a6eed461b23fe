/* Signing in and out, sessions, tokens, users; and that no other site's page does it. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, PASSWORD, addUser, letters, setUp, sql, startAccounts } from '../lib/accounts.mjs';
import { assertError } from '../lib/errors.mjs';
import { startSite, tinyMp4, waitFor, withSite } from '../lib/site.mjs';
import { selfSigned } from '../lib/tls.mjs';

const NEW = 'another horse battery';

const signIn = (client, name, password = PASSWORD) =>
    client.api('POST', '/api/session', { name, password });
const whoIs = async (client) => (await client.api('GET', '/api/session')).json.user;

describe('accounts', () => {
    let site, owner, member, other, viewer;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));

    before(async () => {
        ({ site, owner, member, other, viewer } = await startAccounts());
    });
    after(() => site?.stop());

    test('a browser is given a cookie that no script can read', async () => {
        const client = new Client(site);
        const { status, headers, json } = await signIn(client, 'MIA');
        assert.equal(status, 201);
        assert.deepEqual(json, { user: { name: 'mia', role: 'member' }, auth: 'required', setup: false });
        const month = 30 * 24 * 3600;
        assert.match(headers['set-cookie'][0], new RegExp(
            `^dropstream_session=[a-z2-7]{52}; Path=/; Max-Age=${month}; HttpOnly; SameSite=Lax$`));
        assert.deepEqual(await whoIs(client), { name: 'mia', role: 'member' });
    });
    test('nothing is kept of a secret but its hash', async () => {
        const token = await member.newToken(['read']);
        const dump = await sql(site, 'SELECT * FROM sessions; SELECT * FROM tokens; SELECT * FROM users');
        const secret = Object.values(member.cookies)[0];
        for (const text of [secret, token, PASSWORD]) assert.ok(!dump.includes(text));
        assert.match(dump, /\$y\$/);
    });
    for (const [what, name, password] of [
        ['a wrong password', 'vera', 'not the password'],
        ['an unknown name', 'nobody', PASSWORD],
        ['an empty password', 'vera', ''],
        ['an empty name', '', PASSWORD],
        ['a name that is none', '../vera', PASSWORD],
        ['a password without its end', 'vera', PASSWORD.slice(0, -1)],
        ['a password of 60000 bytes', 'vera', 'x'.repeat(60_000)],
    ])
        test(`${what} signs nobody in, and all are told the same`, async () => {
            const client = new Client(site, { address: `127.0.1.${name.length}` });
            const response = await signIn(client, name, password);
            assertError(response, 401, 'bad_login');
            assert.equal(response.json.error.message, 'There is no such name with this password.');
            assert.deepEqual(client.cookies, {});
        });
    for (const body of ['', '[]', '{}', '{"name":"mia"}', '{"name":1,"password":"x"}',
        '{"name":"mia","password":"x","more":1}', '{"name":"mia","password":"a\\u0000b"}'])
        test(`${body || 'nothing'} as a sign-in is refused`, async () => {
            const response = await new Client(site).api('POST', '/api/session', body);
            assert.ok([400, 422].includes(response.status), response.text);
        });
    test('signing out ends the session, not only the cookie', async () => {
        const client = await new Client(site).signIn('mia');
        const before = client.clone();
        const { status, headers } = await client.api('DELETE', '/api/session');
        assert.equal(status, 204);
        assert.match(headers['set-cookie'].at(-1), /^dropstream_session=; Path=\/; Max-Age=0;/);
        assert.deepEqual(client.cookies, {});
        const late = await before.api('GET', '/api/videos');
        assert.equal(late.status, 401);
        assert.equal(late.headers['set-cookie'], undefined, 'whoever has signed in meanwhile keeps their cookie');
        assert.equal(await whoIs(before), null);
        assert.deepEqual(before.cookies, {}, 'a dead cookie is taken away');
    });
    test('who signs in anew ends the session that this browser had', async () => {
        const client = await new Client(site).signIn('mia');
        const before = client.clone();
        await client.signIn('vera');
        assert.equal(await whoIs(before), null);
        assert.equal((await whoIs(client)).name, 'vera');
    });
    test('sessions are listed with where they came from, and ended one by one', async () => {
        const agent = 'Browser/1 <b>bold</b>';
        const client = await new Client(site, { headers: { 'User-Agent': agent } }).signIn('otto');
        const { json: { sessions } } = await other.api('GET', '/api/sessions');
        const there = sessions.find((session) => session.agent === agent);
        assert.ok(there, JSON.stringify(sessions));
        assert.equal(there.address, '127.0.0.1');
        assert.equal(there.current, false);
        assert.ok(Date.parse(there.expires_at) > Date.now() + 29 * 86400_000);
        assertError(await member.api('DELETE', `/api/sessions/${there.n}`), 404, 'not_found');
        assert.equal((await whoIs(client)).name, 'otto');
        assert.equal((await other.api('DELETE', `/api/sessions/${there.n}`)).status, 204);
        assert.equal(await whoIs(client), null);
        for (const n of [there.n, 0, -1, 'x', '99999999999999999999'])
            assertError(await other.api('DELETE', `/api/sessions/${n}`), 404, 'not_found');
    });
    test('a session that is used goes on, and the browser is told when it asks who it is', async () => {
        const client = await new Client(site).signIn('otto');
        const secret = client.cookies.dropstream_session;
        const old = () => sql(site, `UPDATE sessions SET used_ms = used_ms - 120000,
            expires_ms = ${Date.now() + 60_000} WHERE n = (SELECT max(n) FROM sessions)`);
        // Of these the answer may come when somebody else has signed in.
        await old();
        const tus = { 'Tus-Resumable': '1.0.0', 'Upload-Length': 20_000 };
        for (const { status, headers } of [
            await client.upload(tinyMp4()),
            await client.request('POST', '/api/uploads', { headers: tus }),
        ]) {
            assert.equal(status, 201);
            assert.equal(headers['set-cookie'], undefined);
        }
        await old();
        const { json, headers } = await client.api('GET', '/api/sessions');
        const current = json.sessions.find((session) => session.current);
        assert.ok(Date.parse(current.expires_at) > Date.now() + 29 * 86400_000);
        assert.equal(headers['set-cookie'], undefined);
        const asked = await client.api('GET', '/api/session');
        assert.match(asked.headers['set-cookie'][0], new RegExp(`^dropstream_session=${secret}; Path=/; Max-Age=2592000;`));
    });
    test('a session that was not used for its time has ended', async () => {
        const client = await new Client(site).signIn('vera');
        await sql(site, `UPDATE sessions SET expires_ms = ${Date.now() - 1}
            WHERE n = (SELECT max(n) FROM sessions)`);
        assertError(await client.api('GET', '/api/videos'), 401, 'sign_in');
    });

    // ---- tokens ----------------------------------------------------------------------

    test('a token does what its scopes say, and is told once', async () => {
        const made = await member.api('POST', '/api/tokens', {
            label: '  curl – at home ', scopes: ['upload', 'read'], expires_in: 3600,
        });
        assert.equal(made.status, 201);
        assert.match(made.json.token, /^[a-z2-7]{52}$/);
        assert.equal(made.json.label, 'curl – at home');
        assert.deepEqual(made.json.scopes, ['read', 'upload']);
        assert.equal(made.json.used_at, null);
        const client = new Client(site, { token: made.json.token });
        const { json: video } = await client.upload(tinyMp4());
        assert.equal(video.owner, 'mia');
        assert.deepEqual(video.may, { edit: false, share: false, download: true });
        assert.equal((await client.api('GET', `/api/videos/${video.id}`)).status, 200);
        assertError(await client.api('DELETE', `/api/videos/${video.id}`), 403, 'scope');
        const { json: { tokens } } = await member.api('GET', '/api/tokens');
        const listed = tokens.find(({ n }) => n === made.json.n);
        assert.equal(listed.token, undefined);
        assert.ok(listed.used_at);
        assert.equal((await member.api('DELETE', `/api/tokens/${listed.n}`)).status, 204);
        const gone = await client.api('GET', `/api/videos/${video.id}`);
        assertError(gone, 401, 'bad_token');
        assert.equal(gone.headers['www-authenticate'], 'Bearer');
    });
    test('a token that is none is refused, whatever the cookie says', async () => {
        for (const token of ['', 'x', letters(52), letters(51), letters(53), `${letters(52)} x`]) {
            const headers = { Authorization: `Bearer ${token}` };
            assertError(await member.request('GET', '/api/videos', { headers }), 401, 'bad_token');
            assertError(await member.request('GET', '/api/health', { headers }), 401, 'bad_token');
        }
    });
    test('the scheme is known in any case of letters, and another one is not ours', async () => {
        const token = await member.newToken(['read']);
        for (const scheme of ['bearer', 'BEARER']) {
            const headers = { Authorization: `${scheme} ${token}` };
            assert.equal((await site.request('GET', '/api/videos', { headers })).status, 200);
        }
        const headers = { Authorization: 'Basic b2xnYTp4' };
        assert.equal((await member.request('GET', '/api/videos', { headers })).status, 200);
        assertError(await site.request('GET', '/api/videos', { headers }), 401, 'sign_in');
    });
    for (const body of [
        { scopes: ['read'] },
        { label: '', scopes: ['read'] },
        { label: ' ', scopes: ['read'] },
        { label: 'x'.repeat(81), scopes: ['read'] },
        { label: 'a\nb', scopes: ['read'] },
        { label: 'x' },
        { label: 'x', scopes: [] },
        { label: 'x', scopes: 'read' },
        { label: 'x', scopes: ['read', 'write'] },
        { label: 'x', scopes: [1] },
        { label: 'x', scopes: ['read'], expires_in: 59 },
        { label: 'x', scopes: ['read'], expires_in: 1e10 },
        { label: 'x', scopes: ['read'], expires_in: 60.5 },
    ])
        test(`no token is made of ${JSON.stringify(body).slice(0, 60)}`, async () => {
            assertError(await member.api('POST', '/api/tokens', body), 422, 'bad_field');
        });

    // ---- users -----------------------------------------------------------------------

    test('a new password ends the other sessions and the tokens', async () => {
        const here = await addUser(owner, 'nora', 'member');
        const there = await new Client(site).signIn('nora');
        const program = new Client(site, { token: await here.newToken(['read']) });
        const change = (body) => here.api('PATCH', '/api/users/nora', body);
        assertError(await change({ password: NEW }), 422, 'bad_field');
        assertError(await change({ password: NEW, old_password: 'wrong' }), 403, 'bad_password');
        assertError(await change({ password: 'short', old_password: PASSWORD }), 422, 'weak_password');
        assertError(await change({ password: NEW, old_password: PASSWORD, role: 'owner' }), 403, 'forbidden');
        assert.equal((await whoIs(there)).name, 'nora');
        assert.equal((await change({ password: NEW, old_password: PASSWORD })).status, 200);
        assert.equal((await whoIs(here)).name, 'nora');
        assert.equal(await whoIs(there), null);
        assertError(await program.api('GET', '/api/videos'), 401, 'bad_token');
        assertError(await signIn(new Client(site), 'nora'), 401, 'bad_login');
        await new Client(site).signIn('nora', NEW);
    });
    test('an owner needs the old password for a new one too, and a token changes none', async () => {
        const here = await addUser(owner, 'olaf', 'owner');
        const program = new Client(site, { token: await here.newToken(['admin']) });
        const both = { password: NEW, old_password: PASSWORD };
        assertError(await here.api('PATCH', '/api/users/OLAF', { password: NEW }), 422, 'bad_field');
        const wrong = { ...both, old_password: 'wrong' };
        assertError(await here.api('PATCH', '/api/users/olaf', wrong), 403, 'bad_password');
        for (const body of [both, { password: NEW }])
            assertError(await program.api('PATCH', '/api/users/olaf', body), 403, 'forbidden');
        assert.equal((await here.api('PATCH', '/api/users/olaf', both)).status, 200);
        assert.equal((await here.api('PATCH', '/api/users/vera', { password: PASSWORD })).status, 200);
        await viewer.signIn('vera');
        assert.equal((await owner.api('DELETE', '/api/users/olaf')).status, 204);
    });
    test('a new role counts at once', async () => {
        const client = await addUser(owner, 'paul', 'member');
        const { json: video } = await client.upload(tinyMp4());
        const patch = await owner.api('PATCH', '/api/users/PAUL', { role: 'viewer' });
        assert.deepEqual([patch.status, patch.json.name, patch.json.role], [200, 'paul', 'viewer']);
        assert.equal(await whoIs(client), null, 'signed in anew');
        await client.signIn('paul');
        assertError(await client.upload(tinyMp4()), 403, 'forbidden');
        assertError(await client.api('PATCH', `/api/videos/${video.id}`, { title: 'x' }), 403, 'forbidden');
        assert.equal((await client.api('GET', `/api/videos/${video.id}`)).status, 200);
    });
    test('a user who is removed is nobody, and their videos stay', async () => {
        const client = await addUser(owner, 'rita', 'member');
        const { json: video } = await client.upload(tinyMp4());
        assert.equal((await owner.api('DELETE', '/api/users/rita')).status, 204);
        assertError(await client.api('GET', '/api/videos'), 401, 'sign_in');
        assertError(await signIn(new Client(site), 'rita'), 401, 'bad_login');
        const { json } = await owner.api('GET', `/api/videos/${video.id}`);
        assert.equal(json.owner, null);
        assertError(await owner.api('DELETE', '/api/users/rita'), 404, 'not_found');
    });
    test('an owner who is none any more shares nothing of others', async () => {
        const second = await addUser(owner, 'oda', 'owner');
        const { json: video } = await owner.upload(tinyMp4());
        const share = await second.newShare(video.id);
        const patch = await owner.api('PATCH', '/api/users/oda', { role: 'member' });
        assert.equal(patch.headers['dropstream-shares-ended'], '1');
        assertError(await site.api('GET', `/api/shares/${share.token}`), 404, 'not_found');
        const gone = await owner.api('DELETE', '/api/users/oda');
        assert.deepEqual([gone.status, gone.headers['dropstream-shares-ended']], [204, '0']);
    });
    test('a site keeps an owner', async () => {
        assertError(await owner.api('DELETE', '/api/users/olga'), 409, 'last_owner');
        assertError(await owner.api('PATCH', '/api/users/olga', { role: 'viewer' }), 409, 'last_owner');
        const second = await addUser(owner, 'oskar', 'owner');
        assert.equal((await second.api('PATCH', '/api/users/oskar', { role: 'member' })).status, 200);
    });
    for (const [what, body, status, code] of [
        ['a name that is taken', { name: 'MIA', password: PASSWORD, role: 'viewer' }, 409, 'exists'],
        ['a short password', { name: 'x1', password: '123456789', role: 'viewer' }, 422, 'weak_password'],
        ['a long password', { name: 'x1', password: 'x'.repeat(257), role: 'viewer' }, 422, 'weak_password'],
        ['a line break in it', { name: 'x1', password: 'twelve\nbytes', role: 'viewer' }, 422, 'weak_password'],
        ['no password', { name: 'x1', role: 'viewer' }, 422, 'bad_field'],
        ['an unknown role', { name: 'x1', password: PASSWORD, role: 'admin' }, 422, 'bad_field'],
        ['no role', { name: 'x1', password: PASSWORD }, 422, 'bad_field'],
        ['a name with a space', { name: 'x 1', password: PASSWORD, role: 'viewer' }, 422, 'bad_field'],
        ['a name that begins with a dot', { name: '.x', password: PASSWORD, role: 'viewer' }, 422, 'bad_field'],
        ['a name of 33 letters', { name: 'x'.repeat(33), password: PASSWORD, role: 'viewer' }, 422, 'bad_field'],
        ['a name that is no ASCII', { name: 'zoë', password: PASSWORD, role: 'viewer' }, 422, 'bad_field'],
        ['an empty name', { name: '', password: PASSWORD, role: 'viewer' }, 422, 'bad_field'],
    ])
        test(`no user is made with ${what}`, async () => {
            assertError(await owner.api('POST', '/api/users', body), status, code);
        });

    // ---- other sites -----------------------------------------------------------------

    test('a request that another page has sent changes nothing', async () => {
        const { json: video } = await member.upload(tinyMp4());
        const url = `/api/videos/${video.id}`;
        const cookie = { Cookie: member.cookieHeader('/') };
        const host = `127.0.0.1:${site.port}`;
        const send = (headers, method = 'PATCH', body = '{"title":"x"}') =>
            site.request(method, url, {
                headers: { ...cookie, 'Content-Length': body.length, ...headers }, body,
            });
        for (const headers of [
            {},
            { 'Sec-Fetch-Site': 'cross-site' },
            { 'Sec-Fetch-Site': 'same-site' },
            { 'Sec-Fetch-Site': 'cross-site', Origin: `http://${host}` },
            { 'Sec-Fetch-Site': '' },
            { Origin: 'http://evil.example' },
            { Origin: 'null' },
            { Origin: `https://${host}` },
            { Origin: 'http://127.0.0.1' },
            { Referer: `http://${host}/` },
        ])
            assertError(await send(headers), 403, 'cross_site');
        assertError(await send({}, 'DELETE', ''), 403, 'cross_site');
        assert.equal((await member.api('GET', url)).json.title, 'clip');
        for (const headers of [
            { 'Sec-Fetch-Site': 'same-origin' },
            { 'Sec-Fetch-Site': 'none' },
            { Origin: `http://${host}` },
            { 'Sec-Fetch-Site': 'same-origin', Origin: 'http://evil.example' },
        ])
            assert.equal((await send(headers)).status, 200);
        // A page of another site may have one read; it does not get to see the answer.
        const read = await site.request('GET', url, { headers: { ...cookie, 'Sec-Fetch-Site': 'cross-site' } });
        assert.equal(read.status, 200);
        assert.equal(read.headers['access-control-allow-origin'], undefined);
    });
    test('nor one to an upload, whatever method it says it is', async () => {
        const headers = { Cookie: member.cookieHeader('/'), 'Sec-Fetch-Site': 'cross-site', 'Tus-Resumable': '1.0.0' };
        const post = { ...headers, 'Upload-Length': 20_000 };
        assertError(await site.request('POST', '/api/uploads', { headers: post }), 403, 'cross_site');
        const hidden = { ...headers, 'X-HTTP-Method-Override': 'DELETE' };
        const url = `/api/uploads/${'a'.repeat(32)}`;
        assertError(await site.request('GET', url, { headers: hidden }), 403, 'cross_site');
    });
    test('nobody is signed in by another page', async () => {
        const before = { 'Sec-Fetch-Site': 'cross-site' };
        assertError(await signIn(new Client(site, { headers: before }), 'mia'), 403, 'cross_site');
        const body = JSON.stringify({ name: 'mia', password: PASSWORD });
        const headers = { Origin: 'http://evil.example', 'Content-Length': body.length };
        assertError(await site.request('POST', '/api/session', { headers, body }), 403, 'cross_site');
    });
    test('a token needs no word of where it comes from', async () => {
        const token = await member.newToken(['admin']);
        const { json: video } = await member.upload(tinyMp4());
        for (const headers of [{}, { 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'http://evil.example' }]) {
            const client = new Client(site, { token, headers });
            const { status } = await client.api('PATCH', `/api/videos/${video.id}`, { title: 'y' });
            assert.equal(status, 200);
        }
    });
    test('a program that signs in may do so without a word of it', async () => {
        assert.equal((await signIn(site, 'vera')).status, 201);
    });
    test('many who sign in at once hold up nobody else', async () => {
        const names = ['olga', 'mia', 'otto', 'vera'];
        let pending = 40;
        const all = Array.from({ length: pending }, (_, i) =>
            signIn(new Client(site, { address: `127.0.2.${i + 1}` }), names[i % 4]).then((response) => {
                pending--;
                return response;
            }));
        await waitFor(() => pending < 38, { every: 2 });
        for (let i = 0; i < 3; i++) assert.equal((await viewer.api('GET', '/api/videos')).status, 200);
        assert.ok(pending > 10, `it came behind them: ${pending} were left`);
        for (const { status } of await Promise.all(all)) assert.equal(status, 201);
    });
});

describe('a new site', () => {
    it('is set up once, by who has the link', withSite(
        { env: { DROPSTREAM_AUTH: 'required' } },
        async (site) => {
            const body = { token: letters(52), name: 'olga', password: PASSWORD };
            const before = (await site.api('GET', '/api/session')).json;
            assert.deepEqual(before, { user: null, auth: 'required', setup: true });
            assertError(await site.api('GET', '/api/videos'), 401, 'sign_in');
            assertError(await signIn(site, 'admin', 'admin'), 401, 'bad_login');
            for (const token of [body.token, 'x', ''])
                assertError(await site.api('POST', '/api/setup', { ...body, token }), 403, 'bad_token');
            assertError(await site.api('POST', '/api/setup', { ...body, password: 'short' }), 422, 'weak_password');
            assertError(await site.api('POST', '/api/setup', { ...body, name: '' }), 422, 'bad_field');
            const owner = await setUp(site, 'olga');
            assert.deepEqual((await owner.api('GET', '/api/session')).json,
                { user: { name: 'olga', role: 'owner' }, auth: 'required', setup: false });
            assertError(await site.api('POST', '/api/setup', body), 409, 'exists');
        },
    ));
    it('takes no link whose time is over, and each one once', withSite(
        { env: { DROPSTREAM_AUTH: 'required' } },
        async (site) => {
            await site.api('GET', '/api/session');
            const token = letters(52);
            const { createHash } = await import('node:crypto');
            const hash = createHash('sha256').update(token).digest('hex');
            await sql(site, `INSERT INTO site_secrets (name, secret, expires_ms)
                VALUES ('setup', X'${hash}', ${Date.now() - 1})`);
            const post = () => site.api('POST', '/api/setup', { token, name: 'olga', password: PASSWORD });
            assertError(await post(), 403, 'bad_token');
            await sql(site, `UPDATE site_secrets SET expires_ms = ${Date.now() + 60_000}`);
            const [one, two] = await Promise.all([post(), post()]);
            assert.deepEqual([one.status, two.status].sort(), [201, 409]);
        },
    ));
});

describe('TLS', () => {
    it('has the cookie sent through it alone, to this host alone', async () => {
        const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'dropstream-tls-'));
        const pem = path.join(dir, 'site.pem');
        await selfSigned(pem);
        try {
            await withSite({ env: { DROPSTREAM_AUTH: 'required', DROPSTREAM_TLS_PEM: pem } }, async (site) => {
                const owner = await setUp(site, 'olga');
                const [name] = Object.keys(owner.cookies);
                assert.equal(name, '__Host-dropstream_session');
                const response = await signIn(owner, 'olga');
                assert.match(response.headers['set-cookie'][0], /; Path=\/; .*; SameSite=Lax; Secure$/);
                // What another host of the domain, or plain HTTP, could have put there.
                const headers = { Cookie: `dropstream_session=${owner.cookies[name]}` };
                assertError(await site.request('GET', '/api/videos', { headers }), 401, 'sign_in');
                const from = (Origin) => site.request('POST', '/api/session', {
                    headers: { Origin, 'Content-Length': 2 }, body: '{}',
                });
                assertError(await from(`http://127.0.0.1:${site.port}`), 403, 'cross_site');
                assertError(await from(`https://127.0.0.1:${site.port}`), 422, 'bad_field');
            })();
        } finally {
            await fs.rm(dir, { recursive: true });
        }
    });
    for (const trusted of [true, false])
        it(`in front of a proxy that is ${trusted ? '' : 'not '}trusted`, withSite(
            { env: { DROPSTREAM_AUTH: 'required', DROPSTREAM_TRUSTED_PROXIES: trusted ? '127.0.0.1' : '' } },
            async (site) => {
                await setUp(site, 'olga');
                const headers = (i) => ({
                    'Sec-Fetch-Site': 'same-origin', 'X-Forwarded-For': `203.0.113.${i}`, 'X-Forwarded-Proto': 'https',
                });
                const client = new Client(site, { headers: headers(7) });
                const response = await signIn(client, 'olga');
                assert.equal(/; Secure$/.test(response.headers['set-cookie'][0]), trusted);
                const { json } = await client.api('GET', '/api/sessions');
                const { address } = json.sessions.find(({ current }) => current);
                assert.equal(address, trusted ? '203.0.113.7' : '127.0.0.1');
                // One address for tries, or many.
                const guess = (i) => signIn(new Client(site, { headers: headers(i) }), `name${i}`);
                for (let i = 0; i < 6; i++) await guess(i);
                await sql(site, 'UPDATE tries SET last_ms = last_ms + 60000'); // as if it were faster
                const last = await guess(6);
                assertError(last, trusted ? 401 : 429, trusted ? 'bad_login' : 'too_many');
            },
        ));
});

describe('a site without accounts', () => {
    it('is its visitor’s, and answers to no other name', async () => {
        const site = await startSite();
        try {
            const { json } = await site.api('GET', '/api/session');
            assert.deepEqual(json, { user: { name: '', role: 'owner' }, auth: 'none', setup: false });
            const { json: video } = await site.upload(tinyMp4());
            assert.equal(video.owner, null);
            assert.deepEqual(video.may, { edit: true, share: true, download: true });
            assertError(await signIn(site, 'olga'), 409, 'no_accounts');
            assertError(await site.api('POST', '/api/tokens', { label: 'x', scopes: ['read'] }), 409, 'no_accounts');
            assert.deepEqual((await site.api('GET', '/api/users')).json, { users: [] });
            const ask = (headers, method = 'GET', target = '/api/videos') =>
                site.request(method, target, { headers });
            for (const Host of ['evil.example', `evil.example:${site.port}`, 'localhost.evil.example'])
                for (const target of ['/api/videos', '/api/session', '/api/health'])
                    assertError(await ask({ Host }, 'GET', target), 403, 'bad_host');
            for (const Host of ['localhost', `localhost:${site.port}`, '127.0.0.1', '[::1]:80'])
                assert.equal((await ask({ Host })).status, 200, Host);
            const tus = { 'Tus-Resumable': '1.0.0', 'Upload-Length': 20_000, Host: 'evil.example' };
            assertError(await ask(tus, 'POST', '/api/uploads'), 403, 'bad_host');
            const url = `/api/videos/${video.id}`;
            assertError(await ask({ Origin: 'http://evil.example' }, 'DELETE', url), 403, 'cross_site');
            assertError(await ask({ 'Sec-Fetch-Site': 'cross-site' }, 'DELETE', url), 403, 'cross_site');
            assert.equal((await ask({}, 'DELETE', url)).status, 204);
        } finally {
            await site.stop();
        }
    });
});
