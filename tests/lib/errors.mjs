/* errors.mjs: what every refusal of a program has in common. */
import assert from 'node:assert/strict';

/* response, as of Site.request, is {"error":{"code","message"}} with this status and code,
 * says so in a sentence, and is kept by no cache. */
export function assertError(response, status, code) {
    assert.equal(response.json?.error?.code, code, response.text);
    assert.equal(response.status, status, response.text);
    assert.match(response.json.error.message, /^\S.{10,}\.$/s);
    assert.equal(response.headers['cache-control'], 'no-store');
    assert.equal(response.headers['content-type'], 'application/json');
}
