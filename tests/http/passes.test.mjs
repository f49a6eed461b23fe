/* media_auth = strict: what somebody was let through to, lighttpd sends from then on by itself,
 * and the worker sees to it that it does not go on any longer than it should. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Client, PASSWORD, addUser, sql, startAccounts } from '../lib/accounts.mjs';
import { flashClip } from '../lib/media.mjs';
import { waitFor } from '../lib/site.mjs';

const ALONE_MS = 15_000; // in which lighttpd has answered, if it asks nobody
const NEW_PASSWORD = `${PASSWORD} indeed`;

describe('passes', () => {
    let site, owner, member, video, other;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));
    const keyOf = async (client, { id } = video) => (await client.api('GET', `/api/videos/${id}`)).json.media.split('/')[2];
    const file = (key, name = '360p-1/0.m4s') => `/media/${key}/${name}`;
    const get = (client, key, headers = {}, name = undefined) => client.request('GET', file(key, name), { headers });
    const status = async (...args) => (await get(...args)).status;
    const passes = () => fs.readdir(site.path('htdocs/media/pass')).catch(() => []);
    const passOf = (client) => client.cookies.dropstream_media;
    const linked = (pass, key) => fs.lstat(site.path('htdocs/media/pass', pass, key)).then(() => true, () => false);

    /* What fn says while media.fcgi can answer nothing: so it comes from lighttpd alone. */
    async function alone(fn) {
        const { 'media.fcgi': pid } = await site.handlers();
        process.kill(pid, 'SIGSTOP');
        try {
            return await Promise.race([fn(), new Promise((resolve) => setTimeout(resolve, ALONE_MS, 'media.fcgi is asked'))]);
        } finally {
            process.kill(pid, 'SIGCONT');
        }
    }
    /* Another browser of somebody, that has watched. */
    async function another(name, password = PASSWORD) {
        const client = await new Client(site).signIn(name, password);
        const key = await keyOf(client);
        assert.equal(await status(client, key), 200);
        assert.equal(await alone(() => status(client, key)), 200);
        return { client, key, pass: passOf(client) };
    }
    async function assertEnded({ client, key, pass }, what) {
        assert.ok(!(await passes()).includes(pass), what);
        assert.equal(await status(client, key), 404, what);
    }
    async function assertGoesOn({ client, key }, what) {
        assert.equal(await alone(() => status(client, key)), 200, what);
    }

    before(async () => {
        ({ site, owner, member } = await startAccounts({ worker: true, posters: true, env: { DROPSTREAM_MEDIA_AUTH: 'strict' } }));
        const clip = site.path('tmp/clip.mp4');
        await flashClip(clip, { seconds: 3 });
        [video, other] = [(await member.upload(clip)).json, (await member.upload(clip)).json];
        for (const { id } of [video, other]) await member.waitForState(id, 'ready');
    });
    after(() => site?.stop());

    test('the first request of a session gives it one, and lighttpd asks no more', async () => {
        const key = await keyOf(member);
        const first = await get(member, key);
        assert.equal(first.status, 200);
        assert.match(first.headers['set-cookie'].join(), /^dropstream_media=[0-9a-f]{64}; Path=\/media\/; Max-Age=43200; HttpOnly; SameSite=Lax$/);
        for (const name of ['master.m3u8', '360p-1/index.m3u8', '360p-1/init.mp4', '360p-1/0.m4s', 'poster.jpg']) {
            const answer = await alone(() => get(member, key, {}, name));
            assert.equal(answer.status, 200, name);
            assert.equal(answer.headers['set-cookie'], undefined);
        }
        // Of another video it leads to nothing until that was asked for.
        const second = await keyOf(member, other);
        assert.ok(!(await linked(passOf(member), second)));
        assert.equal(await status(member, second), 200);
        assert.equal(await alone(() => status(member, second)), 200);
        assert.ok(await linked(passOf(member), second));
    });
    test('it leads to what its session has asked for and may have, and to nothing else', async () => {
        const [mine, owners] = [await keyOf(member), await keyOf(owner)];
        assert.equal(await status(owner, owners), 200);
        const pass = { Cookie: `dropstream_media=${passOf(member)}` };
        const stranger = new Client(site);
        assert.equal(await status(stranger, owners, pass), 404);
        assert.ok(!(await linked(passOf(member), owners)));
        assert.equal(await status(member, owners), 404);
        assert.ok(!(await linked(passOf(member), owners)));
        // Nor by its own name.
        for (const client of [member, owner, stranger])
            assert.equal((await client.request('GET', `/media/pass/${passOf(member)}/${mine}/360p-1/0.m4s`)).status, 404);
        // Whoever makes one up gets none.
        const made = '0'.repeat(64);
        assert.equal(await status(member, mine, { Cookie: `${member.cookieHeader('/')}; dropstream_media=${made}` }), 200);
        assert.equal(await status(stranger, mine, { Cookie: `dropstream_media=${made}` }), 404);
        assert.ok(!(await passes()).includes(made));
    });
    test('where it is missing it is given again, and nobody is kept out meanwhile', async () => {
        const key = await keyOf(member);
        assert.equal(await status(member, key), 200);
        await fs.rm(site.path('htdocs/media/pass'), { recursive: true });
        assert.equal(await status(member, key), 200);
        assert.equal(await alone(() => status(member, key)), 200);
        // Where it cannot be written, each request is asked about.
        await fs.rm(site.path('htdocs/media/pass'), { recursive: true });
        await fs.writeFile(site.path('htdocs/media/pass'), '');
        for (let i = 0; i < 3; i++) assert.equal(await status(member, key), 200);
        const log = await fs.readFile(site.path('log/lighttpd.log'), 'utf8');
        assert.equal(log.match(/passes cannot be written/g).length, 1);
        await fs.unlink(site.path('htdocs/media/pass'));
        assert.equal(await status(member, key), 200);
        assert.equal(await alone(() => status(member, key)), 200);
    });
    test('it ends with its session, whoever ends that, and no other with it', async () => {
        await site.end('worker'); // which would come behind, and so hide who does not
        await addUser(owner, 'nina', 'owner');
        const stays = await another('nina');
        const ends = {
            'signing out': ({ client }) => client.api('DELETE', '/api/session'),
            'the list of sessions': async () => {
                const { json } = await stays.client.api('GET', '/api/sessions');
                const { n } = json.sessions.find((session) => !session.current && session.agent === '');
                return stays.client.api('DELETE', `/api/sessions/${n}`);
            },
            dropstreamctl: async () => {
                const { out } = await site.ctl(['session', 'ls', 'nina']);
                const numbers = [...out.matchAll(/^ *(\d+) /gm)].map(([, n]) => Number(n));
                return site.ctl(['session', 'rm', String(Math.max(...numbers))]);
            },
        };
        for (const session of (await stays.client.api('GET', '/api/sessions')).json.sessions)
            if (!session.current) await stays.client.api('DELETE', `/api/sessions/${session.n}`);
        for (const [what, end] of Object.entries(ends)) {
            const ending = await another('nina');
            const answer = await end(ending);
            assert.ok(answer.status === 204 || answer.status === 0, `${what}: ${answer.text ?? answer.err}`);
            await assertEnded(ending, what);
            await assertGoesOn(stays, what);
        }
        // The same browser signs in anew: it gets another one, and the one before is over.
        const again = await another('nina');
        const before = again.client.clone();
        await again.client.signIn('nina');
        await assertEnded({ ...again, client: before }, 'signing in anew');
        assert.equal(await status(again.client, again.key), 200);
        assert.equal(await alone(() => status(again.client, again.key)), 200);
        assert.notEqual(passOf(again.client), again.pass);
        // Another password ends all but the session that has set it.
        const ending = await another('nina');
        const patch = { password: NEW_PASSWORD, old_password: PASSWORD };
        assert.equal((await stays.client.api('PATCH', '/api/users/nina', patch)).status, 200);
        await assertEnded(ending, 'another password');
        await assertGoesOn(stays, 'another password');
        // Another role, and being removed, end all of them.
        const role = await another('nina', NEW_PASSWORD);
        assert.equal((await owner.api('PATCH', '/api/users/nina', { role: 'member' })).status, 200);
        await assertEnded(role, 'another role');
        await assertEnded(stays, 'another role');
        await member.api('PATCH', `/api/videos/${video.id}`, { visibility: 'everyone' });
        const removed = await another('nina', NEW_PASSWORD);
        assert.equal((await owner.api('DELETE', '/api/users/nina')).status, 204);
        await assertEnded(removed, 'being removed');
        await member.api('PATCH', `/api/videos/${video.id}`, { visibility: 'private' });
        site.startWorker();
    });
    test('time ends it with its session, and that of a share with the share', async () => {
        await addUser(owner, 'timo', 'owner');
        const brief = await another('timo');
        const guest = new Client(site);
        const share = await member.newShare(video.id);
        const key = (await guest.api('GET', `/api/shares/${share.token}`)).json.media.split('/')[2];
        assert.equal(await status(guest, key), 200);
        assert.equal(await alone(() => status(guest, key)), 200);
        const end = Date.now() + 1500;
        await sql(site, `UPDATE sessions SET expires_ms = ${end} WHERE n = (SELECT max(n) FROM sessions);
            UPDATE shares SET expires_ms = ${end} WHERE token = '${share.token}'`);
        // The worker sees to it; what it does once a minute would come too late.
        await Promise.all([[brief.client, brief.key], [guest, key]].map(async (one) => {
            await waitFor(async () => (await status(...one)) === 404, { every: 20 });
            assert.ok(Date.now() >= end, 'not before its time');
        }));
        assert.ok(!(await passes()).includes(brief.pass));
    });
    test('a right that is taken away ends what a pass leads to, for those alone', async () => {
        await member.api('PATCH', `/api/videos/${video.id}`, { visibility: 'everyone' });
        const watching = await another('vera');
        const mine = { client: member, key: await keyOf(member) };
        await assertGoesOn(mine);
        await member.api('PATCH', `/api/videos/${video.id}`, { visibility: 'private' });
        assert.equal(await status(watching.client, watching.key), 404);
        await assertGoesOn(mine);
        await member.api('POST', `/api/videos/${video.id}/rekey`);
        assert.equal(await status(member, mine.key), 404);
        const now = await keyOf(member);
        assert.equal(await status(member, now), 200);
        assert.equal(await alone(() => status(member, now)), 200);
    });
    test('a signed-in browser with a share has two, of which the longer path counts first', async () => {
        const share = await member.newShare(video.id);
        const client = await new Client(site).signIn('vera');
        const key = (await client.api('GET', `/api/shares/${share.token}`)).json.media.split('/')[2];
        const own = await keyOf(member);
        const sent = client.cookieHeader(file(key)).match(/dropstream_media=/g);
        assert.equal(sent.length, 1);
        await member.api('PATCH', `/api/videos/${other.id}`, { visibility: 'everyone' });
        const theirs = await keyOf(client, other);
        assert.equal(await status(client, theirs), 200);
        assert.equal(client.cookieHeader(file(key)).match(/dropstream_media=/g).length, 2);
        assert.equal(await status(client, key), 200);
        assert.equal(await alone(() => status(client, key)), 200);
        assert.equal(await alone(() => status(client, theirs)), 200);
        assert.equal(await status(client, own), 404);
        // In whatever order they come, nobody is kept out.
        const turned = client.cookieHeader(file(key)).split('; ').reverse().join('; ');
        assert.equal(await status(client, key, { Cookie: turned }), 200);
    });
    test('what is of nobody goes with the next start of the worker', async () => {
        const stays = { client: member, key: await keyOf(member) };
        assert.equal(await status(member, stays.key), 200);
        const ending = await another('olga');
        await site.end('worker');
        // As if an older database had been put in place: no row, and nobody has ended it.
        await sql(site, `DELETE FROM sessions WHERE n = (SELECT max(n) FROM sessions); DELETE FROM sessions_ended`);
        assert.ok((await passes()).includes(ending.pass));
        site.startWorker();
        await waitFor(async () => !(await passes()).includes(ending.pass));
        assert.equal(await status(ending.client, ending.key), 404);
        await assertGoesOn(stays);
    });
    test('a site that goes back to static has none', async () => {
        assert.ok((await passes()).length > 0);
        await site.end('worker');
        site.env.DROPSTREAM_MEDIA_AUTH = 'static';
        site.startWorker();
        await waitFor(() => fs.lstat(site.path('htdocs/media/pass')).then(() => false, () => true));
    });
});
