/* Reckoning a password takes a while, and what one may do can change in it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PASSWORD, addUser, sql, startAccounts } from '../lib/accounts.mjs';
import { sleep, tinyMp4 } from '../lib/site.mjs';

describe('a right that goes while a password is reckoned', () => {
    let site, owner, member, second;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));

    before(async () => {
        ({ site, owner, member } = await startAccounts());
        second = await addUser(owner, 'oskar', 'owner');
    });
    after(() => site?.stop());

    /* Sends it, and makes a viewer of who sent it once the request is past the gate: that
     * has read who it is, and waits to write that the session goes on. */
    async function assertForbidden(name, role, send) {
        await sql(site, 'UPDATE sessions SET used_ms = used_ms - 120000');
        const database = await site.holdDatabase();
        await database.run(`UPDATE users SET role = 'viewer' WHERE name = '${name}'`);
        const sent = send();
        await sleep(500);
        await database.end();
        const { status, json, text } = await sent;
        await sql(site, `UPDATE users SET role = '${role}' WHERE name = '${name}'`);
        assert.equal(`${status} ${json?.error?.code}`, '403 forbidden', text);
    }

    test('shares nothing', async () => {
        const { json: video } = await member.upload(tinyMp4());
        const url = `/api/videos/${video.id}/shares`;
        await assertForbidden('mia', 'member', () => member.api('POST', url, { password: 'four' }));
        assert.deepEqual((await owner.api('GET', url)).json, { shares: [] });
    });
    test('adds nobody', async () => {
        const body = { name: 'nora', role: 'owner', password: PASSWORD };
        await assertForbidden('oskar', 'owner', () => second.api('POST', '/api/users', body));
    });
    test('gives nobody a new password', async () => {
        const body = { password: 'another horse battery' };
        await assertForbidden('oskar', 'owner', () => second.api('PATCH', '/api/users/otto', body));
    });
});
