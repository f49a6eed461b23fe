/* tus_suite.mjs: what the tests of the tus protocol itself share. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { startSite } from './site.mjs';

/* An error as every answer of the protocol tells it; code undefined: to HEAD, no body. */
export function assertError(response, status, code) {
    assert.equal(response.status, status, response.text);
    assert.equal(response.headers['tus-resumable'], '1.0.0');
    assert.equal(response.headers['cache-control'], 'no-store');
    if (code === undefined) return; // HEAD
    assert.equal(response.json?.error?.code, code, response.text);
    assert.ok(response.json.error.message.length > 10);
}

/* The messages of the activity log. */
export const activity = async (site) =>
    (await site.api('GET', '/api/activity')).json.activity.map((a) => a.message);

/* A site for a suite: { site, pids: those of its handlers at the start, it }. */
export function suite(options) {
    const s = { site: undefined, pids: undefined };
    before(async () => {
        s.site = await startSite(options);
        s.pids = await s.site.handlers();
    });
    after(() => s.site.stop());
    s.it = (name, fn) => it(name, (ctx) => s.site.logged(fn)(ctx));
    return s;
}
