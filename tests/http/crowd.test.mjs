/* A crowd that guesses passwords, and people who sign in meanwhile. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { describe, it } from 'node:test';
import { Client, PASSWORD, letters, setUp, startAccounts } from '../lib/accounts.mjs';
import { tinyMp4, withSite } from '../lib/site.mjs';
import { WATCHED } from '../lib/under.mjs';

const MANY = 100;

const signIn = (client, name, password = PASSWORD) =>
    client.api('POST', '/api/session', { name, password });

/* KB that a program has ever had in memory. */
const peak = async (pid) =>
    Number((await fs.readFile(`/proc/${pid}/status`, 'utf8')).match(/VmHWM:\s+(\d+) kB/)[1]);

const statuses = (answers) => {
    const by = {};
    for (const { status } of answers) by[status] = (by[status] ?? 0) + 1;
    return by;
};

describe('a crowd that guesses', () => {
    it('keeps nobody out who comes from elsewhere', withSite(
        { env: { DROPSTREAM_AUTH: 'required' } },
        async (site) => {
            await setUp(site, 'olga');
            const client = new Client(site, { address: '127.0.5.1' });
            const api = (await site.handlers())['api.fcgi'];
            const before = await peak(api);
            const crowd = Array.from({ length: MANY }, (_, i) => signIn(client, `name${i}`, 'wrong'));
            const people = Array.from({ length: 6 }, (_, i) =>
                signIn(new Client(site, { address: `127.0.6.${i + 1}` }), 'olga'));
            assert.deepEqual((await Promise.all(people)).map(({ status }) => status), Array(6).fill(201));
            const by = statuses(await Promise.all(crowd));
            assert.ok(by[401] <= 6, `${by[401]} were looked at`);
            // Each password takes 16 MB while it is reckoned: the set-up's one before, two at once now.
            assert.ok(WATCHED || await peak(api) - before < 1.5 * 16384, `${before} KB, then ${await peak(api)} KB`);
            assert.deepEqual(Object.keys(by).filter((status) => !['401', '429', '503'].includes(status)), []);
            // From now on they are told so without a place in the queue.
            const again = await Promise.all(Array.from({ length: MANY }, () => signIn(client, 'olga')));
            assert.deepEqual(Object.keys(statuses(again)), ['429']);
        },
    ));
    it('is not waited for where no password is to be reckoned', async () => {
        const { site, owner } = await startAccounts();
        try {
            const { json: { id } } = await owner.upload(tinyMp4());
            const open = await owner.newShare(id);
            const crowd = async (method, target, body, client = new Client(site, { address: '127.0.5.1' })) =>
                Object.keys(statuses(await Promise.all(
                    Array.from({ length: MANY }, () => client.api(method, target, body)),
                )));
            const password = 'a guess of a password';
            assert.deepEqual(await crowd('POST', `/api/shares/${letters(26)}`, { password }), ['404']);
            assert.deepEqual(await crowd('POST', `/api/shares/${open.token}`, { password }), ['200']);
            assert.deepEqual(await crowd('POST', '/api/users', { name: 'x', role: 'owner', password }), ['401']);
            assert.deepEqual(await crowd('PATCH', '/api/users/olga', { password }), ['401']);
            assert.deepEqual(await crowd('POST', `/api/videos/${id}/shares`, { password }), ['401']);
            assert.deepEqual(await crowd('PATCH', '/api/users/mia', { role: 'member' }, owner), ['200']);
        } finally {
            await site.stop();
        }
    });
});

describe('uploads that are refused', () => {
    it('of one user do not roll over the log', async () => {
        const { site, owner, member, other } = await startAccounts({ env: { DROPSTREAM_MAX_UPLOAD_MB: '1' } });
        try {
            const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': 2_000_000 };
            for (const client of [member, member, other, member])
                assert.equal((await client.request('POST', '/api/uploads', { headers })).status, 413);
            const { json } = await owner.api('GET', '/api/activity');
            const told = json.activity.map(({ message }) => message).filter((message) => message.includes('refused'));
            assert.deepEqual(told.map((message) => message.split(':')[0]), [
                'Upload by mia refused', 'Upload by otto refused',
            ]);
        } finally {
            await site.stop();
        }
    });
});
