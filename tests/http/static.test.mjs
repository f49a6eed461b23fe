/* What lighttpd serves by itself: types, caches, ranges, security headers, and what it
 * must never serve; and media.fcgi for segments that are not there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { flashClip } from '../lib/media.mjs';
import { SOURCE, startSite, waitFor } from '../lib/site.mjs';

const KEY = 'abcdefghijklmnopqrstuvwxyz';
const YEAR = 'max-age=31536000';
const PAGE = '<!doctype html><title>dropstream</title>';

/* What the server answers first to a request as it is. */
const answerTo = (site, text) =>
    new Promise((resolve, reject) => {
        const socket = net.connect(site.port, '127.0.0.1', () => socket.write(text));
        socket.once('data', (data) => {
            resolve(data.toString('latin1'));
            socket.destroy();
        });
        socket.once('close', () => resolve(''));
        socket.once('error', reject);
    });

describe('files', () => {
    let site;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));
    const get = (target, headers) => site.request('GET', target, { headers });

    async function put(name, text) {
        await fs.mkdir(path.dirname(site.path(name)), { recursive: true });
        await fs.writeFile(site.path(name), text);
    }

    before(async () => {
        site = await startSite();
        // What is served here is known to the byte; the real pages have their own tests.
        await put('htdocs/index.html', PAGE);
        await put('htdocs/assets/index-1a2b3c.js', 'export {};');
        await put('htdocs/assets/index-1a2b3c.css', 'p {}');
        await put('htdocs/favicon.svg', '<svg/>');
        await put('htdocs/.secret', 'SECRET');
        await put('htdocs/page.html~', 'SECRET');
        for (const name of ['etc/secret', 'db/secret', 'spool/secret', 'log/secret', 'run/secret'])
            await put(name, 'SECRET');
        // As the worker lays it out: files in a folder, reached through a link.
        const media = 'htdocs/media/rootrootrootrootrootrootab';
        await put(`${media}/master.m3u8`, '#EXTM3U\n');
        await put(`${media}/poster.jpg`, 'jpeg');
        await put(`${media}/storyboard.vtt`, 'WEBVTT\n');
        await put(`${media}/360p-1/index.m3u8`, '#EXTM3U\n');
        await put(`${media}/360p-1/init.mp4`, 'init');
        await put(`${media}/360p-1/0.m4s`, '0123456789');
        await fs.symlink(path.basename(media), site.path('htdocs/media', KEY));
    });
    after(() => site.stop());

    test('every page is index.html', async () => {
        const watch = '/watch/abcdefgh234567ab';
        const others = ['/login', '/account', '/s/abcdefghijklmnopqrstuvwxyz', '/s/abc/?x'];
        for (const target of ['/', '/index.html', '/activity', watch, `${watch}?t=5`, ...others]) {
            const { status, text, headers } = await get(target);
            assert.equal(status, 200, target);
            assert.equal(text, PAGE);
            assert.equal(headers['content-type'], 'text/html; charset=utf-8');
            assert.equal(headers['cache-control'], 'no-cache');
            assert.ok(headers.etag);
        }
        for (const target of ['/watch/', '/watch/../x', '/nothing', '/activity/x', '/s/', '/s/A', '/login/x'])
            assert.notEqual((await get(target)).text, PAGE, target);
    });
    test('no answer tells which folder a key leads to', async () => {
        const folder = path.basename(await fs.readlink(site.path('htdocs/media', KEY)));
        const key = `/media/${KEY}`;
        for (const target of ['/media', '/media/', key, `${key}/`, `${key}?x`, `${key}/.`, `${key}//`, `${key}/..`,
            `${key}/360p-1`, `${key}/360p-1/`, `${key}/none`, `${key}/master.m3u8/`, `${key}/master.m3u8/x`])
            for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
                const headers = { 'Content-Length': 0, Range: 'bytes=9-1' };
                const answer = await site.request(method, target, { headers });
                const what = `${method} ${target}: ${answer.status}`;
                // POST and OPTIONS of a file are as GET to lighttpd, also with a path behind it.
                assert.notEqual(answer.status, 0, what);
                if (!target.includes('master.m3u8') && method !== 'OPTIONS') assert.ok(answer.status >= 300, what);
                const said = JSON.stringify(answer.headers) + answer.text;
                assert.ok(!said.includes(folder), `${what} ${said}`);
            }
        const bad = await get(`${key}/360p-1/0.m4s`, { Range: 'bytes=99-' });
        assert.equal(bad.status, 416);
        assert.ok(!(JSON.stringify(bad.headers) + bad.text).includes(folder));
    });
    test('types are what browsers and players expect', async () => {
        for (const [target, type] of [
            ['/assets/index-1a2b3c.js', 'text/javascript; charset=utf-8'],
            ['/assets/index-1a2b3c.css', 'text/css; charset=utf-8'],
            ['/favicon.svg', 'image/svg+xml'],
            [`/media/${KEY}/master.m3u8`, 'application/vnd.apple.mpegurl'],
            [`/media/${KEY}/360p-1/init.mp4`, 'video/mp4'],
            [`/media/${KEY}/360p-1/0.m4s`, 'video/iso.segment'],
            [`/media/${KEY}/poster.jpg`, 'image/jpeg'],
            [`/media/${KEY}/storyboard.vtt`, 'text/vtt; charset=utf-8'],
        ]) {
            const { status, headers } = await get(target);
            assert.equal(status, 200, target);
            assert.equal(headers['content-type'], type, target);
        }
    });
    test('what never changes may be kept for a year', async () => {
        for (const target of [
            '/assets/index-1a2b3c.js',
            `/media/${KEY}/360p-1/init.mp4`,
            `/media/${KEY}/360p-1/0.m4s`,
        ]) {
            assert.equal((await get(target)).headers['cache-control'], YEAR, target);
            const head = await site.request('HEAD', target);
            assert.equal(head.headers['cache-control'], YEAR, `HEAD ${target}`);
        }
        const part = await get(`/media/${KEY}/360p-1/0.m4s`, { Range: 'bytes=2-4' });
        assert.equal(part.headers['cache-control'], YEAR);
    });
    test('what can change is asked for again, cheaply', async () => {
        for (const name of ['master.m3u8', '360p-1/index.m3u8', 'poster.jpg']) {
            const target = `/media/${KEY}/${name}`;
            const { headers } = await get(target);
            assert.equal(headers['cache-control'], 'no-cache', target);
            const again = await get(target, { 'If-None-Match': headers.etag });
            assert.equal(again.status, 304, target);
            assert.equal(again.body.length, 0);
        }
    });
    test('a replaced playlist is seen', async () => {
        const name = 'htdocs/media/rootrootrootrootrootrootab/changing.m3u8';
        await put(name, 'one');
        assert.equal((await get(`/media/${KEY}/changing.m3u8`)).text, 'one');
        await put(`${name}.new`, 'two!');
        await fs.rename(site.path(`${name}.new`), site.path(name));
        await waitFor(async () => (await get(`/media/${KEY}/changing.m3u8`)).text === 'two!', {
            timeout: 3000,
        });
    });
    test('a segment comes in ranges', async () => {
        const { status, text, headers } = await get(`/media/${KEY}/360p-1/0.m4s`, {
            Range: 'bytes=2-4',
        });
        assert.equal(status, 206);
        assert.equal(text, '234');
        assert.equal(headers['content-range'], 'bytes 2-4/10');
    });
    test('what is missing may not be kept', async () => {
        for (const target of [
            '/nothing',
            '/assets/nothing.js',
            `/media/${KEY}/360p-1/1.m4s`,
            `/media/${KEY}/360p-2/0.m4s`,
            `/media/${KEY}/360p-1/nothing.mp4`,
            `/media/${KEY}/nothing.m3u8`,
            `/media/${'b'.repeat(26)}/360p-1/0.m4s`,
            `/media/${'b'.repeat(26)}/360p-1/init.mp4`,
            `/media/${KEY}/`,
            `/media/${KEY}`,
            '/media/',
        ]) {
            const { status, headers } = await get(target);
            assert.equal(status, 404, target);
            assert.doesNotMatch(headers['cache-control'] ?? '', /max-age/, target);
            if (target.startsWith('/media/')) {
                assert.match(headers['cache-control'], /no-store/, target);
                assert.equal(headers['content-type'], 'application/json', target);
            }
        }
    });
    test('a segment that appears is served at once', async () => {
        const target = `/media/${KEY}/360p-1/7.m4s`;
        assert.equal((await get(target)).status, 404);
        await put('htdocs/media/rootrootrootrootrootrootab/360p-1/7.m4s', 'seven');
        await waitFor(async () => (await get(target)).text === 'seven', { timeout: 3000 });
        assert.equal((await get(target)).headers['cache-control'], YEAR);
    });
    test('a removed grant stops being served', async () => {
        const key = 'zyxwvutsrqponmlkjihgfedcba';
        await fs.symlink('rootrootrootrootrootrootab', site.path('htdocs/media', key));
        assert.equal((await get(`/media/${key}/master.m3u8`)).status, 200);
        await fs.unlink(site.path('htdocs/media', key));
        await waitFor(async () => (await get(`/media/${key}/master.m3u8`)).status === 404, {
            timeout: 3000,
        });
        assert.equal((await get(`/media/${KEY}/master.m3u8`)).status, 200);
    });
    /* What a policy says, by directive. */
    const policyOf = ({ headers }) =>
        Object.fromEntries(
            headers['content-security-policy']
                .split('; ')
                .map((rule) => [rule.split(' ')[0], rule.split(' ').slice(1).join(' ')]),
        );

    test('security headers are on every answer', async () => {
        for (const target of [
            '/nothing',
            '/assets/index-1a2b3c.js',
            '/api/videos',
            '/api/none',
            `/media/${KEY}/360p-1/0.m4s`,
            `/media/${KEY}/360p-1/99.m4s`,
            '/',
            '/activity',
            '/favicon.svg',
        ]) {
            const answer = await get(target);
            const { headers } = answer;
            assert.equal(headers['x-content-type-options'], 'nosniff', target);
            assert.equal(headers['referrer-policy'], 'no-referrer', target);
            const policy = policyOf(answer);
            assert.equal(policy['default-src'], "'none'", target);
            assert.equal(policy['frame-ancestors'], "'none'", target);
            assert.equal(headers.server, undefined, target);
        }
    });
    test('headers have 8 KB at most', async () => {
        const withHeader = (bytes) => `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Long: ${'a'.repeat(bytes)}\r\n\r\n`;
        assert.match(await answerTo(site, withHeader(8000)), /^HTTP\/1\.1 200 /);
        assert.match(await answerTo(site, withHeader(8200)), /^HTTP\/1\.[01] 431 /);
    });
    test('nobody speaks HTTP/2 in clear text', async () => {
        const upgrade = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n' +
            'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n';
        assert.match(await answerTo(site, upgrade), /^HTTP\/1\.1 200 /);
        const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';
        assert.match(await answerTo(site, preface), /^(HTTP\/1\.\d [45]|$)/);
    });
    test('pages load what is of this site, and nothing else loads anything', async () => {
        const known = await fs.readFile(site.path('etc/style_hashes.conf'), 'utf8');
        const hashes = known.match(/'sha256-[A-Za-z0-9+/]{43}='/g);
        assert.ok(hashes.length > 10);
        for (const target of ['/', '/activity', '/watch/abcdefgh234567ab'])
            assert.deepEqual(policyOf(await get(target)), {
                'default-src': "'none'",
                'script-src': "'self'",
                'style-src': `'self' ${hashes.join(' ')}`,
                'img-src': "'self' data: blob:",
                'media-src': "'self' blob:",
                'connect-src': "'self'",
                'worker-src': "'self' blob:",
                'font-src': "'self'",
                'base-uri': "'none'",
                'form-action': "'self'",
                'frame-ancestors': "'none'",
            });
        for (const target of ['/api/videos', `/media/${KEY}/poster.jpg`])
            assert.deepEqual(policyOf(await get(target)), { 'default-src': "'none'", 'frame-ancestors': "'none'" });
    });
    test('the styles that pages may have inline are those of the player as it is installed', async () => {
        const script = path.join(SOURCE, 'htdocs/style_hashes.mjs');
        const { stdout } = await promisify(execFile)(process.execPath, [script]);
        const known = await fs.readFile(path.join(SOURCE, 'etc/style_hashes.conf'), 'utf8');
        assert.equal(known, stdout, 'run `make style-hashes`: the elements of the player have other styles now');
    });
    test('nothing beside htdocs can be reached', async () => {
        for (const target of [
            '/db/secret', '/etc/secret', '/spool/secret', '/log/secret', '/run/secret',
            '/../db/secret', '/../../db/secret', '/./../etc/secret', '/media/../../db/secret',
            `/media/${KEY}/../../../spool/secret`, '/assets/../../etc/secret',
            '/%2e%2e/db/secret', '/..%2fdb/secret', '/%2e%2e%2fdb%2fsecret', '/..%5cdb%5csecret',
            '/..%252fdb/secret', '/media/%2e%2e/%2e%2e/db/secret', '//db/secret',
            '/.secret', '/%2esecret', '/page.html~', '/./.secret', '/db/dropstream.db',
            '/missing/x', '/cgi-bin/api.fcgi', '/etc/lighttpd.conf', '/assets/', '/db/',
        ]) {
            const { status, text } = await get(target);
            assert.ok([400, 403, 404].includes(status), `${target}: ${status}`);
            assert.doesNotMatch(text, /SECRET|SQLite/, target);
            assert.doesNotMatch(text, /index-1a2b3c/, `${target} lists a folder`);
        }
    });
    test('nothing below /media/ is changed by any method', async () => {
        for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
            const missing = await site.request(method, `/media/${KEY}/360p-1/99.m4s`);
            assert.equal(missing.status, 405, method);
            assert.equal(missing.headers.allow, 'GET, HEAD');
            await site.request(method, `/media/${KEY}/360p-1/0.m4s`, { body: 'changed' });
        }
        assert.equal((await get(`/media/${KEY}/360p-1/0.m4s`)).text, '0123456789');
    });
    test('media.fcgi answers under plain CGI', async () => {
        const target = `/media/${KEY}/360p-1/5.m4s`;
        const { status, json, headers } = await site.cgi('media.fcgi', { target });
        assert.equal(status, 404);
        assert.equal(json.error.code, 'not_found');
        assert.equal(headers['cache-control'], 'no-store');
    });
    test('the sockets of the programs are for their user alone', async () => {
        const names = (await fs.readdir(site.path('run'))).filter((name) => name.includes('.sock'));
        assert.equal(names.length, 3);
        for (const name of names)
            assert.equal((await fs.stat(site.path('run', name))).mode & 0o777, 0o600, name);
    });
    test('what X-Sendfile may send is bounded', async () => {
        const env = { ...site.env, PATH: `${process.env.PATH}:/usr/sbin` };
        const args = ['-p', '-f', site.path('etc/lighttpd.conf')];
        const { stdout } = await promisify(execFile)('lighttpd', args, { env });
        // Of each address: what follows it, up to the next one.
        const [, ...parts] = stdout.split(/^ {8}"(\/[^"]*)" *=> \($/m);
        const hosts = Object.fromEntries(parts.flatMap((key, i) => (i % 2 ? [] : [[key, parts[i + 1]]])));
        const may = (key) => {
            const [, list] = hosts[key].match(/"x-sendfile-docroot" *=> \(([^)]*)\)/) ?? [];
            const folders = list?.match(/[^", ]+/g).map((name) => path.relative(site.dir, name));
            return [/"x-sendfile" *=> "enable"/.test(hosts[key]), folders];
        };
        assert.deepEqual(may('/missing/'), [true, ['htdocs/media']]);
        assert.deepEqual(may('/api/'), [true, ['spool']]);
        assert.deepEqual(may('/e/'), [false, undefined]);
        assert.deepEqual(may('/api/uploads'), [false, undefined]);
        assert.equal(Object.keys(hosts).length, 4);
    });
});

describe('segments that are promised', () => {
    it('are a 503 that no cache keeps, until they are made; others a 404', async () => {
        // An encoder that makes nothing: the plan is there, and no segment ever.
        const env = { DROPSTREAM_FFMPEG: '/bin/cat', DROPSTREAM_WAIT_S: '1' };
        const site = await startSite({ worker: true, env });
        try {
            const file = site.path('tmp/clip.mp4');
            await flashClip(file, { seconds: 9 });
            const { json } = await site.upload(file);
            const video = await site.waitForState(json.id, 'processing');
            assert.equal(video.playable, false);
            assert.equal(video.media, null);
            // A key is not given out before there is something to see.
            const key = KEY;
            await promisify(execFile)('sqlite3', [
                '-cmd', '.timeout 5000', site.path('db/dropstream.db'),
                `INSERT INTO grants (key, video_id, user_id) VALUES ('${key}', '${json.id}', 0)`,
            ]);
            // Of the source nothing is promised before its keyframes are known.
            const promises = video.renditions.filter(({ name }) => name !== 'source');
            for (const { name, segments } of promises) {
                assert.ok(segments >= 3);
                for (const promised of ['init.mp4', '0.m4s', `${segments - 1}.m4s`]) {
                    const target = `/media/${key}/${name}-1/${promised}`;
                    const { status, headers, json: body } = await site.request('GET', target);
                    assert.equal(status, 503, target);
                    assert.equal(body.error.code, 'not_yet');
                    assert.equal(headers['cache-control'], 'no-store');
                    assert.ok(Number(headers['retry-after']) > 0);
                }
                for (const never of [
                    `${name}-1/${segments}.m4s`, `${name}-2/0.m4s`, `${name}-1/00.m4s`, `other-1/0.m4s`,
                ]) {
                    const { status, headers } = await site.request('GET', `/media/${key}/${never}`);
                    assert.equal(status, 404, never);
                    assert.equal(headers['cache-control'], 'no-store');
                }
            }
        } finally {
            await site.stop();
        }
    });
});
