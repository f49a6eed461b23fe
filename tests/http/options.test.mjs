/* What settings mean for lighttpd: who may play media from elsewhere, whose word about the
 * client counts, TLS, and whom media are sent to. Programs of cgi-bin are stood
 * in for where it matters what lighttpd tells them. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import tls from 'node:tls';
import { fakeProgram } from '../lib/fake_fcgi.mjs';
import { startSite, withSite } from '../lib/site.mjs';
import { selfSigned } from '../lib/tls.mjs';

const KEY = 'abcdefghijklmnopqrstuvwxyz';
const ROOT = 'rootrootrootrootrootrootab';
const SEGMENT = `/media/${KEY}/360p-1/0.m4s`;
const MISSING = `/media/${KEY}/360p-1/99.m4s`;
const YEAR = 'max-age=31536000';

async function put(site, name, text) {
    await fs.mkdir(path.dirname(site.path(name)), { recursive: true });
    await fs.writeFile(site.path(name), text);
}

/* As the worker lays it out: files in a folder, reached through a link. */
async function putMedia(site) {
    const media = `htdocs/media/${ROOT}`;
    for (const [name, text] of [
        ['master.m3u8', '#EXTM3U\n'], ['poster.jpg', 'jpeg'], ['storyboard.vtt', 'WEBVTT\n'],
        ['360p-1/init.mp4', 'init'], ['360p-1/0.m4s', '0123456789'],
    ])
        await put(site, `${media}/${name}`, text);
    await put(site, 'htdocs/index.html', '<!doctype html><title>dropstream</title>');
    await put(site, 'spool/abc.src', 'stored');
    await fs.symlink(ROOT, site.path('htdocs/media', KEY));
}

const names = ['master.m3u8', 'poster.jpg', 'storyboard.vtt', '360p-1/init.mp4', '360p-1/0.m4s'];

/* The headers of an answer that are about other sites. */
const corsOf = ({ headers }) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

describe('media_cors', () => {
    const preflight = (site, target, origin) =>
        site.request('OPTIONS', target, {
            headers: { Origin: origin, 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'range' },
        });

    test('not set: no other site gets anything', withSite({ prepare: putMedia }, async (site) => {
        for (const target of ['/', '/api/videos', ...names.map((name) => `/media/${KEY}/${name}`), MISSING])
            for (const method of ['GET', 'OPTIONS']) {
                const headers = { Origin: 'https://other.example', 'Access-Control-Request-Method': 'GET' };
                const answer = await site.request(method, target, { headers });
                assert.deepEqual(corsOf(answer), {}, `${method} ${target}`);
            }
    }));

    const env = { DROPSTREAM_MEDIA_CORS: 'https://a.example http://[2001:db8::1]:8000' };
    test('origins: those, for media, also what is missing', withSite({ env, prepare: putMedia }, async (site) => {
        const get = (target, origin) => site.request('GET', target, { headers: origin ? { Origin: origin } : {} });
        for (const origin of env.DROPSTREAM_MEDIA_CORS.split(' ')) {
            for (const target of [...names.map((name) => `/media/${KEY}/${name}`), MISSING]) {
                const answer = await get(target, origin);
                assert.equal(answer.status, target === MISSING ? 404 : 200);
                assert.equal(answer.headers['access-control-allow-origin'], origin, target);
                assert.equal(answer.headers['access-control-allow-credentials'], undefined);
                assert.equal(answer.headers.vary, 'Origin');
                assert.equal(answer.headers['x-content-type-options'], 'nosniff');
                assert.match(answer.headers['content-security-policy'], /frame-ancestors 'none'/);
                const asked = await preflight(site, target, origin);
                assert.equal(asked.status, target === MISSING ? 204 : 200, target);
                assert.equal(asked.body.length, 0);
                assert.equal(asked.headers['access-control-allow-origin'], origin);
                assert.match(asked.headers['access-control-allow-headers'], /Range/);
            }
            for (const target of ['/', '/api/videos', `/media/${KEY}/360p-1/0.txt`])
                assert.deepEqual(corsOf(await get(target, origin)), {}, target);
        }
        for (const other of ['https://a.example.evil', 'http://a.example', 'https://b.example', 'null', '', undefined]) {
            const answer = await get(SEGMENT, other);
            assert.deepEqual(corsOf(answer), {}, other);
            // A cache must not give one's answer to another.
            assert.equal(answer.headers.vary, 'Origin', other);
            assert.equal(answer.headers['cache-control'], YEAR);
            assert.deepEqual(corsOf(await preflight(site, SEGMENT, other ?? 'x')), {});
        }
    }));

    const all = { DROPSTREAM_MEDIA_CORS: '*' };
    test('*: all of them', withSite({ env: all, prepare: putMedia }, async (site) => {
        const answer = await site.request('GET', SEGMENT, { headers: { Origin: 'https://any.example' } });
        assert.equal(answer.headers['access-control-allow-origin'], '*');
        assert.equal(answer.headers.vary, undefined);
        assert.equal((await preflight(site, MISSING, 'https://any.example')).headers['access-control-allow-origin'], '*');
        assert.deepEqual(corsOf(await site.request('GET', '/api/videos', { headers: { Origin: 'x' } })), {});
    }));
});

describe('trusted_proxies', () => {
    const headers = { 'X-Forwarded-For': '203.0.113.9, 198.51.100.7', 'X-Forwarded-Proto': 'https' };
    const prepare = (site) => fakeProgram(site, 'api.fcgi');
    const seen = async (site, more = {}) => {
        const { json } = await site.request('GET', '/api/x', { headers: { ...headers, ...more } });
        return [json.REMOTE_ADDR, json.REQUEST_SCHEME, json.HTTPS];
    };

    test('nobody: the address is that of the connection', withSite({ prepare }, async (site) => {
        assert.deepEqual(await seen(site), ['127.0.0.1', 'http', undefined]);
    }));
    const others = { DROPSTREAM_TRUSTED_PROXIES: '10.0.0.0/8 ::1 127.0.0.2' };
    test('others than who asks: likewise', withSite({ env: others, prepare }, async (site) => {
        assert.deepEqual(await seen(site), ['127.0.0.1', 'http', undefined]);
    }));
    for (const network of ['127.0.0.1', '127.0.0.0/8'])
        test(`${network}: the last address that no proxy of ours has`, withSite(
            { env: { DROPSTREAM_TRUSTED_PROXIES: `${network} 192.0.2.5` }, prepare },
            async (site) => {
                assert.deepEqual(await seen(site), ['198.51.100.7', 'https', 'on']);
                assert.deepEqual(await seen(site, { 'X-Forwarded-For': '198.51.100.8, 192.0.2.5' }), ['198.51.100.8', 'https', 'on']);
                // Who makes it up in front of the proxy does not get past it.
                assert.deepEqual(await seen(site, { 'X-Forwarded-For': '127.0.0.1, 198.51.100.9' }), ['198.51.100.9', 'https', 'on']);
                const plain = await site.request('GET', '/api/x', { headers: { Forwarded: 'for=203.0.113.1;proto=https' } });
                assert.equal(plain.json.REMOTE_ADDR, '127.0.0.1');
                assert.equal(plain.json.REQUEST_SCHEME, 'http');
            },
        ));
});

describe('tls_pem', () => {
    it('speaks TLS, and HTTP/1.1 only', async () => {
        const dir = await fs.mkdtemp('/tmp/dropstream-tls-');
        const pem = path.join(dir, 'site.pem');
        const certificate = await selfSigned(pem);
        const site = await startSite({ env: { DROPSTREAM_TLS_PEM: pem }, prepare: (s) => fakeProgram(s, 'api.fcgi') });
        try {
            const answer = await site.request('GET', '/api/x');
            assert.equal(answer.status, 200);
            assert.equal(answer.json.HTTPS, 'on');
            assert.equal(answer.json.REQUEST_SCHEME, 'https');
            const alpn = await new Promise((resolve, reject) => {
                const options = { host: '127.0.0.1', port: site.port, ca: certificate, ALPNProtocols: ['h2', 'http/1.1'] };
                const socket = tls.connect(options, () => {
                    socket.destroy();
                    resolve(socket.alpnProtocol);
                }).on('error', reject);
            });
            assert.equal(alpn, 'http/1.1');
            site.tls = false;
            await assert.rejects(site.request('GET', '/api/x'));
        } finally {
            await site.stop();
            await fs.rm(dir, { recursive: true });
        }
    });
});

describe('media_auth = strict', () => {
    const OTHER = 'bbcdefghijklmnopqrstuvwxyz'; // another key of the same video
    const PASS = '0123456789abcdef'.repeat(4);
    const NO_PASS = 'fedcba9876543210'.repeat(4);
    const has = { Cookie: `dropstream_media=${PASS}` };
    let site;
    const checked = (name, fn) => it(name, (t) => site.logged(fn)(t));
    const get = (target, headers = {}, method = 'GET') => site.request(method, target, { headers });

    before(async () => {
        site = await startSite({
            env: { DROPSTREAM_MEDIA_AUTH: 'strict', DROPSTREAM_MEDIA_CORS: 'https://a.example' },
            prepare: async (s) => {
                await putMedia(s);
                await fs.symlink(ROOT, s.path('htdocs/media', OTHER));
                await fs.mkdir(s.path('htdocs/media/pass', PASS), { recursive: true });
                await fs.symlink(`../../${KEY}`, s.path('htdocs/media/pass', PASS, KEY));
                await fakeProgram(s, 'media.fcgi');
            },
        });
    });
    after(() => site?.stop());

    /* That lighttpd has left it to media.fcgi, as it came. */
    function assertAsked(answer, target, what = target) {
        assert.equal(answer.status, 200, what); // the stand-in's own
        assert.equal(answer.json?.REQUEST_URI, target, what);
        assert.equal(answer.json.role, 1, what); // a responder: it is the one who answers
    }

    checked('who has no pass is left to media.fcgi, whatever the method', async () => {
        for (const name of names)
            for (const [method, headers] of [
                ['GET', {}], ['POST', {}], ['PUT', { 'Content-Length': 0 }], ['OPTIONS', {}],
                ['GET', { Authorization: 'Bearer x' }], ['GET', { Cookie: 'a=b' }],
            ]) {
                const target = `/media/${KEY}/${name}`;
                const answer = await get(target, headers, method);
                assertAsked(answer, target, `${method} ${name}`);
                assert.equal(answer.json.REQUEST_METHOD, method);
            }
        const head = await get(SEGMENT, {}, 'HEAD');
        assert.equal(head.headers['content-type'], 'application/json');
    });
    checked('who has one gets what it leads to as a static file: type, ranges, validators', async () => {
        for (const cookie of [has.Cookie, `a=b; ${has.Cookie}`, `${has.Cookie}; a=b`, `a=b;${has.Cookie};c=d`, `${has.Cookie}; dropstream_media=${NO_PASS}`]) {
            const headers = { Cookie: cookie };
            const whole = await get(SEGMENT, headers);
            assert.equal(whole.status, 200, cookie);
            assert.equal(whole.text, '0123456789', cookie);
            assert.equal(whole.headers['content-type'], 'video/iso.segment');
            const part = await get(SEGMENT, { ...headers, Range: 'bytes=2-4' });
            assert.equal(part.status, 206);
            assert.equal(part.text, '234');
            assert.equal(part.headers['content-range'], 'bytes 2-4/10');
            assert.equal((await get(SEGMENT, { ...headers, 'If-None-Match': whole.headers.etag })).status, 304);
            const head = await get(SEGMENT, headers, 'HEAD');
            assert.equal(head.headers['content-length'], '10');
        }
        assert.equal((await get(`${SEGMENT}?_=1`, has)).text, '0123456789');
        const twice = await site.raw([`GET ${SEGMENT} HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\nCookie: ${has.Cookie}\r\nConnection: close\r\n\r\n`]);
        assert.match(`${twice}`, /\r\n\r\n0123456789$/);
    });
    checked('what is no pass, and what a pass does not lead to, is left to media.fcgi', async () => {
        for (const cookie of [
            `dropstream_media=${NO_PASS}`, `xdropstream_media=${PASS}`, `dropstream_media=${PASS}0`, `dropstream_media=${PASS.slice(1)}`,
            `dropstream_media=../${KEY}`, `dropstream_media="${PASS}"`, `dropstream_media=${PASS.toUpperCase()}`, 'dropstream_media=',
            `dropstream_media=${NO_PASS}; ${has.Cookie}`,
        ])
            assertAsked(await get(SEGMENT, { Cookie: cookie }), SEGMENT, cookie);
        for (const target of [
            SEGMENT.replace(KEY, OTHER), SEGMENT.replace(KEY, ROOT), MISSING, `${MISSING}?_=1`, `/media/${KEY}`, `/media/${KEY}/`,
            `/media/${KEY}/360p-1`, `/media/${KEY}/360p-1/`, `/media/${KEY}/x.txt`, `${SEGMENT}/`, `${SEGMENT}/x`, '/media/', '/media/pass',
        ])
            assertAsked(await get(target, has), target);
    });
    checked('a pass is no part of an address', async () => {
        for (const folder of ['/media/pass', '/media/./pass', '//media/pass', '/media/%70ass', '/media//pass', `/media/${KEY}/../pass`])
            for (const headers of [{}, has, { Cookie: `dropstream_media=${NO_PASS}` }])
                for (const name of ['master.m3u8', '360p-1/0.m4s']) {
                    const target = `${folder}/${PASS}/${KEY}/${name}`;
                    assertAsked(await get(target, headers), target);
                }
    });
    checked('an address that is written otherwise needs a pass as well', async () => {
        for (const target of [
            `//media/${KEY}/360p-1/0.m4s`, `/./media/${KEY}/360p-1/0.m4s`, `/assets/../media/${KEY}/360p-1/0.m4s`,
            `/%6dedia/${KEY}/360p-1/0.m4s`, `/media//${KEY}//360p-1/0.m4s`, `/media/${KEY}/360p-1/0.m4s/`,
            `/media/${KEY}/360p-1/0.m4s/x`, `/media/${KEY}/360p-1/0.m4s?x=.css`, `/x/..%2fmedia/${KEY}/360p-1/0.m4s`,
            `/media/${ROOT}/360p-1/0.m4s`, `/missing/${KEY}/360p-1/0.m4s?x`, `/media%2f${KEY}/360p-1/0.m4s`,
            `/media/${KEY}/360p-1/0%2em4s`, `/media/${KEY}/360p-1%2f0.m4s`, `/media/pass/../${KEY}/360p-1/0.m4s`,
        ]) {
            const { text, body } = await get(target);
            assert.doesNotMatch(text, /^0123/, target);
            assert.notEqual(body.length, 10, target);
        }
        // From the key that a pass leads to there is no way to another one.
        for (const up of ['..', '%2e%2e', '.%2e', '..%2f..', './..', './/..', 'x/../..', '..%5c', '..;', '%252e%252e', '../../..'])
            for (const to of [`${OTHER}/360p-1/0.m4s`, `${ROOT}/360p-1/0.m4s`, `media/${OTHER}/360p-1/0.m4s`, `pass/${PASS}/${KEY}/360p-1/0.m4s`]) {
                const { text } = await get(`/media/${KEY}/${up}/${to}`, has);
                assert.doesNotMatch(text, /^0123/, `${up}/${to}`);
            }
        const http10 = await site.raw([`GET ${SEGMENT} HTTP/1.0\r\n\r\n`]);
        assert.doesNotMatch(`${http10}`, /0123456789/);
        // On a connection that stays, each request counts for itself.
        const pair = await site.raw([
            `GET ${SEGMENT} HTTP/1.1\r\nHost: x\r\nCookie: ${has.Cookie}\r\n\r\nGET ${SEGMENT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        ]);
        assert.equal(`${pair}`.match(/0123456789/g).length, 1);
    });
    checked('what is taken back is gone with the next request', async () => {
        const file = (await get(SEGMENT, has)).text;
        assert.equal(file, '0123456789');
        await fs.unlink(site.path('htdocs/media', KEY)); // the grant
        assertAsked(await get(SEGMENT, has), SEGMENT);
        await fs.symlink(ROOT, site.path('htdocs/media', KEY));
        assert.equal((await get(SEGMENT, has)).text, file);
        await fs.rename(site.path('htdocs/media/pass', PASS), site.path('tmp', PASS)); // the pass
        assertAsked(await get(SEGMENT, has), SEGMENT);
        await fs.rename(site.path('tmp', PASS), site.path('htdocs/media/pass', PASS));
        assert.equal((await get(SEGMENT, has)).text, file);
    });
    checked('no cache but the client may keep it', async () => {
        for (const name of names) {
            const control = (await get(`/media/${KEY}/${name}`, has)).headers['cache-control'];
            assert.match(control, /private/, name);
            assert.match(control, /m4s|mp4/.test(name) ? /max-age=31536000/ : /no-cache/, name);
        }
        for (const headers of [has, {}]) assert.match((await get(MISSING, headers)).headers['cache-control'], /private/);
    });
    checked('a segment that came while its request waited is sent as a file', async () => {
        const file = site.path('htdocs/media', KEY, '360p-1/0.m4s');
        const query = `?send=${encodeURIComponent(file)}&type=video/iso.segment`;
        for (const headers of [has, { Cookie: 'session=x' }]) {
            const answer = await get(`${MISSING}${query}`, { ...headers, Range: 'bytes=1-3' });
            assert.equal(answer.status, 206);
            assert.equal(answer.text, '123');
            assert.equal(answer.headers['x-sendfile'], undefined);
            assert.match(answer.headers['cache-control'], /private/);
            assert.match(answer.headers['cache-control'], /max-age=31536000/);
            const elsewhere = await get(`${MISSING}?send=${encodeURIComponent(site.path('spool/abc.src'))}`, headers);
            assert.ok([403, 404].includes(elsewhere.status), elsewhere.status);
        }
    });
    checked('players of other sites are told that they may come, with a token', async () => {
        const headers = { Origin: 'https://a.example', 'Access-Control-Request-Method': 'GET' };
        for (const target of [SEGMENT, MISSING])
            for (const [method, more] of [['OPTIONS', {}], ['GET', { Authorization: 'Bearer x' }]]) {
                const answer = await get(target, { ...headers, ...more }, method);
                assertAsked(answer, target);
                assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example');
                assert.equal(answer.headers['access-control-allow-credentials'], undefined);
                assert.equal(answer.headers.vary, 'Origin');
            }
    });
    checked('the name of the folder is in no answer', async () => {
        const targets = [SEGMENT, MISSING, `/media/${KEY}`, `/media/${KEY}/`, `/media/${KEY}/360p-1`, `/media/${KEY}/360p-1/`];
        for (const target of [...targets, '/media/', '/media', `/missing/${KEY}/360p-1`, '/media/pass', '/media/pass/', `/media/pass/${PASS}`])
            for (const headers of [{}, has]) {
                const answer = await get(target, headers);
                assert.ok(!answer.text.includes(ROOT), target);
                assert.ok(!JSON.stringify(answer.headers).includes(ROOT), target);
                assert.ok(!(answer.headers.location ?? '').includes(PASS), target);
            }
    });
});

describe('api.fcgi', () => {
    const prepare = async (site) => {
        await putMedia(site);
        await fakeProgram(site, 'api.fcgi');
    };
    test('may send a stored file, in ranges, and nothing of the database or the settings', withSite({ prepare }, async (site) => {
        await put(site, 'db/secret', 'SECRET');
        const send = (name, headers = {}) =>
            site.request('GET', `/api/videos/x/original?send=${encodeURIComponent(site.path(name))}&type=video/mp4`, { headers });
        const answer = await send('spool/abc.src', { Range: 'bytes=1-2' });
        assert.equal(answer.status, 206);
        assert.equal(answer.text, 'to');
        assert.equal(answer.headers['content-type'], 'video/mp4');
        for (const name of ['db/secret', 'etc/dropstream.conf', 'spool/../db/secret', 'htdocs/index.html', 'run/api.sock-0', 'spoolx'])
            assert.equal((await send(name)).status, 403, name);
    }));

    test('answers /e/<token>, and says who may embed it', withSite({ prepare }, async (site) => {
        const csp = "frame-ancestors https://a.example";
        const answer = await site.request('GET', `/e/abc?csp=${encodeURIComponent(csp)}&type=text/html`);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['cache-control'], 'no-store');
        assert.equal(answer.headers['x-content-type-options'], 'nosniff');
        assert.equal(answer.headers['referrer-policy'], 'no-referrer');
        const policies = answer.headers['content-security-policy'].split(', ');
        assert.equal(policies.length, 2);
        assert.ok(policies.includes(csp));
        const [page_policy] = policies.filter((policy) => policy !== csp);
        const other = await site.request('GET', '/s/abc');
        assert.equal(`${page_policy}; frame-ancestors 'none'`, other.headers['content-security-policy']);
        const asked = await site.request('GET', '/e/abc');
        assert.equal(asked.json.REQUEST_URI, '/e/abc');
    }));
});
