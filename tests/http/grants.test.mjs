/* The symlinks by which media are reached: each is taken back alone, and the worker keeps
 * them as the database says, whoever was killed half-way. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { pretend } from '../lib/accounts.mjs';
import { flashClip } from '../lib/media.mjs';
import { startSite, tinyMp4, waitFor, withSite } from '../lib/site.mjs';

/* Names as good as drawn ones, each its own. */
let drawn = 0;
const newName = () => String(drawn++).replace(/\d/g, (digit) => 'qrstuvwxyz'[digit]).padStart(26, 'k');

describe('grants', () => {
    let site, video, root, own;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));

    async function sql(text) {
        const args = ['-cmd', '.timeout 5000', '-cmd', 'PRAGMA wal_autocheckpoint=0', '-batch'];
        const { stdout } = await promisify(execFile)('sqlite3', [...args, site.path('db/dropstream.db'), text]);
        return stdout.trim().split('\n').slice(1).join('\n'); // what the pragma says
    }
    const rows = async (key) => Number(await sql(`SELECT count(*) FROM grants WHERE key = '${key}'`));
    const link = (key) => site.path('htdocs/media', key);
    const linked = (key) => fs.lstat(link(key)).then((st) => st.isSymbolicLink(), () => false);
    const plays = async (key) => (await site.request('GET', `/media/${key}/master.m3u8`)).status === 200;

    /* A share of the video and its grant, as api.fcgi makes them. */
    async function share({ expiresIn = null, symlink = true } = {}) {
        const [token, key] = [newName(), newName()];
        const expires = expiresIn === null ? 'NULL' : Date.now() + expiresIn;
        await sql(
            `BEGIN IMMEDIATE;
             INSERT INTO shares (token, video_id, password, download, embed, created_ms, expires_ms)
                VALUES ('${token}', '${video.id}', '', 0, '', ${Date.now()}, ${expires});
             INSERT INTO grants (key, video_id, share) VALUES ('${key}', '${video.id}', '${token}');
             COMMIT`,
        );
        if (symlink) await fs.symlink(root, link(key));
        return key;
    }

    before(async () => {
        site = await startSite({ worker: true });
        const file = site.path('tmp/clip.mp4');
        await flashClip(file, { seconds: 3 });
        const { json } = await site.upload(file);
        video = await site.waitForState(json.id, 'ready');
        own = path.basename(path.dirname(video.media));
        root = await fs.readlink(link(own));
    });
    after(() => site?.stop());

    test('a key is told once the symlink is there, and stays the same', async () => {
        assert.ok(await plays(own));
        assert.notEqual(root, own);
        const { json } = await site.api('GET', `/api/videos/${video.id}`);
        assert.equal(json.media, video.media);
        assert.equal((await site.api('GET', '/api/videos')).json.videos[0].media, video.media);
    });
    test('one whose symlink is missing gets it before it is told again', async () => {
        await fs.unlink(link(own));
        const { json } = await site.api('GET', `/api/videos/${video.id}`);
        assert.equal(json.media, video.media);
        assert.ok(await linked(own));
    });
    test('a share ends by itself when its time is over, and no other with it', async () => {
        const [brief, lasting] = [await share({ expiresIn: 2500 }), await share()];
        const over = Number(await sql(`SELECT expires_ms FROM shares
            WHERE token = (SELECT share FROM grants WHERE key = '${brief}')`));
        const before = await plays(brief);
        assert.ok(before || Date.now() >= over);
        await waitFor(async () => !(await linked(brief)), { timeout: 10000, every: 20 });
        const late = Date.now() - over;
        assert.ok(late >= 0 && late < 2500, `${late} ms`);
        await waitFor(async () => !(await plays(brief)), { timeout: 3000 }); // lighttpd's cache
        assert.equal(await rows(brief), 0);
        assert.ok(await plays(lasting));
        assert.ok(await plays(own));
    });
    test('what is marked revoked is ended at once, whoever has marked it', async () => {
        const [gone, stays] = [await share(), await share()];
        await sql(`UPDATE grants SET revoked = 1 WHERE key = '${gone}'`);
        await waitFor(async () => !(await linked(gone)), { timeout: 5000, every: 20 });
        await waitFor(async () => (await rows(gone)) === 0, { timeout: 5000 });
        assert.ok(await linked(stays));
    });
    test('what was left half done is completed by the next worker', async () => {
        await site.end('worker', 'SIGKILL');
        const [made, revoked, stays] = [await share({ symlink: false }), await share(), await share()];
        const stranger = newName();
        await fs.symlink(root, link(stranger));
        await sql(`UPDATE grants SET revoked = 1 WHERE key = '${revoked}'`);
        site.startWorker();
        await waitFor(async () => (await linked(made)) && !(await linked(revoked)) && !(await linked(stranger)));
        assert.equal(await rows(revoked), 0);
        assert.ok(await plays(made));
        assert.ok(await plays(stays));
        assert.ok((await fs.stat(site.path('htdocs/media', root))).isDirectory());
    });
    test('where people have to sign in, the key of everybody ends with the start', async () => {
        const shared = await share();
        await site.end('worker');
        site.env.DROPSTREAM_AUTH = 'required';
        site.startWorker();
        await waitFor(async () => !(await linked(own)));
        assert.ok(await linked(shared));
        await site.end('worker');
        site.env.DROPSTREAM_AUTH = 'none';
        site.startWorker();
        const { json } = await site.api('GET', `/api/videos/${video.id}`);
        assert.notEqual(json.media, video.media);
        assert.equal((await site.request('GET', json.media)).status, 200);
        video = json;
        own = path.basename(path.dirname(json.media));
    });
    test('deleting a video ends all its keys with the answer', async () => {
        const shared = await share();
        await site.end('worker');
        assert.equal((await site.api('DELETE', `/api/videos/${video.id}`)).status, 204);
        for (const key of [own, shared]) {
            assert.equal(await linked(key), false);
            assert.equal(await rows(key), 0);
        }
        site.startWorker();
        await waitFor(async () => (await fs.readdir(site.path('htdocs/media'))).length === 0);
    });
});

describe('a site that asks people to sign in from now on', () => {
    it('takes back what it gave to everybody, without a worker too', withSite({}, async (site) => {
        const { json: { id } } = await site.upload(tinyMp4());
        await pretend(site, id);
        const { json } = await site.api('GET', `/api/videos/${id}`);
        assert.equal((await site.request('GET', json.media)).status, 200);
        await site.end('lighttpd');
        site.env.DROPSTREAM_AUTH = 'required';
        site.startLighttpd();
        await waitFor(() => site.answers());
        await waitFor(async () => (await site.request('GET', json.media)).status === 404);
        const links = (await fs.readdir(site.path('htdocs/media'), { withFileTypes: true }))
            .filter((entry) => entry.isSymbolicLink());
        assert.deepEqual(links, []);
    }));
});
