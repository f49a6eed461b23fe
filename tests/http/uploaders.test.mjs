/* Uploads of one person that come in at once hold so many threads, and no more. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { Client, startAccounts } from '../lib/accounts.mjs';
import { assertError } from '../lib/errors.mjs';
import { tinyMp4, waitFor, withSite } from '../lib/site.mjs';
import * as t from '../lib/tus.mjs';

const SIZE = 40_000;
const SENT = 4096; // with these it is in the library
const file = tinyMp4(SIZE);
const env = { DROPSTREAM_UPLOAD_THREADS: '4', DROPSTREAM_UPLOADS_PER_PERSON: '2' };

/* A request that has brought a part of its file, and waits. */
function hold(client, id) {
    const body = new PassThrough();
    body.write(file.subarray(0, SENT));
    const answer = t.patch(client, id, 0, body, { 'Content-Length': SIZE });
    return {
        id,
        answer,
        finish: () => {
            body.end(file.subarray(SENT));
            return answer;
        },
    };
}

async function holdTwo(client) {
    const held = [];
    for (let i = 0; i < 2; i++) held.push(hold(client, await t.create(client, SIZE)));
    await waitFor(async () => (await t.videos(client)).length === 2);
    return held;
}

async function assertRefused(client) {
    const rows = (await t.videos(client)).length;
    const id = await t.create(client, SIZE);
    for (const response of [
        await client.upload(file),
        await t.patch(client, id, 0, file),
        await t.tus(client, 'POST', '', {
            headers: { 'Upload-Length': SIZE, 'Content-Type': t.CHUNK },
            body: file,
        }),
    ]) {
        assertError(response, 503, 'too_many_at_once');
        assert.equal(response.headers['retry-after'], '2');
        assert.equal(response.headers.location, undefined);
    }
    assert.equal((await t.videos(client)).length, rows);
    return id;
}

describe('a person who has as many uploads under way as they may', () => {
    it('gets no more of them, others do', async () => {
        const { site, member, other } = await startAccounts({ env });
        try {
            await site.logged(async () => {
                const held = await holdTwo(member);
                const id = await assertRefused(member);
                await assertRefused(new Client(site, { token: await member.newToken(['upload', 'read']) }));
                assert.equal((await other.upload(file)).status, 201);

                // HEAD ends what it asks about, which makes room for another.
                const gone = held[1].answer.catch(() => {});
                assert.equal(await t.offsetOf(member, held[1].id), SENT);
                await gone;
                const third = hold(member, id).answer.catch(() => {});
                await waitFor(async () => (await t.videos(member)).length === 3);
                const rest = file.subarray(SENT);
                assertError(await t.patch(member, held[1].id, SENT, rest), 503, 'too_many_at_once');
                // Whoever goes on with one that is under way takes its place.
                assert.equal((await t.patch(member, id, SENT, rest)).status, 204);
                await third;
                assert.equal((await t.patch(member, held[1].id, SENT, rest)).status, 204);
                assert.equal((await held[0].finish()).status, 204);
            })();
        } finally {
            await site.stop();
        }
    });

    it('is an address where nobody signs in', withSite({ env }, async (site) => {
        const client = new Client(site, { address: '127.0.0.2' });
        const held = await holdTwo(client);
        await assertRefused(client);
        assert.equal((await site.upload(file)).status, 201);
        for (const one of held) assert.equal((await one.finish()).status, 204);
    }));
});
