/* A right that ends while an upload is under way: it is not stored, and what has come of it
 * is there for who may go on with it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, addUser, letters, startAccounts } from '../lib/accounts.mjs';
import { formAround, sleep, tinyMp4, waitFor } from '../lib/site.mjs';
import { CHUNK, begin, create, head, newUploadId, patch } from '../lib/tus.mjs';

const SIZE = 40_000;
const HALF = 20_000;

describe('a right that ends while an upload is under way', () => {
    let site, owner;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));

    before(async () => {
        ({ site, owner } = await startAccounts());
    });
    after(() => site?.stop());

    const headersOf = (client) =>
        client.isBrowser ? { Cookie: client.cookieHeader('/'), 'Sec-Fetch-Site': 'same-origin' } : client.headers;

    /* The two doors: each begins to bring a file of SIZE bytes, of which HALF are sent. */
    const doors = {
        async form(client, id) {
            const form = formAround('clip.mp4', { upload_id: id, size: SIZE });
            const body = Buffer.concat([form.head, tinyMp4(SIZE).subarray(0, HALF)]);
            const headers = { ...headersOf(client), 'Content-Type': form.type };
            const length = form.head.length + SIZE + form.tail.length;
            return { ...(await begin(site, 'POST', '/api/videos', headers, body, length)), tail: form.tail };
        },
        async tus(client, id) {
            await create(client, SIZE, { upload_id: id });
            const headers = {
                ...headersOf(client), 'Tus-Resumable': '1.0.0', 'Upload-Offset': 0, 'Content-Type': CHUNK,
            };
            const body = tinyMp4(SIZE).subarray(0, HALF);
            return { ...(await begin(site, 'PATCH', `/api/uploads/${id}`, headers, body, SIZE)), tail: '' };
        },
    };

    /* Who brings it, how their right ends, and what they are told then. */
    const ends = {
        'a session that is ended': async (name, signedIn) => {
            const { json } = await signedIn.api('GET', '/api/sessions');
            const { n } = json.sessions.find(({ current }) => current);
            return {
                client: signedIn,
                code: 'sign_in',
                end: async () => (await new Client(site).signIn(name)).api('DELETE', `/api/sessions/${n}`),
                status: 204,
            };
        },
        'a token that is removed': async (name, signedIn) => {
            const made = await signedIn.api('POST', '/api/tokens', { label: 'x', scopes: ['upload'] });
            return {
                client: new Client(site, { token: made.json.token }),
                code: 'bad_token',
                end: () => signedIn.api('DELETE', `/api/tokens/${made.json.n}`),
                status: 204,
            };
        },
        'a member who is made a viewer': async (name, signedIn) => ({
            client: signedIn,
            code: 'sign_in',
            end: () => owner.api('PATCH', `/api/users/${name}`, { role: 'viewer' }),
            status: 200,
            isLost: true,
        }),
    };


    /* Ends the right of someone whose upload has come half of the way. */
    async function endHalfWay(door, how) {
        const name = `u${letters(8)}`;
        const signedIn = await addUser(owner, name, 'member');
        const { client, code, end, status, isLost } = await ends[how](name, signedIn);
        const id = newUploadId();
        const upload = await doors[door](client, id);
        await waitFor(async () => (await owner.api('GET', '/api/videos?limit=200')).json.videos
            .some((video) => video.owner === name), { what: 'the video to be there' });
        assert.equal((await end()).status, status);
        return { name, id, upload, code, isLost };
    }

    async function assertRefused({ text }, code) {
        await waitFor(() => text().includes('"}}'), { what: 'the answer' });
        assert.match(text(), new RegExp(`^HTTP/1\\.1 401 .*"${code}"`, 's'));
    }

    /* Nothing is stored; what came is where they find it who sign in anew. */
    async function assertKept({ name, id, isLost }) {
        const { json } = await owner.api('GET', '/api/videos?limit=200');
        const states = json.videos.filter((video) => video.owner === name).map(({ state }) => state);
        assert.deepEqual(states, isLost ? [] : ['receiving']);
        const again = await new Client(site).signIn(name);
        const found = await head(again, id);
        assert.equal(found.status, isLost ? 403 : 200);
        if (isLost) {
            const activity = (await owner.api('GET', '/api/activity?limit=1000')).json.activity;
            assert.ok(activity.some(({ message }) =>
                message === 'Upload abandoned: its user may not upload any more'));
            return;
        }
        const offset = Number(found.headers['upload-offset']);
        assert.ok(offset > 0, `${offset} bytes are kept`);
        assert.equal((await patch(again, id, offset, tinyMp4(SIZE).subarray(offset))).status, 204);
        const { json: stored } = await again.api('GET', '/api/videos');
        assert.deepEqual(stored.videos.map(({ state, size }) => [state, size]), [['stored', SIZE]]);
    }

    for (const how of Object.keys(ends))
        for (const door of Object.keys(doors)) {
            test(`${how} ends an upload by ${door} that is slow`, async () => {
                const half = await endHalfWay(door, how);
                // It would go on for hours.
                for (let at = HALF; !half.upload.text() && at < SIZE - 1000; at += 50) {
                    half.upload.socket.write(tinyMp4(SIZE).subarray(at, at + 50));
                    await sleep(50);
                }
                await assertRefused(half.upload, half.code);
                half.upload.socket.destroy();
                await assertKept(half);
            });
            test(`${how} has one by ${door} not stored whose end comes then`, async () => {
                const half = await endHalfWay(door, how);
                half.upload.socket.write(Buffer.concat([tinyMp4(SIZE).subarray(HALF), Buffer.from(half.upload.tail)]));
                await assertRefused(half.upload, half.code);
                half.upload.socket.destroy();
                if (!half.isLost) {
                    const again = await new Client(site).signIn(half.name);
                    assert.equal((await head(again, half.id)).headers['upload-offset'], String(SIZE));
                    const { json } = await again.api('GET', '/api/videos');
                    assert.deepEqual(json.videos.map(({ state }) => state), ['stored'], 'by who may again');
                }
            });
        }
});
