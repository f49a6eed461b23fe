/* Who waits for segments that are not made yet, what of it counts as one, and how many may. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { get as getAs } from '../lib/demand.mjs';
import { assertLater, cost, mediaPid, named, parked, startWaiting, untilParked } from '../lib/parked.mjs';
import { waitFor } from '../lib/site.mjs';
import { WATCHED } from '../lib/under.mjs';

const run = promisify(execFile);
const HANDLE_FDS = 12; // the store handles that are opened when first needed

let site, w;

const test = (name, fn) => it(name, (t) => site.logged(fn)(t));

before(async () => {
    w = await startWaiting();
    ({ site } = w);
});
after(() => site?.stop());

describe('viewers', () => {
    test('who wait for one segment are one demand', async () => {
        const part = await w.missing();
        const requests = Array.from({ length: 200 }, (_, i) => w.begin(part.file, named(`v${i}`)));
        await untilParked(site, 200);
        await w.untilDemanded(part);
        assert.ok(requests.every(({ done }) => !done));
        await part.back();
        for (const { answer } of requests) {
            const { status, body } = await answer;
            assert.equal(status, 200);
            assert.ok(body.equals(part.bytes));
        }
        await w.untilDemanded();
    });
    for (const [who, headers] of [
        ['by CMCD', named('6e2fb550-c457-11e9-bb97-0800200c9a66')],
        ['by their player', { 'X-Playback-Session-Id': 'F1A2' }],
    ])
        test(`known ${who} replace what they wanted before`, async () => {
            const [one, two, shared] = [await w.missing(), await w.missing(), await w.missing()];
            const sound = await w.missing(w.nextSound());
            const other = w.begin(shared.file, named('someone else'));
            const heard = w.begin(sound.file, headers);
            const first = w.begin(one.file, headers);
            await w.untilDemanded(one, shared, sound);
            const second = w.begin(shared.file, headers);
            assertLater(await first.answer, 'replaced');
            await w.untilDemanded(shared, sound);
            const third = w.begin(two.file, headers);
            assertLater(await second.answer, 'replaced');
            await w.untilDemanded(two, shared, sound);
            assert.ok([other, heard, third].every(({ done }) => !done));
            for (const part of [one, two, shared, sound]) await part.back();
            for (const { answer } of [other, heard, third])
                assert.equal((await answer).status, 200);
            await w.untilDemanded();
        });
    test('unknown ones have four demands at once', async () => {
        const parts = [];
        for (let i = 0; i < 5; i++) parts.push(await w.missing());
        const requests = [];
        for (const part of parts.slice(0, 4)) {
            requests.push(w.begin(part.file, { 'User-Agent': 'old' }));
            await w.untilDemanded(...parts.slice(0, requests.length));
        }
        const { fds } = await cost(site);
        const again = w.begin(parts[0].file, { 'User-Agent': 'old' });
        const another = w.begin(parts[0].file, { 'User-Agent': 'new' });
        await waitFor(async () => (await cost(site)).fds >= fds + 2);
        requests.push(w.begin(parts[4].file, { 'User-Agent': 'old' }));
        assertLater(await requests[0].answer, 'replaced');
        assertLater(await again.answer, 'replaced');
        await w.untilDemanded(...parts);
        for (const part of parts) await part.back();
        for (const { answer } of [...requests.slice(1), another])
            assert.equal((await answer).status, 200);
        await w.untilDemanded();
    });
    test('who hang up cost nothing for long', async () => {
        const part = await w.missing();
        const before = await cost(site);
        const head = `GET ${w.url(part.file)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
        await Promise.all(Array.from({ length: 50 }, () => site.raw([head], { hangUp: true })));
        const stays = w.begin(part.file, named('stays'));
        await w.untilDemanded(part);
        await part.back();
        assert.equal((await stays.answer).status, 200);
        await waitFor(async () => (await cost(site)).fds <= before.fds + HANDLE_FDS);
        assert.equal((await w.get(part.file)).status, 200);
        await w.untilDemanded();
    });
});

describe('limits', () => {
    test('600 waits are a little memory and no thread', async () => {
        await w.restart({ DROPSTREAM_WAITS_PER_ADDRESS: '700' });
        await site.request('GET', w.url('360p-1/99.m4s'));
        const before = await cost(site);
        const pid = await mediaPid(site);
        const part = await w.missing();
        const requests = Array.from({ length: 600 }, (_, i) => w.begin(part.file, named(`v${i}`)));
        await waitFor(async () => (await cost(site)).fds >= before.fds + 600);
        const during = await cost(site);
        assert.equal(during.threads, before.threads);
        assert.ok(WATCHED || during.rss - before.rss < 600 * 32, `${before.rss} to ${during.rss} KB`);
        assert.equal((await site.api('GET', '/api/videos')).status, 200);
        await part.back();
        for (const { answer } of requests) assert.equal((await answer).status, 200);
        await waitFor(async () => {
            const now = await cost(site);
            return now.fds <= before.fds + HANDLE_FDS && (WATCHED || now.rss < before.rss + 4096);
        });
        assert.equal(await mediaPid(site), pid);
    });
    test('a wait ends after wait_s, and its demand a little later', async () => {
        await w.restart({ DROPSTREAM_WAIT_S: '1' });
        const part = await w.missing();
        const began = Date.now();
        assertLater(await w.get(part.file), 'not_yet');
        assert.ok(Date.now() - began >= 950, 'it waited');
        await w.untilDemanded(part);
        const sql = 'SELECT until_ms - since_ms FROM demand';
        const { stdout } = await run('sqlite3', ['-readonly', site.path('db/dropstream.db'), sql]);
        assert.equal(Number(stdout), 3000, 'the player asks again right away');
        assert.equal((await w.get(part.file, {}, 'HEAD')).status, 503);
    });
    /* lighttpd is sure to notice it of a client that has asked for something before on the
     * same connection, as players have. */
    test('who hangs up is waited for no longer', async () => {
        await w.restart({ DROPSTREAM_WAIT_S: '9' });
        const [left, shared] = [await w.missing(), await w.missing()];
        const leave = async (part, i, signal) => {
            const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
            const master = await getAs(site, w.url('master.m3u8'), { agent });
            assert.equal(master.status, 200);
            const end = await getAs(site, w.url(part.file), { sid: `leaves${i}`, signal, agent }).catch((error) => error);
            assert.ok(end.name === 'AbortError' || end.status === 503, `${end}`);
        };
        /* Who stays has come first: as long as that one waits nobody's time is over. */
        const tried = async () => {
            const off = new AbortController();
            const stays = w.begin(shared.file, named('stays'));
            const until = (is) => waitFor(async () => stays.done || (await is()));
            await until(async () => (await parked(site)) === 1);
            const gone = Promise.all([left, shared].map((part, i) => leave(part, i, off.signal)));
            await until(async () => (await parked(site)) === 3 && w.areDemanded(left, shared));
            off.abort();
            await gone;
            await until(async () => (await parked(site)) === 1 && w.areDemanded(shared));
            return stays;
        };
        let stays = await tried();
        for (let i = 0; stays.done && i < 4; i++) {
            await untilParked(site, 0); // a machine that is far too busy
            stays = await tried();
        }
        assert.ok(!stays.done, 'before its time was over');
        await shared.back();
        assert.equal((await stays.answer).status, 200);
        await left.back();
    });
    test('an address has a bounded number of waits', async () => {
        await w.restart({ DROPSTREAM_WAIT_S: '9', DROPSTREAM_WAITS_PER_ADDRESS: '20' });
        const [part, other] = [await w.missing(), await w.missing()];
        const requests = Array.from({ length: 20 }, (_, i) => w.begin(part.file, named(`v${i}`)));
        await w.untilDemanded(part);
        await untilParked(site, 20);
        assertLater(await w.get(part.file, named('late')), 'crowded');
        assertLater(await w.get(other.file), 'crowded');
        assert.equal((await w.get('master.m3u8')).status, 200);
        await w.untilDemanded(part);
        await part.back();
        for (const { answer } of requests) assert.equal((await answer).status, 200);
        await other.back();
        assert.equal((await w.get(other.file)).status, 200);
    });
    test('all of them together are bounded too', async () => {
        await w.restart({ DROPSTREAM_WAITS: '5' });
        const part = await w.missing();
        const requests = Array.from({ length: 5 }, (_, i) => w.begin(part.file, named(`v${i}`)));
        await untilParked(site, 5);
        await w.untilDemanded(part);
        assertLater(await w.get(part.file, named('late')), 'crowded');
        await part.back();
        for (const { answer } of requests) assert.equal((await answer).status, 200);
    });
});
