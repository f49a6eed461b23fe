/* Names and titles that have broken other programs go in and out as they are: they are only
 * ever text. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, startAccounts } from '../lib/accounts.mjs';
import { NAUGHTY, hasControl, kept } from '../lib/naughty.mjs';
import { tinyMp4 } from '../lib/site.mjs';

describe('names', () => {
    let site, member, id, share, pids;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));

    before(async () => {
        ({ site, member } = await startAccounts());
        ({ json: { id } } = await member.upload(tinyMp4()));
        share = await member.newShare(id);
        pids = await site.handlers();
    });
    after(async () => {
        const living = await site?.handlers();
        await site?.stop();
        assert.deepEqual(living, pids, 'a handler died');
    });

    test(`${NAUGHTY.length} titles come back as they were typed, or are refused`, async () => {
        const guest = new Client(site);
        for (const title of NAUGHTY) {
            const { status, json, text } = await member.api('PATCH', `/api/videos/${id}`, { title });
            if (hasControl(title) || !kept(title) || Buffer.byteLength(title) > 1020) {
                assert.equal(status, 422, JSON.stringify(title));
                continue;
            }
            assert.equal(status, 200, text);
            assert.equal(json.title, kept(title));
            const shown = await guest.api('GET', `/api/shares/${share.token}`);
            assert.equal(shown.json.title, kept(title));
            assert.equal(shown.headers['content-type'], 'application/json');
        }
    });
    test('so do labels of tokens, and what is searched for finds itself', async () => {
        for (const title of NAUGHTY.filter((text) => kept(text) === text && Buffer.byteLength(text) < 80 && !hasControl(text)).slice(0, 90)) {
            const { status, json } = await member.api('POST', '/api/tokens', { label: title, scopes: ['read'] });
            assert.equal(status, 201, title);
            assert.equal(json.label, title);
            await member.api('DELETE', `/api/tokens/${json.n}`);
            await member.api('PATCH', `/api/videos/${id}`, { title });
            const { json: found } = await member.api('GET', `/api/videos?q=${encodeURIComponent(title)}`);
            assert.deepEqual(found.videos.map((video) => video.title), [title]);
        }
    });
    test('no name of a file becomes a path or a header', async () => {
        // One that ends with a backslash escapes the quote behind it: browsers do not tell.
        for (const name of NAUGHTY.filter((text) => !/[\r\n]|\\$/.test(text))) {
            // As browsers write it into a form.
            const quoted = name.replaceAll('"', '%22');
            const upload = await member.upload(tinyMp4(2000), { name: quoted });
            assert.equal(upload.status, 201, upload.text);
            const { filename } = upload.json;
            assert.ok(!/[/\\]/.test(filename) && filename && !hasControl(filename), filename);
            const file = await member.request('GET', `/api/videos/${upload.json.id}/original`);
            assert.equal(file.status, 200);
            assert.equal(file.body.length, 2000);
            assert.equal(file.headers['set-cookie'], undefined);
            const said = /^attachment; filename="([^"\\/%]*)"; filename\*=UTF-8''([^"\\/; ]*)$/.exec(file.headers['content-disposition']);
            assert.ok(said, file.headers['content-disposition']);
            assert.equal(decodeURIComponent(said[2]), filename.replace(/["\\/:*?<>|]/g, '_'));
            await member.api('DELETE', `/api/videos/${upload.json.id}`);
        }
        const spool = await site.spool();
        assert.ok(spool.every((file) => /^[a-z2-7]{16}\.\w+$/.test(file)), spool.join());
    });
});
