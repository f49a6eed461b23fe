/* What one may do can end between the look at it and the change: while a password is
 * reckoned, and while the database is busy. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, PASSWORD, addUser, sql, startAccounts } from '../lib/accounts.mjs';
import { assertError } from '../lib/errors.mjs';
import { sleep, tinyMp4 } from '../lib/site.mjs';

const VTT = 'WEBVTT\n\n00:01.000 --> 00:02.000\nOne\n';

describe('a right that goes meanwhile', () => {
    let site, owner, member, video, users;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));

    before(async () => {
        // All of them at once.
        const env = { DROPSTREAM_API_THREADS: '16', DROPSTREAM_STORE_HANDLES: '16' };
        ({ site, owner, member } = await startAccounts({ env }));
        await addUser(owner, 'oskar', 'owner');
        video = (await member.upload(tinyMp4())).json;
        users = (await owner.api('GET', '/api/users')).json;
    });
    after(() => site?.stop());

    /* Each is past the gate, and waits to write, when somebody ends what it came with. */
    async function assertRefused(text, requests) {
        const database = await site.holdDatabase();
        await database.run(text);
        const sent = requests.map((send) => send());
        await sleep(500);
        await database.end();
        for (const response of await Promise.all(sent)) assertError(response, 401, 'sign_in');
    }
    const url = (rest = '') => `/api/videos/${video.id}${rest}`;
    const changesOf = (client) => [
        () => client.api('PATCH', url(), { title: 'Mine' }),
        () => client.api('PATCH', url(), { visibility: 'everyone' }),
        () => client.api('PUT', url('/poster'), { at: 0 }),
        () => client.request('PUT', url('/subtitles/en'), { body: VTT }),
        () => client.api('POST', url('/shares'), {}),
        () => client.api('POST', url('/shares'), { password: 'four' }),
        () => client.api('POST', url('/rekey')),
        () => client.api('DELETE', url()),
    ];
    const makesToken = (client) => () =>
        client.api('POST', '/api/tokens', { label: 'late', scopes: ['admin'] });
    async function assertUnchanged() {
        const { json } = await owner.api('GET', url());
        assert.deepEqual([json.title, json.visibility, json.subtitles], [video.title, 'private', []]);
        assert.deepEqual((await owner.api('GET', url('/shares'))).json, { shares: [] });
        assert.deepEqual((await owner.api('GET', '/api/users')).json, users);
        assert.equal(await sql(site, 'SELECT count(*) FROM tokens'), '0');
    }

    test('a session that is ended changes nothing more', async () => {
        await assertRefused("DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE name = 'mia')", [
            ...changesOf(member), makesToken(member),
        ]);
        await assertUnchanged();
    });
    test('nor does a token', async () => {
        const again = await new Client(site).signIn('mia');
        const token = new Client(site, { token: await again.newToken(['admin']) });
        await token.api('GET', '/api/videos'); // that it was used is noted by now
        await assertRefused('DELETE FROM tokens', changesOf(token));
        await assertUnchanged();
    });
    test('who is an owner no more makes no owners, and gives no passwords', async () => {
        const oskar = await new Client(site).signIn('oskar');
        await assertRefused("UPDATE users SET role = 'viewer' WHERE name = 'oskar'", [
            () => oskar.api('POST', '/api/users', { name: 'nora', role: 'owner', password: PASSWORD }),
            () => oskar.api('PATCH', '/api/users/otto', { password: 'another horse battery' }),
            () => oskar.api('PATCH', '/api/users/otto', { role: 'owner' }),
            () => oskar.api('DELETE', '/api/users/otto'),
        ]);
        await sql(site, "UPDATE users SET role = 'owner' WHERE name = 'oskar'");
        await assertUnchanged();
        await new Client(site).signIn('otto');
    });
    test('what one ends of oneself keeps nobody from the rest', async () => {
        const oskar = await new Client(site).signIn('oskar');
        assert.equal((await oskar.api('PATCH', '/api/users/oskar', { role: 'member' })).status, 200);
        const mia = await new Client(site).signIn('mia');
        assert.equal((await mia.api('DELETE', '/api/session')).status, 204);
    });
});
