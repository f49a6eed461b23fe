/*
 * Subtitles: tracks inside a file, and files that are added to a video. Real lighttpd,
 * worker and ffmpeg; what is served is fetched as a player would.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { assertError } from '../lib/errors.mjs';
import { CORPUS, flashClip, tempDir } from '../lib/media.mjs';
import { startSite, tinyMp4, waitFor } from '../lib/site.mjs';
import { clipWithTracks, cuesOf, fetchSubtitles, srtOf, waitForSubtitles } from '../lib/subtitles.mjs';

let site;
let temp;
let plain; // a clip without subtitles

before(async () => {
    site = await startSite({ worker: true, env: { DROPSTREAM_BACKOFF_MS: '50' } });
    temp = await tempDir();
    plain = await flashClip(clip('plain.mp4'), { seconds: 4 }).then(() => clip('plain.mp4'));
});
after(async () => {
    await temp?.remove();
    await site?.stop();
});

const clip = (name) => path.join(temp.dir, name);
const test = (name, options, fn) =>
    fn ? it(name, options, (t) => site.logged(fn)(t)) : it(name, (t) => site.logged(options)(t));

async function ready(file) {
    const { status, json, text } = await site.upload(file);
    assert.equal(status, 201, text);
    return site.waitForState(json.id, 'ready');
}

const at = (id, lang, query = '') => `/api/videos/${id}/subtitles/${lang}${query}`;
const put = (id, lang, body, query) =>
    site.request('PUT', at(id, lang, query), { body, headers: { 'Content-Length': Buffer.byteLength(body) } });

const HELLO = [
    [0.5, 1.25, 'Hello'],
    [2, 3.5, 'Two\nlines'],
];
const HALLO = [
    [0.5, 1.25, 'Hallo <i>du</i>'],
    [5, 5.9, 'Ende'],
];

describe('tracks inside a file', () => {
    test('become renditions, at the times of the source', async () => {
        const tracks = [
            { cues: HELLO, codec: 'srt', language: 'eng' },
            { cues: HALLO, codec: 'ass', language: 'ger', title: 'Deutsch "voll"' },
            { cues: [HALLO[0]], codec: 'webvtt', language: 'ger', forced: true },
        ];
        // A clock that does not begin at 0: what counts is when the picture is shown.
        const file = await clipWithTracks(clip('three.mkv'), tracks, { start: 7 });
        let video = await ready(file);
        video = await waitForSubtitles(site, video.id, ['en', 'de', 'de-2']);
        const url = (name) => `${path.posix.dirname(video.media)}/subs/${name}.vtt`;
        const unversioned = video.subtitles.map((s) => ({ ...s, url: s.url.replace(/\?v=\d+$/, '') }));
        assert.deepEqual(unversioned, [
            { lang: 'en', label: null, source: 'track', forced: false, url: url('en'), error: null },
            { lang: 'de', label: 'Deutsch "voll"', source: 'track', forced: false, url: url('de'), error: null },
            { lang: 'de-2', label: null, source: 'track', forced: true, url: url('de-2'), error: null },
        ]);
        assert.equal(video.warning, null);
        const { master, byName } = await fetchSubtitles(site, video);
        assert.deepEqual(byName, { English: HELLO, "Deutsch 'voll'": HALLO, 'German (forced)': [HALLO[0]] });
        assert.deepEqual(master.subtitles.map((s) => [s.LANGUAGE, s.FORCED]), [['en', 'NO'], ['de', 'NO'], ['de', 'YES']]);
    });

    test('of an MP4 do too', async () => {
        const tracks = [{ cues: HELLO, codec: 'mov_text' }, { cues: HALLO, codec: 'mov_text', language: 'fil' }];
        let video = await ready(await clipWithTracks(clip('two.mp4'), tracks));
        video = await waitForSubtitles(site, video.id, ['und', 'fil']);
        const { master, byName } = await fetchSubtitles(site, video);
        assert.deepEqual(byName, { Subtitles: HELLO, fil: HALLO });
        assert.equal(master.subtitles[0].LANGUAGE, undefined);
    });

    test('that say nothing are left out without a word', async () => {
        const tracks = [{ cues: [[1, 2, '<i> </i>']], codec: 'srt', language: 'eng' }, { cues: HELLO, codec: 'srt', language: 'fre' }];
        let video = await ready(await clipWithTracks(clip('empty.mkv'), tracks));
        video = await waitForSubtitles(site, video.id, ['fr']);
        assert.equal(video.warning, null);
    });

    test('that cannot be read are a warning, and the video is ready all the same', async () => {
        // ffmpeg fails, but only where it is asked for text.
        const fake = clip('ffmpeg');
        await fs.writeFile(fake, '#!/bin/sh\ncase "$*" in *"-f webvtt"*) echo out of words >&2; exit 1;; esac\nexec ffmpeg "$@"\n', { mode: 0o755 });
        const other = await startSite({ worker: true, env: { DROPSTREAM_FFMPEG: fake } });
        try {
            const tracks = [{ cues: HELLO, codec: 'srt', language: 'eng' }];
            const { json } = await other.upload(await clipWithTracks(clip('broken.mkv'), tracks));
            await other.waitForState(json.id, 'ready');
            const video = await waitFor(async () => {
                const now = (await other.api('GET', `/api/videos/${json.id}`)).json;
                return now.warning && now;
            });
            assert.equal(video.state, 'ready');
            assert.equal(video.warning, 'The subtitles "en" could not be read: ffmpeg ended with status 1: out of words');
            assert.deepEqual(video.subtitles, []);
            assert.deepEqual((await fetchSubtitles(other, video)).byName, {});
        } finally {
            await other.stop();
        }
    });
});

describe('real clips', { skip: !CORPUS && 'DROPSTREAM_CORPUS names no folder of clips' }, () => {
    for (const [name, langs, first] of [
        ['qt6-multimedia__subtitletest.mkv', ['und'], [0, 1, 'Hello']],
        ['qt6-multimedia__multitrack.mkv', ['en', 'es'], [1, 2, '1s track 1']],
        ['torchcodec__nasa_13013.mp4', ['en', 'en-2'], [0.21, 4.26, 'NAR: This is the optical and science segment of the Webb']],
        ['media3__sample_with_vtt_subtitles.mkv', ['und'], [0, 1.234, 'This is the first subtitle.']],
    ])
        test(name, async (t) => {
            const file = path.join(CORPUS ?? '', name);
            if (!(await fs.stat(file).catch(() => null))) return t.skip('not in this folder');
            let video = await ready(file);
            video = await waitForSubtitles(site, video.id, langs);
            const { byName } = await fetchSubtitles(site, video);
            assert.deepEqual(Object.values(byName)[0][0], first);
        });
});

describe('a file that is added', () => {
    let video;
    before(async () => (video = await ready(plain)));
    // lighttpd looks at a file once a second: what replaces another one shows a little later.
    const served = async (lang, expected) => {
        const look = async () => {
            const { subtitles } = (await site.api('GET', `/api/videos/${video.id}`)).json;
            const { url } = subtitles.find((s) => s.lang === lang);
            return url && expected((await site.request('GET', url)).text);
        };
        return waitFor(look, { what: 'the new text' });
    };
    const remove = async (lang) => assert.equal((await site.request('DELETE', at(video.id, lang))).status, 204);
    beforeEach(async () => {
        for (const { lang } of (await site.api('GET', `/api/videos/${video.id}`)).json.subtitles) await remove(lang);
    });

    test('is there, in the master too, and can be replaced and taken away', async () => {
        let res = await put(video.id, 'EN', srtOf(HELLO), '?label=For%20the%20%22deaf%22');
        assert.equal(res.status, 201, res.text);
        assert.deepEqual(res.json.subtitles, [{ lang: 'en', label: 'For the "deaf"', source: 'file', forced: false, url: null, error: null }]);
        let now = await waitForSubtitles(site, video.id, ['en']);
        assert.deepEqual((await fetchSubtitles(site, now)).byName, { "For the 'deaf'": HELLO });
        const before = await site.request('GET', now.subtitles[0].url);

        res = await put(video.id, 'en', srtOf(HALLO));
        assert.equal(res.status, 200, res.text);
        assert.equal(res.json.subtitles[0].label, null);
        await waitFor(async () => (await site.request('GET', now.subtitles[0].url)).text.includes('Hallo'));
        const after_ = await site.request('GET', now.subtitles[0].url, { headers: { 'If-None-Match': before.headers.etag } });
        assert.equal(after_.status, 200, 'the old ETag is not that of the new file');
        assert.equal((await site.request('GET', now.subtitles[0].url, { headers: { 'If-None-Match': after_.headers.etag } })).status, 304);
        now = await waitFor(async () => {
            const { byName } = await fetchSubtitles(site, now);
            return byName.English && { ...now, byName };
        });
        assert.deepEqual(now.byName, { English: HALLO });
        const { url } = (await site.api('GET', `/api/videos/${video.id}`)).json.subtitles[0];
        assert.notEqual(url, now.subtitles[0].url, 'a page that is open sees that it is another one');

        assert.equal((await site.request('DELETE', at(video.id, 'eN'))).status, 204);
        assertError(await site.request('DELETE', at(video.id, 'en')), 404, 'not_found');
        await waitFor(async () => (await site.request('GET', now.subtitles[0].url)).status === 404);
        const gone = (await site.api('GET', `/api/videos/${video.id}`)).json;
        assert.deepEqual(gone.subtitles, []);
        await waitFor(async () => Object.keys((await fetchSubtitles(site, gone)).byName).length === 0);
        assert.deepEqual(await fs.readdir(path.join(site.path('htdocs'), path.posix.dirname(video.media), 'subs')), []);
    });

    test('may be WebVTT, or SRT in any usual encoding', async () => {
        const srt = '1\r\n00:00:01,000 --> 00:00:02,000\r\nGrüße – „äöü“ & mehr\r\n';
        const latin = Buffer.from([...srt].map((c) => ({ '–': 0x96, '„': 0x84, '“': 0x93 })[c] ?? c.charCodeAt(0)));
        const wide = Buffer.from(`\ufeff${srt}`, 'utf16le');
        for (const [i, body] of [Buffer.from(srt), Buffer.from(`\ufeff${srt}`), latin, wide, Buffer.from(wide).swap16()].entries()) {
            assert.equal((await put(video.id, `de-${i + 2}`, body)).status, 201);
            const { subtitles } = await waitForSubtitles(site, video.id, [`de-${i + 2}`]);
            assert.deepEqual(cuesOf((await site.request('GET', subtitles[0].url)).text), [[1, 2, 'Grüße – „äöü“ &amp; mehr']]);
            await remove(`de-${i + 2}`);
        }
        const vtt = 'WEBVTT\n\nSTYLE\n::cue { color: red }\n\n00:01.000 --> 00:02.000 align:end\n<v Ann>Grüße – „äöü“ &amp; mehr\n';
        assert.equal((await put(video.id, 'de', vtt)).status, 201);
        await served('de', (text) => text.endsWith('\n\n00:00:01.000 --> 00:00:02.000 align:end\n<v Ann>Grüße – „äöü“ &amp; mehr</v>\n'));
    });

    test('that is none is refused, and leaves nothing behind', async () => {
        const ass = '[Script Info]\nTitle: x\n\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Hi\n';
        assertError(await put(video.id, 'en', ass), 415, 'no_subtitles');
        assertError(await put(video.id, 'en', '\x89PNG\r\n'), 415, 'no_subtitles');
        assertError(await put(video.id, 'en', ''), 415, 'no_subtitles');
        assertError(await put(video.id, 'en', tinyMp4()), 415, 'no_subtitles');
        assertError(await put(video.id, 'en', 'WEBVTT\n'), 422, 'empty_subtitles');
        assertError(await put(video.id, 'en', srtOf([[2, 1, 'x']])), 422, 'empty_subtitles');
        const large = Buffer.alloc((2 << 20) + 1, 'x');
        assertError(await put(video.id, 'en', large), 413, 'too_large');
        assert.equal((await put(video.id, 'en', Buffer.alloc(4 << 20))).status, 413);
        assertError(await put(video.id, 'en', '00:01-->00:02\nx\n'.repeat(50_001)), 413, 'too_large');
        assertError(await put(video.id, 'en', srtOf(HELLO), `?label=${'x'.repeat(81)}`), 400, 'bad_parameter');
        for (const lang of ['e', 'en_US', 'en-1', 'en-2-3', '..', 'en.vtt', 'x%2Fy', '%2e%2e'])
            assert.ok([400, 403, 404].includes((await put(video.id, lang, srtOf(HELLO))).status), lang);
        assertError(await put(video.id, 'en_US', srtOf(HELLO)), 400, 'bad_language');
        assert.deepEqual((await site.api('GET', `/api/videos/${video.id}`)).json.subtitles, []);
    });

    test('of the largest size is taken', async () => {
        const cue = '00:00:01,000 --> 00:00:02,000\n';
        const body = Buffer.alloc(2 << 20, 'x').fill(cue, 0, cue.length);
        assert.equal((await put(video.id, 'en', body)).status, 201);
        await served('en', (text) => text.length > body.length);
    });

    test('needs a method and a video that are there', async () => {
        assertError(await put('a'.repeat(16), 'en', srtOf(HELLO)), 404, 'not_found');
        assertError(await put('nonsense', 'en', srtOf(HELLO)), 404, 'not_found');
        assertError(await site.request('DELETE', at('a'.repeat(16), 'en')), 404, 'not_found');
        for (const method of ['GET', 'POST', 'PATCH']) {
            const res = await site.request(method, at(video.id, 'en'), { headers: { 'Content-Length': 0 } });
            assertError(res, 405, 'method_not_allowed');
            assert.equal(res.headers.allow, 'PUT, DELETE');
        }
    });

    test('shares its language with others under names of their own', async () => {
        for (const name of ['en', 'en-2', 'pt-br'])
            assert.equal((await put(video.id, name, srtOf([[1, 2, name]]))).status, 201);
        const now = await waitForSubtitles(site, video.id, ['en', 'en-2', 'pt-BR']);
        await served('en', (text) => text.endsWith('\nen\n'));
        const { byName } = await fetchSubtitles(site, now);
        assert.deepEqual(byName, { English: [[1, 2, 'en']], 'English 2': [[1, 2, 'en-2']], Portuguese: [[1, 2, 'pt-br']] });
    });

    test('that cannot be kept says why, and is taken when it is sent again', async () => {
        const other = await startSite({ worker: true, env: { DROPSTREAM_ATTEMPTS: '2', DROPSTREAM_BACKOFF_MS: '50' } });
        try {
            const { json } = await other.upload(plain);
            const { media } = await other.waitForState(json.id, 'ready');
            const subs = path.join(other.path('htdocs'), path.posix.dirname(media), 'subs');
            const send = () => other.request('PUT', at(json.id, 'en'), { body: srtOf(HELLO), headers: { 'Content-Length': Buffer.byteLength(srtOf(HELLO)) } });
            const now = async (test) => waitFor(async () => {
                const v = (await other.api('GET', `/api/videos/${json.id}`)).json;
                return test(v.subtitles[0]) && v;
            });
            await fs.writeFile(subs, 'in the way');
            assert.equal((await send()).status, 201);
            const failed = await now((s) => s.error);
            assert.match(failed.subtitles[0].error, /^The subtitles could not be kept \(.*\)\.$/);
            assert.equal(failed.subtitles[0].url, null);
            assert.deepEqual([failed.state, failed.warning], ['ready', null]);
            await fs.rm(subs);
            assert.equal((await send()).json.subtitles[0].error, null);
            assert.equal((await now((s) => s.url)).subtitles[0].error, null);
        } finally {
            await other.stop();
        }
    });

    test('is not published before the disk has it', async () => {
        const fail = clip('fail-sync');
        const folder = clip('programs');
        await fs.mkdir(folder);
        await fs.writeFile(fail, '');
        await fs.writeFile(path.join(folder, 'sync'), `#!/bin/sh\n[ "$1" = -f ] || ! [ -e ${fail} ] && exec /bin/sync "$@"\nexit 1\n`, { mode: 0o755 });
        const other = await startSite({ worker: true, env: { PATH: `${folder}:${process.env.PATH}`, DROPSTREAM_ATTEMPTS: '2', DROPSTREAM_BACKOFF_MS: '50' } });
        try {
            const { json } = await other.upload(plain);
            await other.waitForState(json.id, 'ready');
            const send = () => other.request('PUT', at(json.id, 'en'), { body: srtOf(HELLO), headers: { 'Content-Length': Buffer.byteLength(srtOf(HELLO)) } });
            assert.equal((await send()).status, 201);
            const [sub] = await waitFor(async () => {
                const { subtitles } = (await other.api('GET', `/api/videos/${json.id}`)).json;
                return (subtitles[0].error || subtitles[0].url) && subtitles;
            });
            assert.match(sub.error, /^sync /);
            assert.equal(sub.url, null);
            await fs.rm(fail);
            assert.equal((await send()).status, 200);
            await waitForSubtitles(other, json.id, ['en']);
        } finally {
            await other.stop();
        }
    });

    test('goes with its video', async () => {
        const other = await ready(plain);
        await put(other.id, 'en', srtOf(HELLO));
        const { subtitles, media } = await waitForSubtitles(site, other.id, ['en']);
        const files = path.join(site.path('htdocs'), await fs.readlink(path.join(site.path('htdocs'), path.posix.dirname(media))).then((root) => `media/${root}`));
        assert.ok((await fs.readdir(path.join(files, 'subs'))).includes('en.vtt'));
        assert.equal((await site.api('DELETE', `/api/videos/${other.id}`)).status, 204);
        assert.equal((await site.request('GET', subtitles[0].url)).status, 404);
        await waitFor(async () => !(await fs.stat(files).catch(() => null)));
        assertError(await put(other.id, 'en', srtOf(HELLO)), 404, 'not_found');
    });
});

describe('while there is no plan', () => {
    test('a file waits for it; after a failure it is still there', async () => {
        const fail = clip('fail');
        const fake = clip('ffprobe-later');
        // Without the file beside it ffprobe cannot read a thing.
        await fs.writeFile(fake, `#!/bin/sh\n[ -e ${fail} ] && exit 1\nexec ffprobe "$@"\n`, { mode: 0o755 });
        await fs.writeFile(fail, '');
        const other = await startSite({ worker: true, env: { DROPSTREAM_FFPROBE: fake } });
        try {
            const file = await clipWithTracks(clip('again.mkv'), [{ cues: HELLO, codec: 'srt', language: 'eng' }]);
            await other.end('worker');
            const { json } = await other.upload(file);
            const url = `/api/videos/${json.id}/subtitles/en`;
            const send = () => other.request('PUT', url, { body: srtOf(HALLO), headers: { 'Content-Length': Buffer.byteLength(srtOf(HALLO)) } });
            assert.equal((await send()).status, 201, 'before anything is known of it');
            other.startWorker();
            await waitFor(async () => (await other.api('GET', `/api/videos/${json.id}`)).json.state === 'failed');
            assertError(await send(), 409, 'conflict');
            assertError(await other.request('DELETE', url), 409, 'conflict');
            await fs.rm(fail);
            assert.equal((await other.api('POST', `/api/videos/${json.id}/retry`)).status, 202);
            await other.waitForState(json.id, 'ready');
            const video = await waitForSubtitles(other, json.id, ['en', 'en-2']);
            const { byName } = await fetchSubtitles(other, video);
            assert.deepEqual(byName, { English: HALLO, 'English 2': HELLO });
            assert.deepEqual(video.subtitles.map((s) => s.source), ['file', 'track']);
        } finally {
            await other.stop();
        }
    });
});
