/* What is guessed: passwords wait longer and longer, and nothing else is ever found. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KINDS, guessAll } from '../bench/auth_guesser.mjs';
import { Client, PASSWORD, pretend, setUp, sql } from '../lib/accounts.mjs';
import { assertError } from '../lib/errors.mjs';
import { tinyMp4, waitFor, withSite } from '../lib/site.mjs';

const signIn = (client, name, password = PASSWORD) =>
    client.api('POST', '/api/session', { name, password });

/* What an owner reads of sign-ins that failed. */
async function failed(owner) {
    const { json } = await owner.api('GET', '/api/activity');
    return json.activity.map(({ message }) => message).filter((message) => message.startsWith('A sign-in'));
}

// As if the last try of all had been so many seconds before.
const passed = (site, seconds) => sql(site, `UPDATE tries SET last_ms = last_ms - ${seconds * 1000}`);

describe('guessing a password', () => {
    it('an account is delayed more and more at an address', withSite(
        { env: { DROPSTREAM_AUTH: 'required' } },
        async (site) => {
            const owner = await setUp(site, 'olga');
            const client = new Client(site, { address: '127.0.3.1' });
            const tooMany = async (least, most) => {
                const refused = await signIn(client, 'olga');
                assertError(refused, 429, 'too_many');
                const s = Number(refused.headers['retry-after']);
                assert.ok(s >= least && s <= most, `${s} s`);
            };
            for (let i = 1; i <= 14; i++) {
                assertError(await signIn(client, i % 2 ? 'olga' : 'OLGA', 'wrong'), 401, 'bad_login');
                if (i > 5) await passed(site, 2 ** (i - 6));
            }
            assertError(await signIn(client, 'olga', 'wrong'), 401, 'bad_login');
            // The right password too: else one could go on guessing while it waits.
            await tooMany(480, 512);
            assert.equal((await owner.api('GET', '/api/videos')).status, 200, 'who is in stays in');
            await passed(site, 480);
            await tooMany(1, 32);
            await passed(site, 32);
            assert.equal((await signIn(client, 'olga')).status, 201);
        },
    ));
    it('nobody is kept out of an account by who fails at it elsewhere', withSite(
        { env: { DROPSTREAM_AUTH: 'required' } },
        async (site) => {
            await setUp(site, 'olga');
            const from = (i) => new Client(site, { address: `127.0.3.${i}` });
            for (let i = 1; i <= 50; i++) assertError(await signIn(from(i), 'olga', 'wrong'), 401, 'bad_login');
            assert.equal((await signIn(from(100), 'olga')).status, 201);
            for (let i = 51; i <= 60; i++) {
                assertError(await signIn(from(i), 'OLGA', 'wrong'), 401, 'bad_login');
                await passed(site, 30);
            }
            assertError(await signIn(from(61), 'olga', 'wrong'), 401, 'bad_login');
            const refused = await signIn(from(101), 'olga');
            assertError(refused, 429, 'too_many');
            assert.ok(Number(refused.headers['retry-after']) <= 30);
            await passed(site, 30);
            assert.equal((await signIn(from(101), 'olga')).status, 201);
        },
    ));
    it('owners read of it, once a minute of each name', withSite(
        { env: { DROPSTREAM_AUTH: 'required' } },
        async (site) => {
            const owner = await setUp(site, 'olga');
            for (const [i, name] of ['olga', 'OLGA', 'hunter2', 'Mia', 'olga'].entries()) {
                const client = new Client(site, { address: `127.0.7.${i + 1}` });
                assertError(await signIn(client, name, 'wrong'), 401, 'bad_login');
            }
            const told = await waitFor(async () => {
                const lines = await failed(owner);
                return lines.length >= 2 && lines;
            }, { what: 'both to be told' });
            assert.equal(told.length, 2);
            assert.match(told[0], /^A sign-in as olga failed, from 127\.0\.7\.\d$/);
            assert.match(told[1], /^A sign-in as somebody unknown failed, from 127\.0\.7\.\d$/);
        },
    ));
    it('nobody waits for that to be written: it would tell who there is', withSite(
        { env: { DROPSTREAM_AUTH: 'required' } },
        async (site) => {
            const owner = await setUp(site, 'olga');
            // The line takes seconds, on whatever machine.
            await sql(site, `CREATE TABLE many (n);
                WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 450)
                INSERT INTO many SELECT i FROM n;
                CREATE TRIGGER slow AFTER INSERT ON activity WHEN NEW.message LIKE 'A sign-in%'
                BEGIN SELECT count(*) FROM many a, many b, many c WHERE a.n + b.n + c.n = 0; END`);
            assertError(await signIn(new Client(site), 'olga', 'wrong'), 401, 'bad_login');
            assert.deepEqual(await failed(owner), []);
            await waitFor(async () => (await failed(owner)).length === 1, { timeout: 60_000, what: 'the line' });
        },
    ));
    it('an address is, whatever names it tries', withSite(
        { env: { DROPSTREAM_AUTH: 'required' } },
        async (site) => {
            await setUp(site, 'olga');
            const client = new Client(site, { address: '127.0.4.1' });
            for (let i = 0; i < 6; i++) assertError(await signIn(client, `name${i}`), 401, 'bad_login');
            await passed(site, -60);
            assertError(await signIn(client, 'olga'), 429, 'too_many');
            assert.equal((await signIn(new Client(site, { address: '127.0.4.2' }), 'olga')).status, 201);
        },
    ));
});

describe('guessing what nobody can', () => {
    it('finds nothing, of each kind', withSite(
        { env: { DROPSTREAM_AUTH: 'required' } },
        async (site) => {
            const owner = await setUp(site, 'olga');
            await owner.newToken(['read']);
            const { json: video } = await owner.upload(tinyMp4());
            await pretend(site, video.id);
            const share = await owner.newShare(video.id);
            for (const make of Object.values(KINDS)) await guessAll(site.port, make, 300);
            // What is there is found at such addresses.
            assert.equal((await site.request('GET', `/api/shares/${share.token}`)).status, 200);
            const { json } = await owner.api('GET', `/api/videos/${video.id}`);
            assert.match(json.media, /^\/media\/[a-z2-7]{26}\/master\.m3u8$/);
            assert.equal((await site.request('GET', json.media)).status, 200);
        },
    ));
});
